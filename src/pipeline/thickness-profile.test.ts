import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import { figureSvg, plotSvg } from "../render/index.js";
import { electrons, measuredFrames } from "../testing/measured-frames.js";
import { albite } from "./simulate-crystals.js";
import { thicknessProfile, thicknessProfilePlots } from "./thickness-profile.js";

const s = albite().structure;

const frames = (model: FrameModel) =>
  measuredFrames(s, model, {
    anglesDeg: [-40, -25, -8, 4, 19, 33],
    halfWidthDeg: 1,
    rsgMax: 0.66,
    scale: (i) => 1e5 * (1 + i / 4),
    sigma: (v) => 0.03 * v + 2,
    seeds: [4, 11],
  });

test.each([
  [360, 0],
  [520, 0.5],
])(
  "R and the noise of the difference map are least at the true thickness: wedge of %d Å, C = %d",
  async (thickness, tiltCorrection) => {
    const model: FrameModel = {
      gMax: 1.1,
      sMax: 0.01,
      thickness,
      thicknessModel: { kind: "wedge" },
      tiltCorrection,
      mosaicity: { kind: "none" },
      sampling: { sweep: { kind: "midpoint", steps: 24 } },
    };
    const data = { beam: electrons, frames: await frames(model), model: { ...model, thickness: 440 } };
    const p = await thicknessProfile(s, data);
    expect(p.thickness.length).toBe(13);
    expect(p.frames.length).toBe(6);
    expect(Math.abs(p.bestWr / thickness - 1)).toBeLessThan(0.04);
    expect(Math.abs(p.bestSigma / thickness - 1)).toBeLessThan(0.1);
    // The minima are minima: twice as bad at the ends of the range.
    for (const y of [p.wrAll, p.sigma]) {
      const least = Math.min(...y);
      expect(y[0]! / least).toBeGreaterThan(2);
      expect(y[12]! / least).toBeGreaterThan(1.5);
    }
    for (const plot of thicknessProfilePlots(p)) expect(plotSvg(plot)).toContain("<svg");
    if (process.env.EWALD_FIGURE && tiltCorrection > 0) writeFileSync(process.env.EWALD_FIGURE, figureSvg(thicknessProfilePlots(p)));
  },
  60_000,
);

test("a thickness of zero is refused; an abort ends the run", async () => {
  const model: FrameModel = {
    gMax: 1,
    sMax: 0.01,
    thickness: 300,
    thicknessModel: { kind: "wedge" },
    mosaicity: { kind: "none" },
    sampling: { sweep: { kind: "midpoint", steps: 8 } },
  };
  const data = { beam: electrons, frames: await frames(model), model };
  await expect(thicknessProfile(s, data, { thickness: [0, 300] })).rejects.toThrow("positive");
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await expect(thicknessProfile(s, data, { signal: stop.signal })).rejects.toThrow("enough");
});
