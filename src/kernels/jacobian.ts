import { jacobianWasm } from "./generated/jacobian.js";
import { jsJacobian } from "./js/sweep.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { jacobianWasm } from "./generated/jacobian.js";

/**
 * Derivatives of the intensities of one frame, each for itself. The plan is that of the sweep (src/kernels/sweep.ts) but for words 5 output slots, 6 coefficients,
 * 23 slopes of the coefficients f64 [terms, depths], 24 rows at a time, 26 number of each coefficient by its place in the box i32 [box].
 */
export interface JacobianKernels {
  /** Bytes of scratch of one call. */
  jacobianScratch(beams: number, rows: number, terms: number, nodes: number, block: number, real: number): number;
  /** Directions first … first + count − 1; out += [u, intensity, t·dI/dt, turns]. Largest |last Chebyshev vector|², also 8 bytes below `out`; −1 when out of room, −2 when
   * told to stop. */
  jacobian(plan: number, first: number, count: number, out: number, scratch: number): number;
}

/** WebAssembly where it can be compiled, else the plain TypeScript twin. */
export const jacobianKernels = (arena: Arena, backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js"): JacobianKernels =>
  backend === "wasm" ? arena.family<JacobianKernels>(jacobianWasm) : jsJacobian(arena);
