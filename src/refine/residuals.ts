import { fail } from "../core/errors.js";
import { asuReflections } from "../geometry/asu.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { amplitudes, type WeightOptions } from "./amplitudes.js";

/** Figures of merit of a list, on F. NaN where the sum is empty. */
export interface Residuals {
  /** Reflections with I > 3σ(I), and all with a positive σ. */
  readonly nObs: number;
  readonly nAll: number;
  /** R = Σ|Fo − Fc| / ΣFo. */
  readonly rObs: number;
  readonly rAll: number;
  /** wR = √(Σw(Fo − Fc)² / ΣwFo²). */
  readonly wrObs: number;
  readonly wrAll: number;
  /** √(Σw(Fo − Fc)²/(n − p)); NaN when the number of parameters is not given. */
  readonly gofObs: number;
  readonly gofAll: number;
  /** Reflections left out because σ is not positive. */
  readonly excluded: number;
}
/** Intensities (or F²) measured and calculated on one scale, shape [n] each. */
export interface ObservedCalculated {
  readonly measured: Float64Array;
  readonly sigma: Float64Array;
  readonly calculated: Float64Array;
}
export interface ResidualOptions extends WeightOptions {
  /** Refined parameters, for the goodness of fit. */
  readonly parameters?: number | undefined;
  /** Rows to count (default all). */
  readonly keep?: ((row: number) => boolean) | undefined;
}

/**
 * R, wR and goodness of fit on F = √max(I, 0), weights w = 1/(σ²(F) + (uF)²). @throws bad-shape
 * @see sigmaOfAmplitude
 */
export function residuals(list: ObservedCalculated, options: ResidualOptions = {}): Residuals {
  const { measured, sigma, calculated } = list;
  if (calculated.length !== measured.length)
    fail("bad-shape", { measured: measured.length, calculated: calculated.length }, "one calculated value per measured one");
  const a = amplitudes(measured, sigma, options);
  // Column 0: observed; column 1: all.
  const n = [0, 0],
    miss = [0, 0],
    sum = [0, 0],
    wMiss = [0, 0],
    wSum = [0, 0];
  let excluded = 0;
  for (let i = 0; i < measured.length; i++) {
    if (options.keep && !options.keep(i)) continue;
    if (!(a.weight[i]! > 0) || Number.isNaN(calculated[i]!)) {
      excluded++;
      continue;
    }
    const fo = a.f[i]!,
      d = fo - Math.sqrt(Math.max(calculated[i]!, 0)),
      w = a.weight[i]!;
    for (let c = a.observed[i] ? 0 : 1; c < 2; c++) {
      n[c]!++;
      miss[c]! += Math.abs(d);
      sum[c]! += fo;
      wMiss[c]! += w * d * d;
      wSum[c]! += w * fo * fo;
    }
  }
  const gof = (c: number): number => {
    const spare = n[c]! - (options.parameters ?? Number.NaN);
    return spare > 0 ? Math.sqrt(wMiss[c]! / spare) : Number.NaN;
  };
  return {
    nObs: n[0]!,
    nAll: n[1]!,
    rObs: miss[0]! / sum[0]!,
    rAll: miss[1]! / sum[1]!,
    wrObs: Math.sqrt(wMiss[0]! / wSum[0]!),
    wrAll: Math.sqrt(wMiss[1]! / wSum[1]!),
    gofObs: gof(0),
    gofAll: gof(1),
    excluded,
  };
}

/** A list merged for the MR figures; Fo and Fc of equivalents averaged alike. */
export interface MergedPairs extends ObservedCalculated {
  /** Representatives, shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly count: Int32Array;
}

/**
 * Merge measured and calculated intensities by the point group: Friedel mates stay apart unless the group has an inversion. Plain means,
 * σ = √Σσ²/n. After a dynamical refinement this removes the spread between frames; the residuals of the result are MR and MwR.
 * Rows without a positive σ, a measured or a calculated value are left out.
 */
export function mergePairs(group: SpaceGroup, hkl: Int32Array, list: ObservedCalculated): MergedPairs {
  const map = asuReflections(group, hkl, false);
  const at = new Map<string, number>();
  const rows: { h: number[]; o: number; c: number; v: number; n: number }[] = [];
  for (let i = 0; i < list.measured.length; i++) {
    if (!(list.sigma[i]! > 0) || !Number.isFinite(list.measured[i]!) || Number.isNaN(list.calculated[i]!)) continue;
    const h = [map.hkl[3 * i]!, map.hkl[3 * i + 1]!, map.hkl[3 * i + 2]!];
    const key = h.join();
    let row = at.get(key);
    if (row === undefined) {
      row = rows.length;
      at.set(key, row);
      rows.push({ h, o: 0, c: 0, v: 0, n: 0 });
    }
    const r = rows[row]!;
    r.o += list.measured[i]!;
    r.c += list.calculated[i]!;
    r.v += list.sigma[i]! ** 2;
    r.n++;
  }
  return {
    hkl: Int32Array.from(rows.flatMap((r) => r.h)),
    count: Int32Array.from(rows, (r) => r.n),
    measured: Float64Array.from(rows, (r) => r.o / r.n),
    calculated: Float64Array.from(rows, (r) => r.c / r.n),
    sigma: Float64Array.from(rows, (r) => Math.sqrt(r.v) / r.n),
  };
}

/** MR figures: {@link residuals} of {@link mergePairs}. Merged means are no decimals of a file, so I > 3σ is compared in double precision. */
export function mergedResiduals(group: SpaceGroup, hkl: Int32Array, list: ObservedCalculated, options: ResidualOptions = {}): Residuals {
  const merged = mergePairs(group, hkl, list);
  const observed = Uint8Array.from(merged.measured, (I, i) => (I > (options.observedAbove ?? 3) * merged.sigma[i]! ? 1 : 0));
  return residuals(merged, { ...options, observed });
}
