import { fail } from "../core/errors.js";
import { apply, compose, cross, dot, type Map3, norm, transpose, type Vec3 } from "../core/frames.js";
import type { DialsCrystal, DialsExperiment } from "../io/dials/expt.js";
import { beamFromWavelength } from "./beam.js";
import { type Detector, detector, pixelOrigin, type Vec2 } from "./detector.js";
import { type Panel, panelDistanceMm, panelPixel } from "./detector-panel.js";
import { noDistortion } from "./distortion.js";
import type { FrameGeometry, Instrument } from "./experiment.js";
import { petsAngles } from "./goniometer.js";
import type { OrientationMatrix } from "./orientation.js";
import { crossingAngles, diffractedVector } from "./predict-rotation.js";
import { degrees, identity, radians, rotationAbout } from "./rotation.js";

/** A DIALS experiment in our terms. */
export interface FromDials {
  readonly instrument: Instrument;
  /** One per image, at the middle of its exposure. β and the change of ω are what is left when the axis is not normal to the beam. */
  readonly frames: readonly FrameGeometry[];
  /** UB in our sample frame; undefined before indexing. */
  readonly ub: OrientationMatrix | undefined;
  /** UB at the edges of the frames, for a crystal refined scan-varying; empty otherwise. */
  readonly ubAtEdges: readonly OrientationMatrix[];
  /** Rotation from the laboratory frame of DIALS to our lab frame. */
  readonly labFromDials: Map3<"lab", "lab">;
  /** Rotation from the crystal's frame of DIALS (lab at φ = 0) to our sample frame. */
  readonly sampleFromDials: Map3<"sample", "lab">;
}

/**
 * DIALS (dxtbx) models to ours. Their beam `direction` points to the source: it becomes our z; x is the detector's fast axis made
 * normal to it. The panel becomes a detector of projection `gnomonic`; it has to face the beam within a degree, and this tilt is
 * left out (a shift of the order of tilt·2θ·r: 0.01 pixel for the half milliradian of a typical refinement). For the exact panel use
 * {@link predictDials}.
 * @throws unsupported for several panels, a missing beam, goniometer or scan, or a panel that does not face the beam
 */
export function fromDials(e: DialsExperiment): FromDials {
  const { beam, goniometer, scan } = e;
  if (!beam || !goniometer || !scan || e.detector.length !== 1)
    fail(
      "unsupported",
      { beam: !!beam, goniometer: !!goniometer, scan: !!scan, panels: e.detector.length },
      "a rotation series needs a beam, a goniometer, a scan and one detector panel; a still or a tiled detector does not convert",
    );
  const panel = panelOf(e);
  const z = unit(beam.direction),
    x = unit(minusAlong(panel.fast, z)),
    y = cross(z, x);
  const lab: Map3<"lab", "lab"> = [...x, ...y, ...z] as unknown as Map3<"lab", "lab">;
  const facing = Math.abs(dot(unit(cross(panel.fast, panel.slow)), z));
  if (facing < Math.cos(radians(1)))
    fail(
      "unsupported",
      { tiltDeg: degrees(Math.acos(facing)) },
      "the panel must face the beam within 1°; a two-theta arm is not described by our detector",
    );
  const axis = unit(apply(compose(lab, goniometer.settingRotation as Map3<"lab", "lab">), goniometer.rotationAxis as Vec3<"lab">));
  const omega = Math.atan2(axis[1], axis[0]),
    out = Math.asin(axis[2]);
  // M takes x to the axis; R(φ) = M·Rx(φ), sample = Mᵀ·(lab at φ = 0)
  const m = compose(rotationAbout<"lab", "lab">([0, 0, 1], omega), rotationAbout<"lab", "lab">([0, 1, 0], -out));
  const sample = compose(
    transpose(m) as unknown as Map3<"sample", "lab">,
    compose(lab, compose(goniometer.settingRotation as Map3<"lab", "lab">, goniometer.fixedRotation as Map3<"lab", "lab">)),
  );
  const [start, width] = scan.oscillation;
  const n = scan.imageRange[1] - scan.imageRange[0] + 1;
  const frames = Array.from(
    { length: n },
    (_, i): FrameGeometry => petsAngles(compose(m, rotationAbout<"lab", "sample">([1, 0, 0], radians(start + (i + 0.5) * width)))),
  );
  const edges = e.crystal?.ubAtScanPoints ?? new Float64Array(0);
  return {
    instrument: {
      beam: beamFromWavelength(beam.wavelength),
      detector: detectorOf(panel, lab, z, beam.wavelength),
      distortion: noDistortion,
      exposure: { kind: "continuous", halfWidthDeg: Math.abs(width) / 2 },
    },
    frames,
    ub: e.crystal && compose(sample, e.crystal.ub as Map3<"lab", "hkl">),
    ubAtEdges: Array.from({ length: edges.length / 9 }, (_, i) =>
      compose(sample, [...edges.subarray(9 * i, 9 * i + 9)] as unknown as Map3<"lab", "hkl">),
    ),
    labFromDials: lab,
    sampleFromDials: sample,
  };
}

