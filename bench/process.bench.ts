import { rng } from "../src/core/rng.js";
import { findSeriesSpots, indexingSteps, seriesFramesSteps, seriesPeaks, suggestSpotSettings } from "../src/integration/index.js";
import { framesOf } from "../src/io/frames.js";
import { processSeries } from "../src/pipeline/process.js";
import { simulateSeries } from "../src/pipeline/simulate.js";
import { triclinicCase } from "../src/pipeline/simulate-cases.js";
import type { Report } from "./harness.js";

const seconds = async <T>(body: () => T | Promise<T>): Promise<[ms: number, value: T]> => {
  const t = performance.now(),
    value = await body();
  return [performance.now() - t, value];
};

/** The plainest spot search: mean of a window about every pixel, three standard deviations above it, largest of its neighbours. */
function naive(data: Float32Array, n: number, h: number): number {
  let spots = 0;
  for (let y = h; y < n - h; y++)
    for (let x = h; x < n - h; x++) {
      let sum = 0;
      for (let j = -h; j <= h; j++) for (let i = -h; i <= h; i++) sum += data[(y + j) * n + x + i]!;
      const level = sum / (2 * h + 1) ** 2,
        v = data[y * n + x]!;
      if (v < level + 3 * Math.sqrt(level + 1)) continue;
      let top = true;
      for (let j = -1; j <= 1 && top; j++) for (let i = -1; i <= 1; i++) if (data[(y + j) * n + x + i]! > v) top = false;
      if (top) spots++;
    }
  return spots;
}

/** Albite, 100 frames of 512², by stage; the frames are made before. One run each: the whole takes seconds. */
export async function run(report: Report): Promise<void> {
  const { options, seed } = triclinicCase(),
    frames = 100;
  const simulation = simulateSeries({ ...options, frames, alphaStartDeg: -25 }, rng(seed)),
    { instrument, nominal } = simulation;
  const images = Array.from({ length: frames }, (_, i) => simulation.frame(i));
  const source = framesOf(images, "f32", { format: "memory", facts: { saturation: simulation.camera.saturation } });
  const series = {
    wavelength: instrument.beam.wavelength,
    invAngstromPerPixel: instrument.detector.invAngstromPerPixel,
    alphaDeg: nominal.map((f) => f.alphaDeg),
    exposure: instrument.exposure,
  };

  const [settingsMs, settings] = await seconds(() => suggestSpotSettings(source));
  await findSeriesSpots(framesOf(images.slice(0, 10), "f32", { format: "memory" }), settings); // warm
  const [quarterMs] = await seconds(() => findSeriesSpots(framesOf(images.slice(0, frames / 4), "f32", { format: "memory" }), settings));
  const [spotsMs, found] = await seconds(() => findSeriesSpots(source, settings));
  naive(images[0]!.data, 512, 10);
  const [plainMs] = await seconds(() => images.slice(0, 5).map((f) => naive(f.data, 512, 10)));
  report({
    name: "spots and centre of a 512² frame, in a series",
    ms: spotsMs / frames,
    peer: "plain window search",
    peerMs: plainMs / 5,
    note: "the plain search measures neither intensity nor centre",
  });
  report({ name: `spots of ${frames} frames`, ms: spotsMs, peer: "4 × a quarter", peerMs: 4 * quarterMs, target: "linear: 1.0" });

  const peaks = seriesPeaks(found, series.alphaDeg);
  const [indexMs, indexing] = await seconds(() => {
    const steps = indexingSteps(peaks, { ...series, aperpixel: series.invAngstromPerPixel, size: [512, 512] });
    for (;;) {
      const s = steps.next();
      if (s.done) return s.value;
    }
  });
  report({ name: "indexing, blind", ms: indexMs, note: `${peaks.size} spots, ${indexing.maxima.size} maxima` });
  const [framesMs] = await seconds(() => {
    const steps = seriesFramesSteps(
      peaks,
      indexing.constrained.ub,
      { ...indexing.instrument, exposure: series.exposure },
      indexing.frames,
      {
        lattice: { system: "triclinic" },
      },
    );
    for (;;) {
      const s = steps.next();
      if (s.done) return s.value;
    }
  });
  report({ name: `orientations of ${frames} frames`, ms: framesMs });

  const [allMs] = await seconds(() => processSeries(source, series));
  report({
    name: `the whole chain, ${frames} frames of 512²`,
    ms: allMs,
    peer: "its stages apart",
    peerMs: settingsMs + spotsMs + indexMs + framesMs,
    note: "the rest: Bravais lattice and distortions",
  });
}
