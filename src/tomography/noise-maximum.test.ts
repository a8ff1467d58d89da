import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { atomModel } from "./atom-model.js";
import { noiseMaximum } from "./noise-maximum.js";
import type { RefinedAtoms } from "./refine-atoms.js";
import { residualPeaks } from "./refine-atoms-edit.js";
import { tiltPoses } from "./simulate-project.js";

test("maxima of filtered noise are as many as a normal field has, less what the grid takes: of ten searches with ten each", () => {
  const N = 64,
    pixel = 0.4,
    poses = tiltPoses(Array.from({ length: 31 }, (_, i) => ((-70 + (140 / 30) * i) * Math.PI) / 180)),
    random = rng("noise maximum");
  // Two atoms span the box that is searched; the views hold noise alone.
  const model = atomModel(Float64Array.of(-5, -5, -5, 5, 5, 5), 1, 0.55);
  const calculated = new Float32Array(31 * N * N),
    refined = { model, noise: { gain: 0, floor: 1 }, calculated, poses, shifts: new Float64Array(62) } as unknown as RefinedAtoms;
  const side = 2 * Math.ceil(8 / pixel) + 1,
    z = noiseMaximum(side ** 3, poses, 0.55 / pixel, 10);
  let count = 0;
  for (let k = 0; k < 10; k++) {
    const series = { projections: calculated.map(() => random.normal()), shape: [31, N, N] as const, poses, pixelAngstrom: pixel };
    count += residualPeaks(series, refined, { significance: z, minDistance: 0 }).significance.length;
  }
  expect(z).toBeGreaterThan(2.5);
  // Voxels miss the tops by 2 % and linear interpolation between pixels takes 4 % of the deviation: 0.57 of the maxima are left.
  expect(count).toBeGreaterThan(40);
  expect(count).toBeLessThan(80);
  expect(noiseMaximum(1e5, poses, 1.375)).toBeGreaterThan(noiseMaximum(1e4, poses, 1.375) + 0.3);
});
