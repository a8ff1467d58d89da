import type { Steps } from "../core/job.js";
import { element } from "../geometry/elements.js";
import { type Fractional, type Mat3, metricTensor, quadratic } from "../geometry/metric.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import { type Atom, atom, type Structure, structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { radius } from "./assign.js";
import { type UniquePeak, uniquePeaks } from "./asymmetric.js";
import { type BuiltModel, modelMerit } from "./build-model.js";
import { modelMap } from "./difference.js";
import { exchanges } from "./exchange.js";
import { type GroupCandidate, toGroupAxes } from "./group-search.js";
import { mapPeaks } from "./map-peaks.js";
import { matchStructures } from "./match.js";
import { fitModelSteps } from "./model.js";
import { groupIndices, type PhasingData } from "./prepare.js";

/** What an omit map says of an atom: the atom left out, (Fo − Fc) should show it, and nothing as high elsewhere. */
export interface AtomEvidence {
  readonly label: string;
  /** Height at the atom's place over that of the highest peak where another atom could be. Below 1 something else is missed more, or the phases of the rest mislead. */
  readonly contrast: number;
  /** Lowest R1 with the atom at one of those peaks, refined, over R1 of the model; infinite when there are none or the atom came back. Near 1 the data do not say where it is. */
  readonly elsewhere: number;
  /** R1 without the atom, nothing refined, over R1 of the model: 1 where the data do not ask for it. */
  readonly without: number;
}
export interface Completed {
  readonly model: BuiltModel;
  /** The atoms but the heaviest element's, in the order of the structure. */
  readonly evidence: readonly AtomEvidence[];
}
interface Bench {
  readonly data: PhasingData;
  readonly candidate: GroupCandidate;
  readonly factors: FormFactorSource;
  readonly hkl: Int32Array;
}
/** R1 must fall by this factor for an atom to move or to come. */
const gain = 0.97;

/**
 * A model completed and tested by difference maps. Elements that found no peak take peaks of (Fo − Fc) whose multiplicity they can fill; every atom but those of the strongest
 * scatterer is left out in turn, and goes where the map of the rest is higher than at its place; two atoms of unlike elements change places. Each change is refined and stays only where R1
 * falls by 3 %.
 */
export function* completeModelSteps(
  data: PhasingData,
  start: BuiltModel,
  candidate: GroupCandidate,
  factors: FormFactorSource,
  rounds = 3,
): Steps<Completed> {
  const bench: Bench = { data, candidate, factors, hkl: groupIndices(data, candidate.basis) };
  let model = start;
  const evidence = new Map<string, AtomEvidence>();
  for (let round = 0; round < rounds; round++) {
    const before = model;
    model = yield* addMissing(bench, model);
    for (const i of lightestFirst(model.fit.structure)) {
      const tried = yield* moved(bench, model, i);
      model = tried.model;
      evidence.set(tried.evidence.label, tried.evidence);
    }
    if (round === 0) model = yield* exchanged(bench, model);
    if (model === before) break;
  }
  return { model, evidence: model.fit.structure.atoms.flatMap((a) => evidence.get(a.label) ?? []) };
}

/** Atoms that are not of the heaviest element, lightest first; all where there is only one element. */
function lightestFirst(s: Structure): number[] {
  const z = (a: Atom): number => element(a.element)?.z ?? 0;
  const top = Math.max(...s.atoms.map(z)),
    low = Math.min(...s.atoms.map(z));
  return [...s.atoms.keys()].filter((i) => z(s.atoms[i]!) < top || top === low).sort((p, q) => z(s.atoms[p]!) - z(s.atoms[q]!));
}

