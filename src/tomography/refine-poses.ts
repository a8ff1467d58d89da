import { fail } from "../core/errors.js";
import { compose } from "../core/frames.js";
import { degrees, radians } from "../geometry/rotation.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import { gaussianFilter } from "../numerics/filters.js";
import { solve } from "../numerics/lu.js";
import { matrix } from "../numerics/matrix.js";
import { withoutDisplacement } from "./align-gauge.js";
import { resire } from "./iterative.js";
import { type Poses, poseMatrix } from "./poses.js";
import { projector } from "./project.js";
import { volumeShape } from "./reconstruction.js";
import type { TiltSeries } from "./tilt-series.js";

export interface RefinePosesOptions {
  /** Most rounds: iterations of the reconstruction, then a step of all poses. Default 40. */
  readonly rounds?: number | undefined;
  /** Iterations of RESIRE with momentum in each round after the first, which has 25. Default 6. */
  readonly iterations?: number | undefined;
  /** Longest turn of a view in a round, degrees. Default 1.5. */
  readonly stepDeg?: number | undefined;
  /** Standard deviation of the Gaussian that views are smoothed with, pixels. Default 0.5: wider ones hide the small features that tell rotations, also in noise. */
  readonly smoothing?: number | undefined;
  /** Done when a round's own step is below this, degrees rms. Default 0.02. */
  readonly toleranceDeg?: number | undefined;
  /** Poses and shifts stay as given where the first step is below this, degrees rms: errors are small. Default `toleranceDeg`. */
  readonly leastDeg?: number | undefined;
  readonly workers?: number | undefined;
  readonly kernels?: "wasm" | "js" | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: { done: number; total: number; note: string }) => void) | undefined;
}
export interface RefinedPoses {
  readonly poses: Poses;
  /** Where each view shows the object, pixels from where its pose puts it (x, y), flat [P, 2]. */
  readonly shifts: Float64Array;
  /** Per round: the step that the views asked for, degrees and pixels rms, and R1 of the volume before it. */
  readonly rounds: readonly { readonly stepDeg: number; readonly stepPixels: number; readonly r1: number }[];
}

/** Share of a round's motion that goes on in the next. */
const MOMENTUM = 0.8;

/**
 * Poses and shifts of the views of an isolated object together with its volume, from the residuals ‖P(poses) O − b‖ alone: some iterations of the reconstruction,
 * a Gauss–Newton step of three angles, two shifts and a scale for each view against the volume as it is, and again from there (variable projection
 * in Kaufman's form). A volume agrees with the views that it was made from, so that a single step is too short, most of all where neighbours share an
 * error; momentum makes up for it. The mean rotation and the displacement of the object, which views do not tell, stay as given.
 * @see Golub & Pereyra, Inverse Probl. 19, R1 (2003); Polyak, USSR Comput. Math. Math. Phys. 4, 1 (1964)
 */
export async function refinePoses(series: TiltSeries, options: RefinePosesOptions = {}): Promise<RefinedPoses> {
  const {
    rounds = 40,
    iterations = 6,
    stepDeg = 1.5,
    smoothing = 0.5,
    toleranceDeg = 0.02,
    leastDeg = toleranceDeg,
    workers,
    kernels,
    signal,
    onProgress,
  } = options;
  if (!(stepDeg > 0 && stepDeg <= 10)) fail("bad-value", { stepDeg }, "the longest turn of a view in a round is between 0 and 10 degrees");
  if (!(smoothing >= 0 && smoothing <= 20)) fail("bad-value", { smoothing }, "smoothing is a width in pixels, 0 to 20, e.g. 0.5");
  if (!(Number.isInteger(rounds) && rounds >= 1)) fail("bad-value", { rounds }, "at least one round");
  if (series.mask?.some((m) => m !== 0)) fail("unsupported", {}, "masked pixels have no residual: repair them first (`repairPixels`)");
  const [views, ny, nx] = series.shape,
    shape = volumeShape(series),
    data = smoothed(series.projections, series.shape, smoothing).map((v) => Math.max(0, v)),
    velocity = new Float64Array(5 * views),
    log: { stepDeg: number; stepPixels: number; r1: number }[] = [];
  let poses: Poses = series.poses.slice(),
    shifts = series.shifts?.slice() ?? new Float64Array(2 * views),
    volume: Float32Array | undefined;
  for (let round = 0; round < rounds; round++) {
    signal?.throwIfAborted();
    const r = await resire(
      { ...series, projections: data, poses, shifts },
      { iterations: round === 0 ? 25 : iterations, step: 1.5, momentum: true, start: volume, workers, kernels, signal },
    );
    volume = r.volume;
    const step = posesStep(data, [views, ny, nx], volume, shape, poses, shifts, kernels);
    const rms = (from: number, to: number): number => {
      let s = 0;
      for (let p = 0; p < views; p++) for (let k = from; k < to; k++) s += step[5 * p + k]! ** 2;
      return Math.sqrt(s / views);
    };
    log.push({ stepDeg: degrees(rms(0, 3)), stepPixels: rms(3, 5), r1: r.figures.r1! });
    onProgress?.({ done: round + 1, total: rounds, note: `poses: ${log.at(-1)!.stepDeg.toFixed(3)}°, R1 ${r.figures.r1!.toFixed(4)}` });
    if (log.at(-1)!.stepDeg < (round === 0 ? leastDeg : toleranceDeg)) break;
    const longest = radians(stepDeg);
    for (let p = 0; p < views; p++) {
      for (let k = 0; k < 5; k++) velocity[5 * p + k] = MOMENTUM * velocity[5 * p + k]! + step[5 * p + k]!;
      const turn = Math.hypot(velocity[5 * p]!, velocity[5 * p + 1]!, velocity[5 * p + 2]!),
        move = Math.hypot(velocity[5 * p + 3]!, velocity[5 * p + 4]!);
      for (let k = 0; k < 3; k++) velocity[5 * p + k]! *= Math.min(1, longest / (turn || 1));
      for (let k = 3; k < 5; k++) velocity[5 * p + k]! *= Math.min(1, 1 / (move || 1));
    }
    withoutGauge(velocity, poses);
    poses = turned(poses, (p) => [velocity[5 * p]!, velocity[5 * p + 1]!, velocity[5 * p + 2]!]);
    shifts = shifts.map((v, i) => v + velocity[5 * (i >> 1) + 3 + (i & 1)]!);
  }
  return { poses, shifts, rounds: log };
}

