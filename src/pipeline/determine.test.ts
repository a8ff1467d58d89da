import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { detector } from "../geometry/detector.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { parseCif } from "../io/cif-parse.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { compareStructures } from "../refine/compare.js";
import { reportHtml } from "../render/index.js";
import { type Determination, determineStructure } from "./determine.js";
import { determinationFiles } from "./determine-files.js";
import { refineLinearised } from "./determine-linearised.js";
import { determinationRecord, determinationSummary } from "./determine-record.js";
import { determinationSections } from "./determine-report.js";
import { petsFrames } from "./dynamical.js";
import { type ProcessingRecord, processSeries } from "./process.js";
import { processingReport } from "./report.js";
import { simulateSeries } from "./simulate.js";
import { trigonalCase } from "./simulate-cases.js";
import { quartz } from "./simulate-crystals.js";
import { simulateDynamical } from "./simulate-dynamical.js";
import { simulationSource } from "./simulate-source.js";

/** Quartz by Bloch waves, 80 continuous frames of 256²: small enough for every test run. */
async function small() {
  const { options: base, seed } = trigonalCase();
  const options = {
    ...base,
    instrument: {
      ...base.instrument,
      detector: detector({ nx: 256, ny: 256, invAngstromPerPixel: 0.0118, centrePx: [126.4, 130.2] }),
      exposure: { kind: "continuous", halfWidthDeg: 0.5 } as const,
    },
    rocking: { rcWidth: 0.0012, mosaicityDeg: 0.06 },
    alphaStartDeg: -40,
    frames: 80,
    gMax: 1.45,
  };
  const waves = await simulateDynamical(options, { thickness: 450 }, rng(seed));
  const simulation = simulateSeries({ ...options, waves }, rng(seed)),
    source = simulationSource(simulation);
  const { instrument, nominal } = simulation;
  const record = await processSeries(source, {
    wavelength: instrument.beam.wavelength,
    invAngstromPerPixel: instrument.detector.invAngstromPerPixel,
    alphaDeg: nominal.map((f) => f.alphaDeg),
    exposure: instrument.exposure,
  });
  return { source, record };
}

