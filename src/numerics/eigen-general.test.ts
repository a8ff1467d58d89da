import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { eigen } from "./eigen-general.js";
import { hermitianEigen } from "./eigen-hermitian.js";
import { adjoint, type ComplexMatrix, complexMatrix, complexMultiply } from "./matrix.js";

const random = (n: number, seed: number | string): ComplexMatrix => {
  const g = rng(seed);
  return complexMatrix(
    n,
    n,
    Float64Array.from({ length: 2 * n * n }, () => g.normal()),
  );
};
/** |A V − V Λ|, largest entry. */
const residual = (a: ComplexMatrix): number => {
  const { values, vectors } = eigen(a),
    n = a.rows,
    av = complexMultiply(a, vectors);
  let worst = 0;
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const p = 2 * (i * n + j),
        vr = vectors.data[p]!,
        vi = vectors.data[p + 1]!,
        lr = values[2 * j]!,
        li = values[2 * j + 1]!;
      worst = Math.max(worst, Math.hypot(av.data[p]! - (vr * lr - vi * li), av.data[p + 1]! - (vr * li + vi * lr)));
    }
  return worst;
};

prop(
  "A V = V Λ for random matrices, unit vectors, trace and size",
  [fc.integer({ min: 0, max: 60 }), fc.integer()],
  (n, seed) => {
    const a = random(n, seed);
    expect(residual(a)).toBeLessThan(1e-13 * Math.max(10, n));
    const { values, vectors } = eigen(a);
    let re = 0,
      im = 0;
    for (let i = 0; i < n; i++) {
      re += values[2 * i]! - a.data[2 * (i * n + i)]!;
      im += values[2 * i + 1]! - a.data[2 * (i * n + i) + 1]!;
      let norm = 0;
      for (let k = 0; k < n; k++) norm += vectors.data[2 * (k * n + i)]! ** 2 + vectors.data[2 * (k * n + i) + 1]! ** 2;
      expect(norm).toBeCloseTo(1, 13);
    }
    expect(Math.hypot(re, im)).toBeLessThan(1e-12 * Math.max(1, n));
  },
  { runs: 30 },
);

test("on a Hermitian matrix it agrees with the Hermitian solver", () => {
  const b = random(40, "h"),
    t = adjoint(b),
    a = complexMatrix(
      40,
      40,
      b.data.map((v, i) => v + t.data[i]!),
    );
  const { values } = eigen(a);
  const real = Float64Array.from({ length: 40 }, (_, i) => values[2 * i]!).sort();
  hermitianEigen(a).values.forEach((v, i) => {
    expect(Math.abs(real[i]! - v)).toBeLessThan(1e-12);
  });
});

test("roots of unity from a cyclic permutation, which the plain shift would never move", () => {
  const n = 8,
    a = complexMatrix(n, n);
  for (let i = 0; i < n; i++) a.data[2 * (i * n + ((i + 1) % n))] = 1;
  const { values } = eigen(a);
  const angles = Array.from({ length: n }, (_, i) => {
    expect(Math.hypot(values[2 * i]!, values[2 * i + 1]!)).toBeCloseTo(1, 13);
    return (Math.round((Math.atan2(values[2 * i + 1]!, values[2 * i]!) / (2 * Math.PI)) * n * 1e9) / 1e9 + n) % n;
  });
  expect(angles.sort((p, q) => p - q)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test("defective, zero, badly scaled and 1e±200 matrices", () => {
  const jordan = complexMatrix(5, 5);
  for (let i = 0; i < 5; i++) {
    jordan.data[12 * i] = 2;
    if (i < 4) jordan.data[12 * i + 2] = 1;
  }
  expect(residual(jordan)).toBeLessThan(1e-12);
  for (let i = 0; i < 5; i++) expect(eigen(jordan).values[2 * i]).toBeCloseTo(2, 2);
  expect([...eigen(complexMatrix(3, 3)).values]).toEqual([0, 0, 0, 0, 0, 0]);
  const scaled = random(12, "scaled");
  for (let i = 0; i < 12; i++)
    for (let j = 0; j < 12; j++) {
      scaled.data[2 * (i * 12 + j)]! *= 10 ** ((i - j) * 2);
      scaled.data[2 * (i * 12 + j) + 1]! *= 10 ** ((i - j) * 2);
    }
  const plain = eigen(random(12, "scaled")).values,
    got = eigen(scaled).values; // a similarity: the same eigenvalues
  for (let i = 0; i < 12; i++) {
    let near = Number.POSITIVE_INFINITY;
    for (let k = 0; k < 12; k++) near = Math.min(near, Math.hypot(plain[2 * k]! - got[2 * i]!, plain[2 * k + 1]! - got[2 * i + 1]!));
    expect(near).toBeLessThan(1e-12);
  }
  const huge = random(10, "huge");
  const up = complexMatrix(
    10,
    10,
    huge.data.map((v) => v * 1e200),
  );
  expect(residual(up)).toBeLessThan(1e188);
});

test("what is refused", () => {
  const code = (a: ComplexMatrix): string => {
    try {
      eigen(a);
      return "none";
    } catch (e) {
      return isSdkError(e) ? e.code : String(e);
    }
  };
  expect(code(complexMatrix(1, 2))).toBe("bad-shape");
  expect(code(complexMatrix(1, 1, [Number.NaN, 0]))).toBe("bad-value");
});