function detectorOf(panel: Panel, lab: Map3<"lab", "lab">, z: Vec3<"lab">, wavelength: number): Detector {
  const [cx, cy] = panelPixel(panel, [-z[0], -z[1], -z[2]]);
  if (!Number.isFinite(cx)) fail("unsupported", { origin: panel.origin }, "the direct beam does not hit the panel");
  const distance = panelDistanceMm(panel);
  const fast = apply(lab, panel.fast),
    slow = apply(lab, panel.slow);
  if (Math.abs(panel.pixelMm[0] / panel.pixelMm[1] - 1) > 1e-6) fail("unsupported", { pixelMm: panel.pixelMm }, "pixels must be square");
  return {
    ...detector({
      nx: panel.size[0],
      ny: panel.size[1],
      invAngstromPerPixel: panel.pixelMm[0] / (wavelength * distance),
      centrePx: [cx - pixelOrigin.dials, cy - pixelOrigin.dials],
      projection: "gnomonic",
    }),
    fast: unit2([fast[0], fast[1]]),
    slow: unit2([slow[0], slow[1]]),
  };
}

/** The panel of an experiment. @throws unsupported when it has none or several */
export function panelOf(e: DialsExperiment): Panel {
  const p = e.detector.length === 1 ? e.detector[0] : undefined;
  if (p === undefined) fail("unsupported", { panels: e.detector.length }, "only detectors of one panel convert");
  return {
    origin: p.origin as Vec3<"lab">,
    fast: p.fastAxis as Vec3<"lab">,
    slow: p.slowAxis as Vec3<"lab">,
    pixelMm: p.pixelSize,
    size: p.imageSize,
  };
}

/** Where and when DIALS' own models put a reflection: its pixel (DIALS convention), and its angle in degrees, at the crossing nearest to `nearDeg`. */
export function predictDials(
  e: DialsExperiment,
  ub: Map3<"lab", "hkl">,
  hkl: Vec3<"hkl">,
  nearDeg: number,
): { px: Vec2; angleDeg: number } | undefined {
  const g = e.goniometer,
    b = e.beam;
  if (!g || !b) fail("unsupported", { goniometer: !!g, beam: !!b }, "prediction needs a beam and a goniometer");
  const k: Vec3<"lab"> = [-b.direction[0] / b.wavelength, -b.direction[1] / b.wavelength, -b.direction[2] / b.wavelength];
  const setting = g.settingRotation as Map3<"lab", "lab">;
  // R = S·Rot(e)·F = Rot(S·e)·S·F
  const axis = apply(setting, g.rotationAxis as Vec3<"lab">);
  const at0 = apply(compose(compose(setting, g.fixedRotation as Map3<"lab", "lab">), ub), hkl);
  const angles = crossingAngles(at0, axis, k).map((a) => a + 2 * Math.PI * Math.round((radians(nearDeg) - a) / (2 * Math.PI)));
  const angle = angles.sort((p, q) => Math.abs(p - radians(nearDeg)) - Math.abs(q - radians(nearDeg)))[0];
  return angle === undefined ? undefined : { px: panelPixel(panelOf(e), diffractedVector(at0, axis, angle, k)), angleDeg: degrees(angle) };
}

/**
 * Our geometry as DIALS models: lab frames are the same (their z to the source is ours), the axis is (cos ω, sin ω, 0), A = Rz(ω)·UB at
 * φ = 0. Needs β = 0 and one ω for all frames, an even angle step, and no distortions (DIALS has none; undo them in the pixels first).
 * @param pixelMm - any physical pixel size; the distance follows from it
 * @throws unsupported when the series cannot be a DIALS scan
 */
