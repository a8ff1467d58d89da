import type { Image } from "../core/image.js";
import type { PoolTask } from "../core/pool.js";
import type { FrameGeometry, Instrument, RockingModel } from "../geometry/experiment.js";
import { type LatticePoints, predictSpots } from "../geometry/predict.js";
import {
  type FitSettings,
  type FrameFit,
  type FrameFitter,
  fitColumn,
  type IntegrateKernels,
  type Prepared,
} from "../kernels/integrate.js";
import { COLUMNS } from "../kernels/js/integrate.js";
import { type FrameIntensities, intensityFlags } from "./frame-intensities.js";
import { type FrameShift, fitFrameShift, noShift, shiftAt } from "./frame-shift.js";
import type { Ring } from "./ice.js";
import { maskBits, withSaturation } from "./mask.js";
import type { SpotStamp } from "./profile-learn.js";
import { paddedSize, profileCell, type SpotProfiles } from "./profiles.js";

/** What the frames of a series have in common for the integration. */
export interface FrameTask {
  readonly instrument: Instrument;
  readonly rocking: RockingModel;
  /** Lattice points of the crystal, then those of other lattices, which are fitted as neighbours and not given out. */
  readonly points: readonly LatticePoints[];
  readonly fit: FitSettings;
  readonly diameter: number;
  readonly saturation: number;
  readonly mask: Uint8Array | undefined;
  readonly minRadius: number;
  readonly maxRadius: number;
  /** Spots are predicted as far as this many widths of the rocking curve from the sphere. */
  readonly reach: number;
  readonly iterations: number;
  readonly iceRings: readonly Ring[];
  readonly recentre: boolean;
  readonly kernels: IntegrateKernels;
}

/** Spots of one frame to be fitted; `own` of them belong to the crystal and come first. */
interface FrameSpotList {
  readonly own: number;
  readonly hkl: Int32Array;
  readonly g: Float64Array;
  readonly sg: Float64Array;
  readonly halfRange: Float64Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly which: Int32Array;
  readonly nearest: Int32Array;
  readonly distance: Float64Array;
}

/** Yields each piece of work that the kernels are to do, and goes on when it is done: here at once, or with those of other frames in a pool. */
export type Work<T> = Generator<PoolTask, T, void>;
function* ready<T>(prepared: Prepared<T>): Work<T> {
  yield prepared.task;
  return prepared.finish();
}
/** All of it in this thread. */
export function worked<T>(kernels: Pick<IntegrateKernels, "run">, work: Work<T>): T {
  for (;;) {
    const s = work.next();
    if (s.done) return s.value;
    kernels.run(s.value);
  }
}

/** Result of one frame. */
export interface FrameResult {
  readonly intensities: FrameIntensities;
  readonly shift: FrameShift;
  /** Strong, undisturbed spots cut out to learn profiles from, when asked for. */
  readonly stamps: readonly SpotStamp[];
}

/** Spots that are listed as strong, for shifts and profiles. */
const STRONG = 12;

/**
 * Intensities of one frame: predicted spots are fitted where the geometry has them, strong ones show how far the pattern is displaced, and all
 * are fitted again at the corrected places; strong ones each at their own, as far as their position is better known than the frame's.
 */
export function* integrateFrameWork(
  image: Image<Float32Array>,
  frame: FrameGeometry,
  index: number,
  profiles: SpotProfiles,
  task: FrameTask,
  learn = false,
): Work<FrameResult> {
  const [ny, nx] = image.shape,
    mask = Number.isFinite(task.saturation) ? withSaturation(image, task.saturation, task.mask) : task.mask;
  const list = predicted(frame, profiles, task);
  const size = paddedSize(profiles.radius),
    coef = profiles.coefficients;
  const fitter = task.kernels.frame(image.data, mask, ny, nx, task.fit);
  try {
    let { x, y } = list,
      shift = noShift;
    if (task.recentre && list.own > 0) {
      const moved = yield* displaced(fitter, list, profiles, frame, task);
      ({ x, y, shift } = moved);
    }
    const result = yield* ready(fitter.fit(coef, size, x, y, list.which, task.iterations));
    return {
      intensities: table(result, list, x, y, index, task),
      shift,
      stamps: learn ? yield* cutOut(image, mask, result, list, x, y, profiles, task) : [],
    };
  } finally {
    fitter.close();
  }
}

