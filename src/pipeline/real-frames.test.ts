import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findSeriesSpots, suggestSpotSettings } from "../integration/index.js";
import { openPath } from "../io/node/index.js";
import { dataPath, describeData } from "../testing/data.js";
import { frameFormats } from "./inspect.js";
import { spotPicture } from "./spot-picture.js";

const files = [
  ["3ded/glycine_pets/00001.tiff", "tiff", 516],
  ["3ded/frames/TIMEPIX_SU_512-stdgoni_0001.img", "smv", 512],
  ["3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img", "smv", 516],
  ["3ded/frames/lysozyme_ED_dataset1_frame438.cbf", "cbf", 1032],
] as const;

describeData(
  "real frames from the file to the picture",
  files.map(([f]) => f),
  () => {
    test.each(files)("%s", async (file, format, size) => {
      const source = await openPath(dataPath(file), { formats: frameFormats });
      expect(source.format).toBe(format);
      expect(source.shape).toEqual([1, size, size]);
      const settings = await suggestSpotSettings(source);
      const [found] = await findSeriesSpots(source, settings);
      const png = spotPicture(await source.read(0), found!, settings.diameter);
      const view = new DataView(png.buffer, png.byteOffset);
      expect([...png.subarray(1, 4)]).toEqual([..."PNG"].map((c) => c.charCodeAt(0)));
      expect(view.getUint32(16)).toBe(Math.min(size, 1024));
      expect(found!.spots.size).toBeGreaterThan(10);
      // The direct beam is on the detector and no pixel of it counts as a spot.
      const { spots, centre } = found!;
      for (let i = 0; i < spots.size; i++)
        expect(Math.hypot(spots.x[i]! - centre.x, spots.y[i]! - centre.y)).toBeGreaterThan(settings.minRadius - 6);
      await source.close?.();
    });
  },
);

test("pictures of the docs are small", () => {
  const folder = join(import.meta.dirname, "..", "..", "docs", "img");
  for (const f of readdirSync(folder)) expect(statSync(join(folder, f)).size, f).toBeLessThan(300_000);
});
