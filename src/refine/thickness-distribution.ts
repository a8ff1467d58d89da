import { type ThicknessModel, tiltedThickness } from "../bloch/index.js";
import { fitThickness } from "../bloch/thickness-fit.js";
import { fail } from "../core/errors.js";
import type { Structure } from "../geometry/structure.js";
import { arena as newArena } from "../kernels/memory.js";
import { matrix } from "../numerics/matrix.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { amplitudes, scaleSums } from "./amplitudes.js";
import { depthGrid, depthMixture, frameDepths, mixedIntensities } from "./dynamical-depths.js";
import { crystalOf, type ScanOptions, spreadFrames } from "./dynamical-scan.js";
import type { DynamicalData } from "./dynamical-types.js";

export interface DistributionOptions extends Omit<ScanOptions, "models" | "range"> {
  /** Nodes of the distribution, evenly spaced from `to`/nodes to `to`. Default 16. */
  readonly nodes?: number | undefined;
  /** Largest thickness, Å. Default 1.5 times that of the model, twice for a plate. */
  readonly to?: number | undefined;
  /** Weight of the second differences of p, relative to the mean diagonal of the normal matrix. Default 1e-3. */
  readonly smoothness?: number | undefined;
}
/** Share of the illuminated area that is as thick as each node. */
export interface ThicknessDistribution {
  /** Å. */
  readonly thickness: Float64Array;
  /** p ≥ 0, sum 1. */
  readonly weights: Float64Array;
  readonly mean: number;
  /** The same as a model of frames, with its largest thickness. */
  readonly model: ThicknessModel;
  readonly largest: number;
  /** wR on F of the same frames with the data's own model, and with the distribution. */
  readonly wrBefore: number;
  readonly wr: number;
  readonly rounds: number;
  readonly frames: readonly string[];
}

const INSTABILITY = 0.01;

/**
 * A free distribution of thicknesses at a fixed structure: intensities are linear in p(t), so p ≥ 0 is solved as non-negative least squares on
 * intensities, in turn with the scales of the frames. Begin near the thickness: the scales start with the model of the data (`scanThickness`).
 * @throws out-of-range for fewer than three nodes; bad-value when no frame has an observed reflection
 */
export async function thicknessDistribution(
  s: Structure,
  data: DynamicalData,
  options: DistributionOptions = {},
): Promise<ThicknessDistribution> {
  const { nodes = 16, smoothness = 1e-3, signal, arena = newArena() } = options,
    { thickness: t0, thicknessModel, tiltCorrection = 0 } = data.model,
    to = options.to ?? t0 * (thicknessModel.kind === "plate" ? 2 : 1.5);
  if (!(Number.isInteger(nodes) && nodes >= 3 && to > 0 && Number.isFinite(to)))
    fail("out-of-range", { nodes, to }, "a distribution has at least three nodes up to a positive thickness, Å");
  const frames = spreadFrames(data, options.frames ?? 16),
    crystal = crystalOf(s, data, options.factors ?? ignoreCharge(peng1996)),
    thickness = Float64Array.from({ length: nodes }, (_, k) => (to * (k + 1)) / nodes);
  const parts: {
    readonly own: Float64Array;
    readonly at: readonly Float64Array[];
    readonly f: Float64Array;
    readonly weight: Float64Array;
  }[] = [];
  for (const [done, f] of frames.entries()) {
    signal?.throwIfAborted();
    options.onProgress?.({ done, total: frames.length, note: "thickness distribution" });
    await new Promise<void>((resume) => setTimeout(resume));
    const tilted = (t: number): number => tiltedThickness(t, f.alphaDeg, tiltCorrection),
      depth = depthGrid(Math.max(tilted(to), tilted(t0)), 25),
      all = frameDepths(crystal, f, data.model, depth, arena),
      n = f.intensity.length,
      of = (m: ThicknessModel, t: number): Float64Array => mixedIntensities(depthMixture(m, tilted(t), depth), all, n),
      a = amplitudes(f.intensity, f.sigma);
    parts.push({ own: of(thicknessModel, t0), at: [...thickness].map((t) => of({ kind: "plate" }, t)), f: a.f, weight: a.weight });
  }
  const rows = frames.flatMap((f, k) =>
    [...f.intensity.keys()].filter((i) => parts[k]!.weight[i]! > 0).map((i) => ({ k, i, I: f.intensity[i]!, s: f.sigma[i]! })),
  );
  const series = matrix(rows.length, nodes);
  rows.forEach(({ k, i }, r) => {
    for (let j = 0; j < nodes; j++) series.data[r * nodes + j] = parts[k]!.at[j]![i]!;
  });
  const before = scaledFit(parts, (p) => p.own);
  let { scales, wr } = before,
    weights = new Float64Array(nodes),
    rounds = 0;
  for (; rounds < 40; rounds++) {
    const fit = fitThickness(
      series,
      rows.map(({ k, I }) => I / scales[k]! ** 2),
      { sigma: rows.map(({ k, I, s: sigma }) => Math.hypot(sigma, 2 * INSTABILITY * I) / scales[k]! ** 2), smoothness },
    );
    weights = Float64Array.from(fit.weights);
    const next = scaledFit(parts, ({ at, own }) => own.map((_, i) => at.reduce((v, a, j) => v + weights[j]! * a[i]!, 0))),
      gained = wr - next.wr;
    ({ scales, wr } = next);
    if (rounds > 0 && Math.abs(gained) < 1e-5) break;
  }
  let last = nodes - 1;
  while (last > 0 && !(weights[last]! > 1e-6)) last--;
  const largest = thickness[last]!,
    kept = [...weights.subarray(0, last + 1)];
  return {
    thickness,
    weights,
    mean: weights.reduce((m, w, j) => m + w * thickness[j]!, 0),
    model: { kind: "free", fractions: kept.map((_, j) => thickness[j]! / largest), weights: kept },
    largest,
    wrBefore: before.wr,
    wr,
    rounds,
    frames: frames.map((f) => f.id),
  };
}

/** Amplitude scales of the frames at their best, and wR. */
function scaledFit<P extends { readonly f: Float64Array; readonly weight: Float64Array }>(
  parts: readonly P[],
  calculated: (p: P) => Float64Array,
): { readonly scales: Float64Array; readonly wr: number } {
  let miss = 0,
    sum = 0;
  const scales = Float64Array.from(parts, (p) => {
    const { oc, cc, oo } = scaleSums(p.f, p.weight, calculated(p));
    miss += oo - (cc > 0 ? (oc * oc) / cc : 0);
    sum += oo;
    return cc > 0 ? oc / cc : 1;
  });
  return { scales, wr: Math.sqrt(Math.max(0, miss) / sum) };
}
