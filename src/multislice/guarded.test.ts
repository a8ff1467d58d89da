import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { beam } from "../geometry/beam.js";
import { arena as newArena } from "../kernels/memory.js";
import { guardedArena } from "../testing/guarded-arena.js";
import { atomModel } from "./atoms.js";
import { repeatAtoms } from "./atoms-build.js";
import { waveGrid } from "./grid.js";
import { potentialPlan } from "./potential.js";
import { prismPlan } from "./prism.js";
import { probeAmplitude, probePlan } from "./probe.js";
import { multislicePlan } from "./propagate.js";

// Odd and prime sizes, a skew cell, more atoms than a block of the matrix product.
const model = repeatAtoms(
  atomModel({ cell: [4, 0, 0, -1, 4.5, 0, 0, 0, 3], atoms: ["Si", "O"], positions: [1, 1, 0.5, 3, 3, 2], displacement: [0.01, 0.01] }),
  [5, 5, 6],
);

test.each([
  ["infinite", "f32", 66, 54],
  ["infinite", "f64", 75, 51],
  ["finite", "f32", 57, 51],
] as const)("no kernel writes past its memory: %s projection, %s, %i × %i", (projection, precision, nx, ny) => {
  const { arena, overrun } = guardedArena(newArena()),
    grid = waveGrid(nx, ny, [20, 0], [-5, 22.5]),
    b = beam(200);
  const potential = potentialPlan(model, { grid, sliceThickness: 2, projection, arena }),
    plan = multislicePlan(potential, b, { precision });
  const probe = probePlan(plan, probeAmplitude(grid, b, { aperture: 0.008 })),
    wave = plan.allocWaves(2);
  probe.place(wave, 1, 2);
  probe.place(wave + plan.waveBytes, 7, 3);
  for (const w of plan.windows) {
    runSync(plan.load(w));
    plan.advance(wave, 2, ...w);
  }
  const prism = prismPlan(plan, { aperture: 0.008, interpolation: 3, overlap: "allow" });
  runSync(prism.build());
  expect(prism.pattern(3, 19).every(Number.isFinite)).toBe(true);
  expect(overrun()).toBe(0);
  prism.free();
  probe.free();
  plan.free();
  potential.free();
  expect(overrun()).toBe(0);
});
