import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { cholesky, choleskySolve, ldlt, ldltSolve } from "./cholesky.js";
import { symmetricEigen } from "./eigen-symmetric.js";
import { invert, lu, luSolve, solve } from "./lu.js";
import { identityMatrix, type Matrix, matrix, multiply, transposeMatrix } from "./matrix.js";
import { linearLeastSquares, qr } from "./qr.js";
import { conditionNumber, pseudoInverse, svd } from "./svd.js";

const random = (rows: number, cols: number, seed: number | string, scale: (i: number, j: number) => number = () => 1): Matrix => {
  const g = rng(seed);
  return matrix(
    rows,
    cols,
    Float64Array.from({ length: rows * cols }, (_, k) => g.normal() * scale(Math.floor(k / cols), k % cols)),
  );
};
const diagonal = (d: ArrayLike<number>): Matrix => {
  const m = matrix(d.length, d.length);
  for (let i = 0; i < d.length; i++) m.data[i * d.length + i] = d[i]!;
  return m;
};
const difference = (a: Matrix, b: Matrix): number => {
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
const size = fc.integer({ min: 0, max: 30 });
const seed = fc.integer();

prop("Cholesky and LDLᵀ rebuild A and solve", [size, seed], (n, s) => {
  const b = random(n, n + 3, s),
    a = multiply(b, transposeMatrix(b));
  const l = cholesky(a),
    x = random(n, 2, s + 1);
  expect(difference(multiply(l, transposeMatrix(l)), a)).toBeLessThan(1e-12);
  expect(difference(multiply(a, choleskySolve(l, x)), x)).toBeLessThan(1e-7);
  const f = ldlt(a);
  expect(f.rank).toBe(n);
  const back = multiply(multiply(f.l, diagonal(f.d)), transposeMatrix(f.l));
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) expect(Math.abs(back.data[i * n + j]! - a.data[f.order[i]! * n + f.order[j]!]!)).toBeLessThan(1e-12);
  const y = x.data.slice(0, n);
  expect(difference(multiply(a, matrix(n, 1, ldltSolve(f, y))), matrix(n, 1, y))).toBeLessThan(1e-7);
});

prop("LDLᵀ of a semidefinite matrix finds the rank, and solves what can be solved", [fc.integer({ min: 2, max: 20 }), seed], (n, s) => {
  const r = Math.ceil(n / 2),
    b = random(n, r, s),
    a = multiply(b, transposeMatrix(b));
  const f = ldlt(a);
  expect(f.rank).toBe(r);
  const y = multiply(a, random(n, 1, s + 1));
  expect(difference(multiply(a, matrix(n, 1, ldltSolve(f, y.data))), y)).toBeLessThan(1e-6);
});

prop("LU rebuilds PA, solves, inverts", [size, seed], (n, s) => {
  const a = random(n, n, s, (i) => 10 ** ((i % 7) - 3));
  const f = lu(a);
  const l = identityMatrix(n),
    u = matrix(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) (j < i ? l : u).data[i * n + j] = f.factors.data[i * n + j]!;
  const pa = matrix(n, n);
  for (let i = 0; i < n; i++) pa.data.set(a.data.subarray(f.pivots[i]! * n, (f.pivots[i]! + 1) * n), i * n);
  expect(difference(multiply(l, u), pa)).toBeLessThan(1e-10);
  const b = multiply(a, random(n, 3, s + 1));
  expect(difference(multiply(a, luSolve(f, b)), b)).toBeLessThan(1e-7);
  if (n > 0) expect(difference(multiply(invert(a), a), identityMatrix(n))).toBeLessThan(1e-12 * conditionNumber(a) * 10);
});

prop(
  "QR with pivoting: AP = QR, orthonormal Q, descending diagonal, rank",
  [size, size, fc.integer({ min: 0, max: 8 }), seed],
  (m, n, r, s) => {
    const low = r < Math.min(m, n);
    const a = low ? multiply(random(m, r, s), random(r, n, s + 1)) : random(m, n, s);
    const { q, r: tri, order, rank } = qr(a, { tolerance: 1e-12 });
    const ap = matrix(m, n);
    for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) ap.data[i * n + j] = a.data[i * n + order[j]!]!;
    expect(difference(multiply(q, tri), ap)).toBeLessThan(1e-13 * 10);
    expect(difference(multiply(transposeMatrix(q), q), identityMatrix(Math.min(m, n)))).toBeLessThan(1e-13);
    expect(rank).toBe(low ? r : Math.min(m, n));
    for (let i = 1; i < Math.min(m, n); i++)
      expect(Math.abs(tri.data[i * n + i]!)).toBeLessThanOrEqual(Math.abs(tri.data[(i - 1) * n + i - 1]!) * (1 + 1e-10) + 1e-14);
  },
);

