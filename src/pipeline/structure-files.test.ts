import { expect, test } from "vitest";
import { structureFromCif } from "../geometry/from-cif.js";
import { structureFromJana } from "../geometry/from-jana.js";
import { structureFromShelx } from "../geometry/from-shelx.js";
import { type Structure, structure } from "../geometry/structure.js";
import { cifText } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { parseM40 } from "../io/jana/m40.js";
import { parseM50 } from "../io/jana/m50.js";
import { m90Wavelength, parseM90 } from "../io/jana/m90.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { parseHklf } from "../io/shelx/hklf.js";
import { parseShelx } from "../io/shelx/ins.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { measuredCrystal } from "../testing/measured-crystal.js";
import { petsFrames } from "./dynamical.js";
import { albite, glycine, luag, natp, natrolite, quartz } from "./simulate-crystals.js";
import { intensityFiles, structureFiles } from "./structure-files.js";

const anisotropic = (s: Structure): Structure =>
  structure(
    s.cell,
    s.spaceGroup,
    s.atoms.map((a, i) => (i === 3 ? { ...a, uAniso: [0.01, 0.012, 0.014, 0.001, 0.002, -0.001] } : a)),
    [0.001, 0.001, 0.001, 0.01, 0.01, 0.01],
  );
const crystals: readonly (readonly [string, Structure])[] = [
  ["albite P -1, an anisotropic atom", anisotropic(albite().structure)],
  ["natrolite F d d 2", natrolite().structure],
  ["quartz P 32 2 1, special positions", quartz().structure],
  ["NATP R -3 c, shared and partly filled sites", natp().structure],
  ["LuAG I a -3 d", luag().structure],
  ["glycine P 21/n", glycine().structure],
];

test.each(crystals)("%s: CIF, INS and m40 + m50 read back as the same structure", (_, s) => {
  const files = structureFiles(
    s,
    measuredCrystal(s),
    { theory: "dynamical", thicknessNm: 25, rObserved: 0.0712, observed: 120, parameters: 30 },
    "test",
  );
  expect([...files.keys()]).toEqual(["test.cif", "test.m40", "test.m50", "test.ins", "test.m90"]);
  const block = parseCif(files.get("test.cif")!).value.blocks[0]!;
  const back = {
    cif: structureFromCif(block),
    ins: structureFromShelx(parseShelx(files.get("test.ins")!).value),
    jana: structureFromJana(parseM40(files.get("test.m40")!).value, parseM50(files.get("test.m50")!).value),
  };
  const hkl = Int32Array.of(1, 2, 3, 0, 0, 6, -2, 4, 1, 3, -1, 5);
  const f = structureFactors(s, hkl, peng1996);
  for (const [format, { value, warnings }] of Object.entries(back)) {
    expect(warnings, format).toEqual([]);
    expect(value.atoms.length, format).toBe(s.atoms.length);
    value.atoms.forEach((a, i) => {
      const b = s.atoms[i]!;
      expect([a.element, a.occupancy], format).toEqual([b.element, expect.closeTo(b.occupancy, 3)]);
      for (const k of [0, 1, 2]) expect(Math.abs(a.xyz[k]! - b.xyz[k]!), format).toBeLessThan(2e-6);
    });
    structureFactors(value, hkl, peng1996).forEach((v, i) => {
      expect(Math.abs(v - f[i]!), format).toBeLessThan(2e-3 * Math.max(20, Math.abs(f[i]!)));
    });
  }
  expect(cifText(block, "_diffrn_radiation_probe")).toBe("electron");
  expect(cifText(block, "_refine.diffraction_theory")).toBe("dynamical");
  expect(cifText(block, "_refine_ls_R_factor_gt")).toBe("0.0712");
  expect(parseShelx(files.get("test.ins")!).value.scatterers.every((x) => x.coefficients!.a.length === 4)).toBe(true);
});

test("intensities read back: HKLF 4, both kinds of cif_pets, m90, the list in the CIF", () => {
  const s = albite().structure,
    c = measuredCrystal(s);
  const files = intensityFiles(c, "test");
  expect([...files.keys()]).toEqual(["test.hkl", "test.cif_pets", "test_dyn.cif_pets"]);
  const hklf = parseHklf(files.get("test.hkl")!);
  expect(hklf.warnings).toEqual([]);
  expect(hklf.value.size).toBe(c.kinematical.intensity.length);
  const ratio = c.kinematical.intensity[5]! / hklf.value.intensity[5]!;
  hklf.value.intensity.forEach((v, i) => {
    expect(Math.abs(v * ratio - c.kinematical.intensity[i]!)).toBeLessThan(0.006 * ratio + 1e-4 * Math.abs(c.kinematical.intensity[i]!));
  });
  const kinematical = parseCifPets(files.get("test.cif_pets")!).value,
    dynamical = parseCifPets(files.get("test_dyn.cif_pets")!);
  expect(kinematical.reflections.size).toBe(hklf.value.size);
  expect(dynamical.warnings).toEqual([]);
  expect(dynamical.value.reflections.size).toBe(40);
  expect(dynamical.value.details).toMatchObject({
    geometry: "continuous rotation",
    virtualFrames: { merged: 5, step: 5 },
    mosaicityDeg: 0.06,
  });
  const { frames } = petsFrames(dynamical.value);
  expect(frames.map((f) => [f.alphaDeg, f.exposure])).toEqual(
    c.frames.map((f) => [f.alphaDeg, { kind: "continuous", halfWidthDeg: f.halfAngleDeg }]),
  );
  const m90 = parseM90(structureFiles(s, c, {}, "test").get("test.m90")!);
  expect(m90.warnings).toEqual([]);
  expect(m90.value.size).toBe(hklf.value.size);
  expect(m90Wavelength(m90.value)).toBeCloseTo(0.02508, 6);
  const list = cifReflections(parseCif(structureFiles(s, c, {}, "test").get("test.cif")!).value.blocks[0]!);
  expect(list.size).toBe(40);
  expect(list.group[20]).toBe("2");
  expect(list.calculated[3]! / list.measured[3]!).toBeCloseTo(1.01, 3);
});

test("what was not measured stays out; labels become unique; large intensities fit", () => {
  const s = albite().structure,
    c = measuredCrystal(s);
  c.kinematical.sigma[2] = 0;
  c.kinematical.intensity[4] = Number.NaN;
  c.kinematical.intensity[6] = 3e9;
  const n = c.kinematical.intensity.length;
  expect(parseHklf(intensityFiles(c, "x").get("x.hkl")!).value.size).toBe(n - 2);
  const same = structure(
    s.cell,
    s.spaceGroup,
    s.atoms.map((a) => ({ ...a, label: "atom of the map" })),
  );
  const back = parseShelx(structureFiles(same, c, {}, "x").get("x.ins")!).value;
  expect(new Set(back.atoms.map((a) => a.name)).size).toBe(s.atoms.length);
});
