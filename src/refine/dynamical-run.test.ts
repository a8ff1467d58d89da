import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import { rng } from "../core/rng.js";
import { electrons, measuredFrames, rutile } from "../testing/measured-frames.js";
import { runDynamical } from "./dynamical-run.js";
import { perturbStructure } from "./perturb.js";

test("the shape and thickness of the crystal come back from a structure that is 0.05 Å off and no thickness", async () => {
  const truth = rutile(0.007),
    model: FrameModel = {
      gMax: 1.4,
      sMax: 0.01,
      thickness: 350,
      thicknessModel: { kind: "wedge" },
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
  const { start, result } = await runDynamical(
    perturbStructure(truth, 0.05, rng(1)),
    { beam: electrons, frames },
    { gMax: 1.4, thicknessTo: 1000, workers: 1 },
  );
  // The first scan is misled by the structure; the one at the end is not.
  expect(start.scans.at(-1)!.model.kind).toBe("plate");
  expect(result.models[0]!.thicknessModel.kind).toBe("wedge");
  expect(Math.abs(result.models[0]!.thickness / 350 - 1)).toBeLessThan(0.05);
  const x = result.parameters.find((q) => q.name === "O1.x")!;
  expect(Math.abs(x.value - 0.3053) / x.su).toBeLessThan(3);
}, 120_000);
