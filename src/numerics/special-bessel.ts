/**
 * Bessel and Struve functions of orders 0 and 1. Power series (or Miller's downward recurrence) for small arguments, Hankel's and the
 * Struve–Neumann asymptotic series for large ones.
 * @see Abramowitz & Stegun (1964), 9.1.10, 9.1.46, 9.2.5, 12.1.3, 12.1.29
 */

/** Where Hankel's series reaches double precision for these orders. */
const LARGE = 25;

/** J0…Jm and the sum rule by Miller's downward recurrence: returns an array with J_k(x), x > 0, even number of orders. */
function millerJ(x: number, orders: number): Float64Array {
  const start = 2 * Math.ceil((Math.max(orders, x) + 12 * Math.cbrt(x + 4) + 8) / 2);
  const out = new Float64Array(start + 2);
  out[start] = 1e-300;
  let sum = 0;
  for (let k = start; k >= 1; k--) {
    out[k - 1] = ((2 * k) / x) * out[k]! - out[k + 1]!;
    if (Math.abs(out[k - 1]!) > 1e200) {
      for (let j = k - 1; j <= start; j++) out[j]! *= 1e-250;
      sum *= 1e-250;
    }
    if ((k - 1) % 2 === 0) sum += (k === 1 ? 1 : 2) * out[k - 1]!;
  }
  for (let k = 0; k < out.length; k++) out[k]! /= sum;
  return out;
}

/** Hankel's P and Q for order ν at large x. */
function hankel(nu: number, x: number): readonly [p: number, q: number] {
  const mu = 4 * nu * nu;
  let p = 1,
    q = 0,
    term = 1;
  for (let k = 1; k < 60; k++) {
    const next = (term * (mu - (2 * k - 1) ** 2)) / (k * 8 * x);
    if (Math.abs(next) > Math.abs(term) && k > 2) break;
    term = next;
    if (k % 2) q += k % 4 === 1 ? term : -term;
    else p += k % 4 === 2 ? -term : term;
    if (Math.abs(term) < 1e-17) break;
  }
  return [p, q];
}

/** Bessel function of the first kind, order 0. */
export function besselJ0(x: number): number {
  const a = Math.abs(x);
  if (a < 8) return powerJ(0, a);
  if (a < LARGE) return millerJ(a, 2)[0]!;
  const [p, q] = hankel(0, a);
  // cos(x − π/4) and sin(x − π/4) from cos x and sin x
  const c = Math.cos(a),
    s = Math.sin(a);
  return (p * (c + s) - q * (s - c)) / Math.sqrt(Math.PI * a);
}

/** Bessel function of the first kind, order 1. */
export function besselJ1(x: number): number {
  const a = Math.abs(x),
    sign = x < 0 ? -1 : 1;
  if (a < 8) return sign * powerJ(1, a);
  if (a < LARGE) return sign * millerJ(a, 2)[1]!;
  const [p, q] = hankel(1, a);
  const c = Math.cos(a),
    s = Math.sin(a);
  return (sign * (p * (s - c) + q * (c + s))) / Math.sqrt(Math.PI * a);
}

/** Σ (−1)^k (x/2)^(2k+n) / (k! (k+n)!), with compensated summation: terms reach 100 times the sum. */
function powerJ(n: 0 | 1, x: number): number {
  if (x > 4) return millerJ(x, 2)[n]!;
  const q = -(x * x) / 4;
  let term = n === 0 ? 1 : x / 2,
    s = term;
  for (let k = 1; k < 40; k++) {
    term *= q / (k * (k + n));
    s += term;
    if (Math.abs(term) < 1e-18 * Math.abs(s)) break;
  }
  return s;
}

