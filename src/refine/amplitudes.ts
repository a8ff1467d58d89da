import { fail } from "../core/errors.js";

/** Amplitudes and their weights, shape [n] each. */
export interface Amplitudes {
  /** F = √max(I, 0). */
  readonly f: Float64Array;
  readonly sigma: Float64Array;
  /** 1/(σ²(F) + (u F)²); 0 where σ(I) is not positive: such a reflection has no weight. */
  readonly weight: Float64Array;
  /** 1 where I > 3σ(I). */
  readonly observed: Uint8Array;
  /** Rows without a positive σ (or without a finite intensity), which no sum counts. */
  readonly excluded: readonly number[];
}
export interface WeightOptions {
  /** Instability factor u of w = 1/(σ²(F) + (u F)²), 0.01. */
  readonly instability?: number | undefined;
  /** A reflection is observed when I > this · σ(I), 3. */
  readonly observedAbove?: number | undefined;
  /** Flags that replace this rule, shape [n]. */
  readonly observed?: Uint8Array | undefined;
}

/**
 * σ(F) of F = √I: σ(I)/(2F) where I > 0.01 σ(I), else σ(I)/(2√(0.01 σ(I))). This is the rule with which the figures of merit of JANA2006
 * and JANA2020 lists are reproduced to the fourth digit.
 */
export function sigmaOfAmplitude(intensity: number, sigma: number): number {
  return sigma / (2 * Math.sqrt(Math.max(intensity, 0.01 * sigma)));
}

/**
 * Amplitudes, σ(F), weights and the observed flag of intensities (or F²).
 * @throws bad-shape when the columns differ in length
 */
export function amplitudes(intensity: Float64Array, sigma: Float64Array, options: WeightOptions = {}): Amplitudes {
  const { instability: u = 0.01, observedAbove = 3 } = options;
  const n = intensity.length;
  if (sigma.length !== n) fail("bad-shape", { intensity: n, sigma: sigma.length }, "one σ per intensity");
  const out = { f: new Float64Array(n), sigma: new Float64Array(n), weight: new Float64Array(n), observed: new Uint8Array(n) };
  const excluded: number[] = [];
  for (let i = 0; i < n; i++) {
    const I = intensity[i]!,
      s = sigma[i]!;
    if (!(s > 0 && Number.isFinite(s) && Number.isFinite(I))) {
      excluded.push(i);
      out.sigma[i] = Number.NaN;
      continue;
    }
    const f = Math.sqrt(Math.max(I, 0)),
      sf = sigmaOfAmplitude(I, s);
    out.f[i] = f;
    out.sigma[i] = sf;
    out.weight[i] = 1 / (sf * sf + u * u * f * f);
    // In single precision, as JANA compares: I = 3σ in decimals then falls on the side that its lists flag.
    out.observed[i] = options.observed ? options.observed[i]! : Math.fround(I) > Math.fround(observedAbove * Math.fround(s)) ? 1 : 0;
  }
  return { ...out, excluded };
}

/** Σ w Fo Fc, Σ w Fc² and Σ w Fo² with Fc = √max(I, 0): the scale that fits amplitudes best is oc/cc, and oo − oc²/cc is what it misses. */
export interface ScaleSums {
  readonly oc: number;
  readonly cc: number;
  readonly oo: number;
}
/** Over the rows of positive weight. @param calculated - intensities, shape [n] */
export function scaleSums(f: Float64Array, weight: Float64Array, calculated: Float64Array): ScaleSums {
  let oc = 0,
    cc = 0,
    oo = 0;
  for (let i = 0; i < f.length; i++) {
    const w = weight[i]!;
    if (!(w > 0)) continue;
    const fc = Math.sqrt(Math.max(0, calculated[i]!));
    oc += w * f[i]! * fc;
    cc += w * fc * fc;
    oo += w * f[i]! ** 2;
  }
  return { oc, cc, oo };
}
