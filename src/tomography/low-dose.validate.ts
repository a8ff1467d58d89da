import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { scoreAtoms } from "../testing/atoms-score.js";
import { rotationsLeft } from "../testing/tomography.js";
import { atomTomography } from "./chain.js";
import { refineAtoms } from "./refine-atoms.js";
import { matchAtoms } from "./register.js";
import { simulateParticle } from "./simulate-particle.js";
import { disturbedPoses, projectAtoms, simulateCounts, tiltPoses } from "./simulate-project.js";
import { tiltSeries } from "./tilt-series.js";

const N = 96,
  pixel = 0.37,
  poses = tiltPoses(Array.from({ length: 41 }, (_, i) => ((-70 + 3.5 * i) * Math.PI) / 180));

test.each([
  ["one", 30],
  ["two", 30],
  ["three", 30],
  ["four", 45],
  ["five", 60],
] as const)("FePt, no hints, particle %s, brightest pixel %d counts above the background", async (name, peak) => {
  const truth = simulateParticle({ rng: rng(`low dose ${name}`), atoms: 600 }).model,
    noise = { rng: rng(`low dose counts ${name}`), peak, background: 1.2, readout: 0.6 },
    { data } = simulateCounts(projectAtoms(truth, { shape: [N, N], pixel, poses }), noise),
    series = tiltSeries(data, [41, N, N], poses, { pixelAngstrom: pixel }),
    before = process.cpuUsage(),
    out = await atomTomography(series, { workers: 1 }),
    { user, system } = process.cpuUsage(before);
  const traced = scoreAtoms(out.traced.positions, truth.positions),
    s = scoreAtoms(out.model.positions, truth.positions),
    lengths = out.modelled!.refined.errors!.length,
    bound = 100 * Math.sqrt(lengths.reduce((q, x) => q + x * x, 0) / lengths.length),
    // What the counts hold: the same least squares begun at the true atoms.
    best = scoreAtoms(
      (await refineAtoms(series, truth, { workers: 1, widths: "species", withheld: 0, probes: 0 })).model.positions,
      truth.positions,
    );
  const wrong = s.match.reduce((n, b, a) => n + (b >= 0 && out.classes.species[a] !== truth.species[b] ? 1 : 0), 0);
  console.log(
    `low dose, ${truth.size} atoms, ${peak} counts: traced ${(100 * traced.found).toFixed(2)} %, ${traced.rmsdPm.toFixed(1)} pm; ` +
      `found ${(100 * s.found).toFixed(2)} %, false ${(100 * s.falseFraction).toFixed(2)} %, ${s.rmsdPm.toFixed(2)} pm, from the true atoms ${best.rmsdPm.toFixed(2)}, bound ${bound.toFixed(2)} pm; ` +
      `${out.classes.means.length} species, ${wrong} wrong; ${((user + system) / 1e6).toFixed(0)} CPU-s`,
  );
  expect(s.found).toBeGreaterThanOrEqual(0.99);
  expect(s.falseFraction).toBeLessThanOrEqual(0.01);
  expect(s.rmsdPm).toBeLessThan(1.03 * best.rmsdPm);
  expect(out.classes.means.length).toBe(2);
  expect(wrong).toBe(0);
});

test("827 atoms, 50 counts, views displaced by 2 px and turned by 2° about each axis: angles with the volume, then with the atoms", async () => {
  const truth = simulateParticle({ rng: rng("align 700 2"), atoms: 700 }).model,
    right = disturbedPoses(poses, (2 * Math.PI) / 180, rng("turn 2")),
    draw = rng("shift 2"),
    shifts = Float64Array.from({ length: 82 }, () => 2 * draw.normal()),
    views = projectAtoms(truth, { shape: [N, N], pixel, poses: right, shifts }),
    { data } = simulateCounts(views, { rng: rng("counts 2"), peak: 50 }),
    used = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1e3,
    out = await atomTomography(tiltSeries(data, [41, N, N], poses, { pixelAngstrom: pixel }), {
      classes: 2,
      align: true,
      workers: 1,
      now: used,
    }),
    { refined } = out.modelled!,
    found = matchAtoms(refined.model.positions, truth.positions, { rotate: true, centre: true, cutoff: 0.9 }),
    rotations = rotationsLeft(refined.poses, right).rmsDeg,
    share = found.matched / truth.size;
  const stages = Object.entries(out.times).map(([name, ms]) => `${name} ${(ms / 1e3).toFixed(0)}`);
  console.log(
    `turned by 2°, low dose: found ${(100 * share).toFixed(2)} % of ${truth.size}, listed ${refined.model.size}, ${(100 * found.rmsd).toFixed(2)} pm, ` +
      `rotations ${rotations.map((v) => v.toFixed(3)).join(", ")}°; CPU-s: ${stages.join(", ")}; ${out.warnings.join("; ")}`,
  );
  expect(share).toBeGreaterThanOrEqual(0.99);
  expect(1 - found.matched / refined.model.size).toBeLessThanOrEqual(0.01);
  expect(Math.max(...rotations)).toBeLessThan(0.15);
});
