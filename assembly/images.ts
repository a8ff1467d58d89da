// Image kernels on flat f32 images [ny, nx]. Rows are handled in blocks of 16 pixels: a block may read and write up to 15 values past the
// end of its row, so every image and row buffer here has 64 bytes of slack behind it, and rows are written in ascending order.
export { accumulate, bin, match, totals } from "./lib/images-sums";

/** Index i outside 0…n−1 by the edge rule: 0 zero (−1), 1 mirrored about the edge (b a | a b), 2 nearest. */
// @ts-ignore: decorator
@inline
function edge(i: i32, n: i32, rule: i32): i32 {
  if (i >= 0 && i < n) return i;
  if (rule == 0) return -1;
  if (rule == 2) return i < 0 ? 0 : n - 1;
  const period = 2 * n;
  let j = i % period;
  if (j < 0) j += period;
  return j < n ? j : period - 1 - j;
}

/** Fill the r values on both sides of a row buffer whose middle (nx values at row + 4r) is set. */
function padRow(row: usize, nx: i32, r: i32, rule: i32): void {
  const mid = row + <usize>(r << 2);
  for (let k: i32 = 1; k <= r; k++) {
    const a = edge(-k, nx, rule), b = edge(nx - 1 + k, nx, rule);
    store<f32>(mid - <usize>(k << 2), a < 0 ? 0 : load<f32>(mid + <usize>(a << 2)));
    store<f32>(mid + <usize>((nx - 1 + k) << 2), b < 0 ? 0 : load<f32>(mid + <usize>(b << 2)));
  }
}

/**
 * Separable correlation: out[y, x] = Σ wx[j] Σ wy[k] data[y + k − ry, x + j − rx]. wy: f32 [2ry+1], wx: f32 [2rx+1];
 * row: f32 [nx + 2rx] scratch; rows: u32 [2ry+1] scratch; zeros: f32 [nx] of zeros.
 */
export function separable(data: usize, out: usize, wy: usize, ry: i32, wx: usize, rx: i32, ny: i32, nx: i32, rule: i32, row: usize, rows: usize, zeros: usize): void {
  const stride = <usize>(nx << 2), ty = 2 * ry + 1, tx = 2 * rx + 1;
  const mid = row + <usize>(rx << 2);
  for (let y: i32 = 0; y < ny; y++) {
    for (let k: i32 = 0; k < ty; k++) {
      const s = edge(y + k - ry, ny, rule);
      store<u32>(rows + <usize>(k << 2), <u32>(s < 0 ? zeros : data + <usize>s * stride));
    }
    for (let x: i32 = 0; x < nx; x += 16) {
      const o = <usize>(x << 2);
      let p = <usize>load<u32>(rows) + o, w = v128.load32_splat(wy);
      let a = f32x4.mul(w, v128.load(p)), b = f32x4.mul(w, v128.load(p, 16)), c = f32x4.mul(w, v128.load(p, 32)), d = f32x4.mul(w, v128.load(p, 48));
      for (let k: i32 = 1; k < ty; k++) {
        p = <usize>load<u32>(rows + <usize>(k << 2)) + o;
        w = v128.load32_splat(wy + <usize>(k << 2));
        a = f32x4.add(a, f32x4.mul(w, v128.load(p)));
        b = f32x4.add(b, f32x4.mul(w, v128.load(p, 16)));
        c = f32x4.add(c, f32x4.mul(w, v128.load(p, 32)));
        d = f32x4.add(d, f32x4.mul(w, v128.load(p, 48)));
      }
      v128.store(mid + o, a);
      v128.store(mid + o, b, 16);
      v128.store(mid + o, c, 32);
      v128.store(mid + o, d, 48);
    }
    padRow(row, nx, rx, rule);
    const q = out + <usize>y * stride;
    for (let x: i32 = 0; x < nx; x += 16) {
      const o = <usize>(x << 2);
      let p = row + o, w = v128.load32_splat(wx);
      let a = f32x4.mul(w, v128.load(p)), b = f32x4.mul(w, v128.load(p, 16)), c = f32x4.mul(w, v128.load(p, 32)), d = f32x4.mul(w, v128.load(p, 48));
      for (let k: i32 = 1; k < tx; k++) {
        p += 4;
        w = v128.load32_splat(wx + <usize>(k << 2));
        a = f32x4.add(a, f32x4.mul(w, v128.load(p)));
        b = f32x4.add(b, f32x4.mul(w, v128.load(p, 16)));
        c = f32x4.add(c, f32x4.mul(w, v128.load(p, 32)));
        d = f32x4.add(d, f32x4.mul(w, v128.load(p, 48)));
      }
      v128.store(q + o, a);
      v128.store(q + o, b, 16);
      v128.store(q + o, c, 32);
      v128.store(q + o, d, 48);
    }
  }
}