function predicted(frame: FrameGeometry, profiles: SpotProfiles, task: FrameTask): FrameSpotList {
  const { instrument, rocking, reach } = task;
  const [cx, cy] = frame.centrePx ?? instrument.detector.centrePx;
  const lists = task.points.map((points) => ({ points, spots: predictSpots(points, instrument, frame, { rocking, cut: reach }) }));
  const hkl: number[] = [],
    g: number[] = [],
    sg: number[] = [],
    half: number[] = [],
    x: number[] = [],
    y: number[] = [];
  let own = 0;
  lists.forEach(({ points, spots }, lattice) => {
    for (let i = 0; i < spots.size; i++) {
      const px = spots.px[2 * i]!,
        py = spots.px[2 * i + 1]!,
        r = Math.hypot(px - cx, py - cy);
      if (r < task.minRadius || r > task.maxRadius) continue;
      hkl.push(spots.hkl[3 * i]!, spots.hkl[3 * i + 1]!, spots.hkl[3 * i + 2]!);
      g.push(Math.sqrt(points.g2[spots.point[i]!]!));
      sg.push(spots.sg[i]!);
      half.push(spots.halfRange[i]!);
      x.push(px);
      y.push(py);
    }
    if (lattice === 0) own = x.length;
  });
  const { nearest, distance } = neighbours(x, y, 2 * task.diameter);
  return {
    own,
    hkl: Int32Array.from(hkl),
    g: Float64Array.from(g),
    sg: Float64Array.from(sg),
    halfRange: Float64Array.from(half),
    x: Float64Array.from(x),
    y: Float64Array.from(y),
    which: Int32Array.from(x, (v, i) => profileCell(profiles, v - cx, y[i]! - cy)),
    nearest,
    distance,
  };
}

/** Nearest other spot within `reach` px (−1: none) and its distance. */
function neighbours(x: readonly number[], y: readonly number[], reach: number): { nearest: Int32Array; distance: Float64Array } {
  const grid = new Map<number, number[]>(),
    key = (a: number, b: number): number => a * 65536 + b,
    nearest = new Int32Array(x.length).fill(-1),
    distance = new Float64Array(x.length).fill(Number.POSITIVE_INFINITY);
  x.forEach((v, i) => {
    const k = key(Math.floor(v / reach) + 1, Math.floor(y[i]! / reach) + 1),
      cell = grid.get(k);
    if (cell) cell.push(i);
    else grid.set(k, [i]);
  });
  x.forEach((v, i) => {
    const a = Math.floor(v / reach) + 1,
      b = Math.floor(y[i]! / reach) + 1;
    for (let p = a - 1; p <= a + 1; p++)
      for (let q = b - 1; q <= b + 1; q++)
        for (const j of grid.get(key(p, q)) ?? []) {
          if (j === i) continue;
          const d = Math.hypot(v - x[j]!, y[i]! - y[j]!);
          if (d < distance[i]! && d <= reach) {
            distance[i] = d;
            nearest[i] = j;
          }
        }
  });
  return { nearest, distance };
}

