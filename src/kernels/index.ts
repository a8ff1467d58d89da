/** Kernels: WebAssembly memory, the worker pool on it, and flat-array kernels with their TypeScript twins. */

export { arenaPool } from "./arena-pool.js";
export { type ComplexGemm, type ComplexGemv, type DenseKernels, denseKernels, type RealGemm } from "./dense.js";
export { type Arena, arena, compileFamily, defaultArena, kernelImports, wasmAvailable } from "./memory.js";
