import { expect, test } from "vitest";
import { apply, compose } from "../core/frames.js";
import { parseM42 } from "../io/jana/m42.js";
import { alanine, alanineFile } from "../testing/alanine.js";
import { describeData, readDataText } from "../testing/data.js";
import { beamFromWavelength } from "./beam.js";
import { fromJana } from "./conventions-jana.js";
import { sgErrors } from "./ewald.js";
import { sgFilter } from "./excitation.js";
import { petsRotation } from "./goniometer.js";
import { zoneAxis } from "./zone.js";

describeData("alanine, m42 of JANA2020", [alanineFile], () => {
  const text = readDataText(alanineFile);
  const start = text.indexOf("commands", text.indexOf("_Jana_m42_file"));
  const m42 = parseM42(text.slice(start, text.indexOf("\n;", start))).value;
  const jana = fromJana(m42, "continuous");

  test("zone axes follow from UB, α, β, and every listed reflection passes RSg < 0.66", () => {
    expect(jana.frames).toHaveLength(61);
    jana.frames.forEach((f, i) => {
      const uvw = zoneAxis(petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg), jana.ub),
        z = m42.zones[i]!;
      expect(Math.max(Math.abs(uvw[0] - z.u), Math.abs(uvw[1] - z.v), Math.abs(uvw[2] - z.w))).toBeLessThan(1.1e-4);
    });
    const { reflections, wavelength } = alanine();
    const beam = beamFromWavelength(wavelength);
    let most = 0;
    for (const { zone, hkl } of reflections) {
      const f = jana.frames[zone - 1]!;
      const g = Float64Array.from(apply(compose(petsRotation(f.alphaDeg, f.betaDeg, 0), jana.ub), hkl));
      most = Math.max(most, sgFilter(g, sgErrors(g, beam), jana.exposures[zone - 1]!, [1, 0, 0]).rsg[0]!);
    }
    expect(most).toBeCloseTo(0.66009, 4);
  });
  test("a file without an orientation is named; phi can be a precession angle", () => {
    expect(() => fromJana({ ...m42, ub: undefined }, "continuous")).toThrow(/ormat/);
    expect(fromJana(m42, "precession").exposures[1]).toEqual({ kind: "precession", semiAngleDeg: 1.425 });
  });
});
