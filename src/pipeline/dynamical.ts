import { dyngoModel } from "../bloch/dyngo.js";
import { type FrameFilter, filterFrame } from "../bloch/filters.js";
import { fitOrientation, type OrientationOptions } from "../bloch/frame-fit.js";
import { type DynamicalFrame, type FrameCrystal, type FrameModel, frameCrystal, frameIntensities } from "../bloch/frames.js";
import { type FrameAgreement, type FrameExcluded, frameAgreement } from "../bloch/frames-residuals.js";
import type { SweepRun } from "../bloch/integrate.js";
import { fail } from "../core/errors.js";
import { compose, type Map3 } from "../core/frames.js";
import { type Beam, beamFromWavelength } from "../geometry/beam.js";
import { fromJana } from "../geometry/conventions-jana.js";
import type { Exposure } from "../geometry/experiment.js";
import { structureFromJana } from "../geometry/from-jana.js";
import { petsRotation } from "../geometry/goniometer.js";
import type { OrientationMatrix } from "../geometry/orientation.js";
import { petsCellProblem } from "../geometry/pets-cell.js";
import type { Structure } from "../geometry/structure.js";
import { dyngoSettings } from "../io/jana/dyngo.js";
import type { JanaProject } from "../io/jana/embedded.js";
import { m90Wavelength } from "../io/jana/m90.js";
import type { CifPets } from "../io/pets/cif-pets.js";
import { arena as newArena } from "../kernels/memory.js";
import { peng1996 } from "../scattering/peng.js";

/** A frame with its measured intensities; rows belong to those of `hkl`. */
export interface MeasuredFrame extends DynamicalFrame {
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Why the frame cannot be used, e.g. angles that are no numbers; such frames are named and left out, never averaged. */
  readonly problem?: string | undefined;
}

interface Rows {
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  readonly zone: Int32Array;
}
interface Zone {
  readonly id: number;
  readonly alphaDeg: number;
  readonly betaDeg: number;
  readonly exposure: Exposure;
}

/** Reflections by zone, filtered at the middle of each frame. */
function framesOf(rows: Rows, zones: readonly Zone[], ub: OrientationMatrix, beam: Beam, filter: FrameFilter): MeasuredFrame[] {
  const byZone = new Map<number, number[]>();
  for (let i = 0; i < rows.zone.length; i++) {
    const list = byZone.get(rows.zone[i]!);
    if (list) list.push(i);
    else byZone.set(rows.zone[i]!, [i]);
  }
  return zones.map(({ id, alphaDeg, betaDeg, exposure }): MeasuredFrame => {
    const width = exposure.kind === "continuous" ? exposure.halfWidthDeg : exposure.kind === "precession" ? exposure.semiAngleDeg : 0;
    const rotated: Map3<"lab", "hkl"> = compose(petsRotation(alphaDeg, betaDeg, 0), ub);
    const base = { id: String(id), ub: rotated, alphaDeg, exposure };
    const none = { hkl: new Int32Array(0), intensity: new Float64Array(0), sigma: new Float64Array(0) };
    if (![alphaDeg, betaDeg, width].every(Number.isFinite)) return { ...base, ...none, problem: "an angle of the frame is not a number" };
    if (Math.abs(alphaDeg) > 360 || Math.abs(betaDeg) > 360 || width < 0 || width > 90)
      return { ...base, ...none, problem: "an angle of the frame cannot be" };
    const mine = byZone.get(id) ?? [];
    const hkl = Int32Array.from(mine.flatMap((i) => [rows.h[i]!, rows.k[i]!, rows.l[i]!]));
    const { kept } = filterFrame(hkl, rotated, beam, exposure, filter);
    const pick = (a: Float64Array): Float64Array => Float64Array.from(kept, (i) => a[mine[i]!]!);
    const problem =
      mine.length === 0 ? "the file lists no reflection of it" : kept.length === 0 ? "no reflection passes the filter" : undefined;
    return {
      ...base,
      hkl: Int32Array.from(Array.from(kept).flatMap((i) => [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!])),
      intensity: pick(rows.intensity),
      sigma: pick(rows.sigma),
      problem,
    };
  });
}

