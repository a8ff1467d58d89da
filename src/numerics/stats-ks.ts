/** Result of a Kolmogorov–Smirnov test: the largest distance of the distribution functions and its asymptotic p-value. */
export interface KsTest {
  readonly statistic: number;
  /** Chance of at least this distance if the distributions agree; asymptotic with Stephens' small-sample correction. */
  readonly pValue: number;
}

/** Q(λ) = 2 Σ (−1)^(k−1) exp(−2k²λ²), by the theta-function transform where that series converges slowly. */
export function kolmogorovQ(lambda: number): number {
  if (lambda <= 0) return 1;
  if (lambda < 1.18) {
    let s = 0;
    for (let k = 1; k <= 9; k += 2) s += Math.exp((-(k * k) * Math.PI * Math.PI) / (8 * lambda * lambda));
    return 1 - (Math.sqrt(2 * Math.PI) / lambda) * s;
  }
  let s = 0;
  for (let k = 1; k <= 10; k++) s += (k % 2 ? 2 : -2) * Math.exp(-2 * k * k * lambda * lambda);
  return s;
}

function pValue(d: number, n: number): number {
  const r = Math.sqrt(n);
  return Math.min(1, Math.max(0, kolmogorovQ((r + 0.12 + 0.11 / r) * d)));
}

/** Test values against a distribution function. @see Stephens (1970) J. R. Stat. Soc. B 32, 115 */
export function ksTest(values: ArrayLike<number>, cdf: (x: number) => number): KsTest {
  const a = Float64Array.from(values).sort(),
    n = a.length;
  let d = 0;
  for (let i = 0; i < n; i++) {
    const f = cdf(a[i]!);
    d = Math.max(d, f - i / n, (i + 1) / n - f);
  }
  return { statistic: d, pValue: pValue(d, n) };
}

/** Test whether two samples come from one distribution. */
export function ksTwoSample(first: ArrayLike<number>, second: ArrayLike<number>): KsTest {
  const a = Float64Array.from(first).sort(),
    b = Float64Array.from(second).sort();
  let i = 0,
    j = 0,
    d = 0;
  while (i < a.length && j < b.length) {
    const v = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i] === v) i++;
    while (j < b.length && b[j] === v) j++;
    d = Math.max(d, Math.abs(i / a.length - j / b.length));
  }
  return { statistic: d, pValue: pValue(d, (a.length * b.length) / (a.length + b.length)) };
}
