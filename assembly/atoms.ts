// Gaussian atoms on projections. Each atom of a view owns a patch of W × W pixels (W a multiple of 4) of a padded f32 image.
// g: f32 [n, 2W], the normalised Gaussian along x then along y; frac: f32 [n, 2], its centre within the patch;
// origin: i32 [n], the index of the patch's first pixel.

/** exp of a number <= 0, the same bits as the twin: only + and × on the way. */
function expNegative(x: f64): f64 {
  if (x < -80) return 0;
  const k = Math.floor(x * 1.4426950408889634 + 0.5);
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  let s: f64 = 1.6059043836821613e-10;
  s = s * r + 2.08767569878681e-9;
  s = s * r + 2.505210838544172e-8;
  s = s * r + 2.755731922398589e-7;
  s = s * r + 2.7557319223985893e-6;
  s = s * r + 2.48015873015873e-5;
  s = s * r + 1.984126984126984e-4;
  s = s * r + 1.388888888888889e-3;
  s = s * r + 8.333333333333333e-3;
  s = s * r + 4.1666666666666664e-2;
  s = s * r + 0.16666666666666666;
  s = s * r + 0.5;
  s = s * r + 1;
  s = s * r + 1;
  return s * reinterpret<f64>((<i64>k + 1023) << 52);
}

/** Patches of n atoms: centres f64 [n, 2] in pixels (x, y) of the unpadded image, width f64 [n] (σ in pixels). */
export function patches(n: i32, centres: usize, width: usize, W: i32, ny: i32, nx: i32, pad: i32, origin: usize, g: usize, frac: usize): void {
  const px = nx + 2 * pad, py = ny + 2 * pad;
  for (let a: i32 = 0; a < n; a++) {
    const cx = load<f64>(centres + (<usize>a << 4)), cy = load<f64>(centres + (<usize>a << 4) + 8);
    const s = load<f64>(width + (<usize>a << 3)), f = -0.5 / (s * s), norm = 0.3989422804014327 / s;
    const row = g + <usize>(a * 2 * W) * 4;
    const x0f = Math.floor(cx) - <f64>(W / 2 - 1), y0f = Math.floor(cy) - <f64>(W / 2 - 1);
    const inside = x0f >= <f64>-pad && y0f >= <f64>-pad && x0f + <f64>(W + pad) <= <f64>px && y0f + <f64>(W + pad) <= <f64>py;
    if (!inside) {
      memory.fill(row, 0, <usize>(8 * W));
      store<i32>(origin + (<usize>a << 2), 0);
      store<f32>(frac + (<usize>a << 3), 0);
      store<f32>(frac + (<usize>a << 3) + 4, 0);
      continue;
    }
    const dx = cx - x0f, dy = cy - y0f;
    store<i32>(origin + (<usize>a << 2), (<i32>y0f + pad) * px + <i32>x0f + pad);
    store<f32>(frac + (<usize>a << 3), <f32>dx);
    store<f32>(frac + (<usize>a << 3) + 4, <f32>dy);
    for (let k: i32 = 0; k < W; k++) {
      const u = <f64>k - dx, v = <f64>k - dy;
      store<f32>(row + (<usize>k << 2), <f32>(norm * expNegative(f * u * u)));
      store<f32>(row + (<usize>(W + k) << 2), <f32>(norm * expNegative(f * v * v)));
    }
  }
}