prop(
  "SVD: A = USVᵀ, orthonormal, for every shape and rank",
  [fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 56 }), fc.boolean(), seed],
  (m, n, low, s) => {
    const a = low ? multiply(random(m, 2, s), random(2, n, s + 1)) : random(m, n, s);
    const { u, values, v } = svd(a);
    const k = Math.min(m, n);
    expect(values).toHaveLength(k);
    expect(difference(multiply(multiply(u, diagonal(values)), transposeMatrix(v)), a)).toBeLessThan(2e-13);
    expect(difference(multiply(transposeMatrix(u), u), identityMatrix(k))).toBeLessThan(1e-13);
    expect(difference(multiply(transposeMatrix(v), v), identityMatrix(k))).toBeLessThan(1e-13);
    for (let i = 1; i < k; i++) expect(values[i]!).toBeLessThanOrEqual(values[i - 1]!);
  },
  { runs: 40 },
);

test("small singular values keep their digits: the Hilbert matrix (values from exact arithmetic)", () => {
  // sigma of the 8×8 Hilbert matrix, 50-digit arithmetic (mpmath 1.4.1, mp.svd_r)
  const want = [
    1.6959389969219494, 0.2981252113169307, 0.026212843578119052, 0.001467688117741847, 5.4369433697508964e-5, 1.2943320918741794e-6,
    1.7988737460063012e-8, 1.1115389694888083e-10,
  ];
  const h = matrix(
    8,
    8,
    Float64Array.from({ length: 64 }, (_, k) => 1 / (Math.floor(k / 8) + (k % 8) + 1)),
  );
  const { values } = svd(h);
  values.forEach((s, i) => {
    expect(Math.abs(s - want[i]!)).toBeLessThan(3e-16);
  });
  // columns scaled over 30 orders: full relative accuracy
  const q = symmetricEigen(multiply(random(9, 9, 1), transposeMatrix(random(9, 9, 1)))).vectors;
  const d = Array.from({ length: 9 }, (_, k) => 10 ** (15 - 4 * k));
  svd(multiply(q, diagonal(d))).values.forEach((s, k) => {
    expect(Math.abs(s / d[k]! - 1)).toBeLessThan(1e-13);
  });
});

prop(
  "pseudo-inverse satisfies the four Penrose conditions",
  [fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), seed],
  (m, n, r, s) => {
    const a = multiply(random(m, r, s), random(r, n, s + 1)),
      x = pseudoInverse(a, { tolerance: 1e-11 });
    const size = Math.max(1, ...x.data.map(Math.abs));
    const ax = multiply(a, x),
      xa = multiply(x, a);
    expect(difference(multiply(ax, a), a)).toBeLessThan(1e-11 * size);
    expect(difference(multiply(xa, x), x)).toBeLessThan(1e-10 * size * size);
    expect(difference(ax, transposeMatrix(ax))).toBeLessThan(1e-11 * size);
    expect(difference(xa, transposeMatrix(xa))).toBeLessThan(1e-11 * size);
  },
);

prop("symmetric eigenproblem: A = VΛVᵀ for every size, both paths", [fc.integer({ min: 0, max: 40 }), seed], (n, s) => {
  const b = random(n, n, s),
    a = matrix(
      n,
      n,
      b.data.map((v, k) => v + b.data[(k % n) * n + Math.floor(k / n)]!),
    );
  const { values, vectors } = symmetricEigen(a);
  expect(difference(multiply(multiply(vectors, diagonal(values)), transposeMatrix(vectors)), a)).toBeLessThan(2e-13);
  expect(difference(multiply(transposeMatrix(vectors), vectors), identityMatrix(n))).toBeLessThan(1e-13);
  for (let i = 1; i < n; i++) expect(values[i]!).toBeGreaterThanOrEqual(values[i - 1]!);
});

prop(
  "linear least squares: residual orthogonal to the columns; agrees with the pseudo-inverse at full rank",
  [fc.integer({ min: 4, max: 20 }), fc.integer({ min: 1, max: 4 }), seed],
  (m, n, s) => {
    const a = random(m, n, s),
      b = random(m, 1, s + 1);
    const x = linearLeastSquares(a, b.data);
    const y = multiply(pseudoInverse(a), b);
    expect(difference(matrix(n, 1, x), y)).toBeLessThan(1e-10 * conditionNumber(a));
  },
);

test("wrong matrices are named, with the pivot", () => {
  expect(code(() => cholesky(diagonal([4, 1, -1])))).toMatch(/bad-value.*"pivot":2/);
  expect(code(() => cholesky(matrix(2, 2, [1, 2, 2, 1])))).toMatch(/bad-value.*"pivot":1/);
  expect(code(() => ldlt(diagonal([4, -1, 1])))).toMatch(/bad-value.*"pivot":1/);
  expect(code(() => solve(matrix(2, 2, [1, 2, 2, 4]), identityMatrix(2)))).toMatch(/bad-value.*"pivot":1/);
  expect(code(() => symmetricEigen(matrix(2, 2, [1, 2, 3, 4])))).toMatch(/bad-value.*"row":1/);
  expect(code(() => svd(matrix(1, 2, [1, Number.NaN])))).toMatch(/bad-value.*"index":1/);
  expect(code(() => matrix(2, 2, [1, 2, 3]))).toMatch(/bad-shape/);
  expect(code(() => matrix(-1, 2))).toMatch(/bad-shape/);
  expect(conditionNumber(matrix(2, 2, [1, 0, 0, 0]))).toBe(Number.POSITIVE_INFINITY);
});
