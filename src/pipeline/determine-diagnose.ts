import { isSdkError } from "../core/errors.js";
import { asuReflections } from "../geometry/asu.js";
import type { Structure } from "../geometry/structure.js";
import {
  type AmplitudeRegression,
  amplitudeRegression,
  bandScale,
  linearised,
  type Outlier,
  outliersOfBand,
} from "../refine/amplitude-regression.js";
import type { DynamicalResult } from "../refine/dynamical-types.js";
import type { KinematicResult } from "../refine/kinematic-types.js";
import { type MapPeak, mapPeaks } from "../refine/map-peaks.js";
import { type MapStatistics, mapStatistics } from "../refine/map-statistics.js";
import { type PotentialMap, potentialMap } from "../refine/potential-map.js";
import { mergedResiduals, type Residuals, residuals } from "../refine/residuals.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import type { Determination } from "./determine.js";

/** Measured and calculated intensities of a refinement, one row each, on the scale of the measured ones. */
export interface ComparedRows {
  readonly hkl: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  readonly calculated: Float64Array;
  /** Number of the (virtual) frame, from 0; −1 for merged data. */
  readonly frame: Int32Array;
}
export interface Diagnosis {
  readonly theory: "kinematical" | "dynamical";
  readonly structure: Structure;
  readonly rows: ComparedRows;
  readonly residuals: Residuals;
  /** Equivalents merged under the point group. */
  readonly merged: Residuals;
  /** √I in these units is compared with the band of the ceramics paper. */
  readonly bandScale: number;
  readonly outliers: readonly Outlier[];
  /** Outliers of every frame, the worst frame first. */
  readonly outlierFrames: readonly { readonly frame: number; readonly count: number; readonly reflections: number }[];
  readonly regression: AmplitudeRegression | undefined;
  /** R factors with the curvature of the intensities taken out; undefined where the cubic cannot be inverted. */
  readonly linearised: Residuals | undefined;
  readonly map: PotentialMap;
  readonly statistics: MapStatistics;
  readonly peaks: readonly MapPeak[];
}

/** Rows of a dynamical refinement's frames. */
export function dynamicalRows(r: DynamicalResult): ComparedRows {
  const list = r.frames.flatMap((f, k) =>
    f.status === "refined"
      ? Array.from({ length: f.calculated.length }, (_, i) => ({ f, k, i })).filter(({ i }) => Number.isFinite(f.calculated[i]!))
      : [],
  );
  return {
    hkl: Int32Array.from(list.flatMap(({ f, i }) => [...f.frame.hkl.subarray(3 * i, 3 * i + 3)])),
    intensity: Float64Array.from(list, ({ f, i }) => f.frame.intensity[i]!),
    sigma: Float64Array.from(list, ({ f, i }) => f.frame.sigma[i]!),
    calculated: Float64Array.from(list, ({ f, i }) => f.calculated[i]!),
    frame: Int32Array.from(list, ({ k }) => k),
  };
}

/**
 * Coefficients of a difference map from rows of any theory: F_obs = |F|·√(I_obs/I_calc) with the phase of F, equivalents averaged with the weights of their
 * amplitudes. Rows below 3σ are left out, and so are those whose I_calc is so small beside kinematical expectation that multiple scattering rules them
 * (√I_calc below a fifth of what its |F| suggests).
 */
export function differenceOfRows(s: Structure, rows: ComparedRows): { readonly hkl: Int32Array; readonly coefficients: Float64Array } {
  const n = rows.intensity.length;
  const f = structureFactors(s, rows.hkl, ignoreCharge(peng1996));
  const strong = Array.from({ length: n }, (_, i) => i).filter((i) => rows.intensity[i]! > 3 * rows.sigma[i]! && rows.calculated[i]! > 0);
  // what √I_calc/|F| usually is on each frame
  const ratios = new Map<number, number[]>();
  for (const i of strong) {
    const modulus = Math.hypot(f[2 * i]!, f[2 * i + 1]!);
    if (modulus > 1e-3) ratios.set(rows.frame[i]!, [...(ratios.get(rows.frame[i]!) ?? []), Math.sqrt(rows.calculated[i]!) / modulus]);
  }
  const usual = new Map([...ratios].map(([frame, list]) => [frame, list.sort((a, b) => a - b)[list.length >> 1]!]));
  const asu = asuReflections(s.spaceGroup, rows.hkl, true);
  const sums = new Map<string, { hkl: readonly number[]; w: number; d: number }>();
  for (const i of strong) {
    const modulus = Math.hypot(f[2 * i]!, f[2 * i + 1]!),
      root = Math.sqrt(rows.calculated[i]!),
      k = root / modulus;
    if (!(modulus > 1e-3) || k < 0.2 * usual.get(rows.frame[i]!)! || k > 5 * usual.get(rows.frame[i]!)!) continue;
    const o = Math.sqrt(rows.intensity[i]!);
    const sigma = Math.hypot(rows.sigma[i]! / (2 * o), 0.01 * o) / k;
    const key = asu.hkl.subarray(3 * i, 3 * i + 3).join();
    const sum = sums.get(key) ?? { hkl: [...asu.hkl.subarray(3 * i, 3 * i + 3)], w: 0, d: 0 };
    sum.w += 1 / sigma ** 2;
    sum.d += (o / k - modulus) / sigma ** 2;
    sums.set(key, sum);
  }
  const list = [...sums.values()];
  const hkl = Int32Array.from(list.flatMap((x) => [...x.hkl])),
    unique = structureFactors(s, hkl, ignoreCharge(peng1996));
  const coefficients = new Float64Array(2 * list.length);
  list.forEach(({ w, d }, i) => {
    const modulus = Math.hypot(unique[2 * i]!, unique[2 * i + 1]!);
    coefficients[2 * i] = ((d / w) * unique[2 * i]!) / modulus;
    coefficients[2 * i + 1] = ((d / w) * unique[2 * i + 1]!) / modulus;
  });
  return { hkl, coefficients };
}

