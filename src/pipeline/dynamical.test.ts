import { expect, test } from "vitest";
import { fitOrientation } from "../bloch/frame-fit.js";
import { frameCrystal, frameProblem } from "../bloch/frames.js";
import { frameAgreement, overFrames } from "../bloch/frames-residuals.js";
import { sweepIntensities } from "../bloch/integrate.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { janaProject } from "../io/jana/embedded.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { peng1996 } from "../scattering/peng.js";
import { alanine, alanineFile } from "../testing/alanine.js";
import { describeData, readDataText } from "../testing/data.js";
import { compareFrames, janaDynamical, petsFrames } from "./dynamical.js";
import { readStructure } from "./dynamical-structure.js";

const albiteCif = "3ded/jana_dyn/albite_jana2006_dyn+kin.cif",
  albitePets = "3ded/jana_dyn/albite_block5.cif_pets";

describeData("alanine, dynamical refinement of JANA2020", [alanineFile], () => {
  const cif = parseCif(readDataText(alanineFile)).value;
  const block = cif.blocks.find((b) => janaProject(b).value.m42)!;
  const d = janaDynamical(janaProject(block).value);
  const listed = alanine().reflections;

  test("the filter keeps all 10 640 reflections of the refinement and 33 others", () => {
    const kept = new Set<string>();
    for (const f of d.frames) for (let i = 0; i < f.hkl.length; i += 3) kept.add(`${f.id} ${f.hkl.subarray(i, i + 3).join(" ")}`);
    const wanted = listed.map((r) => `${r.zone} ${r.hkl.join(" ")}`);
    expect(wanted).toHaveLength(10640);
    expect(wanted.filter((w) => !kept.has(w))).toEqual([]);
    expect(kept.size - wanted.length).toBeLessThanOrEqual(33);
    expect(d.frames.filter((f) => f.problem).map((f) => f.id)).toEqual(["1", "60", "61"]);
    expect(d.crystal.potential.w0[0] / d.crystal.potential.scale).toBeCloseTo(69.636, 2); // the CIF states F(000) = 69.628
  });
  test("calculated intensities of a frame as JANA2020 lists them", () => {
    const refl = cifReflections(cif.blocks.find((b) => b.name !== "global")!);
    const f = d.frames[1]!,
      rows = Array.from({ length: refl.size }, (_, i) => i).filter((i) => Number(refl.group[i]) === 2);
    const hkl = Int32Array.from(rows.flatMap((i) => [refl.h[i]!, refl.k[i]!, refl.l[i]!]));
    const r = sweepIntensities(frameProblem(d.crystal, { ...f, hkl }, d.model));
    const a = frameAgreement(
      Float64Array.from(rows, (i) => refl.calculated[i]!),
      undefined,
      r.intensity,
    );
    if (a.status !== "compared") throw new Error(a.reason);
    expect(a.all).toBe(179);
    expect(a.rAll).toBeLessThan(0.0125);
    expect(Math.abs(a.scale / d.scales[1]! - 1)).toBeLessThan(0.01);
  });
  test("frames without a match, with NaN angles or bad numbers are named, never averaged", async () => {
    const small = { ...d.model, thickness: 300, sampling: { sweep: { kind: "midpoint", steps: 4 } as const } };
    const f = d.frames[9]!;
    const none = { ...f, id: "none", hkl: Int32Array.of(40, 0, 0), intensity: Float64Array.of(5), sigma: Float64Array.of(1) };
    const rows = await compareFrames(d.crystal, [d.frames[0]!, none, f], small);
    expect(rows.map((r) => r.agreement.status)).toEqual(["excluded", "excluded", "compared"]);
    expect(rows[1]!.agreement).toMatchObject({ reason: expect.stringContaining("no reflection is excited") });
    const s = overFrames(
      rows.map((r) => r.agreement),
      (a) => a.rAll,
    )!;
    expect(s.frames).toBe(1);
    expect(Number.isFinite(s.mean)).toBe(true);
    expect(overFrames([rows[0]!.agreement], (a) => a.rAll)).toBeUndefined();
    expect(() => frameProblem(d.crystal, f, { ...small, thickness: 0 })).toThrow(/thickness is a positive number/);
    expect(() => frameProblem(d.crystal, { ...f, alphaDeg: Number.NaN }, small)).toThrow(/tilt angle/);
    expect(() => janaDynamical({ ...janaProject(block).value, m90: undefined })).toThrow(/whole JANA project/);
  });
});

