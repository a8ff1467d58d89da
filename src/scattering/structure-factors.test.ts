import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { type Adp, betaFromU, uFromB } from "../geometry/adp.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { isAbsent } from "../geometry/extinctions.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { dStar, type Hkl } from "../geometry/metric.js";
import { spaceGroup, spaceGroupByNumber } from "../geometry/space-groups.js";
import { atom, expandToP1, type Structure, structure } from "../geometry/structure.js";
import { cifBlock, cifNumbers } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { birdKingAbsorptive, thomasAbsorptive } from "./absorptive.js";
import type { FormFactorSource } from "./form-factor.js";
import { kirkland } from "./kirkland.js";
import { lobato } from "./lobato.js";
import { peng1996, peng1996LowAngle, peng1998 } from "./peng.js";
import { absorptiveStructureFactors, structureFactors } from "./structure-factors.js";
import { potentialUg, potentialVolts } from "./units.js";

const load = (file: string, name?: string) => {
  const block = cifBlock(parseCif(readData(`3ded/${file}`)).value, name)!;
  return { block, structure: structureFromCif(block).value };
};

describeData("JANA's kinematical F²calc", ["3ded/jana_dyn", "3ded/expected_values.json"], () => {
  test.each(["natrolite", "albite"] as const)("%s: R(F) and k as expected_values.json states", (name) => {
    const expected = JSON.parse(readDataText("3ded/expected_values.json")) as {
      kinematical_lists: Record<string, { R_F_model: number; k: number }>;
    };
    const { block, structure: s } = load(`jana_dyn/${name}_jana2006_dyn+kin.cif`, `${name}_kinematical`);
    const [h, k, l, f2] = ["_refln_index_h", "_refln_index_k", "_refln_index_l", "_refln_F_squared_calc"].map(
      (t) => cifNumbers(block, t)!,
    ) as Float64Array[];
    const hkl = Int32Array.from({ length: 3 * h!.length }, (_, i) => [h!, k!, l!][i % 3]![Math.floor(i / 3)]!);
    const f = structureFactors(s, hkl, peng1996);
    let cross = 0,
      square = 0,
      miss = 0,
      sum = 0;
    for (let i = 0; i < h!.length; i++) {
      const own = Math.hypot(f[2 * i]!, f[2 * i + 1]!);
      cross += own * Math.sqrt(f2![i]!);
      square += own * own;
    }
    const scale = cross / square;
    for (let i = 0; i < h!.length; i++) {
      miss += Math.abs(Math.sqrt(f2![i]!) - scale * Math.hypot(f[2 * i]!, f[2 * i + 1]!));
      sum += Math.sqrt(f2![i]!);
    }
    const { R_F_model, k: stated } = expected.kinematical_lists[name]!;
    expect(Math.abs(miss / sum - R_F_model)).toBeLessThan(5.1e-5);
    expect(Math.abs(scale - stated)).toBeLessThan(5.1e-5);
  });
  test("alanine: F(000) 69.628 Å as JANA prints it, to 5e-4", () => {
    const { structure: s } = load("jana_dyn/alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif", "I");
    expect(structureFactors(s, Int32Array.of(0, 0, 0), peng1996)[0]! / 69.628).toBeCloseTo(1, 3);
  });
});

describeData("five real structures against gemmi", ["3ded/jana_dyn", "3ded/diffbloch"], () => {
  interface Row {
    readonly file: string;
    readonly block: string;
    readonly F: readonly (readonly number[])[];
  }
  test.each(readGolden<Row>("electron-structure-factors").rows)("$file", ({ file, block, F }) => {
    const { structure: s } = load(file, block);
    const f = structureFactors(s, Int32Array.from(F.flatMap((r) => r.slice(0, 3))), peng1996LowAngle);
    const f000 = Math.hypot(F[0]![3]!, F[0]![4]!);
    F.forEach((r, i) => {
      // gemmi writes exp(+2πi h·x), so the imaginary part has the other sign. It does not snap rounded coordinates (1/6 as 0.166667).
      expect(Math.abs(f[2 * i]! - r[3]!) / f000, r.join(" ")).toBeLessThan(2e-6);
      expect(Math.abs(f[2 * i + 1]! + r[4]!) / f000, r.join(" ")).toBeLessThan(2e-6);
    });
  });
});

