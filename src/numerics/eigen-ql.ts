const EPS = 2.220446049250313e-16;

/**
 * Eigenvalues of a real symmetric tridiagonal matrix by the implicit QL algorithm with Wilkinson shifts, in place and unsorted; when
 * `q` is given, its rows are rotated along, so rows that start as the identity end as the eigenvectors.
 * @param d - diagonal, at `at` … `at + n − 1`; overwritten by the eigenvalues
 * @param e - off-diagonal, e[at + i] between i and i + 1; destroyed
 * @param q - row r of the vectors starts at q[offset + r·stride] and has `width` columns
 * @returns false when an eigenvalue needs more than 60 steps (only for input that is not finite)
 * @see Bowdler, Martin, Reinsch & Wilkinson (1968) Numer. Math. 11, 293; Parlett, The Symmetric Eigenvalue Problem, §8
 */
export function implicitQl(
  n: number,
  d: Float64Array,
  e: Float64Array,
  at: number,
  q?: Float64Array,
  offset = 0,
  stride = 0,
  width = 0,
): boolean {
  for (let l = 0; l < n; l++) {
    for (let step = 0; ; step++) {
      let m = l;
      for (; m < n - 1; m++) {
        const size = Math.abs(d[at + m]!) + Math.abs(d[at + m + 1]!);
        if (!(Math.abs(e[at + m]!) > EPS * size)) break;
      }
      if (m === l) break;
      if (step === 60) return false;
      const el = e[at + l]!;
      let g = (d[at + l + 1]! - d[at + l]!) / (2 * el);
      const root = Math.hypot(g, 1);
      g = d[at + m]! - d[at + l]! + el / (g + (g >= 0 ? root : -root));
      let s = 1,
        c = 1,
        p = 0,
        i = m - 1;
      for (; i >= l; i--) {
        const f = s * e[at + i]!,
          b = c * e[at + i]!;
        const r = Math.sqrt(f * f + g * g) || Math.hypot(f, g);
        if (i + 1 < n) e[at + i + 1] = r;
        if (r === 0) {
          d[at + i + 1]! -= p;
          e[at + m] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = d[at + i + 1]! - p;
        const t = (d[at + i]! - g) * s + 2 * c * b;
        p = s * t;
        d[at + i + 1] = g + p;
        g = c * t - b;
        if (q) {
          let x = offset + i * stride,
            y = x + stride;
          for (let k = 0; k < width; k++, x++, y++) {
            const u = q[x]!,
              v = q[y]!;
            q[y] = s * u + c * v;
            q[x] = c * u - s * v;
          }
        }
      }
      if (i >= l) continue; // underflow: start again with the split matrix
      d[at + l]! -= p;
      e[at + l] = g;
      e[at + m] = 0;
    }
  }
  return true;
}
