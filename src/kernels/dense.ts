import { denseWasm } from "./generated/dense.js";
import { jsDense } from "./js/dense.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/**
 * Dense products on the arena's memory. Pointers are byte addresses, strides and leading dimensions count elements (a complex number
 * is one), complex is interleaved, matrices are row-major, `sign` is 1 or −1. Nothing is checked or allocated.
 */
export interface DenseKernels {
  readonly name: "wasm" | "js";
  readonly arena: Arena;
  /** C [m, n] += sign · op(A) [m, k] · op(B) [k, n], complex f64. op is in the row and column strides and a conjugation. */
  readonly zgemm: ComplexGemm;
  /** The same for complex f32. */
  readonly cgemm: ComplexGemm;
  /** C [m, n] += sign · op(A) · op(B), real f64. */
  readonly dgemm: RealGemm;
  readonly sgemm: RealGemm;
  /** y [m] += sign · A [m, n] x, or conj(A) x. */
  readonly zgemv: ComplexGemv;
  readonly cgemv: ComplexGemv;
  /** y [n] += sign · Aᵀ x, or Aᴴ x when `conj`, for A [m, n]. */
  readonly zgemvt: ComplexGemv;
  readonly cgemvt: ComplexGemv;
}
export type ComplexGemm = (
  m: number,
  n: number,
  k: number,
  sign: number,
  a: number,
  aRow: number,
  aColumn: number,
  conjA: boolean,
  b: number,
  bRow: number,
  bColumn: number,
  conjB: boolean,
  c: number,
  ldc: number,
) => void;
export type RealGemm = (
  m: number,
  n: number,
  k: number,
  sign: number,
  a: number,
  aRow: number,
  aColumn: number,
  b: number,
  bRow: number,
  bColumn: number,
  c: number,
  ldc: number,
) => void;
export type ComplexGemv = (m: number, n: number, sign: number, a: number, lda: number, conj: boolean, x: number, y: number) => void;

type WithWork<F extends (...args: never[]) => void> = (...args: [...Parameters<F>, work: number]) => void;
interface DenseExports {
  gemmWork(): number;
  zgemm: WithWork<ComplexGemm>;
  cgemm: WithWork<ComplexGemm>;
  dgemm: WithWork<RealGemm>;
  sgemm: WithWork<RealGemm>;
  zgemv: WithWork<ComplexGemv>;
  cgemv: WithWork<ComplexGemv>;
  zgemvt: ComplexGemv;
  cgemvt: ComplexGemv;
}

/** Columns that fit the scratch of a matrix–vector product (32 bytes each). */
const GEMV_COLUMNS = 32768;

function wasmDense(arena: Arena): DenseKernels {
  const e = arena.family<DenseExports>(denseWasm);
  const work = arena.alloc(Math.max(e.gemmWork(), GEMV_COLUMNS * 32));
  const gemv =
    (f: WithWork<ComplexGemv>, element: number): ComplexGemv =>
    (m, n, sign, a, lda, conj, x, y) => {
      for (let j = 0; j < n; j += GEMV_COLUMNS)
        f(m, Math.min(GEMV_COLUMNS, n - j), sign, a + j * element, lda, conj, x + j * element, y, work);
    };
  return {
    name: "wasm",
    arena,
    zgemm: (m, n, k, sign, a, ar, ac, ca, b, br, bc, cb, c, ldc) => e.zgemm(m, n, k, sign, a, ar, ac, ca, b, br, bc, cb, c, ldc, work),
    cgemm: (m, n, k, sign, a, ar, ac, ca, b, br, bc, cb, c, ldc) => e.cgemm(m, n, k, sign, a, ar, ac, ca, b, br, bc, cb, c, ldc, work),
    dgemm: (m, n, k, sign, a, ar, ac, b, br, bc, c, ldc) => e.dgemm(m, n, k, sign, a, ar, ac, b, br, bc, c, ldc, work),
    sgemm: (m, n, k, sign, a, ar, ac, b, br, bc, c, ldc) => e.sgemm(m, n, k, sign, a, ar, ac, b, br, bc, c, ldc, work),
    zgemv: gemv(e.zgemv, 16),
    cgemv: gemv(e.cgemv, 8),
    zgemvt: e.zgemvt,
    cgemvt: e.cgemvt,
  };
}

const made = new WeakMap<Arena, Partial<Record<"wasm" | "js", DenseKernels>>>();

/**
 * The dense kernels of an arena (made once for each, with about 2 MB of scratch): WebAssembly where it can be compiled, else the plain
 * TypeScript twin, which gives the same results within rounding.
 */
export function denseKernels(arena: Arena = defaultArena(), backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js"): DenseKernels {
  const have = made.get(arena) ?? {};
  const found = have[backend];
  if (found) return found;
  const kernels = backend === "wasm" ? wasmDense(arena) : jsDense(arena);
  have[backend] = kernels;
  made.set(arena, have);
  return kernels;
}
