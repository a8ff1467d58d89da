import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import { rng } from "../core/rng.js";
import { electrons, measuredFrames, rutile } from "../testing/measured-frames.js";
import { runDynamical } from "./dynamical-run.js";
import { perturbStructure } from "./perturb.js";

const truth = rutile(0.007);
test.each([
  ["wedge", 350],
  ["wedge", 600],
  ["plate", 350],
] as const)(
  "rutile from 0.1 Å off, a %s of %d Å, five starts: shape, thickness, position and a residual of the noise",
  async (kind, thickness) => {
    const model: FrameModel = {
      gMax: 1.4,
      sMax: 0.01,
      thickness,
      thicknessModel: { kind },
      tiltCorrection: 0,
      mosaicity: { kind: "none" },
      sampling: { sweep: { kind: "midpoint", steps: 40 } },
    };
    const frames = await measuredFrames(truth, model, {
      anglesDeg: [-50, -38, -26, -14, -3, 9, 20, 31, 43, 55],
      halfWidthDeg: 1,
      rsgMax: 0.66,
      scale: (i) => 2e5 * (1 + i / 3),
      sigma: (v) => 0.03 * v + 2,
    });
    for (const seed of [1, 2, 3, 4, 5]) {
      const { result: r } = await runDynamical(
        perturbStructure(truth, 0.1, rng(seed)),
        { beam: electrons, frames },
        { gMax: 1.4, thicknessTo: 1000, workers: 1 },
      );
      const found = r.models[0]!,
        x = r.parameters.find((q) => q.name === "O1.x")!,
        wr = r.residuals.wrAll;
      console.log(`${kind} ${thickness}, seed ${seed}: ${found.thicknessModel.kind} ${found.thickness.toFixed(1)} Å, wR ${(100 * wr).toFixed(2)} %, x(O) ${x.value.toFixed(4)} ± ${x.su.toFixed(4)}`); // biome-ignore format: one line
      expect(found.thicknessModel.kind).toBe(kind);
      expect(Math.abs(found.thickness / thickness - 1)).toBeLessThan(0.05);
      expect(Math.abs(x.value - 0.3053)).toBeLessThan(3 * x.su);
      expect(wr).toBeLessThan(0.018);
    }
  },
  900_000,
);
