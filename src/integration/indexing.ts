import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import { type BravaisCandidate, type BravaisType, bravaisCandidates } from "../geometry/bravais.js";
import {
  beamFromWavelength,
  detector,
  type Exposure,
  type FrameGeometry,
  type Instrument,
  noDistortion,
  type Projection,
  type Vec2,
} from "../geometry/index.js";
import { cellFromUB, transformUB } from "../geometry/metric.js";
import { type RefinedLattice, refineLattice } from "./cell-refine.js";
import { latticeCentreDrift } from "./cell-refine-drift.js";
import type { InstrumentParameter } from "./cell-refine-model.js";
import { systemOfBravais } from "./constraints.js";
import { type Indexed, indexVectors, type Orientation } from "./index-lattice.js";
import { anglesOfFrames, type PeakTable } from "./peak-table.js";
import { checkSeries } from "./peak-table-series.js";
import { type Peaks3d, type Peaks3dOptions, peaks3d } from "./peaks3d.js";
import { nominalFrames, sampleVectors } from "./peaks3d-vectors.js";
import { type RotationSense, rotationSense, strongestFirst } from "./rotation-sense.js";
import { superlattice } from "./superlattice.js";
import { type TiltAxisOptions, type TiltAxisSearch, tiltAxisSteps } from "./tilt-axis.js";
import { centreFromPairs, type PairCentre } from "./tilt-axis-centre.js";
import { findLattices, type LatticeShare } from "./twins.js";

export interface IndexingOptions {
  /** Electron wavelength, Å. */
  readonly wavelength: number;
  /** Å⁻¹ per pixel. */
  readonly aperpixel: number;
  /** Tilt angle of every frame at mid-exposure, degrees; default: those in the peak table. */
  readonly alphaDeg?: ArrayLike<number>;
  /** Direct beam, px; default: found from Friedel pairs. */
  readonly centrePx?: Vec2;
  /** Tilt-axis position when known, degrees; default: found. Give `sense: "known"` as well to keep its direction. */
  readonly omegaDeg?: number;
  readonly sense?: "find" | "known";
  /** Frame size, px; only recorded. */
  readonly size?: readonly [nx: number, ny: number];
  readonly projection?: Projection;
  /** How the frames are exposed; it matters for rocking curves alone. Default static. */
  readonly exposure?: Exposure;
  /** The image is mirrored in x or y against the convention (x to the right, y down, seen against the beam). */
  readonly flipX?: boolean;
  readonly flipY?: boolean;
  /** Let the centre drift smoothly along the series. Default true when single-frame spots are given. */
  readonly drift?: boolean;
  readonly maxLattices?: number;
  /** Bravais type to impose; default: the most symmetric that the positions bear. */
  readonly bravais?: BravaisType;
  readonly merging?: Peaks3dOptions;
  readonly axis?: TiltAxisOptions;
}

/** Everything found about a series: lattice, orientation, tilt axis, with the evidence for each; plain data, ready to draw. */
export interface IndexingResult {
  readonly maxima: Peaks3d;
  readonly centre: PairCentre | undefined;
  readonly axis: TiltAxisSearch | undefined;
  readonly sense: RotationSense | undefined;
  /** Refined tilt-axis position, degrees in [0, 360), and its s.u. */
  readonly omegaDeg: number;
  readonly omegaSigmaDeg: number;
  readonly instrument: Instrument;
  readonly frames: readonly FrameGeometry[];
  /** Reduced cell with UB free, and on the axes of the most symmetric fitting Bravais type: free and constrained. */
  readonly reduced: RefinedLattice;
  readonly candidates: readonly BravaisCandidate[];
  readonly suggested: BravaisCandidate;
  readonly conventional: RefinedLattice;
  readonly constrained: RefinedLattice;
  /** Diffraction vectors of the maxima, Å⁻¹, sample frame, and their indices on the conventional axes. */
  readonly vectors: Float64Array;
  readonly indexed: Indexed;
  /** All lattices, most explained first; more than one for a twin. UBs are on the reduced axes. */
  readonly lattices: readonly LatticeShare[];
  readonly warnings: readonly string[];
}

/**
 * From spots to tilt axis, sense of rotation, cell and orientation, with nothing known but wavelength, scale and nominal angles:
 * merge to 3-D maxima → centre from Friedel pairs → tilt axis by the sharpness of difference vectors → both senses indexed → lattice, axis
 * and centre refined together → centre drift → Bravais lattice → conventional cell free and constrained → further lattices.
 * @throws bad-value for input that contradicts itself, no-convergence when no lattice explains the maxima
 */
