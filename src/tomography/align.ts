import { fail } from "../core/errors.js";
import { displacementOf, withoutDisplacement } from "./align-gauge.js";
import { centreOfMass, commonLine } from "./align-profiles.js";
import { resire } from "./iterative.js";
import type { Poses } from "./poses.js";
import { projector } from "./project.js";
import { refinePoses } from "./refine-poses.js";
import { registrar, shiftViews } from "./shift.js";
import type { TiltSeries } from "./tilt-series.js";

export interface AlignOptions {
  /** Rounds of centre of mass and common line before the volume is known. Default 3. */
  readonly rounds?: number | undefined;
  /** Rounds of projection matching: reconstruct, project, register. Default 4; 0 leaves it out. */
  readonly matching?: number | undefined;
  /** Longest turn of a view in one step of angular refinement (`refinePoses`, after the matching), degrees; 0 (default) leaves poses as they are. */
  readonly angleStepDeg?: number | undefined;
  /** That refinement is done when a round's own step is below this, degrees rms (default 0.02). */
  readonly angleToleranceDeg?: number | undefined;
  /** It is not begun where the first step is below this, degrees rms (default: the tolerance). */
  readonly leastAngleDeg?: number | undefined;
  /** Iterations of the reconstruction in each round. Default 30. */
  readonly iterations?: number | undefined;
  /** Leave everything but the region above this fraction of the highest value out of the centre of mass. Default 0.05. */
  readonly threshold?: number | undefined;
  /**
   * Put the object's centre of mass on the tilt axis, or leave the object where the views show it. Default: left there if the views agree on
   * the place to half a pixel rms (they are aligned, and what was reconstructed from them before stays comparable), centred if not.
   */
  readonly centre?: boolean | undefined;
  readonly workers?: number | undefined;
  readonly kernels?: "wasm" | "js" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: { done: number; total: number; note: string }) => void) | undefined;
}
export interface Alignment {
  /** The series with its views moved (and its poses, when angles were refined). */
  readonly series: TiltSeries;
  /** Shift that was applied to each view (x, y), pixels, flat [P, 2]. */
  readonly shifts: Float64Array;
  /** How far the object as a whole was moved by these shifts, voxels (x, y, z): no view tells it, a comparison with another volume has to undo it (`registerVolumes`). */
  readonly displacement: readonly [x: number, y: number, z: number];
  /** Rms change of the shifts in each round, pixels, and R1 of the reconstruction where there was one. */
  readonly rounds: readonly { readonly step: string; readonly change: number; readonly r1?: number; readonly angleChangeDeg?: number }[];
}

/**
 * Align the views of an isolated object, background removed: first by the centre of mass across the tilt axis and the common line along
 * it, which need no volume; then by projection matching against a reconstruction of all views; with `angleStepDeg` then by refinement of angles and
 * shifts together with the volume. Along the axis the profile (sum across the axis) is the same in every view; the centre of mass projects
 * linearly. For poses out of one axis the common lines are those of the mean axis.
 * What no data can tell is fixed: the mean displacement along the axis, that of an object moved in space, x₀ cos θ − z₀ sin θ (see `centre`), and
 * the mean rotation of the poses, which stays that of the poses given.
 */
