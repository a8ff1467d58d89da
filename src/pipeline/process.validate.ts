import { afterAll, describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { distortionErrors, errorsAgainst, type TruthErrors } from "../testing/processing-truth.js";
import { type ProcessingRecord, processSeries } from "./process.js";
import { type Simulation, simulateSeries } from "./simulate.js";
import { type SimulationCase, simulationCases } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

/** What the issue asks for. */
const wanted = { cellLength: 1e-3, cellAngleDeg: 0.03, axisDeg: 0.05, frameRmsDeg: 0.03, distortion: 0.1 };
const table: string[] = [];
afterAll(() => console.log(table.join("\n")));

/** The whole way from frames, blind but for what a microscope writes. */
async function run(c: SimulationCase): Promise<{ simulation: Simulation; record: ProcessingRecord; seconds: number }> {
  const simulation = simulateSeries(c.options, rng(c.seed)),
    { instrument, nominal } = simulation;
  const started = performance.now();
  const record = await processSeries(
    simulationSource(simulation),
    {
      wavelength: instrument.beam.wavelength,
      invAngstromPerPixel: instrument.detector.invAngstromPerPixel,
      alphaDeg: nominal.map((f) => f.alphaDeg),
      exposure: instrument.exposure,
    },
    c.knownCell ? { knownCell: c.knownCell } : {},
  );
  return { simulation, record, seconds: (performance.now() - started) / 1000 };
}

const blind = simulationCases();
const cubic = blind[0]!;
/** Without a magnification error the cubic series needs no known cell: the cell is then a result and not an input. */
const cubicBlind: SimulationCase = {
  ...cubic,
  knownCell: undefined,
  options: {
    ...cubic.options,
    instrument: { ...cubic.options.instrument, distortion: { ...cubic.options.instrument.distortion, magnification: 0 } },
  },
};
const cases: readonly (readonly [string, SimulationCase])[] = [
  ...blind.map((c): readonly [string, SimulationCase] => [
    c.knownCell ? `${c.name}, all five distortions, cell given` : `${c.name}, blind`,
    c,
  ]),
  ["cubic, four distortions, blind", cubicBlind],
];

describe.each(cases)("%s", (title, c) => {
  // Started by the first test, so that the series run one after another.
  let pending: ReturnType<typeof run> | undefined;
  const result = (): ReturnType<typeof run> => {
    pending ??= run(c);
    return pending;
  };
  const figures = async (): Promise<TruthErrors> => {
    const { simulation, record } = await result();
    return (
      c.options.crystals
        .map(({ ub }) =>
          errorsAgainst(
            { ub, simulation, omegaDeg: c.options.omegaDeg },
            { ub: record.ub, geometry: record.geometry, omegaDeg: record.omegaDeg, nominal: record.indexing.frames },
          ),
        )
        // Which individual of a twin is refined is not for the test to say.
        .reduce((a, b) => (a.frameRmsDeg <= b.frameRmsDeg ? a : b))
    );
  };
  test("the lattice, its Bravais type and both senses decided", async () => {
    const { record, seconds } = await result(),
      f = await figures();
    table.push(
      `${title}: cell ${(100 * f.cellLength).toFixed(4)} % ${f.cellAngleDeg.toFixed(4)}°, axis ${f.axisDeg.toFixed(4)}°, ` +
        `frames ${f.frameRmsDeg.toFixed(4)}° rms (indexing alone ${f.nominalFrameRmsDeg.toFixed(4)}°), ${record.lattice.bravais}, ` +
        `${record.peaks.size} spots, ${(100 * record.indexed.fraction).toFixed(1)} % of ${record.indexing.maxima.size} maxima indexed, ${seconds.toFixed(0)} s`,
    );
    const bravais = { cubic: "cI", trigonal: "hP", orthorhombic: "oF", twin: "mP", triclinic: "aP" }[c.name];
    expect.soft(f.sameLattice).toBe(true);
    expect.soft(record.lattice.bravais).toBe(bravais);
  });
  test("cell to 0.1 % and 0.03°", async () => {
    const f = await figures();
    expect.soft(f.cellLength).toBeLessThanOrEqual(wanted.cellLength);
    expect.soft(f.cellAngleDeg).toBeLessThanOrEqual(wanted.cellAngleDeg);
  });
  test("tilt axis to 0.05°, with its sense", async () => {
    expect(Math.abs((await figures()).axisDeg)).toBeLessThanOrEqual(wanted.axisDeg);
  });
  test("frame orientations to 0.03° rms", async () => {
    expect((await figures()).frameRmsDeg).toBeLessThanOrEqual(wanted.frameRmsDeg);
  });
  if (c.options.instrument.distortion.barrel !== 0)
    test("distortions to a tenth of their size", async () => {
      const { record, simulation } = await result();
      const errors = Object.entries(distortionErrors(record, simulation)).filter(([, e]) => Number.isFinite(e));
      table.push(`${title}: error of distortions ${errors.map(([k, e]) => `${k} ${(100 * e).toFixed(1)} %`).join(", ")}`);
      for (const [name, error] of errors) expect.soft(error, name).toBeLessThanOrEqual(wanted.distortion);
    });
  if (c.options.crystals.length > 1)
    test("both individuals are found, each with its cell and its orientations", async () => {
      const { record, simulation } = await result();
      const found = record.lattices;
      expect(found.length).toBe(c.options.crystals.length);
      c.options.crystals.forEach(({ ub }, k) => {
        const errors = found.map((l) =>
          errorsAgainst(
            { ub, simulation, omegaDeg: c.options.omegaDeg },
            { ub: l.ub, geometry: record.geometry, omegaDeg: record.omegaDeg, nominal: record.indexing.frames },
          ),
        );
        const best = errors.reduce((a, b) => (a.frameRmsDeg <= b.frameRmsDeg ? a : b)),
          { explained, own } = found[errors.indexOf(best)]!;
        table.push(
          `${title}: individual ${k + 1}, cell ${(100 * best.cellLength).toFixed(4)} % ${best.cellAngleDeg.toFixed(4)}°, ` +
            `frames ${best.frameRmsDeg.toFixed(4)}° rms, ${explained} maxima explained, ${own} alone`,
        );
        expect.soft(best.sameLattice).toBe(true);
        expect.soft(best.cellLength).toBeLessThanOrEqual(wanted.cellLength);
        expect.soft(best.cellAngleDeg).toBeLessThanOrEqual(wanted.cellAngleDeg);
        expect.soft(best.frameRmsDeg).toBeLessThanOrEqual(wanted.frameRmsDeg);
      });
    });
});
