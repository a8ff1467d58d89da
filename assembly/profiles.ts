// Profiles of strong spots by least squares: places of spots on a profile, normal equations of its B-spline coefficients, their solution.
// Cut-outs: counts and variance f32 [count, edge, edge], variance 0 where a pixel is not used; corners i32 [count, 2], (x, y) of their first pixel.
// A profile has n = size − 6 coefficients each way and a stamp of s = size − 3 pixels; planes of n × n numbers have rows of n + 1, the last of which means nothing.
import { f, put, stamp, weight } from "./lib/stamps";

// @ts-ignore: decorator
@inline
function single(p: usize, i: i32): f64 {
  return <f64>load<f32>(p + (<usize>i << 2));
}
// @ts-ignore: decorator
@inline
function limit(d: f64): f64 {
  return max<f64>(-0.5, min<f64>(0.5, d));
}

/**
 * Gauss–Newton steps of at most half a pixel for x, y and intensity (f64 [count], changed) of every spot on one profile c [size, size]; error2 is the
 * squared error of a profile as a fraction. p, px, py: f32 [s, s] and rows: f64 [size, s], scratch.
 */
export function recentre(c: usize, size: i32, counts: usize, variance: usize, corners: usize, edge: i32, xs: usize, ys: usize, intensity: usize, count: i32, steps: i32, error2: f64, p: usize, px: usize, py: usize, rows: usize): void {
  const s = size - 3, reach = (s - 4) / 2 + 1;
  for (let i: i32 = 0; i < count; i++) {
    const cx = load<i32>(corners + (<usize>i << 3)), cy = load<i32>(corners + (<usize>i << 3), 4), cut = i * edge * edge;
    for (let step: i32 = 0; step < steps; step++) {
      const x = f(xs, i), y = f(ys, i), fx = x - floor(x), fy = y - floor(y), I = f(intensity, i);
      const ox = <i32>floor(x) - reach, oy = <i32>floor(y) - reach;
      stamp(c, size, fx, fy, false, false, p, rows);
      stamp(c, size, fx, fy, true, false, px, rows);
      stamp(c, size, fx, fy, false, true, py, rows);
      let a11: f64 = 0, a12: f64 = 0, a13: f64 = 0, a22: f64 = 0, a23: f64 = 0, a33: f64 = 0, g1: f64 = 0, g2: f64 = 0, g3: f64 = 0;
      const m0 = max<i32>(0, cy - oy), m1 = min<i32>(s, cy + edge - oy), k0 = max<i32>(0, cx - ox), k1 = min<i32>(s, cx + edge - ox);
      for (let m = m0; m < m1; m++)
        for (let k = k0; k < k1; k++) {
          const at = cut + (oy + m - cy) * edge + ox + k - cx, v = single(variance, at);
          if (!(v > 0)) continue;
          const P = single(p, m * s + k), e = I * P, w = 1 / (v + error2 * e * e), r = single(counts, at) - e;
          const jx = -I * single(px, m * s + k), jy = -I * single(py, m * s + k);
          a11 += w * P * P;
          a12 += w * P * jx;
          a13 += w * P * jy;
          a22 += w * jx * jx;
          a23 += w * jx * jy;
          a33 += w * jy * jy;
          g1 += w * P * r;
          g2 += w * jx * r;
          g3 += w * jy * r;
        }
      if (!(a11 > 0)) break;
      // The intensity is eliminated; two equations are left.
      const h22 = a22 - (a12 * a12) / a11, h23 = a23 - (a12 * a13) / a11, h33 = a33 - (a13 * a13) / a11;
      const u = g2 - (a12 * g1) / a11, v = g3 - (a13 * g1) / a11, det = h22 * h33 - h23 * h23;
      if (!(det > 1e-6 * h22 * h33)) break;
      const dx = limit((u * h33 - v * h23) / det), dy = limit((v * h22 - u * h23) / det);
      put(xs, i, x + dx);
      put(ys, i, y + dy);
      put(intensity, i, max<f64>(0.2 * I, I + (g1 - a12 * dx - a13 * dy) / a11));
    }
  }
}

