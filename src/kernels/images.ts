import { wasmImageKernels } from "./images-wasm.js";
import { jsImageKernels } from "./js/images.js";
import { defaultArena, wasmAvailable } from "./memory.js";

/** What lies beyond the edge of an image: zeros, the image mirrored about its edge (b a | a b), or the nearest pixel. */
export type Edge = "zero" | "mirror" | "nearest";
/** The number by which the kernels know an edge rule. */
export const edgeRule = { zero: 0, mirror: 1, nearest: 2 } as const satisfies Record<Edge, number>;

/** Mean, variance and number of good pixels about every pixel. */
export interface LocalMoments {
  readonly mean: Float32Array;
  readonly variance: Float32Array | undefined;
  readonly count: Float32Array | undefined;
}

/**
 * Kernels on flat row-major f32 images [ny, nx]; masks are u8, not 0 = bad. Nothing is checked here: the wrappers in numerics do that.
 * Windows are given by their half sizes ry, rx: (2ry+1) × (2rx+1) pixels. Both backends give the same bits.
 */
export interface ImageKernels {
  readonly name: "js" | "wasm";
  /** Separable correlation with wy [2ry+1] down the columns and wx [2rx+1] along the rows. */
  separable(data: Float32Array, ny: number, nx: number, wy: Float32Array, wx: Float32Array, edge: Edge): Float32Array;
  /** Correlation with a kernel [2ry+1, 2rx+1]. */
  correlate(data: Float32Array, ny: number, nx: number, weights: Float32Array, ry: number, rx: number, edge: Edge): Float32Array;
  /** Least or greatest pixel of each window, clipped at the edges. */
  extreme(data: Float32Array, ny: number, nx: number, ry: number, rx: number, high: boolean): Float32Array;
  /** Median of each window. */
  median(data: Float32Array, ny: number, nx: number, ry: number, rx: number, edge: Edge): Float32Array;
  /** Lower median of each window, clipped at the edges. */
  medianU16(data: Uint16Array, ny: number, nx: number, ry: number, rx: number): Uint16Array;
  /** Moments of the good pixels of each window; "zero" clips the window at the edges. NaN where no pixel is good. */
  localMoments(
    data: Float32Array,
    mask: Uint8Array | undefined,
    ny: number,
    nx: number,
    ry: number,
    rx: number,
    edge: Edge,
    want: { readonly variance: boolean; readonly count: boolean },
  ): LocalMoments;
  /** Add frames [n, size] to `sum`, and their squares to `squares`, both f64 [size], in place. */
  accumulate(sum: Float64Array, squares: Float64Array | undefined, frames: Float32Array, n: number): void;
  /** Sums of whole blocks of factor × factor pixels, scaled for left-out ones; bad where saturated or empty. */
  bin(
    data: Float32Array,
    mask: Uint8Array | undefined,
    ny: number,
    nx: number,
    factor: number,
    saturation: number,
  ): { data: Float32Array; bad: Uint8Array };
  /** count, sum, sum of squares, least, greatest of the good finite pixels. */
  totals(data: Float32Array, mask: Uint8Array | undefined): Float64Array;
  /** Products of a template [ty, tx] with the data about (y0, x0) at every shift up to ry, rx; shape [2ry+1, 2rx+1]. */
  match(
    data: Float32Array,
    nx: number,
    y0: number,
    x0: number,
    template: Float32Array,
    ty: number,
    tx: number,
    ry: number,
    rx: number,
  ): Float64Array;
}

/** WebAssembly where it can run, else plain TypeScript. */
export function defaultImageKernels(): ImageKernels {
  return wasmAvailable() ? wasmImageKernels(defaultArena()) : jsImageKernels;
}
