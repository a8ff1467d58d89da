import { fail } from "../core/errors.js";
import { type DenseKernels, denseKernels } from "../kernels/dense.js";
import { scoped } from "./matrix-scope.js";

/** Real matrix, row-major. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** Length rows·cols. */
  readonly data: Float64Array;
}
/** Complex matrix, row-major, interleaved (re, im). */
export interface ComplexMatrix {
  readonly rows: number;
  readonly cols: number;
  /** Length 2·rows·cols. */
  readonly data: Float64Array;
}
/** Which kernels do the products; WebAssembly where it is allowed, when not given. */
export interface DenseOptions {
  readonly kernels?: DenseKernels | undefined;
}

function checked(rows: number, cols: number, data: ArrayLike<number> | undefined, parts: 1 | 2): Float64Array {
  const length = rows * cols * parts;
  if (!(Number.isInteger(rows) && Number.isInteger(cols) && rows >= 0 && cols >= 0))
    fail("bad-shape", { rows, cols }, "rows and cols are whole numbers");
  if (data && data.length !== length)
    fail(
      "bad-shape",
      { rows, cols, length: data.length },
      `a ${parts === 2 ? "complex (interleaved) " : ""}matrix of this shape has ${length} numbers`,
    );
  return data instanceof Float64Array ? data : data ? Float64Array.from(data) : new Float64Array(length);
}

/** A real matrix of zeros, or over `data` (not copied when it is a Float64Array). @throws bad-shape */
export function matrix(rows: number, cols: number, data?: ArrayLike<number>): Matrix {
  return { rows, cols, data: checked(rows, cols, data, 1) };
}

/** A complex matrix of zeros, or over interleaved `data`. @throws bad-shape */
export function complexMatrix(rows: number, cols: number, data?: ArrayLike<number>): ComplexMatrix {
  return { rows, cols, data: checked(rows, cols, data, 2) };
}

/** Unit matrix. */
export function identityMatrix(n: number): Matrix {
  const m = matrix(n, n);
  for (let i = 0; i < n; i++) m.data[i * n + i] = 1;
  return m;
}

/** The same numbers with zero imaginary parts. */
export function toComplex({ rows, cols, data }: Matrix): ComplexMatrix {
  const out = complexMatrix(rows, cols);
  for (let i = 0; i < data.length; i++) out.data[2 * i] = data[i]!;
  return out;
}

/** Aᵀ. */
export function transposeMatrix({ rows, cols, data }: Matrix): Matrix {
  const out = matrix(cols, rows);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) out.data[j * rows + i] = data[i * cols + j]!;
  return out;
}

/** Aᴴ, the conjugate transpose. */
export function adjoint({ rows, cols, data }: ComplexMatrix): ComplexMatrix {
  const out = complexMatrix(cols, rows);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < cols; j++) {
      out.data[2 * (j * rows + i)] = data[2 * (i * cols + j)]!;
      out.data[2 * (j * rows + i) + 1] = -data[2 * (i * cols + j) + 1]!;
    }
  return out;
}

/** A·B. @throws bad-shape when A's columns are not as many as B's rows */
export function multiply(a: Matrix, b: Matrix, { kernels }: DenseOptions = {}): Matrix {
  if (a.cols !== b.rows) fail("bad-shape", { left: [a.rows, a.cols], right: [b.rows, b.cols] }, "inner sizes of a product must agree");
  const out = matrix(a.rows, b.cols);
  const m = a.rows,
    n = b.cols,
    k = a.cols;
  if (!kernels && m * n * k < 20000) {
    for (let i = 0; i < m; i++)
      for (let l = 0; l < k; l++) {
        const x = a.data[i * k + l]!;
        for (let j = 0; j < n; j++) out.data[i * n + j]! += x * b.data[l * n + j]!;
      }
    return out;
  }
  const used = kernels ?? denseKernels();
  return scoped(used.arena, [8 * m * k, 8 * k * n, 8 * m * n], ([pa, pb, pc]) => {
    used.arena.f64(pa!, m * k).set(a.data);
    used.arena.f64(pb!, k * n).set(b.data);
    used.arena.f64(pc!, m * n).fill(0);
    used.dgemm(m, n, k, 1, pa!, k, 1, pb!, n, 1, pc!, n);
    out.data.set(used.arena.f64(pc!, m * n));
    return out;
  });
}

/** A·B of complex matrices. @throws bad-shape when A's columns are not as many as B's rows */
export function complexMultiply(a: ComplexMatrix, b: ComplexMatrix, { kernels = denseKernels() }: DenseOptions = {}): ComplexMatrix {
  if (a.cols !== b.rows) fail("bad-shape", { left: [a.rows, a.cols], right: [b.rows, b.cols] }, "inner sizes of a product must agree");
  const { arena } = kernels;
  const m = a.rows,
    n = b.cols,
    k = a.cols;
  return scoped(arena, [16 * m * k, 16 * k * n, 16 * m * n], ([pa, pb, pc]) => {
    arena.f64(pa!, 2 * m * k).set(a.data);
    arena.f64(pb!, 2 * k * n).set(b.data);
    arena.f64(pc!, 2 * m * n).fill(0);
    kernels.zgemm(m, n, k, 1, pa!, k, 1, false, pb!, n, 1, false, pc!, n);
    return complexMatrix(m, n, arena.f64(pc!, 2 * m * n).slice());
  });
}

/** @throws bad-shape when not square, bad-value when not finite. Returns the size. */
export function requireSquare(a: Matrix | ComplexMatrix): number {
  if (a.rows !== a.cols) fail("bad-shape", { rows: a.rows, cols: a.cols }, "this needs a square matrix");
  requireFinite(a);
  return a.rows;
}

/** @throws bad-value when an entry is NaN or infinite */
export function requireFinite(a: Matrix | ComplexMatrix): void {
  const { data } = a;
  for (let i = 0; i < data.length; i++)
    if (!Number.isFinite(data[i])) fail("bad-value", { index: i, value: data[i] }, "the matrix has an entry that is not a finite number");
}

/** Largest |entry| of the data. */
export function maxAbs(data: Float64Array): number {
  let big = 0;
  for (let i = 0; i < data.length; i++) {
    const x = Math.abs(data[i]!);
    if (x > big) big = x;
  }
  return big;
}
