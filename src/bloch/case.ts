import { fail } from "../core/errors.js";
import { uFromB } from "../geometry/adp.js";
import { type Beam, beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { dStar } from "../geometry/metric.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { type Atom, atom, structure } from "../geometry/structure.js";
import { thomasAbsorptive } from "../scattering/absorptive.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { kirkland } from "../scattering/kirkland.js";
import { lobato } from "../scattering/lobato.js";
import { peng1996, peng1996LowAngle } from "../scattering/peng.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { weickenmeierKohl } from "../scattering/weickenmeier-kohl.js";
import { incidence } from "./incidence.js";
import { type CrystalPotential, crystalPotential, potentialAt } from "./potential.js";
import { propagate } from "./propagate.js";
import { checkBeams, structureMatrix } from "./structure-matrix.js";
import { closedFormAverage } from "./thickness-closed.js";
import { twoBeamIntensities } from "./two-beam.js";
import { blochFlux, blochIntensities } from "./waves.js";

/** Inputs of a case file: a structure listed atom by atom, an orientation in lattice components, beams and thicknesses. */
export interface CaseInputs {
  readonly cell: {
    readonly a: number;
    readonly b: number;
    readonly c: number;
    readonly alpha: number;
    readonly beta: number;
    readonly gamma: number;
  };
  readonly atoms: readonly CaseAtom[];
  readonly kV: number;
  readonly gamma?: number;
  readonly vOverC?: number;
  readonly wavelengthAngstrom?: number;
  readonly kReciprocal: readonly [number, number, number];
  readonly normalDirect?: readonly [number, number, number];
  readonly thicknessesAngstrom: readonly number[];
  readonly beams: readonly (readonly [number, number, number])[];
  readonly scatteringFactor?: string;
  readonly absorptive?: string;
}
interface CaseAtom {
  readonly element: string;
  readonly xyz: readonly [number, number, number];
  readonly B?: number;
  readonly uIso?: number;
  readonly occupancy?: number;
  readonly charge?: number;
}
interface TwoBeamRow {
  readonly extinctionDistanceAngstrom: number;
  readonly s: number;
  readonly thickness: number;
  readonly absorptionLengthG?: number;
  readonly absorptionLength0?: number;
}
/** A whole case file: one of dynamical intensities, of two beams, or of thickness averages of another case. */
export interface BlochCase {
  readonly name?: string;
  readonly description?: string;
  readonly inputs?: CaseInputs;
  readonly noAbsorption?: readonly TwoBeamRow[];
  readonly withAbsorption?: readonly TwoBeamRow[];
  readonly averages?: Readonly<Record<string, readonly number[]>>;
  readonly beams?: readonly (readonly [number, number, number])[];
}

const tables: Readonly<Record<string, FormFactorSource>> = {
  lobato2014: lobato,
  kirkland2010: kirkland,
  peng1996,
  "peng1996-s0-6": peng1996,
  "peng1996-s0-2": peng1996LowAngle,
  "weickenmeier-kohl1991": weickenmeierKohl,
};

interface Prepared {
  readonly potential: CrystalPotential;
  readonly hkl: Int32Array;
  readonly inputs: CaseInputs;
}

/** @throws bad-value, unsupported, and what the structure and the tables throw */
function prepare(inputs: CaseInputs): Prepared {
  const { cell: c, atoms, beams } = inputs;
  if (!Array.isArray(beams) || beams.length === 0)
    fail("bad-value", { beams: beams?.length ?? 0 }, "inputs.beams lists [h, k, l], 0 0 0 first");
  const cell = unitCell(c.a, c.b, c.c, c.alpha, c.beta, c.gamma);
  const list: Atom[] = atoms.map((a) =>
    atom({
      element: a.element,
      xyz: a.xyz,
      charge: a.charge ?? 0,
      occupancy: a.occupancy ?? 1,
      uIso: a.uIso ?? uFromB(a.B ?? 0),
    }),
  );
  // The file's own γ and v/c, where given: its constants may be of another CODATA year (1e-9).
  const known = beam(inputs.kV);
  const b: Beam = { ...known, gamma: inputs.gamma ?? known.gamma, beta: inputs.vOverC ?? known.beta };
  const name = inputs.scatteringFactor ?? "lobato2014";
  const factors = tables[name] ?? fail("unsupported", { scatteringFactor: name }, `known tables: ${Object.keys(tables).join(", ")}`);
  if (inputs.absorptive !== undefined && inputs.absorptive !== "thomas2024-absorptive")
    fail("unsupported", { absorptive: inputs.absorptive }, "the absorptive table of case files is thomas2024-absorptive");
  const hkl = Int32Array.from(beams.flat());
  const s = structure(cell, spaceGroup("P 1"), list);
  const reach = 2 * beams.reduce((most, h) => Math.max(most, dStar(cell, h)), 0) + 1e-6;
  const potential = crystalPotential(s, b, {
    reach: Math.max(reach, 0.1),
    factors,
    absorption: inputs.absorptive ? { kind: "factors", source: thomasAbsorptive(b) } : { kind: "none" },
  });
  checkBeams(potential, hkl);
  return { potential, hkl, inputs };
}

/** The `outputs` of a case, in the same layout. */
export function caseOutputs(inputs: CaseInputs): Readonly<Record<string, unknown>> {
  const { potential, hkl } = prepare(inputs);
  const { cell } = potential;
  const m = structureMatrix(potential, hkl, incidence(cell, inputs.kReciprocal, inputs.normalDirect));
  const n = m.size,
    count = inputs.thicknessesAngstrom.length;
  const w = propagate(m, inputs.thicknessesAngstrom);
  const intensity = blochIntensities(w);
  const rows = <T>(length: number, f: (i: number) => T): T[] => Array.from({ length }, (_, i) => f(i));
  const last = inputs.thicknessesAngstrom.slice(-1);
  const check = propagate(m, last, { solver: "eigen" }).amplitudes,
    exact = propagate(m, last, { solver: "expm" }).amplitudes;
  let difference = 0;
  for (let i = 0; i < n; i++)
    difference = Math.max(difference, Math.hypot(check[2 * i]! - exact[2 * i]!, check[2 * i + 1]! - exact[2 * i + 1]!));
  return {
    nBeams: n,
    Kn: m.kn,
    twoKs: Array.from(m.twoKs),
    Ug: rows(Math.min(40, n - 1), (i) => {
      const h = [hkl[3 * i + 3]!, hkl[3 * i + 4]!, hkl[3 * i + 5]!] as const;
      return { hkl: h, gAbs: dStar(cell, h), U: potentialAt(potential, ...h) };
    }),
    U0: potential.w0,
    meanInnerPotentialVolt: (potential.w0[0] * Math.PI * voltPerStructureFactor) / potential.beam.gamma,
    intensities: rows(count, (t) => Array.from(intensity.subarray(t * n, (t + 1) * n))),
    fluxSum: Array.from(blochFlux(w)),
    amplitudesLastThickness: rows(n, (i) => Array.from(w.amplitudes.subarray(2 * ((count - 1) * n + i), 2 * ((count - 1) * n + i) + 2))),
    eigVersusExpmMaxAmplitudeDifference: difference,
  };
}

/** Closed forms of the rows of a two-beam case. */
export function twoBeamOutputs(rows: readonly TwoBeamRow[]): readonly TwoBeamRow[] {
  return rows.map((r) => ({
    ...r,
    ...twoBeamIntensities({
      extinctionDistance: r.extinctionDistanceAngstrom,
      s: r.s,
      thickness: r.thickness,
      absorptionLength: r.absorptionLengthG,
      meanAbsorptionLength: r.absorptionLength0,
    }),
  }));
}

/** Averages "wedge-400", "cylinder-900", … (shape and largest thickness, Å) of a case. */
export function averageOutputs(inputs: CaseInputs, names: readonly string[]): Readonly<Record<string, readonly number[]>> {
  const { potential, hkl } = prepare(inputs);
  const m = structureMatrix(potential, hkl, incidence(potential.cell, inputs.kReciprocal, inputs.normalDirect));
  return Object.fromEntries(
    names.map((name) => {
      const [kind, tMax] = name.split("-");
      if (kind !== "plate" && kind !== "wedge" && kind !== "cylinder" && kind !== "sphere")
        return fail(
          "unsupported",
          { average: name },
          "averages are named plate-, wedge-, cylinder- or sphere-, and the largest thickness in Å",
        );
      return [name, Array.from(closedFormAverage(m, kind, Number(tMax)))];
    }),
  );
}
