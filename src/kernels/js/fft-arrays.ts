import { roots } from "../fft-tables.js";
import type { Line } from "./fft.js";

type Real = Float32Array | Float64Array;

/**
 * Along the middle axis of complex data [outer, n, inner] from `at`, in place.
 * @param inverse - sign of the exponent +; @param scale - factor on the result
 */
export function jsAxis(f: Line, data: Real, at: number, outer: number, inner: number, inverse: boolean, scale: number): void {
  const { n, input } = f,
    sign = inverse ? -1 : 1;
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < inner; c++) {
      const start = at + 2 * (o * n * inner + c);
      for (let j = 0, i = start; j < 2 * n; j += 2, i += 2 * inner) {
        input[j] = data[i]!;
        input[j + 1] = sign * data[i + 1]!;
      }
      const y = f.run();
      for (let j = 0, i = start; j < 2 * n; j += 2, i += 2 * inner) {
        data[i] = y[j]! * scale;
        data[i + 1] = sign * y[j + 1]! * scale;
      }
    }
}
/** exp(−2πik/length), k = 0 … length/2, for the split of even real lengths. */
const splitRoots = (length: number): Float64Array =>
  roots(
    Array.from({ length: length % 2 ? 0 : length / 2 + 1 }, (_, k) => k),
    length,
  );
/** Real rows of `length` values to length/2 + 1 complex; `f` is the line of length/2 (even) or length (odd). */
export function jsRealForward(f: Line, real: Real, spectrum: Real, rows: number, length: number, scale: number): void {
  const h = length >> 1,
    keep = h + 1,
    w = splitRoots(length);
  for (let row = 0; row < rows; row++) {
    const from = row * length,
      to = 2 * row * keep;
    if (length % 2) {
      for (let j = 0; j < length; j++) {
        f.input[2 * j] = real[from + j]!;
        f.input[2 * j + 1] = 0;
      }
      const y = f.run();
      for (let j = 0; j < 2 * keep; j++) spectrum[to + j] = y[j]! * scale;
      spectrum[to + 1] = 0;
      continue;
    }
    for (let j = 0; j < length; j++) f.input[j] = real[from + j]!;
    const z = f.run();
    for (let k = 0; k <= h; k++) {
      const p = 2 * (k % h),
        q = 2 * ((h - k) % h);
      const er = z[p]! + z[q]!,
        ei = z[p + 1]! - z[q + 1]!,
        or = z[p + 1]! + z[q + 1]!,
        oi = z[q]! - z[p]!;
      const wr = w[2 * k]!,
        wi = w[2 * k + 1]!;
      spectrum[to + 2 * k] = 0.5 * scale * (er + or * wr - oi * wi);
      spectrum[to + 2 * k + 1] = 0.5 * scale * (ei + oi * wr + or * wi);
    }
  }
}
/** Inverse of {@link jsRealForward}: the imaginary parts of the first and (even length) last value do not count. */
export function jsRealInverse(f: Line, spectrum: Real, real: Real, rows: number, length: number, scale: number): void {
  const h = length >> 1,
    keep = h + 1,
    w = splitRoots(length);
  for (let row = 0; row < rows; row++) {
    const from = 2 * row * keep,
      to = row * length;
    if (length % 2) {
      for (let k = 0; k < length; k++) {
        const mirrored = k > h,
          i = from + 2 * (mirrored ? length - k : k);
        f.input[2 * k] = spectrum[i]!;
        f.input[2 * k + 1] = k === 0 ? 0 : mirrored ? spectrum[i + 1]! : -spectrum[i + 1]!; // conjugated: forward line
      }
      const y = f.run();
      for (let j = 0; j < length; j++) real[to + j] = y[2 * j]! * scale;
      continue;
    }
    for (let k = 0; k < h; k++) {
      const p = from + 2 * k,
        q = from + 2 * (h - k);
      const ai = k === 0 ? 0 : spectrum[p + 1]!,
        bi = k === 0 ? 0 : spectrum[q + 1]!;
      const er = spectrum[p]! + spectrum[q]!,
        ei = ai - bi,
        dr = spectrum[p]! - spectrum[q]!,
        di = ai + bi;
      const wr = w[2 * k]!,
        wi = w[2 * k + 1]!;
      const or = dr * wr + di * wi,
        oi = di * wr - dr * wi;
      f.input[2 * k] = er - oi;
      f.input[2 * k + 1] = -(ei + or);
    }
    const y = f.run();
    for (let j = 0; j < h; j++) {
      real[to + 2 * j] = y[2 * j]! * scale;
      real[to + 2 * j + 1] = -y[2 * j + 1]! * scale;
    }
  }
}
