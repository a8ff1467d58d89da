import { expect, test } from "vitest";
import { apply, inverse } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { peaksToReciprocal } from "../geometry/pixels.js";
import { noStageErrors, simulateSeries } from "./simulate.js";
import { defaultBackground, iceRings } from "./simulate-background.js";
import { cubicCase, orthorhombicCase, simulationCases, triclinicCase, trigonalCase, twinCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

test("the same seed gives the same frames, in any order; another seed does not", () => {
  const c = twinCase();
  const a = simulateSeries(c.options, rng(c.seed)),
    b = simulateSeries(c.options, rng(c.seed)),
    other = simulateSeries(c.options, rng(c.seed + 1));
  const late = a.frame(7);
  a.frame(3);
  b.frame(3);
  expect(b.frame(7).data).toEqual(late.data);
  expect(other.frame(7).data).not.toEqual(late.data);
  expect(a.truth).toEqual(b.truth);
  expect(late.shape).toEqual([512, 512]);
});

test.each(simulationCases().map((c) => [c.name, c] as const))(
  "%s: strong isolated spots lie where the truth says, with the electrons it says",
  (_, c) => {
    const s = simulateSeries(c.options, rng(c.seed));
    const { gain } = s.camera;
    let n = 0,
      dx2 = 0,
      ratio = 0;
    for (let i = 0; i < s.shape[0] && n < 40; i += 11) {
      const { data } = s.frame(i),
        spots = s.spots(i);
      for (let j = 0; j < spots.size; j++) {
        const x = spots.px[2 * j]!,
          y = spots.px[2 * j + 1]!;
        if (!(spots.electrons[j]! > 400 && x > 20 && x < 490 && y > 20 && y < 490)) continue;
        if (Math.hypot(x - 253, y - 260) < 60) continue; // away from the direct beam
        let alone = true;
        for (let m = 0; m < spots.size; m++)
          if (m !== j && Math.hypot(spots.px[2 * m]! - x, spots.px[2 * m + 1]! - y) < 30 && spots.electrons[m]! > 2) alone = false;
        if (!alone) continue;
        // background from a ring, then sum and centre of mass in a disc
        let ring = 0,
          nr = 0;
        const ix = Math.round(x),
          iy = Math.round(y);
        for (let v = -14; v <= 14; v++)
          for (let u = -14; u <= 14; u++) {
            const r = Math.hypot(u, v);
            if (r > 11 && r < 14) {
              ring += data[(iy + v) * 512 + ix + u]!;
              nr++;
            }
          }
        let sum = 0,
          sx = 0,
          sy = 0;
        for (let v = -6; v <= 6; v++)
          for (let u = -6; u <= 6; u++) {
            if (Math.hypot(u, v) > 6) continue;
            const w = data[(iy + v) * 512 + ix + u]! - ring / nr;
            sum += w;
            sx += w * u;
            sy += w * v;
          }
        dx2 += (ix + sx / sum - x) ** 2 + (iy + sy / sum - y) ** 2;
        ratio += sum / gain / spots.electrons[j]!;
        n++;
      }
    }
    expect(n).toBeGreaterThanOrEqual(8);
    expect(Math.sqrt(dx2 / n)).toBeLessThan(0.25); // statistics of a few hundred electrons over a background
    expect(ratio / n).toBeGreaterThan(0.93);
    expect(ratio / n).toBeLessThan(1.04);
  },
);

test("true positions map back to integer indices, twins each on their own lattice", () => {
  for (const c of [twinCase(), cubicCase(), triclinicCase(), trigonalCase()]) {
    const s = simulateSeries(c.options, rng(c.seed));
    for (const i of [0, 60, s.shape[0] - 1]) {
      const spots = s.spots(i);
      const g = peaksToReciprocal(spots.px, new Int32Array(spots.size), s.instrument, [s.truth[i]!]);
      for (let j = 0; j < spots.size; j++) {
        const back = apply(inverse(c.options.crystals[spots.lattice[j]!]!.ub), [g[3 * j]!, g[3 * j + 1]!, g[3 * j + 2]!]);
        // a spot off the sphere by Sg is found off by about Sg times the longest axis
        back.forEach((x, k) => {
          expect(Math.abs(x - spots.hkl[3 * j + k]!)).toBeLessThan(0.4);
        });
      }
    }
  }
});

test("noise of a flat part of the frame is Gγ·signal + ψ", () => {
  const c = cubicCase();
  const s = simulateSeries(
    {
      ...c.options,
      errors: noStageErrors,
      background: { constant: 7, inelastic: 0, inelasticWidth: 1, directBeam: 0, directBeamSigmaPx: 1, rings: [] },
      camera: { ...s0(c).camera, gain: 3, cascade: 1.4, psi: 5, pedestal: 40 },
      strongestElectrons: 1e-6,
    },
    rng(9),
  );
  const { data } = s.frame(0);
  const mean = data.reduce((a, b) => a + b, 0) / data.length,
    variance = data.reduce((a, b) => a + (b - mean) ** 2, 0) / data.length;
  expect(mean).toBeCloseTo(40 + 21, 1);
  const expected = 3 * 1.4 * 21 + 5 + 1 / 12; // and the rounding
  expect(Math.abs(variance / expected - 1)).toBeLessThan(0.02);
});
const s0 = (c: ReturnType<typeof cubicCase>) => simulateSeries(c.options, rng(1));

test("saturation, dead and hot pixels, beam stop, drift and read-out gap are there", () => {
  const c = orthorhombicCase();
  const s = simulateSeries(
    { ...c.options, frames: 20, camera: { ...s0(c).camera, saturation: 3000, deadPixels: 4, hotPixels: 5 } },
    rng(1),
  );
  const { data } = s.frame(3);
  expect(data.reduce((a, b) => Math.max(a, b), 0)).toBe(3000);
  for (const i of s.badPixels.dead) expect(data[i]).toBe(0);
  for (const i of s.badPixels.hot) expect(data[i]).toBeGreaterThan(2600);
  const t = simulateSeries(triclinicCase().options, rng(2));
  expect(t.instrument.exposure).toEqual({ kind: "continuous", halfWidthDeg: 0.25 * 0.92 });
  expect(Math.hypot(t.truth[200]!.centrePx![0] - 253.4, t.truth[200]!.centrePx![1] - 259.8)).toBeGreaterThan(0.05);
  expect(t.truth[5]!.alphaDeg).not.toBe(t.nominal[5]!.alphaDeg);
  const { data: stopped } = t.frame(0);
  expect(stopped[260 * 512 + 253]!).toBeLessThan(2000); // the direct beam would be 26 000 electrons a pixel
});

test("cells, rotation law and names of the cases", () => {
  const cases = simulationCases();
  expect(cases.map((c) => c.name)).toEqual(["cubic", "trigonal", "orthorhombic", "twin", "triclinic"]);
  for (const c of cases) {
    const s = simulateSeries({ ...c.options, frames: 1 }, rng(c.seed));
    for (const cell of s.cells) {
      expect(cell.a).toBeCloseTo(c.crystal.cell.a, 9);
      expect(cell.gammaDeg).toBeCloseTo(c.crystal.cell.gammaDeg, 9);
    }
  }
  // the twofold axis along a keeps the zone [100]: h changes sign of nothing, k and l of both
  const twin = cases[3]!;
  const [p, q] = twin.options.crystals;
  const m = apply(p!.ub, [0, 0, 1]),
    n = apply(q!.ub, [0, 0, 1]);
  expect(m[0] + n[0] === 0 && m[1] + n[1] === 0).toBe(false);
  expect(twin.twinLaw![0] + twin.twinLaw![4] + twin.twinLaw![8]).toBeCloseTo(-1, 12);
  expect(() => simulateSeries({ ...twin.options, frames: 0 }, rng(1))).toThrow(/out-of-range/);
  expect(() => simulateSeries({ ...twin.options, readoutGap: 1 }, rng(1))).toThrow(/out-of-range/);
  expect(() => simulateSeries({ ...twin.options, frames: 2 }, rng(1)).frame(2)).toThrow(/out-of-range/);
});

test("a simulation reads like a stack of files", async () => {
  const c = trigonalCase(),
    s = simulateSeries(c.options, rng(c.seed)),
    source = simulationSource(s);
  expect(source.shape).toEqual([121, 512, 512]);
  expect((await source.read(4)).data).toEqual(s.frame(4).data);
  expect((await source.frame!(0)).facts.tiltDeg).toBeCloseTo(-60.5, 12);
  await expect(source.read(121)).rejects.toThrow(/out-of-range/);
});

test("ice rings lie at their d-spacings, where the background says", () => {
  const c = trigonalCase();
  const s = simulateSeries({ ...c.options, strongestElectrons: 1e-6, background: { ...defaultBackground, rings: iceRings(40) } }, rng(4));
  const { data } = s.frame(0),
    scale = c.options.instrument.detector.invAngstromPerPixel,
    [cx, cy] = s.truth[0]!.centrePx!;
  const mean = (q: number): number => {
    let sum = 0,
      n = 0;
    for (let a = 0; a < 720; a++) {
      const x = Math.round(cx + (q / scale) * Math.cos(a / 114.6)),
        y = Math.round(cy + (q / scale) * Math.sin(a / 114.6));
      sum += data[512 * y + x]!;
      n++;
    }
    return sum / n / s.camera.gain;
  };
  const between = (mean(1 / 3.2) + mean(1 / 3.1)) / 2;
  expect(mean(1 / 3.669) - between).toBeGreaterThan(30);
  expect(mean(1 / 2.249) - mean(0.42)).toBeGreaterThan(12);
  expect(mean(1 / 2.671) - mean(0.35)).toBeGreaterThan(5);
});
