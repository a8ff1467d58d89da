/** Kernels: WebAssembly memory, the worker pool on it, and flat-array kernels with their TypeScript twins. */

export { arenaPool } from "./arena-pool.js";
export { type ComplexGemm, type ComplexGemv, type DenseKernels, denseKernels, type RealGemm } from "./dense.js";
export { defaultImageKernels, type Edge, type ImageKernels, type LocalMoments } from "./images.js";
export { wasmImageKernels } from "./images-wasm.js";
export { jsImageKernels } from "./js/images.js";
export { type Arena, arena, compileFamily, defaultArena, kernelImports, wasmAvailable } from "./memory.js";
