import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup, spaceGroupByNumber } from "../geometry/space-groups.js";
import { atom, type Structure, structure } from "../geometry/structure.js";
import { lobato } from "../scattering/lobato.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { structureModel } from "./model.js";
import { restraintSet } from "./restraints.js";
import { structureFactorKernel } from "./structure-gradient.js";

const cellFor = (n: number) => {
  if (n < 3) return unitCell(5.1, 6.2, 7.3, 81, 97, 106);
  if (n < 16) return unitCell(5.1, 6.2, 7.3, 90, 103);
  if (n < 75) return unitCell(5.1, 6.2, 7.3);
  if (n < 143) return unitCell(5.1, 5.1, 7.3);
  return n < 195 ? unitCell(5.1, 5.1, 7.3, 90, 90, 120) : unitCell(6.2, 6.2, 6.2);
};
const sample = (n: number): Structure => {
  const g = rng(n),
    u = [0.01, 0.013, 0.02, 0.002, -0.003, 0.001] as const;
  return structure(cellFor(n), spaceGroupByNumber(n), [
    atom({ label: "Si1", element: "Si", xyz: [g.uniform(), g.uniform(), g.uniform()], uAniso: u }),
    atom({ label: "O1", element: "O", xyz: [0.5, 0.5, 0.5], uAniso: u, occupancy: 0.7 }),
    atom({ label: "Cs1", element: "Cs", xyz: [g.uniform(), 0.25, 0], uIso: 0.02 }),
  ]);
};

describe("structure factors and their derivatives", () => {
  test("F equals structureFactors, and ∂F/∂q equals central differences, in all 230 groups", () => {
    for (let n = 1; n <= 230; n++) {
      const s = sample(n),
        model = structureModel(s, { occupancies: "all" }),
        g = rng(1000 + n);
      const hkl = Int32Array.from({ length: 30 }, () => g.integer(9) - 4);
      const kernel = structureFactorKernel(model.raw, hkl, lobato);
      const want = structureFactors(model.raw.structure, hkl, lobato);
      const got = kernel.values(model.raw.values);
      for (let i = 0; i < got.length; i++) expect(Math.abs(got[i]! - want[i]!), `${s.spaceGroup.hm} ${i}`).toBeLessThan(1e-9);
      if (n % 7 !== 0 && n > 3 && n !== 43) continue;
      const q = model.start,
        d = model.derivatives(q);
      const analytic = Array.from({ length: 10 }, () => new Float64Array(2 * q.length));
      kernel.gradients(model.rawAt(q), (i, re, im, dRe, dIm) => {
        expect(Math.hypot(re - got[2 * i]!, im - got[2 * i + 1]!)).toBeLessThan(1e-12);
        for (let j = 0; j < dRe.length; j++)
          for (let e = d.start[j]!; e < d.start[j + 1]!; e++) {
            analytic[i]![2 * d.column[e]!]! += dRe[j]! * d.value[e]!;
            analytic[i]![2 * d.column[e]! + 1]! += dIm[j]! * d.value[e]!;
          }
      });
      for (let k = 0; k < q.length; k++) {
        const step = 1e-6,
          at = (v: number) => kernel.values(model.rawAt(q.map((x, i) => (i === k ? x + v : x))));
        const up = at(step),
          down = at(-step);
        for (let i = 0; i < 20; i++)
          expect(
            Math.abs((up[i]! - down[i]!) / (2 * step) - analytic[Math.floor(i / 2)]![2 * k + (i % 2)]!),
            `${s.spaceGroup.hm} ${model.names[k]}`,
          ).toBeLessThan(3e-5 * (1 + Math.abs(analytic[Math.floor(i / 2)]![2 * k + (i % 2)]!)));
      }
    }
  });
  test("a structure that leaves its start keeps its symmetry: the raw vector of any q gives the F of structureFactors", () => {
    for (const n of [2, 14, 43, 62, 122, 167, 194, 227]) {
      const model = structureModel(sample(n)),
        g = rng(n);
      const q = model.start.map((v) => v + 0.004 * (g.uniform() - 0.5));
      const hkl = Int32Array.from({ length: 30 }, () => g.integer(9) - 4);
      const own = structureFactorKernel(model.raw, hkl, lobato).values(model.rawAt(q)),
        want = structureFactors(model.structureAt(q), hkl, lobato);
      own.forEach((v, i) => {
        expect(Math.abs(v - want[i]!)).toBeLessThan(1e-9);
      });
    }
  });
});

