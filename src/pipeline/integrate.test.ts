import { beforeAll, describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { type IntegratedSeries, type IntegrationExperiment, integrateSeries, intensityFlags } from "../integration/index.js";
import { jsIntegrateKernels } from "../kernels/js/integrate.js";
import { type Simulation, simulateSeries } from "./simulate.js";
import { triclinicCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

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
  return { simulation, source: simulationSource(simulation), experiment };
}

/** True counts of every row: 2 counts an electron. */
function trueCounts(simulation: Simulation, r: IntegratedSeries): Float64Array {
  const truth = new Map<string, number>();
  for (let f = 0; f < frames; f++) {
    const s = simulation.spots(f);
    for (let i = 0; i < s.size; i++) truth.set(`${f}:${s.hkl.slice(3 * i, 3 * i + 3).join()}`, 2 * s.electrons[i]!);
  }
  const t = r.intensities;
  return Float64Array.from({ length: t.size }, (_, i) => truth.get(`${t.frame[i]}:${t.hkl.slice(3 * i, 3 * i + 3).join()}`) ?? 0);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const n = a.length,
    ma = a.reduce((s, v) => s + v, 0) / n,
    mb = b.reduce((s, v) => s + v, 0) / n;
  let ab = 0,
    aa = 0,
    bb = 0;
  for (let i = 0; i < n; i++) {
    ab += (a[i]! - ma) * (b[i]! - mb);
    aa += (a[i]! - ma) ** 2;
    bb += (b[i]! - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
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
      truth = trueCounts(simulation, narrow),
      rows = [...Array(t.size).keys()].filter((i) => t.flags[i] === 0 && t.intensity[i]! > 10 * t.sigma[i]!);
    expect(rows.length).toBeGreaterThan(200);
    expect(
      correlation(
        rows.map((i) => t.intensity[i]!),
        rows.map((i) => truth[i]!),
      ),
    ).toBeGreaterThan(0.995);
  });

  test("weak ones are unbiased and scatter by their s.u., negative ones included", () => {
    const t = narrow.intensities,
      truth = trueCounts(simulation, narrow),
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
    for (let i = 0; i < t.size; i++) {
      const y = t.px[2 * i + 1]!;
      if (y > 305 && y < 325) expect(t.flags[i]! & intensityFlags.masked).toBeTruthy();
      if (t.px[2 * i]! < 2 || y < 2) expect(t.flags[i]! & intensityFlags.edge).toBeTruthy();
    }
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
