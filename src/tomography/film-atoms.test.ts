import { expect, test } from "vitest";
import { scoreAtoms } from "../testing/atoms-score.js";
import { filmSeries } from "../testing/film.js";
import { filmAtoms } from "./film-atoms.js";

test("a film seen to 60°, begun again from its atoms: more found and nearer to the truth, none false, a lower R of withheld pixels", async () => {
  const { series, all, inField, pixel } = filmSeries({
      seed: "amorphous",
      pixel: 0.4,
      shape: [30, 40],
      half: [40, 12, 5],
      views: 29,
      peak: 90,
    }),
    common = { pixel, withhold: 0.01, workers: 1, iterations: 30 };
  const before = await filmAtoms(series, { ...common, rounds: 0 }),
    after = await filmAtoms(series, common);
  const [b, a] = [before, after].map((r) => ({
    score: scoreAtoms(r.traced.positions, inField),
    wrong: scoreAtoms(r.traced.positions, all).falseFraction,
  })) as [{ score: ReturnType<typeof scoreAtoms>; wrong: number }, { score: ReturnType<typeof scoreAtoms>; wrong: number }];
  expect(before.completed).toBe(before.reconstruction);
  expect(after.reconstruction.volume).toEqual(before.reconstruction.volume);
  expect(a.score.found).toBeGreaterThanOrEqual(b.score.found);
  expect(a.score.rmsdPm).toBeLessThan(0.92 * b.score.rmsdPm);
  expect(a.wrong).toBe(0);
  expect(after.completed.figures.r1Free).toBeLessThan(0.95 * before.completed.figures.r1Free!);
});
