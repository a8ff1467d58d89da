import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { readNpy } from "../io/npy.js";
import { maxRelative } from "../testing/close.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { type AtomModel, atomModel } from "./atoms.js";
import { repeatAtoms } from "./atoms-build.js";
import { readDetectors } from "./detector-read.js";
import { compileDetectors, type Detector } from "./detectors.js";
import { reciprocalGrid, type WaveGrid, waveGrid } from "./grid.js";
import { givenSnapshots } from "./phonons.js";
import { potentialPlan } from "./potential.js";
import { multislicePlan } from "./propagate.js";
import { decodeState, encodeState, scanKey } from "./scan-checkpoint.js";
import { planScan, type ScanSetup } from "./scan-plan.js";
import { gridScan, scanPositions } from "./scan-positions.js";
import type { PatternStream } from "./scan-result.js";
import { runScan } from "./scan-run.js";

const a = 5.431;
const diamond = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.25];
const cell = atomModel({
  cell: [a, 0, 0, 0, a, 0, 0, 0, a],
  atoms: Array.from({ length: 8 }, () => "Si"),
  positions: diamond.map((x) => x * a),
});
const b200 = beam(200);
/** Soft aperture as in abTEM: the edge as wide as a pixel. */
const aperture = (grid: WaveGrid, mrad: number): Float64Array => {
  const { q2 } = reciprocalGrid(grid),
    step = b200.wavelength / grid.a[0];
  return Float64Array.from({ length: 2 * q2.length }, (_, i) =>
    i % 2 ? 0 : Math.max(0, Math.min(1, (mrad / 1e3 - b200.wavelength * Math.sqrt(q2[i / 2]!)) / step + 0.5)),
  );
};

describeData("abTEM's golden CBED patterns and lines", ["fourd/abtem-golden"], () => {
  const grid = waveGrid(128, 128, [2 * a, 0], [0, 2 * a]);
  const setup = {
    grid,
    beam: b200,
    probe: aperture(grid, 20),
    atoms: repeatAtoms(cell, [2, 2, 10]),
    potential: { sliceThickness: a / 4, pixelFactor: "abtem" as const },
  };
  test.each([
    ["f64", 1e-6],
    ["f32", 1e-5],
  ] as const)("three positions, %s", async (precision, tolerance) => {
    const wanted = await readNpy(readData("fourd/abtem-golden/si_2x2x10_cbed_200kV_20mrad_3pos_f32.npy"));
    const [, mx, my] = wanted.shape as [number, number, number];
    const { readings } = await runScan({
      ...setup,
      multislice: { precision },
      scan: { kind: "list", positions: [0, 0, 0.678875, 0.678875, 1, 2] },
      detectors: [{ kind: "pixelated", maxMrad: "full" }],
    });
    const { data, shape } = readings[0]!;
    expect(shape).toEqual([3, 128, 128]);
    const ours = new Float64Array(wanted.data.length);
    for (let p = 0, i = 0; p < 3; p++)
      for (let x = 0; x < mx; x++)
        for (let y = 0; y < my; y++, i++) ours[i] = data[(p * 128 + y + 64 - (my >> 1)) * 128 + x + 64 - (mx >> 1)]!;
    expect(maxRelative(ours, wanted.data as Float32Array)).toBeLessThan(tolerance);
  });
});

describeData("abTEM's golden line", ["fourd/abtem-golden"], () => {
  test("BF 0-20 and HAADF from 60 mrad along [100]: 1e-5 of the maximum", async () => {
    const { cases } = JSON.parse(readDataText("fourd/abtem-golden/golden.json")) as {
      cases: { si_line: { BF_0_20: number[]; HAADF_60_120: number[] } };
    };
    const line = waveGrid(128, 128, [2 * a, 0], [0, 2 * a]);
    const { readings } = await runScan({
      grid: line,
      beam: b200,
      probe: aperture(line, 20),
      atoms: repeatAtoms(cell, [2, 2, 10]),
      potential: { sliceThickness: a / 4, pixelFactor: "abtem" },
      multislice: { precision: "f64" },
      scan: { kind: "list", positions: Array.from({ length: 32 }, (_, i) => (i % 2 ? 0 : ((i >> 1) / 16) * a)) },
      // abTEM's second detector ends at 120 mrad, but its waves carry nothing beyond 98.513.
      detectors: [{ kind: "annular", innerMrad: 0, outerMrad: 20 }, { kind: "annular", innerMrad: 60, outerMrad: 98.5 }],
    }); // biome-ignore format: short
    expect(maxRelative(readings[0]!.data, cases.si_line.BF_0_20)).toBeLessThan(1e-5);
    expect(maxRelative(readings[1]!.data, cases.si_line.HAADF_60_120)).toBeLessThan(1e-5);
  });
});

