import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import type { Rng } from "../core/rng.js";
import type { UnitCell } from "../geometry/cell.js";
import type { Vec2 } from "../geometry/detector.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/experiment.js";
import { cellFromUB } from "../geometry/metric.js";
import type { OrientationMatrix } from "../geometry/orientation.js";
import { type LatticePoints, latticePoints } from "../geometry/predict.js";
import { rockingWeight, rockingWidth } from "../geometry/rocking.js";
import { radians } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import { type BackgroundModel, backgroundImage, defaultBackground, shadowInto } from "./simulate-background.js";
import { type BadPixels, badPixels, type CameraModel, hybridPixelCamera, recordInto } from "./simulate-camera.js";
import { centringAllows } from "./simulate-crystals.js";
import type { WaveIntensities } from "./simulate-dynamical.js";
import { type DynamicalModel, type IntensityOf, kinematical, pointIntensities } from "./simulate-intensity.js";
import { drawSpotsInto, type SpotLattice, type TrueSpots, trueSpots } from "./simulate-spots.js";

/** A crystal in the beam. Twins are several with their own UB. */
export interface SimulatedCrystal {
  readonly ub: OrientationMatrix;
  /** What scatters: a structure (its |F|², electron form factors) or any function of the indices, on any scale. */
  readonly intensity: Structure | IntensityOf;
  /** Reflections that the lattice centring allows; the others do not exist, not even by multiple scattering. Default: all, or those of the structure's group. */
  readonly allowed?: ((h: number, k: number, l: number) => boolean) | undefined;
  /** Share of the illuminated volume. Default 1. */
  readonly fraction?: number | undefined;
}

/** Random errors of the stage and the lenses, rms of every frame. The true values are in the result. */
export interface StageErrors {
  readonly alphaDeg: number;
  readonly betaDeg: number;
  readonly omegaDeg: number;
  /**
   * Error of the angle α that the microscope reports. A stage that turns evenly while the computer asks late has this one and no `alphaDeg`:
   * its frames join without a gap. Default 0.
   */
  readonly readingDeg?: number | undefined;
  /** Random walk of the direct beam, rms step per frame, pixels. */
  readonly centrePx: number;
  readonly magnification: number;
  /** Amplitude of a slow, random change of the frame scale. */
  readonly scale: number;
}

export const noStageErrors: StageErrors = { alphaDeg: 0, betaDeg: 0, omegaDeg: 0, centrePx: 0, magnification: 0, scale: 0 };

export interface SimulationOptions {
  readonly crystals: readonly SimulatedCrystal[];
  /** The true instrument, distortions included. For `continuous` the exposure's half width comes from the step and the gap. */
  readonly instrument: Instrument;
  readonly rocking: RockingModel;
  readonly alphaStartDeg: number;
  readonly alphaStepDeg: number;
  readonly frames: number;
  readonly betaDeg?: number | undefined;
  /** True position of the tilt axis. */
  readonly omegaDeg: number;
  /** Share of every step that the read-out loses (continuous rotation). Default 0. */
  readonly readoutGap?: number | undefined;
  /** Resolution to which spots are drawn, Å⁻¹. */
  readonly gMax: number;
  /** Further fall-off of the intensities, exp(−B g²/2), Å². Default 0. */
  readonly falloffB?: number | undefined;
  /** Electrons of the strongest reflection of the crystal in the frame where it is excited best. Default 20 000. */
  readonly strongestElectrons?: number | undefined;
  /** With `waves`, instead: electrons that fall on the crystal during a frame, so that collections of one dose can be compared. */
  readonly beamElectrons?: number | undefined;
  readonly camera?: CameraModel | undefined;
  readonly background?: BackgroundModel | undefined;
  /** Blackman's factor and a random scatter instead of waves. */
  readonly dynamical?: DynamicalModel | undefined;
  /** Intensities from Bloch waves (`simulateDynamical` makes them); `dynamical` and `falloffB` are then without effect. */
  readonly waves?: WaveIntensities | undefined;
  readonly errors?: StageErrors | undefined;
}