/** Take out of a step what views do not tell: the mean rotation vector in the frame of the object, and a displacement of the object. */
function withoutGauge(step: Float64Array, poses: Poses): void {
  const views = poses.length / 9,
    mean = [0, 0, 0],
    shifts = new Float64Array(2 * views);
  for (let p = 0; p < views; p++)
    for (let i = 0; i < 3; i++) for (let k = 0; k < 3; k++) mean[i]! += (poses[9 * p + 3 * i + k]! * step[5 * p + k]!) / views;
  for (let p = 0; p < views; p++) {
    for (let k = 0; k < 3; k++) for (let i = 0; i < 3; i++) step[5 * p + k]! -= poses[9 * p + 3 * i + k]! * mean[i]!;
    for (let k = 0; k < 2; k++) shifts[2 * p + k] = step[5 * p + 3 + k]!;
  }
  withoutDisplacement(shifts, poses);
  for (let p = 0; p < views; p++) for (let k = 0; k < 2; k++) step[5 * p + 3 + k] = shifts[2 * p + k]!;
}

/** R·exp([ω]×) for each view, ω in its own frame. */
function turned(poses: Poses, by: (view: number) => readonly [number, number, number]): Poses {
  const out = new Float64Array(poses.length);
  for (let p = 0; 9 * p < poses.length; p++) out.set(compose(poseMatrix(poses, p), rotationFromVector(by(p))), 9 * p);
  return out;
}

function smoothed(stack: Float32Array, [views, ny, nx]: TiltSeries["shape"], sigma: number): Float32Array {
  if (sigma <= 0) return stack;
  const out = new Float32Array(stack.length),
    size = ny * nx;
  for (let p = 0; p < views; p++)
    out.set(gaussianFilter({ data: stack.subarray(p * size, (p + 1) * size), shape: [ny, nx] }, sigma).data, p * size);
  return out;
}

/** Gauss–Newton step of every view against a volume: rotation vector in the frame of the view, then shift (x, y); flat [P, 5]. */
function posesStep(
  data: Float32Array,
  [views, ny, nx]: TiltSeries["shape"],
  volume: Float32Array,
  shape: readonly [number, number, number],
  poses: Poses,
  shifts: Float64Array,
  kernels: "wasm" | "js" | undefined,
): Float64Array {
  const h = radians(0.5),
    size = ny * nx,
    out = new Float64Array(5 * views);
  const forward = (at: Poses): Float32Array => {
    const p = projector({ volume: shape, detector: [ny, nx], poses: at, shifts, kernels }),
      f = p.forward(volume) as Float32Array;
    p.free();
    return f;
  };
  const model = forward(poses),
    slopes = [0, 1, 2].map((axis) => {
      const to = (angle: number) => turned(poses, () => [0, 1, 2].map((k) => (k === axis ? angle : 0)) as [number, number, number]),
        [plus, minus] = [forward(to(h)), forward(to(-h))];
      return plus.map((v, i) => (v - minus[i]!) / (2 * h));
    });
  const row = new Float64Array(6);
  for (let p = 0; p < views; p++) {
    const normal = new Float64Array(36),
      right = new Float64Array(6);
    for (let y = 1; y < ny - 1; y++)
      for (let x = 1; x < nx - 1; x++) {
        const i = p * size + y * nx + x,
          rest = data[i]! - model[i]!;
        for (let k = 0; k < 3; k++) row[k] = slopes[k]![i]!;
        row[3] = (model[i - 1]! - model[i + 1]!) / 2;
        row[4] = (model[i - nx]! - model[i + nx]!) / 2;
        // A dose error must not turn the view.
        row[5] = model[i]!;
        for (let j = 0; j < 6; j++) {
          right[j]! += row[j]! * rest;
          for (let k = 0; k < 6; k++) normal[6 * j + k]! += row[j]! * row[k]!;
        }
      }
    for (let k = 0; k < 6; k++) normal[7 * k] = (normal[7 * k]! || 1) * 1.001;
    out.set(solve(matrix(6, 6, normal), matrix(6, 1, right)).data.subarray(0, 5), 5 * p);
  }
  return out;
}
