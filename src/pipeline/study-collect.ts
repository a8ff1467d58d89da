import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import type { FrameGeometry, Instrument } from "../geometry/experiment.js";
import { seriesFramesSteps } from "../integration/frame-orientation-series.js";
import { type IntegratedSeries, integrateSeries } from "../integration/integrate-series.js";
import { findSeriesSpots, type SpotSettings, seriesPeaks } from "../integration/spot-series.js";
import type { FrameSource } from "../io/frames.js";
import { type Simulation, simulateSeries } from "./simulate.js";
import type { DynamicalCase } from "./simulate-cases-dynamical.js";
import type { WaveIntensities } from "./simulate-dynamical.js";
import { simulationSource } from "./simulate-source.js";

/** What a microscope hands over: frames, the angles that it reports, and the exposure of a frame. */
export interface Recorded {
  readonly frames: readonly ArrayLike<number>[];
  readonly nominal: readonly FrameGeometry[];
  readonly instrument: Instrument;
  /** Detector noise of these frames: counts per electron times excess, and read-out variance. */
  readonly noise: { readonly gain: number; readonly psi: number };
}

/** Simulated frames as a camera writes them. */
export function record(c: DynamicalCase, waves: WaveIntensities): Recorded & { readonly simulation: Simulation } {
  const simulation = simulateSeries({ ...c.options, waves }, rng(c.seed)),
    { gain, cascade, psi } = simulation.camera;
  const frames = Array.from({ length: simulation.shape[0] }, (_, i) => Uint16Array.from(simulation.frame(i).data));
  return { simulation, frames, nominal: simulation.nominal, instrument: simulation.instrument, noise: { gain: gain * cascade, psi } };
}

export interface Processed {
  readonly series: IntegratedSeries;
  /** Processor seconds: peak search, lattice and angles, integration. */
  readonly cpu: readonly [peaks: number, angles: number, integration: number];
}

export const cpuSeconds = (): number => process.cpuUsage().user / 1e6;

/** Frames in memory as a source. */
export const framesSource = (like: Simulation, frames: readonly ArrayLike<number>[]): FrameSource => ({
  ...simulationSource(like),
  shape: [frames.length, like.shape[1], like.shape[2]],
  read: async (i: number) => ({ data: Float32Array.from(frames[i]!), shape: [like.shape[1], like.shape[2]] }),
});

/**
 * Spots, then lattice and angles of every frame from what was reported, then intensities to 0.8 Å, as a measured series is processed. Known are
 * the cell, the orientation of the crystal to begin with, and the noise.
 */
export async function processed(r: Recorded, like: Simulation, c: DynamicalCase, given: SpotSettings): Promise<Processed> {
  const source = framesSource(like, r.frames),
    settings = { ...given, noise: r.noise },
    t0 = cpuSeconds();
  const spots = await findSeriesSpots(source, settings),
    t1 = cpuSeconds(),
    peaks = seriesPeaks(
      spots,
      r.nominal.map((f) => f.alphaDeg),
    );
  const start = r.nominal.map((f, i): FrameGeometry => ({ ...f, centrePx: [spots[i]!.centre.x, spots[i]!.centre.y] }));
  const lattice = { system: "hexagonal", cell: c.crystal.cell } as const;
  const { ub, frames, rocking } = runSync(seriesFramesSteps(peaks, c.options.crystals[0]!.ub, r.instrument, start, { lattice }));
  const t2 = cpuSeconds();
  const { rcWidth, mosaicityDeg } = rocking;
  const series = await integrateSeries(
    source,
    { ub, instrument: r.instrument, geometry: frames, rocking: { rcWidth, mosaicityDeg }, centring: "R", settings },
    { dMin: 0.8 },
  );
  return { series, cpu: [t1 - t0, t2 - t1, cpuSeconds() - t2] };
}

/** Rms of α and β against the truth apart from what all frames have in common, degrees. */
export function anglesApart(a: readonly FrameGeometry[], b: readonly FrameGeometry[]): number {
  const variance = (d: readonly number[]): number => {
    const mean = d.reduce((s, v) => s + v, 0) / d.length;
    return d.reduce((s, v) => s + (v - mean) ** 2, 0) / d.length;
  };
  return Math.sqrt((variance(a.map((f, i) => f.alphaDeg - b[i]!.alphaDeg)) + variance(a.map((f, i) => f.betaDeg - b[i]!.betaDeg))) / 2);
}

/** True counts of every row of the intensities: electrons of the drawn spot times the gain. */
export function trueCounts(s: IntegratedSeries, simulation: Simulation): Float64Array {
  const truth = new Map<string, number>(),
    t = s.intensities,
    key = (f: number, hkl: Int32Array, i: number): string => `${f}:${hkl[3 * i]},${hkl[3 * i + 1]},${hkl[3 * i + 2]}`;
  for (let f = 0; f < simulation.shape[0]; f++) {
    const spots = simulation.spots(f);
    for (let i = 0; i < spots.size; i++) truth.set(key(f, spots.hkl, i), spots.electrons[i]! * simulation.camera.gain);
  }
  return Float64Array.from({ length: t.size }, (_, i) => truth.get(key(t.frame[i]!, t.hkl, i)) ?? 0);
}

/** Correlation of unflagged intensities above 10 σ with the truth. */
export function truthCorrelation({ intensities: t }: IntegratedSeries, truth: Float64Array): number {
  const rows = [...Array(t.size).keys()].filter((i) => t.flags[i] === 0 && t.intensity[i]! > 10 * t.sigma[i]!),
    mean = (a: Float64Array): number => rows.reduce((s, i) => s + a[i]!, 0) / rows.length,
    [ma, mb] = [mean(t.intensity), mean(truth)];
  let aa = 0,
    bb = 0,
    ab = 0;
  for (const i of rows) {
    const a = t.intensity[i]! - ma,
      b = truth[i]! - mb;
    aa += a * a;
    bb += b * b;
    ab += a * b;
  }
  return ab / Math.sqrt(aa * bb);
}
