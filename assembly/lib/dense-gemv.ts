// Complex (interleaved) matrix times vector, row-major, f32 and f64.

/**
 * y [m] += sign · A [m, n] x, or conj(A) x. Four rows share every load of x, which is first spread to [re re][im im] in
 * `work` (4 n scalars); a row's cross products are combined once, at its end.
 */
// @ts-ignore: decorator
@inline export function gemv<T>(m: i32, n: i32, sign: T, a: usize, lda: i32, conj: bool, x: usize, y: usize, work: usize): void {
  const size: usize = sizeof<T>();
  const element: usize = 2 * size;
  const per: i32 = <i32>(16 / element); // complex numbers in a vector
  const whole: i32 = n & ~(per - 1);
  if (sizeof<T>() == 8) {
    for (let j: i32 = 0; j < n; j++) {
      v128.store(work + <usize>j * 32, v128.load_splat<f64>(x + <usize>j * 16));
      v128.store(work + <usize>j * 32, v128.load_splat<f64>(x + <usize>j * 16, 8), 16);
    }
  } else {
    for (let j: i32 = 0; j < whole; j += 2) {
      const v = v128.load(x + <usize>j * 8);
      v128.store(work + <usize>j * 16, v128.shuffle<f32>(v, v, 0, 0, 2, 2));
      v128.store(work + <usize>j * 16, v128.shuffle<f32>(v, v, 1, 1, 3, 3), 16);
    }
  }
  const row = <usize>lda * element;
  let i: i32 = 0;
  for (; i + 4 <= m; i += 4) {
    let p = a + <usize>i * row;
    let r0 = i64x2.splat(0), r1 = r0, r2 = r0, r3 = r0, s0 = r0, s1 = r0, s2 = r0, s3 = r0;
    let w = work;
    const end = p + <usize>whole * element;
    const q = p + row, u = q + row, v = u + row;
    let o: usize = 0;
    const length = end - p;
    while (o < length) {
      const xr = v128.load(w), xi = v128.load(w, 16);
      const a0 = v128.load(p + o), a1 = v128.load(q + o), a2 = v128.load(u + o), a3 = v128.load(v + o);
      r0 = v128.add<T>(r0, v128.mul<T>(a0, xr));
      s0 = v128.add<T>(s0, v128.mul<T>(a0, xi));
      r1 = v128.add<T>(r1, v128.mul<T>(a1, xr));
      s1 = v128.add<T>(s1, v128.mul<T>(a1, xi));
      r2 = v128.add<T>(r2, v128.mul<T>(a2, xr));
      s2 = v128.add<T>(s2, v128.mul<T>(a2, xi));
      r3 = v128.add<T>(r3, v128.mul<T>(a3, xr));
      s3 = v128.add<T>(s3, v128.mul<T>(a3, xi));
      o += 16;
      w += 32;
    }
    finish<T>(r0, s0, sign, conj, p, whole, n, x, y + <usize>i * element);
    finish<T>(r1, s1, sign, conj, q, whole, n, x, y + <usize>(i + 1) * element);
    finish<T>(r2, s2, sign, conj, u, whole, n, x, y + <usize>(i + 2) * element);
    finish<T>(r3, s3, sign, conj, v, whole, n, x, y + <usize>(i + 3) * element);
  }
  for (; i < m; i++) {
    const p = a + <usize>i * row;
    let r0 = i64x2.splat(0), s0 = r0;
    let w = work;
    const length = <usize>whole * element;
    for (let o: usize = 0; o < length; o += 16) {
      const a0 = v128.load(p + o);
      r0 = v128.add<T>(r0, v128.mul<T>(a0, v128.load(w)));
      s0 = v128.add<T>(s0, v128.mul<T>(a0, v128.load(w, 16)));
      w += 32;
    }
    finish<T>(r0, s0, sign, conj, p, whole, n, x, y + <usize>i * element);
  }
}

/** r = Σ [ar xr, ai xr], s = Σ [ar xi, ai xi]: combine, add the tail columns, and add to y. */
// @ts-ignore: decorator
@inline function finish<T>(r: v128, s: v128, sign: T, conj: bool, p: usize, from: i32, n: i32, x: usize, y: usize): void {
  const size: usize = sizeof<T>();
  let rr: T = v128.extract_lane<T>(r, 0), ir: T = v128.extract_lane<T>(r, 1);
  let ri: T = v128.extract_lane<T>(s, 0), ii: T = v128.extract_lane<T>(s, 1);
  if (sizeof<T>() == 4) {
    rr += v128.extract_lane<T>(r, 2);
    ir += v128.extract_lane<T>(r, 3);
    ri += v128.extract_lane<T>(s, 2);
    ii += v128.extract_lane<T>(s, 3);
    for (let j = from; j < n; j++) {
      const at = <usize>j * 2 * size;
      const ar = load<T>(p + at), ai = load<T>(p + at + size), xr = load<T>(x + at), xi = load<T>(x + at + size);
      rr += ar * xr;
      ir += ai * xr;
      ri += ar * xi;
      ii += ai * xi;
    }
  }
  store<T>(y, load<T>(y) + sign * (conj ? rr + ii : rr - ii));
  store<T>(y + size, load<T>(y + size) + sign * (conj ? ri - ir : ri + ir));
}

