import { fail } from "../core/errors.js";
import type { Progress, Steps } from "../core/job.js";
import type { Instrument, Vec2 } from "../geometry/index.js";
import { peaksToReciprocal } from "../geometry/index.js";

/** Positions of spots or 3-D maxima: all that the search for the tilt axis looks at. */
export interface SpotPositions {
  readonly size: number;
  readonly px: Float64Array;
  readonly py: Float64Array;
  readonly alphaDeg: Float64Array;
  readonly intensity: Float64Array;
}

/** Sharpness against axis position: the search as a curve to plot. */
export interface TiltAxisCurve {
  readonly omegaDeg: Float64Array;
  readonly sharpness: Float64Array;
}

export interface TiltAxisSearch {
  /**
   * Angle of the tilt axis on the frame, degrees in [0, 360), anticlockwise from image +x with y up, directed so that the given tilt
   * angles are right-handed rotations about it. Adding 180° is the same line with the opposite sense of rotation.
   */
  readonly omegaDeg: number;
  /** Whole turn on a coarse grid, and the neighbourhood of the answer on a fine one. */
  readonly coarse: TiltAxisCurve;
  readonly fine: TiltAxisCurve;
  /** Sharpness at the answer and at the same line with the opposite sense; their ratio says how visible the sense is. */
  readonly sharpness: number;
  readonly oppositeSharpness: number;
  /** Height of the best peak over the mean of the coarse curve, in its standard deviations. */
  readonly significance: number;
}

export interface TiltAxisOptions {
  /** Grid of the first search, degrees. */
  readonly stepDeg?: number;
  /** Strongest spots used; the cost grows with the square. */
  readonly maxSpots?: number;
  /** Bins of the cylindrical projection over 180° in each direction. */
  readonly bins?: number;
  /** Search near this angle only (± rangeDeg), when the axis is known roughly. */
  readonly nearDeg?: number;
  readonly rangeDeg?: number;
}

/**
 * Find the position of the tilt axis and the sense of rotation from spots alone.
 *
 * For a trial ω the spots become 3-D vectors; the directions of all their difference vectors are collected in a cylindrical projection
 * (cosine of the angle to the axis against azimuth about it). With the right ω the differences are lattice vectors and fall on few
 * points; with a wrong one they smear. The sharpness is Σn²/(Σn)²·bins. ω and ω+180° differ in the sense of rotation and are equal for a
 * flat Ewald sphere: its curvature alone tells them apart, which is why the search runs over the whole turn and the caller should
 * confirm by indexing both ({@link rotationSense}).
 * @param instrument - centre, scale and wavelength; its distortions are undone
 * @throws bad-value for fewer than 20 spots
 * @see Kolb, Gorelik, Kübel, Otten & Hubert, Ultramicroscopy 107 (2007) 507, for the projection of difference vectors
 */
export function* tiltAxisSteps(spots: SpotPositions, instrument: Instrument, options: TiltAxisOptions = {}): Steps<TiltAxisSearch> {
  const { stepDeg = 1, maxSpots = 600, bins = 180, nearDeg, rangeDeg = 10 } = options;
  if (spots.size < 20) fail("bad-value", { spots: spots.size }, "the tilt axis needs at least 20 spots; lower the peak-search threshold");
  const scorer = (count: number): ((omegaDeg: number) => number) => {
    const lab = labSpots(spots, instrument, count);
    return projectionScorer(lab.xyz, lab.alphaDeg, bins);
  };
  const score = scorer(maxSpots),
    quick = scorer(Math.min(maxSpots, 300)); // the coarse grid only has to find the hill
  const grid: number[] = [];
  if (nearDeg === undefined) for (let w = 0; w < 360 - stepDeg / 2; w += stepDeg) grid.push(w);
  else for (const base of [nearDeg, nearDeg + 180]) for (let d = -rangeDeg; d <= rangeDeg; d += stepDeg) grid.push(base + d);
  const values = new Float64Array(grid.length);
  for (let i = 0; i < grid.length; i++) {
    values[i] = quick(grid[i]!);
    yield { done: i + 1, total: grid.length + 60, note: "tilt-axis search" } satisfies Progress;
  }
  let best = 0;
  for (let i = 1; i < grid.length; i++) if (values[i]! > values[best]!) best = i;
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  const sd = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length) || 1;
  // Fine grids about both directions of the best line: the sense is decided on equal terms.
  const fineGrid = Float64Array.from({ length: 41 }, (_, k) => grid[best]! + (k - 20) * (stepDeg / 10));
  const here: TiltAxisCurve = { omegaDeg: fineGrid, sharpness: fineGrid.map(score) };
  yield { done: grid.length + 30, total: grid.length + 60, note: "tilt-axis refinement" };
  const opposite: TiltAxisCurve = { omegaDeg: fineGrid.map((w) => w + 180), sharpness: fineGrid.map((w) => score(w + 180)) };
  const [a, b] = [top(here), top(opposite)];
  const [win, lose, fine] = a.sharpness >= b.sharpness ? [a, b, here] : [b, a, opposite];
  return {
    omegaDeg: ((win.omegaDeg % 360) + 360) % 360,
    coarse: { omegaDeg: Float64Array.from(grid), sharpness: values },
    fine,
    sharpness: win.sharpness,
    oppositeSharpness: lose.sharpness,
    significance: (values[best]! - mean) / sd,
  };
}

