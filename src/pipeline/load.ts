import { fail } from "../core/errors.js";
import { electronWavelength } from "../geometry/beam.js";
import { pixelOrigin } from "../geometry/detector.js";
import type { Exposure } from "../geometry/experiment.js";
import { detectorMask } from "../integration/mask.js";
import { noiseModel } from "../integration/noise.js";
import type { SpotSettings } from "../integration/spot-series.js";
import type { FrameSource } from "../io/frames.js";
import type { Pts } from "../io/pets/pts.js";
import type { SeriesDescription } from "./process.js";

/** What a user says about a series; whatever is left out comes from the `.pts` or from the frames' own headers. */
export interface SeriesGiven {
  readonly wavelength?: number | undefined;
  readonly voltageKv?: number | undefined;
  readonly invAngstromPerPixel?: number | undefined;
  /** Angle of every frame, or first and step, degrees, at mid-exposure. */
  readonly alphaDeg?: readonly number[] | { readonly first: number; readonly step: number } | undefined;
  readonly geometry?: Exposure["kind"] | undefined;
  /** Half width of a frame (continuous) or precession semi-angle, degrees. */
  readonly phiDeg?: number | undefined;
}

export interface DescribedSeries {
  readonly series: SeriesDescription;
  readonly spots: Partial<SpotSettings>;
  /** Where each value came from, for the person at the terminal. */
  readonly notes: readonly string[];
}

/**
 * Wavelength, scale, angles and exposure of a series, from what the user gives, then the `.pts` file, then the headers of the frames.
 * @throws bad-value naming what is missing and how to give it
 */
export async function describeSeries(source: FrameSource, given: SeriesGiven = {}, pts?: Pts): Promise<DescribedSeries> {
  const notes: string[] = [],
    { facts } = source,
    n = source.shape[0];
  const first = <T>(name: string, ...choices: readonly (readonly [T | undefined, string])[]): T | undefined => {
    const hit = choices.find(([v]) => v !== undefined && !Number.isNaN(v));
    if (hit) notes.push(`${name} ${typeof hit[0] === "number" ? Number((hit[0] as number).toPrecision(7)) : hit[0]} (${hit[1]})`);
    return hit?.[0];
  };
  const fromKv = (kv: number | undefined): number | undefined => (kv !== undefined && kv > 0 ? electronWavelength(kv) : undefined);
  const wavelength =
    first(
      "wavelength",
      [given.wavelength, "given"],
      [fromKv(given.voltageKv), "from the voltage given"],
      [pts?.wavelength, ".pts"],
      [facts.wavelength, "frame header"],
      [fromKv(facts.voltageKv), "voltage in the frame header"],
    ) ?? fail("bad-value", { wavelength: undefined }, "the wavelength is nowhere: give --kv 200 or --wavelength 0.02508 (Å)");
  const fromCamera = facts.pixelMm && facts.distanceMm ? facts.pixelMm[0] / (facts.distanceMm * wavelength) : undefined;
  const invAngstromPerPixel =
    first(
      "Å⁻¹ per pixel",
      [given.invAngstromPerPixel, "given"],
      [pts?.aPerPixel, ".pts"],
      [facts.reciprocalPixel, "frame header"],
      [fromCamera, "pixel size and camera length of the frame header"],
    ) ?? fail("bad-value", { invAngstromPerPixel: undefined }, "the scale is nowhere: give --aperpixel 0.0053 (Å⁻¹ per pixel)");
  const { alphaDeg, step } = await angles(source, given, pts, notes, n);
  const kind =
    first<Exposure["kind"]>(
      "geometry",
      [given.geometry, "given"],
      [pts?.geometry, ".pts"],
      [step !== undefined && step !== 0 ? "continuous" : undefined, "frame header"],
    ) ?? "static";
  const phi = first(
    "phi",
    [given.phiDeg, "given"],
    [kind === "static" ? undefined : pts?.phiDeg, ".pts"],
    [kind === "continuous" && step ? Math.abs(step) / 2 : undefined, "tilt step"],
  );
  const halfStep = alphaDeg.length > 1 ? Math.abs(alphaDeg[alphaDeg.length - 1]! - alphaDeg[0]!) / (alphaDeg.length - 1) / 2 : 0;
  if (kind === "precession" && phi === undefined)
    fail("bad-value", { phi: undefined }, "a precession series needs its semi-angle: give --phi 1.0 (degrees)");
  const exposure: Exposure =
    kind === "static" ? { kind } : kind === "precession" ? { kind, semiAngleDeg: phi! } : { kind, halfWidthDeg: phi ?? halfStep };
  return { series: { wavelength, invAngstromPerPixel, alphaDeg, exposure }, spots: spotSettings(source, pts, invAngstromPerPixel), notes };
}

