// Spot search: local background by running box sums with clipping, and candidate maxima. Flat f32 frames [ny, nx].

/** Mark the pixels of one row that stand out of `level`; write kept counts and weights (0 or 1). */
// @ts-ignore: decorator
@inline
function markRow(data: usize, level: usize, mask: usize, kept: usize, weight: usize, nx: i32, first: bool, c2gain: f32, c2psi: f32): void {
  const floor = f32x4.splat(0.25), zero = f32x4.splat(0), one = f32x4.splat(1);
  const cg = f32x4.splat(c2gain), cp = f32x4.splat(c2psi);
  let x: i32 = 0;
  for (; x + 4 <= nx; x += 4) {
    const o = <usize>(x << 2);
    const v = v128.load(data + o);
    let out = f32x4.splat(0);
    if (!first) {
      const l = v128.load(level + o);
      const d = f32x4.sub(v, l);
      out = v128.and(f32x4.gt(d, zero), f32x4.gt(f32x4.mul(d, d), f32x4.add(f32x4.mul(cg, f32x4.max(l, floor)), cp)));
    }
    if (mask) {
      const m = i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(mask + <usize>x)));
      out = v128.or(out, i32x4.ne(m, i32x4.splat(0)));
    }
    v128.store(kept + o, v128.andnot(v, out));
    v128.store(weight + o, v128.andnot(one, out));
  }
  for (; x < nx; x++) {
    const o = <usize>(x << 2);
    const v = load<f32>(data + o);
    let out = false;
    if (!first) {
      const l = load<f32>(level + o), d = v - l;
      out = d > 0 && d * d > c2gain * max<f32>(l, 0.25) + c2psi;
    }
    if (mask && load<u8>(mask + <usize>x)) out = true;
    store<f32>(kept + o, out ? 0 : v);
    store<f32>(weight + o, out ? 0 : 1);
  }
}

/** columns[x] += sign · row[x], f64 += f32. */
// @ts-ignore: decorator
@inline
function addRow(columns: usize, row: usize, nx: i32, sign: f64): void {
  const s = f64x2.splat(sign);
  let x: i32 = 0;
  for (; x + 2 <= nx; x += 2) {
    const c = columns + <usize>(x << 3);
    const v = f64x2.promote_low_f32x4(v128.load64_zero(row + <usize>(x << 2)));
    v128.store(c, f64x2.add(v128.load(c), f64x2.mul(s, v)));
  }
  for (; x < nx; x++) {
    const c = columns + <usize>(x << 3);
    store<f64>(c, load<f64>(c) + sign * <f64>load<f32>(row + <usize>(x << 2)));
  }
}

/**
 * Clipped local mean. data, level, kept, weight: f32 [ny, nx]; mask: u8 [ny, nx] or 0; excluded: u8 [ny, nx], written;
 * columns, counts: f64 [nx] scratch.
 */
export function background(data: usize, level: usize, excluded: usize, kept: usize, weight: usize, mask: usize, columns: usize, counts: usize, ny: i32, nx: i32, h: i32, rounds: i32, c2gain: f32, c2psi: f32): void {
  const stride = <usize>(nx << 2);
  for (let round: i32 = 0; round < rounds; round++) {
    memory.fill(columns, 0, <usize>(nx << 3));
    memory.fill(counts, 0, <usize>(nx << 3));
    let entered: i32 = 0;
    for (let y: i32 = 0; y < ny; y++) {
      for (; entered <= min<i32>(y + h, ny - 1); entered++) {
        const o = <usize>entered * stride;
        markRow(data + o, level + o, mask ? mask + <usize>(entered * nx) : 0, kept + o, weight + o, nx, round == 0, c2gain, c2psi);
        addRow(columns, kept + o, nx, 1);
        addRow(counts, weight + o, nx, 1);
      }
      if (y - h - 1 >= 0) {
        const o = <usize>(y - h - 1) * stride;
        addRow(columns, kept + o, nx, -1);
        addRow(counts, weight + o, nx, -1);
      }
      let s: f64 = 0, n: f64 = 0;
      for (let x: i32 = 0; x < min<i32>(h, nx); x++) {
        s += load<f64>(columns + <usize>(x << 3));
        n += load<f64>(counts + <usize>(x << 3));
      }
      let l = level + <usize>y * stride;
      for (let x: i32 = 0; x < nx; x++) {
        if (x + h < nx) {
          s += load<f64>(columns + <usize>((x + h) << 3));
          n += load<f64>(counts + <usize>((x + h) << 3));
        }
        if (x - h - 1 >= 0) {
          s -= load<f64>(columns + <usize>((x - h - 1) << 3));
          n -= load<f64>(counts + <usize>((x - h - 1) << 3));
        }
        if (n > 0) store<f32>(l, <f32>(s / n));
        l += 4;
      }
    }
  }
  for (let y: i32 = 0; y < ny; y++) {
    const o = <usize>y * stride, row = <usize>(y * nx);
    markRow(data + o, level + o, mask ? mask + row : 0, kept + o, weight + o, nx, false, c2gain, c2psi);
    for (let x: i32 = 0; x < nx; x++) store<u8>(excluded + row + <usize>x, load<f32>(weight + o + <usize>(x << 2)) == 0 ? 1 : 0);
  }
}

/** Sum of the 3 × 3 pixels about p. */
// @ts-ignore: decorator
@inline
function nine(p: usize, stride: usize): f32 {
  const u = p - stride, d = p + stride;
  return (load<f32>(u - 4) + load<f32>(u) + load<f32>(u + 4)) + (load<f32>(p - 4) + load<f32>(p) + load<f32>(p + 4)) + (load<f32>(d - 4) + load<f32>(d) + load<f32>(d + 4));
}

/**
 * Indices of local maxima of the 3 × 3 sum of the excess over the level, where that sum is significant. excess: f32 [ny, nx], written.
 * Returns how many there are; at most `cap` are stored in out (i32).
 */
export function candidates(data: usize, level: usize, excluded: usize, mask: usize, excess: usize, out: usize, cap: i32, ny: i32, nx: i32, k2: f32, gain: f32, psi: f32): i32 {
  const n = ny * nx, stride = <usize>(nx << 2);
  for (let i: i32 = 0; i < n; i++) {
    const o = <usize>(i << 2);
    store<f32>(excess + o, mask && load<u8>(mask + <usize>i) ? 0 : load<f32>(data + o) - load<f32>(level + o));
  }
  let count: i32 = 0;
  for (let y: i32 = 2; y < ny - 2; y++) {
    for (let x: i32 = 2; x < nx - 2; x++) {
      const i = y * nx + x;
      if (!load<u8>(excluded + <usize>i)) continue;
      const p = excess + <usize>(i << 2);
      if (load<f32>(p) <= 0) continue;
      const sum = nine(p, stride);
      if (sum <= 0) continue;
      const counts = sum / 9 + load<f32>(level + <usize>(i << 2));
      if (sum * sum < k2 * 9 * (gain * max<f32>(counts, 0.25) + psi)) continue;
      let top = true;
      for (let dy: i32 = -1; dy <= 1 && top; dy++) {
        for (let dx: i32 = -1; dx <= 1; dx++) {
          if (dx == 0 && dy == 0) continue;
          const m = nine(p + <usize>((dy * nx + dx) << 2), stride);
          if (m > sum || (m == sum && (dy < 0 || (dy == 0 && dx < 0)))) {
            top = false;
            break;
          }
        }
      }
      if (!top) continue;
      if (count < cap) store<i32>(out + <usize>(count << 2), i);
      count++;
    }
  }
  return count;
}
