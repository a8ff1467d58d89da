import { rng } from "../core/rng.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { type Structure, structure } from "../geometry/structure.js";
import type { IntegratedSeries } from "../integration/integrate-series.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import {
  defaultFrameModel,
  mapStatistics,
  mapValue,
  perturbStructure,
  potentialMap,
  refineDynamical,
  scanThickness,
} from "../refine/index.js";
import { differenceOfRows, dynamicalRows } from "./determine-diagnose.js";
import { petsFrames } from "./dynamical.js";
import { reducedFiles, reduceIntegrated } from "./reduce.js";

/** Height of an atom that is left out, in the difference map of the refined rest. */
export interface MissingAtom {
  readonly sigmas: number;
  /** Volts. */
  readonly height: number;
  readonly sigma: number;
  readonly rObs: number;
  readonly wrAll: number;
  readonly mergedR: number;
  readonly thickness: number;
  readonly cycles: number;
  readonly status: string;
}

/**
 * The structure without its last atom, displaced by 0.05 Å, all U 0.01 Å², refined dynamically against the `_dyn.cif_pets` file of the series:
 * thickness scan, then structure and thickness, then the orientations too; then the difference map at the place of the atom.
 */
export async function missingAtom(full: Structure, series: IntegratedSeries, laue: SpaceGroup, merge: number): Promise<MissingAtom> {
  const last = full.atoms.at(-1)!,
    rest = structure(full.cell, full.spaceGroup, full.atoms.slice(0, -1), full.cellSu);
  const displaced = perturbStructure(rest, 0.05, rng(5)),
    start = structure(
      full.cell,
      full.spaceGroup,
      displaced.atoms.map((a) => ({ ...a, uIso: 0.01 })),
      full.cellSu,
    );
  const reduced = reduceIntegrated(series, { laue, virtual: merge === 1 ? { merge } : { merge, step: merge - 1 } }),
    text = reducedFiles(reduced, "natp").get("natp_dyn.cif_pets")!,
    data = petsFrames(parseCifPets(text).value, { rsgMax: 0.66, gMax: 1.2 });
  const model = defaultFrameModel(start, data.frames, { thickness: 500 }),
    scan = await scanThickness(start, { ...data, model });
  const r = await refineDynamical(
    start,
    { ...data, model: { ...model, thickness: scan.thickness, thicknessModel: scan.model } },
    {
      workers: 1,
      stages: [
        { name: "structure", thickness: true, structure: true, gradient: "exact", maxCycles: 4 },
        { name: "all", thickness: true, orientations: true, structure: true, gradient: "exact", maxCycles: 3 },
      ],
    },
  );
  const { hkl, coefficients } = differenceOfRows(r.structure, dynamicalRows(r)),
    map = potentialMap(full.cell, full.spaceGroup, hkl, coefficients),
    { sigma } = mapStatistics(map).gaussian,
    height = mapValue(map, last.xyz);
  return {
    sigmas: height / sigma,
    height,
    sigma,
    rObs: r.residuals.rObs,
    wrAll: r.residuals.wrAll,
    mergedR: r.merged.rObs,
    thickness: r.models[0]!.thickness,
    cycles: r.cycles,
    status: r.status,
  };
}
