// Sub-pixel stamps of profiles: a profile is a cubic B-spline on the pixel grid, f64 [size, size] with three rows and columns of zeros around; its stamp is f32 [size − 3, size − 3].

// @ts-ignore: decorator
@inline
export function f(p: usize, i: i32): f64 {
  return load<f64>(p + (<usize>i << 3));
}
// @ts-ignore: decorator
@inline
export function put(p: usize, i: i32, v: f64): void {
  store<f64>(p + (<usize>i << 3), v);
}
/** The four B-spline weights (or their derivatives) at the pixels around a centre with fraction t: at 2 − t, 1 − t, −t, −1 − t. */
// @ts-ignore: decorator
@inline
export function weight(a: i32, t: f64, slope: bool): f64 {
  const s = 1 - t;
  if (slope) {
    if (a == 0) return t * t * -0.5;
    if (a == 1) return s * (1.5 * s - 2);
    if (a == 2) return t * (2 - 1.5 * t);
    return s * s * 0.5;
  }
  if (a == 0) return (t * t * t) / 6;
  if (a == 1) return 2.0 / 3.0 - s * s + s * s * s * 0.5;
  if (a == 2) return 2.0 / 3.0 - t * t + t * t * t * 0.5;
  return (s * s * s) / 6;
}

/** One stamp from the coefficients c [size, size] and the weights of both directions; rows: f64 [size, size − 3] scratch. */
export function stamp(c: usize, size: i32, fx: f64, fy: f64, sx: bool, sy: bool, out: usize, rows: usize): void {
  const s = size - 3;
  const x0 = weight(0, fx, sx), x1 = weight(1, fx, sx), x2 = weight(2, fx, sx), x3 = weight(3, fx, sx);
  const y0 = weight(0, fy, sy), y1 = weight(1, fy, sy), y2 = weight(2, fy, sy), y3 = weight(3, fy, sy);
  const a0 = f64x2.splat(x0), a1 = f64x2.splat(x1), a2 = f64x2.splat(x2), a3 = f64x2.splat(x3);
  for (let k: i32 = 0; k < size; k++) {
    const from = c + (<usize>(k * size) << 3), to = rows + (<usize>(k * s) << 3);
    let m: i32 = 0;
    for (; m + 2 <= s; m += 2) {
      const p = from + (<usize>m << 3);
      let v = f64x2.mul(v128.load(p), a0);
      v = f64x2.add(v, f64x2.mul(v128.load(p + 8), a1));
      v = f64x2.add(v, f64x2.mul(v128.load(p + 16), a2));
      v = f64x2.add(v, f64x2.mul(v128.load(p + 24), a3));
      v128.store(to + (<usize>m << 3), v);
    }
    for (; m < s; m++) put(to, m, f(from, m) * x0 + f(from, m + 1) * x1 + f(from, m + 2) * x2 + f(from, m + 3) * x3);
  }
  for (let n: i32 = 0; n < s; n++) {
    const r = rows + (<usize>(n * s) << 3), stride = <usize>s << 3;
    for (let m: i32 = 0; m < s; m++) {
      const p = r + (<usize>m << 3);
      const v = load<f64>(p) * y0 + load<f64>(p + stride) * y1 + load<f64>(p + 2 * stride) * y2 + load<f64>(p + 3 * stride) * y3;
      store<f32>(out + (<usize>(n * s + m) << 2), <f32>v);
    }
  }
}
