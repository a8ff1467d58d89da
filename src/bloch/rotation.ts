import { fail } from "../core/errors.js";
import { apply, compose, cross, type Map3, transpose, type Vec3 } from "../core/frames.js";
import type { Exposure } from "../geometry/experiment.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import { precessionAzimuths } from "./convergence.js";
import { intervalRule, type SweepRule, sweepRule } from "./integrate-rules.js";
import { type Mosaicity, mosaicBlocks } from "./mosaicity.js";

/**
 * Directions of the incident beam that one exposure (or one disk of a convergent beam) is made of, seen by a crystal held at the middle of
 * the exposure: Sg = −κ·g − g²/2K with the unit vector κ, (0, 0, −1) in the middle.
 */
export interface DirectionSet {
  readonly size: number;
  /** Lab frame, shape [size, 3]. */
  readonly kappa: Float64Array;
  /** Sum 1 for a mean over the exposure, shape [size]. */
  readonly weight: Float64Array;
}

/** How an exposure is sampled; what is not given follows from the bandwidth rules. */
export interface Sampling {
  /** Of a continuous rotation. */
  readonly sweep?: SweepRule | undefined;
  /** Of a precession. */
  readonly azimuths?: number | undefined;
}

/**
 * Directions of one exposure with mosaic blocks: continuous rotation about the tilt axis, precession on a cone, or a still. Blocks are
 * turned first, the stage then. Neighbouring directions stand next to each other.
 * @param range - largest |g| (Å⁻¹) and thickness (Å), for the sampling rules
 * @param axis - direction of the tilt axis, lab frame
 * @throws bad-value for angles that are not finite
 */
export function exposureDirections(
  exposure: Exposure,
  mosaicity: Mosaicity,
  sampling: Sampling,
  range: { readonly gMax: number; readonly thickness: number },
  axis: Vec3<"lab"> = [1, 0, 0],
): DirectionSet {
  const down: Vec3<"lab"> = [0, 0, -1];
  const stage: { turn: Vec3<"lab">; weight: number }[] = [];
  if (exposure.kind === "static") stage.push({ turn: down, weight: 1 });
  else if (exposure.kind === "continuous") {
    const half = radians(exposure.halfWidthDeg);
    if (!(half >= 0))
      fail("bad-value", { halfWidthDeg: exposure.halfWidthDeg }, "the half width of the rotation is an angle of at least 0");
    const rule = intervalRule(sampling.sweep ?? sweepRule(range.gMax, range.thickness, half), half);
    rule.nodes.forEach((angle, i) => {
      stage.push({ turn: apply(transpose(rotationAbout<"lab", "lab">(axis, angle)), down), weight: rule.weights[i]! });
    });
  } else {
    const angle = radians(exposure.semiAngleDeg);
    const n = sampling.azimuths ?? precessionAzimuths(range.gMax, range.thickness, angle);
    if (!(Number.isInteger(n) && n >= 1)) fail("bad-value", { azimuths: n }, "azimuths is a whole number of at least 1");
    if (!Number.isFinite(angle)) fail("bad-value", { semiAngleDeg: exposure.semiAngleDeg }, "the precession angle is not finite");
    for (let i = 0; i < n; i++) {
      const w = (2 * Math.PI * i) / n;
      stage.push({ turn: [Math.sin(angle) * Math.cos(w), Math.sin(angle) * Math.sin(w), -Math.cos(angle)], weight: 1 / n });
    }
  }
  const blocks = mosaicBlocks(mosaicity);
  const across: Vec3<"lab"> = [-axis[1], axis[0], 0];
  const size = stage.length * blocks.weights.length;
  const kappa = new Float64Array(3 * size),
    weight = new Float64Array(size);
  let at = 0;
  for (let b = 0; b < blocks.weights.length; b++) {
    const block: Map3<"lab", "lab"> = compose(
      rotationAbout<"lab", "lab">(axis, blocks.aboutTilt[b]!),
      rotationAbout<"lab", "lab">(across, blocks.aboutTransverse[b]!),
    );
    for (const { turn, weight: w } of stage) {
      kappa.set(apply(transpose(block), turn), 3 * at);
      weight[at++] = w * blocks.weights[b]!;
    }
  }
  return { size, kappa, weight };
}

/** Derivatives of the directions with respect to small turns of the crystal about lab axes (per radian), shape [size, axes, 3]: κ × axis. */
export function directionTangents(set: DirectionSet, axes: readonly Vec3<"lab">[]): Float64Array {
  const out = new Float64Array(3 * set.size * axes.length);
  for (let i = 0; i < set.size; i++)
    axes.forEach((axis, t) => {
      const k: Vec3<"lab"> = [set.kappa[3 * i]!, set.kappa[3 * i + 1]!, set.kappa[3 * i + 2]!];
      out.set(cross(k, axis), 3 * (i * axes.length + t));
    });
  return out;
}
