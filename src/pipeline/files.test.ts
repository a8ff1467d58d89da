import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cellParameters } from "../geometry/cell.js";
import { fromPets } from "../geometry/conventions-pets.js";
import { parseCelllist, parseCif, parsePts, parseRpl, parseXyz } from "../io/index.js";
import { recordFiles } from "./files.js";
import { describeSeries } from "./load.js";
import { processSeries } from "./process.js";
import { processingHtml } from "./report.js";
import { simulateSeries } from "./simulate.js";
import { triclinicCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

const { options, seed } = triclinicCase(),
  simulation = simulateSeries({ ...options, frames: 90, alphaStepDeg: 1, alphaStartDeg: -45 }, rng(seed));
const source = simulationSource(simulation),
  scale = simulation.instrument.detector.invAngstromPerPixel;

test("the files of a run read back to what was found", async () => {
  const { series, notes } = await describeSeries(source, { alphaDeg: { first: -45, step: 1 }, geometry: "continuous" });
  expect(notes.join()).toContain("frame header");
  expect(series.invAngstromPerPixel).toBe(scale);
  const record = await processSeries(source, series, { distortions: "none" });
  const files = recordFiles(record, { name: "a" });
  expect([...files.keys()]).toEqual(["a.pts", "a.rpl", "a.xyz", "a.cenloc", "a.celllist", "a.cif", "a.json"]);

  const pts = parsePts(files.get("a.pts")!),
    back = fromPets(pts.value, { nx: 512, ny: 512 });
  expect(pts.warnings).toEqual([]);
  expect(back.frames).toHaveLength(90);
  for (const [i, f] of back.frames.entries()) {
    expect(f.alphaDeg).toBeCloseTo(record.geometry[i]!.alphaDeg, 3);
    expect((f.omegaDeg - record.geometry[i]!.omegaDeg + 540) % 360).toBeCloseTo(180, 2);
  }
  const cell = parseCelllist(files.get("a.celllist")!).value[0]!;
  cell.cell!.forEach((v, i) => {
    expect(v).toBeCloseTo(cellParameters(record.cell)[i]!, 2);
  });
  const rpl = parseRpl(files.get("a.rpl")!).value,
    xyz = parseXyz(files.get("a.xyz")!).value;
  expect([rpl.size, xyz.size]).toEqual([record.peaks.size, record.indexing.maxima.size]);
  expect(rpl.px[5]).toBeCloseTo(record.peaks.px[5]! + 1, 2);
  expect(xyz.x[7]).toBeCloseTo(record.vectors[21]!, 3);
  expect(parseCif(files.get("a.cif")!).warnings).toEqual([]);
  expect(JSON.parse(files.get("a.json")!)).toMatchObject({ bravais: record.lattice.bravais, frames: 90 });

  const html = processingHtml(record, { frames: [{ index: 3, image: simulation.frame(3) }] });
  expect(html).toContain("tilt correction");
  expect(html).not.toMatch(/(src|href)="https?:/);
});

test("what is missing is named with its cure", async () => {
  const bare = { ...source, facts: {}, frame: undefined };
  await expect(describeSeries(bare)).rejects.toThrow("--kv 200");
  await expect(describeSeries(bare, { voltageKv: 200 })).rejects.toThrow("--aperpixel");
  await expect(describeSeries(bare, { voltageKv: 200, invAngstromPerPixel: 0.005 })).rejects.toThrow("--angles");
  await expect(
    describeSeries(bare, { voltageKv: 200, invAngstromPerPixel: 0.005, geometry: "precession", alphaDeg: { first: 0, step: 1 } }),
  ).rejects.toThrow("--phi");
});
