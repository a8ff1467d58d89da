import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cellDifference, unitCell } from "../geometry/cell.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { uniqueReflections } from "../geometry/unique.js";
import { cifBlock } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { describeData, readData } from "../testing/data.js";
import { absoluteStructure } from "./absolute-structure.js";
import { compareStructures } from "./compare.js";
import { extinctionGeometry, extinctionY } from "./extinction.js";
import { refineKinematic } from "./kinematic.js";
import { spaceGroupProblems } from "./kinematic-checks.js";
import { restraintsFromCif, ridingHydrogens } from "./kinematic-cif.js";
import { perturbStructure } from "./perturb.js";
import { indicesOf, withExtinction } from "./residuals-cif.js";

describeData("JANA's kinematical refinements from coordinates moved by 0.1 Å", ["3ded/jana_dyn"], () => {
  test.each([
    ["natrolite", 0.1327, 93, [1, 2, 3]],
    ["albite", 0.2172, 119, [1, 2]],
  ] as const)("%s returns wR %d", (name, wr, parameters, seeds) => {
    const block = cifBlock(parseCif(readData("3ded", "jana_dyn", `${name}_jana2006_dyn+kin.cif`)).value, `${name}_kinematical`)!;
    const r = cifReflections(block),
      s = structureFromCif(block).value;
    const measured = withExtinction(block, r)!;
    for (const seed of seeds) {
      const out = refineKinematic(
        perturbStructure(s, 0.1, rng(seed)),
        { hkl: indicesOf(r), intensity: measured.measured, sigma: measured.sigma },
        { restraints: restraintsFromCif(block, s), model: { riding: ridingHydrogens(s, false) }, extinction: { wavelength: 0.0251 } },
      );
      expect(out.status).toBe("converged");
      expect(out.parameters.length).toBe(parameters);
      expect(out.history[0]!.wrAll).toBeGreaterThan(1.5 * wr);
      expect(Math.abs(out.residuals.wrAll - wr)).toBeLessThan(2.5e-4);
      // Standard uncertainties as published: the printed ones have one or two digits, so the median over all of them is compared.
      // The origin of Fdd2 floats along c and was moved with the first atom: compare on the reference's.
      const match = compareStructures(out.structure, s, { hand: false });
      const ratio: number[] = [];
      let far = 0;
      out.structure.atoms.forEach((a, i) => {
        const o = s.atoms[i]!;
        if (o.element === "H") return;
        o.su!.xyz.forEach((su, k) => {
          const own = a.su!.xyz[k as 0];
          if (!(su > 0 && own > 0)) return;
          ratio.push(own / su);
          far = Math.max(far, Math.abs(a.xyz[k as 0] + match.shift[k as 0] - o.xyz[k as 0]) / su);
        });
        o.su!.uAniso?.forEach((su, k) => {
          if (su > 0 && a.su!.uAniso![k as 0] > 0) ratio.push(a.su!.uAniso![k as 0] / su);
        });
      });
      ratio.sort((p, q) => p - q);
      expect(ratio.length).toBeGreaterThan(80);
      expect(Math.abs(ratio[ratio.length >> 1]! - 1)).toBeLessThan(0.1);
      expect(far).toBeLessThan(2);
      expect(match.rmsd).toBeLessThan(0.02);
    }
  });
});

/** An acentric crystal with everything that can be refined, and its exact data with noise. */
function made(seed: number, noise: number) {
  const s = structure(unitCell(6, 7, 8), spaceGroup("P 21 21 21"), [
    atom({ label: "Fe1", element: "Fe", xyz: [0.11, 0.22, 0.33], uAniso: [0.01, 0.012, 0.015, 0.001, 0, 0.002] }),
    atom({ label: "Na1", element: "Na", xyz: [0.61, 0.32, 0.93], uIso: 0.02, occupancy: 0.6 }),
    atom({ label: "O1", element: "O", xyz: [0.31, 0.72, 0.63], uIso: 0.015 }),
  ]);
  const { hkl, dStar } = uniqueReflections(s.cell, s.spaceGroup, { dMin: 0.7 });
  const f = structureFactors(s, hkl, peng1996),
    g = rng(seed);
  const n = dStar.length;
  const sigma = new Float64Array(n),
    intensity = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const f2 = f[2 * i]! ** 2 + f[2 * i + 1]! ** 2;
    const exact = 9 * f2 * extinctionY(200, f2, extinctionGeometry(0.0251, dStar[i]!)) ** 2;
    sigma[i] = noise * (0.02 * exact + 1);
    intensity[i] = exact + sigma[i]! * g.normal();
  }
  return { s, hkl, intensity, sigma };
}

