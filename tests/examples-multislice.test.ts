import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseMrcHeader } from "../src/io/mrc.js";
import { dataPath, hasData } from "../src/testing/data.js";
import { root } from "./paths.js";

const out = mkdtempSync(join(tmpdir(), "ewald-cbed-multislice-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));
const run = (args: readonly string[]) =>
  spawnSync(process.execPath, [join(root, "scripts", "run.mjs"), "--example", "cbed-multislice", ...args], { cwd: out, encoding: "utf8" });

const gaas = "fourd/pyxem-demos/02/GaAs_mp-2534_conventional_standard.cif";
test.skipIf(!hasData(gaas))(`cbed-multislice: ${hasData(gaas) ? gaas : `${gaas} is not under EWALD_DATA`}`, () => {
  const files = [join(out, "cbed.png"), join(out, "cbed.npy")] as const;
  const r = run([
    dataPath(gaas),
    "--zone",
    "1,1,0",
    "--phonons",
    "2",
    "--thickness",
    "40",
    "--max",
    "45",
    "--png",
    files[0],
    "--npy",
    files[1],
    "--json",
  ]);
  expect(r.status, r.stderr).toBe(0);
  const j = JSON.parse(r.stdout) as Record<string, number> & { shape: number[] };
  expect(j.thickness).toBeGreaterThanOrEqual(40);
  expect(j.onGrid).toBeGreaterThan(0.8);
  expect(j.onGrid).toBeLessThanOrEqual(1);
  expect(j.brightField! + j.darkFieldOuter40!).toBeLessThan(j.onGrid!);
  expect(j.diffuse).toBeGreaterThan(0.001);
  for (const f of files) expect(statSync(f).size).toBeGreaterThan(1000);
  expect(r.stderr).toContain("snapshots: 2 of 2");
});

test("a structure written for the occasion, and calls that cannot work", () => {
  const cif = join(out, "po.cif");
  writeFileSync(
    cif,
    `data_po
_cell_length_a 3.345
_cell_length_b 3.345
_cell_length_c 3.345
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Po1 Po 0 0 0
`,
  );
  const plain = run([cif, "--thickness", "10", "--phonons", "0", "--max", "30", "--mrad", "10"]);
  expect(plain.status, plain.stderr).toBe(0);
  expect(plain.stdout).toMatch(/onGrid +0\.9/);
  const xyz = join(out, "box.xyz"),
    frame = (x: number): string => `1\nLattice="12 0 0 0 12 0 0 0 4"\nSi ${x} 6 2\n`;
  writeFileSync(xyz, frame(6) + frame(6.1));
  const mrc = join(out, "v.mrc");
  const snapshots = run(["--potential", mrc, xyz, "--max", "30", "--mrad", "12"]);
  expect(snapshots.status, snapshots.stderr).toBe(0);
  expect(snapshots.stderr).toContain("2 frames are taken as snapshots");
  expect(snapshots.stdout).toMatch(/snapshots +2/);
  expect(snapshots.stderr).toMatch(/pixels, 2 slices, about \d+ MB/);
  const volume = parseMrcHeader(readFileSync(mrc));
  expect([volume.nz, volume.mode]).toEqual([2, 2]);
  expect(volume.nx).toBe(volume.ny);
  for (const [args, hint] of [
    [[xyz, "--zone", "1,1,0"], /taken as it stands/],
    [[cif, "--mrad", "20", "--max", "10"], /too coarse/],
    [[cif, "--across", "4", "--mrad", "2"], /smaller than the probe/],
    [[cif, "--across", "600", "--max", "400", "--thickness", "4"], /too-large|pixels/],
    [[cif, "--kv", "200000"], /kilovolts/],
    [[cif, "--mrad", "x"], /--mrad is a number/],
    [["missing.cif"], /missing\.cif/],
    [[], /usage/],
  ] as const) {
    const r = run(args);
    expect(r.status, args.join(" ")).toBe(1);
    expect(r.stdout).toBe("");
    expect(r.stderr).toMatch(hint);
    expect(r.stderr).not.toMatch(/^ +at /m);
  }
  expect(run(["--help"]).stdout).toContain("cbed-multislice");
});
