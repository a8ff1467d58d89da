import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { describeData, readDataText } from "../testing/data.js";
import { averageOutputs, type CaseInputs, caseOutputs, twoBeamOutputs, unknownInputs } from "./case.js";
import { thicknessNodes } from "./thickness.js";

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

/** A small case of our own: a triclinic cell, incident near no zone, an inclined foil. */
const small: CaseInputs = {
  cell: { a: 4.1, b: 5.2, c: 6.3, alpha: 81, beta: 97, gamma: 105 },
  atoms: [
    { element: "Si", xyz: [0.1, 0.2, 0.3], B: 0.5 },
    { element: "O", xyz: [0.6, 0.3, 0.8], B: 0.7 },
    { element: "Fe", xyz: [0.3, 0.75, 0.1], B: 0.3, occupancy: 0.8 },
  ],
  kV: 200,
  kReciprocal: [71.246, 99.316, 169.5473],
  thicknessesAngstrom: [150, 700],
  beams: [
    [0, 0, 0],
    [1, -1, 0],
    [-1, 1, 0],
    [0, 1, -1],
    [0, -1, 1],
    [2, 0, -1],
    [-2, 0, 1],
    [1, 0, -1],
  ],
};
type Rows = readonly (readonly number[])[];
const rowsOf = (inputs: CaseInputs, key = "intensities"): Rows => caseOutputs(inputs)[key] as Rows;

