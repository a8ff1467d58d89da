/**
 * Reference for Fourier transforms that shares nothing with them: roots of unity by integer arithmetic to 120 bits, and sums that are
 * exact because the inputs are small whole numbers and each root is split into two 27-bit halves.
 */
const BITS = 120n;
const ONE = 1n << BITS;

/** π · 2^120 by Machin's formula. */
function pi(): bigint {
  const guard = 16n,
    one = ONE << guard;
  const arctanInverse = (q: bigint): bigint => {
    let term = one / q,
      sum = term;
    for (let k = 1n; term !== 0n; k++) {
      term /= -(q * q);
      sum += term / (2n * k + 1n);
    }
    return sum;
  };
  return (4n * (4n * arctanInverse(5n) - arctanInverse(239n))) >> guard;
}
/** cos and sin of 2π/n, times 2^120, by Taylor series. */
function primitive(n: number): [bigint, bigint] {
  const x = (2n * pi()) / BigInt(n);
  let c = 0n,
    s = 0n,
    term = ONE;
  for (let k = 0n; term !== 0n; k++) {
    const sign = (k >> 1n) % 2n ? -1n : 1n;
    if (k % 2n) s += sign * term;
    else c += sign * term;
    term = ((term * x) >> BITS) / (k + 1n);
  }
  return [c, s];
}
/** exp(−2πik/n) as sums of two parts of at most 27 and 28 bits: [re high, re low, im high, im low] for every k. */
export function splitRoots(n: number): Float64Array {
  const out = new Float64Array(4 * n);
  const [c, s] = primitive(n);
  let re = ONE,
    im = 0n;
  const round = (v: bigint): bigint => (v + (1n << (BITS - 1n))) >> BITS;
  const parts = (v: bigint, at: number): void => {
    const high = (v + (1n << (BITS - 28n))) >> (BITS - 27n);
    const low = (v - (high << (BITS - 27n))) >> (BITS - 54n);
    out[at] = Number(high) * 2 ** -27;
    out[at + 1] = Number(low) * 2 ** -54;
  };
  for (let k = 0; k < n; k++) {
    parts(re, 4 * k);
    parts(-im, 4 * k + 2);
    [re, im] = [round(re * c - im * s), round(re * s + im * c)];
  }
  return out;
}
/** The bins of the transform of x (interleaved whole numbers, |x|·n < 2^25), each rounded once. */
export function exactDft(x: ArrayLike<number>, roots: Float64Array, bins?: readonly number[]): Float64Array {
  const n = x.length / 2,
    list = bins ?? Array.from({ length: n }, (_, k) => k);
  const out = new Float64Array(2 * list.length);
  list.forEach((k, b) => {
    let rh = 0,
      rl = 0,
      ih = 0,
      il = 0;
    for (let j = 0, t = 0; j < n; j++) {
      const xr = x[2 * j]!,
        xi = x[2 * j + 1]!,
        w = 4 * t;
      rh += xr * roots[w]! - xi * roots[w + 2]!;
      rl += xr * roots[w + 1]! - xi * roots[w + 3]!;
      ih += xr * roots[w + 2]! + xi * roots[w]!;
      il += xr * roots[w + 3]! + xi * roots[w + 1]!;
      t += k;
      if (t >= n) t -= n;
    }
    out[2 * b] = rh + rl;
    out[2 * b + 1] = ih + il;
  });
  return out;
}
/** Root-mean-square difference over the root-mean-square of the reference. */
export function rmsError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let e = 0,
    s = 0;
  for (let i = 0; i < b.length; i++) {
    e += (a[i]! - b[i]!) ** 2;
    s += b[i]! ** 2;
  }
  return a.length === b.length ? Math.sqrt(e / (s || 1)) : Number.NaN;
}
