import { gaussianFilter } from "../numerics/filters.js";
import { resire } from "./iterative.js";
import { type Poses, poseMatrix } from "./poses.js";
import { projector } from "./project.js";
import { type ReconstructOptions, volumeShape } from "./reconstruction.js";
import { selectViews, type TiltSeries } from "./tilt-series.js";

const GROUPS = 4;

/** Angles of each view against a volume of the other views only: a volume that holds the view itself agrees with it as it stands. */
export async function refineLeftOut(
  series: TiltSeries,
  stepDeg: number,
  o: Pick<ReconstructOptions, "iterations" | "workers" | "kernels" | "signal">,
): Promise<{ readonly poses: Poses; readonly changeDeg: number }> {
  const views = series.shape[0],
    groups = Math.min(GROUPS, views),
    poses = series.poses.slice();
  let squares = 0;
  for (let g = 0; g < groups; g++) {
    const all = Array.from({ length: views }, (_, i) => i),
      out = all.filter((i) => i % groups === g);
    const rest = selectViews(
      series,
      all.filter((i) => i % groups !== g),
    );
    const r = await resire(rest, { ...o, volume: volumeShape(series), step: 1.5 });
    const found = await refineAngles(selectViews(series, out), r.volume, r.shape, stepDeg, o.signal);
    out.forEach((view, k) => {
      poses.set(found.poses.subarray(9 * k, 9 * k + 9), 9 * view);
    });
    squares += found.changeDeg ** 2 * out.length;
  }
  return { poses, changeDeg: Math.sqrt(squares / views) };
}

/**
 * Small rotations of each view (about the view's own x, y and z axes) that lower its residual against a volume: for each axis the residual at −step, 0, +step,
 * and the least of the parabola through them, which is kept if it is lower.
 */
export async function refineAngles(
  series: TiltSeries,
  volume: Float32Array,
  shape: readonly [number, number, number],
  stepDeg: number,
  signal?: AbortSignal,
): Promise<{ readonly poses: Poses; readonly changeDeg: number }> {
  const [views, ny, nx] = series.shape,
    size = ny * nx,
    step = (stepDeg * Math.PI) / 180;
  let poses = series.poses.slice();
  // Frequencies that are noise in one view would only pull at random.
  const smooth = (stack: Float32Array): Float32Array => {
    const to = new Float32Array(stack.length);
    for (let p = 0; p < views; p++)
      to.set(gaussianFilter({ data: stack.subarray(p * size, (p + 1) * size), shape: [ny, nx] }, 1).data, p * size);
    return to;
  };
  const data = smooth(series.projections);
  const cost = (trial: Poses): Float64Array => {
    const p = projector({ volume: shape, detector: [ny, nx], poses: trial });
    const f = smooth(p.forward(volume) as Float32Array);
    p.free();
    return Float64Array.from({ length: views }, (_, k) => {
      // The scale between view and model is free: a dose error must not turn the view.
      let [dm, mm, dd] = [0, 0, 0];
      for (let i = k * size; i < (k + 1) * size; i++) {
        dm += data[i]! * f[i]!;
        mm += f[i]! ** 2;
        dd += data[i]! ** 2;
      }
      return dd - (mm > 0 ? (dm * dm) / mm : 0);
    });
  };
  const turned = (from: Poses, axis: number, angles: (p: number) => number): Poses => {
    const out = from.slice();
    for (let p = 0; p < views; p++) {
      const angle = angles(p),
        [c, s] = [Math.cos(angle), Math.sin(angle)],
        [i, j] = [(axis + 1) % 3, (axis + 2) % 3],
        m = poseMatrix(from, p);
      // R·Rot(axis): columns i and j of R mix.
      for (let r = 0; r < 3; r++) {
        out[9 * p + 3 * r + i] = c * m[(3 * r + i) as 0] + s * m[(3 * r + j) as 0];
        out[9 * p + 3 * r + j] = -s * m[(3 * r + i) as 0] + c * m[(3 * r + j) as 0];
      }
    }
    return out;
  };
  let squares = 0;
  let here = cost(poses);
  for (const axis of [1, 2, 0]) {
    signal?.throwIfAborted();
    const minus = cost(turned(poses, axis, () => -step)),
      plus = cost(turned(poses, axis, () => step));
    const best = here.map((c, p) => {
      const curve = minus[p]! - 2 * c + plus[p]!;
      if (curve > 0) return Math.max(-1.5, Math.min(1.5, (minus[p]! - plus[p]!) / (2 * curve))) * step;
      return minus[p]! < plus[p]! ? -step : step;
    });
    const trial = turned(poses, axis, (p) => best[p]!),
      after = cost(trial);
    const kept = poses.slice();
    for (let p = 0; p < views; p++) {
      if (!(after[p]! < here[p]!)) continue;
      kept.set(trial.subarray(9 * p, 9 * p + 9), 9 * p);
      here[p] = after[p]!;
      squares += best[p]! ** 2;
    }
    poses = kept;
    here = here.slice();
    await new Promise<void>((resume) => setTimeout(resume));
  }
  return { poses, changeDeg: (Math.sqrt(squares / views) * 180) / Math.PI };
}
