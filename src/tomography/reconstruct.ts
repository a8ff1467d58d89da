import { fail } from "../core/errors.js";
import { type EqualSlopeOptions, equalSlope } from "./equal-slope.js";
import { type FbpOptions, fbp } from "./fbp.js";
import { type GenfireOptions, genfire } from "./genfire.js";
import { type ResireOptions, resire, type SirtOptions, sart, sirt, type TvOptions, tv } from "./iterative.js";
import type { Reconstruction } from "./reconstruction.js";
import { crossing, fourierShellCorrelation, type ShellCurve } from "./shells.js";
import { selectViews, type TiltSeries } from "./tilt-series.js";

export type ReconstructMethod =
  | ({ readonly method: "fbp" } & FbpOptions)
  | ({ readonly method: "sirt" | "sart" } & SirtOptions)
  | ({ readonly method: "tv" } & TvOptions)
  | ({ readonly method: "resire" } & ResireOptions)
  | ({ readonly method: "genfire" } & GenfireOptions)
  | ({ readonly method: "equal-slope" } & EqualSlopeOptions);

export const reconstructMethods = ["fbp", "sirt", "sart", "tv", "resire", "genfire", "equal-slope"] as const;

/** Volume of a series by any of the methods; see the function of each. @throws bad-value for another name */
export function reconstruct(series: TiltSeries, options: ReconstructMethod): Promise<Reconstruction> {
  switch (options.method) {
    case "fbp":
      return fbp(series, options);
    case "sirt":
      return sirt(series, options);
    case "sart":
      return sart(series, options);
    case "tv":
      return tv(series, options);
    case "resire":
      return resire(series, options);
    case "genfire":
      return genfire(series, options);
    case "equal-slope":
      return equalSlope(series, options);
    default:
      return fail("bad-value", { method: (options as { method: string }).method }, `methods: ${reconstructMethods.join(", ")}`);
  }
}

export interface HalfSetResult {
  readonly curve: ShellCurve;
  /** Frequencies (cycles per pixel) at which the curve falls below 1/2 and 1/7; undefined when it stays above. */
  readonly half: number | undefined;
  readonly oneSeventh: number | undefined;
}

/** FSC of two reconstructions, from the even and from the odd views: what the data themselves say about resolution. */
export async function halfSetFsc(series: TiltSeries, options: ReconstructMethod): Promise<HalfSetResult> {
  const views = series.shape[0];
  if (views < 4) fail("bad-value", { views }, "half sets need at least four views");
  const every = (from: number): number[] => Array.from({ length: Math.ceil((views - from) / 2) }, (_, i) => from + 2 * i);
  const even = await reconstruct(selectViews(series, every(0)), options),
    odd = await reconstruct(selectViews(series, every(1)), options);
  const curve = fourierShellCorrelation(even.volume, odd.volume, even.shape);
  return { curve, half: crossing(curve, 0.5), oneSeventh: crossing(curve, 1 / 7) };
}
