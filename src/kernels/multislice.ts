import { type FftTables, fftTables } from "./fft.js";
import { multisliceWasm } from "./generated/multislice.js";
import { jsMultislice } from "./js/multislice.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Name of the family for `Arena.family` and the worker pool. */
export { multisliceWasm } from "./generated/multislice.js";

type N = number;
/**
 * Exports of assembly/multislice.ts and of its TypeScript twin; addresses in bytes, nothing checked. Waves are complex [ny, nx] in FFT order and
 * stand in reciprocal space between calls.
 */
export interface MultisliceKernels {
  /** Slices first … last − 1 for `waves` waves in a row; `slices`: i32 pairs of addresses (transmission, propagator). */
  advance_f32(plan: N, slices: N, first: N, last: N, wave: N, waves: N, scratch: N): void;
  advance_f64(plan: N, slices: N, first: N, last: N, wave: N, waves: N, scratch: N): void;
  /** Real space to reciprocal space, times the complex `factor` (0: none); with `back` to real space again. */
  filter_f32(plan: N, wave: N, factor: N, back: boolean, scratch: N): void;
  filter_f64(plan: N, wave: N, factor: N, back: boolean, scratch: N): void;
  /** Reciprocal to real space. */
  toReal_f32(plan: N, wave: N, scratch: N): void;
  toReal_f64(plan: N, wave: N, scratch: N): void;
  /** out = amplitude · y[iy] · x[ix]. */
  shifted_f32(plan: N, amplitude: N, x: N, y: N, out: N): void;
  shifted_f64(plan: N, amplitude: N, x: N, y: N, out: N): void;
  /** A spectrum [my, mx] in FFT order into the middle of a larger one [ny, nx], whose other bins are cleared. */
  spread_f32(from: N, my: N, mx: N, to: N, ny: N, nx: N): void;
  spread_f64(from: N, my: N, mx: N, to: N, ny: N, nx: N): void;
  /** out (+)= weight · |wave|², real of the wave's type. */
  intensity_f32(wave: N, n: N, out: N, weight: N, add: boolean): void;
  intensity_f64(wave: N, n: N, out: N, weight: N, add: boolean): void;
  /** out[d] = Σ mask_d |wave|², masks f32 [detectors, n], out f64. */
  detect_f32(wave: N, n: N, masks: N, detectors: N, out: N): void;
  detect_f64(wave: N, n: N, masks: N, detectors: N, out: N): void;
  /** out = exp(iσv − σ·loss), loss = 0: none. */
  transmit_f32(v: N, loss: N, sigma: N, n: N, out: N): void;
  transmit_f64(v: N, loss: N, sigma: N, n: N, out: N): void;
  /** weight · exp(−2πi k·step), k = lo … hi − 1, f64 complex [count, hi − lo]; weight = 0: ones. */
  phases(step: N, weight: N, count: N, lo: N, hi: N, out: N): void;
  /** spectrum += f · s over n complex f64. */
  weigh(spectrum: N, f: N, s: N, n: N): void;
}

/** Description of a grid in an arena, first argument of the kernels. */
export interface MultisliceTables {
  readonly ptr: number;
  /** Private scratch that every caller of the kernels needs, bytes. */
  readonly scratchBytes: number;
  free(): void;
}

/** Kernels of an arena: WebAssembly where it can be compiled, else the plain TypeScript twin. */
export function multisliceKernels(
  arena: Arena = defaultArena(),
  backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js",
): MultisliceKernels & { readonly backend: "wasm" | "js" } {
  return backend === "wasm" ? { ...arena.family<MultisliceKernels>(multisliceWasm), backend } : { ...jsMultislice(arena), backend };
}

/** Rows of a chunk: a few stay in the L1 cache between their two transforms. */
const CHUNK_BYTES = 16384;

/**
 * Tables of a grid [ny, nx] whose waves fill only the columns kx = −right … left − 1.
 * @param left - rounded up so that the kernels see whole SIMD blocks
 */
export function multisliceTables(
  arena: Arena,
  ny: number,
  nx: number,
  type: "f32" | "f64",
  left: number,
  right: number,
  backend: "wasm" | "js",
): MultisliceTables {
  const lanes = type === "f32" ? 4 : 2,
    round = (k: number): number => Math.ceil(k / lanes) * lanes;
  const whole = round(left) + round(right) >= nx || (nx - round(right)) % lanes !== 0;
  const tables: FftTables[] = backend === "wasm" ? [fftTables(arena, nx, type), fftTables(arena, ny, type)] : [];
  const ptr = arena.alloc(64);
  const chunk = Math.max(4, Math.floor(CHUNK_BYTES / (nx * (type === "f32" ? 8 : 16)) / lanes) * lanes);
  arena
    .i32(ptr, 8)
    .set([ny, nx, tables[0]?.d ?? 0, tables[1]?.d ?? 0, whole ? nx : round(left), whole ? 0 : round(right), Math.min(chunk, ny), 0]);
  return {
    ptr,
    scratchBytes: Math.max(64, ...tables.map((t) => t.scratchBytes)),
    free: () => {
      arena.free(ptr);
      for (const t of tables) t.free();
    },
  };
}