describe("from frames to a refined structure", () => {
  let made:
    | Promise<{ source: ReturnType<typeof simulationSource>; record: ProcessingRecord; found: Determination; done: number[] }>
    | undefined;
  const all = () => {
    made ??= (async () => {
      const { source, record } = await small();
      const done: number[] = [];
      const found = await determineStructure(source, record, {
        composition: "Si O2",
        onProgress: (p) => {
          done.push(p.done);
        },
      });
      return { source, record, found, done };
    })();
    return made;
  };

  test("quartz: solved ab initio, its hand found, refined dynamically to the truth", async () => {
    const { found, done } = await all();
    const truth = quartz().structure;
    console.log(determinationSummary(found).join("\n"));
    expect(found.stopped).toBeUndefined();
    expect(found.solution!.structure.spaceGroup.hm).toMatch(/^P 3[12] 2 1$/);
    // a and b of a trigonal lattice may come out turned by 180° about c, which is no symmetry of quartz
    const match = [undefined, [-1, 0, 0, 0, -1, 0, 0, 0, 1] as const]
      .map((basis) => compareStructures(found.dynamical!.structure, truth, { hand: false, basis }))
      .reduce((a, b) => (b.matched > a.matched || (b.matched === a.matched && b.rmsd < a.rmsd) ? b : a));
    expect(match.missing + match.extra).toBe(0);
    expect(match.rmsd).toBeLessThan(0.01);
    // the hand of the truth, whatever the solution had
    expect(Math.abs(found.hand!.z)).toBeGreaterThan(3);
    expect(found.dynamical!.structure.spaceGroup.hm).toBe("P 32 2 1");
    expect(found.dynamical!.residuals.rObs).toBeLessThan(0.08);
    expect(found.dynamical!.residuals.rObs).toBeLessThan(0.6 * found.kinematical!.residuals.rObs);
    // so thin a crystal may pass for a plate of the thickness that scatters as much: mean 225 Å, root mean square 260 Å
    const { thickness, thicknessModel } = found.dynamical!.models[0]!;
    expect(thicknessModel.kind === "wedge" ? thickness / Math.sqrt(3) : thickness).toBeGreaterThan(210);
    expect(thicknessModel.kind === "wedge" ? thickness / Math.sqrt(3) : thickness).toBeLessThan(310);
    // the refined thickness is where wR is least, looked at on its own
    expect(Math.abs(found.profile!.bestWr / thickness - 1)).toBeLessThan(0.1);
    expect(done.every((v, i) => i === 0 || v >= done[i - 1]! - 1e-9)).toBe(true);
  }, 600_000);

  test("diagnostics, report and files of it", async () => {
    const { source, record, found } = await all();
    const { diagnosis } = found;
    expect(diagnosis!.theory).toBe("dynamical");
    expect(diagnosis!.outliers.length).toBeLessThan(0.2 * diagnosis!.rows.intensity.length);
    expect(diagnosis!.regression!.count).toBeGreaterThan(100);
    expect(diagnosis!.statistics.level).toBeGreaterThan(0);
    const html = reportHtml(processingReport(record, { sections: await determinationSections(found, { read: (i) => source.read(i) }) }));
    for (const word of [
      "Solution",
      "Refinement",
      "Diagnostics",
      "R_int",
      "50 % probability",
      "R against thickness",
      "difference map against thickness",
    ])
      expect(html).toContain(word);
    expect(html.replace(/base64,[^"]*/g, "")).not.toMatch(/NaN|undefined/);
    expect(JSON.stringify(determinationRecord(found))).toContain('"dynamical"');
    const files = determinationFiles(found, record, "q");
    expect([...files.keys()].sort()).toEqual(
      ["q.cif_pets", "q.hkl", "q_dyn.cif_pets", ...["cif", "ins", "m40", "m42", "m50", "m90"].map((e) => `q_refined.${e}`)].sort(),
    );
    const back = structureFromCif(parseCif(files.get("q_refined.cif")!).value.blocks[0]!).value;
    expect(compareStructures(back, diagnosis!.structure).rmsd).toBeLessThan(1e-3);
    const pets = petsFrames(parseCifPets(files.get("q_dyn.cif_pets")!).value, { rsgMax: 0.66 });
    expect(pets.frames.length).toBe(found.data!.frames.length);
  }, 600_000);

  test("linearised intensities, refined again: a right model has little to straighten", async () => {
    const { found, record } = await all();
    const stages = [{ name: "once", thickness: true, structure: true, gradient: "rows" as const, maxCycles: 1 }];
    const { before, after } = await refineLinearised(found.dynamical!, record.instrument.beam, { stages });
    expect(before.residuals.rObs).toBeCloseTo(found.dynamical!.residuals.rObs, 10);
    expect(after.residuals.rObs).toBeLessThan(before.residuals.rObs * 1.05);
    expect(Math.abs(after.regression!.coefficients[0] - 1)).toBeLessThan(0.05);
  }, 600_000);

  test("without a composition the intensities are still delivered; abort rejects", async () => {
    const { source, record } = await all();
    const found = await determineStructure(source, record, {});
    expect(found.stopped).toMatchObject({ step: "solution" });
    expect(found.stopped!.reason).toContain("--composition");
    const files = determinationFiles(found, record, "q");
    expect([...files.keys()]).toEqual(["q.hkl", "q.cif_pets", "q_dyn.cif_pets"]);
    expect(determinationSummary(found).at(-1)).toContain("stopped");
    const wrong = await determineStructure(source, record, { composition: "not a formula!" });
    expect(wrong.stopped!.step).toBe("solution");
    expect(wrong.measured).toBeDefined();
    const stop = new AbortController();
    await expect(
      determineStructure(source, record, {
        composition: "Si O2",
        signal: stop.signal,
        onProgress: () => {
          stop.abort(new Error("enough"));
        },
      }),
    ).rejects.toThrow("enough");
  }, 600_000);
});