describe("constraints", () => {
  test("special positions, the floating origin and the names of what is free", () => {
    const s = structure(unitCell(18.3, 18.6, 6.6), spaceGroup("F d d 2"), [
      atom({ label: "Si1", element: "Si", xyz: [0, 0, 0], uAniso: [0.01, 0.02, 0.03, 0.001, 0.002, 0.003] }),
      atom({ label: "O1", element: "O", xyz: [0.07, 0.02, -0.14], uIso: 0.02 }),
    ]);
    const m = structureModel(s);
    expect(m.names).toEqual(["Si1.u11", "Si1.u22", "Si1.u33", "Si1.u12", "O1.x", "O1.y", "O1.z", "O1.u"]);
    expect(m.constraints.join("\n")).toMatch(/Si1 \(2\): 0,0,z; U11,U22,U33,U12,0,0[\s\S]*Si1.z holds the origin/);
    expect(structureModel(s, { fixed: ["O1.z"] }).names).toContain("Si1.z");
    expect(structureModel(structure(unitCell(5, 6, 7), spaceGroup("P 1"), s.atoms)).names.filter((n) => /[xyz]$/.test(n))).toEqual([
      "O1.x",
      "O1.y",
      "O1.z",
    ]);
    expect(() => structureModel(s, { fixed: ["Na9.x"] })).toThrow(/not-found/);
  });
  test("riding, equal displacements, shared sites", () => {
    const s = structure(unitCell(8, 9, 10, 90, 100), spaceGroup("P 21/c"), [
      atom({ label: "O1", element: "O", xyz: [0.1, 0.2, 0.3], uAniso: [0.02, 0.03, 0.04, 0, 0.005, 0] }),
      atom({ label: "H1", element: "H", xyz: [0.15, 0.25, 0.3], uIso: 0.03 }),
      atom({ label: "Na1", element: "Na", xyz: [0.6, 0.7, 0.8], uIso: 0.03, occupancy: 0.6 }),
      atom({ label: "K1", element: "K", xyz: [0.6, 0.7, 0.8], uIso: 0.03, occupancy: 0.4 }),
    ]);
    const m = structureModel(s, {
      riding: [{ atom: "H1", parent: "O1", factor: 1.2, position: true }],
      equalDisplacements: [["Na1", "K1"]],
      sharedSites: [{ atoms: ["Na1", "K1"], sum: 1 }],
      occupancies: ["Na1"],
      ties: ["x", "y", "z"].map((c) => ({ parameter: `K1.${c}`, terms: [[`Na1.${c}`, 1]] as const })),
    });
    expect(m.names).not.toContain("H1.x");
    const q = m.start.slice();
    q[m.names.indexOf("O1.x")]! += 0.01;
    q[m.names.indexOf("Na1.occupancy")] = 0.75;
    const at = m.structureAt(q);
    expect(at.atoms[1]!.xyz[0]).toBeCloseTo(0.16, 12);
    expect(at.atoms[1]!.uIso).toBeCloseTo(1.2 * at.atoms[0]!.uIso, 12);
    expect(at.atoms[3]!.occupancy).toBeCloseTo(0.25, 12);
    expect(at.atoms[3]!.xyz).toEqual(at.atoms[2]!.xyz);
  });
  test("a rigid group keeps its distances, and its derivatives are exact at a large turn", () => {
    const s = structure(unitCell(8, 9, 10, 85, 100, 95), spaceGroup("P -1"), [
      atom({ label: "C1", element: "C", xyz: [0.1, 0.2, 0.3], uIso: 0.02 }),
      atom({ label: "C2", element: "C", xyz: [0.2, 0.25, 0.3], uIso: 0.02 }),
      atom({ label: "C3", element: "C", xyz: [0.2, 0.35, 0.4], uIso: 0.02 }),
    ]);
    const m = structureModel(s, { groups: [["C1", "C2", "C3"]], displacements: "none" });
    expect(m.names).toEqual(["tx", "ty", "tz", "rx", "ry", "rz"].map((k) => `group C1.${k}`));
    for (const q of [Float64Array.of(0, 0, 0, 0, 0, 0), Float64Array.of(0.3, -0.2, 0.1, 1.1, -0.7, 0.4)]) {
      const d = m.derivatives(q);
      for (let k = 0; k < 6; k++) {
        const move = (v: number) => m.rawAt(q.map((x, i) => (i === k ? x + v : x)));
        const up = move(1e-5),
          down = move(-1e-5);
        for (let i = 0; i < up.length; i++) {
          let v = 0;
          for (let e = d.start[i]!; e < d.start[i + 1]!; e++) if (d.column[e] === k) v += d.value[e]!;
          expect(Math.abs((up[i]! - down[i]!) / 2e-5 - v)).toBeLessThan(1e-9);
        }
      }
    }
    const moved = m.structureAt([0.3, -0.2, 0.1, 1.1, -0.7, 0.4]);
    const rows = (x: Structure) =>
      restraintSet(structureModel(x).raw, [{ kind: "distance", atoms: ["C1", "C3"], target: 0, sigma: 1 }]).rows(
        structureModel(x).raw.values,
      )[0]!.residual;
    expect(rows(moved)).toBeCloseTo(rows(s), 10);
  });
  test("a tensor that is not positive definite starts isotropic, by name", () => {
    const s = structure(unitCell(8, 9, 10), spaceGroup("P 1"), [
      atom({ label: "O7", element: "O", xyz: [0.1, 0.2, 0.3], uAniso: [0.02, -0.03, 0.04, 0, 0, 0] }),
    ]);
    const m = structureModel(s);
    expect(m.warnings[0]).toMatch(/O7 is not positive definite/);
    expect(m.raw.structure.atoms[0]!.uAniso![1]).toBeGreaterThan(0);
  });
});