async function angles(
  source: FrameSource,
  given: SeriesGiven,
  pts: Pts | undefined,
  notes: string[],
  n: number,
): Promise<{ alphaDeg: readonly number[]; step: number | undefined }> {
  const { alphaDeg } = given;
  if (alphaDeg !== undefined && "step" in alphaDeg) {
    notes.push(`tilt angles from ${alphaDeg.first}° in steps of ${alphaDeg.step}° (given)`);
    return { alphaDeg: Array.from({ length: n }, (_, i) => alphaDeg.first + i * alphaDeg.step), step: alphaDeg.step };
  }
  const list = alphaDeg ?? (pts ? Array.from(pts.images.alphaDeg).filter((_, i) => pts.images.use[i] === 1) : undefined);
  if (list !== undefined) {
    notes.push(`${list.length} tilt angles (${alphaDeg ? "given" : ".pts"})`);
    return { alphaDeg: list, step: undefined };
  }
  const own: number[] = [];
  let step = source.facts.tiltStepDeg;
  for (let i = 0; i < n; i++) {
    const f = source.frame ? (await source.frame(i)).facts : i === 0 ? source.facts : {};
    if (f.tiltDeg === undefined)
      fail(
        "bad-value",
        { frame: i, tiltDeg: undefined },
        "the frames do not say their tilt angles: give --angles first,step in degrees, or a .pts file",
      );
    step ??= f.tiltStepDeg;
    own.push(f.tiltDeg! + (f.tiltStepDeg ?? step ?? 0) / 2); // headers give the start of the exposure
  }
  notes.push("tilt angles (frame headers)");
  return { alphaDeg: own, step };
}

/** Noise, saturation, spot size and beam stop of a `.pts`, in our pixels. */
function spotSettings(source: FrameSource, pts: Pts | undefined, scale: number): Partial<SpotSettings> {
  if (!pts) return {};
  const [, ny, nx] = source.shape,
    polygon = Array.from(
      { length: pts.beamstopPolygon.length / 2 },
      (_, i) => [pts.beamstopPolygon[2 * i]! - pixelOrigin.pets, pts.beamstopPolygon[2 * i + 1]! - pixelOrigin.pets] as const,
    );
  return {
    ...(pts.noise ? { noise: noiseModel(pts.noise.gGamma, pts.noise.psi) } : {}),
    ...(pts.saturationLimit > 0 ? { saturation: pts.saturationLimit } : {}),
    ...(pts.reflectionSizePx >= 3 ? { diameter: pts.reflectionSizePx } : {}),
    ...(pts.iOverSigma[0] !== undefined ? { minSnr: pts.iOverSigma[0] } : {}),
    ...(pts.dStarMaxPeakSearch > 0 ? { maxRadius: pts.dStarMaxPeakSearch / scale } : {}),
    ...(pts.dStarMin > 0 ? { minRadius: pts.dStarMin / scale } : {}),
    ...(polygon.length >= 3 ? { mask: detectorMask([ny, nx], { polygons: [polygon] }) } : {}),
  };
}
