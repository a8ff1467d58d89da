import { fail } from "../core/errors.js";
import { compose, type Map3, type Vec3 } from "../core/frames.js";
import { degrees, identity, radians, rotationAbout } from "./rotation.js";

/**
 * A goniometer as vectors: lab = R·sample, R = setting · Rot(axes[0], angle0) · Rot(axes[1], angle1) · … · fixed.
 * The outermost axis, which carries the others, stands first. Every rotation is right-handed about its vector, so a stage that
 * turns the other way has the opposite vector: there is no sign switch.
 */
export interface Goniometer {
  /** Constant rotation after all axes (PETS: the turn of the tilt axis on the detector, Rz(ω)). */
  readonly setting: Map3<"lab", "lab">;
  /** Axis directions with all angles at zero and before `setting`. */
  readonly axes: readonly Vec3<"lab">[];
  /** Constant rotation before all axes. */
  readonly fixed: Map3<"lab", "sample">;
}

/** R of a goniometer for one angle per axis, in degrees. @throws bad-shape when the numbers of angles and axes differ */
export function goniometerRotation(goniometer: Goniometer, anglesDeg: readonly number[]): Map3<"lab", "sample"> {
  if (anglesDeg.length !== goniometer.axes.length)
    fail("bad-shape", { angles: anglesDeg.length, axes: goniometer.axes.length }, "give one angle in degrees for every goniometer axis");
  let turn: Map3<"lab", "lab"> = goniometer.setting;
  goniometer.axes.forEach((axis, i) => {
    turn = compose(turn, rotationAbout<"lab", "lab">(axis, radians(anglesDeg[i]!)));
  });
  return compose(turn, goniometer.fixed);
}

/**
 * The double-tilt goniometer as PETS2 and JANA describe it: R = Rz(ω)·Rx(α)·Ry(β). The sample frame has x along the tilt axis;
 * ω is the angle of the tilt axis on the frame, anticlockwise from the image's +x as seen on the screen (y up).
 */
export function petsGoniometer(omegaDeg: number): Goniometer {
  return {
    setting: rotationAbout([0, 0, 1], radians(omegaDeg)),
    axes: [
      [1, 0, 0],
      [0, 1, 0],
    ],
    fixed: identity(),
  };
}

/** R = Rz(ω)·Rx(α)·Ry(β) in closed form. Angles in degrees. */
export function petsRotation(alphaDeg: number, betaDeg: number, omegaDeg: number): Map3<"lab", "sample"> {
  const ca = Math.cos(radians(alphaDeg)),
    sa = Math.sin(radians(alphaDeg)),
    cb = Math.cos(radians(betaDeg)),
    sb = Math.sin(radians(betaDeg)),
    co = Math.cos(radians(omegaDeg)),
    so = Math.sin(radians(omegaDeg));
  return [
    co * cb - so * sa * sb,
    -so * ca,
    co * sb + so * sa * cb,
    so * cb + co * sa * sb,
    co * ca,
    so * sb - co * sa * cb,
    -ca * sb,
    sa,
    ca * cb,
  ];
}

/** Derivatives of {@link petsRotation} with respect to α, β and ω, per radian. */
export function petsRotationDerivatives(
  alphaDeg: number,
  betaDeg: number,
  omegaDeg: number,
): readonly [Map3<"lab", "sample">, Map3<"lab", "sample">, Map3<"lab", "sample">] {
  const ca = Math.cos(radians(alphaDeg)),
    sa = Math.sin(radians(alphaDeg)),
    cb = Math.cos(radians(betaDeg)),
    sb = Math.sin(radians(betaDeg)),
    co = Math.cos(radians(omegaDeg)),
    so = Math.sin(radians(omegaDeg));
  return [
    [-so * ca * sb, so * sa, so * ca * cb, co * ca * sb, -co * sa, -co * ca * cb, sa * sb, ca, -sa * cb],
    [-co * sb - so * sa * cb, 0, co * cb - so * sa * sb, -so * sb + co * sa * cb, 0, so * cb + co * sa * sb, -ca * cb, 0, -ca * sb],
    [-so * cb - co * sa * sb, -co * ca, -so * sb + co * sa * cb, co * cb - so * sa * sb, -so * ca, co * sb + so * sa * cb, 0, 0, 0],
  ];
}

/** The three angles of a rotation in the PETS2 order, degrees: R = Rz(ω)·Rx(α)·Ry(β) with α in [−90, 90]. */
export interface PetsAngles {
  readonly alphaDeg: number;
  readonly betaDeg: number;
  readonly omegaDeg: number;
}

/** Inverse of {@link petsRotation}; any rotation has such angles. At α = ±90°, where only ω ± β is defined, β is 0. */
export function petsAngles(r: Map3<"lab", "sample">): PetsAngles {
  const sa = Math.max(-1, Math.min(1, r[7]));
  const ca = Math.hypot(r[6], r[8]);
  if (ca < 1e-12) return { alphaDeg: sa > 0 ? 90 : -90, betaDeg: 0, omegaDeg: degrees(Math.atan2(r[3], r[0])) };
  return {
    alphaDeg: degrees(Math.atan2(sa, ca)),
    betaDeg: degrees(Math.atan2(-r[6], r[8])),
    omegaDeg: degrees(Math.atan2(-r[1], r[4])),
  };
}

/** Direction of the α axis in the lab frame of a PETS geometry: (cos ω, sin ω, 0). ω and ω+180° are the two senses of rotation. */
export function tiltAxisDirection(omegaDeg: number): Vec3<"lab"> {
  return [Math.cos(radians(omegaDeg)), Math.sin(radians(omegaDeg)), 0];
}