/** Independent peaks of (Fo − Fc), highest first; on sites that an atom could have beside the others. */
function freePeaks({ data, candidate }: Bench, model: BuiltModel, calculated: Float64Array, others: readonly Atom[], what: string) {
  const { spaceGroup: group, cell } = model.fit.structure;
  const map = modelMap(data, calculated, (fo, fc) => fo - fc);
  const peaks = mapPeaks(map, 2 * map.sigma, 60).map((p) => ({ xyz: toGroupAxes(candidate.basis, p.xyz), height: p.height }));
  const unique = uniquePeaks(group, cell, peaks, { limit: 40 });
  const near = others.map((a) => ({ positions: siteSymmetry(group, cell, a.xyz).positions, least: leastDistance(a.element, what) }));
  const g = metricTensor(cell);
  const free = (p: UniquePeak): boolean => near.every((o) => o.positions.every((y) => shortest(g, p.xyz, y) > o.least));
  return unique.filter(free);
}
const leastDistance = (p: string, q: string): number => 0.75 * (radius(p) + radius(q));
const shortest = (g: Mat3, p: Fractional, q: Fractional): number =>
  Math.sqrt(quadratic(g, p.map((v, k) => v - q[k as 0] - Math.round(v - q[k as 0])) as unknown as Fractional));

/** The map without atom i: the highest peak within 0.5 Å of it, and higher ones elsewhere. */
function omitMap(bench: Bench, model: BuiltModel, i: number) {
  const s = model.fit.structure,
    own = s.atoms[i]!,
    others = s.atoms.filter((_, k) => k !== i);
  const part = contribution(bench, model, own);
  const rest = model.fit.calculated.map((v, k) => v - part[k]!);
  const peaks = freePeaks(bench, model, rest, others, own.element);
  const g = metricTensor(s.cell),
    positions = siteSymmetry(s.spaceGroup, s.cell, own.xyz).positions;
  const here = (p: UniquePeak): boolean => positions.some((y) => shortest(g, p.xyz, y) < 0.5);
  return { rest, own: Math.max(0, ...peaks.filter(here).map((p) => p.height)), rivals: peaks.filter((p) => !here(p)), positions };
}
/** k·F of one independent atom, for the rows of the data. */
const contribution = ({ hkl, factors }: Bench, { fit }: BuiltModel, a: Atom): Float64Array =>
  structureFactors(structure(fit.structure.cell, fit.structure.spaceGroup, [a]), hkl, factors).map((v) => fit.scale * v);

/** Σ||Fo| − k|Fc||/Σ|Fo| over rows above 3σ, at the best scale. */
function rOf(data: PhasingData, calculated: Float64Array): number {
  const fo: number[] = [],
    fc: number[] = [];
  for (let i = 0; i < data.size; i++) {
    if (!(data.intensity[i]! > Math.max(0, data.sigma[i]! > 0 ? 3 * data.sigma[i]! : 0))) continue;
    fo.push(Math.sqrt(data.intensity[i]!));
    fc.push(Math.hypot(calculated[2 * i]!, calculated[2 * i + 1]!));
  }
  const k = fo.reduce((t, v, i) => t + v * fc[i]!, 0) / fc.reduce((t, v) => t + v * v, 1e-30);
  return fo.reduce((t, v, i) => t + Math.abs(v - k * fc[i]!), 0) / fo.reduce((t, v) => t + v, 1e-30);
}

/** Refined with other atoms; the assignment follows. */
function* refit(
  bench: Bench,
  model: BuiltModel,
  atoms: readonly Atom[],
  missing = model.assignment.missing,
  cycles = 8,
): Steps<BuiltModel> {
  const s = model.fit.structure;
  const fit = yield* fitModelSteps(structure(s.cell, s.spaceGroup, atoms), bench.candidate.basis, bench.data, bench.factors, { cycles });
  return { ...model, fit, assignment: { ...model.assignment, missing } };
}
function* addMissing(bench: Bench, start: BuiltModel): Steps<BuiltModel> {
  let model = start;
  for (const [e] of start.assignment.missing)
    for (let more = true; more; ) {
      more = false;
      const n = model.assignment.missing.get(e) ?? 0,
        s = model.fit.structure;
      if (n < 0.5) break;
      const fits = freePeaks(bench, model, model.fit.calculated, s.atoms, e).filter((p) => p.multiplicity <= n + 0.5);
      const label = `${e}${s.atoms.filter((a) => a.element === e).length + 1}`;
      for (const p of fits.slice(0, 2)) {
        const left = new Map(model.assignment.missing).set(e, n - p.multiplicity);
        if (n - p.multiplicity < 0.5) left.delete(e);
        const other = yield* refit(bench, model, [...s.atoms, atom({ label, element: e, xyz: p.xyz, uIso: 0.01 })], left);
        if (other.fit.r1 > gain * model.fit.r1) continue;
        [model, more] = [other, true];
        break;
      }
    }
  return model;
}

