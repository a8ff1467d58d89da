import { describe, expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { type Atom, atom, type Structure, structure } from "../geometry/structure.js";
import { blochKernels } from "../kernels/bloch.js";
import { arena } from "../kernels/memory.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import { type FormFactorSource, neutralFactor } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import { maxRelative } from "../testing/close.js";
import { adjointSolution, type MatrixGradient } from "./adjoint.js";
import { beamPool, selectBeams } from "./beams.js";
import { type BlochJacobian, blochGradient, blochJacobian, tiltDirection } from "./derivatives.js";
import { differenceIndex } from "./differences.js";
import { incidence, incidenceOnZone } from "./incidence.js";
import { type Absorption, crystalPotential } from "./potential.js";
import type { CrystalParameter } from "./potential-derivatives.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { type ThicknessNodes, thicknessNodes } from "./thickness.js";
import { blochIntensities } from "./waves.js";

const b = beam(200);
const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 32 2 1"), [
  atom({ element: "Si", xyz: [0.4697, 0, 2 / 3], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.4133, 0.2672, 0.7855], uAniso: [0.012, 0.009, 0.011, 0.006, 0.002, 0.001] }),
]);
const rutile = structure(unitCell(4.594, 4.594, 2.959), spaceGroup("P 42/m n m"), [
  atom({ element: "Ti", xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.3049, 0.3049, 0], uIso: 0.009, occupancy: 0.95 }),
]);
const bump = (s: number): number => Math.exp(-2 * s * s);
const bumped =
  (e: number): FormFactorSource =>
  (element) =>
    element === "O" ? neutralFactor("O", "test", 10, (s) => lobato("O").f(s) + e * bump(s)) : lobato(element);

interface Setup {
  readonly s: Structure;
  readonly absorption?: Absorption;
  readonly factors?: FormFactorSource;
  readonly turn?: number;
  readonly scaleT?: number;
}
const gMax = 1.3;
const nodes = (kind: "plate" | "wedge", scale = 1): ThicknessNodes => thicknessNodes({ kind }, 420 * scale, 30, 30);
const beams = (s: Structure): Int32Array =>
  selectBeams(beamPool(s.cell, s.spaceGroup, gMax), incidenceOnZone(s.cell, b, [3, 1, 5], [0.3, 0.1, -0.2]), { sMax: 0.02 }).strong;