export function* indexingSteps(input: PeakTable | { readonly maxima: Peaks3d }, options: IndexingOptions): Steps<IndexingResult> {
  const total = 100;
  const peaks = "maxima" in input ? undefined : input;
  const alphaDeg =
    options.alphaDeg ?? (peaks ? anglesOfFrames(peaks) : fail("bad-value", {}, "give alphaDeg, the tilt angle of every frame"));
  checkSeries({ wavelength: options.wavelength, aperpixel: options.aperpixel, alphaDeg }, peaks);
  const maxima = "maxima" in input ? input.maxima : peaks3d(input, options.merging);
  if (maxima.size < 20)
    fail(
      "bad-value",
      { maxima: maxima.size },
      "indexing needs at least 20 reflections: a tilt series, not one frame; or a lower threshold of the peak search",
    );
  yield { done: 5, total, note: `${maxima.size} 3-D maxima` };

  const centre = options.centrePx ? undefined : centreFromPairs(maxima);
  const centrePx = options.centrePx ?? centre!.centrePx;
  const [nx, ny] = options.size ?? extent(maxima);
  let instrument: Instrument = {
    beam: beamFromWavelength(options.wavelength),
    detector: detector({
      nx,
      ny,
      invAngstromPerPixel: options.aperpixel,
      centrePx,
      projection: options.projection,
      flipX: options.flipX,
      flipY: options.flipY,
    }),
    distortion: noDistortion,
    exposure: options.exposure ?? { kind: "static" },
  };
  const warnings: string[] = [];
  let axis: TiltAxisSearch | undefined;
  if (options.omegaDeg === undefined) {
    const steps = tiltAxisSteps(maxima, instrument, options.axis);
    for (;;) {
      const s = steps.next();
      if (s.done) {
        axis = s.value;
        break;
      }
      yield { done: 5 + (45 * s.value.done) / s.value.total, total, note: s.value.note };
    }
  }
  const start = options.omegaDeg ?? axis!.omegaDeg;
  yield { done: 50, total, note: `tilt axis near ${start.toFixed(2)}°` };
  const sense = rotationSense(maxima, instrument, alphaDeg, start);
  const known = options.sense === "known";
  const trial = known && sense.sense < 0 ? sense.other : sense.best;
  if (!known && !sense.decisive)
    warnings.push("the sense of rotation is not visible in these data: both directions of the tilt axis fit equally well");
  if (known && sense.sense < 0 && sense.decisive) warnings.push("the given sense of rotation fits the spots worse than the opposite one");
  if (!trial.lattice || trial.fraction < 0.3)
    fail(
      "no-convergence",
      { indexed: trial.fraction, maxima: maxima.size, omegaDeg: trial.omegaDeg },
      "no lattice explains the spots: check the centre, the scale and the order of the tilt angles, or remove frames that do not belong",
    );
  yield { done: 65, total, note: `${(100 * trial.fraction).toFixed(0)} % indexed` };

  // Alternate indexing and refinement; the axis and the centre join once the lattice alone has settled.
  let ub: Orientation = trial.lattice.ub,
    frames = nominalFrames(alphaDeg, trial.omegaDeg);
  let refined: RefinedLattice | undefined;
  const plans: readonly (readonly InstrumentParameter[])[] = [
    [],
    ["omega"],
    ["omega", "centreX", "centreY"],
    ["omega", "centreX", "centreY"],
    ["omega", "centreX", "centreY"],
  ];
  for (const [round, refine] of plans.entries()) {
    const data = observations(maxima, sampleVectors(maxima, instrument, frames), ub, round === 0 ? 0.3 : 0.25);
    refined = refineLattice(data, ub, instrument, frames, { refine, ...robust });
    ({ ub, instrument, frames } = refined);
    if (peaks && round >= 2 && (options.drift ?? true)) {
      frames = latticeCentreDrift(peaks, ub, instrument, frames);
    }
    yield { done: 65 + 4 * (round + 1), total, note: `rms ${refined.rmsPx.toFixed(2)} px` };
  }
  const last = (
    lattice: Orientation,
    system: Parameters<typeof systemOfBravais>[0],
    refine: readonly InstrumentParameter[],
  ): RefinedLattice =>
    refineLattice(observations(maxima, sampleVectors(maxima, instrument, frames), lattice, 0.25), lattice, instrument, frames, {
      ...robust,
      system: systemOfBravais(system),
      refine,
    });
  let reduced = last(ub, "aP", ["omega"]);
  const larger = superlattice(sampleVectors(maxima, reduced.instrument, reduced.frames), reduced.ub);
  if (larger) reduced = last(larger, "aP", ["omega"]);
  const candidates = bravaisCandidates(cellFromUB(reduced.ub));
  const choice = chooseLattice(candidates, reduced, options.bravais, (c) => last(transformUB(reduced.ub, c.basis), c.bravais, ["omega"]));
  const { suggested, constrained } = choice;
  if (choice.warning) warnings.push(choice.warning);
  const conventional = last(transformUB(reduced.ub, suggested.basis), "aP", ["omega"]);
  yield { done: 92, total, note: `${suggested.bravais} lattice` };
  ({ instrument, frames } = conventional);
  const vectors = sampleVectors(maxima, instrument, frames);
  const lattices = findLattices(strongestFirst(vectors, maxima.intensity), reduced.ub, { maxLattices: options.maxLattices ?? 3 });
  const omega = conventional.parameters.find((p) => p.name === "omega")!;
  return {
    maxima,
    centre,
    axis,
    sense,
    instrument,
    frames,
    reduced,
    candidates,
    suggested,
    conventional,
    constrained,
    vectors,
    lattices,
    warnings,
    omegaDeg: ((omega.value % 360) + 360) % 360,
    omegaSigmaDeg: omega.sigma,
    indexed: indexVectors(vectors, conventional.ub),
  }; // prettier-ignore
}

