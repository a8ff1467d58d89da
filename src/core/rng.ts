/** Keyed random numbers: `fork(key)` gives a stream that depends on the seed and the keys alone, never on what was drawn before. */
export interface Rng {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Poisson count of the given mean (>= 0). */
  poisson(mean: number): number;
  /** Integer in [0, n). */
  integer(n: number): number;
  /** Independent stream for a key; the same key always gives the same stream. */
  fork(key: number | string): Rng;
}

/** splitmix32-style finaliser. */
function mix(x: number): number {
  let z = x | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
function absorb(h: number, word: number): number {
  return mix((Math.imul(h, 0x9e3779b1) + word + 0x6d2b79f5) | 0);
}
function hashKey(h: number, key: number | string): number {
  if (typeof key === "number") {
    const words = new Uint32Array(Float64Array.of(key).buffer);
    return absorb(absorb(absorb(h, 1), words[0]!), words[1]!);
  }
  let out = absorb(h, 2);
  for (let i = 0; i < key.length; i++) out = absorb(out, key.charCodeAt(i));
  return out;
}

/** xoshiro128** (Blackman & Vigna 2018) seeded by a hash of two 32-bit words that carry seed and keys. */
function stream(k0: number, k1: number): Rng {
  let s0 = absorb(k0, 11),
    s1 = absorb(k1, 13),
    s2 = absorb(k0 ^ k1, 17),
    s3 = absorb(k1 + k0, 19) | 1;
  let spare = Number.NaN;
  const next = (): number => {
    const r = Math.imul(s1, 5);
    const result = Math.imul((r << 7) | (r >>> 25), 9) >>> 0;
    const t = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  };
  const uniform = (): number => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992;
  const normal = (): number => {
    if (!Number.isNaN(spare)) {
      const v = spare;
      spare = Number.NaN;
      return v;
    }
    for (;;) {
      const u = 2 * uniform() - 1,
        v = 2 * uniform() - 1,
        q = u * u + v * v;
      if (q >= 1 || q === 0) continue;
      const f = Math.sqrt((-2 * Math.log(q)) / q);
      spare = v * f;
      return u * f;
    }
  };
  const poisson = (mean: number): number => {
    if (!(mean > 0)) return 0;
    if (mean < 30) {
      const limit = Math.exp(-mean);
      let k = 0;
      for (let p = uniform(); p > limit; p *= uniform()) k++;
      return k;
    }
    // Hörmann's PTRS transformed rejection (1993), exact for mean >= 10.
    const b = 0.931 + 2.53 * Math.sqrt(mean),
      a = -0.059 + 0.02483 * b;
    const invAlpha = 1.1239 + 1.1328 / (b - 3.4),
      vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const u = uniform() - 0.5,
        v = uniform(),
        us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= vr) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      if (Math.log((v * invAlpha) / (a / (us * us) + b)) <= k * Math.log(mean) - mean - logFactorial(k)) return k;
    }
  };
  return {
    uniform,
    normal,
    poisson,
    integer: (n) => Math.floor(uniform() * n),
    fork: (key) => stream(hashKey(k0, key), hashKey(k1 ^ 0x5bd1e995, key)),
  };
}

/** ln k!, by Stirling's series above 9. */
function logFactorial(k: number): number {
  if (k < 10) {
    let f = 1;
    for (let i = 2; i <= k; i++) f *= i;
    return Math.log(f);
  }
  const x = k + 1;
  return (x - 0.5) * Math.log(x) - x + 0.9189385332046727 + 1 / (12 * x) - 1 / (360 * x ** 3) + 1 / (1260 * x ** 5);
}

/** A generator from a seed. Same seed, same numbers, everywhere. */
export function rng(seed: number | string): Rng {
  return stream(hashKey(0x243f6a88, seed), hashKey(0x85a308d3, seed));
}