/** Four neighbours of v at kx … kx + 3, two places at a time, onto the seven (dx −3 … 3) or last four planes at `to`; w: the weights of x. */
function spread(v: usize, to: usize, n: i32, half: bool, w0: f64, w1: f64, w2: f64, w3: f64): void {
  const s = n + 3, plane = <usize>(n * (n + 1)) << 3;
  const p00 = f64x2.splat(w0 * w0), p11 = f64x2.splat(w1 * w1), p22 = f64x2.splat(w2 * w2), p33 = f64x2.splat(w3 * w3);
  const p01 = f64x2.splat(w0 * w1), p12 = f64x2.splat(w1 * w2), p23 = f64x2.splat(w2 * w3);
  const p02 = f64x2.splat(w0 * w2), p13 = f64x2.splat(w1 * w3), p03 = f64x2.splat(w0 * w3);
  for (let ky: i32 = 0; ky < n; ky++) {
    const from = v + (<usize>(ky * s) << 3), row = to + (<usize>(ky * (n + 1)) << 3);
    for (let kx: i32 = 0; kx < n; kx += 2) {
      const at = from + (<usize>kx << 3);
      const v0 = v128.load(at), v1 = v128.load(at, 8), v2 = v128.load(at, 16), v3 = v128.load(at, 24);
      let o = row + (<usize>kx << 3);
      if (!half) {
        v128.store(o, f64x2.add(v128.load(o), f64x2.mul(p03, v0)));
        o += plane;
        v128.store(o, f64x2.add(v128.load(o), f64x2.add(f64x2.mul(p02, v1), f64x2.mul(p13, v0))));
        o += plane;
        v128.store(o, f64x2.add(v128.load(o), f64x2.add(f64x2.add(f64x2.mul(p01, v2), f64x2.mul(p12, v1)), f64x2.mul(p23, v0))));
        o += plane;
      }
      const sum = f64x2.add(f64x2.add(f64x2.add(f64x2.mul(p00, v3), f64x2.mul(p11, v2)), f64x2.mul(p22, v1)), f64x2.mul(p33, v0));
      v128.store(o, f64x2.add(v128.load(o), sum));
      o += plane;
      v128.store(o, f64x2.add(v128.load(o), f64x2.add(f64x2.add(f64x2.mul(p01, v3), f64x2.mul(p12, v2)), f64x2.mul(p23, v1))));
      o += plane;
      v128.store(o, f64x2.add(v128.load(o), f64x2.add(f64x2.mul(p02, v3), f64x2.mul(p13, v2))));
      o += plane;
      v128.store(o, f64x2.add(v128.load(o), f64x2.mul(p03, v3)));
    }
  }
}

/**
 * Adds all spots to the normal equations of their profile: counts = I Σ c_k β(pixel − centre − k). The weights of x and y are the same for all pixels of a
 * spot, so the matrix at an offset (dx, dy) of two coefficients is the picture of the pixels' weights, filtered along y and then along x.
 * planes: f64 [25, n, n + 1], offsets (0 … 3, 0) and (−3 … 3, 1 … 3); b: f64 [n, n + 1]; work: f64 [3 s² + 4], scratch; p, rows as in `recentre`.
 */
export function equations(c: usize, size: i32, counts: usize, variance: usize, corners: usize, edge: i32, xs: usize, ys: usize, intensity: usize, count: i32, error2: f64, planes: usize, b: usize, p: usize, rows: usize, work: usize): void {
  const s = size - 3, n = s - 3, reach = (s - 4) / 2 + 1, image = <usize>(s * s) << 3, plane = <usize>(n * (n + 1)) << 3;
  const W = work, R = work + image, V = work + 2 * image;
  memory.fill(V, 0, image + 32);
  for (let i: i32 = 0; i < count; i++) {
    const cx = load<i32>(corners + (<usize>i << 3)), cy = load<i32>(corners + (<usize>i << 3), 4), cut = i * edge * edge;
    const x = f(xs, i), y = f(ys, i), fx = x - floor(x), fy = y - floor(y), I = f(intensity, i);
    const ox = <i32>floor(x) - reach, oy = <i32>floor(y) - reach;
    stamp(c, size, fx, fy, false, false, p, rows);
    memory.fill(W, 0, 2 * image);
    const m0 = max<i32>(0, cy - oy), m1 = min<i32>(s, cy + edge - oy), k0 = max<i32>(0, cx - ox), k1 = min<i32>(s, cx + edge - ox);
    for (let m = m0; m < m1; m++)
      for (let k = k0; k < k1; k++) {
        const at = cut + (oy + m - cy) * edge + ox + k - cx, v = single(variance, at);
        if (!(v > 0)) continue;
        const e = I * single(p, m * s + k), w = I / (v + error2 * e * e);
        put(W, m * s + k, w * I);
        put(R, m * s + k, w * single(counts, at));
      }
    const x0 = weight(0, fx, false), x1 = weight(1, fx, false), x2 = weight(2, fx, false), x3 = weight(3, fx, false);
    const y0 = weight(0, fy, false), y1 = weight(1, fy, false), y2 = weight(2, fy, false), y3 = weight(3, fy, false);
    filter(W, V, n, y0 * y0, y1 * y1, y2 * y2, y3 * y3);
    spread(V, planes, n, true, x0, x1, x2, x3);
    filter(W, V, n, y0 * y1, y1 * y2, y2 * y3, 0);
    spread(V, planes + 4 * plane, n, false, x0, x1, x2, x3);
    filter(W, V, n, y0 * y2, y1 * y3, 0, 0);
    spread(V, planes + 11 * plane, n, false, x0, x1, x2, x3);
    filter(W, V, n, y0 * y3, 0, 0, 0);
    spread(V, planes + 18 * plane, n, false, x0, x1, x2, x3);
    filter(R, V, n, y0, y1, y2, y3);
    for (let ky: i32 = 0; ky < n; ky++) {
      const from = V + (<usize>(ky * s) << 3);
      for (let kx: i32 = 0; kx < n; kx++) {
        const at = ky * (n + 1) + kx;
        put(b, at, f(b, at) + (x0 * f(from, kx + 3) + x1 * f(from, kx + 2) + x2 * f(from, kx + 1) + x3 * f(from, kx)));
      }
    }
  }
}

