import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { Beam } from "../geometry/beam.js";
import { type Arena, arena as newArena } from "../kernels/memory.js";
import type { AtomModel } from "./atoms.js";
import { checkAtoms } from "./atoms-check.js";
import { maxAngle, type Wave, type WaveGrid } from "./grid.js";
import { checkMemory } from "./memory.js";
import { type Snapshots, still } from "./phonons.js";
import { type PotentialOptions, potentialPlan } from "./potential.js";
import { type ProbeOptions, planeWave, probeAmplitude, probePlan } from "./probe.js";
import { type MultisliceOptions, multislicePlan } from "./propagate.js";
import { restSlices, slices } from "./slicing.js";

/** Diffraction patterns of one probe position or of a plane wave. */
export interface PatternOptions {
  readonly beam: Beam;
  readonly grid: WaveGrid;
  /** Absent: a plane wave (selected-area diffraction). */
  readonly probe?: ProbeOptions | undefined;
  /** Place of the probe, Å. Default: the middle of the box. */
  readonly position?: readonly [number, number] | undefined;
  /** Depths at which to look, Å, each taken to the next slice boundary. Default: the whole thickness. */
  readonly depths?: readonly number[] | undefined;
  /** Tilts of the beam (rad) with equal weights: precession, or a source of some width. Default: one, none. */
  readonly tilts?: readonly (readonly [number, number])[] | undefined;
  readonly potential?: Omit<PotentialOptions, "grid" | "arena"> | undefined;
  readonly multislice?: Omit<MultisliceOptions, "tilt"> | undefined;
  /** Largest scattering angle that will be read, rad; refused when the grid does not carry it. */
  readonly wantedAngle?: number | undefined;
  /** "none" runs atoms that overlap. */
  readonly checks?: "strict" | "none" | undefined;
  readonly arena?: Arena | undefined;
}

export interface PatternResult {
  readonly grid: WaveGrid;
  /** Å, [t]. */
  readonly depths: Float64Array;
  /** Mean of |ψ(q)|² over snapshots and tilts, [t, ny, nx] in FFT order; a whole beam is 1. */
  readonly intensity: Float64Array;
  /** |⟨ψ(q)⟩|² over the snapshots, freed of the bias that a finite number leaves: what scatters coherently. */
  readonly elastic: Float64Array;
  /** Part of the beam scattered diffusely (and still on the grid) at each depth, [t]. Other seeds tell its error. */
  readonly diffuse: Float64Array;
  /** Largest angle that the grid carries, rad. */
  readonly maxAngle: number;
  readonly snapshots: number;
}

/**
 * Simulate diffraction patterns: every snapshot and tilt by multislice, intensities averaged. Drive it with `runSync` or `runAsync`.
 * @throws bad-value for overlapping atoms, out-of-range for sampling, angle or cell, too-large for memory: all before the first slice
 */
export function* diffractionSteps(atoms: AtomModel | Snapshots, options: PatternOptions): Steps<PatternResult> {
  const all: Snapshots = "snapshot" in atoms ? atoms : still(atoms);
  const { beam, grid, tilts = [[0, 0]], checks = "strict", arena = newArena(), multislice = {} } = options;
  const first = all.snapshot(0),
    cut = slices(first, options.potential ?? {}),
    limit = maxAngle(grid, beam.wavelength);
  checkDiffraction(first, options, cut.count, limit);
  const sliceOfAtom = restSlices(all, options.potential);
  const amplitude = options.probe ? probeAmplitude(grid, beam, options.probe) : planeWave(grid);
  const exits = exitSlices(cut.bounds, options.depths),
    points = grid.nx * grid.ny,
    n = exits.length;
  const intensity = new Float64Array(n * points),
    elastic = new Float64Array(n * points);
  const c = first.cell,
    [x, y] = options.position ?? [(c[0]! + c[3]!) / 2, (c[1]! + c[4]!) / 2];
  const total = all.count * tilts.length;
  const mean = new Float64Array(2 * n * points);
  for (let t = 0; t < tilts.length; t++) {
    mean.fill(0);
    const square = new Float64Array(n * points);
    for (let s = 0; s < all.count; s++) {
      const model = s === 0 ? first : all.snapshot(s);
      if (s > 0 && checks === "strict") checkAtoms(model, { slack: 1 });
      const potential = potentialPlan(model, { sliceOfAtom, ...options.potential, grid, arena });
      const plan = multislicePlan(potential, beam, { ...multislice, tilt: tilts[t] });
      const wave = plan.allocWaves(1);
      try {
        start(plan, wave, amplitude, options.probe ? [x, y] : undefined);
        let at = 0;
        for (const [from, to] of plan.windows) {
          yield* plan.load([from, to]);
          for (let i = from; i < to; ) {
            const stop = Math.min(to, exits.find((e) => e > i) ?? to);
            plan.advance(wave, 1, i, stop);
            i = stop;
            if (i === exits[at]) {
              take(plan.view(wave), mean, square, at * points, points);
              at++;
            }
          }
        }
      } finally {
        arena.free(wave);
        plan.free();
        potential.free();
      }
      yield { done: t * all.count + s + 1, total, note: "snapshots" };
    }
    const k = all.count;
    for (let i = 0; i < n * points; i++) {
      const coherent = (mean[2 * i]! ** 2 + mean[2 * i + 1]! ** 2) / (k * k),
        one = square[i]! / k;
      intensity[i]! += one / tilts.length;
      // E|⟨ψ⟩_k|² = |Eψ|² + var/k: take var/k away, var estimated from the same snapshots.
      elastic[i]! += (k > 1 ? (k * coherent - one) / (k - 1) : coherent) / tilts.length;
    }
  }
  return {
    grid,
    depths: Float64Array.from(exits, (e) => cut.bounds[e]!),
    intensity,
    elastic,
    diffuse: Float64Array.from(exits, (_, t) => totalOf(intensity, t, points) - totalOf(elastic, t, points)),
    maxAngle: limit,
    snapshots: all.count,
  };
}

