import { expect, test } from "vitest";
import { scoreAtoms } from "../testing/atoms-score.js";
import { filmSeries } from "../testing/film.js";
import { filmAtoms } from "./film-atoms.js";

// Bounds for 30 counts are the level reached.
test.each([
  [30, "first", 0.93, 0.02],
  [60, "first", 0.95, 0.01],
  [60, "second", 0.95, 0.01],
  [200, "second", 0.95, 0.01],
])(
  "simulated film, brightest pixel %i counts, %s: found, false, nearer to the truth than without rounds",
  async (peak, name, least, most) => {
    const { series, pixel, all, inField } = filmSeries({
      seed: `film ${name}`,
      pixel: 0.36,
      shape: [48, 64],
      half: [95, 30, 8],
      views: 41,
      peak,
    });
    const run = async (rounds: number) => {
      const cpu = process.cpuUsage(),
        { traced } = await filmAtoms(series, { pixel, withhold: 0.005, workers: 1, rounds });
      const { found, rmsdPm } = scoreAtoms(traced.positions, inField),
        wrong = scoreAtoms(traced.positions, all).falseFraction,
        used = process.cpuUsage(cpu);
      console.log(
        `${peak} counts, ${name}, ${rounds} rounds: ${inField.length / 3} atoms in the field, ${(100 * found).toFixed(1)} % found, ` +
          `${(100 * wrong).toFixed(1)} % false, ${rmsdPm.toFixed(1)} pm; ${((used.user + used.system) / 1e6).toFixed(0)} CPU-s`,
      );
      return { found, rmsdPm, wrong };
    };
    const [before, after] = [await run(0), await run(4)];
    expect.soft(after.found).toBeGreaterThanOrEqual(Math.max(before.found, least));
    expect.soft(after.wrong).toBeLessThanOrEqual(most);
    expect.soft(after.rmsdPm).toBeLessThan(before.rmsdPm);
  },
);
