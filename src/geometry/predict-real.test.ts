import { expect, test } from "vitest";
import type { Map3 } from "../core/frames.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { parsePts } from "../io/pets/pts.js";
import { describeData, readDataText } from "../testing/data.js";
import { fromPets } from "./conventions-pets.js";
import { latticePoints, predictSpots } from "./predict.js";

const numbers = (name: string, columns: number): number[][] =>
  readDataText(`3ded/glycine_pets/${name}`)
    .split("\n")
    .map((l) => l.trim().split(/\s+/).map(Number))
    .filter((r) => r.length === columns);

describeData("glycine, PETS2's UB, every frame", ["3ded/glycine_pets/glycine.cor", "3ded/glycine_pets/glycine.celllist"], () => {
  const text = readDataText("3ded/glycine_pets/glycine.celllist").split("\n");
  const at = text.findIndex((l) => l.startsWith("ubmatrix"));
  const ub = text.slice(at + 1, at + 4).flatMap((l) => l.trim().split(/\s+/).map(Number)) as unknown as Map3<"sample", "hkl">;
  const pts = parsePts(readDataText("3ded/glycine_pets/glycine.pts")).value;
  const centres = Float64Array.from(numbers("glycine.cenloc", 3).flatMap((r) => r.slice(0, 2)));
  const peaks = numbers("glycine.cor", 12).filter((r) => r[4]! > 1);
  const zones = parseCifPets(readDataText("3ded/glycine_pets/glycine.cif_pets")).value.zones;
  /** Share of PETS2's peaks with a predicted spot within `reach` pixels, and the rms distance of those. */
  const compare = (turn: number, reach: number): { share: number; rms: number } => {
    const { instrument, frames: nominal } = fromPets(pts, { nx: 516, ny: 516, centres });
    // the angles that PETS2 refined for every frame
    const frames = nominal.map((frame, i) => {
      const z = zones.id.indexOf(i + 1);
      return z < 0 ? frame : { ...frame, alphaDeg: zones.alphaDeg[z]!, betaDeg: zones.betaDeg[z]!, omegaDeg: zones.omegaDeg[z]! + turn };
    });
    const points = latticePoints(ub, { gMax: 1.8 });
    let hit = 0,
      d2 = 0;
    for (let f = 0; f < frames.length; f++) {
      const mine = peaks.filter((r) => r[11] === f + 1);
      if (mine.length === 0) continue;
      const spots = predictSpots(points, instrument, frames[f]!, { rocking: { rcWidth: 0.0012, mosaicityDeg: 0.21 } });
      for (const r of mine) {
        let best = Number.POSITIVE_INFINITY;
        for (let j = 0; j < spots.size; j++)
          best = Math.min(best, (spots.px[2 * j]! - r[7]! + 1) ** 2 + (spots.px[2 * j + 1]! - r[8]! + 1) ** 2);
        if (best < reach * reach) {
          hit++;
          d2 += best;
        }
      }
    }
    return { share: hit / peaks.length, rms: Math.sqrt(d2 / hit) };
  };

  test("peaks above I/σ 1 in the list have a predicted spot nearby; with the wrong sense of rotation they do not", () => {
    const right = compare(0, 3),
      wrong = compare(180, 3);
    console.log(
      `glycine: ${peaks.length} peaks, ${(100 * right.share).toFixed(1)} % predicted within 3 px (rms ${right.rms.toFixed(2)} px); other sense ${(100 * wrong.share).toFixed(1)} %`,
    );
    // the rest are strong reflections seen in the far tails of their rocking curves: 94 % within 7σ
    expect(right.share).toBeGreaterThan(0.8);
    expect(right.rms).toBeLessThan(0.6);
    expect(wrong.share).toBeLessThan(0.5);
  });
});
