import { fail } from "../core/errors.js";
import { denseKernels } from "../kernels/dense.js";
import { complexLu, complexLuSolve } from "./lu-complex.js";
import { type ComplexMatrix, complexMatrix, complexMultiply, type DenseOptions, requireSquare } from "./matrix.js";

/** Norms up to which the diagonal Padé approximant of each degree is exact to double precision (Higham 2005, Table 2.3). */
const DEGREES: readonly (readonly [degree: number, theta: number])[] = [
  [3, 1.495585217958292e-2],
  [5, 2.53939833006323e-1],
  [7, 9.504178996162932e-1],
  [9, 2.097847961257068],
  [13, 5.371920351148152],
];

/** Coefficients of the Padé numerator, b_j = (2m − j)! m! / ((2m)! (m − j)! j!) scaled to b_m = 1. */
function coefficients(m: number): number[] {
  const b = [1];
  for (let j = m; j > 0; j--) b.unshift((b[0]! * j * (2 * m - j + 1)) / (m - j + 1));
  return b;
}

/** Σ c_k M_k + c₀ I. */
function combine(n: number, c0: number, terms: readonly (readonly [number, ComplexMatrix])[]): ComplexMatrix {
  const out = complexMatrix(n, n);
  for (const [c, { data }] of terms) for (let i = 0; i < data.length; i++) out.data[i]! += c * data[i]!;
  for (let i = 0; i < n; i++) out.data[2 * (i * n + i)]! += c0;
  return out;
}

/** Largest column sum of moduli. */
function norm1({ rows, cols, data }: ComplexMatrix): number {
  const sums = new Float64Array(cols);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) sums[j]! += Math.hypot(data[2 * (i * cols + j)]!, data[2 * (i * cols + j) + 1]!);
  return sums.reduce((m, v) => Math.max(m, v), 0);
}

/**
 * Exponential of a complex matrix by scaling and squaring with a Padé approximant of degree 3 to 13. The error is a few ε times the
 * condition of the exponential; for a Hermitian matrix times i, use its eigenvectors or tridiagonal form, which are faster.
 * @throws bad-shape when not square; bad-value when not finite; out-of-range when exp would overflow or the norm passes 2⁶⁰
 * @see Higham (2005) SIAM J. Matrix Anal. Appl. 26, 1179
 */
export function expm(a: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexMatrix {
  const n = requireSquare(a);
  if (n === 0) return complexMatrix(0, 0);
  const options = { kernels };
  const times = (x: ComplexMatrix, y: ComplexMatrix): ComplexMatrix => complexMultiply(x, y, options);
  const norm = norm1(a);
  if (!(norm < 2 ** 60)) fail("out-of-range", { norm }, "the exponential of so large a matrix has no correct digit");
  const [degree, theta] = DEGREES.find(([, limit]) => norm <= limit) ?? DEGREES[DEGREES.length - 1]!;
  const squarings = norm > theta ? Math.ceil(Math.log2(norm / theta)) : 0;
  const s = 2 ** -squarings;
  const x =
    squarings === 0
      ? a
      : complexMatrix(
          n,
          n,
          a.data.map((v) => v * s),
        );
  const b = coefficients(degree);
  const x2 = times(x, x);
  let u: ComplexMatrix, v: ComplexMatrix;
  if (degree === 13) {
    const x4 = times(x2, x2),
      x6 = times(x4, x2);
    const odd = times(
      x6,
      combine(n, 0, [
        [b[13]!, x6],
        [b[11]!, x4],
        [b[9]!, x2],
      ]),
    );
    u = times(
      x,
      combine(n, b[1]!, [
        [1, odd],
        [b[7]!, x6],
        [b[5]!, x4],
        [b[3]!, x2],
      ]),
    );
    const even = times(
      x6,
      combine(n, 0, [
        [b[12]!, x6],
        [b[10]!, x4],
        [b[8]!, x2],
      ]),
    );
    v = combine(n, b[0]!, [
      [1, even],
      [b[6]!, x6],
      [b[4]!, x4],
      [b[2]!, x2],
    ]);
  } else {
    const odd: [number, ComplexMatrix][] = [],
      even: [number, ComplexMatrix][] = [];
    let power = x2;
    for (let k = 2; k < degree; k += 2) {
      if (k > 2) power = times(power, x2);
      even.push([b[k]!, power]);
      odd.push([b[k + 1]!, power]);
    }
    u = times(x, combine(n, b[1]!, odd));
    v = combine(n, b[0]!, even);
  }
  // (V − U) R = V + U
  let r = complexLuSolve(
    complexLu(
      combine(n, 0, [
        [1, v],
        [-1, u],
      ]),
      options,
    ),
    combine(n, 0, [
      [1, v],
      [1, u],
    ]),
    options,
  );
  for (let k = 0; k < squarings; k++) r = times(r, r);
  if (!r.data.every(Number.isFinite)) fail("out-of-range", { norm }, "the exponential overflows; subtract a multiple of the unit matrix");
  return r;
}
