import { fail } from "../core/errors.js";
import { compose, inverse, type Map3 } from "../core/frames.js";
import {
  type DistortionParameter,
  distortionGradient,
  distortionJacobian,
  distortionParameters,
  distortionVector,
  distortPoint,
} from "./distortion.js";
import type { FrameGeometry, Instrument } from "./experiment.js";
import { petsRotation, petsRotationDerivatives } from "./goniometer.js";
import { cellFromUB, reciprocalBasis } from "./metric.js";
import { type OrientationMatrix, reciprocalBasisDerivatives } from "./orientation.js";
import { radians } from "./rotation.js";

/**
 * What a predicted spot can be differentiated by. Angles per degree; `rotationX…Z` turns the crystal about the sample axes (radians,
 * UB → exp([v]×)·UB); `ub11…ub33` are the elements of UB, row then column; the cell is changed at a fixed U (Å, degrees); the rest
 * are the detector's and the seven distortion parameters.
 */
export type PredictionParameter =
  | "alphaDeg"
  | "betaDeg"
  | "omegaDeg"
  | "rotationX"
  | "rotationY"
  | "rotationZ"
  | "ub11"
  | "ub12"
  | "ub13"
  | "ub21"
  | "ub22"
  | "ub23"
  | "ub31"
  | "ub32"
  | "ub33"
  | "cellA"
  | "cellB"
  | "cellC"
  | "cellAlphaDeg"
  | "cellBetaDeg"
  | "cellGammaDeg"
  | "frameMagnification"
  | "centreX"
  | "centreY"
  | "invAngstromPerPixel"
  | "wavelength"
  | DistortionParameter;

/** Predicted positions and excitation errors with their derivatives. p counts the parameters in the order they were asked for. */
export interface PredictionJacobian {
  /** Positions (x, y), pixels, shape [n, 2]. */
  readonly px: Float64Array;
  /** Excitation errors, Å⁻¹, shape [n]. */
  readonly sg: Float64Array;
  /** ∂(x, y)/∂parameter, shape [n, p, 2]. */
  readonly dPx: Float64Array;
  /** ∂Sg/∂parameter, shape [n, p]. */
  readonly dSg: Float64Array;
}

const goniometer = ["alphaDeg", "betaDeg", "omegaDeg"];
const rotation = ["rotationX", "rotationY", "rotationZ"];
const cellNames = ["cellA", "cellB", "cellC", "cellAlphaDeg", "cellBetaDeg", "cellGammaDeg"];
const generators: readonly Map3<"sample", "sample">[] = [
  [0, 0, 0, 0, 0, -1, 0, 1, 0],
  [0, 0, 1, 0, 0, 0, -1, 0, 0],
  [0, -1, 0, 1, 0, 0, 0, 0, 0],
];

/**
 * Positions and excitation errors of given reflections on one frame, with analytic derivatives: g = R(α,β,ω)·UB·h, Sg = g_z − g²λ/2,
 * position by projection, distortion and detector. Every parameter of the orientation or the cell is one 3×3 map d(R·UB)/dp.
 * @param hkl - Miller indices, shape [n, 3]
 * @throws bad-shape when `hkl` is not [n, 3], unsupported for a parameter that is not known
 */
