import { fail } from "../core/errors.js";
import { degrees, radians } from "../geometry/rotation.js";
import { angularWeights } from "./fbp.js";
import { type Poses, tiltsOf } from "./poses.js";
import type { Sector } from "./pseudo-polar.js";

/**
 * Tilts of equal slope, degrees, rising, within ±maximum: tan θ = j/steps up to 45°, cot θ = j/steps beyond; a circle of 180° has 4·steps of them.
 * To plan a series for `equalSlope`.
 */
export function equalSlopeAngles(steps: number, { maximumDeg = 90 }: { readonly maximumDeg?: number | undefined } = {}): Float64Array {
  if (!(Number.isInteger(steps) && steps >= 1))
    fail("bad-value", { steps }, "steps between slope 0 and slope 1 are a whole number, e.g. 16");
  if (!(maximumDeg > 0 && maximumDeg <= 90)) fail("bad-value", { maximumDeg }, "the largest tilt is above 0 and at most 90 degrees");
  const all = Array.from({ length: 4 * steps }, (_, i) => tiltOf(i + 1 - 2 * steps, steps));
  return Float64Array.from(all.filter((t) => Math.abs(t) <= maximumDeg + 1e-9));
}
/** Tilt of line k, −2·steps < k <= 2·steps, degrees. */
function tiltOf(k: number, steps: number): number {
  if (Math.abs(k) <= steps) return degrees(Math.atan2(k, steps));
  return k > 0 ? degrees(Math.atan2(steps, 2 * steps - k)) : degrees(Math.atan2(-steps, 2 * steps + k));
}
/** Where a tilt (radians) stands on the circle of slopes, period 4: tan θ to 45°, 2 − cot θ beyond. */
function slopeOf(tilt: number): number {
  const [c, s] = [Math.cos(tilt), Math.sin(tilt)];
  return Math.abs(s) <= Math.abs(c) ? s / c : 2 - c / s;
}

/** The measured lines of a series. */
export interface SlopeLines {
  readonly axis: "x" | "y";
  readonly steps: number;
  /** For each view: its sector, its line j of slope j/steps there, its tilt (radians; about x reversed, so that u = x cos θ − z sin θ in either case). */
  readonly sector: readonly Sector[];
  readonly line: Int32Array;
  readonly tilt: Float64Array;
  /** Slope that each view stands for. */
  readonly gap: Float64Array;
  /** Largest distance between a tilt and its line, degrees. */
  readonly deviationDeg: number;
}

/**
 * Each view's line of equal slope. Without `steps` the coarsest grid (up to `most`) whose lines are within the tolerance of all views.
 * @throws unsupported for poses out of one axis along x or y, and for tilts off the lines
 */
export function slopeLines(poses: Poses, toleranceDeg: number, most: number, wanted?: number): SlopeLines {
  const found = tiltsOf(poses),
    axis = found && Math.abs(found.axisDeg - 90) < 1e-6 ? "y" : found && Math.abs(found.axisDeg) < 1e-6 ? "x" : undefined;
  if (!found || !axis)
    return fail(
      "unsupported",
      { axisDeg: found?.axisDeg },
      "equal-slope reconstruction needs all views tilted about x or about y: turn the images, or use RESIRE or GENFIRE, which take any pose",
    );
  const tilt = found.tiltsDeg.map((t) => (axis === "y" ? radians(t) : -radians(t)));
  const at = tilt.map(slopeOf);
  const off = (steps: number, p: number): number => {
    const t = Math.abs(degrees(tilt[p]!) - tiltOf(wrap(Math.round(at[p]! * steps), steps), steps)) % 180;
    return Math.min(t, 180 - t);
  };
  const worst = (steps: number): number => tilt.reduce((w, _, p) => (off(steps, p) > off(steps, w) ? p : w), 0);
  let steps = wanted ?? 1;
  if (wanted === undefined) while (steps < most && off(steps, worst(steps)) > toleranceDeg) steps++;
  const view = worst(steps),
    deviationDeg = off(steps, view);
  if (deviationDeg > toleranceDeg)
    fail(
      "unsupported",
      { view, tiltDeg: found.tiltsDeg[view]!, offDeg: deviationDeg, toleranceDeg, steps },
      "this view is at no line of equal slope: use RESIRE or GENFIRE, which take any angle; plan series for this method by `equalSlopeAngles`, or allow a larger `toleranceDeg`",
    );
  const sector: Sector[] = [],
    line = new Int32Array(tilt.length);
  for (let p = 0; p < tilt.length; p++) {
    const k = wrap(Math.round(at[p]! * steps), steps);
    sector.push(Math.abs(k) <= steps ? "x" : "z");
    // Fourier points of a view: (k_x, k_z) = q (cos θ, −sin θ).
    line[p] = Math.abs(k) <= steps ? -k : k > 0 ? k - 2 * steps : k + 2 * steps;
  }
  const gap = angularWeights(at.map((s) => (s * Math.PI) / 4)).map((w) => (w * 4) / Math.PI);
  return { axis, steps, sector, line, tilt, gap, deviationDeg };
}
const wrap = (k: number, steps: number): number => ((((k + 2 * steps - 1) % (4 * steps)) + 4 * steps) % (4 * steps)) + 1 - 2 * steps;