/** Top of a curve smoothed over three points; the position is the parabola through the best point and its neighbours at ±3. */
function top({ omegaDeg, sharpness }: TiltAxisCurve): { omegaDeg: number; sharpness: number } {
  const s = sharpness.map((v, i) => (v + (sharpness[i - 1] ?? v) + (sharpness[i + 1] ?? v)) / 3);
  let k = 0;
  for (let i = 1; i < s.length; i++) if (s[i]! > s[k]!) k = i;
  const h = Math.min(3, k, s.length - 1 - k);
  if (h === 0) return { omegaDeg: omegaDeg[k]!, sharpness: s[k]! };
  const l = s[k - h]!,
    r = s[k + h]!,
    curvature = l + r - 2 * s[k]!;
  const shift = curvature < 0 ? ((l - r) / (2 * curvature)) * h : 0;
  const step = omegaDeg[1]! - omegaDeg[0]!;
  return { omegaDeg: omegaDeg[k]! + Math.max(-h, Math.min(h, shift)) * step, sharpness: s[k]! };
}

/** Spots as vectors of the lab frame (all goniometer angles zero) with their tilt angles; the strongest `maxSpots`. */
function labSpots(spots: SpotPositions, instrument: Instrument, maxSpots: number): { xyz: Float64Array; alphaDeg: Float64Array } {
  const order = Array.from({ length: spots.size }, (_, i) => i).sort((a, b) => spots.intensity[b]! - spots.intensity[a]! || a - b);
  const centre: Vec2 = instrument.detector.centrePx,
    near = 10; // px about the direct beam, which is no diffraction spot
  const use = order.filter((i) => Math.hypot(spots.px[i]! - centre[0], spots.py[i]! - centre[1]) > near).slice(0, maxSpots);
  const pixels = new Float64Array(2 * use.length);
  use.forEach((i, k) => {
    pixels[2 * k] = spots.px[i]!;
    pixels[2 * k + 1] = spots.py[i]!;
  });
  const xyz = peaksToReciprocal(pixels, new Int32Array(use.length), instrument, [{ alphaDeg: 0, betaDeg: 0, omegaDeg: 0 }]);
  return { xyz, alphaDeg: Float64Array.from(use, (i) => spots.alphaDeg[i]!) };
}

/** Sharpness of the cylindrical projection of difference vectors as a function of ω in degrees; owns its scratch. */
function projectionScorer(lab: Float64Array, alphaDeg: Float64Array, bins: number): (omegaDeg: number) => number {
  const n = alphaDeg.length,
    r = new Float64Array(3 * n),
    hist = new Float64Array(bins * bins);
  const ca = alphaDeg.map((a) => Math.cos((a * Math.PI) / 180)),
    sa = alphaDeg.map((a) => Math.sin((a * Math.PI) / 180));
  let far = 0;
  for (let i = 0; i < n; i++) far = Math.max(far, Math.hypot(lab[3 * i]!, lab[3 * i + 1]!));
  const low = (0.08 * far) ** 2,
    high = (0.8 * far) ** 2; // short differences are noise, long ones too many directions
  return (omegaDeg) => {
    const c = Math.cos((omegaDeg * Math.PI) / 180),
      s = Math.sin((omegaDeg * Math.PI) / 180);
    for (let i = 0; i < n; i++) {
      const x = lab[3 * i]!,
        y = lab[3 * i + 1]!,
        z = lab[3 * i + 2]!;
      const v = -s * x + c * y;
      r[3 * i] = c * x + s * y;
      r[3 * i + 1] = ca[i]! * v + sa[i]! * z;
      r[3 * i + 2] = -sa[i]! * v + ca[i]! * z;
    }
    hist.fill(0);
    let total = 0;
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++) {
        const x = r[3 * i]! - r[3 * j]!,
          y = r[3 * i + 1]! - r[3 * j + 1]!,
          z = r[3 * i + 2]! - r[3 * j + 2]!;
        const d2 = x * x + y * y + z * z;
        if (d2 < low || d2 > high) continue;
        const sign = z < 0 || (z === 0 && y < 0) ? -1 : 1;
        const u = ((sign * x) / Math.sqrt(d2) + 1) / 2,
          phi = Math.atan2(sign * z, sign * y) / Math.PI;
        hist[Math.min(bins - 1, Math.floor(u * bins)) * bins + Math.min(bins - 1, Math.floor(phi * bins))]! += 1;
        total++;
      }
    if (total === 0) return 0;
    let sq = 0;
    for (const h of hist) sq += h * h;
    return (sq * bins * bins) / (total * total);
  };
}
