import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { scoreAtoms } from "../testing/atoms-score.js";
import { atomModel, selectAtoms } from "./atom-model.js";
import { atomsPdb, atomsXyz, elementsByNumber } from "./atoms-files.js";
import { atomTomography } from "./chain.js";
import { classifyIntensities, countClasses } from "./classify.js";
import { classifyProfiles } from "./classify-profile.js";
import { refineAtoms } from "./refine-atoms.js";
import { falseAtoms, residualPeaks } from "./refine-atoms-edit.js";
import { matchAtoms } from "./register.js";
import { simulateParticle } from "./simulate-particle.js";
import { disturbedPoses, projectAtoms, simulateCounts, tiltPoses } from "./simulate-project.js";
import { tiltSeries } from "./tilt-series.js";
import { viewRims } from "./view-rims.js";

const N = 52,
  pixel = 0.4,
  poses = tiltPoses(Array.from({ length: 31 }, (_, i) => ((-70 + (140 / 30) * i) * Math.PI) / 180));
const particle = simulateParticle({ rng: rng("chain"), atoms: 130 }),
  truth = particle.model,
  { data } = simulateCounts(projectAtoms(truth, { shape: [N, N], pixel, poses }), { rng: rng("chain counts"), peak: 200 });
const series = tiltSeries(data, [31, N, N], poses, { pixelAngstrom: pixel });

test("counts in, atoms out: all found, none false, species right, labels the same from twenty starts", async () => {
  const out = await atomTomography(series, { classes: 2, iterations: 40, workers: 1 });
  expect(out.extended).toBe(false);
  const s = scoreAtoms(out.model.positions, truth.positions);
  expect(s.found).toBeGreaterThanOrEqual(0.987);
  expect(s.falseFraction).toBeLessThanOrEqual(0.01);
  s.match.forEach((b, a) => {
    if (b >= 0) expect(out.classes.species[a]).toBe(truth.species[b]);
  });
  const refined = out.modelled!.refined,
    bound = 100 * Math.sqrt(refined.errors!.length.reduce((t, v) => t + v * v, 0) / out.model.size);
  expect(s.rmsdPm / bound).toBeLessThan(1.1);
  expect(refined.reducedChi2).toBeLessThan(1.05);
  const volume = { data: out.reconstruction.volume, shape: out.reconstruction.shape };
  const labels = classifyProfiles(volume, out.traced.positions, { pixel, classes: 2 });
  for (let i = 0; i < 20; i++)
    expect(classifyProfiles(volume, out.traced.positions, { pixel, classes: 2, start: rng(i) }).species).toEqual(labels.species);
  const text = atomsXyz(out.model, { names: ["Fe", "Pt"], sigma: refined.errors!.positions });
  expect(text.split("\n")[0]).toBe(String(out.model.size));
  expect(text).toMatch(/^Fe -?\d/m);
  expect(atomsPdb(out.model, { names: ["Fe", "Pt"] })).toMatch(/^HETATM {4}1 (FE|PT) {3}UNL A {3}1 /m);
});

test("views of few counts turned by 5° about each axis: their angles are found before atoms are sought", async () => {
  const right = disturbedPoses(poses, (5 * Math.PI) / 180, rng("turned 1")),
    views = projectAtoms(truth, { shape: [N, N], pixel, poses: right }),
    counts = simulateCounts(views, { rng: rng("turned counts 1"), peak: 40 }).data,
    turned = tiltSeries(counts, [31, N, N], poses, { pixelAngstrom: pixel }),
    { model } = await atomTomography(turned, { classes: 2, align: true, iterations: 40, workers: 1 });
  const found = matchAtoms(model.positions, truth.positions, { rotate: true, centre: true, cutoff: 0.9 });
  expect(found.matched).toBe(truth.size);
  expect(model.size).toBe(truth.size);
  expect(100 * found.rmsd).toBeLessThan(15);
}, 120_000);

test("an atom left out is asked for by the residual, one too many is told by its intensity", async () => {
  const lost = 17,
    rest = selectAtoms(
      truth,
      Array.from({ length: truth.size }, (_, a) => a).filter((a) => a !== lost),
    );
  const extra = atomModel([...rest.positions, 9.2, 0, 0.4], 300, 0.5, [...rest.species, 0]);
  const r = await refineAtoms(series, extra, { workers: 1, probes: 0, withheld: 0, iterations: 5 });
  const peaks = residualPeaks(series, r);
  expect(peaks.intensities.length).toBeGreaterThanOrEqual(1);
  expect(Math.hypot(...[0, 1, 2].map((k) => peaks.positions[k]! - truth.positions[3 * lost + k]!))).toBeLessThan(0.25);
  const { remove } = falseAtoms(r.model);
  expect(remove[extra.size - 1]).toBe(1);
  expect(remove.reduce((s, v) => s + v, 0)).toBe(1);
});

test("a film that runs over the border is extended, a faint particle is not", () => {
  const film = data.map((v, i) => (Math.floor(i / N) % N > 20 ? 120 + (v % 7) : 16));
  expect(viewRims(tiltSeries(film, [31, N, N], poses, { pixelAngstrom: pixel })).extended).toBe(true);
  expect(viewRims(series).extended).toBe(false);
  const faint = simulateCounts(projectAtoms(truth, { shape: [N, N], pixel, poses }), {
    rng: rng("faint"),
    peak: 8,
    background: 0.5,
    readout: 0,
  }).data;
  expect(viewRims(tiltSeries(faint, [31, N, N], poses, { pixelAngstrom: pixel })).extended).toBe(false);
});

test("a pixel size that cannot show atoms is told before the run", async () => {
  for (const pixelAngstrom of [0.04, 4, undefined])
    await expect(atomTomography({ ...series, pixelAngstrom })).rejects.toThrow(/bad-value.*nm or pm/);
});

test("classes of one number", () => {
  const random = rng("classes");
  const v = [
    ...Array.from({ length: 300 }, () => 1 + 0.1 * random.normal()),
    ...Array.from({ length: 200 }, () => 2.58 + 0.15 * random.normal()),
  ];
  const c = classifyIntensities(v, 2);
  expect(c.species.slice(0, 300).every((s) => s === 0)).toBe(true);
  expect(c.species.slice(300).every((s) => s === 1)).toBe(true);
  for (let i = 0; i < 500; i++) expect(c.probability[2 * i]! + c.probability[2 * i + 1]!).toBeCloseTo(1, 12);
  expect(countClasses(v)).toBe(2);
  expect(countClasses(v.slice(0, 300))).toBe(1);
  expect(() => classifyIntensities([1], 2)).toThrow("fewer");
  expect(elementsByNumber(["Pt", "Fe"])).toEqual(["Fe", "Pt"]);
  expect(() => elementsByNumber(["Qq"])).toThrow("element");
  expect(() => elementsByNumber(["Ta", " Ta"])).toThrow("once");
});
