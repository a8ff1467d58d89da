/** Lanczos coefficients for g = 7, n = 9 (Godfrey's set). */
const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
] as const;
const HALF_LOG_2PI = 0.9189385332046728;

/** ln |Γ(x)|; Infinity at 0, −1, −2, … Lanczos below 15, Stirling's series above. */
export function lnGamma(x: number): number {
  if (Number.isNaN(x) || x === Number.POSITIVE_INFINITY) return x;
  if (x <= 0 && Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - lnGamma(1 - x);
  if (x === 1 || x === 2) return 0;
  if (Math.abs(x - 1) < 0.25) return lnGammaNearTwo(x - 1) - Math.log1p(x - 1);
  if (Math.abs(x - 2) < 0.25) return lnGammaNearTwo(x - 2);
  if (x < 15) return Math.log(gamma(x));
  const y = 1 / (x * x);
  const series = 1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y * (1 / 1188 - y * (691 / 360360 - y / 156)))));
  return (x - 0.5) * Math.log(x) - x + HALF_LOG_2PI + series / x;
}

/** ζ(k) − 1 for k = 2…28. */
const ZETA_LESS_1 = [
  0.6449340668482264, 0.2020569031595943, 0.08232323371113819, 0.03692775514336993, 0.01734306198444914, 0.008349277381922827,
  0.00407735619794434, 0.0020083928260822143, 0.0009945751278180853, 0.0004941886041194645, 0.0002460865533080483, 0.00012271334757848915,
  6.124813505870481e-5, 3.058823630702049e-5, 1.528225940865187e-5, 7.63719763789976e-6, 3.81729326499984e-6, 1.90821271655394e-6,
  9.539620338728e-7, 4.7693298678781e-7, 2.3845050272773e-7, 1.1921992596531e-7, 5.960818905126e-8, 2.980350351465e-8, 1.490155482837e-8,
  7.45071178984e-9, 3.72533402479e-9,
] as const;
const EULER = 0.5772156649015329;

/** ln Γ(2 + e), |e| <= 1/4, without loss of digits near the zero: e(1−γ) + Σ (−1)^k (ζ(k)−1) e^k / k. */
function lnGammaNearTwo(e: number): number {
  let s = 0,
    p = -e;
  for (let k = 2; k <= 28; k++) {
    p *= -e;
    s += (ZETA_LESS_1[k - 2]! * p) / k;
  }
  return e * (1 - EULER) + s;
}

/** Γ(x); NaN at 0, −1, −2, … Exact for whole numbers up to 23. */
export function gamma(x: number): number {
  if (Number.isInteger(x)) {
    if (x <= 0) return Number.NaN;
    if (x <= 171) {
      let f = 1;
      for (let k = 2; k < x; k++) f *= k;
      return f;
    }
  }
  if (x < 0.5) return Math.PI / (Math.sin(Math.PI * x) * gamma(1 - x));
  if (x >= 15) return x > 171.7 ? Number.POSITIVE_INFINITY : stirlingGamma(x);
  const z = x - 1;
  let s: number = LANCZOS[0];
  for (let i = 1; i < 9; i++) s += LANCZOS[i]! / (z + i);
  const t = z + 7.5;
  return Math.sqrt(2 * Math.PI) * t ** (z + 0.5) * Math.exp(-t) * s;
}

function stirlingGamma(x: number): number {
  const y = 1 / x;
  const s =
    1 +
    y *
      (1 / 12 +
        y *
          (1 / 288 -
            y *
              (139 / 51840 +
                y * (571 / 2488320 - y * (163879 / 209018880 + y * (5246819 / 75246796800 - (y * 534703531) / 902961561600))))));
  const half = x ** (x / 2 - 0.25); // in two factors, so that x^x does not overflow before e^−x joins
  return Math.sqrt(2 * Math.PI) * (half * Math.exp(-x)) * half * s;
}

/**
 * Regularised lower incomplete gamma function P(a, x), a > 0, x >= 0. Series below a + 1, continued fraction above.
 * @see Abramowitz & Stegun 6.5.29, 6.5.31
 */
export function gammaP(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  if (x === 0) return 0;
  if (x === Number.POSITIVE_INFINITY) return 1;
  return x < a + 1 ? lowerSeries(a, x) : 1 - upperFraction(a, x);
}
/** Regularised upper incomplete gamma function Q = 1 − P, with its small values kept. */
export function gammaQ(a: number, x: number): number {
  if (!(a > 0) || !(x >= 0)) return Number.NaN;
  if (x === 0) return 1;
  if (x === Number.POSITIVE_INFINITY) return 0;
  return x < a + 1 ? 1 - lowerSeries(a, x) : upperFraction(a, x);
}

/** x^a e^−x / Γ(a). For large a, through ln(x/a) so that the leading parts cancel exactly. */
function front(a: number, x: number): number {
  if (a < 20) return Math.exp(a * Math.log(x) - x - lnGamma(a));
  const u = (x - a) / a;
  const w = Math.abs(u) < 0.4 ? log1pLess(u) : Math.log(x / a) - u;
  const y = 1 / (a * a),
    star = (1 / 12 - y * (1 / 360 - y * (1 / 1260 - y * (1 / 1680 - y / 1188)))) / a;
  return Math.sqrt(a / (2 * Math.PI)) * Math.exp(a * w - star);
}
/** ln(1 + u) − u without cancellation: with v = u / (2 + u), ln(1+u) = 2 (v + v³/3 + …). */
function log1pLess(u: number): number {
  const v = u / (2 + u),
    v2 = v * v;
  let s = 0,
    p = 2 * v * v2;
  for (let k = 3; k < 60; k += 2, p *= v2) {
    s += p / k;
    if (Math.abs(p) < 1e-18 * Math.abs(s)) break;
  }
  return s - u * v;
}
function lowerSeries(a: number, x: number): number {
  let term = 1 / a,
    s = term;
  for (let k = 1; k < 100000 && term > s * 1e-17; k++) {
    term *= x / (a + k);
    s += term;
  }
  return s * front(a, x);
}
function upperFraction(a: number, x: number): number {
  // Lentz's method, modified.
  let b = x + 1 - a,
    c = 1e300,
    d = 1 / b,
    h = d;
  for (let k = 1; k < 100000; k++) {
    const an = -k * (k - a);
    b += 2;
    d = an * d + b;
    if (Math.abs(d) < 1e-300) d = 1e-300;
    c = b + an / c;
    if (Math.abs(c) < 1e-300) c = 1e-300;
    d = 1 / d;
    const step = d * c;
    h *= step;
    if (Math.abs(step - 1) < 1e-16) break;
  }
  return h * front(a, x);
}
