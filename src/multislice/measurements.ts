import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { fft2, ifft2 } from "../numerics/fft.js";

/**
 * Counting statistics: every value v (a fraction of the beam) becomes a Poisson count of mean v·electrons. Value i draws from `rng.fork(i)`:
 * the same counts in whatever order and pieces the data are made.
 * @param electrons - in the whole beam at each probe: dose × area of a scan step
 * @param first - index of the first value in the whole data set
 * @throws bad-value for negative or non-finite intensities
 */
export function poissonDose(data: ArrayLike<number>, electrons: number, rng: Rng, first = 0): Float32Array {
  if (!(electrons > 0 && Number.isFinite(electrons)))
    fail("bad-value", { electrons }, "electrons is the number of electrons at each probe, above 0");
  return Float32Array.from({ length: data.length }, (_, i) => {
    const v = data[i]!;
    if (!(v >= -1e-7 && Number.isFinite(v)))
      fail(
        "bad-value",
        { index: i, value: v },
        "intensities are not negative: apply the dose to intensities, not to centres of mass or filtered images",
      );
    return v > 0 ? rng.fork(first + i).poisson(v * electrons) : 0;
  });
}

/** An image whose pixels may be anything of the same length: [sy, sx] of blocks of `channels` values. */
export interface ScanImage {
  readonly data: Float32Array | Float64Array;
  readonly shape: readonly [sy: number, sx: number];
  /** Values of one pixel; default 1. */
  readonly channels?: number | undefined;
}
/** Scan axes, Å: vectors of one step along x (fast) and y. */
export interface ScanSteps {
  readonly x: readonly [number, number];
  readonly y: readonly [number, number];
}

/**
 * Finite source: an image averaged over a Gaussian of full width at half maximum `fwhm` (Å). The scan counts as periodic, which it is when it covers
 * whole cells; else keep a margin of one width. Intensities blur, also whole patterns; centres of mass blur only as intensity-weighted moments.
 * @throws bad-shape, bad-value
 */
export function sourceBlur(image: ScanImage, steps: ScanSteps, fwhm: number): Float64Array {
  const { data, shape, channels = 1 } = image,
    [sy, sx] = shape;
  if (data.length !== sy * sx * channels || !(sy > 0 && sx > 0))
    fail("bad-shape", { length: data.length, shape, channels }, "data holds sy·sx·channels values");
  const area = steps.x[0] * steps.y[1] - steps.x[1] * steps.y[0];
  if (!(fwhm >= 0 && Number.isFinite(fwhm)) || !(Math.abs(area) > 0))
    fail("bad-value", { fwhm, steps }, "fwhm is a width in Å; the steps along x and y are two directions");
  const sigma = fwhm / Math.sqrt(8 * Math.log(2));
  const transfer = new Float64Array(sy * sx);
  for (let k = 0, p = 0; k < sy; k++)
    for (let h = 0; h < sx; h++, p++) {
      const u = (h < sx / 2 ? h : h - sx) / sx,
        v = (k < sy / 2 ? k : k - sy) / sy;
      const qx = (u * steps.y[1] - v * steps.x[1]) / area,
        qy = (v * steps.x[0] - u * steps.y[0]) / area;
      transfer[p] = Math.exp(-2 * (Math.PI * sigma) ** 2 * (qx * qx + qy * qy));
    }
  const out = new Float64Array(data.length),
    z = new Float64Array(2 * sy * sx);
  // Two channels a transform: one in the real part, one in the imaginary part.
  for (let c = 0; c < channels; c += 2) {
    const pair = c + 1 < channels;
    for (let p = 0; p < sy * sx; p++) {
      z[2 * p] = data[p * channels + c]!;
      z[2 * p + 1] = pair ? data[p * channels + c + 1]! : 0;
    }
    const f = fft2(z, [sy, sx]);
    for (let p = 0; p < sy * sx; p++) {
      f[2 * p]! *= transfer[p]!;
      f[2 * p + 1]! *= transfer[p]!;
    }
    const back = ifft2(f, [sy, sx]);
    for (let p = 0; p < sy * sx; p++) {
      out[p * channels + c] = back[2 * p]!;
      if (pair) out[p * channels + c + 1] = back[2 * p + 1]!;
    }
  }
  return out;
}

