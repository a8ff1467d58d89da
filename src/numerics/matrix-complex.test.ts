import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { denseKernels } from "../kernels/dense.js";
import { arena } from "../kernels/memory.js";
import { fc, prop } from "../testing/prop.js";
import { complexCholesky, complexCholeskySolve } from "./cholesky-complex.js";
import { hermitianEigen } from "./eigen-hermitian.js";
import { expm } from "./expm.js";
import { complexDeterminant, complexLu, complexLuSolve, complexSolve } from "./lu-complex.js";
import { adjoint, type ComplexMatrix, complexMatrix, complexMultiply } from "./matrix.js";
import { complexSvd } from "./svd-complex.js";

const memory = arena();
const backends = { wasm: denseKernels(memory, "wasm"), js: denseKernels(memory, "js") };
function random(rows: number, cols: number, seed: number | string, scale: (i: number, j: number) => number = () => 1): ComplexMatrix {
  const g = rng(seed);
  return complexMatrix(
    rows,
    cols,
    Float64Array.from({ length: 2 * rows * cols }, (_, k) => g.normal() * scale(Math.floor(k / 2 / cols), (k >> 1) % cols)),
  );
}
function diagonal(values: ArrayLike<number>): ComplexMatrix {
  const n = values.length,
    m = complexMatrix(n, n);
  for (let i = 0; i < n; i++) m.data[2 * (i * n + i)] = values[i]!;
  return m;
}
const unit = (n: number): ComplexMatrix => diagonal(new Float64Array(n).fill(1));
const maxOf = (a: ComplexMatrix): number => a.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
const difference = (a: ComplexMatrix, b: ComplexMatrix): number => {
  expect([a.rows, a.cols]).toEqual([b.rows, b.cols]);
  return a.data.reduce((m, v, i) => Math.max(m, Math.abs(v - b.data[i]!)), 0);
};
const code = (f: () => unknown): string => {
  try {
    f();
    return "none";
  } catch (e) {
    return isSdkError(e) ? `${e.code} ${JSON.stringify(e.details)}` : String(e);
  }
};
const sizes = [0, 1, 2, 7, 8, 9, 16, 17, 31, 40, 75];

describe.each(["wasm", "js"] as const)("%s", (name) => {
  const options = { kernels: backends[name] };
  test.each(sizes)("LU, n = %d: PA = LU with |L| <= √2, and the solution of AX = B", (n) => {
    const a = random(n, n, n),
      x = random(n, 3, "x");
    const lu = complexLu(a, options);
    const l = unit(n),
      u = complexMatrix(n, n),
      pa = complexMatrix(n, n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) (j < i ? l : u).data.set(lu.factors.subarray(2 * (i * n + j), 2 * (i * n + j) + 2), 2 * (i * n + j));
      pa.data.set(a.data.subarray(2 * lu.pivots[i]! * n, 2 * (lu.pivots[i]! + 1) * n), 2 * i * n);
      for (let j = 0; j < i; j++)
        expect(Math.hypot(l.data[2 * (i * n + j)]!, l.data[2 * (i * n + j) + 1]!)).toBeLessThanOrEqual(Math.SQRT2 + 1e-12);
    }
    expect(difference(complexMultiply(l, u), pa)).toBeLessThan(1e-13 * Math.max(1, n / 10));
    expect(difference(complexMultiply(a, complexLuSolve(lu, complexMultiply(a, x), options)), complexMultiply(a, x))).toBeLessThan(1e-11);
  });
  test.each(sizes)("Cholesky, n = %d: A = LLᴴ and the solution", (n) => {
    const b = random(n, n + 2, n),
      a = complexMultiply(b, adjoint(b));
    const l = complexCholesky(a, options);
    expect(difference(complexMultiply(l, adjoint(l)), a)).toBeLessThan(1e-14 * Math.max(1, maxOf(a)) * 4);
    const y = random(n, 2, "y");
    expect(difference(complexMultiply(a, complexCholeskySolve(l, y, options)), y)).toBeLessThan(1e-10);
  });
  test.each([
    [0, 0],
    [1, 1],
    [5, 5],
    [9, 4],
    [4, 9],
    [40, 33],
    [33, 60],
  ])("SVD %d × %d: A = USVᴴ, orthonormal factors, descending values", (m, n) => {
    const a = random(m, n, `${m},${n}`);
    const { u, values, v } = complexSvd(a, options);
    expect(difference(complexMultiply(complexMultiply(u, diagonal(values)), adjoint(v)), a)).toBeLessThan(1e-13);
    expect(difference(complexMultiply(adjoint(u), u), unit(values.length))).toBeLessThan(1e-13);
    expect(difference(complexMultiply(adjoint(v), v), unit(values.length))).toBeLessThan(1e-13);
    expect([...values]).toEqual([...values].sort((x, y) => y - x));
  });
  test("expm of i·Hermitian is V exp(iΛ) Vᴴ, at every degree and with squarings", () => {
    for (const size of [1e-3, 0.02, 0.1, 0.4, 1, 8]) {
      const n = 20,
        b = random(n, n, size),
        h = complexMatrix(n, n);
      adjoint(b).data.forEach((v, k) => {
        h.data[k] = ((v + b.data[k]!) * size) / 4;
      });
      const ih = complexMatrix(
        n,
        n,
        h.data.map((_, k) => (k % 2 ? h.data[k - 1]! : -h.data[k + 1]!)),
      );
      const { values, vectors } = hermitianEigen(h, options);
      const phases = complexMatrix(n, n);
      values.forEach((w, k) => {
        phases.data.set([Math.cos(w), Math.sin(w)], 2 * (k * n + k));
      });
      const want = complexMultiply(complexMultiply(vectors, phases), adjoint(vectors));
      expect(difference(expm(ih, options), want)).toBeLessThan(2e-13);
    }
  });
});

