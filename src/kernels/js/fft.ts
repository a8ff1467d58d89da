import { chirp, chirpFilter, convolutionLength, type Level, passLevels, radices, roots } from "../fft-tables.js";

type Real = Float32Array | Float64Array;

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

/**
 * Along the middle axis of complex data [outer, n, inner] from `at`, in place.
 * @param inverse - sign of the exponent +; @param scale - factor on the result
 */
export function jsAxis(f: Line, data: Real, at: number, outer: number, inner: number, inverse: boolean, scale: number): void {
  const { n, input } = f,
    sign = inverse ? -1 : 1;
  for (let o = 0; o < outer; o++)
    for (let c = 0; c < inner; c++) {
      const start = at + 2 * (o * n * inner + c);
      for (let j = 0, i = start; j < 2 * n; j += 2, i += 2 * inner) {
        input[j] = data[i]!;
        input[j + 1] = sign * data[i + 1]!;
      }
      const y = f.run();
      for (let j = 0, i = start; j < 2 * n; j += 2, i += 2 * inner) {
        data[i] = y[j]! * scale;
        data[i + 1] = sign * y[j + 1]! * scale;
      }
    }
}
/** exp(−2πik/length), k = 0 … length/2, for the split of even real lengths. */
const splitRoots = (length: number): Float64Array =>
  roots(
    Array.from({ length: length % 2 ? 0 : length / 2 + 1 }, (_, k) => k),
    length,
  );
/** Real rows of `length` values to length/2 + 1 complex; `f` is the line of length/2 (even) or length (odd). */
export function jsRealForward(f: Line, real: Real, spectrum: Real, rows: number, length: number, scale: number): void {
  const h = length >> 1,
    keep = h + 1,
    w = splitRoots(length);
  for (let row = 0; row < rows; row++) {
    const from = row * length,
      to = 2 * row * keep;
    if (length % 2) {
      for (let j = 0; j < length; j++) {
        f.input[2 * j] = real[from + j]!;
        f.input[2 * j + 1] = 0;
      }
      const y = f.run();
      for (let j = 0; j < 2 * keep; j++) spectrum[to + j] = y[j]! * scale;
      spectrum[to + 1] = 0;
      continue;
    }
    for (let j = 0; j < length; j++) f.input[j] = real[from + j]!;
    const z = f.run();
    for (let k = 0; k <= h; k++) {
      const p = 2 * (k % h),
        q = 2 * ((h - k) % h);
      const er = z[p]! + z[q]!,
        ei = z[p + 1]! - z[q + 1]!,
        or = z[p + 1]! + z[q + 1]!,
        oi = z[q]! - z[p]!;
      const wr = w[2 * k]!,
        wi = w[2 * k + 1]!;
      spectrum[to + 2 * k] = 0.5 * scale * (er + or * wr - oi * wi);
      spectrum[to + 2 * k + 1] = 0.5 * scale * (ei + oi * wr + or * wi);
    }
  }
}
/** Inverse of {@link jsRealForward}: the imaginary parts of the first and (even length) last value do not count. */
export function jsRealInverse(f: Line, spectrum: Real, real: Real, rows: number, length: number, scale: number): void {
  const h = length >> 1,
    keep = h + 1,
    w = splitRoots(length);
  for (let row = 0; row < rows; row++) {
    const from = 2 * row * keep,
      to = row * length;
    if (length % 2) {
      for (let k = 0; k < length; k++) {
        const mirrored = k > h,
          i = from + 2 * (mirrored ? length - k : k);
        f.input[2 * k] = spectrum[i]!;
        f.input[2 * k + 1] = k === 0 ? 0 : mirrored ? spectrum[i + 1]! : -spectrum[i + 1]!; // conjugated: forward line
      }
      const y = f.run();
      for (let j = 0; j < length; j++) real[to + j] = y[2 * j]! * scale;
      continue;
    }
    for (let k = 0; k < h; k++) {
      const p = from + 2 * k,
        q = from + 2 * (h - k);
      const ai = k === 0 ? 0 : spectrum[p + 1]!,
        bi = k === 0 ? 0 : spectrum[q + 1]!;
      const er = spectrum[p]! + spectrum[q]!,
        ei = ai - bi,
        dr = spectrum[p]! - spectrum[q]!,
        di = ai + bi;
      const wr = w[2 * k]!,
        wi = w[2 * k + 1]!;
      const or = dr * wr + di * wi,
        oi = di * wr - dr * wi;
      f.input[2 * k] = er - oi;
      f.input[2 * k + 1] = -(ei + or);
    }
    const y = f.run();
    for (let j = 0; j < h; j++) {
      real[to + 2 * j] = y[2 * j]! * scale;
      real[to + 2 * j + 1] = -y[2 * j + 1]! * scale;
    }
  }
}