/** image += Σ g_x g_y (c0 + c1 k + c2 l + c3 (k² + l²)), k and l from the centre in pixels; c: f32 [n, 4]; scratch: f32 [W]. */
export function forward(n: i32, W: i32, stride: i32, origin: usize, g: usize, frac: usize, c: usize, image: usize, scratch: usize): void {
  const iota = f32x4(0, 1, 2, 3);
  for (let a: i32 = 0; a < n; a++) {
    const gx = g + <usize>(a * 2 * W) * 4, gy = gx + (<usize>W << 2), ca = c + (<usize>a << 4);
    const c0 = v128.load32_splat(ca), c1 = v128.load32_splat(ca + 4), c2 = load<f32>(ca + 8), c3 = load<f32>(ca + 12), c3v = f32x4.splat(c3);
    const dx = v128.load32_splat(frac + (<usize>a << 3)), dy = load<f32>(frac + (<usize>a << 3) + 4);
    for (let k: i32 = 0; k < W; k += 4) {
      const kk = f32x4.sub(f32x4.add(iota, f32x4.splat(<f32>k)), dx);
      const p = f32x4.add(c0, f32x4.mul(kk, f32x4.add(c1, f32x4.mul(kk, c3v))));
      v128.store(scratch + (<usize>k << 2), f32x4.mul(v128.load(gx + (<usize>k << 2)), p));
    }
    let to = image + (<usize>load<i32>(origin + (<usize>a << 2)) << 2);
    for (let l: i32 = 0; l < W; l++, to += <usize>stride << 2) {
      const h = load<f32>(gy + (<usize>l << 2)), ll = <f32>l - dy;
      const hv = f32x4.splat(h), qv = f32x4.splat(h * (ll * (c2 + ll * c3)));
      for (let k: usize = 0; k < <usize>W << 2; k += 16) {
        const sum = f32x4.add(f32x4.mul(v128.load(scratch + k), hv), f32x4.mul(v128.load(gx + k), qv));
        v128.store(to + k, f32x4.add(v128.load(to + k), sum));
      }
    }
  }
}

// @ts-ignore: decorator
@inline function lanes(v: v128): f32 {
  return (f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)) + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3));
}

/** out f32 [n, 4] = Σ image g_x g_y (1, k, l, k² + l²) over each patch. */
export function adjoint(n: i32, W: i32, stride: i32, origin: usize, g: usize, frac: usize, image: usize, out: usize): void {
  const iota = f32x4(0, 1, 2, 3);
  for (let a: i32 = 0; a < n; a++) {
    const gx = g + <usize>(a * 2 * W) * 4, gy = gx + (<usize>W << 2);
    const dx = v128.load32_splat(frac + (<usize>a << 3)), dy = load<f32>(frac + (<usize>a << 3) + 4);
    let from = image + (<usize>load<i32>(origin + (<usize>a << 2)) << 2);
    let m0 = f32x4.splat(0), m1 = f32x4.splat(0), m2 = f32x4.splat(0), m3 = f32x4.splat(0);
    for (let l: i32 = 0; l < W; l++, from += <usize>stride << 2) {
      let x0 = f32x4.splat(0), x1 = f32x4.splat(0), x2 = f32x4.splat(0);
      for (let k: i32 = 0; k < W; k += 4) {
        const kk = f32x4.sub(f32x4.add(iota, f32x4.splat(<f32>k)), dx);
        const x = f32x4.mul(v128.load(from + (<usize>k << 2)), v128.load(gx + (<usize>k << 2))), xk = f32x4.mul(x, kk);
        x0 = f32x4.add(x0, x);
        x1 = f32x4.add(x1, xk);
        x2 = f32x4.add(x2, f32x4.mul(xk, kk));
      }
      const h = load<f32>(gy + (<usize>l << 2)), ll = <f32>l - dy, hl = h * ll;
      m0 = f32x4.add(m0, f32x4.mul(x0, f32x4.splat(h)));
      m1 = f32x4.add(m1, f32x4.mul(x1, f32x4.splat(h)));
      m2 = f32x4.add(m2, f32x4.mul(x0, f32x4.splat(hl)));
      m3 = f32x4.add(m3, f32x4.add(f32x4.mul(x2, f32x4.splat(h)), f32x4.mul(x0, f32x4.splat(hl * ll))));
    }
    const o = out + (<usize>a << 4);
    store<f32>(o, lanes(m0));
    store<f32>(o + 4, lanes(m1));
    store<f32>(o + 8, lanes(m2));
    store<f32>(o + 12, lanes(m3));
  }
}

