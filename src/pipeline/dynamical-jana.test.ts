import { describe, expect, test } from "vitest";
import { type FrameModel, frameIntensities } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { petsRotation } from "../geometry/goniometer.js";
import { ubMatrix } from "../geometry/orientation.js";
import { rotationAbout } from "../geometry/rotation.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { parseCif } from "../io/cif-parse.js";
import { dyngoSettings } from "../io/jana/dyngo.js";
import { janaProject } from "../io/jana/embedded.js";
import { parseM40 } from "../io/jana/m40.js";
import { parseM42, writeM42 } from "../io/jana/m42.js";
import { parseM50 } from "../io/jana/m50.js";
import { parseM90 } from "../io/jana/m90.js";
import { type RefinedFrameData, refineDynamical } from "../refine/index.js";
import { alanineFile } from "../testing/alanine.js";
import { describeData, readDataText } from "../testing/data.js";
import { electrons, exactFrames, neutralCrystal } from "../testing/measured-frames.js";
import { janaDynamical } from "./dynamical.js";
import { dynamicalJanaFiles, dynamicalM42, zoneAngles } from "./dynamical-jana.js";
import { quartz } from "./simulate-crystals.js";

describeData("the alanine project of JANA2020, no cycle refined", [alanineFile], () => {
  const cif = parseCif(readDataText(alanineFile)).value,
    project = janaProject(cif.blocks.find((b) => janaProject(b).value.m42)!).value,
    given = project.m42!,
    d = janaDynamical(project),
    settings = dyngoSettings(given);
  const zoneSu = given.su!.zones,
    headSu = given.su!.head;
  const written = dynamicalM42(
    {
      structure: d.structure,
      models: [d.model],
      parameters: [
        { name: "thickness", su: zoneSu[1]!.values[1]! },
        { name: "tilt correction", su: headSu[0]!.values[0]! },
        { name: "mosaicity", su: headSu[1]!.values[0]! },
      ],
      frames: d.frames.map((f, i) => ({
        id: f.id,
        status: f.problem ? "excluded" : "refined",
        scale: d.scales[i]!,
        scaleSu: zoneSu[i]!.values[0]!,
        frame: f,
        residuals: { wrAll: given.zones[i]!.rPercent / 100 },
      })),
    },
    { ub: given.ub as never, wavelength: d.beam.wavelength, sgMaxRefine: settings.sgMaxRefine },
  );
  const back = parseM42(writeM42(written));

  test("settings, orientation matrix and s.u. come back", () => {
    expect(back.warnings).toEqual([]);
    expect(dyngoSettings(back.value)).toEqual({ ...settings, threads: 4, bethe: [] });
    expect(back.value.ub).toEqual(given.ub);
    expect(back.value.su).toEqual(given.su);
    expect(back.value.head).toEqual(given.head);
  });
  test("all 61 zones come back: angles, axis, scale, thickness, keys", () => {
    expect(back.value.zones.length).toBe(61);
    given.zones.forEach((z, i) => {
      const b = back.value.zones[i]!;
      for (const k of ["alphaDeg", "betaDeg"] as const) expect(Math.abs(b[k] - z[k]), `${z.number} ${k}`).toBeLessThan(2e-5);
      // The zone axes of the file have four digits and follow from its angles.
      for (const k of ["u", "v", "w"] as const) expect(Math.abs(b[k] - z[k]), `${z.number} ${k}`).toBeLessThan(2e-4);
      expect([b.number, b.phiDeg, b.scale, b.thickness, b.edPhi, b.edTheta, b.flags, b.keys, b.rPercent]).toEqual([
        z.number,
        z.phiDeg,
        z.scale,
        z.thickness,
        z.edPhi,
        z.edTheta,
        z.flags,
        z.keys,
        z.rPercent,
      ]);
    });
  });
});