export async function alignSeries(series: TiltSeries, options: AlignOptions = {}): Promise<Alignment> {
  const {
    rounds = 3,
    matching = 4,
    angleStepDeg = 0,
    angleToleranceDeg,
    leastAngleDeg,
    iterations = 30,
    threshold = 0.05,
    centre,
    workers,
    kernels,
    signal,
    onProgress,
  } = options;
  const [views, ny, nx] = series.shape;
  if (views < 3) fail("bad-value", { views }, "an alignment needs at least three views");
  if (angleStepDeg < 0 || angleStepDeg > 10) fail("bad-value", { angleStepDeg }, "the step of the angles is between 0 and 10 degrees");
  if (series.mask?.some((m) => m !== 0))
    fail("unsupported", {}, "views with masked pixels cannot be moved: repair them first (`repairPixels`)");
  // Along which edge of the image does the axis run, more or less?
  let along = 0;
  for (let p = 0; p < views; p++) along += Math.abs(series.poses[9 * p + 4]!) - Math.abs(series.poses[9 * p]!);
  const axis = along < -1e-9 ? "x" : "y";
  const shifts = new Float64Array(2 * views),
    log: { step: string; change: number; r1?: number; angleChangeDeg?: number }[] = [];
  const total = rounds + matching;
  const moved = (): Float32Array => shiftViews(series.projections, series.shape, shifts);
  let poses: Poses = series.poses,
    kept = centre === false;
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted();
    const now = moved(),
      delta = new Float64Array(2 * views);
    const line = commonLine(now, series.shape, axis);
    for (let p = 0; p < views; p++) {
      const com = centreOfMass(now.subarray(p * ny * nx, (p + 1) * ny * nx), ny, nx, threshold);
      delta[2 * p] = axis === "y" ? -com[0] : line[p]!;
      delta[2 * p + 1] = axis === "y" ? line[p]! : -com[1];
    }
    if (round === 0 && centre === undefined) kept = disagreement(delta, poses, axis) < 0.5;
    if (kept) withoutDisplacement(delta, poses);
    log.push({ step: "centre of mass, common line", change: apply(shifts, delta) });
    onProgress?.({ done: round + 1, total, note: `centre of mass, common line: ${log.at(-1)!.change.toFixed(3)} px` });
  }
  for (let round = 0; round < matching; round++) {
    const current: TiltSeries = { ...series, projections: moved().map((v) => Math.max(0, v)), poses };
    const r = await resire(current, { iterations, step: 1.5, workers, kernels, signal });
    const p = projector({ volume: r.shape, detector: [ny, nx], poses, kernels });
    const model = p.forward(r.volume) as Float32Array;
    p.free();
    const delta = matchShifts(current.projections, model, series.shape, 3);
    withoutDisplacement(delta, poses);
    log.push({ step: "projection matching", change: apply(shifts, delta), r1: r.figures.r1! });
    onProgress?.({
      done: rounds + round + 1,
      total,
      note: `projection matching: ${log.at(-1)!.change.toFixed(3)} px, R1 ${r.figures.r1!.toFixed(4)}`,
    });
  }
  if (angleStepDeg > 0) {
    const found = await refinePoses(
      { ...series, projections: moved(), poses },
      {
        stepDeg: angleStepDeg,
        toleranceDeg: angleToleranceDeg,
        leastDeg: leastAngleDeg,
        workers,
        kernels,
        signal,
        onProgress: (p) => onProgress?.({ ...p, done: total + p.done, total: total + p.total }),
      },
    );
    poses = found.poses;
    // Where a view shows the object is undone by moving it the other way.
    apply(
      shifts,
      found.shifts.map((v, i) => (series.shifts?.[i] ?? 0) - v),
    );
    for (const { stepDeg, stepPixels, r1 } of found.rounds) log.push({ step: "poses", change: stepPixels, r1, angleChangeDeg: stepDeg });
  }
  return { series: { ...series, projections: moved(), poses }, shifts, displacement: displacementOf(shifts, poses), rounds: log };
}

/** Add to the shifts; the rms of what was added. */
function apply(shifts: Float64Array, delta: Float64Array): number {
  let s = 0;
  for (let i = 0; i < shifts.length; i++) {
    shifts[i]! += delta[i]!;
    s += delta[i]! ** 2;
  }
  return Math.sqrt(s / (shifts.length / 2));
}

/** Rms of what is left across the axis of the shifts that centre the views when a displacement of the object has explained its part, pixels. */
function disagreement(centring: Float64Array, poses: Poses, axis: "x" | "y"): number {
  const rest = centring.slice();
  withoutDisplacement(rest, poses);
  let s = 0;
  for (let i = axis === "y" ? 0 : 1; i < rest.length; i += 2) s += rest[i]! ** 2;
  return Math.sqrt(s / Math.max(1, rest.length / 2 - 2));
}

/** Shifts that take each view onto its model. */
function matchShifts(
  data: Float32Array,
  model: Float32Array,
  [views, ny, nx]: readonly [number, number, number],
  most: number,
): Float64Array {
  const r = registrar(ny, nx),
    out = new Float64Array(2 * views),
    size = ny * nx;
  for (let p = 0; p < views; p++)
    out.set(
      r.shift(r.transform(model.subarray(p * size, (p + 1) * size)), r.transform(data.subarray(p * size, (p + 1) * size)), most),
      2 * p,
    );
  r.free();
  return out;
}