test("SVD keeps small singular values to high relative accuracy, and handles rank deficiency, zeros and 1e±200", () => {
  // Columns scaled over 20 orders: A = Q·D with orthonormal Q has singular values D exactly.
  const { vectors: q } = hermitianEigen(complexMultiply(random(12, 12, 3), adjoint(random(12, 12, 3))));
  const d = Array.from({ length: 12 }, (_, k) => 10 ** (-2 * k));
  const { values } = complexSvd(complexMultiply(q, diagonal(d)));
  values.forEach((s, k) => {
    expect(Math.abs(s / d[k]! - 1)).toBeLessThan(1e-12);
  });
  const low = complexMultiply(random(15, 3, 1), random(3, 10, 2));
  for (const a of [low, complexMatrix(6, 4), random(8, 5, "big", () => 1e200), random(8, 5, "small", () => 1e-200)]) {
    const { u, values: s, v } = complexSvd(a);
    expect(difference(complexMultiply(complexMultiply(u, diagonal(s)), adjoint(v)), a)).toBeLessThanOrEqual(1e-13 * maxOf(a) * 10);
    expect(difference(complexMultiply(adjoint(u), u), unit(s.length))).toBeLessThan(1e-13);
  }
  expect(complexSvd(low).values.filter((s) => s > 1e-12)).toHaveLength(3);
});

prop("LU of a permuted, badly scaled matrix: determinant and residual", [fc.integer({ min: 1, max: 30 }), fc.integer()], (n, seed) => {
  const a = random(n, n, seed, (i) => 10 ** ((i % 5) - 2));
  const [re, im] = complexDeterminant(complexLu(a));
  const { values } = complexSvd(a);
  const product = values.reduce((p, s) => p * s, 1);
  expect(Math.hypot(re, im) / product).toBeCloseTo(1, 9);
  const x = complexSolve(a, unit(n));
  expect(difference(complexMultiply(a, x), unit(n))).toBeLessThan(1e-12 * (values[0]! / values[n - 1]!) + 1e-11);
});

test("expm: nilpotent exactly, triangular overscaled (the classic trap), diagonal", () => {
  const nil = complexMatrix(3, 3);
  nil.data.set([1, 2], 2);
  nil.data.set([3, -1], 10);
  const e = expm(nil);
  expect(e.data[4]).toBeCloseTo((3 + 2) / 2, 13); // (1 + 2i)(3 − i)/2
  expect(e.data[5]).toBeCloseTo((6 - 1) / 2, 13);
  const trap = expm(complexMatrix(2, 2, [1, 0, 1e6, 0, 0, 0, -1, 0]));
  expect(trap.data[0]).toBeCloseTo(Math.E, 8);
  expect(trap.data[2]! / (1e6 * Math.sinh(1))).toBeCloseTo(1, 8);
  const diag = expm(complexMatrix(2, 2, [0, 30, 0, 0, 0, 0, -40, 0]));
  expect(diag.data[0]).toBeCloseTo(Math.cos(30), 12);
  expect(diag.data[6]! / Math.exp(-40)).toBeCloseTo(1, 10);
});

test("wrong matrices are named, with the pivot", () => {
  expect(code(() => complexCholesky(diagonal([2, 1, -1, 5])))).toMatch(/bad-value.*"pivot":2/);
  expect(code(() => complexCholesky(diagonal(Array.from({ length: 40 }, (_, i) => (i === 33 ? 0 : 1)))))).toMatch(/"pivot":33/);
  expect(code(() => complexSolve(diagonal([1, 0, 3]), unit(3)))).toMatch(/bad-value.*"pivot":1/);
  expect(code(() => complexLu(complexMatrix(2, 3)))).toMatch(/bad-shape/);
  expect(code(() => complexSvd(complexMatrix(1, 1, [Number.POSITIVE_INFINITY, 0])))).toMatch(/bad-value/);
  expect(code(() => expm(diagonal([1e30])))).toMatch(/out-of-range/);
  expect(code(() => expm(diagonal([800])))).toMatch(/out-of-range/);
  expect(code(() => complexMultiply(unit(2), unit(3)))).toMatch(/bad-shape/);
});
