import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { dataPath, hasData } from "../src/testing/data.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-refine-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "refine-dynamical", ...args], { encoding: "utf8", cwd: out });
const cif = dataPath("3ded/jana_dyn/albite_jana2006_dyn+kin.cif"),
  pets = dataPath("3ded/jana_dyn/albite_block5.cif_pets");

describe.skipIf(!hasData("3ded/jana_dyn/albite_block5.cif_pets"))("refine-dynamical on albite [needs EWALD_DATA]", () => {
  test("scales and thickness of a frame, as JSON, with a refined CIF and a checkpoint to resume from", () => {
    const state = join(out, "state.json"),
      refined = join(out, "refined.cif");
    const args = [cif, pets, "--frames", "30", "--tilt", "1", "--fix-orientations", "--start-only", "--steps", "16", "--gmax", "1.4", "--tmax", "600", "--workers", "1"]; // biome-ignore format: one idea
    const r = run(...args, "--json", "--out", refined, "--checkpoint", state);
    expect(r.status, r.stderr).toBe(0);
    const j = JSON.parse(r.stdout) as {
      residuals: { rObs: number };
      models: { thickness: number }[];
      frames: unknown[];
      scan: { thickness: number }[];
    };
    expect(j.frames).toHaveLength(1);
    expect(j.residuals.rObs).toBeLessThan(0.16);
    expect(j.models[0]!.thickness).toBeGreaterThan(250);
    expect(j.models[0]!.thickness).toBeLessThan(480);
    expect(readFileSync(refined, "utf8")).toContain("_atom_site_fract_x");
    expect(existsSync(state)).toBe(true);
    // JANA's project beside it, with the zone under its number.
    expect(readFileSync(join(out, "refined.m42"), "utf8")).toContain("# Zone 30 ");
    for (const e of ["m40", "m50", "m90"]) expect(existsSync(join(out, `refined.${e}`)), e).toBe(true);
    const again = run(...args, "--json", "--checkpoint", state);
    expect(again.status, again.stderr).toBe(0);
    expect((JSON.parse(again.stdout) as typeof j).models).toEqual(j.models);
  }, 600_000);
});
test("wrong calls say what is wrong", () => {
  expect(run("--help").stdout).toContain("usage");
  const none = run(join(out, "none.cif"), join(out, "none.cif_pets"));
  expect(none.status).toBe(1);
  expect(none.stderr).toContain("there is no such file");
  expect(run().stderr).toContain("usage");
}, 300_000);
