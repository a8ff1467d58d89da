import { fail } from "../core/errors.js";
import { uFromB } from "../geometry/adp.js";
import { type Beam, beam } from "../geometry/beam.js";
import { unitCell } from "../geometry/cell.js";
import { dStar } from "../geometry/metric.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { type Atom, atom, type Structure, structure } from "../geometry/structure.js";
import { birdKingAbsorptive, thomasAbsorptive } from "../scattering/absorptive.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { kirkland } from "../scattering/kirkland.js";
import { lobato } from "../scattering/lobato.js";
import { peng1996, peng1996LowAngle, peng1998 } from "../scattering/peng.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { weickenmeierKohl } from "../scattering/weickenmeier-kohl.js";
import { checkCase } from "./case-checks.js";
import { type CaseOptions, caseDirections } from "./case-options.js";
import { blochJacobian } from "./derivatives.js";
import { tiltedThickness } from "./frames.js";
import { type Incidence, incidence, star3 } from "./incidence.js";
import { type Absorption, type CrystalPotential, crystalPotential, potentialAt } from "./potential.js";
import type { CrystalParameter } from "./potential-derivatives.js";
import { propagate } from "./propagate.js";
import { spectralMargins } from "./spectrum.js";
import { checkBeams, structureMatrix } from "./structure-matrix.js";
import { thicknessNodes } from "./thickness.js";
import { closedFormAverage } from "./thickness-closed.js";
import { twoBeamIntensities } from "./two-beam.js";
import { blochFlux, blochIntensities } from "./waves.js";

/** Inputs of a case file: a structure listed atom by atom, an orientation in lattice components, beams and thicknesses. */
export interface CaseInputs extends CaseOptions {
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
  readonly cellVolume?: number;
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
  /** U11 U22 U33 U12 U13 U23, Å². */
  readonly uAniso?: readonly [number, number, number, number, number, number];
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
  "peng1996-high": peng1996,
  "peng1996-s0-6": peng1996,
  "peng1996-low": peng1996LowAngle,
  "peng1996-s0-2": peng1996LowAngle,
  "peng1998-ions": peng1998,
  "weickenmeier-kohl1991": weickenmeierKohl,
};

interface Prepared {
  readonly structure: Structure;
  readonly potential: CrystalPotential;
  readonly absorption: Absorption;
  readonly factors: FormFactorSource;
  /** 0 0 0 first. */
  readonly hkl: Int32Array;
  /** Place in `hkl` of each beam of the file. */
  readonly place: Int32Array;
  readonly weak: Int32Array | undefined;
  readonly incidence: Incidence;
  readonly thicknesses: readonly number[];
  readonly inputs: CaseInputs;
}

/** Elements may carry their charge: "O2-", "Fe3+". */
function caseAtom(a: CaseAtom): Atom {
  const [, element = a.element, size, sign] = /^([A-Z][a-z]?)(\d*)([+-])$/.exec(a.element) ?? [];
  const charge = a.charge ?? (sign ? Number(size || 1) * (sign === "+" ? 1 : -1) : 0);
  const { uAniso } = a;
  return atom({
    element,
    xyz: a.xyz,
    charge,
    occupancy: a.occupancy ?? 1,
    ...(uAniso ? { uAniso } : { uIso: a.uIso ?? uFromB(a.B ?? 0) }),
  });
}

/** @throws bad-value, unsupported, and what the structure and the tables throw */
function prepare(inputs: CaseInputs): Prepared {
  checkCase(inputs);
  const { cell: c, atoms, beams } = inputs;
  const cell = unitCell(c.a, c.b, c.c, c.alpha, c.beta, c.gamma);
  // The file's own γ and v/c, where given: its constants may be of another CODATA year (1e-9).
  const known = beam(inputs.kV);
  const b: Beam = { ...known, gamma: inputs.gamma ?? known.gamma, beta: inputs.vOverC ?? known.beta };
  const name = inputs.scatteringFactor ?? "lobato2014";
  const factors = Object.hasOwn(tables, name)
    ? tables[name]!
    : fail("unsupported", { scatteringFactor: name }, `known tables: ${Object.keys(tables).join(", ")}`);
  const absorption = caseAbsorption(inputs, b, factors);
  const zero = beams.findIndex((h: readonly number[]) => h.every((x) => x === 0));
  if (zero < 0) fail("bad-value", { beams: beams.length }, "the direct beam, 0 0 0, is missing from inputs.beams");
  const order = [zero, ...beams.keys()].filter((i, at) => at === 0 || i !== zero);
  const hkl = Int32Array.from(order.flatMap((i) => [...beams[i]!]));
  const place = new Int32Array(beams.length);
  order.forEach((i, at) => {
    place[i] = at;
  });
  const s = structure(cell, spaceGroup("P 1"), atoms.map(caseAtom));
  const weak = inputs.weakBeams && Int32Array.from(inputs.weakBeams.flat());
  const reach = 2 * [...beams, ...(inputs.weakBeams ?? [])].reduce((most, h) => Math.max(most, dStar(cell, h)), 0) + 1e-6;
  const potential = crystalPotential(s, b, {
    reach: Math.max(reach, 0.1),
    factors,
    absorption,
    useInversion: inputs.derivatives === undefined,
  });
  checkBeams(potential, hkl);
  const { tiltCorrection: tilt } = inputs;
  const thicknesses = inputs.thicknessesAngstrom.map((t) => (tilt ? tiltedThickness(t, tilt.alphaDeg, tilt.C) : t));
  return {
    structure: s,
    potential,
    absorption,
    factors,
    hkl,
    place,
    weak,
    incidence: incidence(cell, inputs.kReciprocal, inputs.normalDirect),
    thicknesses,
    inputs,
  };
}

