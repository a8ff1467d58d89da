import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { refineKinematicCommand } from "../bin/refine-kinematic.js";
import { spaceGroup, structure, structureToCif, uniqueReflections, unitCell } from "../src/geometry/index.js";
import { atom } from "../src/geometry/structure.js";
import { writeCif, writeHklf } from "../src/io/index.js";
import { lobato, structureFactors } from "../src/scattering/index.js";
import { dataPath, hasData } from "../src/testing/data.js";
import { root } from "./paths.js";

const folder = mkdtempSync(join(tmpdir(), "ewald-kinematic-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (label: string, z: number, x: number) => atom({ label, element: label.slice(0, -1), xyz: [x, x, z], uIso: 0.006, occupancy: 1 });
const rutile = (x: number) => structure(unitCell(4.594, 4.594, 2.959), spaceGroup(136), [at("Ti1", 0, 0), at("O1", 0, x)]);
const truth = rutile(0.305);
const { hkl, size } = uniqueReflections(truth.cell, truth.spaceGroup, { dMin: 0.5 });
const f = structureFactors(truth, hkl, lobato);
const rows = Array.from({ length: size }, (_, i) => [...hkl.subarray(3 * i, 3 * i + 3), 100 * (f[2 * i]! ** 2 + f[2 * i + 1]! ** 2), 1]);
const column = (k: number): Float64Array => Float64Array.from(rows, (r) => r[k]!);
const ints = (k: number): Int32Array => Int32Array.from(rows, (r) => r[k]!);
const shelx = writeHklf({ size, h: ints(0), k: ints(1), l: ints(2), intensity: column(3), sigma: column(4) });
const start = writeCif({ version: "1.1", comments: [], blocks: [structureToCif(rutile(0.302), "start")] });
const loop = `loop_\n_diffrn_refln_index_h\n_diffrn_refln_index_k\n_diffrn_refln_index_l\n_diffrn_refln_intensity_net\n_diffrn_refln_intensity_sigma\n`;
const lists: Record<string, string> = {
  "shelx.hkl": shelx,
  "blanks.hkl": `# h k l I sigma\n${rows.map((r) => r.join(" ")).join("\r\n")}`,
  "commas.hkl": `h,k,l,I,s\n${rows.map((r) => r.join(",")).join("\n")}`,
  "embedded.cif": `${start}\n_shelx_hkl_file\n;\n${shelx};\n`,
  "unmerged.cif": `data_x\n${loop}${rows.map((r) => r.join(" ")).join("\n")}\n`,
};

test.each(Object.keys(lists))("refine-kinematic reads %s", (name) => {
  const cif = join(folder, "start.cif"),
    data = join(folder, name);
  writeFileSync(cif, start);
  writeFileSync(data, lists[name]!);
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    refineKinematicCommand([cif, data, "--json"]);
    const result = JSON.parse(log.mock.calls[0]![0] as string) as { residuals: { rObs: number; nAll: number }; atoms: { xyz: number[] }[] };
    expect(result.residuals.nAll).toBe(size);
    expect(result.residuals.rObs).toBeLessThan(0.005);
    expect(result.atoms[1]!.xyz[0]).toBeCloseTo(0.305, 4);
  } finally {
    log.mockRestore();
  }
});

const pets = "3ded/jana_dyn/albite_block5.cif_pets";
describe.skipIf(!hasData(pets))("a structure of another crystal [needs EWALD_DATA]", () => {
  test("dynamical-frames refuses rutile for the frames of albite", () => {
    const cif = join(folder, "rutile.cif");
    writeFileSync(cif, start);
    const args = [join(root, "scripts", "run.mjs"), "--example", "dynamical-frames", cif, dataPath(pets), "--frames", "30"];
    const r = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect([r.status, r.stdout]).toEqual([1, ""]);
    expect(r.stderr).toMatch(/bad-cell.*differ by/);
  }, 120_000);
});
