import type { ByteInput } from "../io/source.js";
import { resire } from "./iterative.js";
import type { PoseConvention } from "./poses.js";
import { type ReadSeriesOptions, readTiltSeries } from "./read-series.js";
import { selectViews, type TiltSeries, tiltSeries } from "./tilt-series.js";
import { viewRims } from "./view-rims.js";

export interface ConventionTrial {
  /** The convention whose volume explains the views better; ZYX where the residuals do not differ clearly. */
  readonly convention: PoseConvention;
  /** Residual R₁ of a short reconstruction under each. */
  readonly r1: Readonly<Record<PoseConvention, number>>;
  /** Whether the lower residual is below 0.95 of the other. */
  readonly clear: boolean;
}

/**
 * Which convention the three angles of each view were written in. ZYZ and ZYX agree when the third angle is zero; else the wrong one turns
 * views to where no volume can explain them, and ten RESIRE iterations on some 32 views tell the two apart. Errors that both share (order of
 * the views, sign of the tilt, shifts) are not seen.
 * @param candidates the same views with the poses of each convention
 */
export async function findConvention(
  candidates: Readonly<Record<PoseConvention, TiltSeries>>,
  options: { readonly workers?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<ConventionTrial> {
  const residual = async (series: TiltSeries): Promise<number> =>
    (await resire(reduced(series), { ...options, iterations: 10, step: 1.5 })).figures.r1 ?? Number.POSITIVE_INFINITY;
  const r1 = { ZYX: await residual(candidates.ZYX), ZYZ: await residual(candidates.ZYZ) },
    clear = Math.min(r1.ZYX, r1.ZYZ) < 0.95 * Math.max(r1.ZYX, r1.ZYZ);
  return { convention: clear && r1.ZYZ < r1.ZYX ? "ZYZ" : "ZYX", r1, clear };
}

/** `readTiltSeries` for files whose convention nobody stated: where it matters both are tried, and what was found is a warning. */
export async function readSeriesAnyConvention(
  projections: ByteInput,
  angles: ByteInput | undefined,
  options: ReadSeriesOptions & { readonly workers?: number | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly series: TiltSeries; readonly warnings: readonly string[]; readonly convention: PoseConvention }> {
  const read = (convention: PoseConvention) => readTiltSeries(projections, angles, { ...options, convention });
  const asked = options.convention,
    first = await read(asked ?? "ZYX");
  if (asked) return { ...first, convention: asked };
  const second = await read("ZYZ");
  if (second.series.poses.every((v, i) => Math.abs(v - first.series.poses[i]!) < 1e-6)) return { ...first, convention: "ZYX" };
  const { convention, r1, clear } = await findConvention({ ZYX: first.series, ZYZ: second.series }, options),
    figures = `R1 after ten iterations: ZYX ${r1.ZYX.toFixed(4)}, ZYZ ${r1.ZYZ.toFixed(4)}`;
  const note = clear
    ? `three angles a view taken as ${convention} (${figures})`
    : `three angles a view taken as ZYX, but the views do not tell it from ZYZ (${figures}): state the convention`;
  return { series: (convention === "ZYZ" ? second : first).series, warnings: [...first.warnings, note], convention };
}

/** Background off, at most some 32 views, and bins of an odd number of pixels about the centre where views are wider than 160. */
function reduced(series: TiltSeries): TiltSeries {
  const { levels, extended } = viewRims(series),
    stride = Math.max(1, Math.round(series.shape[0] / 32)),
    kept = Array.from({ length: Math.ceil(series.shape[0] / stride) }, (_, i) => i * stride),
    some = selectViews(series, kept),
    [views, ny, nx] = some.shape,
    half = Math.max(0, Math.ceil((Math.max(ny, nx) / 160 - 1) / 2)),
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