/** out[ky] = a·in[ky + 3] + b·in[ky + 2] + c·in[ky + 1] + d·in[ky] over rows of n + 3 numbers. */
function filter(image: usize, out: usize, n: i32, a: f64, b: f64, c: f64, d: f64): void {
  const s = n + 3, row = <usize>s << 3, end = <usize>(n * s) << 3;
  const wa = f64x2.splat(a), wb = f64x2.splat(b), wc = f64x2.splat(c), wd = f64x2.splat(d);
  for (let o: usize = 0; o < end; o += 16) {
    const p = image + o;
    const v = f64x2.add(f64x2.mul(wa, v128.load(p + 3 * row)), f64x2.mul(wb, v128.load(p + 2 * row)));
    v128.store(out + o, f64x2.add(f64x2.add(v, f64x2.mul(wc, v128.load(p + row))), f64x2.mul(wd, v128.load(p))));
  }
}

/**
 * Solution c of the normal equations with a pull of relative strength `pull` towards prior f64 [n, n], by band Cholesky, scaled to the sum 1.
 * planes and b as in `equations`; a: f64 [n², 3n + 5], scratch; c: f64 [n, n].
 */
export function solve(planes: usize, b: usize, n: i32, pull: f64, prior: usize, a: usize, c: usize): void {
  const band = 3 * n + 4, width = band + 1, size = n * n, plane = n * (n + 1);
  memory.fill(a, 0, <usize>(size * width) << 3);
  for (let ky: i32 = 0; ky < n; ky++)
    for (let kx: i32 = 0; kx < n; kx++) {
      const i = ky * n + kx, at = ky * (n + 1) + kx;
      put(c, i, f(b, at));
      for (let dy: i32 = 0; dy < min<i32>(4, n - ky); dy++)
        for (let dx: i32 = max<i32>(dy == 0 ? 0 : -3, -kx); dx <= min<i32>(3, n - 1 - kx); dx++)
          put(a, i * width + dy * n + dx, f(planes, (dy == 0 ? dx : 7 * dy + dx) * plane + at));
    }
  let most: f64 = 0;
  for (let i: i32 = 0; i < size; i++) most = max<f64>(most, f(a, i * width));
  for (let i: i32 = 0; i < size; i++) {
    const d = f(a, i * width), extra = pull * d + 1e-9 * most;
    put(a, i * width, d + extra);
    put(c, i, f(c, i) + extra * f(prior, i));
  }
  for (let i: i32 = 0; i < size; i++) {
    const row = a + (<usize>(i * width) << 3), d = sqrt(max<f64>(f(row, 0), 1e-300)), end = min<i32>(band, size - i);
    for (let k: i32 = 0; k < end; k++) put(row, k, f(row, k) / d);
    const here = f(c, i) / d;
    put(c, i, here);
    for (let k: i32 = 1; k < end; k++) {
      const v = f(row, k), to = a + (<usize>((i + k) * width) << 3), from = row + (<usize>k << 3);
      const w = f64x2.splat(v), bytes = <usize>((band - k + 1) & ~1) << 3;
      for (let o: usize = 0; o < bytes; o += 16) v128.store(to + o, f64x2.sub(v128.load(to + o), f64x2.mul(w, v128.load(from + o))));
      put(c, i + k, f(c, i + k) - v * here);
    }
  }
  let sum: f64 = 0;
  for (let i = size - 1; i >= 0; i--) {
    let v = f(c, i);
    for (let k: i32 = 1; k < min<i32>(band, size - i); k++) v -= f(a, i * width + k) * f(c, i + k);
    put(c, i, v / f(a, i * width));
  }
  for (let i: i32 = 0; i < size; i++) sum += f(c, i);
  for (let i: i32 = 0; i < size; i++) put(c, i, f(c, i) / sum);
}