test("restraints: values and derivatives of distances (symmetry too), angles and similar displacements", () => {
  const s = structure(unitCell(8, 9, 10, 85, 100, 95), spaceGroup("P -1"), [
    atom({ label: "C1", element: "C", xyz: [0.1, 0.2, 0.3], uAniso: [0.02, 0.03, 0.04, 0.001, 0.002, 0.003] }),
    atom({ label: "C2", element: "C", xyz: [0.2, 0.25, 0.3], uIso: 0.02 }),
    atom({ label: "C3", element: "C", xyz: [0.2, 0.35, 0.4], uIso: 0.02 }),
  ]);
  const { raw } = structureModel(s);
  const set = restraintSet(raw, [
    { kind: "distance", atoms: ["C1", { atom: "C2", op: "-x,-y,-z+1" }], target: 1, sigma: 0.02 },
    { kind: "angle", atoms: ["C1", "C2", "C3"], targetDeg: 109.5, sigmaDeg: 2 },
    { kind: "similar-displacements", atoms: ["C1", "C2"], sigma: 0.01 },
  ]);
  expect(set.count).toBe(8);
  const x = raw.values,
    rows = set.rows(x);
  for (let k = 0; k < x.length; k++) {
    const at = (v: number) => set.rows(x.map((y, i) => (i === k ? y + v : y)));
    const up = at(1e-6),
      down = at(-1e-6);
    rows.forEach((r, i) => {
      const own = r.terms.reduce((sum, [j, c]) => sum + (j === k ? c : 0), 0);
      expect(Math.abs((up[i]!.residual - down[i]!.residual) / 2e-6 - own)).toBeLessThan(1e-4 * (1 + Math.abs(own)));
    });
  }
  expect(() => restraintSet(raw, [{ kind: "distance", atoms: ["C1", "C2"], target: 1, sigma: 0 }])).toThrow(/bad-value/);
});