/** y [n] += sign · Aᵀ x, or Aᴴ x, for A [m, n]: four rows at a time are added to y. */
// @ts-ignore: decorator
@inline export function gemvT<T>(m: i32, n: i32, sign: T, a: usize, lda: i32, conj: bool, x: usize, y: usize): void {
  const size: usize = sizeof<T>();
  const element: usize = 2 * size;
  const row = <usize>lda * element;
  const per: i32 = <i32>(16 / element);
  const length = <usize>(n & ~(per - 1)) * element;
  let i: i32 = 0;
  for (; i < m; i += 4) {
    const rows = min(4, m - i);
    // missing rows: factor 0 on a row that exists
    const p = a + <usize>i * row, q = rows > 1 ? p + row : p, u = rows > 2 ? q + row : p, v = rows > 3 ? u + row : p;
    const xp = x + <usize>i * element;
    const x0r: T = sign * load<T>(xp), x0i: T = sign * load<T>(xp + size);
    const x1r: T = rows > 1 ? sign * load<T>(xp + element) : <T>0, x1i: T = rows > 1 ? sign * load<T>(xp + element + size) : <T>0;
    const x2r: T = rows > 2 ? sign * load<T>(xp + 2 * element) : <T>0, x2i: T = rows > 2 ? sign * load<T>(xp + 2 * element + size) : <T>0;
    const x3r: T = rows > 3 ? sign * load<T>(xp + 3 * element) : <T>0, x3i: T = rows > 3 ? sign * load<T>(xp + 3 * element + size) : <T>0;
    // (re, im) of A times f, plus swapped (im, re) of A times g
    const f0 = pair<T>(x0r, conj ? -x0r : x0r), g0 = pair<T>(conj ? x0i : -x0i, x0i);
    const f1 = pair<T>(x1r, conj ? -x1r : x1r), g1 = pair<T>(conj ? x1i : -x1i, x1i);
    const f2 = pair<T>(x2r, conj ? -x2r : x2r), g2 = pair<T>(conj ? x2i : -x2i, x2i);
    const f3 = pair<T>(x3r, conj ? -x3r : x3r), g3 = pair<T>(conj ? x3i : -x3i, x3i);
    for (let o: usize = 0; o < length; o += 16) {
      const a0 = v128.load(p + o), a1 = v128.load(q + o), a2 = v128.load(u + o), a3 = v128.load(v + o);
      let t = v128.add<T>(v128.mul<T>(a0, f0), v128.mul<T>(swap<T>(a0), g0));
      t = v128.add<T>(t, v128.add<T>(v128.mul<T>(a1, f1), v128.mul<T>(swap<T>(a1), g1)));
      let s = v128.add<T>(v128.mul<T>(a2, f2), v128.mul<T>(swap<T>(a2), g2));
      s = v128.add<T>(s, v128.add<T>(v128.mul<T>(a3, f3), v128.mul<T>(swap<T>(a3), g3)));
      v128.store(y + o, v128.add<T>(v128.load(y + o), v128.add<T>(t, s)));
    }
    if (sizeof<T>() == 4 && (n & 1) != 0) {
      let yr = load<T>(y + length), yi = load<T>(y + length + size);
      const w: T = conj ? <T>-1 : <T>1;
      const a0r = load<T>(p + length), a0i = w * load<T>(p + length + size), a1r = load<T>(q + length), a1i = w * load<T>(q + length + size);
      const a2r = load<T>(u + length), a2i = w * load<T>(u + length + size), a3r = load<T>(v + length), a3i = w * load<T>(v + length + size);
      yr += a0r * x0r - a0i * x0i + (a1r * x1r - a1i * x1i) + (a2r * x2r - a2i * x2i) + (a3r * x3r - a3i * x3i);
      yi += a0r * x0i + a0i * x0r + (a1r * x1i + a1i * x1r) + (a2r * x2i + a2i * x2r) + (a3r * x3i + a3i * x3r);
      store<T>(y + length, yr);
      store<T>(y + length + size, yi);
    }
  }
}

// @ts-ignore: decorator
@inline function pair<T>(re: T, im: T): v128 {
  if (sizeof<T>() == 8) return v128.replace_lane<T>(v128.splat<T>(re), 1, im);
  let v = v128.splat<T>(re);
  v = v128.replace_lane<T>(v, 1, im);
  return v128.replace_lane<T>(v, 3, im);
}
// @ts-ignore: decorator
@inline function swap<T>(a: v128): v128 {
  if (sizeof<T>() == 8) return v128.shuffle<f64>(a, a, 1, 0);
  return v128.shuffle<f32>(a, a, 1, 0, 3, 2);
}
