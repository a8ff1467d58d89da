// Sums over frames, blocks of pixels, whole images, and products with a template: f64 sums of f32 pixels.

/** sum[i] += frames[k, i] and, unless null, squares[i] += frames[k, i]²; f64 sums of n frames of `size` pixels. */
export function accumulate(sum: usize, squares: usize, frames: usize, n: i32, size: i32): void {
  for (let k: i32 = 0; k < n; k++) {
    const f = frames + (<usize>k * <usize>size << 2);
    let i: i32 = 0;
    for (; i + 2 <= size; i += 2) {
      const o = <usize>i << 3;
      const v = f64x2.promote_low_f32x4(v128.load64_zero(f + (<usize>i << 2)));
      v128.store(sum + o, f64x2.add(v128.load(sum + o), v));
      if (squares) v128.store(squares + o, f64x2.add(v128.load(squares + o), f64x2.mul(v, v)));
    }
    for (; i < size; i++) {
      const o = <usize>i << 3, v = <f64>load<f32>(f + (<usize>i << 2));
      store<f64>(sum + o, load<f64>(sum + o) + v);
      if (squares) store<f64>(squares + o, load<f64>(squares + o) + v * v);
    }
  }
}

/**
 * Sums over factor × factor pixels, whole blocks only: out f32 and bad u8 of shape [ny / factor, nx / factor]. Pixels with mask ≠ 0 are
 * left out and the sum is scaled to the full block; a block with a pixel at or above `saturation`, or with none good, is bad.
 */
export function bin(data: usize, mask: usize, out: usize, bad: usize, ny: i32, nx: i32, factor: i32, saturation: f32): void {
  const by = ny / factor, bx = nx / factor, full = <f64>(factor * factor);
  for (let y: i32 = 0; y < by; y++) {
    for (let x: i32 = 0; x < bx; x++) {
      let s: f64 = 0, n: i32 = 0, over = false;
      for (let j: i32 = 0; j < factor; j++) {
        const at = (y * factor + j) * nx + x * factor;
        for (let i = at; i < at + factor; i++) {
          if (mask && load<u8>(mask + <usize>i)) continue;
          const v = load<f32>(data + (<usize>i << 2));
          if (v >= saturation) over = true;
          s += v;
          n++;
        }
      }
      const o = <usize>(y * bx + x);
      store<f32>(out + (o << 2), n > 0 ? <f32>(s * (full / <f64>n)) : <f32>NaN);
      store<u8>(bad + o, over || n == 0 ? 1 : 0);
    }
  }
}

/** count, sum, sum of squares, least and greatest of the good finite pixels, to out f64 [5]. */
export function totals(data: usize, mask: usize, n: i32, out: usize): void {
  let count: f64 = 0, s: f64 = 0, q: f64 = 0, low: f64 = Infinity, high: f64 = -Infinity;
  for (let i: i32 = 0; i < n; i++) {
    if (mask && load<u8>(mask + <usize>i)) continue;
    const v = <f64>load<f32>(data + (<usize>i << 2));
    if (v - v != 0) continue;
    count += 1;
    s += v;
    q += v * v;
    low = min<f64>(low, v);
    high = max<f64>(high, v);
  }
  store<f64>(out, count);
  store<f64>(out, s, 8);
  store<f64>(out, q, 16);
  store<f64>(out, low, 24);
  store<f64>(out, high, 32);
}

/** out[dy + ry, dx + rx] = Σ template[y, x]·data[y0 + y + dy, x0 + x + dx] for |dy| <= ry, |dx| <= rx, all inside; f64 sums of f32 products. */
export function match(data: usize, nx: i32, y0: i32, x0: i32, template: usize, ty: i32, tx: i32, ry: i32, rx: i32, out: usize): void {
  for (let dy = -ry; dy <= ry; dy++) {
    for (let dx = -rx; dx <= rx; dx++) {
      let total: f64 = 0;
      for (let y: i32 = 0; y < ty; y++) {
        const a = template + (<usize>(y * tx) << 2), b = data + (<usize>((y0 + y + dy) * nx + x0 + dx) << 2);
        let acc = f64x2.splat(0), x: i32 = 0;
        for (; x + 2 <= tx; x += 2) {
          const o = <usize>(x << 2);
          acc = f64x2.add(acc, f64x2.mul(f64x2.promote_low_f32x4(v128.load64_zero(a + o)), f64x2.promote_low_f32x4(v128.load64_zero(b + o))));
        }
        total += f64x2.extract_lane(acc, 0) + f64x2.extract_lane(acc, 1);
        for (; x < tx; x++) total += <f64>load<f32>(a + <usize>(x << 2)) * <f64>load<f32>(b + <usize>(x << 2));
      }
      store<f64>(out + (<usize>((dy + ry) * (2 * rx + 1) + dx + rx) << 3), total);
    }
  }
}
