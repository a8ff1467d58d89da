import { resire } from "./iterative.js";
import { selectViews, type TiltSeries, tiltSeries } from "./tilt-series.js";
import { viewRims } from "./view-rims.js";

export interface TrialOptions {
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * R₁ of ten RESIRE iterations on some of the views, binned where they are wider than `pixels`: enough to tell poses that explain the views from others.
 */
export async function trialResidual(
  series: TiltSeries,
  { workers, signal, views = 32, pixels = 160 }: TrialOptions & { readonly views?: number; readonly pixels?: number } = {},
): Promise<number> {
  const { figures } = await resire(reduced(series, views, pixels), { workers, signal, iterations: 10, step: 1.5 });
  return figures.r1 ?? Number.POSITIVE_INFINITY;
}

/** Whether a residual is lower than another by more than the trial may err. */
export const clearlyLower = (a: number, b: number): boolean => a < 0.95 * b;

/** Background off, at most some `most` views, and bins of an odd number of pixels about the centre where views are wider than `pixels`. */
function reduced(series: TiltSeries, most: number, pixels: number): TiltSeries {
  const { levels, extended } = viewRims(series),
    stride = Math.max(1, Math.round(series.shape[0] / most)),
    kept = Array.from({ length: Math.ceil(series.shape[0] / stride) }, (_, i) => i * stride),
    some = selectViews(series, kept),
    [views, ny, nx] = some.shape,
    half = Math.max(0, Math.ceil((Math.max(ny, nx) / pixels - 1) / 2)),
    bin = 2 * half + 1;
  // Bin k is centred on n//2 + bin (k − m//2), so that the centre stays the centre.
  const size = (n: number): number => {
    const m = Math.floor(n / bin);
    const fits = (s: number) =>
      Math.floor(n / 2) - bin * Math.floor(s / 2) - half >= 0 && Math.floor(n / 2) + bin * (s - 1 - Math.floor(s / 2)) + half < n;
    return fits(m) ? m : m - 1;
  };
  const [my, mx] = [size(ny), size(nx)],
    out = new Float32Array(views * my * mx);
  for (let p = 0, o = 0; p < views; p++)
    for (let y = 0; y < my; y++)
      for (let x = 0; x < mx; x++, o++) {
        const cy = Math.floor(ny / 2) + bin * (y - Math.floor(my / 2)),
          cx = Math.floor(nx / 2) + bin * (x - Math.floor(mx / 2)),
          level = extended ? 0 : levels[kept[p]!]!;
        for (let j = cy - half; j <= cy + half; j++)
          for (let i = cx - half; i <= cx + half; i++) {
            const at = (p * ny + j) * nx + i;
            if (!some.mask?.[at]) out[o]! += some.projections[at]! - level;
          }
      }
  return tiltSeries(out, [views, my, mx], some.poses);
}
