import { fft } from "../numerics/fft.js";
import { tiltsOf } from "./poses.js";
import type { TiltSeries } from "./tilt-series.js";
import { type ViewNeighbours, viewNeighbours } from "./view-neighbours.js";
import { viewRims } from "./view-rims.js";

/** What can be said of a series before any reconstruction. */
export interface SeriesReport {
  readonly views: number;
  /** Tilts of a single-axis series, sorted, degrees; undefined for general poses. */
  readonly tiltRangeDeg: readonly [low: number, high: number] | undefined;
  /** Largest and smallest total of a view over the mean. */
  readonly totals: readonly [least: number, most: number];
  /** Median of the outermost pixels over the largest value: background that is left. */
  readonly background: number;
  /** How much the profile along y, along x, changes from view to view (relative rms). Along the tilt axis it should not. */
  readonly profileChange: { readonly y: number; readonly x: number };
  /** Whether views next to each other by pose are alike. */
  readonly neighbours: ViewNeighbours;
  /** Crowther's resolution π·D/views, in pixels, D the width of the views. */
  readonly crowtherPixels: number;
  readonly warnings: readonly string[];
}

/**
 * Relative rms change, from view to view, of the normalised profiles, each taken as the moduli of its Fourier transform: by the shift theorem these do not
 * know where the object stands, so views that are not aligned yet are told the same.
 */
function profileChange({ projections, shape: [views, ny, nx], mask }: TiltSeries, along: "y" | "x"): number {
  const n = along === "y" ? ny : nx,
    sum = new Float64Array(n + 1),
    all = new Float64Array(views * (n + 1));
  for (let p = 0; p < views; p++) {
    // Padded to twice its length: a profile does not meet its own other end.
    const line = new Float64Array(4 * n);
    for (let y = 0, i = p * ny * nx; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const v = projections[i]!;
        if (!mask?.[i] && Number.isFinite(v)) line[2 * (along === "y" ? y : x)]! += v;
      }
    const f = fft(line),
      total = Math.hypot(f[0]!, f[1]!) || 1;
    for (let k = 0; k <= n; k++) {
      const modulus = Math.hypot(f[2 * k]!, f[2 * k + 1]!) / total;
      all[p * (n + 1) + k] = modulus;
      sum[k]! += modulus / views;
    }
  }
  let change = 0,
    size = 0;
  for (let p = 0; p < views; p++)
    for (let k = 0; k <= n; k++) {
      change += (all[p * (n + 1) + k]! - sum[k]!) ** 2;
      size += sum[k]! ** 2;
    }
  return Math.sqrt(change / (size || 1));
}

/**
 * The edge of the image along which the tilt axis runs according to the profiles, where that contradicts the poses: the profile along the axis (the sum
 * across it) is the same in every view, so a profile that changes more than that across belongs to no axis.
 */
function contradictedBy(series: TiltSeries, change: { readonly y: number; readonly x: number }): "y" | "x" | undefined {
  const tilts = tiltsOf(series.poses);
  if (!tilts) return undefined;
  if (Math.abs(Math.abs(tilts.axisDeg) - 90) < 20 && change.y > 1.5 * change.x && change.y > 0.02) return "x";
  if (Math.abs(tilts.axisDeg) < 20 && change.x > 1.5 * change.y && change.x > 0.02) return "y";
  return undefined;
}

/** Whether the views of an isolated object were tilted about the other edge of the image than their poses say; the level of the rim does not count. */
export function axisContradicted(series: TiltSeries): boolean {
  const { levels, extended } = viewRims(series),
    size = series.shape[1] * series.shape[2];
  if (extended) return false;
  const clean = { ...series, projections: series.projections.map((v, i) => v - levels[Math.floor(i / size)]!) };
  return contradictedBy(clean, { y: profileChange(clean, "y"), x: profileChange(clean, "x") }) !== undefined;
}

/** Look at a series for what commonly goes wrong: axis, background, dose, number of views. Warnings are sentences for a person. */
export function inspectSeries(series: TiltSeries): SeriesReport {
  const [views, ny, nx] = series.shape,
    warnings: string[] = [],
    tilts = tiltsOf(series.poses);
  const totals = Float64Array.from({ length: views }, (_, p) => {
    let s = 0;
    for (let i = p * ny * nx; i < (p + 1) * ny * nx; i++) if (!series.mask?.[i]) s += series.projections[i]!;
    return s;
  });
  const mean = totals.reduce((a, b) => a + b, 0) / views;
  const rim: number[] = [];
  let top = 0;
  for (let p = 0; p < views; p++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const i = (p * ny + y) * nx + x,
          v = series.projections[i]!;
        if (series.mask?.[i]) continue;
        if (v > top) top = v;
        if (y === 0 || x === 0 || y === ny - 1 || x === nx - 1) rim.push(v);
      }
  rim.sort((a, b) => a - b);
  const background = (rim[rim.length >> 1] ?? 0) / (top || 1);
  const change = { y: profileChange(series, "y"), x: profileChange(series, "x") };
  const range = tilts ? ([Math.min(...tilts.tiltsDeg), Math.max(...tilts.tiltsDeg)] as const) : undefined;
  if (views < 15) warnings.push(`${views} views are few: expect streaks and a coarse volume`);
  if (range && range[1] - range[0] < 100)
    warnings.push(`tilts span only ${(range[1] - range[0]).toFixed(0)}°: the missing wedge elongates everything along the beam`);
  const other = contradictedBy(series, change),
    stated = other === "x" ? "y" : "x";
  if (other)
    warnings.push(
      `profiles change more along the stated tilt axis (${stated}) than across it: is the axis ${other} (axisDeg: ${other === "x" ? 0 : 90}), or do angles and views differ in order?`,
    );
  const neighbours = viewNeighbours(series),
    shown = `unlike to ${neighbours.byPose.toFixed(2)} of any two; the most alike ${neighbours.mostAlike.toFixed(2)}, neighbours in the stack ${neighbours.inStack.toFixed(2)}`;
  if (neighbours.doubt === "order")
    warnings.push(
      `views follow each other in the stack, not by their angles (next in angle: ${shown}): is the list of angles in another order than the stack, for example that of acquisition?`,
    );
  if (neighbours.doubt === "none")
    warnings.push(`views next to each other in angle do not look alike (${shown}): do the angles belong to these views, in this order?`);
  const [least, most] = [Math.min(...totals) / mean, Math.max(...totals) / mean];
  if (most / least > 1.3 && background < 0.05)
    warnings.push(
      `totals of the views differ by ${((most / least - 1) * 100).toFixed(0)} %: normalise the dose (\`normaliseDose\`), or the object leaves the field`,
    );
  if (background > 0.03)
    warnings.push(
      `the rim of the views is at ${(100 * background).toFixed(0)} % of the highest value: remove the background (\`removeBackground\`), or the object continues outside the field: make the volume larger`,
    );
  return {
    views,
    tiltRangeDeg: range,
    totals: [least, most],
    background,
    profileChange: change,
    neighbours,
    crowtherPixels: (Math.PI * nx) / views,
    warnings,
  };
}
