import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { denseKernels } from "../kernels/dense.js";
import { arena } from "../kernels/memory.js";
import { maxRelative } from "../testing/close.js";
import { fc, prop } from "../testing/prop.js";
import { applyTridiagonalBasis, hermitianEigen, tridiagonalEigen, tridiagonalForm } from "./eigen-hermitian.js";
import { adjoint, type ComplexMatrix, complexMatrix, complexMultiply, toComplex } from "./matrix.js";

const memory = arena();
const backends = { wasm: denseKernels(memory, "wasm"), js: denseKernels(memory, "js") };

function randomHermitian(n: number, seed: number | string, entry: (i: number, j: number) => number = () => 1): ComplexMatrix {
  const g = rng(seed),
    a = complexMatrix(n, n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      const s = entry(i, j),
        re = g.normal() * s,
        im = i === j ? 0 : g.normal() * s;
      a.data.set([re, im], 2 * (i * n + j));
      a.data.set([re, -im], 2 * (j * n + i));
    }
  return a;
}
function diagonal(values: ArrayLike<number>): ComplexMatrix {
  const n = values.length,
    m = complexMatrix(n, n);
  for (let i = 0; i < n; i++) m.data[2 * (i * n + i)] = values[i]!;
  return m;
}
const unit = (n: number): ComplexMatrix => diagonal(new Float64Array(n).fill(1));
const difference = (a: ComplexMatrix, b: ComplexMatrix): number => a.data.reduce((m, v, i) => Math.max(m, Math.abs(v - b.data[i]!)), 0);

describe.each(["wasm", "js"] as const)("%s", (name) => {
  const kernels = backends[name];
  const check = (a: ComplexMatrix): void => {
    const { values, vectors } = hermitianEigen(a, { kernels });
    const size = a.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0) * a.rows || 1;
    const back = complexMultiply(complexMultiply(vectors, diagonal(values)), adjoint(vectors));
    expect(difference(back, a) / size).toBeLessThan(1e-14);
    expect(difference(complexMultiply(adjoint(vectors), vectors), unit(a.rows))).toBeLessThan(1e-13);
    expect([...values]).toEqual([...values].sort((x, y) => x - y));
    const { values: alone } = hermitianEigen(a, { kernels, vectors: false });
    expect(difference({ rows: 1, cols: 1, data: alone }, { rows: 1, cols: 1, data: values }) / size).toBeLessThan(1e-14);
  };
  test.each([0, 1, 2, 3, 4, 31, 32, 33, 34, 63, 65, 97, 130])("random, n = %d: A = VΛVᴴ, VᴴV = 1", (n) => {
    check(randomHermitian(n, n));
  });
  test("degenerate: unit matrix, projector, zero, repeated blocks", () => {
    check(unit(70));
    check(complexMatrix(40, 40));
    const v = complexMatrix(60, 3);
    const g = rng("projector");
    v.data.forEach((_, i) => {
      v.data[i] = g.normal();
    });
    check(complexMultiply(v, adjoint(v)));
    const block = randomHermitian(5, "block"),
      many = complexMatrix(60, 60);
    for (let b = 0; b < 12; b++)
      for (let i = 0; i < 5; i++) many.data.set(block.data.subarray(10 * i, 10 * i + 10), 2 * ((5 * b + i) * 60 + 5 * b));
    check(many);
  });
  test("ill-scaled: graded by twelve orders, and the whole matrix at 1e±200", () => {
    check(randomHermitian(50, "graded", (i, j) => 10 ** (-(i + j) / 8)));
    check(randomHermitian(50, "up", (i, j) => 10 ** ((i + j - 98) / 8)));
    check(randomHermitian(40, "huge", () => 1e200));
    check(randomHermitian(40, "tiny", () => 1e-200));
  });
  test("tridiagonal form: A = QTQᴴ, and Q keeps the first basis vector", () => {
    for (const n of [1, 2, 3, 33, 80]) {
      const a = randomHermitian(n, `form ${n}`);
      const form = tridiagonalForm(a, { kernels });
      const q = applyTridiagonalBasis(form, unit(n), { kernels });
      const t = diagonal(form.diagonal);
      form.offDiagonal.forEach((e, i) => {
        t.data[2 * (i * n + i + 1)] = e;
        t.data[2 * ((i + 1) * n + i)] = e;
      });
      expect(difference(complexMultiply(complexMultiply(q, t), adjoint(q)), a)).toBeLessThan(1e-14 * n * 4);
      for (let i = 0; i < n; i++) expect(Math.hypot(q.data[2 * i * n]! - (i === 0 ? 1 : 0), q.data[2 * i * n + 1]!)).toBe(0);
    }
  });
});

test("the second difference matrix has its closed-form eigenvalues 2 − 2cos(πk/(n+1))", () => {
  const n = 150;
  const { values } = tridiagonalEigen(new Float64Array(n).fill(2), new Float64Array(n - 1).fill(-1));
  values.forEach((v, k) => {
    expect(Math.abs(v - (2 - 2 * Math.cos((Math.PI * (k + 1)) / (n + 1))))).toBeLessThan(4e-15 * 4);
  });
});

prop(
  "tridiagonal matrices with zeros, repeated and glued parts: residual and orthogonality at rounding level",
  [fc.array(fc.constantFrom(0, 1e-18, 1e-9, 0.5, 1, -1, 3), { minLength: 2, maxLength: 90 }), fc.constantFrom(0, 1e-14, 1e-7, 1)],
  (d, e) => {
    const n = d.length;
    const off = Float64Array.from({ length: n - 1 }, (_, i) => (i % 7 === 3 ? e : d[i]! * 0.5));
    const { values, vectorRows: q } = tridiagonalEigen(d, off);
    for (let k = 0; k < n; k++) {
      for (let l = 0; l < n; l++) {
        let r = (d[l]! - values[k]!) * q[k * n + l]!;
        if (l > 0) r += off[l - 1]! * q[k * n + l - 1]!;
        if (l < n - 1) r += off[l]! * q[k * n + l + 1]!;
        expect(Math.abs(r)).toBeLessThan(1e-13);
      }
      for (let m = 0; m <= k; m++) {
        let o = 0;
        for (let l = 0; l < n; l++) o += q[k * n + l]! * q[m * n + l]!;
        expect(Math.abs(o - (k === m ? 1 : 0))).toBeLessThan(1e-13);
      }
    }
  },
);

test("bit-for-bit the same twice, and the two backends agree on the eigenvalues", () => {
  const a = randomHermitian(90, "same");
  const one = hermitianEigen(a),
    two = hermitianEigen(a);
  expect(one.vectors.data).toEqual(two.vectors.data);
  expect(maxRelative(hermitianEigen(a, { kernels: backends.js }).values, one.values)).toBeLessThan(1e-14);
});

test("wrong matrices are named", () => {
  const code = (a: ComplexMatrix): string => {
    try {
      hermitianEigen(a);
      return "none";
    } catch (e) {
      return isSdkError(e) ? `${e.code} ${JSON.stringify(e.details)}` : String(e);
    }
  };
  expect(code(complexMatrix(2, 3))).toMatch(/bad-shape/);
  expect(code(complexMatrix(2, 2, [1, 0, Number.NaN, 0, 0, 0, 1, 0]))).toMatch(/bad-value.*"index":2/);
  expect(code(complexMatrix(2, 2, [1, 0, 0, 1, 0, 1, 1, 0]))).toMatch(/bad-value.*"row":1,"column":0/);
  expect(code(toComplex({ rows: 2, cols: 2, data: Float64Array.of(1, 2, 2, 1) }))).toBe("none");
});
