import { beforeAll, describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { type IntegratedSeries, type IntegrationExperiment, integrateSeries, intensityFlags } from "../integration/index.js";
import { jsIntegrateKernels } from "../kernels/js/integrate.js";
import { simulateSeries } from "./simulate.js";
import { triclinicCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";
import { trueCounts, truthCorrelation } from "./study-collect.js";

const frames = 16;
/** Albite, rotation, all errors of the stage; integrated with the true geometry. */
function setup() {
  const { options, seed } = triclinicCase();
  const simulation = simulateSeries({ ...options, frames, camera: undefined, background: undefined }, rng(seed));
  const experiment: IntegrationExperiment = {
    ub: options.crystals[0]!.ub,
    instrument: simulation.instrument,
    geometry: simulation.truth,
    rocking: options.rocking,
    settings: {
      noise: { gain: 2.5, psi: 1 },
      diameter: 6,
      saturation: 65535,
      mask: undefined,
      minRadius: 16,
      maxRadius: Number.POSITIVE_INFINITY,
    },
  };
  // Frames are made once; readers get copies.
  const made = new Map<number, Float32Array>(),
    bare = simulationSource(simulation);
  const read = async (i: number) => {
    if (!made.has(i)) made.set(i, simulation.frame(i).data);
    return { data: made.get(i)!.slice(), shape: [512, 512] as const };
  };
  return { simulation, source: { ...bare, read }, experiment };
}

describe("simulated albite, continuous rotation", () => {
  const { simulation, source, experiment } = setup();
  let narrow: IntegratedSeries, wide: IntegratedSeries;
  beforeAll(async () => {
    narrow = await integrateSeries(source, experiment, { dMin: 0.75, boxDiameters: 1 });
    wide = await integrateSeries(source, experiment, { dMin: 0.75, boxDiameters: 2.5, profiles: narrow.profiles });
  }, 60_000);

  test("intensities above 10 σ correlate with the truth by 0.995 and more", () => {
    const t = narrow.intensities,
      truth = trueCounts(narrow, simulation),
      rows = [...Array(t.size).keys()].filter((i) => t.flags[i] === 0 && t.intensity[i]! > 10 * t.sigma[i]!);
    expect(rows.length).toBeGreaterThan(200);
    expect(truthCorrelation(narrow, truth)).toBeGreaterThan(0.995);
  });

  test("weak ones are unbiased and scatter by their s.u., negative ones included", () => {
    const t = narrow.intensities,
      truth = trueCounts(narrow, simulation),
      z: number[] = [];
    let negative = 0;
    for (let i = 0; i < t.size; i++) {
      if (t.flags[i] !== 0 || truth[i]! > 40) continue;
      z.push((t.intensity[i]! - truth[i]!) / t.sigma[i]!);
      if (t.intensity[i]! < 0) negative++;
    }
    const mean = z.reduce((s, v) => s + v, 0) / z.length,
      spread = Math.sqrt(z.reduce((s, v) => s + (v - mean) ** 2, 0) / z.length);
    expect(z.length).toBeGreaterThan(80);
    expect(negative).toBeGreaterThan(10);
    expect(Math.abs(mean)).toBeLessThan(0.25);
    expect(spread).toBeGreaterThan(0.7);
    expect(spread).toBeLessThan(1.2);
  });

  test("fitted intensities do not depend on the box: below 2 % from 1 to 2.5 spot diameters", () => {
    const [a, b] = [narrow.intensities, wide.intensities],
      fitted: number[] = [],
      summed: number[] = [];
    for (let i = 0; i < a.size; i++) {
      if (a.flags[i] !== 0 || !(a.intensity[i]! > 10 * a.sigma[i]!)) continue;
      fitted.push(Math.abs(b.intensity[i]! / a.intensity[i]! - 1));
      summed.push(Math.abs(b.sum[i]! / a.sum[i]! - 1));
    }
    const mean = (v: readonly number[]): number => v.reduce((s, x) => s + x, 0) / v.length;
    expect(mean(fitted)).toBeLessThan(0.02);
    expect(mean(summed)).toBeGreaterThan(2 * mean(fitted));
  });

  test("plain TypeScript gives the same bits", async () => {
    const three = { ...source, shape: [3, 512, 512] as const },
      e = { ...experiment, geometry: experiment.geometry.slice(0, 3) },
      o = { dMin: 0.9, learnFrames: 2 };
    const a = await integrateSeries(three, e, o),
      b = await integrateSeries(three, e, { ...o, kernels: jsIntegrateKernels });
    expect(b.intensities).toEqual(a.intensities);
  });

  test("more workers give the same bits", async () => {
    const nine = { ...source, shape: [9, 512, 512] as const },
      e = { ...experiment, geometry: experiment.geometry.slice(0, 9) },
      o = { dMin: 0.9, learnFrames: 5 };
    const a = await integrateSeries(nine, e, o);
    for (const workers of [2, 3]) {
      const frames: number[] = [],
        b = await integrateSeries(nine, e, { ...o, workers, onProgress: (p) => frames.push(p.done) });
      expect(b.intensities).toEqual(a.intensities);
      expect(b.profiles).toEqual(a.profiles);
      expect(b.shifts).toEqual(a.shifts);
      expect(frames).toEqual(Array.from({ length: 14 }, (_, i) => i + 1));
    }
  }, 60_000);

  test("profiles are learnt from no more frames than show strong spots enough", async () => {
    const learnt: number[] = [];
    for (const sectors of [1, 60]) {
      let count = 0;
      const { profiles } = await integrateSeries(source, experiment, {
        dMin: 0.9,
        sectors,
        shells: 1,
        onProgress: (p) => {
          if (p.note?.startsWith("profiles")) count++;
        },
      });
      learnt.push(count);
      // Twelve spots a profile, or all frames.
      expect(count === frames || profiles.spots.reduce((s, v) => s + v, 0) >= 12 * sectors).toBe(true);
    }
    expect(learnt).toEqual([8, 16]);
  }, 60_000);

  test.each([1, 2])(
    "an abort is heard within a second, with %d workers, while profiles are learnt and while frames are fitted",
    async (workers) => {
      for (const at of [3, 16, 18]) {
        const stop = new AbortController();
        let asked = 0;
        const run = integrateSeries(source, experiment, {
          dMin: 0.75,
          workers,
          signal: stop.signal,
          onProgress: (p) => {
            if (p.done === at)
              setTimeout(() => {
                asked = performance.now();
                stop.abort(new Error("enough"));
              });
          },
        });
        await expect(run).rejects.toThrow("enough");
        expect(asked).toBeGreaterThan(0);
        expect(performance.now() - asked).toBeLessThan(1000);
      }
    },
    60_000,
  );

  test("a displaced pattern is found again, and saturated, masked and edge spots are flagged", async () => {
    const limit = 3000,
      moved = experiment.geometry.slice(0, 4).map((g) => ({ ...g, centrePx: [g.centrePx![0] + 1.3, g.centrePx![1] - 0.9] as const })),
      mask = new Uint8Array(512 * 512);
    for (let y = 300; y < 330; y++) mask.fill(4, y * 512, y * 512 + 512);
    const r = await integrateSeries(
      { ...source, shape: [4, 512, 512] as const },
      { ...experiment, geometry: moved, settings: { ...experiment.settings, saturation: limit, mask } },
      { dMin: 0.66, profiles: narrow.profiles },
    );
    for (const s of r.shifts) expect(Math.hypot(s.dx + 1.3, s.dy - 0.9)).toBeLessThan(0.12);
    const t = r.intensities;
    const count = (bit: number): number => t.flags.reduce((n, f) => n + (f & bit ? 1 : 0), 0);
    expect(count(intensityFlags.saturated)).toBeGreaterThan(3);
    expect(count(intensityFlags.masked)).toBeGreaterThan(3);
    const rows = Array.from({ length: t.size }, (_, i) => ({ x: t.px[2 * i]!, y: t.px[2 * i + 1]!, flags: t.flags[i]! })),
      behind = rows.filter(({ y }) => y > 305 && y < 325),
      rim = rows.filter(({ x, y }) => x < 2 || y < 2);
    expect(behind.length).toBeGreaterThan(3);
    expect(rim.length).toBeGreaterThan(0);
    for (const { flags } of behind) expect(flags & intensityFlags.masked).toBeTruthy();
    for (const { flags } of rim) expect(flags & intensityFlags.edge).toBeTruthy();
  });

  test("bad input is named", async () => {
    const of = async (e: Partial<IntegrationExperiment>, o = {}): Promise<unknown> => {
      try {
        return await integrateSeries(source, { ...experiment, ...e }, o);
      } catch (x) {
        return x;
      }
    };
    expect(isSdkError(await of({ geometry: experiment.geometry.slice(1) }), "bad-shape")).toBe(true);
    expect(isSdkError(await of({}, { dMin: 70 }), "out-of-range")).toBe(true);
    expect(isSdkError(await of({}, { boxDiameters: Number.NaN }), "out-of-range")).toBe(true);
    expect(isSdkError(await of({ rocking: { rcWidth: 0, mosaicityDeg: 0.1 } }), "out-of-range")).toBe(true);
    expect(isSdkError(await of({ centring: "X" as "P" }), "bad-value")).toBe(true);
    const gone = new AbortController();
    gone.abort(new Error("enough"));
    expect(await of({}, { signal: gone.signal })).toEqual(new Error("enough"));
  });
});