/** Atom i where its omit map is about as high or higher (0.7 times), of three such places the one of least R, or where it was. */
function* moved(bench: Bench, model: BuiltModel, i: number): Steps<{ readonly model: BuiltModel; readonly evidence: AtomEvidence }> {
  const { rest, own, rivals, positions } = omitMap(bench, model, i),
    s = model.fit.structure,
    a = s.atoms[i]!,
    g = metricTensor(s.cell);
  const n = a.occupancy * positions.length + (model.assignment.missing.get(a.element) ?? 0);
  const now = rOf(bench.data, model.fit.calculated);
  const places = rivals
    .filter((r) => r.height > 0.7 * own && r.multiplicity <= n + 0.5)
    .slice(0, 3)
    .map((p) => {
      const there = { ...a, xyz: p.xyz, occupancy: 1 },
        part = contribution(bench, model, there);
      return {
        p,
        there,
        ratio:
          rOf(
            bench.data,
            rest.map((v, k) => v + part[k]!),
          ) / now,
      };
    })
    .sort((p, q) => p.ratio - q.ratio);
  const first = places[0];
  const contrast = own / Math.max(1e-9, rivals[0]?.height ?? 0),
    evidence = { label: a.label, contrast, without: rOf(bench.data, rest) / now };
  // A place that starts far worse does not end better.
  if (!first || first.ratio > 2.5) return { model, evidence: { ...evidence, elsewhere: first?.ratio ?? Number.POSITIVE_INFINITY } };
  const left = new Map(model.assignment.missing).set(a.element, n - first.p.multiplicity);
  if (n - first.p.multiplicity < 0.5) left.delete(a.element);
  const atoms = s.atoms.map((b, k) => (k === i ? first.there : b));
  const quick = yield* refit(bench, model, atoms, left, 3);
  if (quick.fit.r1 > 1.3 * model.fit.r1) return { model, evidence: { ...evidence, elsewhere: quick.fit.r1 / model.fit.r1 } };
  const other = yield* refit(bench, quick, quick.fit.structure.atoms, left);
  const back = positions.some((y) => shortest(g, other.fit.structure.atoms[i]!.xyz, y) < 0.3);
  // With heavy atoms on a lattice of higher symmetry the other place is often the same structure, turned or inverted.
  const same = back || alike(model.fit.structure, other.fit.structure, i);
  const elsewhere = same ? Number.POSITIVE_INFINITY : other.fit.r1 / model.fit.r1;
  if (modelMerit(other) < gain * modelMerit(model))
    return { model: other, evidence: { ...evidence, contrast: 1, elsewhere: 1 / elsewhere } };
  return { model, evidence: { ...evidence, elsewhere } };
}

/** Whether two structures are one but for origin, hand and atoms lighter than atom i. */
function alike(p: Structure, q: Structure, i: number): boolean {
  const z = (a: Atom): number => element(a.element)?.z ?? 0;
  const { distances } = matchStructures(p, q);
  return p.atoms.every((a, k) => z(a) < z(p.atoms[i]!) || distances[k]! < 0.3);
}

/** Elements that scatter alike change places where R1, or distances, say so: six pairs at most. */
function* exchanged(bench: Bench, start: BuiltModel): Steps<BuiltModel> {
  let model = start;
  for (const { i, j, atMost } of exchanges(start.fit.structure).slice(0, 6)) {
    const s = model.fit.structure,
      [p, q] = [s.atoms[i]!, s.atoms[j]!];
    if (p.element !== start.fit.structure.atoms[i]!.element || q.element !== start.fit.structure.atoms[j]!.element) continue;
    const uIso = (p.uIso + q.uIso) / 2;
    const atoms = s.atoms.map((a, k) => (k === i ? { ...p, xyz: q.xyz, uIso } : k === j ? { ...q, xyz: p.xyz, uIso } : a));
    const other = yield* refit(bench, model, atoms);
    if (other.fit.r1 < atMost * model.fit.r1) model = other;
  }
  return model;
}
