import type { Poses } from "./poses.js";
import { type TiltSeries, tiltSeries } from "./tilt-series.js";

/**
 * A series without what cannot be used: pixels that are not finite are masked (and hold 0), views are dropped with their poses when fewer than half of
 * their pixels are finite or all those are equal. What was left out is said.
 * @throws as `tiltSeries`, also when no view remains
 */
export function usableSeries(
  projections: Float32Array,
  shape: readonly [views: number, ny: number, nx: number],
  poses: Poses,
  { pixelAngstrom }: { readonly pixelAngstrom?: number | undefined } = {},
): { readonly series: TiltSeries; readonly warnings: readonly string[] } {
  const [views, ny, nx] = shape,
    size = ny * nx,
    kept: number[] = [],
    warnings: string[] = [];
  if (poses.length !== 9 * views || projections.length !== views * size) return { series: tiltSeries(projections, shape, poses), warnings };
  let bad = 0;
  const hurt: number[] = [];
  for (let p = 0; p < views; p++) {
    const view = projections.subarray(p * size, (p + 1) * size),
      finite = view.filter(Number.isFinite);
    if (2 * finite.length < size) warnings.push(`view ${p} was left out: ${size - finite.length} of its ${size} pixels are not finite`);
    else if (finite.every((v) => v === finite[0])) warnings.push(`view ${p} was left out: it is empty (all pixels equal)`);
    else {
      kept.push(p);
      bad += size - finite.length;
      if (finite.length < size) hurt.push(p);
    }
  }
  if (bad > 0) warnings.push(`${bad} pixels that are not finite were masked, in view ${hurt.join(", ")}`);
  // No view at all: the error of an empty series.
  if (kept.length === 0) return { series: tiltSeries(projections, shape, poses), warnings };
  const data = new Float32Array(kept.length * size),
    mask = bad > 0 ? new Uint8Array(data.length) : undefined,
    left = new Float64Array(9 * kept.length);
  kept.forEach((p, k) => {
    left.set(poses.subarray(9 * p, 9 * p + 9), 9 * k);
    for (let i = 0; i < size; i++) {
      const v = projections[p * size + i]!;
      if (Number.isFinite(v)) data[k * size + i] = v;
      else if (mask) mask[k * size + i] = 1;
    }
  });
  return { series: tiltSeries(data, [kept.length, ny, nx], left, { pixelAngstrom, mask }), warnings };
}
