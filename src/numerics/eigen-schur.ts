const EPS = 2.220446049250313e-16;

/**
 * Complex Schur form A = Z T Zᴴ in place: Householder reduction to Hessenberg form, then QR steps with Wilkinson shifts, as plane
 * rotations. Rows of `zt` are the columns of Z, so that every rotation of vectors runs over contiguous numbers.
 * @param h - A [n, n] interleaved on entry, T (upper triangular) on return
 * @param zt - out, [n, n] interleaved
 * @returns false when an eigenvalue did not converge
 */
export function schur(h: Float64Array, zt: Float64Array, n: number): boolean {
  hessenberg(h, zt, n);
  const at = (i: number, j: number): number => 2 * (i * n + j);
  let end = n - 1,
    steps = 0;
  while (end > 0) {
    let start = end;
    for (; start > 0; start--) {
      const p = at(start, start - 1),
        d = at(start, start),
        u = at(start - 1, start - 1);
      const size = Math.abs(h[d]!) + Math.abs(h[d + 1]!) + Math.abs(h[u]!) + Math.abs(h[u + 1]!);
      if (Math.abs(h[p]!) + Math.abs(h[p + 1]!) <= EPS * (size || 1)) {
        h[p] = 0;
        h[p + 1] = 0;
        break;
      }
    }
    if (start === end) {
      end--;
      steps = 0;
      continue;
    }
    if (++steps > 30 + n) return false;
    let [sr, si] = wilkinson(h, at(end - 1, end - 1), at(end, end - 1));
    if (steps % 10 === 0) {
      // an exceptional shift, for matrices that the usual one leaves where they are
      const p = at(end, end - 1);
      sr = h[at(end, end)]! + 0.75 * (Math.abs(h[p]!) + Math.abs(h[p + 1]!));
      si = h[at(end, end) + 1]!;
    }
    let xr = h[at(start, start)]! - sr,
      xi = h[at(start, start) + 1]! - si,
      yr = h[at(start + 1, start)]!,
      yi = h[at(start + 1, start) + 1]!;
    for (let k = start; k < end; k++) {
      if (k > start) {
        xr = h[at(k, k - 1)]!;
        xi = h[at(k, k - 1) + 1]!;
        yr = h[at(k + 1, k - 1)]!;
        yi = h[at(k + 1, k - 1) + 1]!;
      }
      // G = [c s; −s̄ c] with G (x, y) = (r, 0), c real
      const x = Math.hypot(xr, xi),
        y = Math.hypot(yr, yi),
        r = Math.hypot(x, y);
      if (y === 0) continue;
      const c = x / r;
      // s = (x/|x|) ȳ / r
      const ur = x === 0 ? 1 : xr / x,
        ui = x === 0 ? 0 : xi / x;
      const zr = (ur * yr + ui * yi) / r,
        zi = (ui * yr - ur * yi) / r;
      rotate(h, at(k, Math.max(k - 1, 0)), at(k + 1, Math.max(k - 1, 0)), n - Math.max(k - 1, 0), c, zr, zi);
      if (k > start) {
        h[at(k + 1, k - 1)] = 0;
        h[at(k + 1, k - 1) + 1] = 0;
      }
      // columns: A Gᴴ takes (p, q) to (c p + s̄ q, −s p + c q)
      const last = Math.min(k + 2, end);
      for (let i = 0; i <= last; i++) {
        const p = at(i, k),
          pr = h[p]!,
          pi = h[p + 1]!,
          qr = h[p + 2]!,
          qi = h[p + 3]!;
        h[p] = c * pr + zr * qr + zi * qi;
        h[p + 1] = c * pi + zr * qi - zi * qr;
        h[p + 2] = c * qr - (zr * pr - zi * pi);
        h[p + 3] = c * qi - (zr * pi + zi * pr);
      }
      rotate(zt, at(k, 0), at(k + 1, 0), n, c, zr, -zi);
    }
  }
  return true;
}

/** (p, q) := (c p + s q, −s̄ p + c q) over `count` complex numbers. */
function rotate(a: Float64Array, p: number, q: number, count: number, c: number, sr: number, si: number): void {
  for (let k = 0; k < count; k++, p += 2, q += 2) {
    const pr = a[p]!,
      pi = a[p + 1]!,
      qr = a[q]!,
      qi = a[q + 1]!;
    a[p] = c * pr + sr * qr - si * qi;
    a[p + 1] = c * pi + sr * qi + si * qr;
    a[q] = c * qr - sr * pr - si * pi;
    a[q + 1] = c * qi - sr * pi + si * pr;
  }
}