const grid = waveGrid(80, 72, [2 * a, 0], [0, 2 * a]);
const detectors: readonly Detector[] = [
  { kind: "annular", innerMrad: 25, outerMrad: 50 },
  { kind: "radial", stepMrad: 5, outerMrad: 45 },
  { kind: "segmented", innerMrad: 5, outerMrad: 20 },
  { kind: "centerOfMass", maxMrad: 40 },
  { kind: "pixelated", maxMrad: 20 },
];
/** Three thermal configurations of silicon: any function of the index will do. */
const thermal = {
  count: 3,
  snapshot: (index: number): AtomModel => {
    const m = repeatAtoms(cell, [2, 2, 2]),
      g = rng("thermal").fork(index);
    return { ...m, positions: m.positions.map((x) => x + 0.07 * g.normal()) };
  },
};
const setup: ScanSetup = {
  grid,
  beam: b200,
  probe: aperture(grid, 20),
  atoms: thermal,
  scan: { kind: "grid", shape: [3, 4] },
  detectors,
  depths: [a, 2 * a],
  potential: { sliceThickness: a / 4 },
};

test("one probe of a scan is the wave of runInto, seen by readDetectors", async () => {
  const wave = aperture(grid, 20),
    { qx, qy } = reciprocalGrid(grid),
    at = [1.3, -2.1];
  const atoms = repeatAtoms(cell, [2, 2, 2]);
  for (let i = 0; i < qx.length; i++) {
    const t = -2 * Math.PI * (qx[i]! * at[0]! + qy[i]! * at[1]!),
      v = wave[2 * i]!;
    wave[2 * i] = v * Math.cos(t);
    wave[2 * i + 1] = v * Math.sin(t);
  }
  const total = wave.reduce((s, v) => s + v * v, 0);
  const potential = potentialPlan(atoms, { grid, sliceThickness: a / 4 });
  const slices = multislicePlan(potential, b200, { precision: "f64" });
  slices.runInto(wave, { space: "reciprocal" });
  const wanted = readDetectors(compileDetectors(detectors, grid, b200), wave, total);
  const { readings } = await runScan(
    { ...setup, atoms, depths: undefined, scan: { kind: "list", positions: at }, multislice: { precision: "f64" } },
    { workers: 1 },
  );
  readings.forEach((r, i) => {
    expect(r.shape).toEqual([1, ...wanted[i]!.shape]);
    expect(maxRelative(r.data, wanted[i]!.data)).toBeLessThan(r.data instanceof Float32Array ? 1e-6 : 1e-11);
  });
  slices.free();
  potential.free();
});

test("same bits for any number of workers, any block, little memory, and after an interruption", async () => {
  const whole = await runScan(setup, { workers: 1 });
  expect(whole.readings[0]!.shape).toEqual([2, 3, 4]);
  expect(whole.readings[4]!.shape.slice(0, 3)).toEqual([2, 3, 4]);
  expect((whole.readings[0]!.data as Float64Array).every((v) => v > 0)).toBe(true);
  expect((await runScan(setup, { workers: 2, blockProbes: 5 })).readings).toEqual(whole.readings);
  // Only four transmission functions fit: waves pass in windows.
  const tight = planScan(setup);
  const need =
    (tight.memory.potential + tight.memory.detectors + tight.memory.waves + tight.memory.readings + tight.memory.patterns) / 1048576 + 0.3;
  expect((await runScan(setup, { workers: 1, maxMemoryMB: need })).readings).toEqual(whole.readings);
  // Cut off after the first block, then resumed with another number of workers.
  let saved: Uint8Array | undefined;
  const stop = new AbortController();
  const checkpoint = {
    load: async () => saved,
    save: async (b: Uint8Array) => {
      saved = b;
      stop.abort();
    },
  };
  await expect(runScan(setup, { workers: 2, blockProbes: 5, checkpoint, signal: stop.signal })).rejects.toThrow();
  expect(saved).toBeDefined();
  const seen: number[] = [];
  const resumed = await runScan(setup, { workers: 1, blockProbes: 4, checkpoint, onProgress: (p) => seen.push(p.done / p.total) });
  expect(resumed.readings).toEqual(whole.readings);
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(5 / 12);
  expect(seen.at(-1)).toBe(1);
  // A checkpoint of another scan is refused.
  await expect(runScan({ ...setup, beam: beam(100) }, { checkpoint })).rejects.toThrow(/another scan/);
});

