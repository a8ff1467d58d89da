import { sweepWasm } from "./generated/sweep.js";
import { jsSweep } from "./js/sweep.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { sweepWasm } from "./generated/sweep.js";

/**
 * Plan of one frame in kernel memory: 40 words (i32 or addresses), then numbers (f64) from byte 160.
 * Words: 0 beams in the pool, 1 directions, 2 tangents, 3 Chebyshev terms, 4 depths, 5–8 strides of the output (slot, direction, depth,
 * tangent), 9 centre of the potential's box, 10 most common beams of four directions, 11 most wanted ones; then addresses: 12 place of
 * each beam in the box i32 [n], 13 g f64 [n, 3], 14 g²/2K f64 [n], 15 largest |Sg| at which it takes part f64 [n], 16 surface factor
 * (1 + g_n/K_n)^(−1/2) f64 [n], 17 output slot or −1 i32 [n], 18 potential f64 [box, 2], 19 directions f64 [d, 3], 20 their derivatives
 * f64 [d, tangents, 3], 21 weights f64 [d], 22 coefficients f64 [terms, depths], 23 terms that count i32 [depths]; 28 control i32: not 0 to stop;
 * 29 whether the potential is real, 30 whether it absorbs.
 * Numbers: 0 potential → B, 1 middle of the spectrum, 2 (Sg − middle) → diagonal of B, 3 imaginary centre of B, 4 window |Sg|
 * of wanted beams (derivatives alone), 5 largest |last Chebyshev vector|²: a call ends where it is passed.
 */
export const sweepPlan = { words: 40, numbers: 6, bytes: 160 + 8 * 6 } as const;

/** Bloch waves for many directions of one frame; see the plan above. Addresses in bytes, nothing checked. */
export interface SweepKernels {
  /** Bytes of scratch of one call. */
  sweepScratch(beams: number, rows: number, terms: number, nodes: number, tangents: number): number;
  /**
   * Directions first … first + count − 1 into out (+=). Largest |last Chebyshev vector|² (kept too, as a maximum, 8 bytes below `out`), or −1
   * when the plan's limits were too small.
   */
  sweep(plan: number, first: number, count: number, out: number, scratch: number): number;
}

/** WebAssembly where it can be compiled, else the plain TypeScript twin. */
export const sweepKernels = (arena: Arena, backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js"): SweepKernels =>
  backend === "wasm" ? arena.family<SweepKernels>(sweepWasm) : jsSweep(arena);
