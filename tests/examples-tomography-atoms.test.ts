import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readNpz } from "../src/io/index.js";
import { scoreAtoms } from "../src/testing/atoms-score.js";
import { dataPath, describeData, readData, readDataText } from "../src/testing/data.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-tomography-atoms-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "tomography-atoms", ...args], { cwd: out, encoding: "utf8" });

interface Printed {
  readonly atoms: number;
  readonly R: number;
  readonly R_free: number;
  readonly reducedChi2: number;
  readonly extended: boolean;
  readonly errorPm: number;
  readonly xyz: string;
  readonly seconds: Readonly<Record<string, number>>;
  readonly species: readonly { readonly name: string; readonly count: number }[];
}

test("--help tells the use; without a stack the use is an error", () => {
  const help = run("--help");
  expect(help.status).toBe(0);
  expect(help.stdout).toContain("--pixel");
  const none = run();
  expect(none.status).not.toBe(0);
  expect(none.stderr).toContain("usage: tomography-atoms");
}, 120_000);

describeData("tomography-atoms on the simulated FePt particle", ["tomography/sim-fept-dev"], () => {
  const folder = "tomography/sim-fept-dev",
    clean = dataPath(folder, "fept_dev_clean_f32.npy"),
    angles = dataPath(folder, "fept_dev_angles.txt");

  test("projections in, atoms with their elements out: XYZ, and figures as JSON", async () => {
    const r = run(
      clean,
      angles,
      "--pixel",
      "0.37",
      "--species",
      "Pt,Fe",
      "--iterations",
      "20",
      "--out",
      "a.xyz",
      "--json",
      "--workers",
      "1",
    );
    expect(r.status, r.stderr).toBe(0);
    const j = JSON.parse(r.stdout) as Printed;
    expect(j.extended).toBe(false);
    expect(j.R).toBeLessThan(0.01);
    for (const v of [j.R_free, j.reducedChi2, j.errorPm, j.seconds.refine]) expect(Number.isFinite(v)).toBe(true);
    expect(j.species.map((s) => s.name)).toEqual(["Fe", "Pt"]);
    expect(j.xyz).toBe("a.xyz");
    const [count, properties, ...lines] = readFileSync(join(out, "a.xyz"), "utf8").trimEnd().split("\n");
    expect(Number(count)).toBe(j.atoms);
    expect(lines.length).toBe(j.atoms);
    expect(properties).toContain("sigma:R:3");
    const atoms = lines.map((l) => l.split(" ")),
      truth = await readNpz(readData(folder, "fept_dev_truth.npz")),
      array = (name: string) => truth[name]!.data as ArrayLike<number>;
    const score = scoreAtoms(Float64Array.from(atoms.flatMap((a) => a.slice(1, 4).map(Number))), Float64Array.from(array("pos")));
    expect(score.found).toBe(1);
    expect(score.falseFraction).toBe(0);
    expect(score.rmsdPm).toBeLessThan(1);
    // Species by counting: as many of each as the truth holds.
    expect(j.species.map((s) => s.count)).toEqual([139, 234]);
  }, 600_000);

  test("wrong calls end with a status, a cure, and nothing written", () => {
    const rows = readDataText(folder, "fept_dev_angles.txt").trim().split("\n"),
      file = (name: string, lines: readonly string[]): string => {
        writeFileSync(join(out, name), lines.join("\n"));
        return join(out, name);
      };
    const radians = rows.map((l) => `0 ${((Number(l.trim().split(/\s+/)[1]) * Math.PI) / 180).toFixed(6)} 0`);
    for (const [args, hint] of [
      [[clean, file("short.txt", rows.slice(0, 30)), "--pixel", "0.37"], "belongs to this stack"],
      [[clean, file("radians.txt", radians), "--pixel", "0.37"], "radians"],
      [[clean, angles], "--pixel"],
      [[clean, angles, "--pixel", "0.37 A"], "--pixel is a number"],
      [[clean, angles, "--pixel", "0.37", "--species", "Fe,Qq"], "element symbols"],
    ] as const) {
      const r = run(...args, "--json", "--out", "bad.xyz");
      expect(r.status, hint).toBe(1);
      expect(r.stdout).toBe("");
      expect(r.stderr).toContain(hint);
      expect(r.stderr).not.toMatch(/\n\s+at /);
      expect(existsSync(join(out, "bad.xyz"))).toBe(false);
    }
  }, 300_000);
});