/** The frames of a file and what is odd about it, for people. */
export interface PetsFrames {
  readonly frames: readonly MeasuredFrame[];
  readonly beam: Beam;
  readonly warnings: readonly string[];
}

/**
 * Frames of a `.cif_pets` file. Geometry (continuous rotation, precession, static) is what the file says. Frames and rows that stand twice
 * are taken once.
 * @throws bad-file without an orientation matrix, frames, intensities or sigmas; bad-cell
 */
export function petsFrames(pets: CifPets, filter: FrameFilter = {}): PetsFrames {
  if (!pets.ub || pets.zones.size === 0)
    fail(
      "bad-file",
      { frames: pets.zones.size, orientation: pets.ub !== undefined },
      "a dynamical calculation needs the orientation matrix and the frames: export the file for dynamical refinement",
    );
  const { intensity, sigma } = pets.reflections;
  if (!intensity.some(Number.isFinite) || !sigma.some((s) => s > 0))
    fail(
      "bad-file",
      { rows: intensity.length, intensities: intensity.filter(Number.isFinite).length, sigmas: sigma.filter((s) => s > 0).length },
      "the file holds no intensities with sigmas above zero (_refln_intensity_meas, _refln_intensity_sigma)",
    );
  const warnings: string[] = [],
    problem = petsCellProblem(pets.cell, pets.ub);
  if (problem) warnings.push(`${problem}; the matrix is used`);
  const text = pets.details.geometry ?? "continuous rotation";
  const z = pets.zones;
  const zones = Array.from(
    firstOf(z.id, (id) => String(id), warnings, "frames"),
    (i): Zone => {
      const angle = z.precessionDeg[i]!;
      const exposure: Exposure = /precess/i.test(text)
        ? { kind: "precession", semiAngleDeg: angle }
        : /static|still/i.test(text) && !(angle > 0)
          ? { kind: "static" }
          : { kind: "continuous", halfWidthDeg: angle };
      return { id: z.id[i]!, alphaDeg: z.alphaDeg[i]!, betaDeg: z.betaDeg[i]!, exposure };
    },
  );
  const beam = beamFromWavelength(pets.wavelength);
  const r = pets.reflections;
  const rows = firstOf(r.h, (_, i) => [r.h[i], r.k[i], r.l[i], r.zone[i], r.intensity[i], r.sigma[i]].join(), warnings, "rows");
  const take = <T extends Int32Array | Float64Array>(x: T): T => x.filter((_, i) => rows.has(i)) as T;
  const once =
    rows.size === r.size
      ? r
      : { h: take(r.h), k: take(r.k), l: take(r.l), intensity: take(r.intensity), sigma: take(r.sigma), zone: take(r.zone) };
  return { frames: framesOf(once, zones, pets.ub as unknown as OrientationMatrix, beam, filter), beam, warnings };
}
/** Rows whose key has not been seen before; the others are noted. */
function firstOf(x: Int32Array, key: (v: number, i: number) => string, warnings: string[], what: string): ReadonlySet<number> {
  const seen = new Map<string, number>();
  x.forEach((v, i) => {
    const k = key(v, i);
    if (!seen.has(k)) seen.set(k, i);
  });
  if (seen.size < x.length) warnings.push(`${x.length - seen.size} of ${x.length} ${what} stand twice in the file and are taken once`);
  return new Set(seen.values());
}

/** A dynamical refinement of JANA2020 as a calculation: the crystal, the frames with what was measured, the model, JANA's own scales. */
export interface JanaDynamical {
  readonly structure: Structure;
  readonly beam: Beam;
  readonly crystal: FrameCrystal;
  readonly frames: readonly MeasuredFrame[];
  readonly model: FrameModel;
  /** Amplitude scale of each frame. */
  readonly scales: Float64Array;
  readonly warnings: readonly string[];
}

