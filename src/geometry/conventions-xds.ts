import { fail } from "../core/errors.js";
import { compose, inverse, type Map3, transpose, type Vec3 } from "../core/frames.js";
import { beamFromWavelength } from "./beam.js";
import { detector, pixelOrigin } from "./detector.js";
import { noDistortion } from "./distortion.js";
import type { FrameGeometry, Instrument } from "./experiment.js";
import type { OrientationMatrix } from "./orientation.js";
import { degrees, radians, rotationAbout } from "./rotation.js";

/**
 * The geometry keywords of XDS.INP and XPARM.XDS. The XDS laboratory frame has x along the detector's fast axis, y along the slow
 * axis (down in the picture) and z along the travelling beam: a half turn about x from our lab. Angles in degrees, lengths in mm.
 */
export interface XdsGeometry {
  readonly rotationAxis: Vec3;
  /** STARTING_ANGLE: spindle at the start of the first frame. */
  readonly startingAngleDeg: number;
  readonly oscillationRangeDeg: number;
  readonly frames: number;
  readonly wavelength: number;
  readonly incidentBeam: Vec3;
  readonly detectorDistanceMm: number;
  /** ORGX, ORGY: where the detector's normal through the crystal meets it, pixels counted from 1. */
  readonly orgX: number;
  readonly orgY: number;
  readonly pixelMm: number;
  readonly nx: number;
  readonly ny: number;
  /** Cell axes at spindle angle 0, Å, XDS frame (XPARM.XDS), if the crystal is known. */
  readonly axes?: readonly [Vec3, Vec3, Vec3] | undefined;
}

const flip = (v: Vec3): Vec3 => [v[0], -v[1], -v[2]];

/**
 * Our series as XDS keywords. The camera length follows from any pixel size.
 * @throws unsupported for turned or mirrored detectors, distortions (write them as X/Y-GEO_CORR tables), uneven steps or a second tilt
 */
export function toXds(instrument: Instrument, frames: readonly FrameGeometry[], pixelMm: number, ub?: OrientationMatrix): XdsGeometry {
  const { detector: d, beam } = instrument,
    first = frames[0] ?? fail("unsupported", { frames: 0 }, "a series has at least one frame");
  if (d.fast[0] !== 1 || d.slow[1] !== -1)
    fail("unsupported", { fast: d.fast, slow: d.slow }, "XDS takes images as they are seen: x to the right, y down");
  if (Object.values(instrument.distortion).some((v) => v !== 0))
    fail("unsupported", { distortion: true }, "XDS takes distortions as X-GEO_CORR and Y-GEO_CORR tables");
  const step = frames.length > 1 ? (frames.at(-1)!.alphaDeg - first.alphaDeg) / (frames.length - 1) : 0;
  frames.forEach((f, i) => {
    if (Math.abs(f.alphaDeg - first.alphaDeg - i * step) > 1e-6 || f.betaDeg !== 0 || f.omegaDeg !== first.omegaDeg)
      fail("unsupported", { frame: i }, "XDS turns about one axis in equal steps");
  });
  const omega = radians(first.omegaDeg);
  // XDS counts the angle along the axis; a negative step becomes a positive one about the opposite axis
  const sense = step < 0 ? -1 : 1;
  const axis: Vec3 = [sense * Math.cos(omega), sense * Math.sin(omega), 0];
  const lab = ub && compose(rotationAbout<"lab", "sample">([0, 0, 1], omega), ub);
  const a = lab && transpose(inverse(lab)); // rows of (UB)⁻¹ are a, b, c; columns after the transposition
  return {
    rotationAxis: flip(axis),
    startingAngleDeg: sense * (first.alphaDeg - step / 2),
    oscillationRangeDeg: Math.abs(step),
    frames: frames.length,
    wavelength: beam.wavelength,
    incidentBeam: [0, 0, 1 / beam.wavelength],
    detectorDistanceMm: pixelMm / (d.invAngstromPerPixel * beam.wavelength),
    orgX: d.centrePx[0] + pixelOrigin.xds,
    orgY: d.centrePx[1] + pixelOrigin.xds,
    pixelMm,
    nx: d.nx,
    ny: d.ny,
    axes: a && [flip([a[0], a[3], a[6]]), flip([a[1], a[4], a[7]]), flip([a[2], a[5], a[8]])],
  };
}

/**
 * XDS keywords as our series; projection `gnomonic`.
 * @throws unsupported when the axis is not normal to the beam, or the beam not normal to the detector, within 1°
 */
export function fromXds(x: XdsGeometry): { instrument: Instrument; frames: readonly FrameGeometry[]; ub: OrientationMatrix | undefined } {
  const [bx, by, bz] = x.incidentBeam,
    b = Math.hypot(bx, by, bz);
  const axis = flip(x.rotationAxis),
    length = Math.hypot(...axis);
  if (!(bz / b > Math.cos(radians(1))) || !(Math.abs(axis[2]) / length < Math.sin(radians(1))))
    fail(
      "unsupported",
      { incidentBeam: x.incidentBeam, rotationAxis: x.rotationAxis },
      "the beam is along z and the spindle normal to it in electron diffraction",
    );
  const omegaDeg = degrees(Math.atan2(axis[1], axis[0]));
  const frames = Array.from({ length: x.frames }, (_, i) => ({
    alphaDeg: x.startingAngleDeg + (i + 0.5) * x.oscillationRangeDeg,
    betaDeg: 0,
    omegaDeg,
  }));
  // the beam meets the detector away from ORGX, ORGY when it is tilted
  const centrePx = [
    x.orgX + ((bx / bz) * x.detectorDistanceMm) / x.pixelMm - pixelOrigin.xds,
    x.orgY + ((by / bz) * x.detectorDistanceMm) / x.pixelMm - pixelOrigin.xds,
  ] as const;
  let ub: OrientationMatrix | undefined;
  if (x.axes) {
    const [p, q, r] = x.axes.map(flip) as [Vec3, Vec3, Vec3];
    const reciprocal = inverse([p[0], p[1], p[2], q[0], q[1], q[2], r[0], r[1], r[2]]) as unknown as Map3<"lab", "hkl">;
    ub = compose(rotationAbout<"sample", "lab">([0, 0, 1], -radians(omegaDeg)), reciprocal);
  }
  return {
    instrument: {
      beam: beamFromWavelength(x.wavelength),
      detector: detector({
        nx: x.nx,
        ny: x.ny,
        invAngstromPerPixel: x.pixelMm / (x.wavelength * Math.abs(x.detectorDistanceMm)),
        centrePx,
        projection: "gnomonic",
      }),
      distortion: noDistortion,
      exposure: { kind: "continuous", halfWidthDeg: Math.abs(x.oscillationRangeDeg) / 2 },
    },
    frames,
    ub,
  };
}
