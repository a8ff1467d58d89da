import { detectorsWasm } from "./generated/detectors.js";
import { jsDetectors } from "./js/detectors.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Name of the family for `Arena.family` and the worker pool. */
export { detectorsWasm } from "./generated/detectors.js";

type N = number;
/** Exports of assembly/detectors.ts and of its TypeScript twin; addresses in bytes, nothing checked. The wave is complex [ny, nx] in FFT order. */
export interface DetectorKernels {
  /** out[label] += |wave|²: labels u16 [n] (65535: none), out f64. */
  bins_f32(wave: N, n: N, labels: N, out: N): void;
  bins_f64(wave: N, n: N, labels: N, out: N): void;
  /** out[my, mx] += weight·|wave|² about the direct beam, out f32. */
  pattern_f32(wave: N, ny: N, nx: N, my: N, mx: N, out: N, weight: N): void;
  pattern_f64(wave: N, ny: N, nx: N, my: N, mx: N, out: N, weight: N): void;
  /** n bytes of zeros. */
  clear(at: N, n: N): void;
}

/** Kernels of an arena: WebAssembly where it can be compiled, else the plain TypeScript twin. Both give the same bits. */
export function detectorKernels(
  arena: Arena = defaultArena(),
  backend: "wasm" | "js" = wasmAvailable() ? "wasm" : "js",
): DetectorKernels & { readonly backend: "wasm" | "js" } {
  return backend === "wasm" ? { ...arena.family<DetectorKernels>(detectorsWasm), backend } : { ...jsDetectors(arena), backend };
}
