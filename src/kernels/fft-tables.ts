/** Cosine and sine of 2πk/n into out[at], out[at + 1]: reduced to one octant in integers, so symmetric values agree to the bit. */
export function rootInto(out: Float64Array | Float32Array, at: number, k: number, n: number): void {
  let a = 8 * (k % n); // in units of 1/(8n) turn
  let sc = 1,
    ss = 1;
  if (a > 4 * n) {
    a = 8 * n - a;
    ss = -1;
  }
  if (a > 2 * n) {
    a = 4 * n - a;
    sc = -1;
  }
  const swap = a > n;
  if (swap) a = 2 * n - a;
  const x = (Math.PI * a) / (4 * n);
  const c = a === n ? Math.SQRT1_2 : Math.cos(x),
    s = a === n ? Math.SQRT1_2 : Math.sin(x);
  out[at] = sc * (swap ? s : c);
  out[at + 1] = ss * (swap ? c : s);
}

/** exp(−2πik/n) for k of `ks`, interleaved. */
export function roots(ks: Iterable<number>, n: number): Float64Array {
  const list = [...ks];
  const out = new Float64Array(2 * list.length);
  list.forEach((k, i) => {
    rootInto(out, 2 * i, k, n);
    out[2 * i + 1] = -out[2 * i + 1]! || 0; // no −0
  });
  return out;
}

/** Bluestein costs more than a direct butterfly of these (measured: 3.3 times at 17, 1.5 times at 47). */
const ODD = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61];
/** n as odd small primes and the power of two that is left; undefined when a prime above 61 divides n. */
function split(n: number): { odd: number[]; twos: number } | undefined {
  const odd: number[] = [];
  for (const p of ODD) for (; n % p === 0; n /= p) odd.push(p);
  const twos = Math.log2(n);
  return Number.isInteger(twos) ? { odd, twos } : undefined;
}

/**
 * Order of the passes for length n, or undefined when n needs Bluestein's algorithm. Powers of two go in radix 8 and 4 (2 only when
 * it must be); one of them first, where a fused pass reads the user's array, and if there is another, one last.
 */
export function radices(n: number): number[] | undefined {
  const s = split(n);
  if (!s) return undefined;
  let { twos } = s;
  const even: number[] = [];
  for (; twos > 4 || twos === 3; twos -= 3) even.push(8);
  for (; twos >= 2; twos -= 2) even.push(4);
  if (twos) even.push(2);
  if (even[0] === 2) even.reverse();
  // One power of two stays for the end; otherwise a 5 or 3 goes there, which the fused last pass knows too.
  const first = even.shift();
  const last = even.pop();
  const rest = [...s.odd].sort((a, b) => b - a);
  return [first, ...even, ...rest, last].filter((r) => r !== undefined);
}

/** Length of the cyclic convolution for Bluestein: the least of a few 2^a·(1, 3, 5, 9, 15) that is at least 2n − 1. */
export function convolutionLength(n: number): number {
  let best = Number.POSITIVE_INFINITY;
  for (const k of [1, 3, 5, 9, 15]) {
    let m = 16 * k;
    while (m < 2 * n - 1) m *= 2;
    best = Math.min(best, m);
  }
  return best;
}

/** One pass: radix, length of the transforms before it, and (radix − 1) twiddles for each of its length/radix butterflies. */
export interface Level {
  readonly radix: number;
  readonly length: number;
  /** exp(−2πi·p·k/length) at 2·(p·(radix − 1) + k − 1); empty for the last pass. */
  readonly twiddles: Float64Array;
}
export function passLevels(n: number, order: readonly number[]): Level[] {
  const out: Level[] = [];
  for (const radix of order) {
    const m = n / radix;
    const twiddles = new Float64Array(m > 1 ? 2 * m * (radix - 1) : 0);
    for (let p = 0, at = 0; m > 1 && p < m; p++)
      for (let k = 1; k < radix; k++, at += 2) {
        rootInto(twiddles, at, p * k, n);
        twiddles[at + 1] = -twiddles[at + 1]!;
      }
    out.push({ radix, length: n, twiddles });
    n = m;
  }
  return out;
}

/** Output index of the first of each group of `last radix` elements after in-place passes; the others follow in steps of n/last. */
export function digitReversed(n: number, order: readonly number[]): Uint32Array {
  const groups = n / (order.at(-1) ?? 1);
  const out = new Uint32Array(groups);
  for (let g = 0; g < groups; g++) {
    let size = groups,
      rest = g,
      weight = 1,
      f = 0;
    for (let l = 0; l < order.length - 1; l++) {
      size /= order[l]!;
      const digit = Math.floor(rest / size);
      rest -= digit * size;
      f += digit * weight;
      weight *= order[l]!;
    }
    out[g] = f;
  }
  return out;
}

/** Bluestein's chirp exp(−iπj²/n), j = 0 … n − 1, interleaved. */
export function chirp(n: number): Float64Array {
  const out = new Float64Array(2 * n);
  for (let j = 0, square = 0; j < n; square = (square + 2 * j + 1) % (2 * n), j++) {
    rootInto(out, 2 * j, square, 2 * n);
    out[2 * j + 1] = -out[2 * j + 1]!;
  }
  return out;
}
/** The sequence conj(chirp) wrapped to length m, whose transform is Bluestein's filter. */
export function chirpFilter(c: Float64Array, m: number): Float64Array {
  const n = c.length / 2;
  const out = new Float64Array(2 * m);
  for (let j = 0; j < n; j++)
    for (const i of j ? [j, m - j] : [0]) {
      out[2 * i] = c[2 * j]!;
      out[2 * i + 1] = -c[2 * j + 1]!;
    }
  return out;
}