describe("simulated data", () => {
  test("everything returns: positions, tensors, occupancy, scale, extinction; pulls are of unit size", () => {
    const { s, hkl, intensity, sigma } = made(3, 0.5);
    const r = refineKinematic(
      perturbStructure(s, 0.08, rng(2)),
      { hkl, intensity, sigma },
      { extinction: { wavelength: 0.0251 }, model: { occupancies: ["Na1"] } },
    );
    expect(r.status).toBe("converged");
    expect(r.warnings).toEqual([]);
    const pull = r.parameters.map((p) => {
      const [label, kind] = p.name.split(".");
      const a = s.atoms.find((x) => x.label === label);
      const u = ["u11", "u22", "u33", "u12", "u13", "u23"].indexOf(kind ?? "");
      const truth = !a
        ? p.name === "scale" ? 3 : 200
        : kind === "occupancy" ? a.occupancy : kind === "u" ? a.uIso : u >= 0 ? a.uAniso![u as 0] : a.xyz["xyz".indexOf(kind!) as 0]; // biome-ignore format: a table
      return (p.value - truth) / p.su;
    });
    expect(Math.max(...pull.map(Math.abs))).toBeLessThan(4.5);
    const rms = Math.sqrt(pull.reduce((q, v) => q + v * v, 0) / pull.length);
    expect(rms).toBeGreaterThan(0.5);
    expect(rms).toBeLessThan(1.6);
    expect(r.parameters.find((p) => p.name === "Na1.occupancy")!.su).toBeLessThan(0.02);
  });
  test("two sets on two scales; a zero sigma is named and left out", () => {
    const { s, hkl, intensity, sigma } = made(4, 0.2);
    const half = intensity.length >> 1;
    const bad = sigma.slice();
    bad[5] = 0;
    const r = refineKinematic(
      s,
      [
        { name: "A", hkl: hkl.slice(0, 3 * half), intensity: intensity.slice(0, half), sigma: bad.slice(0, half) },
        {
          name: "B",
          hkl: hkl.slice(3 * half),
          intensity: intensity.slice(half).map((v) => 4 * v),
          sigma: bad.slice(half).map((v) => 4 * v),
        },
      ],
      { extinction: { wavelength: 0.0251, start: 100 } },
    );
    const scale = (n: string) => r.parameters.find((p) => p.name === `scale ${n}`)!.value;
    expect(scale("B") / scale("A")).toBeCloseTo(2, 1);
    expect(r.warnings.join()).toMatch(/1 reflections of set 1 have no positive sigma/);
    expect(r.residuals.nAll).toBe(intensity.length - 1);
  });
  test("z-score: the better of two models is found, and equal models give 0", () => {
    const { intensity, sigma } = made(5, 0.2);
    const better = intensity.map((v) => Math.max(0, v) * 1.001),
      worse = intensity.map((v, i) => Math.max(0, v) * (i % 4 === 0 ? 1 : 1.2));
    const z = absoluteStructure(intensity, sigma, better, worse);
    expect(z.z).toBeGreaterThan(5);
    expect(z.chance).toBeLessThan(1e-5);
    expect(z.rA).toBeLessThan(z.rB);
    expect(absoluteStructure(intensity, sigma, better, better)).toMatchObject({ z: 0, total: 0 });
    expect(absoluteStructure(intensity, sigma, worse, better).z).toBeCloseTo(-z.z, 12);
  });
  test("wrong space groups and cells are named", () => {
    const { s, hkl, intensity, sigma } = made(6, 0.2);
    expect(spaceGroupProblems(s.cell, s.spaceGroup, { hkl, intensity, sigma })).toEqual([]);
    expect(spaceGroupProblems(s.cell, spaceGroup("F d d 2"), { hkl, intensity, sigma }).join()).toMatch(/lattice of F d d 2 is wrong/);
    expect(spaceGroupProblems(s.cell, spaceGroup("P 4"), { hkl, intensity, sigma }).join()).toMatch(/does not obey P 4/);
    expect(spaceGroupProblems(unitCell(6, 6, 8), spaceGroup("P 4"), { hkl, intensity, sigma }).join()).toMatch(
      /equivalents under P 4 disagree/,
    );
    expect(cellDifference(unitCell(6, 7, 8), unitCell(6, 7.14, 8))).toBeCloseTo(0.02, 10);
    expect(() => refineKinematic(s, { hkl: hkl.slice(0, 15), intensity: intensity.slice(0, 5), sigma: sigma.slice(0, 5) })).toThrow(
      /bad-value/,
    );
  });
});

describe("comparison of structures", () => {
  const s = made(1, 1).s;
  test("another origin, another asymmetric unit and the other hand match exactly", () => {
    const other = {
      ...s,
      atoms: s.atoms.map((a, i) => {
        const [x, y, z] = a.xyz;
        const moved = i === 1 ? ([0.5 + x, 0.5 - y, -z] as const) : a.xyz;
        return { ...a, xyz: [0.5 - moved[0], -moved[1], 0.5 - moved[2]] as const };
      }),
    };
    const m = compareStructures(other, s);
    expect(m).toMatchObject({ matched: 12, missing: 0, extra: 0, inverted: true });
    expect(m.rmsd).toBeLessThan(1e-9);
    expect(compareStructures(other, s, { hand: false }).rmsd).toBeGreaterThan(0.1);
  });
  test("RMSD of a known displacement, and missing atoms", () => {
    const p = perturbStructure(s, 0.05, rng(9));
    expect(compareStructures(p, s).rmsd).toBeLessThan(0.0501);
    expect(compareStructures(p, s).rmsd).toBeGreaterThan(0.03);
    expect(compareStructures({ ...s, atoms: s.atoms.slice(0, 2) }, s)).toMatchObject({ matched: 8, missing: 0, extra: 4 });
  });
});
