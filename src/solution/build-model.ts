import type { Steps } from "../core/job.js";
import type { UnitCell } from "../geometry/cell.js";
import { cellFromMetric, type Mat3, metricTensor, transformCell, transformMetric } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { atom, cellMismatch, type Structure, structure } from "../geometry/structure.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { type Assignment, assignPeaks } from "./assign.js";
import { multiplicityDivisor, uniquePeaks } from "./asymmetric.js";
import { type CellContent, cellContent, possibleContents } from "./composition.js";
import { type DensityMap, densityMap } from "./density.js";
import { modelMap } from "./difference.js";
import type { Composition } from "./formula.js";
import { type GroupCandidate, toGroupAxes } from "./group-search.js";
import { missingShare } from "./judge.js";
import { mapPeaks } from "./map-peaks.js";
import { fitModelSteps, type ModelFit } from "./model.js";
import type { Normalised } from "./normalise.js";
import type { PhasingData } from "./prepare.js";

/** A model from phases: what a trial ends with. */
export interface BuiltModel {
  readonly fit: ModelFit;
  readonly assignment: Assignment;
  readonly content: CellContent;
  readonly map: DensityMap;
}

/** Cell on the group's axes with the metric averaged over its operations; the cell itself when it already obeys them. */
export function groupCell(cell: UnitCell, group: SpaceGroup): UnitCell {
  const off = cellMismatch(cell, group);
  if (off.length < 1e-9 && off.angleDeg < 1e-7) return cell;
  const g = metricTensor(cell),
    ops = group.ops.slice(0, group.primitiveOrder);
  const sum = ops.map((op) => transformMetric(g, op.rotation)).reduce((a, b) => a.map((x, i) => x + b[i]!) as unknown as Mat3);
  return cellFromMetric(sum.map((x) => x / ops.length) as unknown as Mat3);
}

/** Formula units of the cell of a group: as many as make every element fill sites of the group, the likeliest by the volume first. */
export function contentsOf(formula: Composition, cell: UnitCell, group: SpaceGroup, z?: number): readonly CellContent[] {
  if (z !== undefined) return possibleContents(formula, cell.volume, 1, z);
  const divisor = multiplicityDivisor(group);
  const whole = [...formula].filter(([e, n]) => e !== "H" && Number.isInteger(n)).map(([, n]) => n);
  let step = 1;
  while (step < divisor && !whole.every((n) => (n * step) % divisor === 0)) step++;
  return possibleContents(formula, cell.volume, step);
}
/** The cell on the axes of a candidate. */
export const candidateCell = (data: PhasingData, { group, basis, inputAxes }: GroupCandidate): UnitCell =>
  groupCell(inputAxes ? data.inputCell : transformCell(data.cell, basis), group);

/** Whether a model asks for another number of formula units: peaks without atoms, atoms without peaks, a high R. */
const unsettled = ({ assignment, fit, content }: BuiltModel): boolean =>
  assignment.left.length > 0 || missingShare(assignment.missing, content.content) > 0.02 || fit.r1 > 0.2;
/** R1 with a price on atoms that were not found and on peaks that are not explained. */
export const modelMerit = ({ fit, assignment, content }: BuiltModel): number =>
  fit.r1 + 0.5 * missingShare(assignment.missing, content.content) + 0.01 * Math.min(5, assignment.left.length);

/**
 * Map, peaks, elements, least squares; then the same once or twice from 2Fo − Fc while R falls. Where the volume leaves the number of formula units open (within a factor
 * of 1.65) and the first does not suit, up to two others are tried.
 */