function start(
  plan: ReturnType<typeof multislicePlan>,
  wave: number,
  amplitude: Float64Array,
  place: readonly [number, number] | undefined,
): void {
  if (!place) return void plan.view(wave).set(amplitude);
  const probe = probePlan(plan, amplitude);
  probe.place(wave, ...place);
  probe.free();
}
/** Add a wave to the sums. */
function take(wave: Wave, mean: Float64Array, square: Float64Array, at: number, points: number): void {
  for (let i = 0; i < points; i++) {
    const re = wave[2 * i]!,
      im = wave[2 * i + 1]!,
      v = re * re + im * im;
    mean[2 * (at + i)]! += re;
    mean[2 * (at + i) + 1]! += im;
    square[at + i]! += v;
  }
}
/** Sum of one pattern of several. */
function totalOf(patterns: Float64Array, t: number, points: number): number {
  let sum = 0;
  for (let i = t * points; i < (t + 1) * points; i++) sum += patterns[i]!;
  return sum;
}

/** Slice counts at the wanted depths. */
function exitSlices(bounds: Float64Array, depths: readonly number[] | undefined): number[] {
  const last = bounds.length - 1;
  if (!depths) return [last];
  const out = depths.map((d) => {
    if (!(d > 0 && d <= bounds[last]! * (1 + 1e-9)))
      fail("out-of-range", { depth: d, thickness: bounds[last] }, "depths lie between 0 and the thickness of the box, Å");
    const i = bounds.findIndex((b) => b >= d - 1e-6);
    return Math.max(1, i);
  });
  if (out.some((e, i) => i > 0 && e <= out[i - 1]!))
    fail("bad-value", { depths, slices: out }, "depths rise by at least one slice each: make the slices thinner or the depths fewer");
  return out;
}

function checkDiffraction(model: AtomModel, options: PatternOptions, count: number, limit: number): void {
  const { grid, beam, wantedAngle, checks = "strict" } = options;
  if (model.atomicNumbers.length === 0) fail("bad-value", { atoms: 0 }, "the model has no atoms");
  if (checks === "strict") checkAtoms(model, { slack: 1 });
  if (wantedAngle !== undefined && wantedAngle > limit) {
    if (wantedAngle > 1) fail("out-of-range", { wantedAngle }, `angles are in radians: try ${wantedAngle / 1000}`);
    fail(
      "out-of-range",
      { wantedAngle, largestAngle: limit, pixels: [grid.nx, grid.ny] },
      `the sampling is too coarse for this angle: pixels of ${((0.3333 * beam.wavelength) / wantedAngle).toPrecision(3)} Å or less`,
    );
  }
  const { precision, maxMemoryMB } = options.multislice ?? {};
  checkMemory(
    {
      grid,
      slices: count,
      elements: new Set(model.atomicNumbers).size,
      precision,
      oversample: options.potential?.oversample,
      projection: options.potential?.projection,
    },
    maxMemoryMB,
  );
}
