import { chirp, chirpFilter, convolutionLength, type Level, passLevels, radices, roots } from "../fft-tables.js";

/** Transform of one line of n complex numbers, forward, unscaled, in double precision whatever the storage. */
export interface Line {
  readonly n: number;
  /** Fill this with the input (interleaved), call `run`, read the result from what it returns (one of two internal arrays). */
  readonly input: Float64Array;
  run(): Float64Array;
}

/** The reference and the fallback of assembly/fft.ts: the same factors and tables, scalar Stockham passes in plain TypeScript. */
export function line(n: number): Line {
  // The scalar passes know 2, 3, 4, 5 and odd primes; an 8 is done as 4 · 2.
  const order = radices(n)?.flatMap((r) => (r === 8 ? [4, 2] : [r]));
  return order ? stockham(n, passLevels(n, order)) : bluestein(n);
}

function stockham(n: number, levels: readonly Level[]): Line {
  const a = new Float64Array(2 * n),
    b = new Float64Array(2 * n);
  const cycles = levels.map(({ radix }) =>
    roots(
      Array.from({ length: radix }, (_, k) => k),
      radix,
    ),
  );
  return {
    n,
    input: a,
    run: () => {
      let x = a,
        y = b,
        s = 1;
      levels.forEach((level, l) => {
        const { radix, length, twiddles } = level;
        const m = length / radix;
        if (radix === 4) pass4(x, y, m, s, twiddles);
        else if (radix === 2) pass2(x, y, m, s, twiddles);
        else passAny(x, y, radix, m, s, twiddles, cycles[l]!);
        s *= radix;
        [x, y] = [y, x];
      });
      return x;
    },
  };
}

