import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { arena } from "../kernels/memory.js";
import { blobs } from "../testing/tomography.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { projector } from "./project.js";

const g = rng(7);
const random = (n: number): Float64Array => Float64Array.from({ length: n }, () => g.normal());
const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
};
const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
};
const randomPoses = (n: number): Float64Array => {
  const out = new Float64Array(9 * n);
  for (let p = 0; p < n; p++) out.set(randomRotation(g), 9 * p);
  return out;
};
const cases = {
  "random poses": { poses: randomPoses(7), volume: [11, 14, 9], detector: [13, 16] },
  "nearly one axis": {
    poses: posesFromEuler([0.4, -60, 0.3, -0.2, 11, 0.5, 0.3, 70, -0.6], "ZYX"),
    volume: [20, 22, 18],
    detector: [22, 17],
  },
  "about y": { poses: posesFromTilts([-70, -31, 0, 12, 45, 69]), volume: [12, 45, 17], detector: [45, 17] },
  "about x": { poses: posesFromTilts([-70, -31, 0, 12, 45, 69], { axisDeg: 0 }), volume: [12, 15, 37], detector: [15, 37] },
  "about y, wider than the views": { poses: posesFromTilts([-60, 10, 65]), volume: [16, 9, 40], detector: [9, 20] },
} as const;

test.each(Object.entries(cases))("⟨A x, y⟩ = ⟨x, Aᵀ y⟩: %s", (_, { poses, volume, detector }) => {
  const views = poses.length / 9;
  const x = random(volume[0] * volume[1] * volume[2]),
    y = random(views * detector[0] * detector[1]);
  const shifts = poses === cases["random poses"].poses ? random(2 * views) : undefined;
  const exact = projector({ poses, volume, detector, shifts, type: "f64" });
  const ax = exact.forward(x),
    aty = exact.adjoint(y);
  expect(Math.abs(dot(ax, y) - dot(x, aty)) / (Math.sqrt(dot(ax, ax) * dot(y, y)) || 1)).toBeLessThan(1e-12);
  exact.free();
  // The kernels in single precision are the same operator.
  for (const kernels of ["wasm", "js"] as const) {
    const p = projector({ poses, volume, detector, shifts, kernels });
    const [f, b] = [p.forward(x), p.adjoint(y)];
    const scale = Math.sqrt(dot(ax, ax) / ax.length);
    expect(largest(f, ax)).toBeLessThan(1e-5 * scale);
    expect(largest(b, aty)).toBeLessThan(1e-5 * scale);
    p.free();
  }
});

test("the two paths are one operator; a pose out of the axis by nothing but rounding takes the fast one", () => {
  const volume = [10, 12, 14] as const,
    x = random(10 * 12 * 14);
  const tilts = posesFromTilts([-50, 3, 61]);
  const fast = projector({ poses: tilts, volume, type: "f64" });
  const slow = projector({ poses: tilts, volume, type: "f64", shifts: [0, 1e-7, 0, 1e-7, 0, 1e-7] });
  expect([fast.singleAxis, slow.singleAxis]).toEqual([true, false]);
  const [a, b] = [fast.forward(x), slow.forward(x)];
  expect(largest(a, b)).toBeLessThan(1e-5);
  expect(projector({ poses: posesFromEuler([0, 33, 0, 0, -20, 0], "ZYZ"), volume }).singleAxis).toBe(true);
});

/** A Gaussian of σ 1.5 at (z, y, x) from the centre. */
const blobAt = (shape: readonly [number, number, number], z: number, y: number, x: number) => blobs(shape, [[z, y, x, 1, 1.5]]);
/** Centroid of view k from the centre. */
const centroid = (stack: ArrayLike<number>, ny: number, nx: number, k: number): [number, number] => {
  let sx = 0,
    sy = 0,
    sum = 0;
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const v = stack[(k * ny + y) * nx + x]!;
      sum += v;
      sx += v * (x - Math.floor(nx / 2));
      sy += v * (y - Math.floor(ny / 2));
    }
  return [sx / sum, sy / sum];
};