/** A tilt series that makes its frames when asked, and knows the truth. */
export interface Simulation {
  readonly shape: readonly [frames: number, ny: number, nx: number];
  /** The true instrument. */
  readonly instrument: Instrument;
  /** What the microscope would report: the angles asked for with the error of reading them, the detector's centre, the true ω. */
  readonly nominal: readonly FrameGeometry[];
  /** What really happened, frame by frame. */
  readonly truth: readonly FrameGeometry[];
  readonly cells: readonly UnitCell[];
  readonly camera: CameraModel;
  readonly badPixels: BadPixels;
  /** Counts of frame i; the same whenever and in whatever order it is asked for. */
  frame(i: number): Image<Float32Array>;
  /** Spots of frame i as they are drawn. */
  spots(i: number): TrueSpots;
}

/**
 * A tilt series of one or more crystals: prediction by the Ewald construction, rocking curves, intensities with optional dynamical
 * damping, background, camera noise, errors of stage and lenses.
 * @param rng - every frame draws from its own fork, so frames do not depend on the order in which they are made
 * @throws out-of-range when the series has no frame or a read-out gap is not in [0, 1)
 */
export function simulateSeries(options: SimulationOptions, rng: Rng): Simulation {
  const { crystals, rocking, gMax, strongestElectrons = 20000, frames } = options;
  const { camera = hybridPixelCamera, background = defaultBackground, dynamical = kinematical } = options;
  const { instrument, nominal, truth } = seriesGeometry(options, rng);
  const { exposure } = instrument;
  const { nx, ny, invAngstromPerPixel } = instrument.detector;
  const lattices = crystals.map((c, i): SpotLattice => {
    const points = crystalPoints(c, gMax),
      waves = options.waves?.lattices[i];
    if (options.waves && (waves?.length !== frames || options.waves.gMax !== gMax))
      fail("bad-shape", { crystals: options.waves.lattices.length, frames: waves?.length, gMax: options.waves.gMax }, WAVES_OF_ANOTHER);
    return {
      points,
      intensity: waves ? new Float64Array(0) : pointIntensities(points, c.intensity, dynamical, options.falloffB),
      waves,
      reach: options.waves?.reach,
      fraction: c.fraction ?? 1,
    };
  });
  const electronsPerWeight =
    (options.waves && options.beamElectrons) ??
    strongestElectrons / (options.waves?.strongest ?? bestWeight(lattices[0]!.points.g2, lattices[0]!.intensity, rocking, exposure));
  const bad = badPixels(camera, nx * ny, rng.fork("pixels"));
  const spots = (i: number): TrueSpots => {
    const frame = truth[i] ?? fail("out-of-range", { frame: i, frames }, "frames are counted from 0 to n − 1");
    return trueSpots(lattices, instrument, frame, rocking, electronsPerWeight, dynamical.scatter, rng.fork("scatter").fork(i), i);
  };
  return {
    shape: [frames, ny, nx],
    instrument,
    nominal,
    truth,
    cells: crystals.map((c) => cellFromUB(c.ub)),
    camera,
    badPixels: bad,
    spots,
    frame: (i) => {
      const list = spots(i),
        centre = truth[i]!.centrePx!;
      const image = backgroundImage(background, ny, nx, centre, invAngstromPerPixel, truth[i]!.scale ?? 1);
      drawSpotsInto(image, ny, nx, list, camera, instrument, radians(rocking.mosaicityDeg));
      shadowInto(image, background, ny, nx, centre);
      return { data: recordInto(image, camera, bad, rng.fork("counts").fork(i)), shape: [ny, nx] };
    },
  };
}

const WAVES_OF_ANOTHER = "the Bloch intensities belong to other options: make them anew with simulateDynamical";

/** Reflections of a crystal that exist. */
export function crystalPoints(c: SimulatedCrystal, gMax: number): LatticePoints {
  return latticePoints(c.ub, {
    gMax,
    allowed: c.allowed ?? (typeof c.intensity === "function" ? undefined : centringAllows(c.intensity.spaceGroup)),
  });
}