/** out f32 [n, 15] = Σ image g_x² g_y² k^p l^q, p + q <= 4, p outer: 00 01 02 03 04 10 11 12 13 20 21 22 30 31 40. */
export function moments(n: i32, W: i32, stride: i32, origin: usize, g: usize, frac: usize, image: usize, out: usize): void {
  const iota = f32x4(0, 1, 2, 3), zero = f32x4.splat(0);
  for (let a: i32 = 0; a < n; a++) {
    const gx = g + <usize>(a * 2 * W) * 4, gy = gx + (<usize>W << 2);
    const dx = v128.load32_splat(frac + (<usize>a << 3)), dy = load<f32>(frac + (<usize>a << 3) + 4);
    let from = image + (<usize>load<i32>(origin + (<usize>a << 2)) << 2);
    let a00 = zero, a01 = zero, a02 = zero, a03 = zero, a04 = zero, a10 = zero, a11 = zero, a12 = zero, a13 = zero;
    let a20 = zero, a21 = zero, a22 = zero, a30 = zero, a31 = zero, a40 = zero;
    for (let l: i32 = 0; l < W; l++, from += <usize>stride << 2) {
      let s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero;
      for (let k: i32 = 0; k < W; k += 4) {
        const kk = f32x4.sub(f32x4.add(iota, f32x4.splat(<f32>k)), dx), e = v128.load(gx + (<usize>k << 2));
        let y = f32x4.mul(v128.load(from + (<usize>k << 2)), f32x4.mul(e, e));
        s0 = f32x4.add(s0, y);
        y = f32x4.mul(y, kk);
        s1 = f32x4.add(s1, y);
        y = f32x4.mul(y, kk);
        s2 = f32x4.add(s2, y);
        y = f32x4.mul(y, kk);
        s3 = f32x4.add(s3, y);
        s4 = f32x4.add(s4, f32x4.mul(y, kk));
      }
      const h = load<f32>(gy + (<usize>l << 2)), ll = <f32>l - dy, f0 = h * h, f1 = f0 * ll, f2 = f1 * ll, f3 = f2 * ll;
      const q0 = f32x4.splat(f0), q1 = f32x4.splat(f1), q2 = f32x4.splat(f2), q3 = f32x4.splat(f3), q4 = f32x4.splat(f3 * ll);
      a00 = f32x4.add(a00, f32x4.mul(s0, q0));
      a01 = f32x4.add(a01, f32x4.mul(s0, q1));
      a02 = f32x4.add(a02, f32x4.mul(s0, q2));
      a03 = f32x4.add(a03, f32x4.mul(s0, q3));
      a04 = f32x4.add(a04, f32x4.mul(s0, q4));
      a10 = f32x4.add(a10, f32x4.mul(s1, q0));
      a11 = f32x4.add(a11, f32x4.mul(s1, q1));
      a12 = f32x4.add(a12, f32x4.mul(s1, q2));
      a13 = f32x4.add(a13, f32x4.mul(s1, q3));
      a20 = f32x4.add(a20, f32x4.mul(s2, q0));
      a21 = f32x4.add(a21, f32x4.mul(s2, q1));
      a22 = f32x4.add(a22, f32x4.mul(s2, q2));
      a30 = f32x4.add(a30, f32x4.mul(s3, q0));
      a31 = f32x4.add(a31, f32x4.mul(s3, q1));
      a40 = f32x4.add(a40, f32x4.mul(s4, q0));
    }
    const o = out + <usize>(a * 60);
    store<f32>(o, lanes(a00));
    store<f32>(o + 4, lanes(a01));
    store<f32>(o + 8, lanes(a02));
    store<f32>(o + 12, lanes(a03));
    store<f32>(o + 16, lanes(a04));
    store<f32>(o + 20, lanes(a10));
    store<f32>(o + 24, lanes(a11));
    store<f32>(o + 28, lanes(a12));
    store<f32>(o + 32, lanes(a13));
    store<f32>(o + 36, lanes(a20));
    store<f32>(o + 40, lanes(a21));
    store<f32>(o + 44, lanes(a22));
    store<f32>(o + 48, lanes(a30));
    store<f32>(o + 52, lanes(a31));
    store<f32>(o + 56, lanes(a40));
  }
}

/** image = weight · image, f32 [count], count a multiple of 4. */
export function weigh(count: i32, image: usize, weight: usize): void {
  for (let i: usize = 0; i < <usize>count << 2; i += 16) v128.store(image + i, f32x4.mul(v128.load(image + i), v128.load(weight + i)));
}

/** image = b0 + b1 x + b2 y with x, y from −½ to ½ over the unpadded image; b: f64 [3]. */
export function plane(ny: i32, nx: i32, pad: i32, b: usize, image: usize): void {
  const stride = nx + 2 * pad, ix = 1 / <f64>nx, iy = 1 / <f64>ny, b0 = load<f64>(b), b1 = load<f64>(b + 8), b2 = load<f64>(b + 16);
  let to = image;
  for (let y: i32 = -pad; y < ny + pad; y++) {
    const row = b0 + b2 * (<f64>y * iy - 0.5);
    for (let x: i32 = -pad; x < stride - pad; x++, to += 4) store<f32>(to, <f32>(row + b1 * (<f64>x * ix - 0.5)));
  }
}

