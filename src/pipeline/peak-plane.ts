import { angleDeg, type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import type { MapPeak } from "../refine/map-peaks.js";

/** Atoms nearer than this to the peak (Å) give no direction from it, and angles below this (degrees) no plane. */
const APART = 0.3,
  LEAST_ANGLE = 12;

export interface PeakPlane {
  readonly peak: MapPeak;
  /** The peak and the two atoms, fractional. */
  readonly points: readonly [Fractional, Fractional, Fractional];
  readonly labels: readonly [string, string];
}

/** The highest peak of a map and the two nearest atoms (images in neighbouring cells too) that span a plane with it; undefined without a positive peak. */
export function peakPlane(s: Structure, peaks: readonly MapPeak[]): PeakPlane | undefined {
  const peak = peaks.reduce<MapPeak | undefined>((m, p) => (p.height > (m?.height ?? 0) ? p : m), undefined);
  if (!peak) return undefined;
  const metric = metricTensor(s.cell);
  const steps = [-1, 0, 1];
  const near = expandToP1(s)
    .flatMap((a) =>
      steps.flatMap((i) =>
        steps.flatMap((j) =>
          steps.map((k) => {
            const xyz: Fractional = [a.xyz[0] + i, a.xyz[1] + j, a.xyz[2] + k];
            const away: Fractional = [xyz[0] - peak.xyz[0], xyz[1] - peak.xyz[1], xyz[2] - peak.xyz[2]];
            return { xyz, away, distance: Math.sqrt(quadratic(metric, away)), label: s.atoms[a.atom]!.label };
          }),
        ),
      ),
    )
    .filter((a) => a.distance > APART)
    .sort((a, b) => a.distance - b.distance);
  const first = near[0];
  const second = near.find((a) => {
    const angle = first ? angleDeg(metric, first.away, a.away) : 0;
    return angle > LEAST_ANGLE && angle < 180 - LEAST_ANGLE;
  });
  if (!first || !second) return undefined;
  return { peak, points: [peak.xyz, first.xyz, second.xyz], labels: [first.label, second.label] };
}
