import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { findSeriesSpots, findSpots, spotGrowth, suggestSpotSettings } from "../integration/index.js";
import { toFloat32 } from "../io/frames.js";
import { openPath } from "../io/node/index.js";
import { dataPath, describeData } from "../testing/data.js";
import { frameFormats } from "./inspect.js";
import { type SimulationOptions, simulateSeries } from "./simulate.js";
import { type CameraModel, hybridPixelCamera, timepixCamera } from "./simulate-camera.js";
import { triclinicCase } from "./simulate-cases.js";

const discs = [0.5, 0.75, 1.25, 1.5, 2, 2.5];

/** Growth of the spots of simulated frames of a sparse pattern, for discs of a given diameter. */
function simulated(camera: CameraModel, diameter: number): Float64Array {
  const { options, seed } = triclinicCase(),
    background = { ...options.background!, inelastic: 2, constant: 0.1 };
  const case_: SimulationOptions = {
    ...options,
    frames: 3,
    camera,
    background,
    strongestElectrons: 200_000,
    rocking: { ...options.rocking, mosaicityDeg: 0 },
  };
  const s = simulateSeries(case_, rng(seed)),
    image = s.frame(1),
    centre = s.truth[1]!.centrePx!;
  const spots = findSpots(image, { noise: { gain: 2.5, psi: 1 }, diameter, minSnr: 10, centre, minRadius: 40 });
  const { share, spots: count } = spotGrowth(image, spots, { diameter, discs });
  expect(count).toBeGreaterThan(3);
  return share;
}

test("Gaussian spots grow as 1 − exp(−r²/2σ²)", () => {
  const share = simulated({ ...hybridPixelCamera, spotSigmaPx: 2, tailFraction: 0 }, 10),
    inside = (d: number): number => 1 - Math.exp(-((d * 5) ** 2) / 8);
  discs.forEach((d, i) => {
    expect(Math.abs(share[i]! - inside(d) / inside(1)), `${d}`).toBeLessThan(0.015);
  });
});

test("discs that reach into the background ring are refused", () => {
  expect(() => spotGrowth({ data: new Float32Array(100), shape: [10, 10] }, { size: 0 } as never, { diameter: 3, discs: [3] })).toThrow(
    "2.6",
  );
});

// Share of counts in 2.5 spot diameters over one: measured once, as a regression.
const real = [
  ["3ded/glycine_pets/00001.tiff", 1.15],
  ["3ded/frames/TIMEPIX_SU_512-stdgoni_0001.img", 1.29],
  ["3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img", 1.34],
] as const;
describeData(
  "tails of real spots",
  real.map(([f]) => f),
  () => {
    const growth = async (file: string, at: readonly number[]) => {
      const source = await openPath(dataPath(file), { formats: frameFormats }),
        settings = await suggestSpotSettings(source),
        [found] = await findSeriesSpots(source, settings);
      return {
        ...spotGrowth(toFloat32(await source.read(0)), found!.spots, { diameter: settings.diameter, discs: at }),
        diameter: settings.diameter,
      };
    };
    test.each(real)("%s grows beyond its spot diameter", async (file, wanted) => {
      const { share, spots } = await growth(file, [2.5]);
      expect(spots).toBeGreaterThan(1);
      expect(Math.abs(share[0]! - wanted)).toBeLessThan(0.05);
    });
    test("the simulated Timepix camera has the spots of the glycine frame", async () => {
      const { share, diameter } = await growth(real[0][0], discs),
        same = simulated(timepixCamera, diameter);
      discs.forEach((d, i) => {
        expect(Math.abs(share[i]! - same[i]!), `${d}`).toBeLessThan(0.025);
      });
      // Its Gaussian brother with 4 % of tail has not.
      expect(share[5]! - simulated(hybridPixelCamera, diameter)[5]!).toBeGreaterThan(0.08);
    });
  },
);