/** out f64 [3] = Σ image (1, x, y) over the unpadded pixels: the transpose of `plane`. */
export function planeSums(ny: i32, nx: i32, pad: i32, image: usize, out: usize): void {
  const stride = nx + 2 * pad, ix = 1 / <f64>nx, iy = 1 / <f64>ny;
  let s0: f64 = 0, s1: f64 = 0, s2: f64 = 0;
  for (let y: i32 = 0; y < ny; y++) {
    let from = image + (<usize>((y + pad) * stride + pad) << 2), r0: f64 = 0, r1: f64 = 0;
    for (let x: i32 = 0; x < nx; x++, from += 4) {
      const v = <f64>load<f32>(from);
      r0 += v;
      r1 += v * (<f64>x * ix - 0.5);
    }
    s0 += r0;
    s1 += r1;
    s2 += r0 * (<f64>y * iy - 0.5);
  }
  store<f64>(out, s0);
  store<f64>(out + 8, s1);
  store<f64>(out + 16, s2);
}

/** image = weight (data − model) over the unpadded pixels, 0 elsewhere; returns Σ weight (data − model)². */
export function residual(ny: i32, nx: i32, pad: i32, data: usize, model: usize, weight: usize, image: usize): f64 {
  const stride = nx + 2 * pad;
  memory.fill(image, 0, <usize>(stride * (ny + 2 * pad)) << 2);
  let sum: f64 = 0;
  for (let y: i32 = 0; y < ny; y++) {
    let o = <usize>((y + pad) * stride + pad) << 2, row: f64 = 0;
    for (let x: i32 = 0; x < nx; x++, o += 4) {
      const d = load<f32>(data + o) - load<f32>(model + o), w = load<f32>(weight + o) * d;
      store<f32>(image + o, w);
      row += <f64>w * <f64>d;
    }
    sum += row;
  }
  return sum;
}

/** One factor of the normal matrix of a view: image = weight · (plane(b) + forward(c)), then out = adjoint(image), sums = planeSums(image). */
export function normal(n: i32, W: i32, ny: i32, nx: i32, pad: i32, count: i32, origin: usize, g: usize, frac: usize, c: usize, b: usize, image: usize, weight: usize, out: usize, sums: usize, scratch: usize): void {
  const stride = nx + 2 * pad;
  plane(ny, nx, pad, b, image);
  forward(n, W, stride, origin, g, frac, c, image, scratch);
  weigh(count, image, weight);
  adjoint(n, W, stride, origin, g, frac, image, out);
  planeSums(ny, nx, pad, image, sums);
}

/**
 * volume[z, y, x] += image at (ux x + uy y + uz z + u0, vx x + vy y + vz z + v0), bilinear, for sections z0 <= z < z1; zero outside.
 * image: f32, padded by `pad`, `stride` pixels a row, ny × nx inside.
 */
export function smear(volume: usize, z0: i32, z1: i32, sy: i32, sx: i32, ux: f64, uy: f64, uz: f64, u0: f64, vx: f64, vy: f64, vz: f64, v0: f64, image: usize, ny: i32, nx: i32, pad: i32): void {
  const stride = nx + 2 * pad, top = <f64>(nx - 1), right = <f64>(ny - 1);
  for (let z: i32 = z0; z < z1; z++)
    for (let y: i32 = 0; y < sy; y++) {
      let to = volume + (<usize>((z * sy + y) * sx) << 2);
      const ub = uy * <f64>y + uz * <f64>z + u0, vb = vy * <f64>y + vz * <f64>z + v0;
      for (let x: i32 = 0; x < sx; x++, to += 4) {
        const u = ux * <f64>x + ub, v = vx * <f64>x + vb;
        if (!(u >= 0 && v >= 0 && u <= top && v <= right)) continue;
        const iu = <i32>u, iv = <i32>v;
        const fu = <f32>(u - <f64>iu), fv = <f32>(v - <f64>iv);
        const p = image + (<usize>((iv + pad) * stride + iu + pad) << 2), q = p + (<usize>stride << 2);
        const a = load<f32>(p), b = load<f32>(q);
        const r = a + fu * (load<f32>(p + 4) - a), s = b + fu * (load<f32>(q + 4) - b);
        store<f32>(to, load<f32>(to) + (r + fv * (s - r)));
      }
    }
}