describeData("albite, orientation of frames", [albiteCif, albitePets], () => {
  const { value: structure } = readStructure(albiteCif, readDataText);
  const pets = parseCifPets(readDataText(albitePets)).value;
  const refl = cifReflections(parseCif(readDataText(albiteCif)).value.blocks.find((b) => cifOf(b))!);
  function cifOf(b: Parameters<typeof cifReflections>[0]): boolean {
    try {
      return cifReflections(b).quantity === "intensity";
    } catch {
      return false;
    }
  }

  test("Gauss-Newton finds the orientations that the refinement had", () => {
    const { frames, beam } = petsFrames(pets);
    expect(frames).toHaveLength(59);
    const crystal = frameCrystal(structure, beam, 2, { factors: peng1996 });
    const model = {
      gMax: 2,
      sMax: 0.01,
      thickness: 336.91,
      thicknessModel: { kind: "plate" } as const,
      tiltCorrection: 1,
      mosaicity: { kind: "none" } as const,
      sampling: { sweep: { kind: "midpoint", steps: 40 } as const },
    };
    for (const id of ["10", "20", "40"]) {
      const rows = Array.from({ length: refl.size }, (_, i) => i).filter((i) => refl.group[i] === `${id}%5`);
      const hkl = Int32Array.from(rows.flatMap((i) => [refl.h[i]!, refl.k[i]!, refl.l[i]!]));
      const frame = frames.find((f) => f.id === id)!;
      const fit = fitOrientation(crystal, { ...frame, hkl }, model, { intensity: Float64Array.from(rows, (i) => refl.calculated[i]!) });
      expect(fit.rBefore).toBeGreaterThan(0.05);
      expect(fit.rAfter).toBeLessThan(0.025);
    }
  });
  test("a broken angle and missing frames", () => {
    const alphaDeg = pets.zones.alphaDeg.slice();
    alphaDeg[2] = Number.NaN;
    const { frames } = petsFrames({ ...pets, zones: { ...pets.zones, alphaDeg } }, { rsgMax: 0.66 });
    expect(frames[2]!.problem).toMatch(/not a number/);
    expect(frames[3]!.problem).toBeUndefined();
    expect(() => petsFrames({ ...pets, ub: undefined })).toThrow(/orientation matrix/);
  });
  test("what is damaged is named: angles that cannot be, frames and rows twice, empty columns, another cell", () => {
    const { zones: z, reflections: r } = pets;
    const width = z.precessionDeg.slice(),
      alphaDeg = z.alphaDeg.slice();
    width[0] = -1;
    alphaDeg[1] = 1e308;
    const odd = petsFrames({ ...pets, zones: { ...z, precessionDeg: width, alphaDeg } }, { rsgMax: 0.66 });
    expect(odd.frames.slice(0, 3).map((f) => f.problem)).toEqual([
      "an angle of the frame cannot be",
      "an angle of the frame cannot be",
      undefined,
    ]);
    expect(odd.warnings).toEqual([]);
    const join = <T extends Int32Array | Float64Array>(a: T, b: T): T => {
      const out = new (a.constructor as new (n: number) => T)(a.length + b.length);
      out.set(a);
      out.set(b, a.length);
      return out;
    };
    const twice = <T extends object>(t: T): T =>
      Object.fromEntries(Object.entries(t).map(([k, v]) => [k, typeof v === "number" ? 2 * v : join(v, v)])) as T;
    const plain = petsFrames(pets, { rsgMax: 0.66 }).frames,
      doubled = petsFrames({ ...pets, zones: twice(z), reflections: twice(r) }, { rsgMax: 0.66 });
    expect(doubled.frames.map((f) => f.intensity.length)).toEqual(plain.map((f) => f.intensity.length));
    expect(doubled.warnings.join()).toMatch(/59 of 118 frames stand twice.* rows stand twice/);
    const sigma = new Float64Array(r.size).fill(Number.NaN);
    expect(() => petsFrames({ ...pets, reflections: { ...r, sigma } })).toThrow(/bad-file.*sigmas/);
    const cell = [pets.cell[0] * 1.02, ...pets.cell.slice(1)] as unknown as typeof pets.cell;
    expect(petsFrames({ ...pets, cell }).warnings.join()).toMatch(/differ by 2\.0 %.*the matrix is used/);
  });
});

test("atoms without displacements start at a common one, and it is said", () => {
  const text = structureToCifText("_atom_site_U_iso_or_equiv", "0.01", "?");
  const { value, warnings } = readStructure("a.cif", () => text);
  expect(value.atoms.map((a) => a.uIso)).toEqual([0.01, 0.006]);
  expect(warnings.join()).toMatch(/1 atoms without displacements \(O1\)/);
  function structureToCifText(item: string, ti: string, o: string): string {
    const cell = ["length_a 4.594", "length_b 4.594", "length_c 2.959", "angle_alpha 90", "angle_beta 90", "angle_gamma 90"].map(
      (x) => `_cell_${x}`,
    );
    const site = ["label", "type_symbol", "fract_x", "fract_y", "fract_z"].map((x) => `_atom_site_${x}`);
    const atoms = [`Ti1 Ti 0 0 0 ${ti}`, `O1 O 0.3053 0.3053 0 ${o}`];
    return ["data_a", ...cell, "_space_group_name_H-M_alt 'P 42/m n m'", "loop_", ...site, item, ...atoms, ""].join("\n");
  }
});
