import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataPath, hasData } from "../src/testing/data.js";
import { root } from "./paths.js";

const examples = readdirSync(join(root, "examples"))
  .filter((f) => f.endsWith(".ts"))
  .map((f) => f.slice(0, -3));
/** Text of the tests of single topics, which call their own examples by name. */
const elsewhere = readdirSync(join(root, "tests"))
  .filter((f) => /^examples-.*\.test\.ts$/.test(f))
  .map((f) => readFileSync(join(root, "tests", f), "utf8"))
  .join();
const out = mkdtempSync(join(tmpdir(), "ewald-examples-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

/** One call on real files: what `--json` prints must satisfy `check`; `files` must be written and not be empty. */
interface Call {
  readonly needs: string;
  readonly args?: readonly string[];
  readonly files?: readonly string[];
  check(json: Record<string, unknown>): void;
}
type Numbers = readonly number[];
const calls: Record<string, readonly Call[]> = {
  "bloch-case": [
    {
      needs: "bloch/oracles/si-110-200kV.json",
      check: (j) => expect(Object.keys(j.outputs as object).length).toBeGreaterThan(0),
    },
  ],
  solve: [
    {
      needs: "3ded/jana_dyn/albite_jana2006_dyn+kin.cif",
      args: ["--composition", "Na2 Al2 Si6 O16"],
      check: (j) => expect(JSON.stringify(j)).toContain("Si"),
    },
  ],
  cbed: [
    {
      needs: "fourd/pyxem-demos/02/GaAs_mp-2534_conventional_standard.cif",
      args: ["--zone", "1,1,0", "--pixels", "9", "--gmax", "1.2", "--png", join(out, "cbed.png")],
      files: [join(out, "cbed.png")],
      check: (j) => expect((j.disks as readonly { hkl: Numbers }[])[0]!.hkl).toEqual([0, 0, 0]),
    },
  ],
  "dynamical-frames": [
    {
      needs: "3ded/jana_dyn/albite_jana2006_dyn+kin.cif",
      args: [dataPath("3ded/jana_dyn/albite_block5.cif_pets"), "--thickness", "336.91", "--tilt", "1", "--frames", "20,30"],
      check: (j) => expect((j.summary as { frames: number; max: number }).max).toBeLessThan(0.1),
    },
  ],
  "find-spots": [
    {
      needs: "3ded/glycine_pets/00001.tiff",
      args: ["--png", join(out, "spots.png")],
      files: [join(out, "spots.png")],
      check: (j) => {
        const spots = j.spots as readonly { px: number; py: number; intensity: number; sigma: number; snr: number }[];
        expect(spots.length).toBeGreaterThan(25);
        // The strongest peak of PETS2's list of this frame, counted from 0.
        expect(Math.hypot(spots[0]!.px - 312.1, spots[0]!.py - 275.6)).toBeLessThan(0.5);
        for (const s of spots) expect(s.snr).toBeCloseTo(s.intensity / s.sigma, 9);
      },
    },
    {
      needs: "3ded/frames/lysozyme_ED_dataset1_frame438.cbf",
      args: ["--snr", "12"],
      check: (j) => expect((j.spots as readonly { snr: number }[]).every((s) => s.snr >= 12)).toBe(true),
    },
  ],
  "index-peaks": [
    {
      needs: "3ded/glycine_pets/glycine.rpl",
      check: (j) => expect(Math.abs((j.omegaDeg as number) - 230.39)).toBeLessThan(0.3),
    },
    {
      needs: "3ded/quartz_dials/strong.refl",
      check: (j) => expect(JSON.stringify(j)).toContain("hP"),
    },
  ],
  inspect: [
    {
      needs: "3ded/frames/TIMEPIX_SU_516-stdgoni_0001.img",
      args: ["--png", join(out, "inspect.png")],
      files: [join(out, "inspect.png")],
      check: (j) => expect((j.shape as Numbers).slice(-2)).toEqual([516, 516]),
    },
    { needs: "3ded/glycine_pets/glycine.pts", check: (j) => expect(JSON.stringify(j)).toContain("0.00534") },
  ],
  "refine-kinematic": [
    {
      needs: "3ded/jana_dyn/natrolite_jana2006_dyn+kin.cif",
      args: [dataPath("3ded/jana_dyn/natrolite_jana2006_dyn+kin.cif"), "--perturb", "0.1"],
      check: (j) => {
        expect(j.status).toBe("converged");
        expect(Math.abs((j.residuals as { wrAll: number }).wrAll - 0.1327)).toBeLessThan(3e-4);
      },
    },
  ],
  residuals: [
    {
      needs: "3ded/jana_dyn/LuAG_jana2020_dyn_IAM.cif",
      check: (j) => expect((j.blocks as readonly unknown[]).length).toBeGreaterThan(0),
    },
  ],
};

const run = (name: string, args: readonly string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", name, ...args], {
    cwd: out, // anywhere but the checkout
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });

test.each(examples)("%s has at most 60 lines and a call in this test", (name) => {
  const lines = readFileSync(join(root, "examples", `${name}.ts`), "utf8")
    .trimEnd()
    .split("\n").length;
  expect.soft(lines).toBeLessThanOrEqual(60);
  expect(Object.keys(calls).includes(name) || elsewhere.includes(`"${name}"`), "no call in this test or in examples-*.test.ts").toBe(true);
});

describe.each(examples)("%s", (name) => {
  for (const [k, { needs, args = [], files = [], check }] of (calls[name] ?? []).entries())
    test.skipIf(!hasData(needs))(`${needs}${hasData(needs) ? "" : " [skipped: not under EWALD_DATA]"}`, () => {
      const r = run(name, [dataPath(needs), ...args, "--json"]);
      expect(r.status, r.stderr).toBe(0);
      check(JSON.parse(r.stdout) as Record<string, unknown>);
      for (const f of files) expect(statSync(f).size).toBeGreaterThan(1000);
      if (k > 0) return; // as a table for people: once is enough
      const plain = run(name, [dataPath(needs), ...args]);
      expect(plain.status, plain.stderr).toBe(0);
      expect(plain.stdout.split("\n").length).toBeGreaterThan(2);
    });
  test.each([
    ["no argument", []],
    ["a file that is not there", [join(out, "no", "such.file")]],
    ["an option that does not exist", ["--no-such-option"]],
  ] as const)("%s: status 1, nothing on stdout, a hint and no stack on stderr", (_, args) => {
    const r = run(name, args);
    expect(r.status).toBe(1);
    expect(r.stdout).toBe("");
    expect(r.stderr).toContain(`${name}: `);
    expect(r.stderr).not.toMatch(/\n\s+at /);
  });
  test("--help explains and succeeds", () => {
    const r = run(name, ["--help"]);
    expect(r.status).toBe(0);
    expect(r.stdout).toContain(name);
  });
});

test("an example that does not exist lists those that do", () => {
  const r = run("no-such-example", []);
  expect(r.status).not.toBe(0);
  for (const name of examples) expect(r.stderr).toContain(name);
});