/** What speaks for and against the last refinement: R, outliers and their frames, the shape of √I_calc over √I_obs, difference map and its peaks. */
export function diagnosisOf(theory: Diagnosis["theory"], s: Structure, rows: ComparedRows, parameters: number): Diagnosis {
  const { intensity, sigma, calculated, frame } = rows;
  const observed = { measured: intensity, sigma, calculated };
  const scale = bandScale(intensity);
  const outliers = outliersOfBand(intensity, calculated, { scale });
  const counts = new Map<number, { count: number; reflections: number }>();
  for (const f of frame) counts.set(f, { count: 0, reflections: (counts.get(f)?.reflections ?? 0) + 1 });
  for (const o of outliers) counts.get(frame[o.row]!)!.count++;
  let regression: AmplitudeRegression | undefined, straight: Residuals | undefined;
  try {
    regression = amplitudeRegression(intensity, sigma, calculated);
    const l = linearised(regression, intensity, sigma);
    // scale that the linearised amplitudes ask for
    const [num, den] = l.intensity.reduce(
      ([a, b], v, i) => {
        const o = Math.sqrt(Math.max(0, v)),
          c = Math.sqrt(Math.max(0, calculated[i]!));
        return v > 3 * l.sigma[i]! ? ([a + o * c, b + o * o] as [number, number]) : ([a, b] as [number, number]);
      },
      [0, 0] as [number, number],
    );
    const k2 = (num / den) ** 2;
    straight = residuals({ ...observed, measured: l.intensity.map((v) => v * k2), sigma: l.sigma.map((v) => v * k2) }, { parameters });
  } catch (e) {
    if (!isSdkError(e)) throw e;
    straight = undefined; // too few strong reflections, or a curve that cannot be inverted: then there is nothing to report
  }
  const { hkl, coefficients } = differenceOfRows(s, rows);
  const map = potentialMap(s.cell, s.spaceGroup, hkl, coefficients),
    statistics = mapStatistics(map);
  return {
    theory,
    structure: s,
    rows,
    residuals: residuals(observed, { parameters }),
    merged: mergedResiduals(s.spaceGroup, rows.hkl, observed, { parameters }),
    bandScale: scale,
    outliers,
    outlierFrames: [...counts]
      .filter(([f, c]) => f >= 0 && c.count > 0)
      .map(([f, c]) => ({ frame: f, ...c }))
      .sort((a, b) => b.count / b.reflections - a.count / a.reflections),
    regression,
    linearised: straight,
    map,
    statistics,
    peaks: mapPeaks(map, { sigma: statistics.gaussian.sigma, structure: s, limit: 12 }),
  };
}

/** Of a determination: the dynamical refinement where there is one, else the kinematical. */
export function diagnose(d: Determination): Diagnosis | undefined {
  if (d.dynamical) return diagnosisOf("dynamical", d.dynamical.structure, dynamicalRows(d.dynamical), d.dynamical.refinedParameters);
  if (!d.kinematical || !d.data) return undefined;
  return diagnosisOf(
    "kinematical",
    d.kinematical.structure,
    kinematicalRows(d.kinematical, d.data.merged.merged),
    d.kinematical.parameters.length,
  );
}

export function kinematicalRows(
  k: KinematicResult,
  list: { readonly hkl: Int32Array; readonly intensity: Float64Array; readonly sigma: Float64Array },
): ComparedRows {
  return {
    hkl: list.hkl,
    intensity: list.intensity,
    sigma: list.sigma,
    calculated: k.calculated[0]!,
    frame: new Int32Array(list.intensity.length).fill(-1),
  };
}