/** Any annular image from radial data [pixels, rings]: the rings from `innerMrad` to `outerMrad`, which must be borders of rings. @throws bad-value */
export function sumRings(
  radial: { readonly data: Float32Array | Float64Array; readonly rings: number; readonly innerMrad?: number; readonly stepMrad: number },
  innerMrad: number,
  outerMrad: number,
): Float64Array {
  const { data, rings, innerMrad: start = 0, stepMrad } = radial;
  const from = (innerMrad - start) / stepMrad,
    to = (outerMrad - start) / stepMrad;
  const whole = (v: number): boolean => Math.abs(v - Math.round(v)) < 1e-6;
  if (!(whole(from) && whole(to) && from >= -1e-6 && to > from && to <= rings + 1e-6) || data.length % rings !== 0)
    fail(
      "bad-value",
      { innerMrad, outerMrad, rings, start, stepMrad },
      `inner and outer must be borders of rings between ${start} and ${start + rings * stepMrad} mrad`,
    );
  const out = new Float64Array(data.length / rings);
  for (let p = 0; p < out.length; p++) for (let r = Math.round(from); r < Math.round(to); r++) out[p]! += data[p * rings + r]!;
  return out;
}

/**
 * Integrated centre of mass: the image φ whose gradient is nearest to the measured one (least squares over the Fourier components), zero mean.
 * With centres of mass divided by the wavelength (mrad/λ = Å⁻¹·1e3) φ is the phase/2π of a thin object convolved with the probe.
 * @param com - [sy, sx, 2], components along x and y of the box; the unit of the result is that unit times Å
 * @see Lazić, Bosch & Lazar, Ultramicroscopy 160, 265 (2016)
 */
export function integratedCenterOfMass(
  com: Float64Array | Float32Array,
  shape: readonly [sy: number, sx: number],
  steps: ScanSteps,
): Float64Array {
  const [sy, sx] = shape;
  if (com.length !== 2 * sy * sx) fail("bad-shape", { length: com.length, shape }, "centres of mass are [sy, sx, 2]");
  const area = steps.x[0] * steps.y[1] - steps.x[1] * steps.y[0];
  if (!(Math.abs(area) > 0)) fail("bad-value", { steps }, "the steps along x and y are two directions");
  const plane = (c: number): Float64Array => {
    const z = new Float64Array(2 * sy * sx);
    for (let p = 0; p < sy * sx; p++) z[2 * p] = com[2 * p + c]!;
    return fft2(z, [sy, sx]);
  };
  const gx = plane(0),
    gy = plane(1),
    phi = new Float64Array(2 * sy * sx);
  for (let k = 0, p = 0; k < sy; k++)
    for (let h = 0; h < sx; h++, p++) {
      const u = (2 * h === sx ? 0 : h < sx / 2 ? h : h - sx) / sx, // the Nyquist row has no odd part
        v = (2 * k === sy ? 0 : k < sy / 2 ? k : k - sy) / sy;
      const qx = (u * steps.y[1] - v * steps.x[1]) / area,
        qy = (v * steps.x[0] - u * steps.y[0]) / area;
      const q2 = qx * qx + qy * qy;
      if (q2 === 0) continue;
      // ∇φ = g  →  φ(q) = −i q·g/(2π q²)
      const re = qx * gx[2 * p]! + qy * gy[2 * p]!,
        im = qx * gx[2 * p + 1]! + qy * gy[2 * p + 1]!;
      phi[2 * p] = im / (2 * Math.PI * q2);
      phi[2 * p + 1] = -re / (2 * Math.PI * q2);
    }
  const back = ifft2(phi, [sy, sx]);
  return Float64Array.from({ length: sy * sx }, (_, i) => back[2 * i]!);
}