export function* buildModelSteps(
  data: PhasingData,
  norm: Normalised,
  phase: Float64Array,
  candidate: GroupCandidate,
  formula: Composition,
  factors: FormFactorSource,
  { z, rounds = 3 }: { readonly z?: number | undefined; readonly rounds?: number | undefined } = {},
): Steps<BuiltModel> {
  const cell = candidateCell(data, candidate);
  const [first = cellContent(formula, cell.volume, 1, z), ...others] = contentsOf(formula, cell, candidate.group, z);
  const build = (content: CellContent): Steps<BuiltModel> => buildWith(data, norm, phase, candidate, cell, content, factors, rounds);
  let best = yield* build(first);
  for (const content of others.filter((c) => Math.abs(Math.log(c.volumeRatio)) < 0.5).slice(0, 2)) {
    if (!unsettled(best)) break;
    const other = yield* build(content);
    if (modelMerit(other) < modelMerit(best)) best = other;
  }
  return best;
}

function* buildWith(
  data: PhasingData,
  norm: Normalised,
  phase: Float64Array,
  { group, basis }: GroupCandidate,
  cell: UnitCell,
  content: CellContent,
  factors: FormFactorSource,
  rounds: number,
): Steps<BuiltModel> {
  const expected = expectedHeights(data, content.content, factors);
  let map = densityMap(data, norm.sharpened, phase);
  let best: BuiltModel | undefined;
  for (let round = 0; round <= rounds; round++) {
    const peaks = mapPeaks(map, 2 * map.sigma, 3000).map((p) => ({ xyz: toGroupAxes(basis, p.xyz), height: p.height }));
    const unique = uniquePeaks(group, cell, peaks, { limit: wantedPeaks(content, group) });
    const assignment = assignPeaks(unique, content.content, expected, cell);
    const model = modelOf(cell, group, assignment, norm.b);
    const fit = yield* fitModelSteps(model, basis, data, factors);
    const better = !best || fit.r1 < best.fit.r1;
    const gain = best ? best.fit.r1 - fit.r1 : 1;
    if (better) best = { fit, assignment, content, map };
    // Small gains are worth a round while atoms are missing.
    if (!better || gain < (assignment.missing.size > 0 ? 0.0005 : 0.003) || fit.r1 < 0.05) break;
    map = recycledMap(data, norm, fit);
  }
  return best!;
}

/** Room for twice the independent atoms of the composition. */
function wantedPeaks(content: CellContent, group: SpaceGroup): number {
  const atoms = [...content.content].reduce((s, [e, n]) => s + (e === "H" ? 0 : n), 0);
  return 20 + Math.ceil((3 * atoms) / group.ops.length);
}

/** Height of one atom at rest in the sharpened map: (2/V) Σ_h f(s) over the rows of the list. */
function expectedHeights(data: PhasingData, content: Composition, factors: FormFactorSource): Map<string, number> {
  return new Map(
    [...content.keys()].map((e) => {
      const f = factors(e);
      return [e, (2 / data.cell.volume) * data.dStar.reduce((s, g) => s + f.f(g / 2), 0)];
    }),
  );
}

function modelOf(cell: UnitCell, group: SpaceGroup, assignment: Assignment, b: number): Structure {
  const count = new Map<string, number>();
  return structure(
    cell,
    group,
    assignment.atoms.map((a) => {
      const n = (count.get(a.element) ?? 0) + 1;
      count.set(a.element, n);
      return atom({
        label: `${a.element}${n}`,
        element: a.element,
        xyz: a.xyz,
        occupancy: a.occupancy,
        uIso: Math.max(0.005, b / (8 * Math.PI * Math.PI)),
      });
    }),
  );
}

/** Coefficients 2Fo − k|Fc|, sharpened as the first map was; where |Fo| is less than half of k|Fc| they are zero. */
const recycledMap = (data: PhasingData, norm: Normalised, fit: ModelFit): DensityMap =>
  modelMap(data, fit.calculated, (fo, fc, i) =>
    norm.f[i]! > 0 ? ((Math.max(0, 2 * fo - fc) / Math.sqrt(norm.scale)) * norm.sharpened[i]!) / norm.f[i]! : 0,
  );
