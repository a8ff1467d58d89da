import { expect, test } from "vitest";
import { sweepPool } from "../bloch/integrate-pool.js";
import { rng } from "../core/rng.js";
import { hasCifValue } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { type CifReflections, cifReflections } from "../io/cif-reflections.js";
import { janaProject } from "../io/jana/embedded.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { compareStructures } from "../refine/compare.js";
import { dynamicalStages, refineDynamical } from "../refine/dynamical.js";
import { dynamicalHand } from "../refine/dynamical-hand.js";
import { runDynamical } from "../refine/dynamical-run.js";
import { startDynamical } from "../refine/dynamical-scan.js";
import type { DynamicalData, RefinedFrameData } from "../refine/dynamical-types.js";
import { perturbStructure } from "../refine/perturb.js";
import { mergedResiduals, residuals } from "../refine/residuals.js";
import { alanineFile } from "../testing/alanine.js";
import { describeData, readDataText } from "../testing/data.js";
import { janaDynamical, petsFrames } from "./dynamical.js";
import { readStructure } from "./dynamical-structure.js";

/** EWALD_FRAMES=8 takes every eighth frame: the whole of alanine is half an hour of a quiet core for a cycle of everything. */
const stride = Number(process.env.EWALD_FRAMES ?? 1);
const every = <T>(list: readonly T[]): T[] => list.filter((_, i) => i % stride === Math.min(1, stride - 1));
const cpuSeconds = (): number => process.cpuUsage().user / 1e6;
const albiteCif = "3ded/jana_dyn/albite_jana2006_dyn+kin.cif",
  albitePets = "3ded/jana_dyn/albite_block5.cif_pets";
/** The rows of a frame as the refinement of the file used them. */
const rowsOf = (r: CifReflections, group: string) => {
  const rows = Array.from({ length: r.size }, (_, i) => i).filter((i) => r.group[i] === group);
  const take = (a: Float64Array): Float64Array => Float64Array.from(rows, (i) => a[i]!);
  return {
    hkl: Int32Array.from(rows.flatMap((i) => [r.h[i]!, r.k[i]!, r.l[i]!])),
    intensity: take(r.measured),
    sigma: take(r.sigma),
    calculated: take(r.calculated),
  };
};
const percent = (v: number): string => `${(100 * v).toFixed(2)} %`;