export function toDials(
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  ub: OrientationMatrix,
  hallSymbol: string,
  pixelMm: number,
): DialsExperiment {
  const first = frames[0],
    d = instrument.detector,
    λ = instrument.beam.wavelength;
  if (first === undefined) fail("unsupported", { frames: 0 }, "a scan has at least one frame");
  const width = frames.length > 1 ? (frames.at(-1)!.alphaDeg - first.alphaDeg) / (frames.length - 1) : exposureWidth(instrument);
  frames.forEach((f, i) => {
    if (
      Math.abs(f.betaDeg) > 1e-9 ||
      Math.abs(f.omegaDeg - first.omegaDeg) > 1e-9 ||
      Math.abs(f.alphaDeg - first.alphaDeg - i * width) > 1e-6
    )
      fail(
        "unsupported",
        { frame: i, ...f },
        "a DIALS scan turns about one axis in equal steps; β and a changing ω go into scan-varying crystals, not the goniometer",
      );
  });
  if (Object.values(instrument.distortion).some((v) => v !== 0))
    fail("unsupported", { distortion: true }, "undo the distortions in the pixel positions first");
  const turn = rotationAbout<"lab", "sample">([0, 0, 1], radians(first.omegaDeg));
  const a = compose(turn, ub);
  const distance = pixelMm / (d.invAngstromPerPixel * λ);
  const [cx, cy] = [d.centrePx[0] + pixelOrigin.dials, d.centrePx[1] + pixelOrigin.dials];
  const corner = (i: 0 | 1): number => -pixelMm * (cx * d.fast[i] + cy * d.slow[i]);
  return {
    identifier: "",
    beam: { direction: [0, 0, 1], wavelength: λ },
    detector: [
      {
        name: "Panel",
        fastAxis: [...d.fast, 0],
        slowAxis: [...d.slow, 0],
        origin: [corner(0), corner(1), -distance],
        imageSize: [d.nx, d.ny],
        pixelSize: [pixelMm, pixelMm],
        trustedRange: [-1, Number.POSITIVE_INFINITY],
        gain: 1,
        pedestal: 0,
      },
    ],
    goniometer: {
      rotationAxis: [Math.cos(radians(first.omegaDeg)), Math.sin(radians(first.omegaDeg)), 0],
      fixedRotation: identity(),
      settingRotation: identity(),
    },
    scan: {
      imageRange: [1, frames.length],
      oscillation: [first.alphaDeg - width / 2, width],
      exposureTime: new Float64Array(frames.length),
    },
    crystal: crystalOf(a, hallSymbol),
    template: undefined,
  };
}

function crystalOf(a: Map3<"lab", "hkl">, hallSymbol: string): DialsCrystal {
  const [p, q, r, s, t, u, v, w, x] = a;
  const det = p * (t * x - u * w) - q * (s * x - u * v) + r * (s * w - t * v);
  // direct axes are cross products of reciprocal ones over the volume
  const axis = (b: Vec3, c: Vec3): readonly [number, number, number] =>
    cross(b, c).map((y) => y / det) as unknown as readonly [number, number, number];
  const [as, bs, cs]: Vec3[] = [
    [p, s, v],
    [q, t, w],
    [r, u, x],
  ];
  return {
    a: axis(bs!, cs!),
    b: axis(cs!, as!),
    c: axis(as!, bs!),
    ub: a as readonly [number, number, number, number, number, number, number, number, number],
    hallSymbol,
    ubAtScanPoints: new Float64Array(0),
    bCovariance: new Float64Array(0),
  };
}

const exposureWidth = ({ exposure }: Instrument): number => (exposure.kind === "continuous" ? 2 * exposure.halfWidthDeg : 0);
const unit = (v: Vec3): Vec3<"lab"> => {
  const n = norm(v);
  return [v[0] / n, v[1] / n, v[2] / n];
};
const unit2 = (v: Vec2): Vec2 => {
  const n = Math.hypot(v[0], v[1]);
  return [v[0] / n, v[1] / n];
};
const minusAlong = (v: Vec3, z: Vec3): Vec3 => {
  const d = dot(v, z);
  return [v[0] - d * z[0], v[1] - d * z[1], v[2] - d * z[2]];
};
