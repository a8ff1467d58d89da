import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { asuReflections } from "../geometry/asu.js";
import { measuredCrystal } from "../testing/measured-crystal.js";
import { albite, glycine, luag, natp, natrolite, quartz } from "./simulate-crystals.js";
import { intensityFiles, structureFiles } from "./structure-files.js";

// Read by gemmi and by cctbx (pip install gemmi cctbx-base); EWALD_PYTHON names the interpreter.
const python = process.env.EWALD_PYTHON;
// The two do not live in one process.
const gemmiScript = `
import json, sys, gemmi
from gemmi import cif
folder = sys.argv[1]
block = cif.read(folder + "/t.cif").sole_block()
small = gemmi.make_small_structure_from_block(block)
print(json.dumps({
  "sites": len(small.sites),
  "hm": small.spacegroup.xhm() if small.spacegroup else small.spacegroup_hm,
  "xyz": [s.fract.tolist() for s in small.sites],
  "u": [s.u_iso for s in small.sites], "occ": [s.occ for s in small.sites],
  "probe": block.find_value("_diffrn_radiation_probe"),
  "reflections": len(block.find_values("_refln_index_h")),
  "pets": len(cif.read(folder + "/t.cif_pets").sole_block().find_values("_refln_index_h")),
  "dyn": len(cif.read(folder + "/t_dyn.cif_pets").sole_block().find_values("_diffrn_zone_axis_id")),
}))
`;
// cctbx does not take coefficients in SFAC: its copy of the INS names the elements alone.
const cctbxScript = `
import json, re, sys
from iotbx import shelx
import iotbx.shelx.hklf, iotbx.cif
folder = sys.argv[1]
text = re.sub("=\\n", "", open(folder + "/t.ins").read())
labels = re.findall("^SFAC (\\w+)", text, re.M)
text = re.sub("(^SFAC .*\\n)+", "SFAC " + " ".join(labels) + "\\n", text, flags=re.M)
open(folder + "/c.ins", "w").write(text)
x = shelx.parse_smtbx_refinement_model(filename=folder + "/c.ins").structure
m = iotbx.shelx.hklf.reader(file_name=folder + "/t.hkl").as_miller_arrays(crystal_symmetry=x.crystal_symmetry())[0]
y = list(iotbx.cif.reader(file_path=folder + "/t.cif").build_crystal_structures().values())[0]
print(json.dumps({
  "hm": str(x.space_group_info()), "sites": x.scatterers().size(),
  "xyz": [list(s.site) for s in x.scatterers()],
  "reflections": m.size(), "unique": m.merge_equivalents().array().size(), "sigma": m.sigmas() is not None,
  "cif_sites": y.scatterers().size(), "cif_hm": str(y.space_group_info()),
}))
`;
type Gemmi = Readonly<Record<"sites" | "reflections" | "pets" | "dyn", number>> & {
  readonly hm: string;
  readonly probe: string;
  readonly xyz: readonly (readonly number[])[];
  readonly u: readonly number[];
  readonly occ: readonly number[];
};
type Cctbx = Readonly<Record<"sites" | "reflections" | "unique" | "cif_sites", number>> & {
  readonly hm: string;
  readonly cif_hm: string;
  readonly sigma: boolean;
  readonly xyz: readonly (readonly number[])[];
};
const run = <T>(text: string, folder: string): T => JSON.parse(execFileSync(python!, ["-c", text, folder], { encoding: "utf8" })) as T;

describe.skipIf(!python)("files out, read by gemmi and cctbx (EWALD_PYTHON)", () => {
  test.each([albite(), natrolite(), quartz(), natp(), luag(), glycine()].map((c) => [c.name, c] as const))("%s", (_, crystal) => {
    const s = crystal.structure,
      c = measuredCrystal(s);
    const folder = mkdtempSync(join(tmpdir(), "ewald-files-"));
    for (const [name, text] of [...intensityFiles(c, "t"), ...structureFiles(s, c, { theory: "kinematical" }, "t")])
      writeFileSync(join(folder, name), text);
    const gemmi = run<Gemmi>(gemmiScript, folder),
      cctbx = run<Cctbx>(cctbxScript, folder);
    const close = (xyz: readonly (readonly number[])[]): void => {
      s.atoms.forEach((a, i) => {
        a.xyz.forEach((v, k) => {
          expect(Math.abs(v - xyz[i]![k]!)).toBeLessThan(1e-5);
        });
      });
    };
    expect(gemmi.sites).toBe(s.atoms.length);
    close(gemmi.xyz);
    s.atoms.forEach((a, i) => {
      expect(gemmi.u[i]).toBeCloseTo(a.uIso, 6);
      expect(gemmi.occ[i]).toBeCloseTo(a.occupancy, 5);
    });
    expect(gemmi.probe).toBe("electron");
    expect(gemmi.reflections).toBe(40);
    expect(gemmi.dyn).toBe(2);
    const n = c.kinematical.intensity.length;
    expect(gemmi.pets).toBe(n);
    const letters = (hm: string): string => hm.replace(/:.*$/, "").replace(/[\s()]/g, "");
    expect(letters(gemmi.hm)).toBe(letters(s.spaceGroup.hm!));
    expect(cctbx.sites).toBe(s.atoms.length);
    close(cctbx.xyz);
    expect(cctbx.reflections).toBe(n);
    expect(cctbx.sigma).toBe(true);
    // unique reflections as cctbx counts them: it merges by the point group, mates apart
    const { unique } = ((): { unique: number } => {
      const map = asuReflections(s.spaceGroup, c.kinematical.hkl, false);
      return { unique: new Set(Array.from({ length: n }, (__, i) => map.hkl.subarray(3 * i, 3 * i + 3).join())).size };
    })();
    expect(cctbx.unique).toBe(unique);
    expect(cctbx.cif_sites).toBe(s.atoms.length);
    console.log(`${crystal.name}: gemmi ${gemmi.hm}, cctbx ${cctbx.hm}, ${n} reflections, ${unique} unique`);
  });
});
