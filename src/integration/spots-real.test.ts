import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { type FrameSource, imageFormats, openFrames, parseCenloc, parseRpl, toFloat32 } from "../io/index.js";
import { bytesSource } from "../io/source.js";
import { describeData, readData } from "../testing/data.js";
import { centreFromDirectBeam, centreFromFriedelPairs } from "./centre.js";
import { noiseModel } from "./noise.js";
import { peaksFromRpl } from "./peak-table-io.js";
import { findSeams } from "./seams.js";
import { findSeriesSpots, suggestSpotSettings } from "./spot-series.js";
import { findSpots, type SpotTable } from "./spots.js";

const open = (file: string): Promise<FrameSource> => openFrames(bytesSource(readData(file), file), { formats: imageFormats });

/** Distance of the nearest spot, px. */
const nearest = (t: Pick<SpotTable, "size" | "x" | "y">, x: number, y: number): number => {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < t.size; i++) best = Math.min(best, Math.hypot(t.x[i]! - x, t.y[i]! - y));
  return best;
};

describeData("glycine, frame 1 against the peaks of PETS2", ["3ded/glycine_pets/00001.tiff", "3ded/glycine_pets/glycine.rpl"], () => {
  const peaks = peaksFromRpl(parseRpl(readData("3ded/glycine_pets/glycine.rpl")).value);
  const strong = Array.from(peaks.frame.keys()).filter((i) => peaks.frame[i] === 0 && peaks.intensity[i]! > 10 * peaks.sigma[i]!);
  /** Share of PETS2's strong peaks found within a pixel, and the worst distance. */
  const compare = (t: SpotTable): { share: number; worst: number } => {
    const d = strong.map((i) => nearest(t, peaks.px[i]!, peaks.py[i]!));
    return { share: d.filter((v) => v <= 1).length / d.length, worst: Math.max(...d) };
  };

  test("at least 95 % of those above I/σ 10 lie within 1 px, with PETS2's settings and with our own", async () => {
    const source = await open("3ded/glycine_pets/00001.tiff"),
      frame = toFloat32(await source.read(0));
    const told = compare(findSpots(frame, { noise: noiseModel(2.5, 1), diameter: 8, minSnr: 7 }));
    const settings = await suggestSpotSettings(source);
    const [found] = await findSeriesSpots(source, settings);
    const blind = compare(found!.spots);
    console.log(
      `glycine frame 1: ${strong.length} peaks of PETS2 with I/σ > 10; ` +
        `found ${100 * told.share} % (worst ${told.worst.toFixed(2)} px), blind ${100 * blind.share} % (worst ${blind.worst.toFixed(2)} px)`,
    );
    expect(strong.length).toBeGreaterThanOrEqual(14);
    expect(told.share).toBeGreaterThanOrEqual(0.95);
    expect(blind.share).toBeGreaterThanOrEqual(0.95);
  });

  test("the direct beam lies where PETS2 has the centre, within half a pixel; the frame has no seams", async () => {
    const frame = toFloat32(await (await open("3ded/glycine_pets/00001.tiff")).read(0));
    const pets = parseCenloc(readData("3ded/glycine_pets/glycine.cenloc")).value,
      beam = centreFromDirectBeam(frame);
    const off = Math.hypot(beam.x - (pets.px[0]! - 1), beam.y - (pets.py[0]! - 1));
    const pairs = centreFromFriedelPairs(findSpots(frame, { noise: noiseModel(2.5, 1) }), [beam.x, beam.y]);
    console.log(`glycine frame 1: direct beam ${off.toFixed(2)} px from .cenloc, ${pairs.count} Friedel pairs`);
    expect(off).toBeLessThan(0.5);
    expect(findSeams(frame)).toEqual({ rows: [], columns: [] });
  });
});