function caseAbsorption({ absorptive, absorptiveRatio }: CaseInputs, b: Beam, factors: FormFactorSource): Absorption {
  if (absorptiveRatio !== undefined) {
    if (!(absorptiveRatio >= 0)) fail("bad-value", { absorptiveRatio }, "the ratio U'/U is not negative, for example 0.05");
    return { kind: "ratio", ratio: absorptiveRatio };
  }
  if (absorptive === undefined || absorptive === "none") return { kind: "none" };
  if (absorptive === "thomas2024-absorptive") return { kind: "factors", source: thomasAbsorptive(b) };
  if (absorptive === "bird-king") return { kind: "factors", source: birdKingAbsorptive((e) => factors(e), b) };
  return fail("unsupported", { absorptive }, "absorptive is thomas2024-absorptive, bird-king or none");
}

const matrixOf = (p: Prepared, inc: Incidence = p.incidence) =>
  structureMatrix(p.potential, p.hkl, inc, { surfaceNormal: p.inputs.surfaceNormal, innerPotential: p.inputs.refraction, weak: p.weak });

/** The `outputs` of a case, in the same layout; `averagedIntensities` and `derivatives` besides, where the case asks for them. */
export function caseOutputs(inputs: CaseInputs): Readonly<Record<string, unknown>> {
  const p = prepare(inputs),
    { potential, place, thicknesses } = p,
    { cell } = potential;
  const m = matrixOf(p),
    n = m.size;
  const w = propagate(m, thicknesses);
  const rows = <T>(length: number, f: (i: number) => T): T[] => Array.from({ length }, (_, i) => f(i));
  /** [thickness][beam] in the order of the file. */
  const table = (values: Float64Array): number[][] => thicknesses.map((_, t) => Array.from(place, (i) => values[t * n + i]!));
  const last = thicknesses.slice(-1);
  const check = propagate(m, last, { solver: "eigen" }).amplitudes,
    exact = propagate(m, last, { solver: "expm" }).amplitudes;
  let difference = 0;
  for (let i = 0; i < n; i++)
    difference = Math.max(difference, Math.hypot(check[2 * i]! - exact[2 * i]!, check[2 * i + 1]! - exact[2 * i + 1]!));
  const scattered = Array.from(place).filter((i) => i > 0);
  return {
    nBeams: n,
    Kn: m.kn,
    twoKs: Array.from(place, (i) => m.twoKs[i]!),
    Ug: rows(Math.min(40, n - 1), (i) => {
      const at = 3 * scattered[i]!;
      const h = [p.hkl[at]!, p.hkl[at + 1]!, p.hkl[at + 2]!] as const;
      return { hkl: h, gAbs: dStar(cell, h), U: potentialAt(potential, ...h) };
    }),
    U0: potential.w0,
    meanInnerPotentialVolt: (potential.w0[0] * Math.PI * voltPerStructureFactor) / potential.beam.gamma,
    intensities: table(blochIntensities(w)),
    fluxSum: Array.from(blochFlux(w)),
    amplitudesLastThickness: Array.from(place, (i) => {
      const at = 2 * ((thicknesses.length - 1) * n + i);
      return [w.amplitudes[at]!, w.amplitudes[at + 1]!];
    }),
    eigVersusExpmMaxAmplitudeDifference: difference,
    ...averagedOutputs(p, table),
  };
}

