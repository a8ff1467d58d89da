import { fail } from "../core/errors.js";
import { asuReflections } from "../geometry/asu.js";
import { rockingWidth } from "../geometry/rocking.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { cholesky, choleskySolve } from "../numerics/cholesky.js";
import { invert } from "../numerics/lu.js";
import { matrix } from "../numerics/matrix.js";
import type { IntegratedSeries } from "./integrate-series.js";
import { type RockingCurves, unusable } from "./rocking-curves.js";
import { rockingProfile } from "./rocking-width-profile.js";

export interface FrameScaleOptions {
  /** Range over which scales of frames are alike, degrees of tilt (PETS2's correlation range). Default 5. */
  readonly rangeDeg?: number | undefined;
  /** Expected size of the slow changes and of the jumps from frame to frame, natural logarithm. Default 0.5 and 0.03. */
  readonly slow?: number | undefined;
  readonly jump?: number | undefined;
  /** Error of the model as a fraction of the expected intensity. Default 0.15: dynamical scattering. */
  readonly modelError?: number | undefined;
  readonly use?: "profile" | "box" | undefined;
  readonly exclude?: number | undefined;
}
export interface FrameScales {
  /** Shape [frames], geometric mean 1. */
  readonly scale: Float64Array;
  /** s.u. of ln(scale), shape [frames]. */
  readonly sigmaLn: Float64Array;
  /** Observations used, and the weighted R before and after: √(Σw(I − kJP)²/ΣwI²). */
  readonly observations: number;
  readonly wrBefore: number;
  readonly wrAfter: number;
}

/** At most this many knots of ln(scale): the equations are dense. */
const MOST_KNOTS = 400;

/**
 * Scales of the frames from what equivalent reflections and the frames of each rocking curve have in common: I = k_frame·J_h·P with J shared by all
 * equivalents. ln k is linear between knots (every frame has one up to 400 frames) and a Gaussian process in the tilt angle a priori:
 * covariance slow²·exp(−½(Δα/range)²) + jump²·δ. J is eliminated (variable projection), Gauss–Newton with Huber weights on ln k.
 * @param group - any group of the Laue class
 * @throws bad-value when fewer than 20 intensities can be used, out-of-range for options without sense
 */