test("the order of the beams is that of the file", () => {
  const shuffled = [3, 7, 0, 5, 1, 6, 2, 4];
  const { beams } = small;
  expect(
    farthest(
      rowsOf({ ...small, beams: shuffled.map((i) => beams[i]!) }),
      rowsOf(small).map((r) => shuffled.map((i) => r[i]!)),
    ),
  ).toBeLessThan(1e-13);
});
test("averages over thickness, with absorption and without, are sums over the series", () => {
  for (const absorptive of [undefined, "thomas2024-absorptive"]) {
    const inputs: CaseInputs = absorptive ? { ...small, absorptive } : small;
    for (const kind of ["wedge", "cylinder", "sphere"] as const) {
      const { t, weights } = thicknessNodes({ kind }, 620.5, 0, 300);
      const series = rowsOf({ ...inputs, thicknessesAngstrom: Array.from(t) });
      const sum = small.beams.map((_, g) => series.reduce((s, r, k) => s + weights[k]! * r[g]!, 0));
      expect(farthest(averageOutputs(inputs, [`${kind}-620.5`])[`${kind}-620.5`], sum), kind).toBeLessThan(1e-10);
    }
  }
});
test("derivatives of a case are those of differences, averaged over a rotation too", () => {
  const rotation = { axisDirect: [1, 0, 0], halfWidthDeg: 0.2, steps: 5 } as const;
  const given: CaseInputs = { ...small, rotation, derivatives: [{ kind: "y", atom: 1 }, { kind: "thickness" }] };
  const [byY, byT] = caseOutputs(given).derivatives as { values: Rows }[];
  const at = (change: Partial<CaseInputs>): Rows => rowsOf({ ...small, rotation, ...change }, "averagedIntensities");
  const h = 1e-4,
    y = (e: number): Rows =>
      at({ atoms: small.atoms.map((a, i) => (i === 1 ? { ...a, xyz: [a.xyz[0], a.xyz[1] + e, a.xyz[2]] as const } : a)) });
  const t = (e: number): Rows => at({ thicknessesAngstrom: small.thicknessesAngstrom.map((x) => x + e) });
  const slope = (f: (e: number) => Rows, e: number): Rows => {
    const [a, b, c, d] = [f(e), f(-e), f(2 * e), f(-2 * e)];
    return a.map((r, i) => r.map((x, g) => (8 * (x - b[i]![g]!) - (c[i]![g]! - d[i]![g]!)) / (12 * e)));
  };
  expect(farthest(byY!.values, slope(y, h))).toBeLessThan(1e-6 * Math.max(...byY!.values.flat().map(Math.abs)));
  expect(farthest(byT!.values, slope(t, 0.05))).toBeLessThan(1e-6 * Math.max(...byT!.values.flat().map(Math.abs)));
});
test("precession, mosaicity, tilt correction, Bethe potentials", () => {
  const precession = (azimuths: number): Rows => rowsOf({ ...small, precession: { semiAngleDeg: 0.5, azimuths } }, "averagedIntensities");
  expect(farthest(precession(120), precession(300))).toBeLessThan(1e-12);
  expect(farthest(precession(120), rowsOf(small))).toBeGreaterThan(1e-3);
  const none = rowsOf({ ...small, mosaicity: { kind: "gaussian", sigmaDeg: 1e-9, count: 3 } }, "averagedIntensities");
  expect(farthest(none, rowsOf(small))).toBeLessThan(1e-9);
  const tilted = rowsOf({ ...small, tiltCorrection: { C: 0.25, alphaDeg: 60 } });
  expect(farthest(tilted, rowsOf({ ...small, thicknessesAngstrom: [150 * 1.25, 700 * 1.25] }))).toBeLessThan(1e-13);
  // the weakest beams eliminated are nearly as good as kept, and far better than forgotten
  const few = { ...small, beams: small.beams.slice(0, 7) },
    bethe = rowsOf({ ...few, weakBeams: [small.beams[7]!] }),
    whole = rowsOf(small).map((r) => r.slice(0, 7));
  expect(farthest(bethe, whole)).toBeLessThan(0.3 * farthest(rowsOf(few), whole));
});
test("bad cases are refused by name, unknown keys are noticed", () => {
  const bad: readonly [Partial<Record<keyof CaseInputs, unknown>>, RegExp][] = [
    [{ atoms: [{ element: "Xx", xyz: [0, 0, 0] }] }, /Xx/],
    [{ atoms: [] }, /no atoms/],
    [{ beams: [] }, /beams/],
    [{ beams: [[1, 0, 0]] }, /0 0 0/],
    [
      {
        beams: [
          [0, 0, 0],
          [1, 0, 0],
          [1, 0, 0],
        ],
      },
      /more than once/,
    ],
    [{ kV: 200000 }, /kilovolts/],
    [{ kV: Number.NaN }, /voltage/],
    [{ cell: { ...small.cell, gamma: 200 } }, /bad-cell/],
    [{ thicknessesAngstrom: [-1] }, /thickness/],
    [{ thicknessesAngstrom: [Number.NaN] }, /thickness/],
    [{ thicknessesAngstrom: [] }, /thickness/],
    [{ kReciprocal: [Number.NaN, 0, 1] }, /./],
    [{ kReciprocal: undefined }, /kReciprocal/],
    [{ kReciprocal: [10, 20, 30] }, /length of kReciprocal/],
    [{ thicknessesAngstrom: undefined }, /thicknessesAngstrom/],
    [{ thicknessesAngstrom: [100, null] }, /thicknessesAngstrom/],
    [
      {
        beams: [
          [0, 0, 0],
          [1.5, 0, 0],
        ],
      },
      /whole/,
    ],
    [{ cell: { ...small.cell, gamma: undefined } }, /six numbers/],
    [{ cellVolume: 100 }, /cellVolume/],
    [{ wavelengthAngstrom: 0.0197 }, /wavelength/],
    [{ absorptive: "bird-king", absorptiveRatio: 0.1 }, /exclude/],
    // Keys of atoms that nobody reads: a displacement of zero would be the silent result.
    [{ atoms: [{ element: "Si", xyz: [0, 0, 0], Uiso: 0.01 }] }, /Uiso/],
    [{ atoms: [{ element: "Si", xyz: [0, 0, 0], B: 1, uIso: 0.02 }] }, /exclude/],
    [{ atoms: [{ element: "Si", xyz: [0, 0, 0], B: -1 }] }, /displacement/],
    [{ atoms: [{ element: "Si", xyz: [0, 0, 0], uAniso: [0.1, 0.1, -0.1, 0, 0, 0] }] }, /ellipsoid/],
    [{ normalDirect: [0, 0, 0] }, /normal/],
    [{ thicknessesAngstrom: [0] }, /thickness/],
    [{ atoms: [null] }, /atom/],
    [{ scatteringFactor: "constructor" }, /known tables/],
    [{ surfaceNormal: "no" }, /true or false/],
    [{ precession: { semiAngleDeg: "1", azimuths: 5 } }, /precession/],
    [{ mosaicity: 3 }, /mosaicity/],
    [{ derivatives: "x" }, /derivatives/],
    [{ derivatives: [null] }, /kind/],
    [{ derivatives: [{ kind: "form", atom: 0 }] }, /kind/],
    [{ weakBeams: [small.beams[1]] }, /kept or eliminated/],
    [{ scatteringFactor: "made-up" }, /known tables/],
    [{ absorptive: "made-up" }, /absorptive/],
    [{ precession: { semiAngleDeg: Number.NaN, azimuths: 8 } }, /./],
    [{ rotation: { axisDirect: [0, 0, 0], halfWidthDeg: 1, steps: 3 } }, /axis/],
  ];
  for (const [change, message] of bad) {
    let error: unknown;
    try {
      caseOutputs({ ...small, ...change } as CaseInputs);
    } catch (e) {
      error = e;
    }
    expect(isSdkError(error), JSON.stringify(change)).toBe(true);
    expect(String((error as Error).message), JSON.stringify(change)).toMatch(message);
  }
  expect(() => twoBeamOutputs([null] as never)).toThrow(/two-beam/);
  expect(unknownInputs({ ...small, precesion: 1 } as CaseInputs)).toEqual(["precesion"]);
});