/** Copy data [ny, nx] to the padded image [ny + 2ry, nx + 2rx], the border by the edge rule (or `fill` for rule 0). */
export function pad(data: usize, padded: usize, ny: i32, nx: i32, ry: i32, rx: i32, rule: i32, fill: f32): void {
  const px = nx + 2 * rx;
  for (let y: i32 = -ry; y < ny + ry; y++) {
    const s = edge(y, ny, rule);
    const to = padded + (<usize>((y + ry) * px) << 2);
    if (s < 0) {
      for (let x: i32 = 0; x < px; x++) store<f32>(to + <usize>(x << 2), fill);
      continue;
    }
    const from = data + (<usize>(s * nx) << 2);
    memory.copy(to + <usize>(rx << 2), from, <usize>(nx << 2));
    for (let k: i32 = 1; k <= rx; k++) {
      const a = edge(-k, nx, rule), b = edge(nx - 1 + k, nx, rule);
      store<f32>(to + <usize>((rx - k) << 2), a < 0 ? fill : load<f32>(from + <usize>(a << 2)));
      store<f32>(to + <usize>((rx + nx - 1 + k) << 2), b < 0 ? fill : load<f32>(from + <usize>(b << 2)));
    }
  }
}

/** Correlation with a small kernel w [2ry+1, 2rx+1]; padded: f32 [ny + 2ry, nx + 2rx]. Zero weights cost nothing. */
export function correlate(padded: usize, out: usize, w: usize, ny: i32, nx: i32, ry: i32, rx: i32): void {
  const px = nx + 2 * rx, stride = <usize>(px << 2);
  for (let y: i32 = 0; y < ny; y++) {
    const q = out + (<usize>(y * nx) << 2), base = padded + <usize>y * stride;
    for (let x: i32 = 0; x < nx; x += 16) {
      const o = <usize>(x << 2);
      let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
      let wp = w;
      for (let j: i32 = 0; j <= 2 * ry; j++) {
        let p = base + <usize>j * stride + o;
        for (let k: i32 = 0; k <= 2 * rx; k++, p += 4, wp += 4) {
          const s = load<f32>(wp);
          if (s == 0) continue;
          const v = f32x4.splat(s);
          a = f32x4.add(a, f32x4.mul(v, v128.load(p)));
          b = f32x4.add(b, f32x4.mul(v, v128.load(p, 16)));
          c = f32x4.add(c, f32x4.mul(v, v128.load(p, 32)));
          d = f32x4.add(d, f32x4.mul(v, v128.load(p, 48)));
        }
      }
      v128.store(q + o, a);
      v128.store(q + o, b, 16);
      v128.store(q + o, c, 32);
      v128.store(q + o, d, 48);
    }
  }
}

// @ts-ignore: decorator
@inline
function pick(a: v128, b: v128, high: bool): v128 {
  return high ? f32x4.max(a, b) : f32x4.min(a, b);
}

/** to[x] = extreme of a[x] and b[x], n values rounded up to 16. */
function pickRow(to: usize, a: usize, b: usize, n: i32, high: bool): void {
  const bytes = <usize>(n << 2);
  for (let o: usize = 0; o < bytes; o += 64) {
    v128.store(to + o, pick(v128.load(a + o), v128.load(b + o), high));
    v128.store(to + o, pick(v128.load(a + o, 16), v128.load(b + o, 16), high), 16);
    v128.store(to + o, pick(v128.load(a + o, 32), v128.load(b + o, 32), high), 32);
    v128.store(to + o, pick(v128.load(a + o, 48), v128.load(b + o, 48), high), 48);
  }
}

