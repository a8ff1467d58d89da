import { fail } from "../core/errors.js";
import { fft, ifft } from "../numerics/fft.js";
import { gaussianFilter } from "../numerics/filters.js";
import { resire } from "./iterative.js";
import { centreIndex } from "./layout.js";
import { type Poses, poseMatrix } from "./poses.js";
import { projector } from "./project.js";
import { volumeShape } from "./reconstruction.js";
import { registrar, shiftViews } from "./shift.js";
import { selectViews, type TiltSeries } from "./tilt-series.js";

export interface AlignOptions {
  /** Rounds of centre of mass and common line before the volume is known. Default 3. */
  readonly rounds?: number | undefined;
  /** Rounds of projection matching: reconstruct, project, register. Default 4; 0 leaves it out. */
  readonly matching?: number | undefined;
  /** Largest step of the angles tried in each round of angular refinement, degrees; 0 (default) leaves poses as they are. Needs `matching`. */
  readonly angleStepDeg?: number | undefined;
  /** Iterations of the reconstruction in each round. Default 30. */
  readonly iterations?: number | undefined;
  /** Leave everything but the region above this fraction of the highest value out of the centre of mass. Default 0.05. */
  readonly threshold?: number | undefined;
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
  /** Rms change of the shifts in each round, pixels, and R1 of the reconstruction where there was one. */
  readonly rounds: readonly { readonly step: string; readonly change: number; readonly r1?: number; readonly angleChangeDeg?: number }[];
}

/**
 * Align the views of an isolated object, background removed: first by the centre of mass across the tilt axis and the common line along
 * it, which need no volume; then by projection matching, and with `angleStepDeg` by a search of each view's three angles, against a
 * reconstruction of all views. Along the axis the profile (sum across the axis) is the same in every view; the centre of mass projects
 * linearly. For poses out of one axis the common lines are those of the mean axis.
 * What no data can tell is fixed: the mean displacement along the axis, and that of an object moved in space (x₀ cos θ − z₀ sin θ).
 */
export async function alignSeries(series: TiltSeries, options: AlignOptions = {}): Promise<Alignment> {
  const { rounds = 3, matching = 4, angleStepDeg = 0, iterations = 30, threshold = 0.05, workers, kernels, signal, onProgress } = options;
  const [views, ny, nx] = series.shape;
  if (views < 3) fail("bad-value", { views }, "an alignment needs at least three views");
  if (angleStepDeg < 0 || angleStepDeg > 10) fail("bad-value", { angleStepDeg }, "the step of the angles is between 0 and 10 degrees");
  if (angleStepDeg > 0 && matching === 0)
    fail("bad-value", { angleStepDeg, matching }, "angles are refined against a volume: allow rounds of matching");
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
  let poses: Poses = series.poses;
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
    log.push({ step: "centre of mass, common line", change: apply(shifts, delta) });
    onProgress?.({ done: round + 1, total, note: `centre of mass, common line: ${log.at(-1)!.change.toFixed(3)} px` });
  }
  for (let round = 0; round < matching; round++) {
    const current: TiltSeries = { ...series, projections: moved().map((v) => Math.max(0, v)), poses };
    const r = await resire(current, { iterations, step: 1.5, workers, kernels, signal });
    const step = angleStepDeg * 0.6 ** round;
    let angleChangeDeg: number | undefined;
    if (angleStepDeg > 0) {
      const found = await refineLeftOut(current, step, { iterations, workers, kernels, signal });
      angleChangeDeg = found.changeDeg;
      poses = found.poses;
    }
    const p = projector({ volume: r.shape, detector: [ny, nx], poses, kernels });
    const model = p.forward(r.volume) as Float32Array;
    p.free();
    const delta = matchShifts(current.projections, model, series.shape, 3);
    withoutGauge(delta, poses);
    log.push({
      step: "projection matching",
      change: apply(shifts, delta),
      r1: r.figures.r1!,
      ...(angleChangeDeg === undefined ? {} : { angleChangeDeg }),
    });
    onProgress?.({
      done: rounds + round + 1,
      total,
      note: `projection matching: ${log.at(-1)!.change.toFixed(3)} px, R1 ${r.figures.r1!.toFixed(4)}`,
    });
  }
  return { series: { ...series, projections: moved(), poses }, shifts, rounds: log };
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

/** Centre of mass of what lies above a fraction of the maximum, from the centre of the image (x, y). */
export function centreOfMass(view: ArrayLike<number>, ny: number, nx: number, threshold: number): readonly [number, number] {
  let top = 0;
  for (let i = 0; i < ny * nx; i++) if (view[i]! > top) top = view[i]!;
  let [s, sx, sy] = [0, 0, 0];
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) {
      const v = view[i]! - threshold * top;
      if (v <= 0) continue;
      s += v;
      sx += v * x;
      sy += v * y;
    }
  return s > 0 ? [sx / s - centreIndex(nx), sy / s - centreIndex(ny)] : [0, 0];
}