test.each([
  [27, 27, 27],
  [28, 28, 28],
  [26, 27, 30],
  [25, 28, 33],
])("a symmetric object at the centre stays at the centre of every view: %i × %i × %i", (nz, ny, nx) => {
  const x = blobAt([nz, ny, nx], 0, 0, 0);
  for (const poses of [randomPoses(4), posesFromTilts([0, 90, 180, 33]), posesFromTilts([0, 77], { axisDeg: 0 })]) {
    const p = projector({ volume: [nz, ny, nx], poses, type: "f64" });
    const views = p.forward(x);
    for (let k = 0; k < p.views; k++) for (const c of centroid(views, ny, nx, k)) expect(Math.abs(c)).toBeLessThan(1e-9);
    p.free();
  }
});

test("the definition: u = x cos θ − z sin θ, v = y for a tilt about y; (u, v) of Rᵀ r in general", () => {
  const n = 40,
    volume = [n, n, n] as const,
    x = blobAt(volume, 4, 5, 6);
  const tilt = projector({ volume, poses: posesFromTilts([30]), type: "f64" });
  const [u, v] = centroid(tilt.forward(x), n, n, 0);
  expect(u).toBeCloseTo(6 * Math.cos(Math.PI / 6) - 4 * Math.sin(Math.PI / 6), 2);
  expect(v).toBeCloseTo(5, 6);
  const poses = posesFromEuler([20, 30, -40], "ZYX");
  const any = projector({ volume, poses, shifts: [0.25, -1.5], type: "f64" });
  const [a, b] = centroid(any.forward(x), n, n, 0);
  expect(a).toBeCloseTo(poses[0]! * 6 + poses[3]! * 5 + poses[6]! * 4 + 0.25, 2);
  expect(b).toBeCloseTo(poses[1]! * 6 + poses[4]! * 5 + poses[7]! * 4 - 1.5, 2);
});

test("line integrals of a Gaussian: √(2π)·σ·exp(−d²/2σ²) at any tilt; a slab stays uniform at 45°", () => {
  const n = 36,
    volume = [n, n, n] as const,
    tilts = [-67, -45, -20, 0, 45, 71];
  const x = blobs(volume, [[0, 0, 0, 1, 2.5]]);
  const p = projector({ volume, poses: posesFromTilts(tilts), type: "f64" });
  const views = p.forward(x);
  for (let k = 0; k < tilts.length; k++)
    for (let d = -5; d <= 5; d++)
      expect(Math.abs(views[(k * n + 18) * n + 18 + d]! / (Math.sqrt(2 * Math.PI) * 2.5) - Math.exp((-d * d) / 12.5))).toBeLessThan(0.02);
  const slab = new Float64Array(n ** 3).map((_, i) => (Math.abs(Math.floor(i / (n * n)) - 18) <= 3 ? 1 : 0));
  const through = p.forward(slab);
  for (let d = -3; d <= 3; d++) expect(through[(4 * n + 18) * n + 18 + d]!).toBeCloseTo(7 * Math.SQRT2, 9);
  p.free();
});

test("memory comes back, and bad shapes are named", () => {
  const memory = arena();
  const before = memory.alloc(64);
  memory.free(before);
  const p = projector({ volume: [8, 8, 8], poses: posesFromTilts([0, 10]), arena: memory });
  expect(() => p.forward(new Float32Array(7))).toThrow(/bad-shape.*8, 8, 8/s);
  expect(() => p.adjoint(new Float32Array(64))).toThrow(/\[2, 8, 8\]/);
  p.free();
  expect(memory.alloc(64)).toBe(before);
  expect(() => projector({ volume: [8, 0, 8], poses: posesFromTilts([0]) })).toThrow(/bad-shape/);
  expect(() => posesFromTilts([0, Number.NaN])).toThrow(/bad-value.*view/s);
  expect(() => posesFromEuler([1, 2], "ZYZ")).toThrow(/bad-shape/);
});