describe("a refined result as a JANA project", () => {
  const s = quartz().structure,
    ub = ubMatrix(randomRotation<"sample", "crystal">(rng(2)), s.cell);
  const model: FrameModel = {
    gMax: 1.5,
    sMax: 0.01,
    thickness: 400,
    thicknessModel: { kind: "wedge" },
    tiltCorrection: 0.4,
    mosaicity: { kind: "none" },
    sampling: { sweep: { kind: "midpoint", steps: 20 } },
  };

  async function refined() {
    // A turn that the file's angles do not know, about all three axes.
    const orientations = [-35, -4, 22].map((alphaDeg, i) => ({
      alphaDeg,
      ub: compose(rotationAbout<"lab", "lab">([0.6, 0.48, 0.64], 0.001 * (i + 1)), compose(petsRotation(alphaDeg, 0.3, 0), ub)),
    }));
    const exact = await exactFrames(neutralCrystal(s, model.gMax), model, orientations, { halfWidthDeg: 1.1, rsgMax: 0.6 });
    const frames = exact.map((f, i): RefinedFrameData => {
      const intensity = f.intensity.map((v) => 3e4 * v + 1);
      return { ...f, id: String(2 * i + 2), intensity, sigma: intensity.map((v) => 0.02 * v + 1) };
    });
    return refineDynamical(
      s,
      { beam: electrons, frames, model },
      { workers: 1, stages: [{ name: "t", thickness: true, gradient: "rows", maxCycles: 1 }] },
    );
  }

  test("JANA's files of it, read back, calculate the same intensities", async () => {
    const r = await refined(),
      files = dynamicalJanaFiles(r, "q", { ub, wavelength: electrons.wavelength });
    expect([...files.keys()]).toEqual(["q.m40", "q.m42", "q.m50", "q.m90"]);
    const m42 = parseM42(files.get("q.m42")!).value,
      d = janaDynamical({
        m40: parseM40(files.get("q.m40")!).value,
        m42,
        m50: parseM50(files.get("q.m50")!).value,
        m90: parseM90(files.get("q.m90")!).value,
      });
    expect(m42.zones.map((z) => z.number)).toEqual([2, 4, 6]);
    expect(m42.zones.map((z) => z.keys[0])).toEqual(["1100", "1000", "1000"]);
    expect(d.model.thickness).toBeCloseTo(r.models[0]!.thickness, 3);
    expect(d.model.tiltCorrection).toBe(0.4);
    expect(m42.su!.zones[1]!.values[1]).toBeGreaterThan(0);
    const again = await frameIntensities(d.crystal, d.frames, d.model);
    r.frames.forEach((f, k) => {
      expect(d.frames[k]!.hkl.length).toBe(f.frame.hkl.length);
      const listed = new Map(Array.from({ length: f.calculated.length }, (_, i) => [f.frame.hkl.slice(3 * i, 3 * i + 3).join(), i]));
      const factor = (d.scales[k]! / f.scale) ** 2;
      let miss = 0,
        sum = 0;
      for (let i = 0; i < d.frames[k]!.intensity.length; i++) {
        const j = listed.get(d.frames[k]!.hkl.slice(3 * i, 3 * i + 3).join())!;
        const given = f.frame.intensity[j]! * factor; // one decimal in the file; the scale has seven digits
        expect(Math.abs(d.frames[k]!.intensity[i]! - given)).toBeLessThanOrEqual(0.051 + 1e-6 * given);
        miss += Math.abs(again[k]!.intensity[i]! * d.scales[k]! ** 2 - f.calculated[j]! * factor);
        sum += f.calculated[j]! * factor;
      }
      expect(miss / sum, f.id).toBeLessThan(2e-3);
    });
  });
  test("angles of a frame come back from its orientation, whatever turn about the beam is added", () => {
    for (const omega of [0, 0.3, -70]) {
      const [alpha, beta] = zoneAngles(compose(petsRotation(-48.9, 3.2, omega), ub), ub);
      expect(alpha).toBeCloseTo(-48.9, 9);
      expect(beta).toBeCloseTo(3.2, 9);
    }
  });
  test("shapes without a published number, and several sets, are refused", async () => {
    const r = await refined(),
      options = { ub, wavelength: electrons.wavelength };
    expect(() => dynamicalM42({ ...r, models: [{ ...r.models[0]!, thicknessModel: { kind: "cylinder" } }] }, options)).toThrow(
      "plate and wedge",
    );
    expect(() => dynamicalM42({ ...r, models: [r.models[0]!, r.models[0]!] }, options)).toThrow("one crystal");
  });
});
