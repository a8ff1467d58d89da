import { describe, expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { fft2 } from "../numerics/fft.js";
import { maxRelative } from "../testing/close.js";
import { aberrationPhase, aberrationTerms } from "./aberrations.js";
import { atomModel, thicknessOf } from "./atoms.js";
import { detectorsFromText } from "./detector-text.js";
import { compileDetectors } from "./detectors.js";
import { antialiasCutoff, reciprocalGrid, waveGrid } from "./grid.js";
import { hrtem, hrtemSteps } from "./hrtem.js";
import { potentialPlan } from "./potential.js";
import { enlargeAtoms, samplingForAngle } from "./scan-box.js";
import { planScan } from "./scan-plan.js";
import { runScan } from "./scan-run.js";
import { crystalBox, describeScan, stemImages, stemSetup } from "./stem.js";

const quartz = structure(unitCell(4.913, 4.913, 5.405, 90, 90, 120), spaceGroup("P 31 2 1"), [
  atom({ element: "Si", xyz: [0.47, 0, 1 / 3], uIso: 0.006 }),
  atom({ element: "O", xyz: [0.4131, 0.2677, 0.1189], uIso: 0.012 }),
]);
const albiteLike = structure(unitCell(8.14, 12.79, 7.16, 94.2, 116.6, 87.7), spaceGroup("P -1"), [
  atom({ element: "Na", xyz: [0.27, 0.49, 0.15] }),
]);

describe("boxes", () => {
  test("wide and thick enough, exact where the lattice allows it", () => {
    const b = crystalBox(quartz, { across: 18, thickness: 20 });
    expect(b.maxStrain).toBe(0);
    expect(thicknessOf(b.atoms)).toBeCloseTo(4 * 5.405, 9);
    const c = b.atoms.cell,
      area = c[0]! * c[4]! - c[1]! * c[3]!;
    expect(area / Math.hypot(c[0]!, c[1]!)).toBeGreaterThan(18);
    expect(b.atoms.atomicNumbers.length).toBe(9 * b.repetitions.reduce((p, n) => p * n, 1));
    expect(() => enlargeAtoms(b.atoms, { across: -1 })).toThrow(/length/);
    expect(() => enlargeAtoms(b.atoms, { across: 9e5 })).toThrow(/million atoms/);
  });
  test("a triclinic crystal down a lattice direction is strained by at most what is allowed, and says so", () => {
    const b = crystalBox(albiteLike, { toSource: { uvw: [0, 0, 1] } });
    expect(b.maxStrain).toBeGreaterThan(0);
    expect(b.maxStrain).toBeLessThan(0.01);
    expect(crystalBox(albiteLike, { toSource: { hkl: [0, 0, 1] } }).maxStrain).toBe(0);
    // [1 1 0] of an orthorhombic cell: b² − a² is 3 % of their sum, and half of that is shear.
    const ortho = structure(unitCell(8.12, 8.36, 11.76), spaceGroup("P m m m"), [atom({ element: "Pb", xyz: [0, 0, 0] })]);
    const pair = crystalBox(ortho, { toSource: { uvw: [1, 1, 0] } });
    expect(pair.maxStrain).toBeCloseTo((8.36 ** 2 - 8.12 ** 2) / (8.36 ** 2 + 8.12 ** 2) / 2, 3);
    expect(() => crystalBox(ortho, { toSource: { uvw: [1, 1, 0] }, maxStrain: 0.01 })).toThrow(/maxStrain 0\.01\d? would do/);
  });
});

test("the sampling of an angle carries just that angle", () => {
  const b = beam(200),
    step = samplingForAngle(100, b.wavelength),
    grid = waveGrid(200, 200, [200 * step, 0], [0, 200 * step]);
  expect(antialiasCutoff(grid) * b.wavelength).toBeCloseTo(0.1, 8);
  expect(compileDetectors([{ kind: "annular", innerMrad: 50, outerMrad: 100 }], grid, b).sums).toBe(1);
});

test("a whole set-up from what a microscopist knows, with focal spread and vibrations", async () => {
  const { atoms, unit } = crystalBox(quartz, { across: 9, thickness: 5 });
  const plan = planScan(
    stemSetup(atoms, {
      voltageKv: 300,
      semiangleMrad: 20,
      detectors: [...detectorsFromText("BF:0-20, HAADF : 50-90"), { kind: "pixelated", maxMrad: 30 }],
      unit,
      step: 2,
      focalSpread: 40,
      focalSamples: 3,
      phonons: { configurations: 2, seed: 1 },
      aberrations: { Cs: 1e4, C10: -50 },
      depths: [2.7, 5.4],
      sliceThickness: 1.4,
    }),
  );
  expect([plan.waves.length, plan.configurations.count]).toEqual([3, 2]);
  expect(plan.waves.reduce((s, w) => s + w.weight, 0)).toBeCloseTo(1, 12);
  expect(describeScan(plan)).toMatch(/9 probes × 2 configurations × 3 incoherent probes/);
  const result = await runScan(plan, { workers: 1 });
  const images = stemImages(plan, result);
  expect(images.map((i) => `${i.name} ${i.depth!.toFixed(1)} ${i.shape}`)).toEqual([
    "BF 2.7 3,3",
    "BF 5.4 3,3",
    "HAADF 2.7 3,3",
    "HAADF 5.4 3,3",
  ]);
  expect(images[3]!.mean).toBeGreaterThan(images[2]!.mean);
  const counts = stemImages(plan, result, { dose: 1e4, sourceFwhm: 1, rng: rng(2) });
  expect(counts[0]!.data.every(Number.isInteger)).toBe(true);
  // electrons of a pixel: the dose times its area, times the mean reading
  const pixel = (4.913 ** 2 * Math.sin((2 * Math.PI) / 3)) / 9;
  expect(counts[0]!.mean / (1e4 * pixel * images[0]!.mean)).toBeCloseTo(1, 1);
  expect(() => stemImages(plan, result, { dose: 1 })).toThrow(/rng/);
  expect(() => detectorsFromText("ADF")).toThrow(/BF:0-20/);
});

describe("high resolution", () => {
  const grid = waveGrid(64, 64, [8, 0], [0, 8]),
    b = beam(200);
  const carbon = atomModel({ cell: [8, 0, 0, 0, 8, 0, 0, 0, 1], atoms: ["C"], positions: [3, 4, 0.5] });
  test("a weak phase object: contrast is 2σV sin χ in reciprocal space", () => {
    const aberrations = { defocus: 300, Cs: 5e6 },
      { images, pattern } = hrtem({ grid, beam: b, atoms: carbon, optics: { aberrations }, multislice: { precision: "f64" } });
    const seen = fft2(
      Float64Array.from({ length: 2 * 64 * 64 }, (_, i) => (i % 2 ? 0 : images[i / 2]!)),
      [64, 64],
    );
    const potential = potentialPlan(carbon, { grid });
    const v = potential.projected(0);
    potential.free();
    const vq = fft2(
      Float64Array.from({ length: 2 * 64 * 64 }, (_, i) => (i % 2 ? 0 : v[i / 2]!)),
      [64, 64],
    );
    const { qx, qy, q2 } = reciprocalGrid(grid),
      terms = aberrationTerms(aberrations);
    const wanted: number[] = [],
      got: number[] = [];
    for (let i = 1; i < q2.length; i++) {
      if (q2[i]! > 0.5) continue;
      // The propagation over the slice of 1 Å adds to χ.
      const chi =
        aberrationPhase(terms, b.wavelength, b.wavelength * Math.sqrt(q2[i]!), Math.atan2(qy[i]!, qx[i]!)) +
        Math.PI * b.wavelength * q2[i]!;
      for (const c of [0, 1]) {
        wanted.push(2 * b.sigma * vq[2 * i + c]! * Math.sin(chi));
        got.push(seen[2 * i + c]!);
      }
    }
    // Second order in σV (0.06 at its peak, a few hundredths in one bin).
    expect(maxRelative(got, wanted)).toBeLessThan(0.05);
    expect(pattern.reduce((s, p) => s + p, 0)).toBeCloseTo(1, 2);
    expect(images.reduce((s, x) => s + x, 0) / images.length).toBeCloseTo(1, 2);
  });
  test("a focal series holds the single images; a focal average is their weighted mean", () => {
    const base = { grid, beam: b, atoms: carbon, optics: { aberrations: { Cs: 1e7 } }, multislice: { precision: "f64" as const } };
    const one = (defocus: number): Float32Array => hrtem({ ...base, optics: { aberrations: { Cs: 1e7, defocus } } }).images;
    const series = hrtem({ ...base, defocusSeries: [100, 400] });
    expect(series.shape).toEqual([2, 64, 64]);
    expect(maxRelative(series.images.subarray(64 * 64), one(400))).toBeLessThan(1e-7);
    // Three nodes of Gauss–Hermite: 0 and ±√1.5, weights 2/3 and 1/6.
    const d = 50 * Math.sqrt(1.5),
      [under, focus, over] = [d, 0, -d].map(one),
      mean = under!.map((x, i) => (x + over![i]!) / 6 + (2 / 3) * focus![i]!);
    expect(maxRelative(hrtem({ ...base, focalAverage: { spread: 50, samples: 3 } }).images, mean)).toBeLessThan(1e-6);
    expect(() => hrtem({ ...base, optics: { focalSpread: 3 }, focalAverage: { spread: 5, samples: 3 } })).toThrow(/not twice/);
    expect(() => hrtem({ ...base, defocusSeries: [] })).toThrow(/defocus series/);
    const seen: number[] = [];
    runSync(hrtemSteps({ ...base, defocusSeries: [0, 1, 2] }), (p) => void seen.push(p.done / p.total));
    expect(seen.at(-1)).toBe(1);
  });
});
