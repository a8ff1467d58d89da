import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { cholesky, choleskySolve } from "../numerics/cholesky.js";
import { fft2, ifft2 } from "../numerics/fft.js";
import { matrix } from "../numerics/matrix.js";
import { median } from "../numerics/stats-select.js";

type Wave = readonly [number, number];
/** Powers [a, b] of x^a y^b of total degree 1 to `order`; the two linear ones first. */
export function monomials(order: number): readonly (readonly [number, number])[] {
  const out: [number, number][] = [];
  for (let n = 1; n <= order; n++) for (let b = 0; b <= n; b++) out.push([n - b, b]);
  return out;
}

/** Polynomial of the phase of a lattice wave, radians, without its constant. */
export interface LatticePhase {
  readonly coefficients: Float64Array;
  /** Phase that it leaves, radians rms. */
  readonly rms: number;
}

function spectrum(image: Image<Float32Array | Float64Array>, window: boolean): Float64Array {
  const [ny, nx] = image.shape,
    mean = Float64Array.from(image.data).reduce((s, v) => s + v, 0) / image.data.length,
    out = new Float64Array(2 * ny * nx);
  const hann = (i: number, n: number): number => (window ? Math.sin((Math.PI * (i + 0.5)) / n) ** 2 : 1);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) out[2 * (y * nx + x)] = (image.data[y * nx + x]! - mean) * hann(y, ny) * hann(x, nx);
  return fft2(out, [ny, nx]);
}
const frequency = (i: number, n: number): number => (i < n / 2 ? i : i - n) / n;

/** The two strongest lattice waves that point in different directions, cycles per pixel. @throws bad-value when there are none */
export function latticePeaks(image: Image<Float32Array | Float64Array>): readonly [Wave, Wave] {
  const [ny, nx] = image.shape,
    f = spectrum(image, true),
    power = Float64Array.from({ length: ny * nx }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
  const at = (y: number, x: number): number => power[((y + ny) % ny) * nx + ((x + nx) % nx)]!;
  const floor = median(power);
  const peaks: { wave: Wave; height: number }[] = [];
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const k: Wave = [frequency(x, nx), frequency(y, ny)];
      // One of each pair, away from the slow changes of the image.
      if (k[1] < 0 || (k[1] === 0 && k[0] <= 0) || Math.hypot(k[0] * nx, k[1] * ny) < 5 || Math.hypot(...k) > 0.45) continue;
      const h = at(y, x);
      if (!(h > 50 * floor)) continue;
      let top = true;
      for (let dy = -2; dy <= 2; dy++) for (let dx = -2; dx <= 2; dx++) if (at(y + dy, x + dx) > h) top = false;
      if (top) peaks.push({ wave: k, height: h });
    }
  peaks.sort((a, b) => b.height - a.height);
  const [first] = peaks,
    second = peaks.find(({ wave: [x, y] }) => {
      const [a, b] = first!.wave;
      return Math.abs(a * y - b * x) > 0.25 * Math.hypot(a, b) * Math.hypot(x, y);
    });
  if (!first || !second)
    return fail(
      "bad-value",
      { peaks: peaks.length },
      "two lattice waves must stand out of the spectrum: take the image of a crystal along a zone axis",
    );
  return [first.wave, second.wave];
}

/**
 * Phase of one wave over the image: the spectrum around it (a Gaussian of a quarter of its length), brought to zero frequency, and the polynomial that fits it, weighted with
 * the strength of the wave.
 * @param how - "differences" from pixel to pixel need no unwrapping; "values" are less noisy, for phases within half a turn of their mean
 */
export function latticePhase(
  image: Image<Float32Array | Float64Array>,
  [gx, gy]: Wave,
  order: number,
  how: "differences" | "values",
): LatticePhase {
  const [ny, nx] = image.shape,
    f = spectrum(image, false),
    width = Math.hypot(gx, gy) / 4;
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const d2 = (frequency(x, nx) - gx) ** 2 + (frequency(y, ny) - gy) ** 2,
        w = Math.exp(-d2 / (2 * width * width)),
        i = 2 * (y * nx + x);
      f[i]! *= w;
      f[i + 1]! *= w;
    }
  const wave = ifft2(f, [ny, nx]);
  // The filter mixes the rim with the other side of the image.
  const rim = Math.min(Math.ceil(0.6 / width), Math.floor(Math.min(nx, ny) / 6)),
    powers = monomials(order),
    n = powers.length;
  /** Powers of every place inside, with the wave brought to zero frequency. */
  const places: { readonly m: Float64Array; readonly re: number; readonly im: number }[] = [];
  for (let y = rim; y < ny - rim; y++)
    for (let x = rim; x < nx - rim; x++) {
      const i = 2 * (y * nx + x),
        turn = 2 * Math.PI * (gx * x + gy * y),
        c = Math.cos(turn),
        s = Math.sin(turn);
      const X = (2 * x) / (nx - 1) - 1,
        Y = (2 * y) / (ny - 1) - 1;
      const m = Float64Array.from([...powers.map(([a, b]) => X ** a * Y ** b), 1]);
      places.push({ m, re: wave[i]! * c + wave[i + 1]! * s, im: wave[i + 1]! * c - wave[i]! * s });
    }
  const sums = { a: new Float64Array((n + 1) ** 2), b: new Float64Array(n + 1) };
  const add = (row: Float64Array, value: number, weight: number): void => {
    for (let p = 0; p <= n; p++) {
      sums.b[p]! += weight * row[p]! * value;
      for (let q = 0; q <= n; q++) sums.a[p * (n + 1) + q]! += weight * row[p]! * row[q]!;
    }
  };
  const columns = nx - 2 * rim;
  if (how === "values") {
    const re = places.reduce((s, p) => s + p.re, 0),
      im = places.reduce((s, p) => s + p.im, 0);
    for (const p of places) add(p.m, Math.atan2(p.im * re - p.re * im, p.re * re + p.im * im), Math.hypot(p.re, p.im));
  } else
    places.forEach((p, k) => {
      for (const next of [(k + 1) % columns === 0 ? undefined : places[k + 1], places[k + columns]]) {
        if (!next) continue;
        const re = next.re * p.re + next.im * p.im,
          im = next.im * p.re - next.re * p.im;
        add(
          next.m.map((v, i) => v - p.m[i]!),
          Math.atan2(im, re),
          Math.hypot(re, im),
        );
      }
    });
  // Differences say nothing of the constant.
  sums.a[(n + 1) ** 2 - 1]! += how === "differences" ? 1 : 0;
  const solved = choleskySolve(cholesky(matrix(n + 1, n + 1, sums.a)), matrix(n + 1, 1, sums.b)).data;
  const coefficients = Float64Array.from(solved.subarray(0, n));
  // |⟨exp iδ⟩| = exp(−σ²/2) over what is left
  let re = 0,
    im = 0,
    whole = 0;
  for (const p of places) {
    const phase = coefficients.reduce((sum, c, k) => sum + c * p.m[k]!, 0),
      c = Math.cos(phase),
      s = Math.sin(phase);
    re += p.re * c + p.im * s;
    im += p.im * c - p.re * s;
    whole += Math.hypot(p.re, p.im);
  }
  const kept = Math.hypot(re, im) / Math.max(whole, Number.MIN_VALUE);
  return { coefficients, rms: Math.sqrt(Math.max(0, -2 * Math.log(Math.max(kept, 1e-12)))) };
}
