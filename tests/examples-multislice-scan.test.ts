import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { hdf5Frames, openHdf5 } from "../src/io/hdf5/index.js";
import { readNpy } from "../src/io/npy.js";
import { dataPath, describeData } from "../src/testing/data.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-stem-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const run = (args: readonly string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "stem-scan", ...args], { cwd: out, encoding: "utf8" });
interface Json {
  readonly probes: number;
  readonly images: readonly {
    readonly name: string;
    readonly depth?: number;
    readonly mean: number;
    readonly min: number;
    readonly max: number;
  }[];
}
const json = (args: readonly string[]): Json => {
  const r = run([...args, "--json"]);
  expect(r.status, r.stderr).toBe(0);
  return JSON.parse(r.stdout) as Json;
};

describeData("stem-scan on real structures", ["fourd/pyxem-demos/02/GaAs_mp-2534_conventional_standard.cif", "3ded/diffbloch"], () => {
  const gaas = dataPath("fourd/pyxem-demos/02/GaAs_mp-2534_conventional_standard.cif");
  test("GaAs [110]: pictures, arrays, and patterns that add up to the images", async () => {
    const size = ["--zone", "1,1,0", "--thickness", "8", "--across", "12", "--scan", "2x3", "--detectors", "BF:0-20,ADF:40-60"];
    const j = json([gaas, ...size, "--patterns", "p.h5", "--max", "60", "--out", "gaas"]);
    expect(j.probes).toBe(6);
    for (const f of ["gaas-BF.png", "gaas-BF.tif", "gaas-ADF.npy", "p.h5"]) expect(statSync(join(out, f)).size).toBeGreaterThan(70);
    const image = (await readNpy(readFileSync(join(out, "gaas-BF.npy")))).data as Float32Array;
    const frames = await hdf5Frames(join(out, "p.h5"));
    expect(frames.facts.scanShape).toEqual([2, 3]);
    const h = await openHdf5(join(out, "p.h5"));
    const [qy, qx] = await Promise.all(
      ["dim2", "dim3"].map(async (d) => (await (await h.dataset(`datacube_root/datacube/${d}`)).read()) as Float64Array),
    );
    for (let i = 0; i < 6; i++) {
      const data = (await frames.read(i)).data as Float32Array;
      let sum = 0;
      // λ = 0.02507934 Å at 200 kV
      for (const [r, y] of qy!.entries())
        for (const [c, x] of qx!.entries()) if (25.07934 * Math.hypot(x, y) < 20) sum += data[r * qx!.length + c]!;
      expect(sum).toBeCloseTo(image[i]!, 5);
      expect(data.reduce((s, v) => s + v, 0)).toBeGreaterThan(0.97);
    }
    await h.close();
    await frames.close?.();
  });
  test("quartz: a skew box, a thickness series, thermal vibrations from the file, the same numbers with two workers and a checkpoint", () => {
    const quartz = dataPath("3ded/diffbloch/quartz_no-abs_refined_structure.cif");
    const args = [
      quartz,
      "--across",
      "10",
      "--depths",
      "5,10",
      "--thickness",
      "10",
      "--scan",
      "2x2",
      "--detectors",
      "ADF:40-90",
      "--phonons",
      "2",
    ];
    const j = json([...args, "--workers", "1"]);
    expect(j.images.map((i) => Math.abs(i.depth! - [5, 10][j.images.indexOf(i)]!) < 1.2)).toEqual([true, true]);
    expect(j.images[1]!.mean).toBeGreaterThan(j.images[0]!.mean);
    expect(json([...args, "--workers", "2", "--checkpoint", join(out, "state.npz")])).toEqual(j);
  });
});

describe("stem-scan on a file of our own", () => {
  const xyz = join(out, "box.xyz");
  const row = (frame: number): string =>
    `2\nLattice="9 0 0 0 9 0 0 0 4" Properties=species:S:1:pos:R:3\nSi ${4.5 + 0.1 * frame} 4.5 1\nC 2 2 ${3 - 0.1 * frame}\n`;
  test("an .xyz file, and one of several frames; as a table", () => {
    writeFileSync(xyz, row(0) + row(1));
    const r = run([xyz, "--semiangle", "25", "--scan", "2x2", "--detectors", "ADF:40-80", "--dose", "1e4", "--source", "0.5"]);
    expect(r.status, r.stderr).toBe(0);
    expect(r.stderr).toContain("2 frames are taken as snapshots");
    expect(r.stdout).toMatch(/ADF +4\.0 +\d/);
  });
  test("PRISM of factor 1 gives the numbers of multislice, tilted; sectors, rings and centres of mass as arrays", async () => {
    const args = [xyz, "--semiangle", "25", "--scan", "2x3", "--tilt", "3,-2", "--detectors", "ADF:40-80,DPC:5-25/4,rings:0-40+10,CoM:30"];
    const [plain, prism] = [json(args), json([...args, "--prism", "1", "--out", "prism"])];
    expect(prism.images[0]!.mean / plain.images[0]!.mean).toBeCloseTo(1, 5);
    for (const [name, size] of [["DPC", 4], ["rings", 4], ["CoM", 2]] as const) // biome-ignore format: short
      expect((await readNpy(readFileSync(join(out, `prism-${name}.npy`)))).shape).toEqual([2, 3, size]);
  });
  test("a line of positions, as an array", async () => {
    const line = [xyz, "--semiangle", "25", "--line", "0,0,9,9,5", "--aberrations", "C12:20,phi12:0.3", "--detectors", "ADF:40-80"];
    const r = run([...line, "--out", "line"]);
    expect(r.status, r.stderr).toBe(0);
    const { data, shape } = await readNpy(readFileSync(join(out, "line-ADF.npy")));
    expect(shape).toEqual([5]);
    expect(data[2]).toBeGreaterThan(3 * (data[0] as number)); // silicon in the middle, vacuum at the corners
  });
  test.each([
    ["a line with a dose", [xyz, "--line", "0,0,1,1,4", "--dose", "5"]],
    ["an aberration that is none", [xyz, "--aberrations", "C99:1"]],
    ["a zone and a plane", [xyz, "--zone", "1,1,0", "--plane", "1,1,0"]],
    ["an interpolation that is none", [xyz, "--semiangle", "25", "--detectors", "ADF:40-80", "--prism", "1.5"]],
    ["a zone for a box that is taken as it stands", [xyz, "--zone", "1,1,0"]],
    ["a detector that is none", [xyz, "--detectors", "ADF"]],
    ["a box that is too small", [xyz, "--semiangle", "3", "--detectors", "ADF:40-80"]],
    ["too little memory", [xyz, "--semiangle", "25", "--memory", "0.1", "--detectors", "ADF:40-80"]],
  ] as const)("%s: status 1, nothing on stdout, a hint and no stack", (_, args) => {
    const r = run(args);
    expect(r.status).toBe(1);
    expect(r.stdout).toBe("");
    expect(r.stderr).toContain("stem-scan: ");
    expect(r.stderr).not.toMatch(/\n\s+at /);
  });
});
