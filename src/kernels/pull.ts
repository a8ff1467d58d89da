import { fail } from "../core/errors.js";
import { pullWasm } from "./generated/pull.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { pullWasm } from "./generated/pull.js";

/**
 * Plan of the derivatives of one frame in kernel memory: 32 words (i32 or addresses), then numbers (f64) from byte 128.
 * Words: 0 beams in the pool, 1 directions, 2 direction parameters, 3 Chebyshev terms, 4 depths, 5 mode (0 one seed,
 * 2 intensities alone), 6 slots, 7 centre of the potential's box, 8 most common beams of four directions, 9 most wanted ones, 10 coefficients; then
 * addresses: 11 place of each beam in the box i32 [n], 12 g f64 [n, 3], 13 g²/2K f64 [n], 14 largest |Sg| at which it takes part f64 [n],
 * 15 surface factor (1 + g_n/K_n)^(−1/2) f64 [n], 16 slot or −1 i32 [n], 17 potential f64 [box, 2], 18 directions f64 [d, 3], 19 their
 * derivatives f64 [d, parameters, 3], 20 weights f64 [d], 21 coefficients f64 [terms, depths], 22 terms that count i32 [depths], 23 unused, 24 seeds f64 [slots], 25 out: dL/dW f64 [coefficients, 2], 26 out: dL/dq f64
 * [parameters + 1], 27 control i32 [2] (stop; groups done), 28 out: intensities f64 [slots].
 * Numbers: 0 potential → B, 1 middle of the spectrum, 2 (Sg − middle) → diagonal of B.
 */
export const pullPlan = { words: 32, numbers: 3, bytes: 128 + 8 * 3 } as const;

/** Adjoint of {@link SweepKernels}; see the plan above. Addresses in bytes, nothing checked. */
export interface PullKernels {
  pullScratch(beams: number, rows: number, terms: number, nodes: number): number;
  /** Directions first … first + count − 1, added to the plan's outputs. Largest |last Chebyshev vector|², −1: scratch too small, −2: stopped. */
  pull(plan: number, first: number, count: number, scratch: number): number;
}

/** @throws unsupported where WebAssembly cannot be compiled: this kernel has no other backend */
export function pullKernels(arena: Arena): PullKernels {
  if (!wasmAvailable()) fail("unsupported", {}, "derivatives of frames need WebAssembly with SIMD");
  return arena.family<PullKernels>(pullWasm);
}
