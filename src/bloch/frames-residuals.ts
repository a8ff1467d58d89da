import { fail } from "../core/errors.js";

/** Agreement of one frame. R factors are fractions. */
export interface FrameAgreement {
  readonly status: "compared";
  /** F_obs = scale · √(mean |ψ|²). */
  readonly scale: number;
  readonly rObserved: number;
  readonly rAll: number;
  readonly wrAll: number;
  readonly observed: number;
  readonly all: number;
}
/** A frame without a comparison, and why: never part of a mean. */
export interface FrameExcluded {
  readonly status: "excluded";
  readonly reason: string;
}

/**
 * σ(F) and weight as in JANA2020: F = √max(I, 0), σ(F) = σ(I)/2F where I > 0.01σ(I), else σ(I)/(2√(0.01σ(I))); w = 1/(σ²(F) + (u·F)²), u = 0.01.
 */
export function amplitudeWeight(intensity: number, sigma: number, instability = 0.01): { readonly f: number; readonly weight: number } {
  const f = Math.sqrt(Math.max(intensity, 0));
  const sf = intensity > 0.01 * sigma ? sigma / (2 * f) : sigma / (2 * Math.sqrt(0.01 * sigma));
  return { f, weight: 1 / (sf * sf + (instability * f) ** 2) };
}

/**
 * R factors of one frame with its best amplitude scale: least squares on F, with the weights of the refinement, or equal ones without σ.
 * R = Σ|F_o − F_c|/ΣF_o over I > 3σ and over all, wR = √(Σw(F_o − F_c)²/ΣwF_o²).
 * @param calculated - mean |ψ|²
 * @returns an exclusion where nothing can be compared: no reflection, none excited, or none with a positive intensity
 * @throws bad-shape
 */
export function frameAgreement(
  measured: Float64Array,
  sigma: Float64Array | undefined,
  calculated: Float64Array,
  scale?: number,
): FrameAgreement | FrameExcluded {
  const n = measured.length;
  if (calculated.length !== n || (sigma && sigma.length !== n))
    fail("bad-shape", { measured: n, calculated: calculated.length, sigma: sigma?.length }, "one value of each for every reflection");
  const excluded = (reason: string): FrameExcluded => ({ status: "excluded", reason });
  if (n === 0) return excluded("no reflection passes the filter");
  let oc = 0,
    cc = 0,
    used = 0;
  const rows: { fo: number; fc: number; weight: number; strong: boolean }[] = [];
  for (let i = 0; i < n; i++) {
    const s = sigma?.[i] ?? 0,
      io = measured[i]!,
      ic = calculated[i]!;
    if (!Number.isFinite(io) || !Number.isFinite(ic) || (sigma && !(s > 0))) continue;
    const { f, weight } = sigma ? amplitudeWeight(io, s) : { f: Math.sqrt(Math.max(io, 0)), weight: 1 };
    const fc = Math.sqrt(Math.max(ic, 0));
    rows.push({ fo: f, fc, weight, strong: sigma ? io > 3 * s : io > 0 });
    oc += weight * f * fc;
    cc += weight * fc * fc;
    used++;
  }
  if (used === 0) return excluded("no reflection has finite values and a positive σ");
  if (cc === 0) return excluded("no reflection is excited in the model: orientation, gMax or sMax");
  const k = scale ?? oc / cc;
  const sums = { diff: 0, fo: 0, strongDiff: 0, strongFo: 0, w: 0, wo: 0, strong: 0 };
  for (const { fo, fc, weight, strong } of rows) {
    const d = Math.abs(fo - k * fc);
    sums.diff += d;
    sums.fo += fo;
    sums.w += weight * d * d;
    sums.wo += weight * fo * fo;
    if (strong) {
      sums.strongDiff += d;
      sums.strongFo += fo;
      sums.strong++;
    }
  }
  if (sums.strong === 0) return excluded("no reflection is above 3σ");
  return {
    status: "compared",
    scale: k,
    rObserved: sums.strongDiff / sums.strongFo,
    rAll: sums.diff / sums.fo,
    wrAll: Math.sqrt(sums.w / sums.wo),
    observed: sums.strong,
    all: used,
  };
}

/** Mean, median and largest of a figure over the compared frames; undefined when there is none. */
export function overFrames(
  list: readonly (FrameAgreement | FrameExcluded)[],
  figure: (f: FrameAgreement) => number,
): { readonly mean: number; readonly median: number; readonly max: number; readonly frames: number } | undefined {
  const values = list.flatMap((f) => (f.status === "compared" ? [figure(f)] : [])).sort((a, b) => a - b);
  if (values.length === 0) return undefined;
  const half = values.length >> 1;
  return {
    mean: values.reduce((s, v) => s + v, 0) / values.length,
    median: values.length % 2 ? values[half]! : (values[half - 1]! + values[half]!) / 2,
    max: values.at(-1)!,
    frames: values.length,
  };
}