export function predictionJacobian(
  hkl: ArrayLike<number>,
  ub: OrientationMatrix,
  instrument: Instrument,
  frame: FrameGeometry,
  parameters: readonly PredictionParameter[],
): PredictionJacobian {
  if (hkl.length % 3 !== 0) fail("bad-shape", { length: hkl.length }, "hkl holds three indices for each reflection");
  const n = hkl.length / 3,
    np = parameters.length;
  const { beam, detector: d } = instrument,
    k = beam.k;
  const r = petsRotation(frame.alphaDeg, frame.betaDeg, frame.omegaDeg),
    m = compose(r, ub);
  const warp = distortionVector(instrument.distortion);
  const maps = parameters.map((p) => orientationMap(p, r, ub, frame));
  const [cx, cy] = frame.centrePx ?? d.centrePx;
  const scale = (1 + (frame.magnification ?? 0)) / d.invAngstromPerPixel;
  const px = new Float64Array(2 * n),
    sg = new Float64Array(n),
    dPx = new Float64Array(2 * n * np),
    dSg = new Float64Array(n * np);
  for (let i = 0; i < n; i++) {
    const h = hkl[3 * i]!,
      kk = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    const gx = m[0] * h + m[1] * kk + m[2] * l,
      gy = m[3] * h + m[4] * kk + m[5] * l,
      gz = m[6] * h + m[7] * kk + m[8] * l,
      q2 = gx * gx + gy * gy;
    sg[i] = gz - (q2 + gz * gz) / (2 * k);
    const flat = d.projection === "gnomonic" ? k * k - q2 : Number.POSITIVE_INFINITY;
    const f = flat === Number.POSITIVE_INFINITY ? 1 : k / Math.sqrt(flat),
      df = flat === Number.POSITIVE_INFINITY ? 0 : f / flat; // (1/q) df/dq
    const ux = f * gx,
      uy = f * gy;
    const [vx, vy] = distortPoint(warp, ux, uy);
    const [jxx, jxy, jyx, jyy] = distortionJacobian(warp, ux, uy);
    const ex = (vx * d.fast[0] + vy * d.fast[1]) * scale,
      ey = (vx * d.slow[0] + vy * d.slow[1]) * scale;
    px[2 * i] = cx + ex;
    px[2 * i + 1] = cy + ey;
    let gradient: Float64Array | undefined;
    for (let p = 0; p < np; p++) {
      const at = 2 * (i * np + p),
        name = parameters[p]!,
        map = maps[p];
      if (map !== undefined) {
        const dx = map[0] * h + map[1] * kk + map[2] * l,
          dy = map[3] * h + map[4] * kk + map[5] * l,
          dz = map[6] * h + map[7] * kk + map[8] * l;
        dSg[i * np + p] = dz - (gx * dx + gy * dy + gz * dz) / k;
        const along = df * (gx * dx + gy * dy);
        toPixels(jxx, jxy, jyx, jyy, f * dx + along * gx, f * dy + along * gy, at);
      } else if (name === "frameMagnification" || name === "invAngstromPerPixel") {
        const factor = name === "frameMagnification" ? 1 / (1 + (frame.magnification ?? 0)) : -1 / d.invAngstromPerPixel;
        dPx[at] = ex * factor;
        dPx[at + 1] = ey * factor;
      } else if (name === "centreX") dPx[at] = 1;
      else if (name === "centreY") dPx[at + 1] = 1;
      else if (name === "wavelength") {
        dSg[i * np + p] = -(q2 + gz * gz) / 2;
        // f = (1 − λ²q²)^−½, df/dλ = f³ λ q²
        const dfl = flat === Number.POSITIVE_INFINITY ? 0 : (f ** 3 * q2) / k;
        toPixels(jxx, jxy, jyx, jyy, dfl * gx, dfl * gy, at);
      } else {
        gradient ??= distortionGradient(ux, uy);
        const t = distortionParameters.indexOf(name as DistortionParameter);
        toPixels(1, 0, 0, 1, gradient[2 * t]!, gradient[2 * t + 1]!, at);
      }
    }
  }
  return { px, sg, dPx, dSg };

  function toPixels(a: number, b: number, c: number, e: number, x: number, y: number, at: number): void {
    const X = a * x + b * y,
      Y = c * x + e * y;
    dPx[at] = (X * d.fast[0] + Y * d.fast[1]) * scale;
    dPx[at + 1] = (X * d.slow[0] + Y * d.slow[1]) * scale;
  }
}

/** d(R·UB)/dp of a parameter of the orientation or the cell; undefined for the other parameters. */
function orientationMap(
  name: PredictionParameter,
  r: Map3<"lab", "sample">,
  ub: OrientationMatrix,
  frame: FrameGeometry,
): Map3<"lab", "hkl"> | undefined {
  const angle = goniometer.indexOf(name);
  if (angle >= 0) {
    const d = petsRotationDerivatives(frame.alphaDeg, frame.betaDeg, frame.omegaDeg)[angle as 0];
    return compose(d, ub).map((x) => x * radians(1)) as unknown as Map3<"lab", "hkl">;
  }
  const turn = rotation.indexOf(name);
  if (turn >= 0) return compose(r, compose(generators[turn]!, ub));
  const c = cellNames.indexOf(name);
  if (c >= 0) {
    const cell = cellFromUB(ub);
    const u = compose(ub, inverse(reciprocalBasis(cell)));
    return compose(r, compose(u, reciprocalBasisDerivatives(cell)[c]!));
  }
  const element = /^ub([123])([123])$/.exec(name);
  if (element !== null) {
    const at = 3 * (Number(element[1]) - 1) + Number(element[2]) - 1;
    return compose(r, Array.from({ length: 9 }, (_, j) => (j === at ? 1 : 0)) as unknown as OrientationMatrix);
  }
  const others: readonly string[] = [
    "frameMagnification",
    "centreX",
    "centreY",
    "invAngstromPerPixel",
    "wavelength",
    ...distortionParameters,
  ];
  if (!others.includes(name))
    fail("unsupported", { parameter: name }, "see the type PredictionParameter for the names that can be refined");
  return undefined;
}