const b200 = beam(200);
const gaas = structure(unitCell(5.65325, 5.65325, 5.65325), spaceGroup("F -4 3 m"), [
  atom({ element: "Ga", xyz: [0, 0, 0], uIso: uFromB(0.5854) }),
  atom({ element: "As", xyz: [0.25, 0.25, 0.25], uIso: uFromB(0.3528) }),
]);
const srtio3 = structure(unitCell(3.8996, 3.8996, 3.8996), spaceGroup("P m -3 m"), [
  atom({ element: "Sr", xyz: [0, 0, 0], uIso: uFromB(0.4153) }),
  atom({ element: "Ti", xyz: [0.5, 0.5, 0.5], uIso: uFromB(1.1035) }),
  atom({ element: "O", xyz: [0, 0.5, 0.5], uIso: uFromB(0.8888) }),
]);
describeData("felix: U_g with Bird-King absorption at 200 kV", ["bloch/felix-gaas-ug-200kV.json"], () => {
  test.each([
    ["gaas", gaas],
    ["srtio3", srtio3],
  ] as const)("%s: elastic and absorptive parts", (name, s) => {
    const file = JSON.parse(readDataText(`bloch/felix-${name}-ug-200kV.json`)) as { Ug: number[][]; cellVolumeUsed?: number };
    const hkl = Int32Array.from(file.Ug.flatMap((r) => r.slice(0, 3)));
    // felix divides by the volume typed in its GaAs file, not by a³.
    const scale = s.cell.volume / (file.cellVolumeUsed ?? s.cell.volume);
    const u = potentialUg(structureFactors(s, hkl, kirkland), s.cell, b200).map((x) => x * scale);
    for (const [source, tolerance] of [
      [birdKingAbsorptive(kirkland, b200), 2e-4],
      [thomasAbsorptive(b200), 2.5e-3],
    ] as const) {
      const a = potentialUg(absorptiveStructureFactors(s, hkl, source), s.cell, b200).map((x) => x * scale);
      const absorptiveZero = a[0]!;
      const total = file.Ug.map((_, i) => [u[2 * i]! - a[2 * i + 1]!, u[2 * i + 1]! + a[2 * i]!]);
      const index = new Map(file.Ug.map((r, i) => [r.slice(0, 3).join(), i]));
      expect(absorptiveZero / file.Ug[0]![4]!).toBeGreaterThan(1 - tolerance);
      expect(absorptiveZero / file.Ug[0]![4]!).toBeLessThan(1 + tolerance);
      file.Ug.forEach((r, i) => {
        const j = index.get([-r[0]!, -r[1]!, -r[2]!].join());
        if (i === 0 || j === undefined) return;
        // U = (X(g) + X(−g)*)/2 and iU' = (X(g) − X(−g)*)/2 of the total X.
        const split = (x: readonly number[], y: readonly number[]) => [
          (x[0]! + y[0]!) / 2,
          (x[1]! - y[1]!) / 2,
          (x[0]! - y[0]!) / 2,
          (x[1]! + y[1]!) / 2,
        ];
        const ours = split(total[i]!, total[j]!),
          theirs = split([r[3]!, r[4]!], [file.Ug[j]![3]!, file.Ug[j]![4]!]);
        const elastic = Math.hypot(ours[0]! - theirs[0]!, ours[1]! - theirs[1]!),
          absorptive = Math.hypot(ours[2]! - theirs[2]!, ours[3]! - theirs[3]!);
        expect(elastic).toBeLessThan(1e-4 * 0.073);
        expect(absorptive).toBeLessThan(tolerance * absorptiveZero);
      });
    }
  });
});

/** The definition, atom by atom, with no symmetry used. */
function direct(s: Structure, hkl: Hkl, factors: FormFactorSource): readonly [number, number] {
  let re = 0,
    im = 0;
  const g = dStar(s.cell, hkl);
  for (const image of expandToP1(s)) {
    const a = s.atoms[image.atom]!;
    const [h, k, l] = hkl;
    let exponent = 2 * Math.PI * Math.PI * a.uIso * g * g;
    if (image.uAniso) {
      const b = betaFromU(s.cell, image.uAniso);
      exponent = b[0] * h * h + b[1] * k * k + b[2] * l * l + 2 * (b[3] * h * k + b[4] * h * l + b[5] * k * l);
    }
    const f = a.occupancy * factors(a.element, a.charge).f(g / 2) * Math.exp(-exponent);
    const phase = -2 * Math.PI * (h * image.xyz[0] + k * image.xyz[1] + l * image.xyz[2]);
    re += f * Math.cos(phase);
    im += f * Math.sin(phase);
  }
  return [re, im];
}

