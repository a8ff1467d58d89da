import { fail } from "../core/errors.js";
import { type FftKernels, fftPlan, product } from "./fft-plan.js";
import { rfftPlan } from "./fft-real-plan.js";

type Arr = Float32Array | Float64Array;
export interface FftOptions {
  /** Default: all axes. */
  readonly axes?: readonly number[] | undefined;
  /** Factor on the result: default 1 forward, 1/N inverse. */
  readonly scale?: number | undefined;
  readonly kernels?: FftKernels | undefined;
}

// These make a plan, use it once and free it. In a loop make a plan yourself and keep it.

/** Discrete Fourier transform of interleaved complex data of any shape, X_k = Σ x_j exp(−2πi jk/n); same precision as the input. */
export function fftn<A extends Arr>(x: A, shape: readonly number[], options: FftOptions = {}): A {
  return complex(x, shape, "forward", options);
}
/** Inverse of {@link fftn}, with 1/N. */
export function ifftn<A extends Arr>(x: A, shape: readonly number[], options: FftOptions = {}): A {
  return complex(x, shape, "inverse", options);
}
/** {@link fftn} of one line. */
export function fft<A extends Arr>(x: A, options: FftOptions = {}): A {
  return fftn(x, [x.length / 2], options);
}
export function ifft<A extends Arr>(x: A, options: FftOptions = {}): A {
  return ifftn(x, [x.length / 2], options);
}
/** {@link fftn} over the last two axes; leading axes are a batch. */
export function fft2<A extends Arr>(x: A, shape: readonly number[], options: Omit<FftOptions, "axes"> = {}): A {
  return fftn(x, shape, { ...options, axes: [-2, -1] });
}
export function ifft2<A extends Arr>(x: A, shape: readonly number[], options: Omit<FftOptions, "axes"> = {}): A {
  return ifftn(x, shape, { ...options, axes: [-2, -1] });
}

function complex<A extends Arr>(x: A, shape: readonly number[], direction: "forward" | "inverse", options: FftOptions): A {
  if (x.length !== 2 * product(shape) || x.length === 0 || x.length % 2)
    fail(
      "bad-shape",
      { length: x.length, shape },
      "complex data are interleaved: two values for each point of the shape, at least one point",
    );
  const plan = fftPlan({ shape, type: x instanceof Float32Array ? "c64" : "c128", axes: options.axes, kernels: options.kernels });
  try {
    plan.data().set(x);
    plan[direction]({ scale: options.scale });
    return plan.data().slice() as A;
  } finally {
    plan.free();
  }
}

/**
 * Transform of real data: the half spectrum, interleaved, shape […, floor(n/2) + 1]; the other half is its complex conjugate.
 * Any axes that include the last.
 */
export function rfftn<A extends Arr>(x: A, shape: readonly number[], options: FftOptions = {}): A {
  if (x.length !== product(shape) || x.length === 0)
    fail("bad-shape", { length: x.length, shape }, "real data have one value for each point of the shape");
  const plan = rfftPlan({ shape, type: x instanceof Float32Array ? "f32" : "f64", axes: options.axes, kernels: options.kernels });
  try {
    plan.real().set(x);
    plan.forward({ scale: options.scale });
    return plan.spectrum().slice() as A;
  } finally {
    plan.free();
  }
}
/** Inverse of {@link rfftn}; `shape` is that of the real result (the spectrum alone does not tell even from odd). */
export function irfftn<A extends Arr>(x: A, shape: readonly number[], options: FftOptions = {}): A {
  const n = shape.at(-1) ?? 0,
    wanted = n ? (2 * product(shape) * (Math.floor(n / 2) + 1)) / n : 0;
  if (x.length !== wanted || wanted === 0)
    fail(
      "bad-shape",
      { length: x.length, shape, wanted },
      "pass the shape of the real result; the half spectrum has floor(n/2) + 1 complex in a row",
    );
  const plan = rfftPlan({ shape, type: x instanceof Float32Array ? "f32" : "f64", axes: options.axes, kernels: options.kernels });
  try {
    plan.spectrum().set(x);
    plan.inverse({ scale: options.scale });
    return plan.real().slice() as A;
  } finally {
    plan.free();
  }
}
/** {@link rfftn} of one line. */
export function rfft<A extends Arr>(x: A, options: FftOptions = {}): A {
  return rfftn(x, [x.length], options);
}
/** Real line of n values (default: even, 2·(bins − 1)) from its half spectrum. */
export function irfft<A extends Arr>(x: A, n = x.length - 2, options: FftOptions = {}): A {
  return irfftn(x, [n], options);
}
/** {@link rfftn} over the last two axes; leading axes are a batch. */
export function rfft2<A extends Arr>(x: A, shape: readonly number[], options: Omit<FftOptions, "axes"> = {}): A {
  return rfftn(x, shape, { ...options, axes: [-2, -1] });
}
export function irfft2<A extends Arr>(x: A, shape: readonly number[], options: Omit<FftOptions, "axes"> = {}): A {
  return irfftn(x, shape, { ...options, axes: [-2, -1] });
}
