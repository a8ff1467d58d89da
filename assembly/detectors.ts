// What detectors see of a wave that stands in reciprocal space (complex [ny, nx], FFT order). Sums in f64, in the order of the pixels.

/** out[label] += |wave|² over n pixels; labels are u16, 65535: no bin. */
function bins<T>(wave: usize, n: i32, labels: usize, out: usize): void {
  for (let i: i32 = 0; i < n; i++, wave += 2 * sizeof<T>()) {
    const label = <u32>load<u16>(labels + <usize>(i << 1));
    if (label == 65535) continue;
    const re = <f64>load<T>(wave), im = <f64>load<T>(wave, sizeof<T>()), o = out + <usize>(label << 3);
    store<f64>(o, load<f64>(o) + (re * re + im * im));
  }
}
/** out[r, c] += weight · |wave|² for the my × mx pixels about the direct beam, rows and columns in rising order; out is f32. */
function pattern<T>(wave: usize, ny: i32, nx: i32, my: i32, mx: i32, out: usize, weight: f64): void {
  const left = mx >> 1, top = my >> 1;
  for (let r: i32 = 0; r < my; r++) {
    const row = wave + <usize>(((r - top + ny) % ny) * nx) * 2 * sizeof<T>();
    for (let c: i32 = 0; c < mx; c++, out += 4) {
      const p = row + <usize>((c - left + nx) % nx) * 2 * sizeof<T>();
      const re = <f64>load<T>(p), im = <f64>load<T>(p, sizeof<T>());
      store<f32>(out, <f32>(<f64>load<f32>(out) + weight * (re * re + im * im)));
    }
  }
}
export function bins_f32(wave: usize, n: i32, labels: usize, out: usize): void { bins<f32>(wave, n, labels, out); }
export function bins_f64(wave: usize, n: i32, labels: usize, out: usize): void { bins<f64>(wave, n, labels, out); }
export function pattern_f32(wave: usize, ny: i32, nx: i32, my: i32, mx: i32, out: usize, weight: f64): void { pattern<f32>(wave, ny, nx, my, mx, out, weight); }
export function pattern_f64(wave: usize, ny: i32, nx: i32, my: i32, mx: i32, out: usize, weight: f64): void { pattern<f64>(wave, ny, nx, my, mx, out, weight); }
/** n bytes of zeros. */
export function clear(at: usize, n: usize): void { memory.fill(at, 0, n); }