/**
 * The preset `dyngo` filled from the project that JANA2020 embeds in its CIF. Frames are those of the m42 file, their reflections those of the
 * m90 file that pass the limits of the refinement.
 * @param kind - what the angle of a zone means, which the project does not say
 * @throws bad-file when a part of the project is missing
 */
export function janaDynamical(project: JanaProject, kind: "continuous" | "precession" = "continuous"): JanaDynamical {
  const { m40, m42, m50, m90 } = project;
  if (!m40 || !m42 || !m50 || !m90)
    return fail("bad-file", { m40: !!m40, m42: !!m42, m50: !!m50, m90: !!m90 }, "the CIF does not embed the whole JANA project");
  const settings = dyngoSettings(m42);
  const { value: structure, warnings } = structureFromJana(m40, m50);
  const beam = beamFromWavelength(m90Wavelength(m90));
  const { ub, exposures } = fromJana(m42, kind);
  const thickness = m42.zones.find((z) => z.thickness > 0)?.thickness ?? Number.NaN;
  if (m42.zones.some((z) => Math.abs(z.thickness - thickness) > 1e-3))
    fail("unsupported", { thickness }, "the zones have thicknesses of their own: make a model for each");
  const model = dyngoModel({
    gMax: settings.gMax,
    sgMax: settings.sgMax,
    integrationSteps: settings.integrationSteps,
    thicknessModel: settings.thicknessModel,
    thickness,
    tiltCorrection: settings.useTiltCorrection ? settings.tiltCorrection : 0,
    mosaicityDeg2: settings.mosaicity[0],
    mosaicitySamples: settings.mosaicitySamples,
  });
  const filter: FrameFilter = { rsgMax: settings.rsgMax, dsgMin: settings.dsgMin, sgMax: settings.sgMaxRefine };
  const zones = m42.zones.map((z, i): Zone => ({ id: z.number, alphaDeg: z.alphaDeg, betaDeg: z.betaDeg, exposure: exposures[i]! }));
  return {
    structure,
    beam,
    crystal: frameCrystal(structure, beam, settings.gMax, { factors: peng1996 }),
    frames: framesOf(m90, zones, ub, beam, filter),
    model,
    scales: Float64Array.from(m42.zones, (z) => z.scale),
    warnings,
  };
}

/** One line of a comparison of frames with a model. */
export interface FrameReport {
  readonly id: string;
  readonly reflections: number;
  readonly agreement: FrameAgreement | FrameExcluded;
  /** Beams in the matrix, on the average over the exposure. */
  readonly meanBeams: number;
}

/**
 * Measured frames against a model, frame by frame with its best scale. Frames with a problem come back as excluded, with the reason.
 */
export async function compareFrames(
  crystal: FrameCrystal,
  frames: readonly MeasuredFrame[],
  model: FrameModel,
  run: SweepRun = {},
): Promise<FrameReport[]> {
  const usable = frames.filter((f) => f.problem === undefined);
  const results = await frameIntensities(crystal, usable, model, run);
  const of = new Map(usable.map((f, i) => [f, results[i]!]));
  return frames.map((f): FrameReport => {
    const r = of.get(f);
    if (!r) return { id: f.id, reflections: f.intensity.length, agreement: { status: "excluded", reason: f.problem ?? "" }, meanBeams: 0 };
    return {
      id: f.id,
      reflections: f.intensity.length,
      agreement: frameAgreement(f.intensity, f.sigma, r.intensity),
      meanBeams: r.meanBeams,
    };
  });
}

/**
 * The frames with their orientations refined against the measured intensities, one by one; a frame that cannot be fitted keeps its own.
 */
export function refineOrientations(
  crystal: FrameCrystal,
  frames: readonly MeasuredFrame[],
  model: FrameModel,
  options: OrientationOptions = {},
): MeasuredFrame[] {
  const arena = options.arena ?? newArena();
  return frames.map((f) => (f.problem === undefined ? { ...f, ub: fitOrientation(crystal, f, model, f, { ...options, arena }).ub } : f));
}
