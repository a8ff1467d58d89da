import { expect, test } from "vitest";
import { describeData, readDataText } from "../testing/data.js";
import { type CaseInputs, caseOutputs, twoBeamOutputs } from "./case.js";

interface Oracle {
  readonly inputs: CaseInputs;
  readonly outputs: Readonly<Record<string, unknown>>;
}
/** Largest |a − b| over nested lists and records of numbers; structures that differ give Infinity. */
function farthest(a: unknown, b: unknown): number {
  if (typeof a === "number" && typeof b === "number") return Math.abs(a - b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Number.POSITIVE_INFINITY;
  const x = a as Record<string, unknown>,
    y = b as Record<string, unknown>;
  if (Object.keys(x).length !== Object.keys(y).length) return Number.POSITIVE_INFINITY;
  return Object.keys(x).reduce((m, k) => Math.max(m, farthest(x[k], y[k])), 0);
}

describeData("oracles of an independent program", ["bloch/oracles/si-110-200kV.json"], () => {
  test.each(["si-110-200kV", "srtio3-001-absorptive-300kV"])("%s", (name) => {
    const { inputs, outputs } = JSON.parse(readDataText("bloch", "oracles", `${name}.json`)) as Oracle;
    const ours = caseOutputs(inputs);
    expect(Object.keys(ours).sort()).toEqual(Object.keys(outputs).sort());
    for (const key of ["nBeams", "Kn", "twoKs", "Ug", "U0", "intensities", "fluxSum", "amplitudesLastThickness"])
      expect(farthest(ours[key], outputs[key]), key).toBeLessThan(1e-9);
    expect(farthest(ours.meanInnerPotentialVolt, outputs.meanInnerPotentialVolt)).toBeLessThan(1e-7);
    expect(ours.eigVersusExpmMaxAmplitudeDifference).toBeLessThan(1e-11);
  });
  test("two beams", () => {
    const oracle = JSON.parse(readDataText("bloch", "oracles", "two-beam.json")) as Record<"noAbsorption" | "withAbsorption", []>;
    for (const part of ["noAbsorption", "withAbsorption"] as const)
      expect(farthest(twoBeamOutputs(oracle[part]), oracle[part]), part).toBeLessThan(1e-9);
  });
});