/** Eigenvalue of [[a, b], [c, d]] nearer to d. */
function wilkinson(h: Float64Array, upper: number, lower: number): [number, number] {
  const ar = h[upper]!,
    ai = h[upper + 1]!,
    br = h[upper + 2]!,
    bi = h[upper + 3]!,
    cr = h[lower]!,
    ci = h[lower + 1]!,
    dr = h[lower + 2]!,
    di = h[lower + 3]!;
  const er = (ar - dr) / 2,
    ei = (ai - di) / 2;
  // d − bc / (e ± √(e² + bc)), the sign that makes the denominator large
  const pr = br * cr - bi * ci,
    pi = br * ci + bi * cr;
  const qr = er * er - ei * ei + pr,
    qi = 2 * er * ei + pi;
  const m = Math.hypot(qr, qi);
  let rr = Math.sqrt(Math.max(0, (m + qr) / 2)),
    ri = Math.sqrt(Math.max(0, (m - qr) / 2));
  if (qi < 0) ri = -ri;
  if (er * rr + ei * ri < 0) {
    rr = -rr;
    ri = -ri;
  }
  const fr = er + rr,
    fi = ei + ri,
    size = fr * fr + fi * fi;
  if (size === 0) return [dr, di];
  return [dr - (pr * fr + pi * fi) / size, di - (pi * fr - pr * fi) / size];
}

/** Householder reduction to upper Hessenberg form, with the transformation in the rows of zt. */
function hessenberg(h: Float64Array, zt: Float64Array, n: number): void {
  zt.fill(0);
  for (let i = 0; i < n; i++) zt[2 * (i * n + i)] = 1;
  const v = new Float64Array(2 * n),
    w = new Float64Array(2 * n);
  for (let k = 0; k + 2 < n; k++) {
    let sum = 0;
    for (let i = k + 2; i < n; i++) sum += h[2 * (i * n + k)]! ** 2 + h[2 * (i * n + k) + 1]! ** 2;
    if (sum === 0) continue;
    const p = 2 * ((k + 1) * n + k),
      ar = h[p]!,
      ai = h[p + 1]!,
      a = Math.hypot(ar, ai);
    const norm = Math.sqrt(a * a + sum);
    const ur = a === 0 ? 1 : ar / a,
      ui = a === 0 ? 0 : ai / a;
    // v = x + (x₀/|x₀|) |x| e₀; H = 1 − 2 v vᴴ/|v|² is Hermitian, H x = −(x₀/|x₀|)|x| e₀
    v.fill(0);
    for (let i = k + 1; i < n; i++) {
      v[2 * i] = h[2 * (i * n + k)]!;
      v[2 * i + 1] = h[2 * (i * n + k) + 1]!;
    }
    v[2 * (k + 1)]! += ur * norm;
    v[2 * (k + 1) + 1]! += ui * norm;
    const f = 2 / (sum + v[2 * (k + 1)]! ** 2 + v[2 * (k + 1) + 1]! ** 2);
    // rows: A −= f v (vᴴ A)
    w.fill(0);
    for (let i = k + 1; i < n; i++) {
      const vr = v[2 * i]!,
        vi = v[2 * i + 1]!;
      for (let j = 2 * k, q = 2 * (i * n + k); j < 2 * n; j += 2, q += 2) {
        w[j]! += vr * h[q]! + vi * h[q + 1]!;
        w[j + 1]! += vr * h[q + 1]! - vi * h[q]!;
      }
    }
    for (let i = k + 1; i < n; i++) {
      const vr = f * v[2 * i]!,
        vi = f * v[2 * i + 1]!;
      for (let j = 2 * k, q = 2 * (i * n + k); j < 2 * n; j += 2, q += 2) {
        h[q]! -= vr * w[j]! - vi * w[j + 1]!;
        h[q + 1]! -= vr * w[j + 1]! + vi * w[j]!;
      }
    }
    // columns: A −= f (A v) vᴴ
    for (let i = 0; i < n; i++) {
      let re = 0,
        im = 0;
      for (let j = 2 * (k + 1), q = 2 * (i * n + k + 1); j < 2 * n; j += 2, q += 2) {
        re += h[q]! * v[j]! - h[q + 1]! * v[j + 1]!;
        im += h[q]! * v[j + 1]! + h[q + 1]! * v[j]!;
      }
      re *= f;
      im *= f;
      for (let j = 2 * (k + 1), q = 2 * (i * n + k + 1); j < 2 * n; j += 2, q += 2) {
        h[q]! -= re * v[j]! + im * v[j + 1]!;
        h[q + 1]! -= im * v[j]! - re * v[j + 1]!;
      }
    }
    // Z −= f (Z v) vᴴ, on its transpose: zt −= f conj(v) (vᵀ zt)
    w.fill(0);
    for (let i = k + 1; i < n; i++) {
      const vr = v[2 * i]!,
        vi = v[2 * i + 1]!;
      for (let j = 0, q = 2 * i * n; j < 2 * n; j += 2, q += 2) {
        w[j]! += vr * zt[q]! - vi * zt[q + 1]!;
        w[j + 1]! += vr * zt[q + 1]! + vi * zt[q]!;
      }
    }
    for (let i = k + 1; i < n; i++) {
      const vr = f * v[2 * i]!,
        vi = -f * v[2 * i + 1]!;
      for (let j = 0, q = 2 * i * n; j < 2 * n; j += 2, q += 2) {
        zt[q]! -= vr * w[j]! - vi * w[j + 1]!;
        zt[q + 1]! -= vr * w[j + 1]! + vi * w[j]!;
      }
    }
    for (let i = k + 2; i < n; i++) {
      h[2 * (i * n + k)] = 0;
      h[2 * (i * n + k) + 1] = 0;
    }
  }
}
