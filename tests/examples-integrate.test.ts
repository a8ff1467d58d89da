import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { rng } from "../src/core/rng.js";
import { emptyPts, parseCifPets, parseHklf, ptsImagesOf, withPtsImages, withPtsKeyword, writePts, writeTiff } from "../src/io/index.js";
import { simulateSeries, trigonalCase } from "../src/pipeline/index.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-integrate-")),
  folder = join(out, "frames");
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** 45 frames of simulated quartz by precession as TIFF, with a `.pts` that says what a microscope knows; one of the images is lost. */
beforeAll(() => {
  const { options, seed } = trigonalCase(),
    sim = simulateSeries({ ...options, frames: 45, alphaStartDeg: -22 }, rng(seed)),
    names: string[] = [];
  mkdirSync(folder);
  for (let i = 0; i < 45; i++) {
    const { data, shape } = sim.frame(i),
      name = `${String(i + 1).padStart(5, "0")}.tiff`;
    if (i !== 7)
      writeFileSync(join(folder, name), writeTiff({ data: Uint16Array.from(data), shape }, { compression: "deflate", level: 1 }));
    names.push(name);
  }
  const keywords = [
    ["lambda", "0.025079"],
    ["aperpixel", "0.0062"],
    ["geometry", "precession"],
    ["phi", "0.9"],
    ["noiseparameters", "2.5 1"],
    ["saturationlimit", "65535"],
  ] as const;
  const document = keywords.reduce((d, [k, v]) => withPtsKeyword(d, k, v), emptyPts());
  writeFileSync(
    join(folder, "quartz.pts"),
    writePts(withPtsImages(document, ptsImagesOf(names.map((file, i) => ({ file, alphaDeg: -22 + i }))))),
  );
}, 120_000);

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "integrate", ...args], {
    cwd: out,
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });

test("at most 60 lines", () => {
  expect(
    readFileSync(join(root, "examples", "integrate.ts"), "utf8")
      .trimEnd()
      .split("\n").length,
  ).toBeLessThanOrEqual(60);
});

test("a .pts with its frames to merged and virtual-frame intensities", () => {
  const r = run(join(folder, "quartz.pts"), "--dmin", "0.75", "--out", "result", "--json");
  expect(r.status, r.stderr).toBe(0);
  const j = JSON.parse(r.stdout) as {
    cell: number[];
    laue: { hall: string };
    overall: { rInt: number; completeness: number; ccHalf: number };
    flagged: { edge: number };
    virtualFrames: { frames: number; reflections: number };
  };
  expect(Math.abs(j.cell[0]! - 4.9137)).toBeLessThan(0.03);
  expect(Math.abs(j.cell[2]! - 5.4047)).toBeLessThan(0.03);
  expect(j.laue.hall).toBe('-P 3 2"');
  expect(j.overall.rInt).toBeLessThan(0.12);
  expect(j.overall.ccHalf).toBeGreaterThan(0.97);
  expect(j.virtualFrames.frames).toBe(44);
  expect(r.stderr).toContain("1 images");
  const text = (ending: string): string => readFileSync(join(out, "result", `quartz${ending}`), "utf8");
  expect(parseHklf(text(".hkl")).value.size).toBeGreaterThan(30);
  const dyn = parseCifPets(text("_dyn.cif_pets")).value;
  expect(dyn.zones.size).toBe(44);
  expect(dyn.reflections.size).toBe(j.virtualFrames.reflections);
  expect(text(".cml").length).toBeGreaterThan(1000);
}, 300_000);

test.each([
  ["no argument", []],
  ["a folder that is not there", [join(out, "no", "folder")]],
  ["an option that does not exist", ["--no-such-option"]],
  ["a number that is none", [folder, "--dmin", "fine"]],
  ["a geometry that does not exist", [folder, "--geometry", "helical"]],
] as const)("%s: status 1, nothing on stdout, a hint and no stack on stderr", (_, args) => {
  const r = run(...args);
  expect(r.status).toBe(1);
  expect(r.stdout).toBe("");
  expect(r.stderr).not.toMatch(/^\s+at /m);
});

test("--help", () => {
  const r = run("--help");
  expect(r.status).toBe(0);
  expect(r.stdout).toContain("usage: integrate");
});
