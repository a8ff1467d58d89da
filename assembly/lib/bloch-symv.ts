/** y = A x − z, real f64, A [n, n] with rows of ld numbers (even; x has a zero tail). Four rows share every load of x. */
export function symv(n: i32, a: usize, ld: i32, x: usize, z: usize, y: usize): void {
  const row = <usize>ld * 8;
  let i: i32 = 0;
  for (; i + 4 <= n; i += 4) {
    const p = a + <usize>i * row, q = p + row, u = q + row, w = u + row;
    let s0 = f64x2.splat(0), s1 = s0, s2 = s0, s3 = s0, t0 = s0, t1 = s0, t2 = s0, t3 = s0;
    let o: usize = 0;
    for (; o + 32 <= row; o += 32) {
      const xa = v128.load(x + o), xb = v128.load(x + o, 16);
      s0 = f64x2.add(s0, f64x2.mul(v128.load(p + o), xa));
      t0 = f64x2.add(t0, f64x2.mul(v128.load(p + o, 16), xb));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(q + o), xa));
      t1 = f64x2.add(t1, f64x2.mul(v128.load(q + o, 16), xb));
      s2 = f64x2.add(s2, f64x2.mul(v128.load(u + o), xa));
      t2 = f64x2.add(t2, f64x2.mul(v128.load(u + o, 16), xb));
      s3 = f64x2.add(s3, f64x2.mul(v128.load(w + o), xa));
      t3 = f64x2.add(t3, f64x2.mul(v128.load(w + o, 16), xb));
    }
    if (o < row) {
      const xa = v128.load(x + o);
      s0 = f64x2.add(s0, f64x2.mul(v128.load(p + o), xa));
      s1 = f64x2.add(s1, f64x2.mul(v128.load(q + o), xa));
      s2 = f64x2.add(s2, f64x2.mul(v128.load(u + o), xa));
      s3 = f64x2.add(s3, f64x2.mul(v128.load(w + o), xa));
    }
    const at = <usize>i << 3;
    s0 = f64x2.add(s0, t0);
    s1 = f64x2.add(s1, t1);
    s2 = f64x2.add(s2, t2);
    s3 = f64x2.add(s3, t3);
    const first = f64x2.add(v128.shuffle<f64>(s0, s1, 0, 2), v128.shuffle<f64>(s0, s1, 1, 3));
    const second = f64x2.add(v128.shuffle<f64>(s2, s3, 0, 2), v128.shuffle<f64>(s2, s3, 1, 3));
    v128.store(y + at, f64x2.sub(first, v128.load(z + at)));
    v128.store(y + at, f64x2.sub(second, v128.load(z + at, 16)), 16);
  }
  for (; i < n; i++) {
    const p = a + <usize>i * row;
    let s = f64x2.splat(0);
    for (let o: usize = 0; o < row; o += 16) s = f64x2.add(s, f64x2.mul(v128.load(p + o), v128.load(x + o)));
    store<f64>(y + (<usize>i << 3), f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1) - load<f64>(z + (<usize>i << 3)));
  }
  if (ld > n) store<f64>(y + (<usize>n << 3), 0);
}
