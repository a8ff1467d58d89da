import type { Rng } from "../core/rng.js";
import type { UnitCell } from "../geometry/cell.js";
import { mergeReflections, reflectionList } from "../geometry/reflection-list.js";
import type { Structure } from "../geometry/structure.js";
import type { CifBlock } from "../io/cif.js";
import { cifNumber } from "../io/cif-access.js";
import { checkOccupied, spaceGroupProblems, withCellOfData } from "./kinematic-checks.js";
import { measuredRows } from "./kinematic-rows.js";
import type { KinematicData, KinematicResult } from "./kinematic-types.js";
import { type MapPeak, mapPeaks } from "./map-peaks.js";
import { type MapStatistics, mapStatistics } from "./map-statistics.js";
import { perturbStructure } from "./perturb.js";
import { differenceCoefficients, type PotentialMap, potentialMap } from "./potential-map.js";

export interface StartingStructure {
  /** Cell that the data were indexed in. */
  readonly dataCell?: UnitCell | undefined;
  /** Every atom isotropic; hydrogen atoms keep their tensors. */
  readonly isotropic?: boolean | undefined;
  readonly freeHydrogens?: boolean | undefined;
  /** Move every atom by this, Å, in a random direction that its site allows. */
  readonly perturb?: { readonly distance: number; readonly rng: Rng } | undefined;
}

/** A structure as a refinement starts from it: the cell of the data, hydrogen atoms isotropic, moved where asked for. @throws bad-cell beyond 6 %; bad-value for empty sites alone */
export function startingStructure(given: Structure, options: StartingStructure, notes: string[]): Structure {
  checkOccupied(given);
  let s = given;
  const { dataCell, perturb } = options;
  if (dataCell) s = withCellOfData(s, dataCell, "the data", notes);
  const tensors = s.atoms.filter((a) => a.element === "H" && a.uAniso).length;
  if (tensors > 0 && !options.freeHydrogens) {
    notes.push(`${tensors} hydrogen atoms were made isotropic (--free-h keeps their tensors)`);
    s = { ...s, atoms: s.atoms.map((a) => (a.element === "H" ? { ...a, uAniso: undefined } : a)) };
  }
  if (options.isotropic) s = { ...s, atoms: s.atoms.map((a) => ({ ...a, uAniso: undefined })) };
  if (perturb && perturb.distance > 0) s = perturbStructure(s, perturb.distance, perturb.rng);
  return s;
}

/**
 * Data as a kinematical refinement takes them: what speaks against the space group and reflections without a σ are named, observations of
 * several frames merged where wanted. @throws bad-value when no intensity is above zero
 */
export function kinematicData(s: Structure, given: KinematicData, merge: boolean, notes: string[]): KinematicData {
  const data = measuredRows(given, notes);
  const bad = data.sigma.reduce((n, v) => n + Number(!(v > 0)), 0);
  if (bad > 0) notes.push(`${bad} of ${data.sigma.length} reflections have no positive sigma and are left out`);
  notes.push(
    ...spaceGroupProblems(s.cell, s.spaceGroup, data).filter(
      (x) => !(x.startsWith("the cell") && notes.some((w) => w.startsWith("the cell") && !w.startsWith("the cell of the data"))),
    ),
  );
  if (!merge) return data;
  const rows = [...data.sigma.keys()].filter((i) => data.sigma[i]! > 0);
  const take = (x: Float64Array): Float64Array => Float64Array.from(rows, (i) => x[i]!);
  const list = reflectionList(s.cell, {
    hkl: Int32Array.from(rows.flatMap((i) => [...data.hkl.subarray(3 * i, 3 * i + 3)])),
    intensity: take(data.intensity),
    sigma: take(data.sigma),
  });
  const merged = mergeReflections(s.cell, s.spaceGroup, list, { friedel: true, weights: "none" });
  notes.push(
    `${list.size} observations merged to ${merged.list.size}, R_int ${merged.rInt.toFixed(4)}; partial rocking curves are not allowed for`,
  );
  return { ...data, hkl: merged.list.hkl, intensity: merged.list.intensity, sigma: merged.list.sigma };
}

/** Extinction of a CIF: whether it was refined there. */
export const hasExtinction = (block: CifBlock): boolean => cifNumber(block, "_refine_ls_extinction_coef") > 0;

/** The difference map of a refinement, from its observed reflections (decision 143), its noise and highest peaks and holes. */
export function differenceMapOf(
  r: KinematicResult,
  data: KinematicData,
  limit = 5,
): { readonly map: PotentialMap; readonly noise: MapStatistics; readonly peaks: readonly MapPeak[] } {
  const { cell, spaceGroup } = r.structure;
  const bare = data.intensity.map((v, i) => (v > 3 * data.sigma[i]! ? data.sigma[i]! : 0));
  const map = potentialMap(cell, spaceGroup, data.hkl, differenceCoefficients(r.structureFactors[0]!, data.intensity, bare, r.factors[0]!));
  const noise = mapStatistics(map);
  return { map, noise, peaks: mapPeaks(map, { sigma: noise.gaussian.sigma, structure: r.structure, limit }) };
}