export function frameScales(
  series: IntegratedSeries,
  curves: RockingCurves,
  group: SpaceGroup,
  options: FrameScaleOptions = {},
): FrameScales {
  const { intensities: t, experiment: e } = series,
    { rangeDeg = 5, slow = 0.5, jump = 0.03, modelError = 0.15, use = "profile", exclude = unusable } = options;
  for (const [name, v] of Object.entries({ rangeDeg, slow, jump, modelError }))
    if (!(v > 0 && v < 1e3)) fail("out-of-range", { [name]: v }, `${name} is positive: degrees, or a fraction`);
  const value = use === "box" ? t.sum : t.intensity,
    error = use === "box" ? t.sumSigma : t.sigma,
    kind = e.instrument.exposure.kind,
    frames = e.geometry.length;
  // Sets of equivalent observations with their profiles.
  const asu = asuReflections(group, curves.hkl),
    sets = new Map<string, { row: number; p: number }[]>();
  for (let k = 0; k < curves.size; k++) {
    const key = `${asu.hkl[3 * k]},${asu.hkl[3 * k + 1]},${asu.hkl[3 * k + 2]}`,
      set = sets.get(key) ?? [],
      width = rockingWidth(curves.rocking, curves.g[k]!);
    let most = 0;
    const part: { row: number; p: number }[] = [];
    for (let q = curves.starts[k]!; q < curves.starts[k + 1]!; q++) {
      const row = curves.rows[q]!,
        p = rockingProfile(t.sg[row]!, width, t.halfRange[row]!, kind);
      most = Math.max(most, p);
      if ((t.flags[row]! & exclude) === 0 && Number.isFinite(value[row]!) && error[row]! > 0) part.push({ row, p });
    }
    set.push(...part.filter((o) => o.p > 0.15 * most));
    if (set.length > 0) sets.set(key, set);
  }
  const groups = [...sets.values()].filter((s) => s.length > 1),
    observations = groups.reduce((n, s) => n + s.length, 0);
  if (observations < 20)
    fail("bad-value", { observations, frames }, "too few intensities share a reflection to scale the frames; keep the scales they have");
  const knots = knotsOf(
      e.geometry.map((g) => g.alphaDeg),
      rangeDeg,
      slow,
      jump,
    ),
    m = knots.count,
    x = new Float64Array(m);
  const scaleOf = (f: number): number => Math.exp((1 - knots.share[f]!) * x[knots.left[f]!]! + knots.share[f]! * x[knots.left[f]! + 1]!);
  const normal = new Float64Array(m * m),
    gradient = new Float64Array(m),
    wr: number[] = [];
  const start = e.geometry.map((g) => Math.log(g.scale ?? 1)),
    middle = start.reduce((s, v) => s + v, 0) / frames;
  for (let f = 0; f < frames; f++) if (knots.share[f] === 0) x[knots.left[f]!] = start[f]! - middle;
  for (let cycle = 0; cycle <= 8; cycle++) {
    normal.fill(0);
    gradient.fill(0);
    let off = 0,
      all = 0;
    for (const set of groups) {
      const n = set.length,
        k = set.map((o) => scaleOf(t.frame[o.row]!));
      let J = 0;
      const w = new Float64Array(n);
      for (let round = 0; round < 3; round++) {
        let a = 0,
          b = 0;
        set.forEach((o, i) => {
          const expected = Math.max(0, J) * k[i]! * o.p,
            z = Math.abs(value[o.row]! - expected) / Math.hypot(error[o.row]!, modelError * expected);
          w[i] = (round > 0 && z > 3 ? 3 / z : 1) / (error[o.row]! ** 2 + (modelError * expected) ** 2);
          a += w[i]! * k[i]! * o.p * value[o.row]!;
          b += w[i]! * (k[i]! * o.p) ** 2;
        });
        J = a / b;
      }
      // d = √w·k·p·J is ∂(model)/∂ln k; e is its direction, which J takes up.
      const d = set.map((o, i) => Math.sqrt(w[i]!) * k[i]! * o.p * J),
        length = Math.hypot(...d);
      set.forEach((o, i) => {
        off += w[i]! * (value[o.row]! - k[i]! * o.p * J) ** 2;
        all += w[i]! * value[o.row]! ** 2;
      });
      if (!(J > 0 && length > 0)) continue;
      const mixed = new Map<number, number>();
      const put = (to: Map<number, number>, f: number, v: number): void => {
        const a = knots.left[f]!,
          s = knots.share[f]!;
        to.set(a, (to.get(a) ?? 0) + (1 - s) * v);
        if (s > 0) to.set(a + 1, (to.get(a + 1) ?? 0) + s * v);
      };
      set.forEach((o, i) => {
        const f = t.frame[o.row]!,
          r = Math.sqrt(w[i]!) * (value[o.row]! - k[i]! * o.p * J),
          own = new Map<number, number>();
        put(own, f, d[i]!);
        put(mixed, f, (d[i]! * d[i]!) / length);
        for (const [a, va] of own) {
          gradient[a]! += va * r;
          for (const [b, vb] of own) normal[a * m + b]! += va * vb;
        }
      });
      for (const [a, va] of mixed) for (const [b, vb] of mixed) normal[a * m + b]! -= va * vb;
    }
    wr.push(Math.sqrt(off / all));
    if (cycle === 8) break;
    for (let i = 0; i < m; i++) {
      let pull = 0;
      for (let j = 0; j < m; j++) {
        normal[i * m + j]! += knots.precision[i * m + j]!;
        pull += knots.precision[i * m + j]! * x[j]!;
      }
      gradient[i]! -= pull;
    }
    const step = choleskySolve(cholesky(matrix(m, m, normal.slice())), matrix(m, 1, gradient.slice())).data;
    let moved = 0;
    for (let i = 0; i < m; i++) {
      const s = Math.max(-0.5, Math.min(0.5, step[i]!));
      x[i]! += s;
      moved = Math.max(moved, Math.abs(s));
    }
    if (moved < 1e-4) cycle = Math.max(cycle, 6);
  }
  const prior = normal; // holds the data's part after the last cycle
  for (let i = 0; i < m * m; i++) prior[i]! += knots.precision[i]!;
  const covariance = invert(matrix(m, m, prior)).data,
    scale = Float64Array.from({ length: frames }, (_, f) => scaleOf(f)),
    mean = scale.reduce((s, v) => s + Math.log(v), 0) / frames;
  // A factor common to all frames belongs to the intensities: the uncertainty is that of ln k less its mean.
  const rowMean = Float64Array.from({ length: m }, (_, p) => {
      let v = 0;
      for (let q = 0; q < m; q++) v += covariance[p * m + q]!;
      return v / m;
    }),
    allMean = rowMean.reduce((v, w) => v + w, 0) / m,
    at = (p: number, q: number): number => covariance[p * m + q]! - rowMean[p]! - rowMean[q]! + allMean;
  return {
    scale: scale.map((v) => v / Math.exp(mean)),
    sigmaLn: Float64Array.from({ length: frames }, (_, f) => {
      const a = knots.left[f]!,
        s = knots.share[f]!,
        v = (1 - s) ** 2 * at(a, a) + (s > 0 ? s * s * at(a + 1, a + 1) + 2 * s * (1 - s) * at(a, a + 1) : 0);
      return Math.sqrt(Math.max(0, v));
    }),
    observations,
    wrBefore: wr[0]!,
    wrAfter: wr[wr.length - 1]!,
  };
}

/** Knots along the frames, the two that each frame lies between, and the inverse of their prior covariance. */
function knotsOf(
  alphaDeg: readonly number[],
  rangeDeg: number,
  slow: number,
  jump: number,
): { count: number; left: Int32Array; share: Float64Array; precision: Float64Array } {
  const n = alphaDeg.length,
    count = Math.min(n, MOST_KNOTS),
    left = new Int32Array(n),
    share = new Float64Array(n),
    at = new Float64Array(count);
  for (let f = 0; f < n; f++) {
    const t = n === 1 ? 0 : (f * (count - 1)) / (n - 1);
    left[f] = Math.min(Math.floor(t), Math.max(0, count - 2));
    share[f] = t - left[f]!;
  }
  for (let k = 0; k < count; k++) at[k] = alphaDeg[count === 1 ? 0 : Math.round((k * (n - 1)) / (count - 1))]!;
  const c = new Float64Array(count * count);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < count; j++)
      c[i * count + j] = slow * slow * Math.exp(-0.5 * ((at[i]! - at[j]!) / rangeDeg) ** 2) + (i === j ? jump * jump : 0);
  return { count, left, share, precision: Float64Array.from(invert(matrix(count, count, c)).data) };
}