/**
 * Minimum or maximum over windows (2ry+1) × (2rx+1), by doubling: log2 of the window passes. padded is overwritten: f32
 * [ny + 2ry, nx + 2rx] filled outside with the neutral value.
 */
export function extreme(padded: usize, out: usize, ny: i32, nx: i32, ry: i32, rx: i32, high: bool): void {
  const px = nx + 2 * rx, py = ny + 2 * ry, stride = <usize>(px << 2);
  const wx = 2 * rx + 1, wy = 2 * ry + 1;
  for (let y: i32 = 0; y < py; y++) {
    const row = padded + <usize>y * stride;
    let p: i32 = 1, left: i32 = px;
    // Each pass shortens the valid part of the row; what lies behind it must stay within this row, so the tail is done one by one.
    while (2 * p <= wx) {
      left -= p;
      rowPass(row, row + <usize>(p << 2), left, high);
      p *= 2;
    }
    if (p < wx) rowPass(row, row + <usize>((wx - p) << 2), nx, high);
  }
  let p: i32 = 1, rows: i32 = py;
  while (2 * p <= wy) {
    rows -= p;
    for (let y: i32 = 0; y < rows; y++) rowPass2(padded + <usize>y * stride, padded + <usize>(y + p) * stride, nx, high);
    p *= 2;
  }
  for (let y: i32 = 0; y < ny; y++)
    pickRow(out + (<usize>(y * nx) << 2), padded + <usize>y * stride, padded + <usize>(y + wy - p) * stride, nx, high);
}

/** row[x] = extreme(row[x], other[x]) for exactly n values; other lies in the same row, further right. */
function rowPass(row: usize, other: usize, n: i32, high: bool): void {
  let x: i32 = 0;
  for (; x + 4 <= n; x += 4) {
    const o = <usize>(x << 2);
    v128.store(row + o, pick(v128.load(row + o), v128.load(other + o), high));
  }
  for (; x < n; x++) {
    const o = <usize>(x << 2);
    const a = load<f32>(row + o), b = load<f32>(other + o);
    store<f32>(row + o, high ? max<f32>(a, b) : min<f32>(a, b));
  }
}
// @ts-ignore: decorator
@inline
function rowPass2(row: usize, other: usize, n: i32, high: bool): void {
  rowPass(row, other, n, high);
}

/** Order two vectors lane by lane: the smaller to the first address, the larger to the second. */
// @ts-ignore: decorator
@inline
function order(a: usize, b: usize): void {
  const u = v128.load(a), v = v128.load(b);
  v128.store(a, f32x4.min(u, v));
  v128.store(b, f32x4.max(u, v));
}

/**
 * Median over windows (2ry+1) × (2rx+1), four pixels at a time, by forgetful selection: of the first n/2 + 2 values drop the least and
 * the greatest, take in the next, and so on; what is left is the median. padded: f32 [ny + 2ry, nx + 2rx]; keep: v128 scratch [n/2 + 2].
 */
