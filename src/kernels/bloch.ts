import { blochWasm } from "./generated/bloch.js";
import { jsBloch } from "./js/bloch.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Name of the family for the worker pool. */
export { blochWasm };

type N = number;
/**
 * Bloch-wave kernels on the arena's memory: addresses, counts and factors; nothing is checked or allocated. The beams of an orientation are
 * `key` (i32: place of the beam in the table of coefficients), `q` = (1 + g_n/K_n)^(−1/2) and `diagonal` = 2Ks·q²; matrices and vectors are
 * real rows of `ld` numbers (even, zero tail) or interleaved complex rows. See assembly/bloch.ts.
 */
export interface BlochKernels {
  readonly name: "wasm" | "js";
  readonly arena: Arena;
  /** f·(A − shift) of a real potential. */
  fillReal(n: N, key: N, table: N, centre: N, q: N, diagonal: N, f: N, shift: N, a: N, ld: N): void;
  /** f·(A − shift − i·decay) of a complex potential; u0 is the imaginary part of W₀. */
  fillComplex(n: N, key: N, table: N, centre: N, q: N, diagonal: N, u0: N, decay: N, hermitian: N, f: N, shift: N, a: N): void;
  /** In place a := f·(a − shift − i·decay), rows of `width` numbers, complex ones as pairs. */
  rescale(n: N, width: N, pairs: N, f: N, shift: N, decay: N, a: N): void;
  /** J_k(rho·τ_t), rows of `capacity`; the number of terms above 1e-15, or −1 when they do not fit. */
  bessel(times: N, tau: N, rho: N, capacity: N, out: N): number;
  /** v_k = T_k(X) e₀, k < terms, where a = 2X. */
  vectorsReal(n: N, a: N, ld: N, terms: N, v: N): void;
  vectorsComplex(n: N, a: N, terms: N, v: N, work: N): void;
  /** Sums over the even and the odd vectors with the coefficients of exp(i rho τ x); J is overwritten. */
  combine(times: N, terms: N, width: N, J: N, capacity: N, v: N, even: N, odd: N, work: N): void;
  /** ψ = (even + i·odd)·turn, [times, n] complex; kind 0 for real rows of `width`. turn: a complex factor of each time, or 0. */
  waves(times: N, n: N, width: N, kind: N, turn: N, even: N, odd: N, out: N): void;
  /** Σ_t w_t |ψ_t|² q² into out [n]; returns the largest deviation of a norm from 1. */
  averageIntensities(times: N, n: N, psi: N, weights: N, q: N, out: N): number;
  /** Intensities of one orientation in one call (kind 0 real, 1 Hermitian, 2 absorbing about i·decay): what the worker pool runs. Scratch: {@link solveBytes}. */
  solve: (
    ...args: [
      kind: N,
      n: N,
      key: N,
      table: N,
      centre: N,
      q: N,
      diagonal: N,
      u0: N,
      decay: N,
      below: N,
      above: N,
      tolerance: N,
      times: N,
      tau: N,
      weights: N,
      capacity: N,
      scratch: N,
      out: N,
    ]
  ) => number;
  /** y_k = r_k + (2X)ᴴ y_{k+1} − y_{k+2} in place, from the last of `terms` rows down to row 1. */
  reverse(n: N, ld: N, pairs: N, hermitian: N, terms: N, a: N, y: N, work: N): void;
  /** u[target_ij] += scale·q_i q_j g_ij over i ≠ j of a gradient with respect to a = 2X; Σ Re(conj(g_ij) a_ij)·(1, slope_i + slope_j) to sums [2]. */
  collect(n: N, ld: N, pairs: N, g: N, a: N, q: N, slope: N, target: N, scale: N, u: N, sums: N): void;
  scatter(n: N, x: N, pairs: N, q: N, place: N, grid: N, points: N): void;
  multiplyGrid(points: N, grid: N, factor: N, realFactor: N): void;
  /** y = factor·(q·scale·grid[place] + (d − shift + i(u0·q² − decay))·x) − z; z may be 0. */
  gatherStep(n: N, pairs: N, grid: N, place: N, q: N, d: N, u0: N, decay: N, factor: N, scale: N, shift: N, x: N, z: N, y: N): void;
  /** Bytes of work that `combine` needs. */
  gemmWork(): number;
}

/** Bytes of scratch of `solve`. */
export function solveBytes(kernels: BlochKernels, kind: 0 | 1 | 2, n: number, times: number, capacity: number): number {
  const width = kind === 0 ? (n + 1) & ~1 : 2 * n;
  return 8 * (n * width + capacity * width + times * capacity + 2 * times * width + 2 * times * n) + kernels.gemmWork() + 32 * n + 64;
}

const made = new WeakMap<Arena, Partial<Record<"wasm" | "js", BlochKernels>>>();

/** The Bloch-wave kernels of an arena: WebAssembly where it can be compiled, else the plain TypeScript twin. */
export function blochKernels(arena: Arena = defaultArena(), backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js"): BlochKernels {
  const have = made.get(arena) ?? {};
  const found = have[backend];
  if (found) return found;
  const kernels: BlochKernels =
    backend === "wasm" ? { ...arena.family<Omit<BlochKernels, "name" | "arena">>(blochWasm), name: "wasm", arena } : jsBloch(arena);
  have[backend] = kernels;
  made.set(arena, have);
  return kernels;
}
