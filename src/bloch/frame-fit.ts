import { compose, type Map3, type Vec3 } from "../core/frames.js";
import { degrees, rotationAbout } from "../geometry/rotation.js";
import type { Arena } from "../kernels/memory.js";
import { arena as newArena } from "../kernels/memory.js";
import { type DynamicalFrame, type FrameCrystal, type FrameModel, frameProblem } from "./frames.js";
import { amplitudeWeight } from "./frames-residuals.js";
import { sweepIntensities } from "./integrate.js";

/** What a frame's orientation is fitted to. */
export interface FrameTarget {
  /** Intensities, shape [n] of the frame's reflections. */
  readonly intensity: Float64Array;
  /** Their σ, for the weights of the refinement; equal weights of F without. */
  readonly sigma?: Float64Array | undefined;
}
export interface OrientationOptions {
  readonly maxSteps?: number | undefined;
  /** Stop when a step turns the crystal by less than this, degrees. Default 5e-4. */
  readonly toleranceDeg?: number | undefined;
  /** Starting points besides the given orientation: rings of six at these angles, degrees. Default none. */
  readonly ringsDeg?: readonly number[] | undefined;
  /** A start whose R(F) is below this needs no other starts. Default 0.03. */
  readonly goodEnough?: number | undefined;
  readonly arena?: Arena | undefined;
}
export interface OrientationFit {
  readonly status: "converged" | "max-steps" | "nothing-to-fit";
  readonly ub: Map3<"lab", "hkl">;
  /** Turn from the given orientation about lab x and y, degrees. */
  readonly turnDeg: readonly [number, number];
  /** Σ|F_o − kF_c|/ΣF_o before and after. */
  readonly rBefore: number;
  readonly rAfter: number;
  readonly scale: number;
  /** Passes through the forward model, all starts together. */
  readonly evaluations: number;
}

const axes: readonly Vec3<"lab">[] = [
  [1, 0, 0],
  [0, 1, 0],
];

/**
 * Orientation of one frame by Levenberg–Marquardt on amplitudes over two turns of the crystal, about the tilt axis and perpendicular to it
 * (a turn about the beam changes no intensity); the scale is eliminated by projection. Derivatives come with the intensities.
 * Where the start is so far off that the fit ends in a side minimum, further starts on rings around it are tried.
 */
export function fitOrientation(
  crystal: FrameCrystal,
  frame: DynamicalFrame,
  model: FrameModel,
  target: FrameTarget,
  options: OrientationOptions = {},
): OrientationFit {
  const { maxSteps = 20, toleranceDeg = 5e-4, ringsDeg = [], goodEnough = 0.03, arena = newArena() } = options;
  const rows = Array.from(target.intensity, (v, i) => {
    const s = target.sigma?.[i];
    if (s === undefined) return { f: Math.sqrt(Math.max(v, 0)), weight: Number.isFinite(v) ? 1 : 0 };
    return s > 0 && Number.isFinite(v) ? amplitudeWeight(v, s) : { f: 0, weight: 0 };
  });
  let evaluations = 0;
  const turned = (p: readonly [number, number]): Map3<"lab", "hkl"> => {
    const angle = Math.hypot(p[0], p[1]);
    return angle === 0 ? frame.ub : compose(rotationAbout<"lab", "lab">([p[0] / angle, p[1] / angle, 0], angle), frame.ub);
  };
  /** Residual of the projected problem, its normal equations, and R. */
  const evaluate = (p: readonly [number, number]) => {
    evaluations++;
    const { intensity, turned: di } = sweepIntensities(frameProblem(crystal, { ...frame, ub: turned(p) }, model, axes), arena);
    let oc = 0,
      cc = 0;
    const f = intensity.map((x) => Math.sqrt(Math.max(x, 0)));
    rows.forEach(({ f: fo, weight }, i) => {
      oc += weight * fo * f[i]!;
      cc += weight * f[i]! * f[i]!;
    });
    if (!(cc > 0 && oc > 0)) return undefined;
    const k = oc / cc;
    // columns k·dF/dp with the part along F projected out: the scale follows
    const along = [0, 0];
    const slope = di.map((d) => d.map((x, i) => (f[i]! > 1e-6 ? x / (2 * f[i]!) : 0)));
    slope.forEach((s, t) => {
      rows.forEach(({ weight }, i) => {
        along[t]! += (weight * s[i]! * f[i]!) / cc;
      });
    });
    let chi = 0,
      diff = 0,
      sum = 0;
    const h = [0, 0, 0],
      b = [0, 0];
    rows.forEach(({ f: fo, weight }, i) => {
      const r = fo - k * f[i]!;
      const j0 = k * (slope[0]![i]! - along[0]! * f[i]!),
        j1 = k * (slope[1]![i]! - along[1]! * f[i]!);
      chi += weight * r * r;
      if (weight > 0) {
        diff += Math.abs(r);
        sum += fo;
      }
      h[0]! += weight * j0 * j0;
      h[1]! += weight * j0 * j1;
      h[2]! += weight * j1 * j1;
      b[0]! += weight * j0 * r;
      b[1]! += weight * j1 * r;
    });
    return { chi, r: diff / sum, k, h, b };
  };
  const descend = (start: readonly [number, number]) => {
    let p = start,
      here = evaluate(p);
    if (!here) return undefined;
    const first = here.r;
    let damping = 1e-3,
      converged = false;
    for (let step = 0; step < maxSteps && !converged; step++) {
      const { h, b } = here;
      const [a, c, d] = [h[0]! * (1 + damping), h[1]!, h[2]! * (1 + damping)];
      const det = a * d - c * c;
      if (!(det > 0)) break;
      let move: [number, number] = [(b[0]! * d - b[1]! * c) / det, (a * b[1]! - c * b[0]!) / det];
      const size = Math.hypot(...move),
        limit = 0.002; // 0.11°: about the width of a rocking curve, beyond which the linear model says nothing
      if (size > limit) move = [(move[0] * limit) / size, (move[1] * limit) / size];
      const next: [number, number] = [p[0] + move[0], p[1] + move[1]];
      const there = evaluate(next);
      if (there && there.chi < here.chi) {
        p = next;
        here = there;
        damping = Math.max(1e-6, damping / 5);
        converged = degrees(Math.hypot(...move)) < toleranceDeg;
      } else {
        damping *= 8;
        converged = degrees(Math.hypot(...move)) < toleranceDeg || damping > 1e6;
      }
    }
    return { p, here, first, converged };
  };
  const start = descend([0, 0]);
  const ub = frame.ub;
  if (!start)
    return { status: "nothing-to-fit", ub, turnDeg: [0, 0], rBefore: Number.NaN, rAfter: Number.NaN, scale: Number.NaN, evaluations };
  let best = start;
  for (const ring of ringsDeg) {
    if (best.here.r <= goodEnough) break;
    for (let i = 0; i < 6; i++) {
      const angle = ((i + 0.5) * Math.PI) / 3,
        radius = (ring * Math.PI) / 180;
      const other = descend([radius * Math.cos(angle), radius * Math.sin(angle)]);
      if (other && other.here.chi < best.here.chi) best = other;
    }
  }
  return {
    status: best.converged ? "converged" : "max-steps",
    ub: turned(best.p),
    turnDeg: [degrees(best.p[0]), degrees(best.p[1])],
    rBefore: start.first,
    rAfter: best.here.r,
    scale: best.here.k,
    evaluations,
  };
}