export function median(padded: usize, out: usize, ny: i32, nx: i32, ry: i32, rx: i32, keep: usize): void {
  const px = nx + 2 * rx, stride = <usize>(px << 2);
  const n = (2 * ry + 1) * (2 * rx + 1), size = n / 2 + 2, tx = 2 * rx + 1;
  for (let y: i32 = 0; y < ny; y++) {
    const base = padded + <usize>y * stride, q = out + (<usize>(y * nx) << 2);
    for (let x: i32 = 0; x < nx; x += 4) {
      const from = base + <usize>(x << 2);
      let line = from, col: i32 = 0;
      let m = size;
      if (n < 3) m = n;
      for (let i: i32 = 0; i < m; i++) {
        v128.store(keep + <usize>(i << 4), v128.load(line + <usize>(col << 2)));
        if (++col == tx) { col = 0; line += stride; }
      }
      let taken = m;
      while (m > 2) {
        // least to the front, greatest to the back
        const half = m >> 1, last = keep + <usize>((m - 1) << 4);
        for (let i: i32 = 0; i < half; i++) order(keep + <usize>(i << 4), last - <usize>(i << 4));
        let least = v128.load(keep), most = v128.load(last);
        for (let i: i32 = 1; i < m - half; i++) {
          const a = keep + <usize>(i << 4), u = v128.load(a);
          v128.store(a, f32x4.max(least, u));
          least = f32x4.min(least, u);
        }
        for (let i: i32 = half; i < m - 1; i++) {
          const a = keep + <usize>(i << 4), u = v128.load(a);
          v128.store(a, f32x4.min(most, u));
          most = f32x4.max(most, u);
        }
        // front and back are forgotten; the last kept value moves to the front, the next value takes its place
        m--;
        if (taken < n) {
          v128.store(keep, v128.load(line + <usize>(col << 2)));
          if (++col == tx) { col = 0; line += stride; }
          taken++;
        } else {
          v128.store(keep, v128.load(keep + <usize>((m - 1) << 4)));
          m--;
        }
      }
      v128.store(q + <usize>(x << 2), v128.load(keep));
    }
  }
}

/**
 * Median of u16 pixels over windows (2ry+1) × (2rx+1) clipped at the edges (lower median of even counts), by a running two-level
 * histogram. fine: u32 [65536] and coarse: u32 [256], scratch.
 */
export function medianU16(data: usize, out: usize, ny: i32, nx: i32, ry: i32, rx: i32, fine: usize, coarse: usize): void {
  for (let y: i32 = 0; y < ny; y++) {
    memory.fill(fine, 0, 65536 * 4);
    memory.fill(coarse, 0, 256 * 4);
    const y0 = max<i32>(0, y - ry), y1 = min<i32>(ny - 1, y + ry), high = y1 - y0 + 1;
    let count: i32 = 0;
    for (let x: i32 = -rx; x < nx; x++) {
      const enter = x + rx, leave = x - rx - 1;
      if (enter < nx) {
        for (let j = y0; j <= y1; j++) {
          const v = <u32>load<u16>(data + (<usize>(j * nx + enter) << 1));
          const f = fine + (<usize>v << 2), c = coarse + (<usize>(v >> 8) << 2);
          store<u32>(f, load<u32>(f) + 1);
          store<u32>(c, load<u32>(c) + 1);
        }
        count += high;
      }
      if (leave >= 0) {
        for (let j = y0; j <= y1; j++) {
          const v = <u32>load<u16>(data + (<usize>(j * nx + leave) << 1));
          const f = fine + (<usize>v << 2), c = coarse + (<usize>(v >> 8) << 2);
          store<u32>(f, load<u32>(f) - 1);
          store<u32>(c, load<u32>(c) - 1);
        }
        count -= high;
      }
      if (x < 0) continue;
      const rank = <u32>((count - 1) >> 1);
      let below: u32 = 0, c: u32 = 0;
      for (;; c++) {
        const k = load<u32>(coarse + (<usize>c << 2));
        if (below + k > rank) break;
        below += k;
      }
      let v = c << 8;
      for (;; v++) {
        below += load<u32>(fine + (<usize>v << 2));
        if (below > rank) break;
      }
      store<u16>(out + (<usize>(y * nx + x) << 1), <u16>v);
    }
  }
}

/** sums[x] += sign·m·v and squares[x] += sign·m·v², counts[x] += sign·m over one row; mask (u8, 0 = good) may be 0. */
function addRow(sums: usize, squares: usize, counts: usize, row: usize, mask: usize, nx: i32, sign: f64): void {
  const s = f64x2.splat(sign);
  let x: i32 = 0;
  if (!mask) {
    for (; x + 2 <= nx; x += 2) {
      const o = <usize>(x << 3);
      const v = f64x2.promote_low_f32x4(v128.load64_zero(row + <usize>(x << 2)));
      const sv = f64x2.mul(s, v);
      v128.store(sums + o, f64x2.add(v128.load(sums + o), sv));
      if (squares) v128.store(squares + o, f64x2.add(v128.load(squares + o), f64x2.mul(sv, v)));
    }
  }
  for (; x < nx; x++) {
    if (mask && load<u8>(mask + <usize>x)) continue;
    const o = <usize>(x << 3), v = <f64>load<f32>(row + <usize>(x << 2));
    store<f64>(sums + o, load<f64>(sums + o) + sign * v);
    if (squares) store<f64>(squares + o, load<f64>(squares + o) + sign * v * v);
    if (mask) store<f64>(counts + o, load<f64>(counts + o) + sign);
  }
}

