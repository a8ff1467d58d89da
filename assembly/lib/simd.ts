// Lane helpers for kernels written once for f32 (4 lanes) and f64 (2 lanes).
// A "block" is 32 bytes holding L = 16 / sizeof<T>() complex numbers: interleaved in user arrays (re im re im …),
// split in scratch (16 bytes of re, then 16 bytes of im), so that butterflies need no shuffles.

/** Real parts of an interleaved block (a, b). */
// @ts-ignore: decorator
@inline
export function even<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<f32>(a, b, 0, 2, 4, 6);
  return v128.shuffle<f64>(a, b, 0, 2);
}
/** Imaginary parts of an interleaved block (a, b). */
// @ts-ignore: decorator
@inline
export function odd<T>(a: v128, b: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<f32>(a, b, 1, 3, 5, 7);
  return v128.shuffle<f64>(a, b, 1, 3);
}
/** First half of the interleaved block made of re and im. */
// @ts-ignore: decorator
@inline
export function zipLow<T>(re: v128, im: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<f32>(re, im, 0, 4, 1, 5);
  return v128.shuffle<f64>(re, im, 0, 2);
}
/** Second half of the interleaved block made of re and im. */
// @ts-ignore: decorator
@inline
export function zipHigh<T>(re: v128, im: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<f32>(re, im, 2, 6, 3, 7);
  return v128.shuffle<f64>(re, im, 1, 3);
}
/** Lanes in reverse order. */
// @ts-ignore: decorator
@inline
export function reversed<T>(a: v128): v128 {
  if (sizeof<T>() == 4) return v128.shuffle<f32>(a, a, 3, 2, 1, 0);
  return v128.shuffle<f64>(a, a, 1, 0);
}
/** Real and imaginary part of (ar + i ai)(br + i bi). */
// @ts-ignore: decorator
@inline
export function mulRe<T>(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return v128.sub<T>(v128.mul<T>(ar, br), v128.mul<T>(ai, bi));
}
// @ts-ignore: decorator
@inline
export function mulIm<T>(ar: v128, ai: v128, br: v128, bi: v128): v128 {
  return v128.add<T>(v128.mul<T>(ar, bi), v128.mul<T>(ai, br));
}
/** Store a block, interleaved and scaled when OUT, split otherwise. */
// @ts-ignore: decorator
@inline
export function put<T>(y: usize, re: v128, im: v128, OUT: bool, sr: v128, si: v128): void {
  if (OUT) {
    const a = v128.mul<T>(re, sr), b = v128.mul<T>(im, si);
    v128.store(y, zipLow<T>(a, b));
    v128.store(y, zipHigh<T>(a, b), 16);
  } else {
    v128.store(y, re);
    v128.store(y, im, 16);
  }
}
