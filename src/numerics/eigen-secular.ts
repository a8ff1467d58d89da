const EPS = 2.220446049250313e-16;

/**
 * Root k of the secular equation 1 + ρ Σ z_i²/(d_i − λ) = 0, ρ > 0, d ascending and distinct: λ lies between d_k and d_{k+1}, the last
 * one above d_{K−1}. The differences d_i − λ are found relative to the nearer pole, without cancellation: they are what eigenvectors
 * need. Each step fits one pole to the terms on the left and one to those on the right (value and slope), inside a shrinking bracket.
 * @param delta - out: d_i − λ, K values at `at`
 * @returns λ
 * @see Li (1993) LAPACK Working Note 89; Gu & Eisenstat (1995) SIAM J. Matrix Anal. Appl. 16, 172
 */
export function secularRoot(
  k: number,
  count: number,
  d: Float64Array,
  z2: Float64Array,
  rho: number,
  delta: Float64Array,
  at: number,
): number {
  const last = k === count - 1;
  let total = 0;
  for (let i = 0; i < count; i++) total += z2[i]!;
  const gap = last ? rho * total : d[k + 1]! - d[k]!;
  // Which half holds the root: sign of the function in the middle.
  const middle = gap / 2;
  let f = 1;
  for (let i = 0; i < count; i++) f += (rho * z2[i]!) / (d[i]! - d[k]! - middle);
  const left = last || f >= 0;
  const origin = left ? d[k]! : d[k + 1]!;
  /** Bracket and current value of λ − origin. */
  let lo: number, hi: number, x: number;
  if (last) {
    lo = f >= 0 ? 0 : middle;
    hi = f >= 0 ? middle : gap;
    x = f >= 0 ? middle / 2 : (middle + gap) / 2;
    // one pole with the value in the middle
    const c = f + (rho * z2[k]!) / middle;
    if (c > 0) {
      const guess = (rho * z2[k]!) / c;
      if (guess > lo && guess < hi) x = guess;
    }
  } else {
    lo = left ? 0 : -middle;
    hi = left ? middle : 0;
    const s = rho * z2[k]!,
      t = rho * z2[k + 1]!;
    const c = f + s / middle - t / middle; // what the other poles give in the middle
    const p = left ? 0 : -gap,
      q = left ? gap : 0;
    x = quadratic(c, c * (p + q) + s + t, c * p * q + s * q + t * p);
    if (!(x > lo && x < hi)) x = (lo + hi) / 2;
  }
  for (let step = 0; step < 100; step++) {
    let psi = 0,
      dpsi = 0,
      phi = 0,
      dphi = 0;
    for (let i = 0; i <= k; i++) {
      const r = 1 / (d[i]! - origin - x),
        t = z2[i]! * r;
      psi += t;
      dpsi += t * r;
    }
    for (let i = k + 1; i < count; i++) {
      const r = 1 / (d[i]! - origin - x),
        t = z2[i]! * r;
      phi += t;
      dphi += t * r;
    }
    f = 1 + rho * (psi + phi);
    const slope = rho * (dpsi + dphi);
    if (Math.abs(f) <= EPS * (1 + 8 * rho * (Math.abs(psi) + Math.abs(phi)) + Math.abs(x) * slope)) break;
    if (f < 0) lo = x;
    else hi = x;
    const a = d[k]! - origin - x;
    let move: number;
    if (last) {
      const c = f - a * slope;
      move = a + (a * a * slope) / c; // one pole through value and slope
    } else {
      const b = d[k + 1]! - origin - x;
      move = quadratic(f - rho * (a * dpsi + b * dphi), (a + b) * f - a * b * slope, a * b * f);
    }
    let next = x + move;
    if (!(next > lo && next < hi) || (f < 0 ? move <= 0 : move >= 0)) {
      const newton = x - f / slope;
      next =
        newton > lo && newton < hi
          ? newton
          : lo > 0 && hi > 4 * lo
            ? Math.sqrt(lo * hi)
            : hi < 0 && lo < 4 * hi
              ? -Math.sqrt(lo * hi)
              : (lo + hi) / 2;
    }
    if (next === x || Math.abs(next - x) <= EPS * Math.abs(next) || hi - lo <= 2 * EPS * Math.max(Math.abs(lo), Math.abs(hi))) {
      x = next;
      break;
    }
    x = next;
  }
  for (let i = 0; i < count; i++) delta[at + i] = d[i]! - origin - x;
  return origin + x;
}

/** The root of c x² − a x + b = 0 that lies between the poles, without cancellation. */
function quadratic(c: number, a: number, b: number): number {
  const root = Math.sqrt(Math.max(0, a * a - 4 * b * c));
  return a <= 0 ? (c === 0 ? b / a : (a - root) / (2 * c)) : (2 * b) / (a + root);
}
