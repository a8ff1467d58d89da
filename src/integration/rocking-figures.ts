import { fail } from "../core/errors.js";
import { rockingWidth } from "../geometry/rocking.js";
import { radians } from "../geometry/rotation.js";
import type { PetsRockingCurves } from "../io/pets/rocking.js";
import type { Plot } from "../render/plot.js";
import type { IntegratedSeries } from "./integrate-series.js";
import { type RockingCurves, unusable } from "./rocking-curves.js";
import { rockingProfile } from "./rocking-width-profile.js";

/** One rocking curve: columns by frame, intensities divided by the scale of the frame. Plain data for JSON. */
export interface RockingCurve {
  readonly hkl: readonly [number, number, number];
  readonly g: number;
  readonly integrated: number;
  readonly integratedSigma: number;
  readonly coverage: number;
  readonly frame: readonly number[];
  readonly sg: readonly number[];
  readonly intensity: readonly number[];
  readonly sigma: readonly number[];
  readonly fitted: readonly number[];
  /** 1 where the point was used. */
  readonly used: readonly number[];
}

/** Points and fit of passage `k`. @throws out-of-range */
export function rockingCurve(series: IntegratedSeries, curves: RockingCurves, k: number): RockingCurve {
  if (!(Number.isInteger(k) && k >= 0 && k < curves.size))
    fail("out-of-range", { curve: k, curves: curves.size }, "curves are counted from 0 to size − 1");
  const t = series.intensities,
    rows = [...curves.rows.subarray(curves.starts[k]!, curves.starts[k + 1]!)],
    width = rockingWidth(curves.rocking, curves.g[k]!),
    kind = series.experiment.instrument.exposure.kind,
    scale = (r: number): number => curves.scales[t.frame[r]!]!;
  return {
    hkl: [curves.hkl[3 * k]!, curves.hkl[3 * k + 1]!, curves.hkl[3 * k + 2]!],
    g: curves.g[k]!,
    integrated: curves.intensity[k]!,
    integratedSigma: curves.sigma[k]!,
    coverage: curves.coverage[k]!,
    frame: rows.map((r) => t.frame[r]!),
    sg: rows.map((r) => t.sg[r]!),
    intensity: rows.map((r) => t.intensity[r]! / scale(r)),
    sigma: rows.map((r) => t.sigma[r]! / scale(r)),
    fitted: rows.map((r) => curves.intensity[k]! * rockingProfile(t.sg[r]!, width, t.halfRange[r]!, kind)),
    used: rows.map((r) => ((t.flags[r]! & unusable) === 0 ? 1 : 0)),
  };
}

/** A rocking curve to draw with `plotSvg`. */
export function rockingPlot(c: RockingCurve): Plot {
  const order = c.sg.map((_, i) => i).sort((a, b) => c.sg[a]! - c.sg[b]!),
    by = (v: readonly number[]): number[] => order.map((i) => v[i]!);
  return {
    title: `${c.hkl.join(" ")}, |g| = ${c.g.toFixed(3)} Å⁻¹`,
    x: { label: "Sg (Å⁻¹)" },
    y: { label: "intensity (counts a frame)" },
    marks: [
      { kind: "line", x: by(c.sg), y: by(c.fitted), label: "fit" },
      { kind: "errors", x: by(c.sg), y: by(c.intensity), sigmaY: by(c.sigma) },
      { kind: "points", x: by(c.sg), y: by(c.intensity), label: "frames" },
    ],
  };
}

/**
 * Mean rocking curves by |g|, as PETS2's `.cml`: I/(scale·J) of strong reflections against Sg, beside the model. Write them with `writeCml`.
 * @param bins - intervals of |g|, and points of each curve
 * @throws bad-value when no curve is strong enough
 */
export function meanRockingCurves(series: IntegratedSeries, curves: RockingCurves, bins = 16, points = 50): PetsRockingCurves {
  const t = series.intensities,
    { exposure } = series.experiment.instrument;
  const strong = [...Array(curves.size).keys()].filter((k) => curves.intensity[k]! > 8 * curves.sigma[k]! && curves.coverage[k]! > 0.7);
  if (strong.length === 0) fail("bad-value", { curves: curves.size }, "no complete rocking curve with I/σ above 8: nothing to average");
  const gMax = strong.reduce((m, k) => Math.max(m, curves.g[k]!), 0),
    gMin = strong.reduce((m, k) => Math.min(m, curves.g[k]!), gMax),
    binOf = (g: number): number => Math.min(bins - 1, Math.max(0, Math.floor(((g - gMin) / (gMax - gMin || 1)) * bins)));
  let reach = 0;
  for (const k of strong)
    for (let q = curves.starts[k]!; q < curves.starts[k + 1]!; q++) reach = Math.max(reach, Math.abs(t.sg[curves.rows[q]!]!));
  const sum = new Float64Array(bins * points),
    model = new Float64Array(bins * points),
    count = new Float64Array(bins * points);
  for (const k of strong) {
    const width = rockingWidth(curves.rocking, curves.g[k]!);
    for (let q = curves.starts[k]!; q < curves.starts[k + 1]!; q++) {
      const r = curves.rows[q]!;
      if ((t.flags[r]! & unusable) !== 0 || !Number.isFinite(t.intensity[r]!)) continue;
      const at = binOf(curves.g[k]!) * points + Math.min(points - 1, Math.floor(((t.sg[r]! + reach) / (2 * reach)) * points));
      sum[at]! += t.intensity[r]! / curves.scales[t.frame[r]!]! / curves.intensity[k]!;
      model[at]! += rockingProfile(t.sg[r]!, width, t.halfRange[r]!, exposure.kind);
      count[at]!++;
    }
  }
  const size = bins * points,
    phi = exposure.kind === "static" ? Number.NaN : radians(exposure.kind === "continuous" ? exposure.halfWidthDeg : exposure.semiAngleDeg);
  const g = Float64Array.from({ length: size }, (_, i) => gMin + ((Math.floor(i / points) + 0.5) * (gMax - gMin)) / bins),
    sg = Float64Array.from({ length: size }, (_, i) => -reach + (((i % points) + 0.5) * 2 * reach) / points);
  return {
    size,
    bins,
    starts: Int32Array.from({ length: bins + 1 }, (_, b) => b * points),
    g,
    sg,
    sgScaled: sg.map((v, i) => (Number.isNaN(phi) ? 0 : v / (g[i]! * Math.sin(phi)))),
    observed: sum.map((v, i) => (count[i]! > 0 ? v / count[i]! : 0)),
    fitted: model.map((v, i) => (count[i]! > 0 ? v / count[i]! : 0)),
  };
}
