import { median } from "../numerics/stats-select.js";

/** How far the pattern of a frame stands from where it was predicted: (dx, dy) px at the centre plus a small linear part, rows [xx xy; yx yy]. */
export interface FrameShift {
  readonly dx: number;
  readonly dy: number;
  readonly linear: readonly [number, number, number, number];
  /** Scatter of single strong spots about it, px, and how many there were. */
  readonly scatter: number;
  readonly spots: number;
}
export const noShift: FrameShift = { dx: 0, dy: 0, linear: [0, 0, 0, 0], scatter: 0.15, spots: 0 };

/** Displacement at an offset (u, v) from the centre, px. */
export function shiftAt(s: FrameShift, u: number, v: number): readonly [number, number] {
  return [s.dx + s.linear[0] * u + s.linear[1] * v, s.dy + s.linear[2] * u + s.linear[3] * v];
}

/** Expected size of the linear part: what a refined geometry leaves. */
const STRAIN = 0.002;

/**
 * Shift of a frame from those of its strong spots, by least squares with Huber weights; the linear part has a prior. Steps of a spot are cut at
 * a quarter of the diameter, so a pattern far off is approached in rounds.
 * @param x0,y0 - predicted, and x, y where the spots were fitted; `moved` [listed, 4] are the steps from there with their variances
 * @returns undefined when no spot says anything
 */
export function fitFrameShift(
  listed: Int32Array,
  x0: Float64Array,
  y0: Float64Array,
  x: Float64Array,
  y: Float64Array,
  moved: Float64Array,
  [cx, cy]: readonly [number, number],
  diameter: number,
): FrameShift | undefined {
  const u: number[] = [],
    v: number[] = [],
    dx: number[] = [],
    dy: number[] = [],
    vx: number[] = [],
    vy: number[] = [],
    cut = (d: number): number => Math.max(-diameter / 4, Math.min(diameter / 4, d));
  listed.forEach((i, n) => {
    if (!(moved[4 * n + 2]! > 0 && moved[4 * n + 3]! > 0)) return;
    u.push(x0[i]! - cx);
    v.push(y0[i]! - cy);
    dx.push(x[i]! - x0[i]! + cut(moved[4 * n]!));
    dy.push(y[i]! - y0[i]! + cut(moved[4 * n + 1]!));
    vx.push(moved[4 * n + 2]!);
    vy.push(moved[4 * n + 3]!);
  });
  if (dx.length < 3) return undefined;
  const spread = (d: readonly number[]): number => {
    const m = median(Float64Array.from(d));
    return 1.4826 * median(Float64Array.from(d, (t) => Math.abs(t - m)));
  };
  let scatter = Math.max(0.02, Math.min(diameter / 4, Math.max(spread(dx), spread(dy))));
  let a: readonly number[] = [0, 0, 0],
    b: readonly number[] = [0, 0, 0];
  for (let round = 0; round < 4; round++) {
    a = robustPlane(u, v, dx, vx, scatter, a, round === 0);
    b = robustPlane(u, v, dy, vy, scatter, b, round === 0);
    const left = u.map((_, i) =>
      Math.hypot(dx[i]! - a[0]! - a[1]! * u[i]! - a[2]! * v[i]!, dy[i]! - b[0]! - b[1]! * u[i]! - b[2]! * v[i]!),
    );
    // The median of a two-dimensional normal distance is 1.177 σ.
    scatter = Math.max(0.02, Math.min(diameter / 4, median(Float64Array.from(left)) / 1.177));
  }
  return { dx: a[0]!, dy: b[0]!, linear: [a[1]!, a[2]!, b[1]!, b[2]!], scatter, spots: dx.length };
}

/** d = p0 + p1 u + p2 v with a prior of 0 ± STRAIN on the slopes. */
function robustPlane(
  u: readonly number[],
  v: readonly number[],
  d: readonly number[],
  variance: readonly number[],
  scatter: number,
  last: readonly number[],
  first: boolean,
): readonly number[] {
  const start = first ? [median(Float64Array.from(d)), 0, 0] : last;
  let s = 0,
    su = 0,
    sv = 0,
    suu = 1 / STRAIN ** 2,
    suv = 0,
    svv = 1 / STRAIN ** 2,
    sd = 0,
    sud = 0,
    svd = 0;
  for (let i = 0; i < d.length; i++) {
    const z = Math.abs(d[i]! - start[0]! - start[1]! * u[i]! - start[2]! * v[i]!) / scatter,
      w = (z > 2 ? 2 / z : 1) / (scatter * scatter + variance[i]!);
    s += w;
    su += w * u[i]!;
    sv += w * v[i]!;
    suu += w * u[i]! * u[i]!;
    suv += w * u[i]! * v[i]!;
    svv += w * v[i]! * v[i]!;
    sd += w * d[i]!;
    sud += w * u[i]! * d[i]!;
    svd += w * v[i]! * d[i]!;
  }
  const mu = su / s,
    mv = sv / s,
    md = sd / s,
    cuu = suu - su * mu,
    cuv = suv - su * mv,
    cvv = svv - sv * mv,
    cud = sud - su * md,
    cvd = svd - sv * md,
    det = cuu * cvv - cuv * cuv,
    p1 = (cud * cvv - cvd * cuv) / det,
    p2 = (cvd * cuu - cud * cuv) / det;
  return [md - p1 * mu - p2 * mv, p1, p2];
}