// In all passes: input k of butterfly (p, q) at q + s·(p + k·m), output k at q + s·(radix·p + k).
function pass2(x: Float64Array, y: Float64Array, m: number, s: number, tw: Float64Array): void {
  for (let p = 0; p < m; p++) {
    const wr = m > 1 ? tw[2 * p]! : 1,
      wi = m > 1 ? tw[2 * p + 1]! : 0;
    for (let i = 2 * s * p, e = i + 2 * s, j = 4 * s * p; i < e; i += 2, j += 2) {
      const k = i + 2 * s * m;
      const dr = x[i]! - x[k]!,
        di = x[i + 1]! - x[k + 1]!;
      y[j] = x[i]! + x[k]!;
      y[j + 1] = x[i + 1]! + x[k + 1]!;
      y[j + 2 * s] = dr * wr - di * wi;
      y[j + 2 * s + 1] = dr * wi + di * wr;
    }
  }
}
function pass4(x: Float64Array, y: Float64Array, m: number, s: number, tw: Float64Array): void {
  const k = 2 * s * m,
    o = 2 * s;
  for (let p = 0; p < m; p++) {
    const t = 6 * p,
      on = m > 1;
    const w1r = on ? tw[t]! : 1,
      w1i = on ? tw[t + 1]! : 0,
      w2r = on ? tw[t + 2]! : 1,
      w2i = on ? tw[t + 3]! : 0,
      w3r = on ? tw[t + 4]! : 1,
      w3i = on ? tw[t + 5]! : 0;
    for (let i = o * p, e = i + o, j = 4 * o * p; i < e; i += 2, j += 2) {
      const ar = x[i]!,
        ai = x[i + 1]!,
        br = x[i + k]!,
        bi = x[i + k + 1]!,
        cr = x[i + 2 * k]!,
        ci = x[i + 2 * k + 1]!,
        dr = x[i + 3 * k]!,
        di = x[i + 3 * k + 1]!;
      const pr = ar + cr,
        pi = ai + ci,
        mr = ar - cr,
        mi = ai - ci,
        qr = br + dr,
        qi = bi + di,
        nr = br - dr,
        ni = bi - di;
      const er = pr - qr,
        ei = pi - qi,
        fr = mr + ni,
        fi = mi - nr,
        gr = mr - ni,
        gi = mi + nr;
      y[j] = pr + qr;
      y[j + 1] = pi + qi;
      y[j + o] = fr * w1r - fi * w1i;
      y[j + o + 1] = fr * w1i + fi * w1r;
      y[j + 2 * o] = er * w2r - ei * w2i;
      y[j + 2 * o + 1] = er * w2i + ei * w2r;
      y[j + 3 * o] = gr * w3r - gi * w3i;
      y[j + 3 * o + 1] = gr * w3i + gi * w3r;
    }
  }
}
/** Odd radix r by symmetric pairs; `cycle`: exp(−2πik/r). */
function passAny(x: Float64Array, y: Float64Array, r: number, m: number, s: number, tw: Float64Array, cycle: Float64Array): void {
  const k = 2 * s * m,
    o = 2 * s,
    half = (r + 1) >> 1;
  const sum = new Float64Array(2 * half),
    dif = new Float64Array(2 * half);
  const turn = (at: number, re: number, im: number, t: number): void => {
    const wr = m > 1 ? tw[t]! : 1,
      wi = m > 1 ? tw[t + 1]! : 0;
    y[at] = re * wr - im * wi;
    y[at + 1] = re * wi + im * wr;
  };
  for (let p = 0; p < m; p++) {
    const t = 2 * (r - 1) * p;
    for (let i = o * p, e = i + o, j = r * o * p; i < e; i += 2, j += 2) {
      let tr = x[i]!,
        ti = x[i + 1]!;
      for (let a = 1; a < half; a++) {
        const u = i + a * k,
          v = i + (r - a) * k;
        sum[2 * a] = x[u]! + x[v]!;
        sum[2 * a + 1] = x[u + 1]! + x[v + 1]!;
        dif[2 * a] = x[u]! - x[v]!;
        dif[2 * a + 1] = x[u + 1]! - x[v + 1]!;
        tr += sum[2 * a]!;
        ti += sum[2 * a + 1]!;
      }
      y[j] = tr;
      y[j + 1] = ti;
      for (let h = 1; h < half; h++) {
        let er = x[i]!,
          ei = x[i + 1]!,
          fr = 0,
          fi = 0;
        for (let a = 1, at = h; a < half; a++, at = (at + h) % r) {
          const c = cycle[2 * at]!,
            sn = cycle[2 * at + 1]!;
          er += sum[2 * a]! * c;
          ei += sum[2 * a + 1]! * c;
          fr += dif[2 * a]! * sn;
          fi += dif[2 * a + 1]! * sn;
        }
        turn(j + h * o, er - fi, ei + fr, t + 2 * (h - 1));
        turn(j + (r - h) * o, er + fi, ei - fr, t + 2 * (r - h - 1));
      }
    }
  }
}

/** Bluestein: a transform of any length as a cyclic convolution with the chirp, of smooth length m. */
function bluestein(n: number): Line {
  const m = convolutionLength(n),
    c = chirp(n),
    inner = line(m),
    filter = chirpSpectrum(c, m);
  const input = new Float64Array(2 * n);
  return {
    n,
    input,
    run: () => {
      const a = inner.input.fill(0);
      for (let j = 0; j < 2 * n; j += 2) {
        a[j] = input[j]! * c[j]! - input[j + 1]! * c[j + 1]!;
        a[j + 1] = input[j]! * c[j + 1]! + input[j + 1]! * c[j]!;
      }
      const f = inner.run();
      const g = inner.input;
      for (let j = 0; j < 2 * m; j += 2) {
        const re = f[j]! * filter[j]! - f[j + 1]! * filter[j + 1]!,
          im = f[j]! * filter[j + 1]! + f[j + 1]! * filter[j]!;
        g[j] = re;
        g[j + 1] = -im;
      }
      const h = inner.run();
      for (let j = 0; j < 2 * n; j += 2) {
        const re = h[j]!,
          im = -h[j + 1]!;
        input[j] = re * c[j]! - im * c[j + 1]!;
        input[j + 1] = re * c[j + 1]! + im * c[j]!;
      }
      return input;
    },
  };
}
/** Transform of the wrapped conjugate chirp over m: what Bluestein's middle step multiplies with. */
export function chirpSpectrum(c: Float64Array, m: number): Float64Array {
  const f = line(m);
  f.input.set(chirpFilter(c, m));
  return f.run().map((v) => v / m);
}
