import { beamPool } from "../src/bloch/beams.js";
import { filterFrame } from "../src/bloch/filters.js";
import { type FrameModel, frameProblem } from "../src/bloch/frames.js";
import { sweepIntensities } from "../src/bloch/integrate.js";
import { crystalPotential } from "../src/bloch/potential.js";
import { pullAll } from "../src/bloch/pull.js";
import { directionTangents } from "../src/bloch/rotation.js";
import type { Map3 } from "../src/core/frames.js";
import { atom, beam, orientationOnZone, spaceGroup, structure, ubMatrix, unitCell } from "../src/geometry/index.js";
import { arena } from "../src/kernels/memory.js";
import { chainGradient, chainRows } from "../src/refine/dynamical-chain.js";
import { structureModel } from "../src/refine/model.js";
import { ignoreCharge } from "../src/scattering/form-factor.js";
import { peng1996 } from "../src/scattering/peng.js";
import type { Report } from "./harness.js";

/** Processor time of one call, ms: on a shared machine wall-clock times compare the neighbours. */
async function cpu(body: () => unknown): Promise<number> {
  const from = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

/** A virtual frame like those of alanine (P 21 21 21, wedge of 2400 Å, beams to 2.4 Å⁻¹), 24 tilts × 5 mosaic blocks, 54 free parameters. */
export async function run(report: Report): Promise<void> {
  const cell = unitCell(5.769, 5.949, 12.245),
    electrons = beam(200),
    factors = ignoreCharge(peng1996);
  const sites = [
    [0.627, 0.727, 0.584],
    [0.305, 0.265, 0.591],
    [0.184, 0.65, 0.638],
    [0.762, 0.445, 0.684],
    [0.602, 0.557, 0.641],
    [0.355, 0.471, 0.661],
  ] as const;
  const s = structure(
    cell,
    spaceGroup("P 21 21 21"),
    sites.map((xyz, i) =>
      atom({ label: `A${i}`, element: ["O", "C", "N", "O", "C", "C"][i]!, xyz, uAniso: [0.013, 0.012, 0.014, 0, 0.001, 0] }),
    ),
  );
  const m = structureModel(s);
  const model: FrameModel = {
    gMax: 2.4,
    sMax: 0.01,
    thickness: 2400,
    thicknessModel: { kind: "wedge" },
    mosaicity: { kind: "quantiles", varianceDeg2: 0.018, count: 5 },
    sampling: { sweep: { kind: "midpoint", steps: 24 } },
  };
  const potential = crystalPotential(s, electrons, { reach: 4.8, factors, useInversion: false });
  const pool = beamPool(cell, s.spaceGroup, 2.4);
  const ub = ubMatrix(orientationOnZone(cell, [0.6, -0.25, -1], [0, 4, -1]), cell) as unknown as Map3<"lab", "hkl">;
  const exposure = { kind: "continuous", halfWidthDeg: 1.425 } as const;
  const { kept } = filterFrame(pool.hkl, ub, electrons, exposure, { rsgMax: 0.66 });
  const hkl = Int32Array.from(Array.from(kept).flatMap((i) => [...pool.hkl.subarray(3 * i, 3 * i + 3)]));
  const frame = { id: "1", ub, alphaDeg: 0, exposure, hkl };
  const of = (sMax: number) => {
    const p = frameProblem({ potential, pool }, frame, { ...model, sMax });
    return { ...p, tangents: directionTangents(p.directions, [[1, 0, 0], [0, 1, 0]]) }; // biome-ignore format: one idea
  };
  const whole = of(model.sMax),
    small = of(0.3 * model.sMax),
    n = hkl.length / 3;
  const at = { model: m, raw: m.rawAt(m.start), map: m.derivatives(m.start), factors, scale: potential.scale };
  const memory = arena(),
    seed = new Float64Array(n).fill(1),
    free = [...m.names.keys()];
  sweepIntensities(whole, memory);
  const forward = await cpu(() => sweepIntensities(whole, memory));
  report({ name: `forward pass, ${n} reflections, ${whole.directions.size} directions`, ms: forward });
  let columns = 0;
  const gradient = await cpu(() =>
    pullAll([{ ...whole, want: "gradient", seed }], (r) => {
      columns = chainGradient(r.u, r.hkl, at).free.length + 3;
    }),
  );
  report({
    name: `exact gradient, ${columns} parameters`,
    ms: gradient,
    peer: "central differences",
    peerMs: 2 * columns * forward,
    note: `${(gradient / forward).toFixed(2)} forward passes`,
  });
  const rows = await cpu(() =>
    pullAll([{ ...small, want: "rows", window: 0.15 * model.sMax }], (r) => void chainRows(r, at, free, memory)),
  );
  report({
    name: `rows of the normal equations, ${n} × ${columns}`,
    ms: rows,
    peer: "central differences",
    peerMs: 2 * columns * forward,
    note: `${(rows / forward).toFixed(2)} forward passes`,
  });
  const cycle = gradient + rows + forward;
  report({
    name: "a cycle of this frame",
    ms: cycle,
    note: `58 frames of 600 directions: ${((58 * 5 * cycle) / 60e3 / 2).toFixed(1)} min on two cores`,
  });
}
