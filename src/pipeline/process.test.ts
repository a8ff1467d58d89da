import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { detector } from "../geometry/detector.js";
import type { FrameSource } from "../io/frames.js";
import { errorsAgainst } from "../testing/processing-truth.js";
import { type ProcessingRecord, processSeries, type SeriesDescription } from "./process.js";
import { simulateSeries } from "./simulate.js";
import { trigonalCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

/** Quartz, 75 continuous frames of 256²: small enough for every test run. */
function small() {
  const { options, seed } = trigonalCase();
  const simulation = simulateSeries(
    {
      ...options,
      instrument: {
        ...options.instrument,
        detector: detector({ nx: 256, ny: 256, invAngstromPerPixel: 0.0124, centrePx: [126.4, 130.2] }),
        exposure: { kind: "continuous", halfWidthDeg: 0.4 },
      },
      alphaStartDeg: -37,
      frames: 75,
      gMax: 1.5,
    },
    rng(seed),
  );
  const { instrument, nominal } = simulation;
  const series: SeriesDescription = {
    wavelength: instrument.beam.wavelength,
    invAngstromPerPixel: instrument.detector.invAngstromPerPixel,
    alphaDeg: nominal.map((f) => f.alphaDeg),
    exposure: instrument.exposure,
  };
  return { simulation, series, options };
}

describe("a small series from frames to orientations", () => {
  const { simulation, series, options } = small();
  let record: ProcessingRecord | undefined;
  const notes: string[] = [];
  const done: number[] = [];
  const processed = async (): Promise<ProcessingRecord> => {
    record ??= await processSeries(simulationSource(simulation), series, {
      onProgress: (p) => {
        done.push(p.done / p.total);
        notes.push(p.note);
      },
    });
    return record;
  };

  test("cell, axis with its sense, and orientations of the frames", async () => {
    const r = await processed();
    const e = errorsAgainst(
      { ub: options.crystals[0]!.ub, simulation, omegaDeg: options.omegaDeg },
      { ub: r.ub, geometry: r.geometry, omegaDeg: r.omegaDeg, nominal: r.indexing.frames },
    );
    console.log(
      `small series: cell ${(100 * e.cellLength).toFixed(3)} %, axis ${e.axisDeg.toFixed(3)}°, frames ${e.frameRmsDeg.toFixed(3)}° rms, ` +
        `${(100 * r.indexed.fraction).toFixed(1)} % of ${r.indexing.maxima.size} maxima indexed`,
    );
    expect(r.lattice.bravais).toBe("hP");
    expect(e.sameLattice).toBe(true);
    // Pixels twice as coarse as in the full series and half the frames: limits twice as wide as there.
    expect(e.cellLength).toBeLessThan(2e-3);
    expect(Math.abs(e.axisDeg)).toBeLessThan(0.1);
    expect(e.frameRmsDeg).toBeLessThan(0.06);
    expect(r.indexed.fraction).toBeGreaterThan(0.9);
  });

  test("the record is complete and plain data", async () => {
    const r = await processed();
    expect(r.frames.length).toBe(75);
    expect(r.geometry.length).toBe(75);
    expect(r.centres.x.length).toBe(75);
    expect(r.vectors.length).toBe(3 * r.indexing.maxima.size);
    // Found centres follow the walk of the beam.
    const off = simulation.truth.map((f, i) => Math.hypot(r.centres.x[i]! - f.centrePx![0], r.centres.y[i]! - f.centrePx![1]));
    expect(off.sort((a, b) => a - b)[37]!).toBeLessThan(0.15);
    expect(() => structuredClone({ ...r, cell: undefined })).not.toThrow();
  });

  test("progress goes from nothing to all and says what is done", async () => {
    await processed();
    for (let i = 1; i < done.length; i++) expect(done[i]!).toBeGreaterThanOrEqual(done[i - 1]! - 1e-9);
    expect(done[0]!).toBeLessThan(0.02);
    expect(done.at(-1)!).toBeGreaterThan(0.98);
    expect(done.at(-1)!).toBeLessThanOrEqual(1);
    expect(notes.some((n) => n.startsWith("spots of frame 75 of 75"))).toBe(true);
  });
});

describe("abort", () => {
  const { simulation, series } = small();
  test.each([
    ["while spots are searched", (n: string) => n.startsWith("spots of frame 3")],
    ["after the spot search", (n: string) => n.includes("3-D maxima")],
  ])("%s: rejects with the reason and reads no further frame", async (_, when) => {
    const control = new AbortController(),
      source = simulationSource(simulation);
    let reads = 0,
      readsAtAbort = 0;
    const counted: FrameSource = {
      ...source,
      read: (i, signal) => {
        reads++;
        return source.read(i, signal);
      },
    };
    const running = processSeries(counted, series, {
      signal: control.signal,
      onProgress: (p) => {
        if (!control.signal.aborted && when(p.note)) {
          readsAtAbort = reads;
          control.abort(new Error("enough"));
        }
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(reads).toBe(readsAtAbort);
  });
  test("before it starts", async () => {
    const source = simulationSource(simulation);
    await expect(processSeries(source, series, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow("no");
  });
});

describe("contradictory input is named, before any frame is read", () => {
  const { simulation, series } = small();
  const unread: FrameSource = { ...simulationSource(simulation), read: () => Promise.reject(new Error("a frame was read")) };
  test.each<[string, Partial<SeriesDescription>, string, RegExp]>([
    ["too few angles", { alphaDeg: series.alphaDeg.slice(1) }, "bad-shape", /one tilt angle per frame/],
    ["angles in radians", { alphaDeg: series.alphaDeg.map((a) => (a * Math.PI) / 180) }, "bad-value", /radians/],
    ["an angle that is no number", { alphaDeg: series.alphaDeg.map((a, i) => (i === 7 ? Number.NaN : a)) }, "bad-value", /angle/],
    ["wavelength missing", { wavelength: Number.NaN }, "bad-value", /wavelength is missing/],
    ["wavelength in picometres", { wavelength: 2.508 }, "bad-value", /picometres/],
    ["kilovolts for a wavelength", { wavelength: 200 }, "bad-value", /kilovolts/],
    ["no pixel size", { invAngstromPerPixel: 0 }, "bad-value", /Å⁻¹/],
  ])("%s", async (_, wrong, code, message) => {
    const e = await processSeries(unread, { ...series, ...wrong }).catch((x: unknown) => x);
    expect(isSdkError(e), String(e)).toBe(true);
    expect(isSdkError(e) && e.code).toBe(code);
    expect(String(e)).toMatch(message);
  });

  // Whether a pixel size can be true shows in how far the spots reach: known after the spot search.
  test.each([
    ["nm⁻¹", 0.124, /nm⁻¹ per pixel, try a tenth/],
    ["the sampling of an image or mm", 0.0005, /Å⁻¹ per pixel, not Å or mm/],
  ])("pixel size in %s", async (_, invAngstromPerPixel, message) => {
    const source = simulationSource(simulation);
    const few: FrameSource = { ...source, shape: [12, source.shape[1], source.shape[2]] };
    const e = await processSeries(few, { ...series, alphaDeg: series.alphaDeg.slice(0, 12), invAngstromPerPixel }).catch((x: unknown) => x);
    expect(isSdkError(e, "bad-value"), String(e)).toBe(true);
    expect(String(e)).toMatch(message);
  });
});
