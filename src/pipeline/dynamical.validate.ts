import { expect, test } from "vitest";
import { fitOrientation } from "../bloch/frame-fit.js";
import { frameCrystal, frameIntensities } from "../bloch/frames.js";
import { type FrameAgreement, frameAgreement, overFrames } from "../bloch/frames-residuals.js";
import { sweepPool } from "../bloch/integrate-pool.js";
import { hasCifValue } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { type CifReflections, cifReflections } from "../io/cif-reflections.js";
import { janaProject } from "../io/jana/embedded.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { arena } from "../kernels/memory.js";
import { peng1996 } from "../scattering/peng.js";
import { alanineFile } from "../testing/alanine.js";
import { describeData, readDataText } from "../testing/data.js";
import { janaDynamical, petsFrames } from "./dynamical.js";
import { readStructure } from "./dynamical-structure.js";

const albiteCif = "3ded/jana_dyn/albite_jana2006_dyn+kin.cif",
  albitePets = "3ded/jana_dyn/albite_block5.cif_pets";
/** Rows of one frame: indices and calculated intensities. */
const rowsOf = (r: CifReflections, group: string) => {
  const rows = Array.from({ length: r.size }, (_, i) => i).filter((i) => r.group[i] === group);
  return {
    hkl: Int32Array.from(rows.flatMap((i) => [r.h[i]!, r.k[i]!, r.l[i]!])),
    calculated: Float64Array.from(rows, (i) => r.calculated[i]!),
  };
};

describeData("alanine: JANA2020's calculated intensities of 58 frames", [alanineFile], () => {
  test("median R(F) <= 1.05 %, largest <= 1.7 %, scales within 1 %", async () => {
    const cif = parseCif(readDataText(alanineFile)).value;
    const d = janaDynamical(janaProject(cif.blocks.find((b) => janaProject(b).value.m42)!).value);
    const refl = cifReflections(cif.blocks.find((b) => hasCifValue(b, "_refln_intensity_calc"))!);
    const rows = d.frames.map((f) => rowsOf(refl, f.id));
    const used = d.frames.map((f, i) => ({ ...f, hkl: rows[i]!.hkl, i })).filter((f) => f.hkl.length > 0);
    const on = await sweepPool({ workers: 2 });
    const start = performance.now(),
      cpu = process.cpuUsage();
    const results = await frameIntensities(d.crystal, used, d.model, { on }).finally(() => on.pool.close());
    const seconds = (performance.now() - start) / 1000,
      { user, system } = process.cpuUsage(cpu);
    const list = results.map((r, j) => frameAgreement(rows[used[j]!.i]!.calculated, undefined, r.intensity));
    const r = overFrames(list, (a) => a.rAll)!;
    const scale = overFrames(
      list.map((a, j): typeof a => (a.status === "compared" ? { ...a, scale: a.scale / d.scales[used[j]!.i]! } : a)),
      (a: FrameAgreement) => a.scale,
    )!;
    console.log(
      `alanine: ${r.frames} frames in ${seconds.toFixed(0)} s (${((user + system) / 1e6).toFixed(0)} s of processor time), R(F) median ${r.median}, max ${r.max}; scale ratio mean ${scale.mean}`,
    );
    expect(r.frames).toBe(58);
    expect(used.reduce((s, f) => s + f.hkl.length / 3, 0)).toBe(10640);
    expect(r.median).toBeLessThanOrEqual(0.0105);
    expect(r.max).toBeLessThanOrEqual(0.017);
    expect(Math.abs(scale.mean - 1)).toBeLessThan(0.01);
  });
});

describeData("albite: orientations of all frames of block 5", [albiteCif, albitePets], () => {
  test("57 frames from the angles of PETS2: 55 within 2.5 %, all within 2.7 %", () => {
    const refl = cifReflections(parseCif(readDataText(albiteCif)).value.blocks.find((b) => hasCifValue(b, "_refln_intensity_calc"))!);
    const { frames, beam } = petsFrames(parseCifPets(readDataText(albitePets)).value);
    const crystal = frameCrystal(readStructure(albiteCif, readDataText).value, beam, 1.9, { factors: peng1996 });
    const shape = { thickness: 336.91, thicknessModel: { kind: "plate" }, tiltCorrection: 1 } as const;
    const sampling = { sweep: { kind: "midpoint", steps: 60 } } as const;
    const model = { gMax: 1.9, sMax: 0.01, mosaicity: { kind: "none" } as const, sampling, ...shape };
    const memory = arena();
    const after: { id: string; before: number; after: number }[] = [];
    for (const f of frames) {
      const { hkl, calculated } = rowsOf(refl, `${f.id}%5`);
      if (hkl.length === 0) continue;
      const options = { arena: memory, ringsDeg: [0.1, 0.2, 0.3], goodEnough: 0.02 };
      const fit = fitOrientation(crystal, { ...f, hkl }, model, { intensity: calculated }, options);
      after.push({ id: f.id, before: fit.rBefore, after: fit.rAfter });
    }
    const worst = [...after].sort((a, b) => b.after - a.after).slice(0, 5);
    console.log(`albite: ${after.length} frames; the worst: ${worst.map((w) => `${w.id}: ${(100 * w.after).toFixed(2)} %`).join(", ")}`);
    expect(after).toHaveLength(57);
    // Two frames at the largest tilts stay at 2.64 and 2.52 %: what JANA2006 did there (gmax, steps) is not in its CIF.
    expect(after.filter((a) => a.after > 0.025).length).toBeLessThanOrEqual(2);
    expect(worst[0]!.after).toBeLessThan(0.027);
  });
});
