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
    width = Math.hypot(gx, gy) / 4,
    across = gaussianAbout(gx, nx, width),
    down = gaussianAbout(gy, ny, width);
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i += 2) {
      const w = down[y]! * across[x]!;
      f[i]! *= w;
      f[i + 1]! *= w;
    }
  const wave = ifft2(f, [ny, nx]);
  // The filter mixes the rim with the other side of the image.
  const rim = Math.min(Math.ceil(0.6 / width), Math.floor(Math.min(nx, ny) / 6)),
    columns = nx - 2 * rim,
    rows = ny - 2 * rim,
    re = new Float64Array(rows * columns),
    im = new Float64Array(rows * columns);
  // The wave brought to zero frequency, inside the rim.
  const turnX = phasors(gx, nx),
    turnY = phasors(gy, ny);
  for (let y = 0, k = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, k++) {
      const [p, q] = [2 * (x + rim), 2 * (y + rim)],
        c = turnX[p]! * turnY[q]! - turnX[p + 1]! * turnY[q + 1]!,
        s = turnX[p]! * turnY[q + 1]! + turnX[p + 1]! * turnY[q]!,
        i = 2 * ((y + rim) * nx + x + rim);
      re[k] = wave[i]! * c + wave[i + 1]! * s;
      im[k] = wave[i + 1]! * c - wave[i]! * s;
    }
  const powers = monomials(order),
    n = powers.length,
    X = powersOf(order, nx, rim, columns),
    Y = powersOf(order, ny, rim, rows);
  /** The monomials of a place and 1. */
  const place = (x: number, y: number, into: Float64Array): void => {
    for (let p = 0; p < n; p++) into[p] = X[powers[p]![0] * columns + x]! * Y[powers[p]![1] * rows + y]!;
    into[n] = 1;
  };
  const sums = { a: new Float64Array((n + 1) ** 2), b: new Float64Array(n + 1) },
    here = new Float64Array(n + 1),
    next = new Float64Array(n + 1);
  const add = (row: Float64Array, value: number, weight: number): void => {
    for (let p = 0; p <= n; p++) {
      const w = weight * row[p]!;
      sums.b[p]! += w * value;
      for (let q = 0; q <= p; q++) sums.a[p * (n + 1) + q]! += w * row[q]!;
    }
  };
  let [meanRe, meanIm] = [0, 0];
  for (let k = 0; k < re.length; k++) {
    meanRe += re[k]!;
    meanIm += im[k]!;
  }
  const difference = (k: number, to: number): void => {
    const a = re[to]! * re[k]! + im[to]! * im[k]!,
      b = im[to]! * re[k]! - re[to]! * im[k]!;
    for (let p = 0; p <= n; p++) next[p]! -= here[p]!;
    add(next, Math.atan2(b, a), Math.hypot(a, b));
  };
  for (let y = 0, k = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, k++) {
      place(x, y, here);
      if (how === "values") {
        add(here, Math.atan2(im[k]! * meanRe - re[k]! * meanIm, re[k]! * meanRe + im[k]! * meanIm), Math.hypot(re[k]!, im[k]!));
        continue;
      }
      if (x + 1 < columns) {
        place(x + 1, y, next);
        difference(k, k + 1);
      }
      if (y + 1 < rows) {
        place(x, y + 1, next);
        difference(k, k + columns);
      }
    }
  for (let p = 0; p <= n; p++) for (let q = 0; q < p; q++) sums.a[q * (n + 1) + p] = sums.a[p * (n + 1) + q]!;
  // Differences say nothing of the constant.
  sums.a[(n + 1) ** 2 - 1]! += how === "differences" ? 1 : 0;
  const solved = choleskySolve(cholesky(matrix(n + 1, n + 1, sums.a)), matrix(n + 1, 1, sums.b)).data;
  const coefficients = Float64Array.from(solved.subarray(0, n));
  // |⟨exp iδ⟩| = exp(−σ²/2) over what is left
  let [keptRe, keptIm, whole] = [0, 0, 0];
  for (let y = 0, k = 0; y < rows; y++)
    for (let x = 0; x < columns; x++, k++) {
      place(x, y, here);
      let phase = 0;
      for (let p = 0; p < n; p++) phase += coefficients[p]! * here[p]!;
      const c = Math.cos(phase),
        s = Math.sin(phase);
      keptRe += re[k]! * c + im[k]! * s;
      keptIm += im[k]! * c - re[k]! * s;
      whole += Math.hypot(re[k]!, im[k]!);
    }
  const kept = Math.hypot(keptRe, keptIm) / Math.max(whole, Number.MIN_VALUE);
  return { coefficients, rms: Math.sqrt(Math.max(0, -2 * Math.log(Math.max(kept, 1e-12)))) };
}

/** Gaussian of the frequencies of an axis about one of them. */
const gaussianAbout = (g: number, n: number, width: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => Math.exp(-((frequency(i, n) - g) ** 2) / (2 * width * width)));

/** exp(2πi g k) of every pixel of an axis, interleaved. */
function phasors(g: number, n: number): Float64Array {
  const out = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    out[2 * k] = Math.cos(2 * Math.PI * g * k);
    out[2 * k + 1] = Math.sin(2 * Math.PI * g * k);
  }
  return out;
}

/** Powers 0 to `order` of the coordinate from −1 to 1 over n pixels, for `count` pixels inside the rim: [order + 1, count]. */
function powersOf(order: number, n: number, rim: number, count: number): Float64Array {
  const out = new Float64Array((order + 1) * count);
  for (let a = 0; a <= order; a++) for (let i = 0; i < count; i++) out[a * count + i] = ((2 * (i + rim)) / (n - 1) - 1) ** a;
  return out;
}