describe("all 230 space groups", () => {
  const cellFor = (n: number) => {
    if (n < 3) return unitCell(5.1, 6.2, 7.3, 81, 97, 106);
    if (n < 16) return unitCell(5.1, 6.2, 7.3, 90, 103);
    if (n < 75) return unitCell(5.1, 6.2, 7.3);
    if (n < 143) return unitCell(5.1, 5.1, 7.3);
    return n < 195 ? unitCell(5.1, 5.1, 7.3, 90, 90, 120) : unitCell(6.2, 6.2, 6.2);
  };
  test("symmetry-reduced sums equal the plain sum, absences vanish, F(−h) = F(h)*", () => {
    for (let n = 1; n <= 230; n++) {
      const group = spaceGroupByNumber(n),
        g = rng(n);
      const u: Adp = [0.01, 0.013, 0.02, 0.002, -0.003, 0.001];
      const s = structure(cellFor(n), group, [
        atom({ element: "Si", xyz: [g.uniform(), g.uniform(), g.uniform()], uAniso: u }),
        atom({ element: "O", xyz: [0.5, 0.5, 0.5], uAniso: u, occupancy: 0.7 }),
        atom({ element: "Cs", xyz: [g.uniform(), 0.25, 0], uIso: 0.02 }),
      ]);
      const list: number[] = [];
      for (let k = 0; k < 12; k++) list.push(g.integer(9) - 4, g.integer(9) - 4, g.integer(9) - 4);
      const hkl = Int32Array.from([...list, ...list.map((x) => -x), 0, 0, 1, 0, 2, 0]);
      const f = structureFactors(s, hkl, lobato);
      const scale = 100;
      for (let i = 0; i < hkl.length / 3; i++) {
        const h: Hkl = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];
        const [re, im] = direct(s, h, lobato);
        expect(Math.hypot(f[2 * i]! - re, f[2 * i + 1]! - im) / scale, `${group.hm} ${h.join(" ")}`).toBeLessThan(1e-11);
        if (isAbsent(group, h)) expect(Math.hypot(f[2 * i]!, f[2 * i + 1]!)).toBeLessThan(1e-9);
      }
      for (let i = 0; i < 12; i++) {
        expect(f[2 * i]!).toBeCloseTo(f[2 * (i + 12)]!, 9);
        expect(f[2 * i + 1]!).toBeCloseTo(-f[2 * (i + 12) + 1]!, 9);
      }
    }
  });
});

prop("moving the origin turns phases by −2πi h·t and keeps amplitudes", [fc.nat(999)], (seed) => {
  const g = rng(seed),
    cell = unitCell(6, 7, 8, 80, 95, 105),
    p1 = spaceGroup(1);
  const atoms = [0, 1, 2, 3].map((i) =>
    atom({ element: ["C", "N", "O", "Pb"][i]!, xyz: [g.uniform(), g.uniform(), g.uniform()], uIso: 0.01 * i }),
  );
  const t = [g.uniform(), g.uniform(), g.uniform()] as const;
  const moved = atoms.map((a) => ({ ...a, xyz: [a.xyz[0] + t[0], a.xyz[1] + t[1], a.xyz[2] + t[2]] as const }));
  const hkl = Int32Array.of(1, -2, 3, 0, 4, 1);
  const f = structureFactors(structure(cell, p1, atoms), hkl, lobato),
    q = structureFactors(structure(cell, p1, moved), hkl, lobato);
  for (let i = 0; i < 2; i++) {
    const phase = -2 * Math.PI * (hkl[3 * i]! * t[0] + hkl[3 * i + 1]! * t[1] + hkl[3 * i + 2]! * t[2]);
    expect(q[2 * i]!).toBeCloseTo(f[2 * i]! * Math.cos(phase) - f[2 * i + 1]! * Math.sin(phase), 9);
    expect(q[2 * i + 1]!).toBeCloseTo(f[2 * i]! * Math.sin(phase) + f[2 * i + 1]! * Math.cos(phase), 9);
  }
});

test("ions: F(000) of a neutral cell is finite and near the limit of small g averages; of a charged one infinite", () => {
  const ions = (cl: number) =>
    structure(unitCell(5.64, 5.64, 5.64), spaceGroup("F m -3 m"), [
      atom({ element: "Na", charge: 1, xyz: [0, 0, 0] }),
      atom({ element: "Cl", charge: -1, xyz: [0.5, 0.5, 0.5], occupancy: cl }),
    ]);
  const f = structureFactors(ions(1), Int32Array.of(0, 0, 0, 2, 0, 0), peng1998);
  expect(f[0]).toBeCloseTo(4 * (peng1998("Na", 1).regular(0) + peng1998("Cl", -1).regular(0)), 10);
  expect(Number.isFinite(f[2]!)).toBe(true);
  expect(structureFactors(ions(0.5), Int32Array.of(0, 0, 0), peng1998)[0]).toBe(Number.POSITIVE_INFINITY);
});

test("units: the mean inner potential of silicon is 13.9 V, and U/γ against V has the stated factor", () => {
  const silicon = structure(unitCell(5.4309, 5.4309, 5.4309), spaceGroup("F d -3 m"), [
    atom({ element: "Si", xyz: [0.125, 0.125, 0.125] }),
  ]);
  const f = structureFactors(silicon, Int32Array.of(0, 0, 0, 2, 2, 2, 2, 0, 0), lobato);
  const volts = potentialVolts(f, silicon.cell),
    u = potentialUg(f, silicon.cell, b200);
  expect(volts[0]).toBeGreaterThan(13.5);
  expect(volts[0]).toBeLessThan(14.2);
  expect(u[0]! / volts[0]! / b200.gamma).toBeCloseTo(0.00664840284621, 12);
  expect([f[2], f[3], f[4]].every((x) => Math.abs(x!) < 1e-12)).toBe(true);
  expect(structureFactors(silicon, new Int32Array(0), lobato).length).toBe(0);
  expect(() => structureFactors(silicon, new Int32Array(2), lobato)).toThrow(/bad-shape/);
});
