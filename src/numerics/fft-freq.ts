import { fail } from "../core/errors.js";

/**
 * Frequencies of the bins of an n-point transform: 0, 1, … , −2, −1 over (n·spacing); bin n/2 of an even length is negative.
 * In cycles per unit of `spacing`: Å gives Å⁻¹ (1/d, no 2π).
 */
export function fftFreq(n: number, spacing = 1): Float64Array {
  if (!(Number.isInteger(n) && n > 0 && spacing > 0)) fail("bad-value", { n, spacing }, "n is a positive whole number, spacing positive");
  return Float64Array.from({ length: n }, (_, i) => (i < n / 2 ? i : i - n) / (n * spacing));
}
/** The floor(n/2) + 1 frequencies of a real transform, 0 … 1/(2·spacing). */
export function rfftFreq(n: number, spacing = 1): Float64Array {
  if (!(Number.isInteger(n) && n > 0 && spacing > 0)) fail("bad-value", { n, spacing }, "n is a positive whole number, spacing positive");
  return Float64Array.from({ length: Math.floor(n / 2) + 1 }, (_, i) => i / (n * spacing));
}

type Arr = Float32Array | Float64Array;
export interface ShiftOptions {
  /** Default: all axes. */
  readonly axes?: readonly number[] | undefined;
  /** Values per element: 1 real (default), 2 complex interleaved. */
  readonly components?: 1 | 2 | undefined;
}

function rolled<A extends Arr>(x: A, shape: readonly number[], by: (n: number) => number, options: ShiftOptions): A {
  const { components = 1, axes = shape.map((_, i) => i) } = options;
  if (shape.reduce((p, n) => p * n, components) !== x.length)
    fail("bad-shape", { length: x.length, shape, components }, "the shape times the components is the length of the array");
  let from = x;
  for (const a of axes) {
    const axis = a < 0 ? a + shape.length : a,
      n = shape[axis];
    if (n === undefined) return fail("bad-value", { axes, dimensions: shape.length }, "axes run from −dimensions to dimensions − 1");
    const inner = shape.slice(axis + 1).reduce((p, v) => p * v, components),
      block = n * inner,
      cut = by(n) * inner;
    const to = from.slice() as A;
    for (let o = 0; o < x.length; o += block) {
      to.set(from.subarray(o, o + block - cut), o + cut);
      to.set(from.subarray(o + block - cut, o + block), o);
    }
    from = to;
  }
  return from === x ? (x.slice() as A) : from;
}
/** Move bin 0 to the middle, index floor(n/2), of every axis. Returns a new array. */
export function fftShift<A extends Arr>(x: A, shape: readonly number[], options: ShiftOptions = {}): A {
  return rolled(x, shape, (n) => Math.floor(n / 2), options);
}
/** Undo {@link fftShift}: the middle goes back to index 0. */
export function ifftShift<A extends Arr>(x: A, shape: readonly number[], options: ShiftOptions = {}): A {
  return rolled(x, shape, (n) => Math.ceil(n / 2), options);
}
