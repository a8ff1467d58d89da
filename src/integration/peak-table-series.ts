import { fail } from "../core/errors.js";
import type { PeakTable } from "./peak-table.js";

/** What a microscope writes about a tilt series: enough, with the spots, to find everything else. */
export interface TiltSeries {
  /** Electron wavelength, Å. */
  readonly wavelength: number;
  /** Reciprocal-space size of a pixel, Å⁻¹ per px. */
  readonly aperpixel: number;
  /** Nominal tilt angle of every frame at mid-exposure, degrees. Their sign may be wrong: the search finds the sense. */
  readonly alphaDeg: ArrayLike<number>;
}

/**
 * Refuse input that contradicts itself, and name the likely cause.
 * @throws bad-value when the wavelength is missing, the wavelength or pixel size is in another unit, the angles are in radians,
 * or there are fewer angles than frames
 */
export function checkSeries(series: TiltSeries, peaks?: PeakTable): void {
  const { wavelength, aperpixel, alphaDeg } = series;
  if (wavelength === undefined || wavelength === null || Number.isNaN(wavelength))
    fail("bad-value", { wavelength }, "the wavelength is missing: pass it in Å, for example 0.02508 at 200 kV");
  if (!(wavelength > 0.003 && wavelength < 0.2)) fail("bad-value", { wavelength }, wavelengthHint(wavelength));
  if (!(aperpixel > 0)) fail("bad-value", { aperpixel }, "aperpixel is the size of a pixel in Å⁻¹ (PETS2: aperpixel), for example 0.005");
  const n = alphaDeg.length;
  let low = Number.POSITIVE_INFINITY,
    high = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < n; i++) {
    const a = alphaDeg[i]!;
    if (!Number.isFinite(a)) fail("bad-value", { frame: i, alphaDeg: a }, "every frame needs a tilt angle in degrees");
    low = Math.min(low, a);
    high = Math.max(high, a);
  }
  if (low < -360 || high > 360) fail("bad-value", { from: low, to: high }, "tilt angles are in degrees; these exceed a full turn");
  if (n >= 10 && high - low <= Math.PI + 0.01)
    fail("bad-value", { from: low, to: high, frames: n }, "tilt angles are in degrees; a series this narrow looks like radians");
  if (!peaks) return;
  let radius = 0,
    last = -1;
  const [cx, cy] = middle(peaks);
  for (let i = 0; i < peaks.size; i++) {
    radius = Math.max(radius, Math.hypot(peaks.px[i]! - cx, peaks.py[i]! - cy));
    last = Math.max(last, peaks.frame[i]!);
  }
  if (last >= n) fail("bad-value", { angles: n, lastFrame: last }, "there are fewer tilt angles than frames: give one angle per frame");
  const q = radius * aperpixel;
  if (q > 5)
    fail(
      "bad-value",
      { aperpixel, dMin: 1 / q },
      "the spots would reach beyond d = 0.2 Å: aperpixel looks like nm⁻¹ per pixel, try a tenth of it",
    );
  if (q > 0 && q < 0.15)
    fail(
      "bad-value",
      { aperpixel, dMin: 1 / q },
      "no spot would have d below 6.7 Å: aperpixel must be in Å⁻¹ per pixel, not Å or mm or a camera length",
    );
}

function wavelengthHint(w: number): string {
  if (w >= 40) return `wavelength is in Å; ${w} looks like kilovolts, convert it with electronWavelength(${w})`;
  if (w > 0.8) return `wavelength is in Å; ${w} looks like picometres, try ${Number((w / 100).toPrecision(6))}`;
  if (w > 0.0003 && w <= 0.003) return `wavelength is in Å; ${w} looks like nanometres, try ${Number((w * 10).toPrecision(6))}`;
  return "wavelength is in Å and lies between 0.003 and 0.2 for electrons";
}

/** Middle of the box that holds all spots. */
function middle(peaks: PeakTable): readonly [number, number] {
  const mid = (c: Float64Array): number => {
    let lo = Number.POSITIVE_INFINITY,
      hi = Number.NEGATIVE_INFINITY;
    for (const v of c) {
      lo = Math.min(lo, v);
      hi = Math.max(hi, v);
    }
    return (lo + hi) / 2;
  };
  return [mid(peaks.px), mid(peaks.py)];
}
