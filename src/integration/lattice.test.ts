import { describe, expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { type Rng, rng } from "../core/rng.js";
import { cellParameters, unitCell } from "../geometry/cell.js";
import { cellFromUB } from "../geometry/metric.js";
import { niggliCell } from "../geometry/niggli.js";
import { simulatePeaks, testCells } from "../testing/peaks.js";
import { fc, prop } from "../testing/prop.js";
import { joinOrientation, splitOrientation } from "./constraints.js";
import { differenceVectors } from "./difference-vectors.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import { withUncertainty } from "./indexing-summary.js";
import { findLattice, reduceOrientation } from "./lattice.js";
import { peakTable } from "./peak-table.js";
import { peaks3d } from "./peaks3d.js";
import { tiltAxisSteps } from "./tilt-axis.js";
import { centreFromPairs } from "./tilt-axis-centre.js";

/** Points of a lattice inside a double wedge, a fraction of them missing, with noise and outliers. */
function cloud(ub: Orientation, r: Rng, { noise = 0.002, missing = 0.5, outliers = 0.15, far = 0.9 } = {}): Float64Array {
  const out: number[] = [];
  for (let h = -14; h <= 14; h++)
    for (let k = -14; k <= 14; k++)
      for (let l = -14; l <= 14; l++) {
        const v = [0, 3, 6].map((i) => ub[i as 0] * h + ub[(i + 1) as 1] * k + ub[(i + 2) as 2] * l);
        const g = Math.hypot(v[0]!, v[1]!, v[2]!);
        if (g === 0 || g > far || Math.abs(v[2]!) > 1.2 * Math.abs(v[1]!) || r.uniform() < missing) continue;
        out.push(...v.map((x) => x + noise * r.normal()));
      }
  const false_ = Math.round((outliers * out.length) / 3);
  for (let i = 0; i < false_; i++) out.push(...[0, 1, 2].map(() => far * (2 * r.uniform() - 1)));
  const order = Array.from({ length: out.length / 3 }, (_, i) => ({ i, key: r.uniform() })).sort((a, b) => a.key - b.key);
  return Float64Array.from(order.flatMap(({ i }) => out.slice(3 * i, 3 * i + 3)));
}

const length = fc.double({ min: 4, max: 14, noNaN: true }),
  angle = fc.double({ min: 75, max: 105, noNaN: true });
prop(
  "the lattice of a noisy, incomplete cloud with outliers is found, whatever the cell",
  [length, length, length, angle, angle, angle, fc.integer({ min: 1, max: 1e6 })],
  (a, b, c, al, be, ga, seed) => {
    const cell = unitCell(a, b, c, al, be, ga);
    const r = rng(seed);
    const turn = splitOrientation(
      [r.normal(), r.normal(), r.normal(), r.normal(), r.normal(), r.normal(), r.normal(), r.normal(), r.normal()],
      unitCell(1, 1, 1),
    );
    const points = cloud(joinOrientation(turn, cell), r);
    if (points.length < 3 * 60) return;
    const found = findLattice(points, differenceVectors(points))!;
    expect(found.volume / cell.volume).toBeCloseTo(1, 1);
    const want = cellParameters(niggliCell(cell).cell),
      got = cellParameters(cellFromUB(found.ub));
    for (let i = 0; i < 3; i++) expect(Math.abs(got[i]! / want[i]! - 1)).toBeLessThan(0.01);
    expect(indexVectors(points, found.ub).fraction).toBeGreaterThan(0.8);
  },
  { runs: 25 },
);

test("the same lattice on another basis reduces to the same cell", () => {
  const ub = joinOrientation(splitOrientation([1, 0, 0, 0, 1, 0, 0, 0, 1], unitCell(1, 1, 1)), unitCell(...testCells.triclinic));
  const other: Orientation = [0, 3, 6].flatMap((i) => [
    ub[i as 0] + ub[(i + 1) as 1],
    ub[(i + 1) as 1],
    ub[(i + 2) as 2] - ub[(i + 1) as 1],
  ]) as unknown as Orientation;
  const a = cellParameters(cellFromUB(reduceOrientation(ub))),
    b = cellParameters(cellFromUB(reduceOrientation(other)));
  for (let i = 0; i < 6; i++) expect(a[i]).toBeCloseTo(b[i]!, 9);
});

describe("3-D maxima", () => {
  test("chains, gaps, neighbours and valleys", () => {
    const rows = [
      ...[0, 1, 2, 3].map((f) => [f, 100 + 0.3 * f, 50, [1, 5, 4, 1][f]!]), // one rocking curve
      ...[0, 2].map((f) => [f, 200, 50, 3]), // a gap of one frame
      ...[0, 3].map((f) => [f, 300, 50, 3]), // a gap of two: separate
      ...[0, 1].map((f) => [f, 105, 50, 2]), // a neighbour 5 px away
      ...[10, 11, 12, 13, 14, 15, 16].map((f, i) => [f, 400, 50, [2, 9, 3, 0.5, 3, 8, 2][i]!]), // two maxima on one chain
    ];
    const c = (k: number): number[] => rows.map((r) => r[k]!);
    const m = peaks3d(peakTable({ frame: c(0), px: c(1), py: c(2), intensity: c(3), alphaDeg: c(0).map((f) => 0.5 * f) }));
    expect(m.size).toBe(7);
    const first = m.member[0]!;
    expect(m.spots[first]).toBe(4);
    expect(m.frame[first]).toBeCloseTo((5 + 8 + 3) / 11, 12);
    expect(m.alphaDeg[first]).toBeCloseTo((0.5 * 16) / 11, 12);
    expect(m.truncated[first]).toBe(1);
    expect(m.intensity.reduce((a, b) => a + b)).toBeCloseTo(
      c(3).reduce((a, b) => a + b),
      12,
    );
  });
  test("order of the spots does not matter", () => {
    const s = simulatePeaks({ cell: testCells.cubic, rng: rng("order"), fromDeg: -10, toDeg: 10 }).peaks;
    const back = Array.from({ length: s.size }, (_, i) => s.size - 1 - i);
    const pick = (v: ArrayLike<number>): number[] => back.map((i) => v[i]!);
    const t = peakTable({ frame: pick(s.frame), px: pick(s.px), py: pick(s.py), intensity: pick(s.intensity), alphaDeg: pick(s.alphaDeg) });
    const a = peaks3d(s),
      b = peaks3d(t);
    expect(b.size).toBe(a.size);
    expect([...b.intensity].map((v) => v.toFixed(6))).toEqual([...a.intensity].map((v) => v.toFixed(6)));
  });
});

test("centre and axis of a sparse series, with the search curve", () => {
  const s = simulatePeaks({ cell: testCells.orthorhombic, rng: rng("axis"), omegaDeg: 305, outliers: 0.1 });
  const maxima = peaks3d(s.peaks);
  const centre = centreFromPairs(maxima);
  expect(
    Math.hypot(centre.centrePx[0] - s.instrument.detector.centrePx[0], centre.centrePx[1] - s.instrument.detector.centrePx[1]),
  ).toBeLessThan(0.2);
  expect(centre.weight).toBeGreaterThan(1.5 * centre.runnerUp);
  const axis = runSync(tiltAxisSteps(maxima, s.instrument));
  expect(Math.abs(axis.omegaDeg - 305)).toBeLessThan(0.2);
  expect(axis.coarse.omegaDeg.length).toBe(360);
  expect(axis.significance).toBeGreaterThan(5);
  const k = axis.coarse.sharpness.indexOf(Math.max(...axis.coarse.sharpness));
  expect(Math.abs(((axis.coarse.omegaDeg[k]! - 305 + 540) % 360) - 180)).toBeLessThanOrEqual(1);
});

test("uncertainties are written as crystallographers write them", () => {
  expect(withUncertainty(4.92566, 0.00059)).toBe("4.9257(6)");
  expect(withUncertainty(91.1514, 0.0186)).toBe("91.151(19)");
  expect(withUncertainty(90, 0)).toBe("90");
});
