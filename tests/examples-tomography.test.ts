import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseMrcHeader, writeMrc, writeNpy } from "../src/io/index.js";
import { blobViews, fourBlobs } from "../src/testing/tomography.js";
import { posesFromEuler, posesFromTilts, reverseAxes } from "../src/tomography/index.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-tomography-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "tomography-reconstruct", ...args], {
    cwd: out,
    encoding: "utf8",
  });

const tilts = Array.from({ length: 21 }, (_, i) => -70 + 7 * i);
const list = [
  [0, 0, 0, 5, 2],
  [4, -4, 6, 4, 1.8],
] as const;
const views = blobViews(posesFromTilts(tilts), [24, 26], list);
const file = (name: string, bytes: Uint8Array | string): string => {
  writeFileSync(join(out, name), bytes);
  return join(out, name);
};
const mrc = file("series.mrc", writeMrc(views, [21, 24, 26], { pixelAngstrom: [0.37, 0.37, 1] }));
const published = reverseAxes(views, [21, 24, 26]);
const npy = file("series.npy", writeNpy(published.data, published.shape));
const tlt = file("series.tlt", tilts.map((t) => t.toFixed(2)).join("\n"));
const euler = file("angles.txt", tilts.map((t) => `0.1 ${t} 0`).join("\n"));

test("a volume, pictures and figures from MRC + .tlt; the same from the published order of axes in NPY", () => {
  const r = run(mrc, tlt, "--iterations", "20", "--out", "v.mrc", "--png", "v.png", "--curves", "v.svg", "--json", "--workers", "1");
  expect(r.status, r.stderr).toBe(0);
  const j = JSON.parse(r.stdout) as { shape: number[]; pixelAngstrom: number; figures: Record<string, number> };
  expect(j.shape).toEqual([26, 24, 26]);
  expect(j.pixelAngstrom).toBeCloseTo(0.37, 6);
  expect(j.figures.rkMagnitude!).toBeLessThan(0.1);
  expect(parseMrcHeader(readFileSync(join(out, "v.mrc"))).cell[0]).toBeCloseTo(26 * 0.37, 4);
  for (const f of ["v.png", "v.svg"]) expect(statSync(join(out, f)).size).toBeGreaterThan(1000);
  const same = run(npy, tlt, "--iterations", "20", "--json", "--workers", "2");
  expect((JSON.parse(same.stdout) as typeof j).figures).toEqual(j.figures);
  expect(same.stderr).toContain("read as [x, y, view]");
}, 300_000);

test("people read a table; what is wrong is said before the run, with status 1 and nothing on stdout", () => {
  const r = run(mrc, euler, "--convention", "zyx", "--method", "resire", "--iterations", "5", "--align");
  expect(r.status, r.stderr).toBe(0);
  expect(r.stdout).toContain("R1 ");
  for (const [args, hint] of [
    [[mrc, euler], "ZYZ"],
    [[mrc, file("short.tlt", "1\n2\n3")], "belongs to this stack"],
    [[mrc, file("radians.tlt", tilts.map((t) => (t * Math.PI) / 180).join("\n"))], "radians"],
  ] as const) {
    const bad = run(...args);
    expect(bad.status).toBe(1);
    expect(bad.stdout).toBe("");
    expect(bad.stderr).toContain(hint);
    expect(bad.stderr).not.toMatch(/\n\s+at /);
  }
}, 300_000);

test("angles of general poses that are another reading of the views are doubted before the run, right ones are not, nor those of a film", () => {
  const listed = tilts.map((t, i) => [9 * Math.sin(3 * i), t, 7 * Math.cos(5 * i)]),
    turned = blobViews(posesFromEuler(listed.flat(), "ZYX"), [36, 36], fourBlobs),
    text = (rows: readonly (readonly number[])[]): string => rows.map((r) => r.map((v) => v.toFixed(4)).join(" ")).join("\n"),
    right = file("right.txt", text(listed)),
    inOtherSense = file("reversed.txt", text(listed.map((r) => r.map((v) => -v)))),
    stack = file("turned.mrc", writeMrc(turned, [21, 36, 36], { pixelAngstrom: [0.37, 0.37, 1] })),
    film = file(
      "film.mrc",
      writeMrc(
        turned.map((v, i) => (Math.floor(i / 36) % 36 > 9 ? 20 + v : 0)),
        [21, 36, 36],
        { pixelAngstrom: [0.37, 0.37, 1] },
      ),
    );
  const said = (views: string, angles: string, ...more: string[]) => {
    const r = run(views, angles, "--convention", "zyx", "--iterations", "3", "--workers", "1", "--json", ...more);
    expect(r.status, r.stderr).toBe(0);
    return { told: r.stderr, warnings: (JSON.parse(r.stdout) as { warnings: readonly string[] }).warnings.join() };
  };
  const wrong = said(stack, inOtherSense);
  expect(wrong.warnings).toContain("with all angles in the other sense");
  // Said before the reconstruction counts its iterations.
  expect(wrong.told.indexOf("explained better by the poses taken")).toBeGreaterThanOrEqual(0);
  expect(wrong.told.indexOf("explained better by the poses taken")).toBeLessThan(wrong.told.indexOf("1/3"));
  expect(said(stack, right).told).not.toContain("explained better");
  expect(said(film, inOtherSense, "--background", "none").told).not.toContain("explained better");
}, 300_000);