describeData("alanine (JANA2020, 58 frames)", [alanineFile], () => {
  const cif = parseCif(readDataText(alanineFile)).value;
  const d = janaDynamical(janaProject(cif.blocks.find((b) => janaProject(b).value.m42)!).value);
  const refl = cifReflections(cif.blocks.find((b) => hasCifValue(b, "_refln_intensity_calc"))!);
  const all = d.frames.map((f): RefinedFrameData => ({ ...f, ...rowsOf(refl, f.id), problem: undefined })).filter((f) => f.hkl.length > 0);
  const frames = every(all);
  const data: DynamicalData = { beam: d.beam, frames, model: d.model };
  const m = d.model.mosaicity;
  const far = { ...d.model, thickness: 2000, mosaicity: m.kind === "quantiles" ? { ...m, varianceDeg2: 0.005 } : m };

  test("from 2000 Å and variance 0.005 back to 2469 ± 16 Å and 0.01836 ± 0.0002", async () => {
    const from = cpuSeconds();
    const r = await refineDynamical(
      d.structure,
      { ...data, model: far },
      {
        stages: [{ name: "scales and thickness", thickness: true, tiltCorrection: true, mosaicity: true, maxCycles: 8 }],
        onProgress: (p) => p.note.includes("R(obs)") && console.log(`${(cpuSeconds() - from).toFixed(0)} s: ${p.note}`),
      },
    );
    const value = Object.fromEntries(r.parameters.map((p) => [p.name, p]));
    console.log(
      `alanine, ${frames.length} frames: ${r.parameters.map((p) => `${p.name} ${p.value.toFixed(5)} ± ${p.su.toFixed(5)}`).join(", ")}; ${r.cycles} cycles, ${r.status}, R(obs) ${percent(r.residuals.rObs)}`,
    );
    const spare = Math.sqrt(stride);
    expect(Math.abs(value.thickness!.value - 2468.72)).toBeLessThan(16 * spare);
    expect(Math.abs(value.mosaicity!.value - 0.01836)).toBeLessThan(2e-4 * spare);
  });
  test("from coordinates moved by 0.05 Å: R(obs) <= 8.4 %, wR(all) <= 9.2 %, positions within 2 s.u.", async () => {
    const on = await sweepPool({ workers: 2 });
    const from = cpuSeconds(),
      start = performance.now();
    const cycles: number[] = [];
    const r = await refineDynamical(perturbStructure(d.structure, 0.05, rng(1)), data, {
      on,
      stages: dynamicalStages({ orientations: false, tiltCorrection: true }).slice(-1),
      onCheckpoint: () => cycles.push(cpuSeconds() - from),
      onProgress: (p) => p.note.includes("R(obs)") && console.log(`${(cpuSeconds() - from).toFixed(0)} s of processor: ${p.note}`),
    }).finally(() => on.pool.close());
    const memory = process.resourceUsage().maxRSS / 1e6;
    console.log(
      `alanine, ${frames.length} frames: ${r.status} after ${r.cycles} cycles, ${((performance.now() - start) / 60e3).toFixed(1)} min, processor seconds at each ${cycles.map((c) => c.toFixed(0)).join(" ")}; R(obs) ${percent(r.residuals.rObs)}, wR(all) ${percent(r.residuals.wrAll)}, ${memory.toFixed(2)} GB`,
    );
    // z-scores of coordinates against JANA's, by the s.u. of both.
    const z = r.structure.atoms.flatMap((a, i) => {
      const b = d.structure.atoms[i]!;
      return a.xyz.flatMap((v, k) => {
        const s = Math.hypot(a.su?.xyz[k as 0] ?? Number.NaN, b.su?.xyz[k as 0] ?? 0);
        return s > 0 ? [Math.abs(v - b.xyz[k as 0]) / s] : [];
      });
    });
    console.log(
      `coordinates over s.u.: largest ${Math.max(...z).toFixed(2)}, ${z.filter((v) => v > 2).length} of ${z.length} above 2; rmsd ${compareStructures(r.structure, d.structure).rmsd.toFixed(4)} Å`,
    );
    expect(r.residuals.rObs).toBeLessThan(0.084);
    expect(r.residuals.wrAll).toBeLessThan(0.092);
    expect(memory).toBeLessThan(2);
  });
  test("the right hand is found", async () => {
    const h = await dynamicalHand(d.structure, data, { stages: [{ name: "scales", gradient: "rows", maxCycles: 0 }] });
    console.log(`alanine: ${h.hand}, z ${h.z.toFixed(1)}, R(all) ${percent(h.rA)} against ${percent(h.rB)}`);
    expect(h.hand).toBe("given");
    expect(h.z).toBeGreaterThan(5);
  });
});

describeData("albite, block 5 (JANA2006, plate)", [albiteCif, albitePets], () => {
  const refl = cifReflections(parseCif(readDataText(albiteCif)).value.blocks.find((b) => hasCifValue(b, "_refln_intensity_calc"))!);
  const { value: structure } = readStructure(albiteCif, readDataText);
  const { frames, beam } = petsFrames(parseCifPets(readDataText(albitePets)).value);
  const used = every(
    frames
      .map((f): RefinedFrameData & { calculated: Float64Array } => ({ ...f, ...rowsOf(refl, `${f.id}%5`), problem: undefined }))
      .filter((f) => f.hkl.length > 0),
  );
  test("from the angles of PETS2 and no thickness: R(obs) as JANA2006 or below, MR within 0.2 %", async () => {
    const model = {
      gMax: 1.9,
      sMax: 0.01,
      thickness: 600,
      thicknessModel: { kind: "plate" },
      tiltCorrection: 1,
      mosaicity: { kind: "none" },
      sampling: { sweep: { kind: "midpoint", steps: 60 } },
    } as const;
    const from = cpuSeconds();
    const start = await startDynamical(structure, { beam, frames: used, model }, { range: [50, 1500, 25] });
    const r = await refineDynamical(start.structure, start.data, {
      onProgress: (p) => p.note.includes("R(obs)") && console.log(`${(cpuSeconds() - from).toFixed(0)} s: ${p.note}`),
    });
    const join = (of: (f: (typeof used)[number]) => Float64Array): Float64Array => Float64Array.from(used.flatMap((f) => [...of(f)]));
    const list = { measured: join((f) => f.intensity), sigma: join((f) => f.sigma), calculated: join((f) => f.calculated) };
    const jana = residuals(list),
      merged = mergedResiduals(structure.spaceGroup, Int32Array.from(used.flatMap((f) => [...f.hkl])), list);
    console.log(
      `albite block 5, ${used.length} frames: scan ${start.scans.map((s) => `${s.model.kind} ${s.thickness}`).join(", ")}; ${r.status} after ${r.cycles} cycles; ${r.parameters.slice(-1).map((p) => `${p.name} ${p.value.toFixed(1)} ± ${p.su.toFixed(1)}`)}`,
    );
    console.log(
      `R(obs) ${percent(r.residuals.rObs)} (JANA2006 ${percent(jana.rObs)}), wR(all) ${percent(r.residuals.wrAll)} (${percent(jana.wrAll)}), MR(obs) ${percent(r.merged.rObs)} (${percent(merged.rObs)}), ${r.residuals.nObs}/${r.residuals.nAll}`,
    );
    expect(r.residuals.rObs).toBeLessThan(Math.min(jana.rObs, 0.1));
    expect(r.merged.rObs).toBeLessThan(merged.rObs + 0.002);
    expect(compareStructures(r.structure, structure).rmsd).toBeLessThan(0.05);
  });
});