/** Means over precession, rotation and mosaic blocks, and derivatives of them (of the single orientation where there is no mean). */
function averagedOutputs(p: Prepared, table: (x: Float64Array) => number[][]): Readonly<Record<string, unknown>> {
  const { inputs, potential, thicknesses } = p,
    { precession, rotation, mosaicity, derivatives } = inputs;
  const many = precession !== undefined || rotation !== undefined || mosaicity !== undefined;
  if (!many && !derivatives) return {};
  const n = p.hkl.length / 3,
    total = new Float64Array(thicknesses.length * n);
  const slopes = (derivatives ?? []).map(() => new Float64Array(total.length));
  const crystal = (derivatives ?? []).filter((q): q is CrystalParameter => q.kind !== "thickness");
  for (const { incidence: inc, weight } of caseDirections(potential.cell, p.incidence, inputs, (k) => star3(potential.cell, k))) {
    const m = matrixOf(p, inc);
    blochIntensities(propagate(m, thicknesses)).forEach((x, i) => {
      total[i]! += weight * x;
    });
    if (!derivatives) continue;
    if (p.weak)
      fail("unsupported", { weakBeams: p.weak.length / 3 }, "derivatives with Bethe potentials are not available: widen the beam list");
    thicknesses.forEach((t, at) => {
      const nodes = { t: Float64Array.of(t), weights: Float64Array.of(1) };
      const J = blochJacobian(m, nodes, p.structure, crystal, { factors: p.factors, absorption: p.absorption });
      let column = 0;
      derivatives.forEach((q, j) => {
        const c = q.kind === "thickness" ? -1 : column++;
        for (let g = 0; g < n; g++)
          slopes[j]![at * n + g]! += weight * (c < 0 ? J.logThickness[g]! / t : J.parameters[g * crystal.length + c]!);
      });
    });
  }
  return {
    ...(many ? { averagedIntensities: table(total) } : {}),
    ...(derivatives ? { derivatives: derivatives.map((parameter, j) => ({ parameter, values: table(slopes[j]!) })) } : {}),
  };
}

const knownInputs = new Set(
  `cell cellVolume atoms kV gamma vOverC wavelengthAngstrom kReciprocal kComment normalDirect normalComment thicknessesAngstrom beams scatteringFactor
  absorptive selection surfaceNormal refraction absorptiveRatio weakBeams tiltCorrection precession rotation mosaicity derivatives`.split(
    /\s+/,
  ),
);
/** Keys of `inputs` that nothing here reads: a caller should say so, or the outputs would pass for something that they are not. */
export function unknownInputs(inputs: CaseInputs): readonly string[] {
  return Object.keys(inputs).filter((k) => !knownInputs.has(k));
}

/** Closed forms of the rows of a two-beam case. */
export function twoBeamOutputs(rows: readonly TwoBeamRow[]): readonly TwoBeamRow[] {
  if (!Array.isArray(rows) || !rows.every((r) => typeof r === "object" && r !== null))
    fail("bad-value", { rows }, "a two-beam case lists rows {extinctionDistanceAngstrom, s, thickness}");
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

/**
 * Averages "wedge-400", "cylinder-900", … (shape and largest thickness, Å) of a case: in closed form from the eigenvectors, with absorption
 * by quadrature.
 */
export function averageOutputs(inputs: CaseInputs, names: readonly string[]): Readonly<Record<string, readonly number[]>> {
  const p = prepare({ ...inputs, thicknessesAngstrom: inputs.thicknessesAngstrom ?? [] }),
    m = matrixOf(p);
  return Object.fromEntries(
    names.map((name) => {
      const [, kind, size] = /^([a-z]+)-(\d+(?:\.\d+)?)$/.exec(name) ?? [],
        tMax = Number(size);
      if (kind !== "plate" && kind !== "wedge" && kind !== "cylinder" && kind !== "sphere")
        return fail(
          "unsupported",
          { average: name },
          "averages are named plate-, wedge-, cylinder- or sphere-, and the largest thickness in Å",
        );
      let values: Float64Array;
      if (m.absorbing) {
        const { below, above } = spectralMargins(m, true),
          width = Math.max(...m.twoKs) - Math.min(...m.twoKs) + below + above;
        const { t, weights } = thicknessNodes({ kind }, tMax, (Math.PI * tMax * width) / m.kn);
        const all = blochIntensities(propagate(m, t));
        values = new Float64Array(m.size);
        for (let k = 0; k < t.length; k++) for (let g = 0; g < m.size; g++) values[g]! += weights[k]! * all[k * m.size + g]!;
      } else values = closedFormAverage(m, kind, tMax);
      return [name, Array.from(p.place, (i) => values[i]!)];
    }),
  );
}