function matrixOf({ s, absorption, factors, turn = 0 }: Setup, hkl: Int32Array, axis: readonly [number, number, number]) {
  const inc = incidenceOnZone(s.cell, b, [3, 1, 5], [0.3, 0.1, -0.2]);
  const potential = crystalPotential(s, b, { reach: 2 * gMax, absorption, factors });
  const d = tiltDirection({ potential }, inc, axis),
    d2 = tiltDirection({ potential }, { ...inc, k: d }, axis);
  // rotation to second order is enough for central differences
  const k = inc.k.map((x, i) => x + turn * d[i]! + 0.5 * turn * turn * d2[i]!) as unknown as readonly [number, number, number];
  return structureMatrix(potential, hkl, incidence(s.cell, k, inc.normal));
}
function average(m: ReturnType<typeof matrixOf>, { t, weights }: ThicknessNodes): Float64Array {
  const I = blochIntensities(propagate(m, t)),
    out = new Float64Array(m.size);
  weights.forEach((w, k) => {
    for (let g = 0; g < m.size; g++) out[g]! += w * I[k * m.size + g]!;
  });
  return out;
}
/** Sixth-order central differences. */
function difference(f: (e: number) => Float64Array, h: number): Float64Array {
  const [a, c, d, e, p, q] = [-3, -2, -1, 1, 2, 3].map((k) => f(k * h)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  return a.map((_, i) => (-a[i]! + 9 * c[i]! - 45 * d[i]! + 45 * e[i]! - 9 * p[i]! + q[i]!) / (60 * h));
}
const moved = (s: Structure, at: number, change: (a: Atom) => Partial<Atom>): Structure =>
  structure(
    s.cell,
    s.spaceGroup,
    s.atoms.map((a, i) => (i === at ? { ...a, ...change(a) } : a)),
  );
const column = (J: BlochJacobian, j: number, count: number): Float64Array => J.intensities.map((_, r) => J.parameters[r * count + j]!);
const expectClose = (ours: Float64Array, theirs: Float64Array, name: string): void => {
  const scale = theirs.reduce((m, x) => Math.max(m, Math.abs(x)), 0);
  expect(scale, name).toBeGreaterThan(0);
  ours.forEach((x, i) => {
    expect(Math.abs(x - theirs[i]!) / scale, `${name} ${i}`).toBeLessThan(2e-8);
  });
};

describe.each([
  ["quartz, wedge", quartz, "wedge", undefined],
  ["quartz with absorption, plate", quartz, "plate", { kind: "factors", source: thomasAbsorptive(b) }],
  ["quartz with proportional absorption", quartz, "wedge", { kind: "ratio", ratio: 0.05 }],
  ["rutile, real, wedge", rutile, "wedge", undefined],
] as const)("%s", (_, s, kind, absorption) => {
  const hkl = beams(s),
    axis = [0, 0, 1 / s.cell.c] as const;
  const base = matrixOf({ s, absorption }, hkl, axis);
  const parameters: CrystalParameter[] = [
    { kind: "x", atom: 1 },
    { kind: "occupancy", atom: 1 },
    { kind: "uIso", atom: 0 },
    { kind: "form", element: "O", derivative: bump },
  ];
  const changes: [(e: number) => Setup, number][] = [
    [(e) => ({ s: moved(s, 1, ({ xyz: [x, y, z] }) => ({ xyz: [x + e, s === rutile ? y + e : y, z] })), absorption }), 2e-4],
    [(e) => ({ s: moved(s, 1, (a) => ({ occupancy: a.occupancy - 0.03 + e })), absorption }), 1e-3],
    [(e) => ({ s: moved(s, 0, (a) => ({ uIso: a.uIso + e })), absorption }), 1e-4],
    [(e) => ({ s, absorption, factors: bumped(e) }), 1e-3],
  ];
  if (s === quartz) {
    parameters.push({ kind: "y", atom: 1 }, { kind: "u12", atom: 1 }, { kind: "u33", atom: 1 });
    changes.push(
      [(e) => ({ s: moved(s, 1, ({ xyz: [x, y, z] }) => ({ xyz: [x, y + e, z] })), absorption }), 2e-4],
      [(e) => ({ s: moved(s, 1, ({ uAniso: u }) => ({ uAniso: [u![0], u![1], u![2], u![3] + e, u![4], u![5]] })), absorption }), 1e-4],
      [(e) => ({ s: moved(s, 1, ({ uAniso: u }) => ({ uAniso: [u![0], u![1], u![2] + e, u![3], u![4], u![5]] })), absorption }), 1e-4],
    );
  }
  test("Jacobian against finite differences", () => {
    const J = blochJacobian(base, nodes(kind), s, parameters, { absorption });
    changes.forEach(([make, h], j) => {
      // the occupancy moves below 1, where the structure allows it
      const at = parameters[j]!.kind === "occupancy" ? matrixOf(make(0), hkl, axis) : base;
      const own = at === base ? J : blochJacobian(at, nodes(kind), make(0).s, parameters, { absorption });
      let ours = column(own, j, parameters.length);
      if (s === rutile && parameters[j]!.kind === "x") {
        const both = blochJacobian(base, nodes(kind), s, [
          { kind: "x", atom: 1 },
          { kind: "y", atom: 1 },
        ]);
        ours = both.intensities.map((_, r) => both.parameters[2 * r]! + both.parameters[2 * r + 1]!);
      }
      expectClose(
        ours,
        difference((e) => average(matrixOf(make(e), hkl, axis), nodes(kind)), h),
        parameters[j]!.kind,
      );
    });
    expectClose(
      J.logThickness,
      difference((e) => average(base, nodes(kind, 1 + e)), 1e-3),
      "thickness",
    );
    const d = tiltDirection(base, base.incidence, axis);
    const tilt = J.intensities.map((_, r) => d[0] * J.k[3 * r]! + d[1] * J.k[3 * r + 1]! + d[2] * J.k[3 * r + 2]!);
    expectClose(
      tilt,
      difference((e) => average(matrixOf({ s, absorption, turn: e }, hkl, axis), nodes(kind)), 2e-6),
      "tilt",
    );
  });
  test("the adjoint gradient is the weighted sum of the rows", () => {
    const J = blochJacobian(base, nodes(kind), s, parameters, { absorption });
    const c = Float64Array.from({ length: base.size }, (_, i) => Math.cos(3 * i));
    const G = blochGradient(base, nodes(kind), s, parameters, c, { absorption });
    const sum = (f: (r: number) => number): number => c.reduce((t, w, r) => t + w * f(r), 0);
    parameters.forEach((_, j) => {
      expect(G.parameters[j]!).toBeCloseTo(
        sum((r) => J.parameters[r * parameters.length + j]!),
        10,
      );
    });
    expect(G.logThickness).toBeCloseTo(
      sum((r) => J.logThickness[r]!),
      10,
    );
    for (let i = 0; i < 3; i++)
      expect(G.k[i]!).toBeCloseTo(
        sum((r) => J.k[3 * r + i]!),
        8,
      );
  });
});

test.each([
  ["complex", quartz, undefined],
  ["absorbing", quartz, { kind: "factors", source: thomasAbsorptive(b) }],
  ["real", rutile, undefined],
] as const)("the TypeScript kernels give the same gradient: %s", (_, s, absorption) => {
  const m = matrixOf({ s, absorption }, beams(s), [0, 0, 1 / s.cell.c]),
    index = differenceIndex(m.potential, [m.hkl]);
  const c = Float64Array.from({ length: m.size }, (_, i) => Math.sin(i + 1));
  const [js, wasm] = (["js", "wasm"] as const).map((backend) => {
    const a = adjointSolution(m, nodes("wedge"), index, blochKernels(arena(), backend));
    const g = a.pull(c);
    a.free();
    return g;
  }) as [MatrixGradient, MatrixGradient];
  expect(maxRelative(js.u, wasm.u)).toBeLessThan(1e-11);
  expect(maxRelative(js.twoKs, wasm.twoKs)).toBeLessThan(1e-11);
  expect(js.kn).toBeCloseTo(wasm.kn, 10);
});

test("an inversion that single atoms can break is refused", () => {
  const p1 = structure(unitCell(4, 4, 4), spaceGroup("P 1"), [
    atom({ element: "Fe", xyz: [0, 0, 0] }),
    atom({ element: "Al", xyz: [0.5, 0.5, 0.5] }),
  ]);
  const potential = crystalPotential(p1, b, { reach: 2 });
  expect(potential.real).toBe(true);
  const m = structureMatrix(potential, Int32Array.of(0, 0, 0, 1, 0, 0), incidenceOnZone(p1.cell, b, [0, 0, 1]));
  expect(() => blochJacobian(m, nodes("plate"), p1, [{ kind: "x", atom: 1 }])).toThrow("useInversion");
});