/** Unmodelled distortions are the rule at this stage: plain distances and a wide rejection limit are then less biased (decision 81). */
const robust = { weighting: "equal", rejectSigma: 6 } as const;

/** Indexed maxima as observations; a maximum cut off by the end of the series says nothing about the reflection condition. */
export function observations(maxima: Peaks3d, r: Float64Array, ub: Orientation, tolerance: number) {
  const f = indexVectors(r, ub, { tolerance });
  const rows = Array.from(f.indexed.keys()).filter((i) => f.indexed[i]);
  return {
    size: rows.length,
    px: Float64Array.from(rows, (i) => maxima.px[i]!),
    py: Float64Array.from(rows, (i) => maxima.py[i]!),
    frame: Float64Array.from(rows, (i) => maxima.frame[i]!),
    hkl: Int32Array.from(rows.flatMap((i) => [f.hkl[3 * i]!, f.hkl[3 * i + 1]!, f.hkl[3 * i + 2]!])),
    atCondition: Uint8Array.from(rows, (i) => (maxima.truncated[i] ? 0 : 1)),
    rows: Int32Array.from(rows),
  };
}

/**
 * The most symmetric candidate whose constraint the positions bear: residuals at most 1.6 times those of the free lattice. Distortions of the
 * optics break the symmetry of a measured lattice just as a lower symmetry does, so a more symmetric near miss is named in a warning.
 */
function chooseLattice(
  candidates: readonly BravaisCandidate[],
  free: RefinedLattice,
  wanted: BravaisType | undefined,
  refine: (c: BravaisCandidate) => RefinedLattice,
): { suggested: BravaisCandidate; constrained: RefinedLattice; warning?: string } {
  const last = candidates[candidates.length - 1]!;
  if (wanted) {
    const c = candidates.find((k) => k.bravais === wanted);
    if (!c)
      fail(
        "bad-value",
        { wanted, fitting: candidates.map((k) => k.bravais) },
        "the lattice does not fit this Bravais type, not even roughly",
      );
    return { suggested: c, constrained: refine(c) };
  }
  let missed: BravaisCandidate | undefined;
  for (const c of candidates) {
    if (c.obliquityDeg > 1.6 || c.lengthError > 0.02) continue;
    const r = refine(c);
    if (c !== last && (r.rmsPx > 1.6 * free.rmsPx || r.rmsExcitation > 1.6 * free.rmsExcitation || r.count < 0.9 * free.count)) {
      missed ??= c;
      continue;
    }
    if (!missed) return { suggested: c, constrained: r };
    const miss = `${missed.obliquityDeg.toFixed(2)}°, ${(100 * missed.strain).toFixed(2)} %`;
    return {
      suggested: c,
      constrained: r,
      warning: `the lattice is nearly ${missed.bravais} (${miss} away) but the spots do not bear it: distorted optics, or a lower symmetry. Pass bravais: "${missed.bravais}" to impose it`,
    };
  }
  return { suggested: last, constrained: refine(last) };
}

function extent(maxima: Peaks3d): readonly [number, number] {
  const reach = (c: Float64Array): number => Math.max(1, Math.ceil(c.reduce((m, v) => Math.max(m, v), 0)) + 1);
  return [reach(maxima.px), reach(maxima.py)];
}
