import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { filterFrame } from "../bloch/filters.js";
import { type FrameModel, frameCrystal, frameIntensities } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { petsRotation } from "../geometry/goniometer.js";
import { ubMatrix } from "../geometry/orientation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import type { RefinedFrameData } from "../refine/index.js";
import { figureSvg, plotSvg } from "../render/index.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { albite } from "./simulate-crystals.js";
import { thicknessProfile, thicknessProfilePlots } from "./thickness-profile.js";

const electrons = beam(200),
  s = albite().structure,
  factors = ignoreCharge(peng1996);

/** Frames of rotation as a model of a given thickness makes them, with 3 % of noise. */
async function frames(model: FrameModel): Promise<RefinedFrameData[]> {
  const crystal = frameCrystal(s, electrons, model.gMax, { factors }),
    ub = ubMatrix(randomRotation<"sample", "crystal">(rng(4)), s.cell),
    exposure = { kind: "continuous", halfWidthDeg: 1 } as const,
    random = rng(11);
  const bare = [-40, -25, -8, 4, 19, 33].map((alphaDeg, i) => {
    const turned = compose(petsRotation(alphaDeg, 0, 0), ub);
    const { kept } = filterFrame(crystal.pool.hkl, turned, electrons, exposure, { rsgMax: 0.66 });
    const hkl = Int32Array.from([...kept].filter((k) => k > 0).flatMap((k) => [...crystal.pool.hkl.subarray(3 * k, 3 * k + 3)]));
    return { id: String(i + 1), ub: turned, alphaDeg, exposure, hkl };
  });
  const exact = await frameIntensities(crystal, bare, model, { on: undefined });
  return bare.map((f, i) => {
    const I = exact[i]!.intensity.map((v) => 1e5 * (1 + i / 4) * v),
      sigma = I.map((v) => 0.03 * v + 2);
    return { ...f, intensity: I.map((v, j) => v + sigma[j]! * random.normal()), sigma };
  });
}

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