/** Value x of the column buffer under an edge rule, 0 outside under rule 0. */
// @ts-ignore: decorator
@inline
function column(p: usize, x: i32, nx: i32, rule: i32): f64 {
  const i = edge(x, nx, rule);
  return i < 0 ? 0 : load<f64>(p + <usize>(i << 3));
}

/**
 * Mean, variance and number of good pixels of windows (2ry+1) × (2rx+1), by running sums in f64. Rule 0 clips the window at the edges;
 * rules 1 and 2 fill it. variance, count (f32) and mask (u8, not 0 = bad) may be null. sums, squares, counts: f64 [nx] scratch.
 * A window without good pixels gives NaN.
 */
export function localMoments(data: usize, mask: usize, mean: usize, variance: usize, count: usize, ny: i32, nx: i32, ry: i32, rx: i32, rule: i32, sums: usize, squares: usize, counts: usize): void {
  const stride = <usize>(nx << 2), sq = variance ? squares : 0;
  memory.fill(sums, 0, <usize>(nx << 3));
  memory.fill(squares, 0, <usize>(nx << 3));
  memory.fill(counts, 0, <usize>(nx << 3));
  for (let k = -ry; k < ry; k++) {
    const s = edge(k, ny, rule);
    if (s >= 0) addRow(sums, sq, counts, data + <usize>s * stride, mask ? mask + <usize>(s * nx) : 0, nx, 1);
  }
  for (let y: i32 = 0; y < ny; y++) {
    const enter = edge(y + ry, ny, rule);
    if (enter >= 0) addRow(sums, sq, counts, data + <usize>enter * stride, mask ? mask + <usize>(enter * nx) : 0, nx, 1);
    const high = rule == 0 ? <f64>(min<i32>(ny - 1, y + ry) - max<i32>(0, y - ry) + 1) : <f64>(2 * ry + 1);
    if (!mask) for (let x: i32 = 0; x < nx; x++) store<f64>(counts + <usize>(x << 3), high);
    let s: f64 = 0, q: f64 = 0, n: f64 = 0;
    for (let k = -rx; k < rx; k++) {
      s += column(sums, k, nx, rule);
      n += column(counts, k, nx, rule);
      if (variance) q += column(squares, k, nx, rule);
    }
    for (let x: i32 = 0; x < nx; x++) {
      if (x - rx - 1 >= 0 && x + rx < nx) {
        const a = <usize>((x + rx) << 3), b = <usize>((x - rx - 1) << 3);
        s += load<f64>(sums + a) - load<f64>(sums + b);
        n += load<f64>(counts + a) - load<f64>(counts + b);
        if (variance) q += load<f64>(squares + a) - load<f64>(squares + b);
      } else {
        const b = x == 0 ? 0 : 1;
        s += column(sums, x + rx, nx, rule);
        n += column(counts, x + rx, nx, rule);
        if (variance) q += column(squares, x + rx, nx, rule);
        if (b) {
          s -= column(sums, x - rx - 1, nx, rule);
          n -= column(counts, x - rx - 1, nx, rule);
          if (variance) q -= column(squares, x - rx - 1, nx, rule);
        }
      }
      const o = <usize>(y * nx + x) << 2;
      const m = n > 0 ? s / n : NaN;
      store<f32>(mean + o, <f32>m);
      if (variance) store<f32>(variance + o, n > 0 ? <f32>max<f64>(0, q / n - m * m) : <f32>NaN);
      if (count) store<f32>(count + o, <f32>n);
    }
    const leave = edge(y - ry, ny, rule);
    if (leave >= 0) addRow(sums, sq, counts, data + <usize>leave * stride, mask ? mask + <usize>(leave * nx) : 0, nx, -1);
  }
}
