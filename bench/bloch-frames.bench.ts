import { beamPool, selectBeams } from "../src/bloch/beams.js";
import { filterFrame } from "../src/bloch/filters.js";
import { incidence } from "../src/bloch/incidence.js";
import { sweepAll, sweepIntensities } from "../src/bloch/integrate.js";
import { sweepPool } from "../src/bloch/integrate-pool.js";
import { crystalPotential } from "../src/bloch/potential.js";
import { propagate } from "../src/bloch/propagate.js";
import { pullAll } from "../src/bloch/pull.js";
import { directionTangents, exposureDirections } from "../src/bloch/rotation.js";
import { structureMatrix } from "../src/bloch/structure-matrix.js";
import { thicknessNodes } from "../src/bloch/thickness.js";
import { blochIntensities } from "../src/bloch/waves.js";
import type { Map3 } from "../src/core/frames.js";
import { apply, inverse, type Vec3 } from "../src/core/frames.js";
import { atom, beam, orientationOnZone, spaceGroup, structure, ubMatrix, unitCell } from "../src/geometry/index.js";
import { type Report, timeAsync } from "./harness.js";

/** Least processor time of one call, ms: on a shared machine wall-clock times compare the neighbours. */
function time(body: () => void, times = 4): number {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < times; i++) {
    const from = process.cpuUsage();
    body();
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

/** One virtual frame, 240 directions (48 tilts × 5 mosaic blocks) of a non-centrosymmetric organic-like cell, wedge of 2400 Å. */
export async function run(report: Report): Promise<void> {
  const cell = unitCell(5.769, 5.949, 12.245);
  const sites = [
    [0.627, 0.727, 0.584],
    [0.305, 0.265, 0.591],
    [0.184, 0.65, 0.638],
    [0.762, 0.445, 0.684],
    [0.602, 0.557, 0.641],
    [0.355, 0.471, 0.661],
  ] as const;
  const crystal = structure(
    cell,
    spaceGroup("P 21 21 21"),
    sites.map((xyz, i) => atom({ element: ["O", "C", "N", "O", "C", "C"][i]!, xyz, uIso: 0.013 })),
  );
  const potential = crystalPotential(crystal, beam(200), { reach: 4.8, useInversion: false });
  const pool = beamPool(cell, crystal.spaceGroup, 2.4);
  const ub = ubMatrix(orientationOnZone(cell, [0.6, -0.25, -1], [0, 4, -1]), cell) as unknown as Map3<"lab", "hkl">;
  const exposure = { kind: "continuous", halfWidthDeg: 1.425 } as const;
  const mosaicity = { kind: "quantiles", varianceDeg2: 0.018, count: 5 } as const;
  const directions = exposureDirections(exposure, mosaicity, { sweep: { kind: "midpoint", steps: 48 } }, { gMax: 2.4, thickness: 2400 });
  const { kept } = filterFrame(pool.hkl, ub, beam(200), exposure, { rsgMax: 0.66 });
  const hkl = Int32Array.from(Array.from(kept).flatMap((i) => [...pool.hkl.subarray(3 * i, 3 * i + 3)]));
  const nodes = thicknessNodes({ kind: "wedge" }, 2400, 2 * Math.PI * 2400 * 0.012);
  const problem = { potential, pool, ub, directions, hkl, depths: { depth: nodes.t, weight: nodes.weights }, sMax: 0.01 };
  const r = sweepIntensities(problem);
  const ours = time(() => void sweepIntensities(problem));
  let solver = "";
  const single = time(() => {
    const toHkl = inverse(ub);
    for (let d = 0; d < directions.size; d += 24) {
      const k = [0, 1, 2].map((x) => directions.kappa[3 * d + x]! * potential.beam.k) as unknown as Vec3<"lab">;
      const inc = incidence(cell, apply(toHkl, k));
      const waves = propagate(structureMatrix(potential, selectBeams(pool, inc, { sMax: 0.01 }).strong, inc), nodes.t);
      solver = waves.solver;
      blochIntensities(waves);
    }
  });
  report({
    name: `frame of ${directions.size} directions, ${r.meanBeams.toFixed(0)} beams, one core`,
    ms: ours,
    peer: "one solve for each direction",
    peerMs: 24 * single,
    note: `${nodes.t.length} depths, ${hkl.length / 3} wanted, peer ${solver}; ${(ours / directions.size).toFixed(2)} ms a direction; the peer is our own single-orientation solver on each 24th`,
  });
  const seed = new Float64Array(hkl.length / 3).fill(1),
    tangents = directionTangents(directions, [[1, 0, 0], [0, 1, 0]]); // biome-ignore format: one idea
  let gradient = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3; i++) {
    const from = process.cpuUsage();
    await pullAll([{ ...problem, tangents, want: "gradient", seed }], () => undefined);
    const { user, system } = process.cpuUsage(from);
    gradient = Math.min(gradient, (user + system) / 1000);
  }
  report({
    name: "its gradient (pullAll): coefficients, two turns, ln t",
    ms: gradient,
    peer: "the frame's intensities",
    peerMs: ours,
    target: "<= 3",
  });
  const on = await sweepPool({ workers: 2 });
  const four = [problem, problem, problem, problem];
  const two = await timeAsync(async () => void (await sweepAll(four, { on })), { warmMs: 0, forMs: 1 });
  await on.pool.close();
  report({ name: "four such frames on two workers", ms: two, peer: "one core, processor time", peerMs: 4 * ours, note: "wall-clock time" });
}
