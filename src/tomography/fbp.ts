import { fail } from "../core/errors.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { type ProjectorPlan, projectorPlan } from "./projector-plan.js";
import { type Reconstruction, type ReconstructOptions, volumeShape } from "./reconstruction.js";
import { runner } from "./runner.js";
import { type TiltSeries, withoutMasked } from "./tilt-series.js";

export interface FbpOptions extends Pick<ReconstructOptions, "volume" | "workers" | "kernels" | "signal" | "onProgress" | "positive"> {
  /** Window on the ramp: "ramp" none, "hann" and "shepp-logan" damp high frequencies. Default "ramp". */
  readonly window?: "ramp" | "hann" | "shepp-logan" | undefined;
}

const windows = {
  ramp: () => 1,
  hann: (f: number) => 0.5 * (1 + Math.cos(2 * Math.PI * f)),
  "shepp-logan": (f: number) => (f === 0 ? 1 : Math.sin(Math.PI * f) / (Math.PI * f)),
} as const;

/** Tilt of each view about its mean axis (columns of R: the beam in the object), radians, and the axis's direction in the image. */
function geometryOf(poses: Float64Array): { tilt: Float64Array; axis: number } {
  const views = poses.length / 9;
  // The axis is the direction to which all beams are normal: smallest principal direction of Σ d dᵀ, here within the x–y plane.
  let xx = 0,
    xy = 0,
    yy = 0;
  for (let p = 0; p < views; p++) {
    const [dx, dy] = [poses[9 * p + 2]!, poses[9 * p + 5]!];
    xx += dx * dx;
    xy += dx * dy;
    yy += dy * dy;
  }
  const across = xx + yy < 1e-12 ? 0 : Math.atan2(2 * xy, xx - yy) / 2; // direction in which the beam swings
  const tilt = Float64Array.from({ length: views }, (_, p) =>
    Math.atan2(poses[9 * p + 2]! * Math.cos(across) + poses[9 * p + 5]! * Math.sin(across), poses[9 * p + 8]!),
  );
  return { tilt, axis: across + Math.PI / 2 };
}

/** Angle that each view stands for, radians: half the way to its neighbours, on a circle of π; at the ends of a wedge half the mean step beyond. */
export function angularWeights(tilt: Float64Array): Float64Array {
  const n = tilt.length;
  if (n === 1) return Float64Array.of(Math.PI);
  const folded = Array.from(tilt, (t, i) => [((t % Math.PI) + Math.PI) % Math.PI, i] as const).sort((a, b) => a[0] - b[0]);
  const gaps = folded.map(([t], k) => (k + 1 < n ? folded[k + 1]![0] - t : folded[0]![0] + Math.PI - t));
  // A gap much wider than the others is the missing wedge: it belongs to nobody.
  const sorted = [...gaps].sort((a, b) => a - b),
    usual = sorted[Math.floor((n - 1) / 2)]!;
  const own = gaps.map((g) => Math.min(g, 3 * Math.max(usual, Math.PI / (4 * n))));
  const out = new Float64Array(n);
  folded.forEach(([, i], k) => {
    out[i] = (own[k]! + own[(k + n - 1) % n]!) / 2;
  });
  return out;
}

/**
 * Filtered back projection: each view is filtered across the tilt axis by the band-limited ramp |f|, weighted by the angle it stands for and
 * smeared back. For poses out of one axis the same filter about their mean axis (weighted back projection). No constraint, one pass.
 * @see Kak & Slaney, Principles of Computerized Tomographic Imaging (1988) §3.3; the ramp is sampled in real space, so the mean is right
 */
export async function fbp(series: TiltSeries, options: FbpOptions = {}): Promise<Reconstruction> {
  const { window = "ramp", positive = false, signal, onProgress } = options;
  if (!(window in windows)) fail("bad-value", { window }, `windows: ${Object.keys(windows).join(", ")}`);
  const volume = volumeShape(series, options.volume),
    [views, ny, nx] = series.shape;
  const run = await runner({ workers: volume[0] * volume[1] * volume[2] < 32 ** 3 ? 1 : options.workers, kernels: options.kernels });
  try {
    const plan: ProjectorPlan = projectorPlan({
      volume,
      detector: [ny, nx],
      poses: series.poses,
      shifts: series.shifts,
      arena: run.arena,
      kernels: options.kernels,
      weights: "linear",
    });
    const data = plan.allocViews(),
      vol = plan.allocVolume();
    plan.putViews(data, filtered(series, windows[window]));
    const tasks = Array.from({ length: plan.blocks }, (_, b) =>
      Array.from({ length: plan.nz }, (_, z) => [plan.adjoint(plan.planeAt(vol, b, z), data, b, z)]),
    ).flat();
    await run.run(tasks, signal);
    const out = new Float32Array(volume[0] * volume[1] * volume[2]);
    plan.getVolume(vol, out);
    if (positive) for (let i = 0; i < out.length; i++) out[i] = Math.max(0, out[i]!);
    onProgress?.({ done: 1, total: 1, note: `FBP of ${views} views` });
    return {
      volume: out,
      shape: volume,
      method: "fbp",
      status: "finished",
      iterations: 1,
      figures: {},
      curves: {},
      warnings: [],
      memoryBytes: run.arena.memory.buffer.byteLength,
    };
  } finally {
    await run.close();
  }
}

function filtered(series: TiltSeries, window: (f: number) => number): Float32Array {
  const [views, ny, nx] = series.shape,
    { tilt, axis } = geometryOf(series.poses),
    weights = angularWeights(tilt);
  // Filter along the direction across the axis; along an edge of the image one row needs no room of the other direction.
  const across = axis - Math.PI / 2,
    [my, mx] = [2 * ny, 2 * nx];
  const plan = fftPlan({ shape: [my, mx], type: "c64" });
  const ramp = rampTransform(Math.max(my, mx));
  const pixels = withoutMasked(series),
    out = new Float32Array(pixels.length);
  for (let p = 0; p < views; p++) {
    const a = plan.data().fill(0);
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) a[2 * (y * mx + x)] = pixels[(p * ny + y) * nx + x]!;
    plan.forward();
    for (let y = 0, i = 0; y < my; y++)
      for (let x = 0; x < mx; x++, i += 2) {
        const f = Math.abs(((x < mx / 2 ? x : x - mx) / mx) * Math.cos(across) + ((y < my / 2 ? y : y - my) / my) * Math.sin(across));
        const g = weights[p]! * ramp(f) * window(f);
        a[i]! *= g;
        a[i + 1]! *= g;
      }
    plan.inverse();
    for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) out[(p * ny + y) * nx + x] = a[2 * (y * mx + x)]!;
  }
  plan.free();
  return out;
}

/** Transform of the ramp sampled in real space (1/4 at 0, −1/(πk)² at odd k, |k| < m/2) at a frequency in cycles per pixel. */
function rampTransform(m: number): (f: number) => number {
  const samples = new Float64Array(m / 2 + 1);
  for (let j = 0; j <= m / 2; j++) {
    let s = 0.25;
    for (let k = 1; k < m / 2; k += 2) s -= (2 * Math.cos((2 * Math.PI * j * k) / m)) / (Math.PI * k) ** 2;
    samples[j] = s;
  }
  return (f) => {
    const at = Math.min(m / 2, f * m),
      i = Math.min(m / 2 - 1, Math.floor(at));
    return samples[i]! + (at - i) * (samples[i + 1]! - samples[i]!);
  };
}