/** Shift along the axis that brings each view's profile onto the mean of all the others', pixels; their mean is 0. */
function commonLine(projections: Float32Array, [views, ny, nx]: readonly [number, number, number], axis: "x" | "y"): Float64Array {
  const n = axis === "y" ? ny : nx,
    m = 2 * n;
  const spectra = Array.from({ length: views }, (_, p) => {
    const line = new Float64Array(2 * m);
    for (let y = 0, i = p * ny * nx; y < ny; y++) for (let x = 0; x < nx; x++, i++) line[2 * (axis === "y" ? y : x)]! += projections[i]!;
    let total = 0;
    for (let k = 0; k < n; k++) total += line[2 * k]!;
    for (let k = 0; k < n; k++) line[2 * k]! /= total || 1;
    return fft(line);
  });
  const shifts = new Float64Array(views);
  // Against the running mean of the aligned profiles: twice suffices, the caller goes round again.
  for (let pass = 0; pass < 2; pass++) {
    const mean = new Float64Array(2 * m);
    for (let p = 0; p < views; p++)
      for (let k = 0; k < m; k++) {
        const phase = (-2 * Math.PI * (k <= m / 2 ? k : k - m) * shifts[p]!) / m,
          [c, s] = [Math.cos(phase), Math.sin(phase)],
          [re, im] = [spectra[p]![2 * k]!, spectra[p]![2 * k + 1]!];
        mean[2 * k]! += (re * c - im * s) / views;
        mean[2 * k + 1]! += (re * s + im * c) / views;
      }
    for (let p = 0; p < views; p++) shifts[p] = lineShift(mean, spectra[p]!, m);
    const average = shifts.reduce((a, b) => a + b, 0) / views;
    for (let p = 0; p < views; p++) shifts[p]! -= average;
  }
  return shifts;
}

/** Sub-pixel top of the correlation of two lines, given by their transforms. */
function lineShift(a: Float64Array, b: Float64Array, m: number): number {
  const cross = new Float64Array(2 * m);
  for (let i = 0; i < 2 * m; i += 2) {
    cross[i] = a[i]! * b[i]! + a[i + 1]! * b[i + 1]!;
    cross[i + 1] = a[i + 1]! * b[i]! - a[i]! * b[i + 1]!;
  }
  const c = ifft(cross);
  let best = 0;
  for (let k = 1; k < m; k++) if (c[2 * k]! > c[2 * best]!) best = k;
  let at = best <= m / 2 ? best : best - m;
  const value = (d: number): readonly [slope: number, curve: number] => {
    let [s1, s2] = [0, 0];
    for (let k = 0; k < m; k++) {
      const w = (2 * Math.PI * (k <= m / 2 ? k : k - m)) / m,
        [co, si] = [Math.cos(w * d), Math.sin(w * d)];
      s1 += w * (-cross[2 * k]! * si - cross[2 * k + 1]! * co);
      s2 -= w * w * (cross[2 * k]! * co - cross[2 * k + 1]! * si);
    }
    return [s1, s2];
  };
  // Newton's method on the slope; the start is within half a pixel.
  for (let i = 0; i < 8; i++) {
    const [slope, curve] = value(at);
    if (!(curve < 0)) break;
    const move = Math.max(-0.5, Math.min(0.5, -slope / curve));
    at += move;
    if (Math.abs(move) < 1e-7) break;
  }
  return at;
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

/** Take out of the shifts what a displacement of the object in space explains: least squares of (Rᵀ d)₁₂ with ridge against an axis that no view sees. */
function withoutGauge(delta: Float64Array, poses: Poses): void {
  const views = delta.length / 2,
    a = new Float64Array(9),
    b = new Float64Array(3);
  for (let p = 0; p < views; p++)
    for (let k = 0; k < 2; k++) {
      const row = [0, 1, 2].map((i) => poses[9 * p + 3 * i + k]!);
      for (let i = 0; i < 3; i++) {
        b[i]! += row[i]! * delta[2 * p + k]!;
        for (let j = 0; j < 3; j++) a[3 * i + j]! += row[i]! * row[j]!;
      }
    }
  const ridge = 1e-6 * views;
  for (let i = 0; i < 3; i++) a[4 * i]! += ridge;
  const d = solve3(a, b);
  for (let p = 0; p < views; p++)
    for (let k = 0; k < 2; k++) for (let i = 0; i < 3; i++) delta[2 * p + k]! -= poses[9 * p + 3 * i + k]! * d[i]!;
}

function solve3(a: Float64Array, b: Float64Array): readonly [number, number, number] {
  const det = (m: readonly number[]): number =>
    m[0]! * (m[4]! * m[8]! - m[5]! * m[7]!) - m[1]! * (m[3]! * m[8]! - m[5]! * m[6]!) + m[2]! * (m[3]! * m[7]! - m[4]! * m[6]!);
  const all = Array.from(a),
    d = det(all);
  return [0, 1, 2].map((c) => det(all.map((v, i) => (i % 3 === c ? b[Math.floor(i / 3)]! : v))) / d) as unknown as readonly [
    number,
    number,
    number,
  ];
}

const GROUPS = 4;

/** Angles of each view against a volume of the other views only: a volume that holds the view itself agrees with it as it stands. */
export async function refineLeftOut(
  series: TiltSeries,
  stepDeg: number,
  o: Pick<AlignOptions, "iterations" | "workers" | "kernels" | "signal">,
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