/** Glycine: the model beside the data. Urea: Swaminathan, Craven & McMullan (1984) Acta Cryst. B40, 300, neutrons at 12 K; the cell is that of the file. */
const urea = `data_urea
_cell_length_a 5.63083
_cell_length_b 5.63083
_cell_length_c 4.71453
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P -4 21 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
C1 C 0 0.5 0.3260 0.015
O1 O 0 0.5 0.5953 0.018
N1 N 0.1459 0.6459 0.1766 0.022
H1 H 0.2575 0.7575 0.2827 0.03
H2 H 0.1441 0.6441 -0.0380 0.03
`;
const molecules = [
  {
    name: "glycine",
    pets: "3ded/glycine_pets/glycine_dyn.cif_pets",
    structure: () => readStructure("3ded/glycine_pets/alpha_glycine.cif", readDataText).value,
  },
  { name: "urea", pets: "3ded/jana_dyn/urea_pets2_dyn.cif_pets", structure: () => readStructure("urea.cif", () => urea).value },
];
for (const { name, pets, structure } of molecules)
  describeData(`${name}, dynamical beside kinematical`, [pets], () => {
    test("R of the dynamical refinement is below that of the kinematical", async () => {
      const { frames, beam } = petsFrames(parseCifPets(readDataText(pets)).value, { rsgMax: 0.66 });
      const from = cpuSeconds();
      const {
        start,
        result: r,
        kinematical: k,
      } = await runDynamical(
        structure(),
        { beam, frames: every(frames) },
        { onProgress: (p) => p.note.includes("R(obs)") && console.log(`${(cpuSeconds() - from).toFixed(0)} s: ${p.note}`) },
      );
      console.log(
        `${name}, ${r.frames.filter((f) => f.status === "refined").length} frames: ${start.scans.map((s) => `${s.model.kind} ${s.thickness}`).join(", ")}; ${r.status} after ${r.cycles}; R(obs) ${percent(r.residuals.rObs)} R(all) ${percent(r.residuals.rAll)} wR(all) ${percent(r.residuals.wrAll)} MR(obs) ${percent(r.merged.rObs)}; kinematical R(obs) ${k && percent(k.rObs)} wR(all) ${k && percent(k.wrAll)}`,
      );
      console.log(r.parameters.slice(-3), r.warnings);
      expect(r.residuals.rObs).toBeLessThan(k!.rObs);
    });
  });

const quartzPets = ["3ded/quartz_dials/dials_dyn.cif_pets", "3ded/diffbloch/quartz_enantiomer_1_start.cif"] as const;
describeData("quartz from the DIALS export", quartzPets, () => {
  test("P 32 2 1 against P 31 2 1", async () => {
    const given = readStructure(quartzPets[1], readDataText).value;
    const { frames, beam } = petsFrames(parseCifPets(readDataText(quartzPets[0])).value, { rsgMax: 0.7 });
    console.log(
      `quartz: ${frames.length} frames, ${frames.reduce((n, f) => n + f.intensity.length, 0)} reflections, ${given.spaceGroup.hm}`,
    );
    const { result: r, hand, kinematical: k } = await runDynamical(given, { beam, frames }, { hand: true });
    console.log(
      `${r.structure.spaceGroup.hm}: R(obs) ${percent(r.residuals.rObs)}, kinematical ${k && percent(k.rObs)}; hand ${hand!.hand}, z ${hand!.z.toFixed(1)}, R(all) ${percent(hand!.rA)} against ${percent(hand!.rB)}; ${r.parameters.slice(-2).map((p) => `${p.name} ${p.value.toFixed(2)}`)}`,
      r.warnings,
    );
    expect(Math.abs(hand!.z)).toBeGreaterThan(3);
    if (k) expect(r.residuals.rObs).toBeLessThan(k.rObs);
  });
});