/** Strong spots without a fault, strongest first; `minCoverage` of their profile on pixels that agree. */
function strongSpots(fit: FrameFit, list: FrameSpotList, task: FrameTask, most: number, minCoverage: number): Int32Array {
  const { out, flags } = fit,
    snr = (i: number): number => out[COLUMNS * i]! / Math.sqrt(out[COLUMNS * i + fitColumn.variance]!);
  const good: number[] = [];
  for (let i = 0; i < list.own; i++) {
    const o = COLUMNS * i;
    if (!(out[o + fitColumn.variance]! > 0) || !(snr(i) > STRONG) || flags[i] !== 0 || out[o + fitColumn.coverage]! < minCoverage) continue;
    const j = list.nearest[i]!;
    // A neighbour that is strong beside this one pulls it.
    if (j >= 0 && list.distance[i]! < 1.25 * task.diameter && out[COLUMNS * j]! > 0.2 * out[o]!) continue;
    good.push(i);
  }
  return Int32Array.from(good.sort((a, b) => snr(b) - snr(a) || a - b).slice(0, most));
}

function* displaced(
  fitter: FrameFitter,
  list: FrameSpotList,
  profiles: SpotProfiles,
  frame: FrameGeometry,
  task: FrameTask,
): Work<{ x: Float64Array; y: Float64Array; shift: FrameShift }> {
  const size = paddedSize(profiles.radius),
    coef = profiles.coefficients,
    [cx, cy] = frame.centrePx ?? task.instrument.detector.centrePx;
  let { x, y } = list,
    shift = noShift;
  for (let round = 0; round < 4; round++) {
    const fit = yield* ready(fitter.fit(coef, size, x, y, list.which, 2)),
      // A spot far from its place has many pixels that disagree.
      strong = strongSpots(fit, list, task, 300, 0.4);
    if (strong.length < 3) return { x, y, shift };
    const moved = yield* ready(fitter.shifts(coef, size, x, y, list.which, strong, fit.out));
    const before = shift,
      found = fitFrameShift(strong, list.x, list.y, x, y, moved, [cx, cy], task.diameter);
    if (found === undefined) return { x, y, shift };
    shift = found;
    x = list.x.map((v, i) => v + shiftAt(shift, v - cx, list.y[i]! - cy)[0]);
    y = list.y.map((v, i) => v + shiftAt(shift, list.x[i]! - cx, v - cy)[1]);
    if (Math.hypot(shift.dx - before.dx, shift.dy - before.dy) < 0.05) {
      // The strongest stand where they are seen, weighted with what the frame says.
      const s2 = shift.scatter ** 2;
      strong.forEach((i, n) => {
        const vx = moved[4 * n + 2]!,
          vy = moved[4 * n + 3]!;
        if (!(vx > 0 && vy > 0)) return;
        const sx = moved[4 * n]! - (x[i]! - list.x[i]! - shiftAt(before, list.x[i]! - cx, list.y[i]! - cy)[0]),
          sy = moved[4 * n + 1]! - (y[i]! - list.y[i]! - shiftAt(before, list.x[i]! - cx, list.y[i]! - cy)[1]);
        if (Math.hypot(sx, sy) > Math.max(0.3, 4 * shift.scatter)) return;
        x[i]! += (sx * s2) / (s2 + vx);
        y[i]! += (sy * s2) / (s2 + vy);
      });
      break;
    }
  }
  return { x, y, shift };
}

