import { fail } from "../core/errors.js";
import type { Pts } from "../io/pets/pts.js";
import { beamFromWavelength } from "./beam.js";
import { detector, pixelOrigin, type Vec2 } from "./detector.js";
import { noDistortion } from "./distortion.js";
import type { Exposure, FrameGeometry, Instrument } from "./experiment.js";

/** A PETS2 project in our terms. PETS2's UB, α, β, ω and zone axes are ours; only pixels differ (it counts from 1). */
export interface FromPets {
  readonly instrument: Instrument;
  readonly frames: readonly FrameGeometry[];
  readonly warnings: readonly string[];
}

export interface FromPetsOptions {
  /** Image size, which a `.pts` file does not say. */
  readonly nx: number;
  readonly ny: number;
  /** Centre of each frame in PETS2's pixels (`.cenloc`), shape [n, 2]. Default: the keyword `center`, or the middle of the image. */
  readonly centres?: Float64Array | undefined;
}

/**
 * Instrument and frames of a `.pts` file.
 * @throws bad-file when lambda, aperpixel or omega is missing
 */
export function fromPets(pts: Pts, { nx, ny, centres }: FromPetsOptions): FromPets {
  const missing = (
    [
      ["lambda", pts.wavelength],
      ["aperpixel", pts.aPerPixel],
      ["omega", pts.omegaDeg],
    ] as const
  )
    .filter(([, v]) => Number.isNaN(v))
    .map(([k]) => k);
  if (missing.length > 0) fail("bad-file", { missing }, "the .pts file does not say these; add a line with the keyword and its value");
  const warnings: string[] = [];
  if (pts.images.ellipticalAmplitude.some((a) => a !== 0))
    warnings.push("the image list has elliptical corrections for single frames; PETS2 does not publish their unit, so they are left out");
  const shared: Vec2 | undefined = Array.isArray(pts.center)
    ? [pts.center[0]! - pixelOrigin.pets, pts.center[1]! - pixelOrigin.pets]
    : undefined;
  if (shared === undefined && centres === undefined) warnings.push("the .pts file gives no centre; the middle of the image stands in");
  const frames = Array.from(
    { length: pts.images.size },
    (_, i): FrameGeometry => ({
      alphaDeg: pts.images.alphaDeg[i]!,
      betaDeg: pts.images.betaDeg[i]!,
      omegaDeg: pts.omegaDeg + pts.images.deltaOmegaDeg[i]!,
      centrePx: centres ? [centres[2 * i]! - pixelOrigin.pets, centres[2 * i + 1]! - pixelOrigin.pets] : shared,
      // the calibration column adds to the 1/aperpixel pixels of one Å⁻¹
      magnification: pts.images.calibration[i]! * pts.aPerPixel,
      scale: pts.images.scale[i]!,
    }),
  );
  return {
    instrument: {
      beam: beamFromWavelength(pts.wavelength),
      detector: detector({ nx, ny, invAngstromPerPixel: pts.aPerPixel, centrePx: shared }),
      distortion: noDistortion,
      exposure: exposureOf(pts),
    },
    frames,
    warnings,
  };
}

function exposureOf({ geometry, phiDeg }: Pts): Exposure {
  if (geometry === "precession") return { kind: "precession", semiAngleDeg: phiDeg };
  return geometry === "continuous" ? { kind: "continuous", halfWidthDeg: phiDeg } : { kind: "static" };
}