test("a blurred pattern kept in memory goes on after an interruption", async () => {
  const blurred: ScanSetup = {
    ...setup,
    atoms: repeatAtoms(cell, [2, 2, 1]),
    depths: undefined,
    detectors: [{ kind: "pixelated", maxMrad: 20, blur: { kind: "gaussian", sigmaMrad: 2 } }],
  };
  const whole = await runScan(blurred, { workers: 1 }),
    stop = new AbortController();
  let saved: Uint8Array | undefined;
  const save = async (b: Uint8Array): Promise<void> => {
    saved = b;
    stop.abort();
  };
  const checkpoint = { load: async () => saved, save };
  await expect(runScan(blurred, { workers: 1, blockProbes: 5, checkpoint, signal: stop.signal })).rejects.toThrow();
  expect((await runScan(blurred, { workers: 1, checkpoint })).readings).toEqual(whole.readings);
});

test("a thickness series is what separate crystals give", async () => {
  const atoms = repeatAtoms(cell, [2, 2, 2]);
  const base = { ...setup, atoms, multislice: { precision: "f64" } } as const;
  const both = await runScan(base, { workers: 1 });
  const thin = await runScan({ ...base, atoms: repeatAtoms(cell, [2, 2, 1]), depths: undefined }, { workers: 1 });
  const n = thin.readings[0]!.data.length;
  expect(maxRelative(both.readings[0]!.data.slice(0, n), thin.readings[0]!.data)).toBeLessThan(1e-9);
  expect(both.depths).toEqual([a, 2 * a]);
});

test("patterns stream to a sink in place of memory, also through a resume", async () => {
  const kept = await runScan(setup, { workers: 1 });
  const { data, shape } = kept.readings[4]!,
    size = shape.at(-1)! * shape.at(-2)!;
  const got = new Float32Array(data.length);
  let saved: Uint8Array | undefined,
    opened: PatternStream | undefined,
    closed = 0;
  const run = (signal?: AbortSignal, save?: () => void) =>
    runScan(setup, {
      workers: 1,
      blockProbes: 5,
      signal,
      checkpoint: {
        load: async () => saved,
        save: async (b) => {
          saved = b;
          save?.();
        },
      },
      patternSink: async (stream) => {
        opened = stream;
        return { write: async (depth, first, p) => got.set(p, (depth * 12 + first) * size), close: async () => void closed++ };
      },
    });
  const stop = new AbortController();
  await expect(run(stop.signal, () => stop.abort())).rejects.toThrow();
  expect(opened!.resume).toBe(false);
  const r = await run();
  expect(opened).toMatchObject({ name: "patterns", resume: true, shape });
  expect(closed).toBe(2);
  expect(r.readings[4]!.data.length).toBe(0);
  expect(got).toEqual(data);
});

test("incoherent probes are the weighted mean of their scans", async () => {
  const probes = [15, 20].map((mrad) => aperture(grid, mrad));
  const base = { ...setup, atoms: repeatAtoms(cell, [2, 2, 1]), depths: undefined };
  const [p, q] = await Promise.all(probes.map((probe) => runScan({ ...base, probe }, { workers: 1 })));
  const mixed = await runScan({ ...base, probe: [{ wave: probes[0]!, weight: 0.3 }, { wave: probes[1]!, weight: 0.7 }] }, { workers: 1 }); // biome-ignore format: short
  const wanted = (p!.readings[0]!.data as Float64Array).map((v, i) => 0.3 * v + 0.7 * q!.readings[0]!.data[i]!);
  expect(maxRelative(mixed.readings[0]!.data, wanted)).toBeLessThan(1e-12);
});

describe("positions", () => {
  test("grids tile, lines hold both ends, lists are taken as they are", () => {
    const g = scanPositions({ kind: "grid", shape: [2, 4], origin: [1, 1] }, waveGrid(8, 8, [4, 0], [2, 6]));
    expect([...g.positions]).toEqual([1, 1, 2, 1, 3, 1, 4, 1, 2, 4, 3, 4, 4, 4, 5, 4]);
    expect(g.steps).toEqual({ x: [1, 0], y: [1, 3] });
    const l = scanPositions({ kind: "line", from: [0, 0], to: [3, 4], count: 6 }, grid);
    expect([...l.positions.slice(-2)]).toEqual([3, 4]);
    expect(l.axes[0]!.step).toBe(1);
    expect(gridScan({ a: [4, 0], b: [0, 3] }, { step: 0.5 })).toMatchObject({ shape: [6, 8] });
    expect(gridScan({ a: [4, 0], b: [0, 3] }, { semiangleMrad: 20, wavelength: 0.0251 })).toMatchObject({ shape: [10, 13] });
    expect(() => scanPositions({ kind: "grid", shape: [0, 4] }, grid)).toThrow(/rows and columns/);
    expect(() => scanPositions({ kind: "list", positions: [1] }, grid)).toThrow(/bad-shape/);
    expect(() => scanPositions({ kind: "list", positions: [1, Number.NaN] }, grid)).toThrow(/finite/);
  });
});

