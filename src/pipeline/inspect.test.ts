import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bytesSource, writeNpy, writeNpz, writeTiff } from "../io/index.js";
import { fileSource } from "../io/node/files.js";
import { dataPath, describeData } from "../testing/data.js";
import { inspect } from "./inspect.js";
import { summary } from "./inspect-summary.js";

test("frames: shape, type, statistics over the stack, the frame asked for", async () => {
  const stack = [1, 2, 3].map((k) => ({ data: Float32Array.of(k, Number.NaN, -k, 0), shape: [2, 2] as const }));
  const r = await inspect(bytesSource(writeTiff(stack), "a.tif"), { frame: 2 });
  expect(r).toMatchObject({ format: "tiff", kind: "frames", shape: [3, 2, 2], dtype: "f32" });
  expect(r.statistics).toEqual({ frames: 3, min: -3, max: 3, mean: 0, sum: 0, nan: 3 });
  expect(r.image!.data[0]).toBe(3);
});

test("records: arrays by length and range", async () => {
  const r = await inspect(bytesSource(writeNpz({ a: { data: Float64Array.from({ length: 50 }, (_, i) => i / 2), shape: [50] } }), "x.npz"));
  expect(r.kind).toBe("records");
  expect(r.content).toEqual({ a: { data: "Float64Array: 50 values, 0 to 24.5", shape: [50], dtype: "f64" } });
  await expect(inspect(bytesSource(new TextEncoder().encode("?"), "x.doc"))).rejects.toMatchObject({ code: "unsupported" });
});

test("an array that is no stack is still described", async () => {
  const r = await inspect(bytesSource(writeNpy(Float32Array.of(1, 2, 3), [3]), "v.npy"));
  expect(r).toMatchObject({ format: "npy", kind: "records", content: { data: "Float32Array: 1 2 3", shape: [3] } });
  expect(r.warnings.join()).toContain("no frames");
});

test("summaries are short and JSON", () => {
  const deep = { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } };
  const s = summary({ deep, text: "x".repeat(500), list: Array.from({ length: 99 }, (_, i) => i), nan: Number.NaN, big: 5n, f: () => 1 });
  expect(JSON.stringify(s).length).toBeLessThan(500);
  expect(s).toMatchObject({ list: "99 values, 0 to 98", nan: "NaN", big: "5" });
});

test("the example prints JSON, draws a picture and fails with a status", () => {
  const dir = mkdtempSync(join(tmpdir(), "ewald-inspect-")),
    root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  writeFileSync(join(dir, "a.tif"), writeTiff({ data: Uint16Array.from({ length: 64 }, (_, i) => i), shape: [8, 8] }));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "--example", "inspect", ...args], { cwd: root, encoding: "utf8" });
  const good = run(join(dir, "a.tif"), "--json", "--png", join(dir, "a.png"));
  expect(good.status, good.stderr).toBe(0);
  expect(JSON.parse(good.stdout)).toMatchObject({ format: "tiff", shape: [1, 8, 8], dtype: "u16", statistics: { max: 63, mean: 31.5 } });
  expect([...readFileSync(join(dir, "a.png")).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  const bad = run(join(dir, "none.tif"));
  expect(bad.status).toBe(1);
  expect(bad.stdout).toBe("");
  expect(bad.stderr).toContain("not-found");
});

describeData("inspect, real files", ["3ded", "fourd/rosettasciio", "fourd/openncem"], () => {
  test.each([
    ["3ded/glycine_pets/00001.tiff", "tiff", [1, 516, 516]],
    ["fourd/openncem/temp.mrc", "mrc", [3, 128, 128]],
    ["fourd/openncem/16_STOimage_1.ser", "ser", undefined],
    ["fourd/rosettasciio/tia/new/128x128x5-diffraction_preview_1.ser", "ser", [5, 128, 128]],
    ["fourd/rosettasciio/zspy/signal1d_10x10-ZipStore.zspy", "zarr", [1, 10, 10]],
    ["fourd/rosettasciio/emd/Si100_4D.emd", "emd", undefined],
    ["3ded/lacbed_dm3/GeSn", "dm3", undefined],
  ] as const)("frames of %s", async (path, format, shape) => {
    const full = dataPath(path);
    const file = /\.\w+$/.test(path) ? full : join(full, readdirSync(full).find((f) => f.endsWith(".dm3"))!);
    const r = await inspect(await fileSource(file));
    expect(r.format).toBe(format);
    if (shape) expect(r.shape).toEqual(shape);
    expect(r.statistics!.max).toBeGreaterThanOrEqual(r.statistics!.min);
  });

  test.each([
    ["glycine.rpl", "pets rpl"],
    ["glycine.cor", "pets cor"],
    ["glycine.xyz", "pets xyz"],
    ["glycine.clust", "pets clust"],
    ["glycine.cenloc", "pets cenloc"],
    ["glycine.celllist", "pets celllist"],
    ["glycine.cml", "pets cml"],
    ["glycine.framestats", "pets framestats"],
    ["glycine.resolution", "pets resolution"],
    ["glycine.hkl", "hkl"],
    ["glycine.pts", "pts"],
    ["glycine.cif_pets", "cif_pets"],
    ["alpha_glycine.cif", "cif"],
  ])("records of %s", async (name, format) => {
    const r = await inspect(await fileSource(dataPath("3ded/glycine_pets", name)));
    expect(r.format).toBe(format);
    expect(JSON.stringify(r.content).length).toBeGreaterThan(40);
    expect(JSON.stringify(r.content).length).toBeLessThan(20_000);
  });

  test.each([
    ["fourd/rosettasciio/emd/example_spectrum.emd", "hdf5", "datasets"],
    ["fourd/read_mib/mib_examples/ROI.zip", "zip", ".mib"],
    ["fourd/rosettasciio/empad/map4x4.xml", "empad xml", "scan_x4_y4.raw"],
    ["fourd/rosettasciio/tia/old/64x64_diffraction_acquire.emi", "tia emi", ""],
  ])("what is in %s, which is no stack", async (path, format, part) => {
    const r = await inspect(await fileSource(dataPath(path)));
    expect(r).toMatchObject({ format, kind: "records" });
    if (format !== "hdf5") expect(JSON.stringify(r.content)).toContain(part);
  });

  test("an .xyz of atoms is told from one of PETS2's peaks", async () => {
    const r = await inspect(await fileSource(dataPath("tomography/format-samples/pdpt_EPB.xyz")));
    expect(r).toMatchObject({ format: "atoms xyz", kind: "records" });
    expect(JSON.stringify(r.content)).toContain("16131 values");
  });

  test.each(["quartz_dials/strong.refl", "frames/lysozyme_ED_refmac_final.mtz"])("records of %s", async (path) => {
    const r = await inspect(await fileSource(dataPath("3ded", path)));
    expect(r.kind).toBe("records");
    expect(JSON.stringify(r.content)).toContain("values");
  });
});