function table(
  { out, flags }: FrameFit,
  list: FrameSpotList,
  x: Float64Array,
  y: Float64Array,
  index: number,
  task: FrameTask,
): FrameIntensities {
  const n = list.own,
    column = (c: number): Float64Array => Float64Array.from({ length: n }, (_, i) => out[COLUMNS * i + c]!);
  const variance = column(fitColumn.variance),
    intensity = column(0),
    correlation = column(fitColumn.correlation),
    sigma = variance.map((v) => (v > 0 ? Math.sqrt(v) : Number.NaN));
  const bits = new Uint16Array(n);
  for (let i = 0; i < n; i++) {
    const met = flags[i]!,
      o = COLUMNS * i;
    if (met & (maskBits.bad | maskBits.beamStop)) bits[i]! |= intensityFlags.masked;
    if (met & maskBits.saturated) bits[i]! |= intensityFlags.saturated;
    if (met & maskBits.outside) bits[i]! |= intensityFlags.edge;
    if (met & maskBits.iceRing || task.iceRings.some((r) => list.g[i]! >= r.inner && list.g[i]! <= r.outer))
      bits[i]! |= intensityFlags.iceRing;
    if (out[o + fitColumn.backgroundPixels]! < 25) bits[i]! |= intensityFlags.noBackground;
    const j = list.nearest[i]!;
    if (j >= 0 && list.distance[i]! < task.diameter / 2) {
      const other = out[COLUMNS * j]!;
      if (other > 3 * Math.sqrt(Math.max(0, out[COLUMNS * j + 1]!)) && other > 0.05 * intensity[i]!) bits[i]! |= intensityFlags.overlap;
    }
    if (intensity[i]! > 20 * sigma[i]! && correlation[i]! < 0.7) bits[i]! |= intensityFlags.misfit;
    if (!(variance[i]! > 0)) intensity[i] = Number.NaN;
  }
  const sumVariance = column(fitColumn.sumVariance);
  return {
    size: n,
    frame: new Int32Array(n).fill(index),
    hkl: list.hkl.slice(0, 3 * n),
    px: Float64Array.from({ length: 2 * n }, (_, i) => (i & 1 ? y : x)[i >> 1]!),
    g: list.g.slice(0, n),
    sg: list.sg.slice(0, n),
    halfRange: list.halfRange.slice(0, n),
    intensity,
    sigma,
    sum: column(fitColumn.sum),
    sumSigma: sumVariance.map((v) => Math.sqrt(Math.max(0, v))),
    background: column(fitColumn.level),
    coverage: column(fitColumn.coverage),
    correlation,
    flags: bits,
  };
}

/** Strong spots without faults as counts above background and neighbours. */
function* cutOut(
  { data, shape: [ny, nx] }: Image<Float32Array>,
  mask: Uint8Array | undefined,
  fit: FrameFit,
  list: FrameSpotList,
  xs: Float64Array,
  ys: Float64Array,
  profiles: SpotProfiles,
  task: FrameTask,
): Work<SpotStamp[]> {
  const strong = strongSpots(fit, list, task, 60, 0.95);
  if (strong.length === 0) return [];
  const padded = paddedSize(profiles.radius),
    s = padded - 3,
    reach = (s - 4) / 2 + 1;
  const model = fit.model(),
    at = (a: Float64Array): Float64Array => Float64Array.from(strong, (i) => a[i]!),
    own = yield* ready(
      task.kernels.stamps(
        profiles.coefficients,
        padded,
        at(xs),
        at(ys),
        Int32Array.from(strong, (i) => list.which[i]!),
      ),
    );
  return Array.from(strong, (i, n) => {
    const x = xs[i]!,
      y = ys[i]!,
      o = COLUMNS * i,
      ox = Math.floor(x) - reach,
      oy = Math.floor(y) - reach,
      I = fit.out[o]!,
      counts = new Float32Array(s * s),
      variance = new Float32Array(s * s);
    for (let m = 0; m < s; m++)
      for (let k = 0; k < s; k++) {
        const px = ox + k,
          py = oy + m,
          q = py * nx + px;
        if (px < 0 || py < 0 || px >= nx || py >= ny || (mask && mask[q] !== 0)) continue;
        const P = own[n * s * s + m * s + k]!,
          level = fit.out[o + fitColumn.level]! + fit.out[o + 14]! * (px - x) + fit.out[o + 15]! * (py - y),
          others = model[q]! - I * P;
        counts[m * s + k] = data[q]! - level - others;
        variance[m * s + k] = task.fit.gain * Math.max(level + Math.max(0, others) + I * Math.max(P, 0), 0.05) + task.fit.psi;
        // Where a neighbour is as strong as this spot, its own misfit counts.
        variance[m * s + k]! += (0.1 * others) ** 2;
      }
    return { cell: list.which[i]!, size: s, corner: [ox, oy] as const, counts, variance, x, y, intensity: I };
  });
}
