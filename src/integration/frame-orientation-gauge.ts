import { compose, type Map3, transpose } from "../core/frames.js";
import { petsAngles } from "../geometry/goniometer.js";
import { type FrameGeometry, petsRotation } from "../geometry/index.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import { leastSquares } from "../numerics/index.js";
import type { Orientation } from "./index-lattice.js";

/** Expected size of the errors of the frames' angles, degrees, standard deviations. */
export interface AngleSpread {
  readonly alpha: number;
  readonly beta: number;
  readonly omega: number;
}

export interface Regauged {
  readonly frames: readonly FrameGeometry[];
  /** Turn of the sample frame that went from the frames into UB: UB' = turn·UB. */
  readonly turn: Map3<"sample", "sample">;
  readonly ub: Orientation;
  /** Common shift of ω from the origin, degrees: the axis position that goes with the angles. */
  readonly omegaShiftDeg: number;
}

const rad = Math.PI / 180;

/**
 * The crystal can be turned by any rotation T if all frames are turned back: R·UB = (R·T⁻¹)(T·UB), and no spot moves. Of all these equivalent
 * descriptions take the one whose angles agree best with those of the origin, all of them weighted by their expected errors; a common shift of ω, which
 * is no such freedom but the position of the tilt axis, is left free. Without this a turn about the sample's z stays in the frames as
 * β ∝ −tan α with ω ∝ 1/cos α, and looks like an error of the stage.
 * @param sigma - s.u. of every frame's angles, degrees; NaN leaves the frame out
 */
export function regauge(
  ub: Orientation,
  frames: readonly FrameGeometry[],
  origin: readonly FrameGeometry[],
  spread: AngleSpread,
  sigma: { readonly alpha: ArrayLike<number>; readonly beta: ArrayLike<number>; readonly omega: ArrayLike<number> },
): Regauged {
  const used = Array.from(frames.keys()).filter((f) => Number.isFinite(sigma.alpha[f]!));
  const still: Regauged = { frames, turn: [1, 0, 0, 0, 1, 0, 0, 0, 1], ub, omegaShiftDeg: 0 };
  if (used.length < 8) return still;
  const rot = frames.map((f) => petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg));
  const inverse = (p: ArrayLike<number>): Map3<"sample", "sample"> =>
    transpose(rotationFromVector<"sample", "sample">([p[0]! * rad, p[1]! * rad, p[2]! * rad]));
  const weight = {
    alpha: used.map((f) => 1 / Math.hypot(spread.alpha, sigma.alpha[f]!)),
    beta: used.map((f) => 1 / Math.hypot(spread.beta, sigma.beta[f]!)),
    omega: used.map((f) => 1 / Math.hypot(spread.omega, sigma.omega[f]!)),
  };
  const fit = leastSquares({
    count: 3 * used.length,
    start: [0, 0, 0, 0],
    residuals: (p, out) => {
      const back = inverse(p);
      used.forEach((f, row) => {
        const a = petsAngles(compose(rot[f]!, back)),
          o = origin[f]!;
        out[3 * row] = (a.alphaDeg - o.alphaDeg) * weight.alpha[row]!;
        out[3 * row + 1] = (a.betaDeg - o.betaDeg) * weight.beta[row]!;
        out[3 * row + 2] = (wrap(a.omegaDeg - o.omegaDeg) - p[3]!) * weight.omega[row]!;
      });
    },
    loss: { kind: "huber", scale: 2 },
    maxIterations: 30,
  });
  // A series about one angle does not tell ω from a turn about z: leave it as it is.
  if (fit.sigma.some((s) => !Number.isFinite(s) || s > 1)) return still;
  const back = inverse(fit.x);
  const turned = frames.map((f, i) => {
    const a = petsAngles(compose(rot[i]!, back));
    return { ...f, alphaDeg: a.alphaDeg, betaDeg: a.betaDeg, omegaDeg: origin[i]!.omegaDeg + wrap(a.omegaDeg - origin[i]!.omegaDeg) };
  });
  const turn = transpose(back);
  return { frames: turned, turn, ub: compose(turn, ub), omegaShiftDeg: fit.x[3]! };
}

const wrap = (deg: number): number => ((((deg + 180) % 360) + 360) % 360) - 180;

/**
 * Standard deviation of the true errors behind corrections that were estimated with a prior of standard deviation `prior`: the fixed point of
 * τ² = Σ m²/Σ(1 − v/τ²) with the estimates m and their variances v, i.e. the size of what was found over the number of
 * corrections that the data, not the prior, determined (MacKay's evidence approximation). A few large corrections (a stage that jumps) count as four times
 * the typical one.
 * @see MacKay, Neural Computation 4 (1992) 415
 */
export function learnedSpread(corrections: ArrayLike<number>, sigma: ArrayLike<number>, prior: number, floor: number): number {
  const rows = Array.from({ length: corrections.length }, (_, i) => i).filter((i) => Number.isFinite(sigma[i]!));
  const size = rows.map((i) => Math.abs(corrections[i]!)).sort((a, b) => a - b);
  const limit = 4 * 1.4826 * (size[size.length >> 1] ?? 0);
  let sum = 0,
    determined = 0;
  for (const i of rows) {
    sum += Math.min(limit, Math.abs(corrections[i]!)) ** 2;
    determined += Math.max(0, 1 - (sigma[i]! / prior) ** 2);
  }
  return determined < 5 ? prior : Math.max(floor, Math.min(prior * 2, Math.sqrt(sum / determined)));
}
