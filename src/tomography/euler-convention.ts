import type { ByteInput } from "../io/source.js";
import { poseDifference } from "./pose-doubts.js";
import type { PoseConvention } from "./poses.js";
import { type ReadSeriesOptions, readTiltSeries } from "./read-series.js";
import { clearlyLower, type TrialOptions, trialResidual } from "./short-trial.js";
import type { TiltSeries } from "./tilt-series.js";

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
 * views to where no volume can explain them, and ten RESIRE iterations on some 32 views tell the two apart. What both share (order of
 * the views, sense of the tilt) is another question: `poseDoubts`.
 * @param candidates the same views with the poses of each convention
 */
export async function findConvention(
  candidates: Readonly<Record<PoseConvention, TiltSeries>>,
  options: TrialOptions = {},
): Promise<ConventionTrial> {
  const r1 = { ZYX: await trialResidual(candidates.ZYX, options), ZYZ: await trialResidual(candidates.ZYZ, options) },
    clear = clearlyLower(Math.min(r1.ZYX, r1.ZYZ), Math.max(r1.ZYX, r1.ZYZ));
  return { convention: clear && r1.ZYZ < r1.ZYX ? "ZYZ" : "ZYX", r1, clear };
}

/** `readTiltSeries` for files whose convention nobody stated: where it matters both are tried, and what was found is a warning. */
export async function readSeriesAnyConvention(
  projections: ByteInput,
  angles: ByteInput | undefined,
  options: ReadSeriesOptions & TrialOptions = {},
): Promise<{ readonly series: TiltSeries; readonly warnings: readonly string[]; readonly convention: PoseConvention }> {
  const read = (convention: PoseConvention) => readTiltSeries(projections, angles, { ...options, convention });
  const asked = options.convention,
    first = await read(asked ?? "ZYX");
  if (asked) return { ...first, convention: asked };
  const second = await read("ZYZ");
  if (second.series.poses.every((v, i) => Math.abs(v - first.series.poses[i]!) < 1e-6)) return { ...first, convention: "ZYX" };
  const { convention, r1, clear } = await findConvention({ ZYX: first.series, ZYZ: second.series }, options),
    apart = poseDifference(second.series.poses, first.series.poses),
    figures = `R1 after ten iterations: ZYX ${r1.ZYX.toFixed(4)}, ZYZ ${r1.ZYZ.toFixed(4)}`;
  const note = clear
    ? `three angles a view taken as ${convention} (${figures})`
    : `three angles a view taken as ZYX, but the views do not tell it from ZYZ (${figures}): state the convention, unless the ${apart.toFixed(2)}° rms between the two do not matter`;
  return { series: (convention === "ZYZ" ? second : first).series, warnings: [...first.warnings, note], convention };
}
