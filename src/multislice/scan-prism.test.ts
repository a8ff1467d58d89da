import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { maxRelative } from "../testing/close.js";
import { atomModel } from "./atoms.js";
import { repeatAtoms } from "./atoms-build.js";
import type { Detector } from "./detectors.js";
import { frozenPhonons } from "./phonons.js";
import { potentialPlan } from "./potential.js";
import { prismPlan } from "./prism.js";
import { multislicePlan } from "./propagate.js";
import { planScan, type ScanSetup } from "./scan-plan.js";
import { runScan } from "./scan-run.js";
import { describeScan, stemSetup } from "./stem.js";

// A skew cell of two elements, 2 × 2: 12 × 13 Å, 10 Å thick.
const cell = atomModel({
  cell: [6, 0, 0, -2, 6.5, 0, 0.5, 0.3, 5],
  atoms: ["Sr", "O", "O"],
  positions: [1, 1, 0.5, 3.2, 4.1, 2.4, 1, 5, 4.2],
  displacement: [0.006, 0.009, 0.009],
});
const atoms = repeatAtoms(cell, [2, 2, 2]);
const detectors: readonly Detector[] = [
  { kind: "annular", name: "BF", innerMrad: 0, outerMrad: 20 },
  { kind: "segmented", innerMrad: 5, outerMrad: 25 },
  { kind: "radial", outerMrad: 50, stepMrad: 10 },
  { kind: "centerOfMass", maxMrad: 40 },
  { kind: "pixelated", maxMrad: 30 },
];
const setup = (interpolation: number | undefined, precision: "f32" | "f64" = "f64", defocus = 30): ScanSetup =>
  stemSetup(frozenPhonons(atoms, { configurations: 2, seed: 3 }), {
    voltageKv: 200,
    semiangleMrad: 20,
    aberrations: { defocus, C12: 10 },
    focalSpread: 20,
    focalSamples: 3,
    tiltMrad: [4, -7],
    unit: cell,
    shape: [3, 4],
    depths: [5, 10],
    detectors,
    precision,
    ...(interpolation ? { interpolation } : {}),
  });

test("factor 1 equals multislice: every detector, tilted, at two depths, with vibrations and focal spread", async () => {
  const [wanted, ours] = [await runScan(setup(undefined), { workers: 1 }), await runScan(setup(1), { workers: 1 })];
  ours.readings.forEach((r, i) => {
    expect(r.shape).toEqual(wanted.readings[i]!.shape);
    expect(maxRelative(r.data, wanted.readings[i]!.data)).toBeLessThan(r.data instanceof Float32Array ? 1e-6 : 1e-10);
  });
});

test("the same bits for any number of workers, blocks and after an interruption", async () => {
  const once = await runScan(setup(2, "f32"), { workers: 1 });
  expect((await runScan(setup(2, "f32"), { workers: 2, blockProbes: 5 })).readings).toEqual(once.readings);
  const stop = new AbortController();
  let saved: Uint8Array | undefined;
  const save = async (b: Uint8Array): Promise<void> => {
    saved = b;
    stop.abort();
  };
  const checkpoint = { load: async () => saved, save };
  await expect(runScan(setup(2, "f32"), { workers: 2, blockProbes: 5, checkpoint, signal: stop.signal })).rejects.toThrow();
  expect((await runScan(setup(2, "f32"), { workers: 1, checkpoint })).readings).toEqual(once.readings);
  await expect(runScan(setup(1, "f32"), { checkpoint })).rejects.toThrow(/another scan/);
});

test("with factor 2 a probe is that of prismPlan, on a window of half the box", async () => {
  const big = repeatAtoms(cell, [4, 4, 1]),
    scan = { kind: "list", positions: [2.3, 1.1, 20, 13] } as const;
  const made = stemSetup(big, { voltageKv: 200, semiangleMrad: 20, scan, detectors: [{ kind: "pixelated", maxMrad: "full" }], interpolation: 2, precision: "f64" }); // biome-ignore format: short
  const plan = planScan(made);
  expect(plan.prism!.count * 3).toBeLessThan(planScan({ ...made, prism: {} }).prism!.count);
  expect(describeScan(plan)).toMatch(/PRISM from \d+ plane waves \(interpolation 2\)/);
  expect(plan.memory.matrix).toBe(16 * plan.prism!.count * plan.prism!.exit[0] * plan.prism!.exit[1]);
  const { readings } = await runScan(plan, { workers: 1 });
  const { window } = plan.prism!;
  expect(readings[0]!.shape).toEqual([2, window.ny, window.nx]);
  const slices = multislicePlan(potentialPlan(big, { grid: made.grid, sliceThickness: 2 }), made.beam, { precision: "f64" }),
    prism = prismPlan(slices, { aperture: 0.02, interpolation: 2 });
  for (const steps = prism.build(); !steps.next().done; );
  // The scan takes every second bin of its probe, prismPlan a probe made on the window: edges of the aperture differ.
  const [p, q] = [readings[0]!.data.slice(window.nx * window.ny), prism.pattern(20, 13)];
  const sum = (v: ArrayLike<number>): number => Array.from(v).reduce((s, x) => s + x, 0);
  expect(sum(p) / sum(q)).toBeCloseTo(1, 3);
  expect(p[(window.ny >> 1) * window.nx + (window.nx >> 1)]! / q[0]!).toBeCloseTo(1, 1);
});

test("what cannot work is named", async () => {
  expect(() => stemSetup(atoms, { voltageKv: 200, semiangleMrad: 20, detectors, interpolation: 1.5 })).toThrow(/whole number/);
  const far = { voltageKv: 200, semiangleMrad: 20, detectors: [{ kind: "annular", innerMrad: 0, outerMrad: 1500 }] } as const;
  expect(() => stemSetup(repeatAtoms(cell, [4, 4, 1]), far)).toThrow(/does not fit the memory: at most \d+ × \d+ pixels/);
  expect(() => planScan({ ...setup(undefined), prism: { interpolation: 7 } })).toThrow(/divides the pixels/);
  expect(() => planScan(setup(3, "f32", 150))).toThrow(/window of PRISM is smaller than the probe.*smaller interpolation/);
  await expect(runScan(setup(1), { maxMemoryMB: 5 })).rejects.toSatisfy(
    (e: unknown) => isSdkError(e, "too-large") && /interpolation of PRISM/.test(e.hint),
  );
});