/** What the microscope would report and what happened, frame by frame; the first thing that a simulation draws from its generator. */
export interface SeriesGeometry {
  readonly instrument: Instrument;
  readonly nominal: readonly FrameGeometry[];
  readonly truth: readonly FrameGeometry[];
}

/** @throws out-of-range when the series has no frame or a read-out gap is not in [0, 1) */
export function seriesGeometry(options: SimulationOptions, rng: Rng): SeriesGeometry {
  const { frames, omegaDeg, readoutGap = 0, errors = noStageErrors } = options;
  if (!(Number.isInteger(frames) && frames > 0)) fail("out-of-range", { frames }, "a series has at least one frame");
  if (!(readoutGap >= 0 && readoutGap < 1)) fail("out-of-range", { readoutGap }, "readoutGap is the lost share of a step, 0 <= gap < 1");
  const halfWidthDeg = (Math.abs(options.alphaStepDeg) / 2) * (1 - readoutGap);
  const exposure =
    options.instrument.exposure.kind === "continuous" ? ({ kind: "continuous", halfWidthDeg } as const) : options.instrument.exposure;
  const instrument: Instrument = { ...options.instrument, exposure };
  const asked = Array.from(
    { length: frames },
    (_, i): FrameGeometry => ({
      alphaDeg: options.alphaStartDeg + i * options.alphaStepDeg,
      betaDeg: options.betaDeg ?? 0,
      omegaDeg,
      centrePx: instrument.detector.centrePx,
    }),
  );
  const { readingDeg = 0 } = errors,
    reading = rng.fork("reading");
  const nominal = readingDeg > 0 ? asked.map((f, i) => ({ ...f, alphaDeg: f.alphaDeg + readingDeg * reading.fork(i).normal() })) : asked;
  return { instrument, nominal, truth: trueFrames(asked, errors, rng.fork("stage")) };
}

/** Weight of the strongest reflection when it is excited best: at Sg = 0 and as far from the tilt axis as it can be. */
function bestWeight(g2: Float64Array, intensity: Float64Array, rocking: RockingModel, exposure: Instrument["exposure"]): number {
  const strongest = intensity.indexOf(intensity.reduce((a, b) => Math.max(a, b), 0));
  const g = Math.sqrt(g2[strongest]!),
    sigma = rockingWidth(rocking, g);
  const half =
    exposure.kind === "static" ? 0 : g * Math.sin(radians(exposure.kind === "continuous" ? exposure.halfWidthDeg : exposure.semiAngleDeg));
  return rockingWeight(0, half, sigma, exposure.kind === "precession" ? "continuous" : exposure.kind, rocking.lorentzian);
}

function trueFrames(nominal: readonly FrameGeometry[], e: StageErrors, rng: Rng): FrameGeometry[] {
  const walk = rng.fork("centre"),
    waves = [0, 1, 2].map((i) => ({ phase: 2 * Math.PI * rng.fork("scale").fork(i).uniform(), turns: 0.7 + i }));
  let [cx, cy]: Vec2 = nominal[0]!.centrePx!;
  return nominal.map((frame, i) => {
    const r = rng.fork(i);
    const alphaDeg = frame.alphaDeg + e.alphaDeg * r.normal(),
      betaDeg = frame.betaDeg + e.betaDeg * r.normal(),
      omegaDeg = frame.omegaDeg + e.omegaDeg * r.normal(),
      magnification = e.magnification * r.normal();
    cx += e.centrePx * walk.normal();
    cy += e.centrePx * walk.normal();
    const wave = waves.reduce((s, w) => s + Math.sin(w.phase + (2 * Math.PI * w.turns * i) / nominal.length), 0) / waves.length;
    return { alphaDeg, betaDeg, omegaDeg, centrePx: [cx, cy] as const, magnification, scale: 1 + e.scale * wave };
  });
}