describeData("SMV frames of a Timepix with a cross of wide pixels", ["3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img"], () => {
  // Both files show one pattern: the wide pixels as two lines that count more, or spread over three lines each.
  const files = ["3ded/frames/TIMEPIX_SU_512-stdgoni_0001.img", "3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img"] as const;
  const search = async (file: string) => {
    const source = await open(file),
      settings = await suggestSpotSettings(source);
    return { source, settings, found: (await findSeriesSpots(source, settings))[0]! };
  };

  test("the seams are found and nothing else", async () => {
    const seams = await Promise.all(files.map(async (f) => findSeams(toFloat32(await (await open(f)).read(0)))));
    expect(seams[0]).toEqual({ rows: [255, 256], columns: [255, 256] });
    expect(seams[1]).toEqual({ rows: [255, 256, 257, 258, 259, 260], columns: [255, 256, 257, 258, 259, 260] });
  });

  test.each(files)("%s: reflections, and no spots on the cross", async (file) => {
    const { source, settings, found } = await search(file),
      { spots, centre } = found;
    const good = [...spots.x.keys()].filter((i) => spots.flagged[i] === 0);
    console.log(`${file}: ${good.length} spots (${spots.size - good.length} flagged), diameter ${settings.diameter} px`);
    expect(good.length).toBeGreaterThanOrEqual(13);
    expect(good.length).toBeLessThanOrEqual(25);
    for (const i of good) {
      expect(Math.min(Math.abs(spots.x[i]! - 257), Math.abs(spots.y[i]! - 257))).toBeGreaterThan(4);
      expect(spots.intensity[i]! / spots.sigma[i]!).toBeGreaterThan(6);
    }
    // The strongest reflections, as the eye finds them in the picture of the 516 pixel file.
    const wide = source.shape[2] === 516 ? 0 : 4; // pixels after the cross come four earlier in the other file
    for (const [x, y] of [[187, 337], [410, 339], [126, 226], [285, 357], [430, 203]] as const) // biome-ignore format: a list of points
      expect(nearest(spots, x - (x > 258 ? wide : 0), y - (y > 258 ? wide : 0))).toBeLessThan(2.5);
    const header = source.facts.beamCentre!;
    expect(Math.hypot(centre.x - header[0], centre.y - header[1])).toBeLessThan(1);
  });
});

describeData("lysozyme, CBF of a four-chip Timepix", ["3ded/frames/lysozyme_ED_dataset1_frame438.cbf"], () => {
  test("spots on a row at whole multiples of one vector; the header's centre is not believed", async () => {
    const source = await open("3ded/frames/lysozyme_ED_dataset1_frame438.cbf"),
      settings = await suggestSpotSettings(source),
      { spots, centre } = (await findSeriesSpots(source, settings))[0]!;
    console.log(`lysozyme: ${spots.size} spots, centre ${centre.x.toFixed(1)} ${centre.y.toFixed(1)}, header ${source.facts.beamCentre}`);
    // The file says 256 256 of 1032 pixels; the direct beam is at 483 519.
    expect(Math.hypot(centre.x - 483, centre.y - 519)).toBeLessThan(2);
    expect(spots.size).toBeGreaterThanOrEqual(14);
    expect(spots.size).toBeLessThanOrEqual(22);
    // Most differences of spots are whole multiples of the shortest one along the rows, (−18.9, 8.2) px.
    const row = [...spots.x.keys()].filter((i) => spots.y[i]! > 400 && spots.y[i]! < 495);
    const steps = row.map((i) => ((spots.x[i]! - 457) * -18.9 + (spots.y[i]! - 413) * 8.2) / (18.9 ** 2 + 8.2 ** 2));
    expect(row.length).toBeGreaterThanOrEqual(8);
    for (const s of steps) expect(Math.abs(s - Math.round(s))).toBeLessThan(0.15);
  });
});

describe("seams", () => {
  const [ny, nx] = [200, 240];
  /** A halo with a direct beam, spots, a horizontal shadow that ends, and what `detector` does to it. */
  const frame = (detector: (x: number, y: number) => number, seed = 1) => {
    const random = rng(seed),
      data = new Float32Array(ny * nx);
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const r = Math.hypot(x - 110, y - 95),
          spot = (x % 40) - 20,
          other = (y % 30) - 15;
        const shadow = x < 100 && Math.abs(y - 95) < 6 ? 0.05 : 1;
        const mean = (3 + 600 / (20 + r) + 5000 * Math.exp(-r * r / 18) + 80 * Math.exp(-(spot ** 2 + other ** 2) / 4)) * shadow; // biome-ignore format: one sum
        data[y * nx + x] = random.poisson(mean * detector(x, y));
      }
    return { data, shape: [ny, nx] as const };
  };

  test("neither halo, beam, spots in rows nor a beam stop are seams", () => {
    for (const seed of [1, 2, 3]) expect(findSeams(frame(() => 1, seed))).toEqual({ rows: [], columns: [] });
  });
  test("wide pixels, dead lines and the frame's own edge are", () => {
    const wide = frame((x, y) => (x === 119 || x === 120 ? 2.4 : 1) * (y === 0 ? 2.5 : 1) * (y === 150 ? 0 : 1));
    expect(findSeams(wide)).toEqual({ rows: [0, 150], columns: [119, 120] });
  });
  test("small and empty frames have none", () => {
    expect(findSeams({ data: new Float32Array(400), shape: [20, 20] })).toEqual({ rows: [], columns: [] });
    expect(findSeams({ data: new Float32Array(ny * nx), shape: [ny, nx] })).toEqual({ rows: [], columns: [] });
  });
});
