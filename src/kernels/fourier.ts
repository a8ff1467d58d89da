import { fourierWasm } from "./generated/fourier.js";
import { jsFourierKernels } from "./js/fourier.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { fourierWasm } from "./generated/fourier.js";

type N = number;
/** Constraints of a Fourier reconstruction on arrays in an arena (addresses, bytes). Nothing is checked. */
export interface FourierKernels {
  /** Rows lo … hi − 1 of `width` f32, the first nx of them the volume: clip at 0 when positive, clear outside the support (u8 [rows][nx] or 0), zeros behind nx. */
  constrain(vol: N, support: N, lo: N, hi: N, nx: N, width: N, positive: N): void;
  /**
   * Measured points lo … hi − 1 (index u32, value f32 [2], radius f32, flags u8: bit 7 withheld, the rest the shell). Those with radius < limit
   * that are not withheld overwrite the grid of complex f32. sums += (f64): Σ||F| − |M||, Σ|F − M|, Σ|M| of the points not withheld, then by
   * shell Σ||F| − |M|| and Σ|M| of the withheld ones.
   */
  enforce(grid: N, index: N, value: N, radius: N, flags: N, lo: N, hi: N, limit: N, sums: N): void;
  /** Zeros. */
  clear(p: N, bytes: N): void;
}

export function fourierKernels(arena: Arena, kernels?: "wasm" | "js"): FourierKernels {
  return kernels !== "js" && wasmAvailable() ? arena.family<FourierKernels>(fourierWasm) : jsFourierKernels(arena);
}
