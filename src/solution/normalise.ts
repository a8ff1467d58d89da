import { lineFit } from "../numerics/robust-line.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { Composition } from "./formula.js";
import type { PhasingData } from "./prepare.js";

/** Normalised amplitudes and what the Wilson plot says. */
export interface Normalised {
  /** |E| = √(I / K(s)Σf²) with ⟨E²⟩ = 1 in every shell, shape [size]; 0 for negative intensities. */
  readonly e: Float64Array;
  /** |F| on the absolute scale of the composition at rest: √(I/k)·exp(B s²), Å, shape [size]. */
  readonly sharpened: Float64Array;
  /** |F| on the absolute scale with the thermal fall-off left in, Å. */
  readonly f: Float64Array;
  /** ⟨I⟩ = k Σf² exp(−2B s²), s = 1/(2d). */
  readonly scale: number;
  /** Overall B, Å². */
  readonly b: number;
  /** ⟨|E² − 1|⟩: 0.968 centrosymmetric, 0.736 not (Wilson 1949); multiple scattering lowers both. */
  readonly e2Minus1: number;
  /** Wilson plot: s², ln(⟨I⟩/Σf²) per shell. */
  readonly shells: readonly { readonly s2: number; readonly lnRatio: number; readonly count: number }[];
}

/**
 * Wilson scaling (A. J. C. Wilson 1942, Nature 150, 152): a straight line through ln(⟨I⟩/Σf²) against s², and a smooth curve through the same
 * shell means for E. Negative intensities stay in the means. ε of special reflections is not applied: the group is not known yet.
 * @param content - atoms of the primitive cell
 */
export function normalise(data: PhasingData, content: Composition, factors: FormFactorSource): Normalised {
  const forms = [...content].map(([e, n]) => [factors(e), n] as const);
  const sumF2 = Float64Array.from(data.dStar, (g) => forms.reduce((t, [f, n]) => t + n * f.f(g / 2) ** 2, 0));
  const order = [...Array(data.size).keys()].sort((p, q) => data.dStar[p]! - data.dStar[q]!);
  const count = Math.max(3, Math.min(20, Math.floor(data.size / 60)));
  const shells = [];
  for (let k = 0; k < count; k++) {
    const rows = order.slice(Math.floor((k * data.size) / count), Math.floor(((k + 1) * data.size) / count));
    let sum = 0,
      s2 = 0;
    for (const i of rows) {
      sum += data.intensity[i]! / sumF2[i]!;
      s2 += data.dStar[i]! ** 2 / 4;
    }
    if (rows.length > 0 && sum > 0) shells.push({ s2: s2 / rows.length, lnRatio: Math.log(sum / rows.length), count: rows.length });
  }
  const { intercept, slope } = wilsonLine(shells);
  const b = -slope / 2,
    scale = Math.exp(intercept);
  const e = new Float64Array(data.size),
    f = new Float64Array(data.size),
    sharpened = new Float64Array(data.size);
  for (let i = 0; i < data.size; i++) {
    const s2 = data.dStar[i]! ** 2 / 4,
      x = Math.max(0, data.intensity[i]!);
    e[i] = Math.sqrt(x / (sumF2[i]! * Math.exp(shellValue(shells, s2))));
    f[i] = Math.sqrt(x / scale);
    sharpened[i] = f[i]! * Math.exp(b * s2);
  }
  const e2Minus1 = e.reduce((t, v) => t + Math.abs(v * v - 1), 0) / data.size;
  return { e, sharpened, f, scale, b, e2Minus1, shells };
}

type Shell = Normalised["shells"][number];
/** Line through the shells beyond 2.5 Å, where Wilson's random positions hold better; all of them when fewer than three are there. */
function wilsonLine(shells: readonly Shell[]): { intercept: number; slope: number } {
  const high = shells.filter((s) => s.s2 > 0.04);
  const use = high.length >= 3 ? high : shells;
  if (use.length < 2) return { intercept: use[0]?.lnRatio ?? 0, slope: 0 };
  return lineFit(
    Float64Array.from(use, (s) => s.s2),
    Float64Array.from(use, (s) => s.lnRatio),
  );
}
/** Linear interpolation in s², constant beyond the ends. */
function shellValue(shells: readonly Shell[], s2: number): number {
  const k = shells.findIndex((s) => s.s2 > s2);
  if (k === 0) return shells[0]!.lnRatio;
  if (k < 0) return shells.at(-1)!.lnRatio;
  const [p, q] = [shells[k - 1]!, shells[k]!];
  return p.lnRatio + ((q.lnRatio - p.lnRatio) * (s2 - p.s2)) / (q.s2 - p.s2);
}