describe("what cannot work is told before the run, with the numbers to change", () => {
  const plan = (change: Partial<ScanSetup>) => () => planScan({ ...setup, atoms: repeatAtoms(cell, [2, 2, 2]), ...change });
  test("overlapping atoms", () => {
    expect(plan({ atoms: { ...cell, positions: new Float64Array(24) } })).toThrow(/overlap/);
  });
  test("a later snapshot that is broken, and a checkpoint of other snapshots", async () => {
    const good = repeatAtoms(cell, [2, 2, 2]),
      bad = { ...good, positions: good.positions.map((v, i) => (i < 3 ? good.positions[i + 3]! : v)) };
    expect(plan({ atoms: givenSnapshots([good, good, bad]) })).toThrow(/overlap.*"snapshot":2/);
    expect(() => givenSnapshots([good, { ...good, atomicNumbers: good.atomicNumbers.map((z, i) => (i ? z : 6)) }])).toThrow(/Si63 C1/);
    const moved = { ...good, positions: good.positions.map((v) => v + 0.01) };
    const key = (other: AtomModel): string => scanKey(plan({ atoms: givenSnapshots([good, other]) })());
    expect(key(moved)).not.toBe(key(good));
  });
  test("a box smaller than the probe", () => {
    const small = waveGrid(24, 24, [a, 0], [0, a]);
    const { q2 } = reciprocalGrid(small);
    const defocused = aperture(small, 20);
    for (let i = 0; i < q2.length; i++) {
      const t = Math.PI * b200.wavelength * 400 * q2[i]!,
        v = defocused[2 * i]!;
      defocused[2 * i] = v * Math.cos(t);
      defocused[2 * i + 1] = -v * Math.sin(t);
    }
    const wrong = {
      atoms: cell,
      grid: small,
      probe: defocused,
      detectors: [{ kind: "annular", innerMrad: 10, outerMrad: 30 }],
      depths: undefined,
    } as const;
    expect(plan(wrong)).toThrow(/repeat the cell about \d+ times/);
    expect(plan({ ...wrong, checks: "none" })).not.toThrow();
  });
  test("a crystal so thick that the beam outgrows the box, as a warning", () => {
    const thick = planScan({ ...setup, atoms: repeatAtoms(cell, [2, 2, 60]), depths: undefined });
    expect(thick.warnings.join()).toMatch(/over 326 Å the beam spreads to \d+ Å/);
    expect(planScan(setup).warnings.join()).not.toMatch(/spreads/);
  });
  test("an aperture or a detector beyond the grid", () => {
    expect(plan({ probe: aperture(grid, 60) })).toThrow(/at least \d+ × \d+ pixels/);
    expect(plan({ detectors: [{ kind: "annular", innerMrad: 60, outerMrad: 120 }] })).toThrow(/at least \d+ × \d+ pixels/);
  });
  test("absurd memory", async () => {
    const huge = planScan({ ...setup, scan: { kind: "grid", shape: [2048, 2048] } });
    expect(huge.memory.patterns).toBe(4 * 2 * 2048 ** 2 * huge.detectors.patterns[0]!.mx * huge.detectors.patterns[0]!.my);
    await expect(runScan(huge)).rejects.toSatisfy((e: unknown) => isSdkError(e, "too-large") && /patternSink/.test(e.hint));
    await expect(runScan(setup, { maxMemoryMB: 0.01 })).rejects.toThrow(/raise maxMemoryMB/);
  });
  test("depths, weights and counts", () => {
    expect(plan({ depths: [3, 2] })).toThrow(/rise/);
    expect(plan({ depths: [100] })).toThrow(/thickness/);
    expect(plan({ depths: [1, 1.1] })).toThrow(/same slice/);
    expect(plan({ probe: [{ wave: aperture(grid, 20), weight: 0.5 }] })).toThrow(/sum to 1/);
    expect(plan({ atoms: { count: 0, snapshot: () => cell } })).toThrow(/at least one/);
    expect(plan({ probe: new Float64Array(2 * 80 * 72) })).toThrow(/no electrons/);
    expect(plan({ probe: new Float64Array(8) })).toThrow(/bad-shape/);
  });
  test("a damaged checkpoint", async () => {
    const p = planScan(setup);
    await expect(decodeState(new Uint8Array([1, 2, 3]), "x", p, [])).rejects.toSatisfy((e: unknown) => isSdkError(e));
    await expect(decodeState(encodeState("x", { done: 99, sums: new Float64Array(0), patterns: [] }, 2, []), "x", p, [])).rejects.toThrow(
      /damaged/,
    );
  });
});