/** Bessel function of the second kind, order 0, x > 0: Neumann's expansion in J_2k below, Hankel's series above. */
export function besselY0(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x >= LARGE) {
    const [p, q] = hankel(0, x),
      c = Math.cos(x),
      s = Math.sin(x);
    return (p * (s - c) + q * (c + s)) / Math.sqrt(Math.PI * x);
  }
  const j = millerJ(x, 2);
  let s = 0;
  for (let k = 1; 2 * k < j.length; k++) s += ((k % 2 ? 1 : -1) * j[2 * k]!) / k;
  return (2 / Math.PI) * ((Math.log(x / 2) + EULER) * j[0]! + 2 * s);
}
const EULER = 0.5772156649015329;

/** Bessel function of the second kind, order 1, x > 0, from the Wronskian J1·Y0 − J0·Y1 = 2/(πx) or Neumann's expansion. */
export function besselY1(x: number): number {
  if (!(x > 0)) return x === 0 ? Number.NEGATIVE_INFINITY : Number.NaN;
  if (x >= LARGE) {
    const [p, q] = hankel(1, x),
      c = Math.cos(x),
      s = Math.sin(x);
    return (-p * (c + s) + q * (s - c)) / Math.sqrt(Math.PI * x);
  }
  const j = millerJ(x, 2);
  // π/2 Y1 = −1/x + (ln(x/2) + γ − 1) J1 − Σ (−1)^k (2k+1) / (k(k+1)) J_{2k+1}
  let s = 0;
  for (let k = 1; 2 * k + 1 < j.length; k++) s += ((k % 2 ? -1 : 1) * (2 * k + 1) * j[2 * k + 1]!) / (k * (k + 1));
  return (2 / Math.PI) * (-j[0]! / x + (Math.log(x / 2) + EULER - 1) * j[1]! - s);
}

/** The Struve–Neumann asymptotic series leaves e^(−x): it needs a larger argument than Hankel's. */
const LARGE_STRUVE = 40;

/** Struve function H0. */
export function struveH0(x: number): number {
  const a = Math.abs(x),
    sign = x < 0 ? -1 : 1;
  if (a < LARGE_STRUVE) {
    if (a === 0) return 0;
    // H0 = 4/π Σ J_{2k+1} / (2k+1)
    const j = millerJ(a, 2);
    let s = 0;
    for (let k = 1; k < j.length; k += 2) s += j[k]! / k;
    return (sign * 4 * s) / Math.PI;
  }
  // H0 − Y0 = 2/π (1/x − 1²/x³ + 1²3²/x⁵ − …)
  let term = 1 / a,
    s = term;
  for (let k = 1; k < 40; k++) {
    const next = (-term * (2 * k - 1) ** 2) / (a * a);
    if (Math.abs(next) > Math.abs(term) || Math.abs(next) < 1e-18) break;
    term = next;
    s += term;
  }
  return sign * ((2 / Math.PI) * s + besselY0(a));
}

/** Struve function H1. */
export function struveH1(x: number): number {
  const a = Math.abs(x);
  if (a < LARGE_STRUVE) {
    if (a < 1) {
      let term = (2 / (3 * Math.PI)) * a * a,
        s = term;
      for (let k = 1; k < 30; k++) {
        term *= -(a * a) / ((2 * k + 1) * (2 * k + 3));
        s += term;
      }
      return s;
    }
    // H1 = 2/π (1 − J0 + 2 Σ J_2k / (4k² − 1))
    const j = millerJ(a, 2);
    let s = 0;
    for (let k = 1; 2 * k < j.length; k++) s += j[2 * k]! / (4 * k * k - 1);
    return (2 / Math.PI) * (1 - j[0]! + 2 * s);
  }
  // H1 − Y1 = 2/π (1 + 1/x² − 1²·3/x⁴ + 1²·3²·5/x⁶ − …)
  let term = 1 / (a * a),
    s = 1 + term;
  for (let k = 1; k < 40; k++) {
    const next = (-term * (2 * k - 1) * (2 * k + 1)) / (a * a);
    if (Math.abs(next) > Math.abs(term) || Math.abs(next) < 1e-18) break;
    term = next;
    s += term;
  }
  return (2 / Math.PI) * s + besselY1(a);
}
