import { pullWasm } from "./generated/pull.js";
import { jsPull } from "./js/sweep.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { pullWasm } from "./generated/pull.js";

/**
 * Derivatives of a weighted sum of intensities: the adjoint of the sweep. The plan is that of the sweep (src/kernels/sweep.ts) but for words 2 and 20, parameters that move directions
 * and the derivatives of directions with respect to them f64 [d, parameters, 3], and the addresses 24 factors of the sum f64 [slots], and of what is added up: 25 dL/dW f64 [box, 2], 26 dL/dq f64
 * [parameters + 1], the last by ln t with W held, 27 intensities f64 [slots].
 */
export interface PullKernels {
  pullScratch(beams: number, rows: number, terms: number, nodes: number, real: number, absorbing: number): number;
  /** Directions first … first + count − 1, added to the plan's outputs. Largest |last Chebyshev vector|², −1: scratch too small, −2: stopped. */
  pull(plan: number, first: number, count: number, scratch: number): number;
}

/** WebAssembly where it can be compiled, else the plain TypeScript twin. */
export const pullKernels = (arena: Arena, backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js"): PullKernels =>
  backend === "wasm" ? arena.family<PullKernels>(pullWasm) : jsPull(arena);
