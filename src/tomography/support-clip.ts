import { projector } from "./project.js";
import type { TiltSeries } from "./tilt-series.js";

/**
 * Fraction of the intensity of the views that lies on rays which miss the support (a triangle's width around it spared): 0 where the support holds
 * the object, apart from noise and what is left of the background. What a hole inside the shadow cuts away does not show here but in R1.
 */
export function outsideSupport(series: TiltSeries, volume: readonly [number, number, number], support: ArrayLike<number>): number {
  const [views, ny, nx] = series.shape,
    p = projector({ volume, detector: [ny, nx], poses: series.poses, shifts: series.shifts });
  const shadow = p.forward(Float32Array.from(support));
  p.free();
  let [all, outside] = [0, 0];
  for (let i = 0; i < views * ny * nx; i++) {
    if (series.mask?.[i]) continue;
    all += series.projections[i]!;
    if (!(shadow[i]! > 1e-6)) outside += series.projections[i]!;
  }
  return all > 0 ? Math.max(0, outside / all) : 0;
}

/** The sentence that a reconstruction says where the support clips. */
export const clipWarnings = (fraction: number | undefined): string[] =>
  fraction !== undefined && fraction > 0.02
    ? [
        `${(100 * fraction).toFixed(1)} % of the intensity lies on rays that miss the support: it clips the object, or background is left in the views`,
      ]
    : [];
