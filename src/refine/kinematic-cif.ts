import type { Structure } from "../geometry/structure.js";
import { contacts } from "../geometry/structure-bonds.js";
import type { CifBlock } from "../io/cif.js";
import { cifNumbers, cifTexts } from "../io/cif-access.js";
import type { Riding } from "./model.js";
import type { Restraint } from "./restraints.js";
import { uniqueLabels } from "./structure-parameters.js";

/** Distance and angle restraints of a CIF (`_restr_distance_…`, `_restr_angle_…`) among its own atoms; images under symmetry are left out. */
export function restraintsFromCif(block: CifBlock, s: Structure): Restraint[] {
  const known = new Set(uniqueLabels(s.atoms));
  const column = (tag: string): readonly string[] => cifTexts(block, tag) ?? [];
  const own = (...codes: (string | undefined)[]): boolean => codes.every((c) => !c || c === "." || c === "1" || c === "1_555");
  const out: Restraint[] = [];
  const d = [1, 2].map((i) => column(`_restr_distance_atom_site_label_${i}`)),
    ds = [1, 2].map((i) => column(`_restr_distance_site_symmetry_${i}`));
  const target = cifNumbers(block, "_restr_distance_target") ?? new Float64Array(0),
    weight = cifNumbers(block, "_restr_distance_target_weight_param") ?? new Float64Array(0);
  d[0]!.forEach((a, i) => {
    const b = d[1]![i] ?? "";
    if (known.has(a) && known.has(b) && own(ds[0]![i], ds[1]![i]) && target[i]! > 0 && weight[i]! > 0)
      out.push({ kind: "distance", atoms: [a, b], target: target[i]!, sigma: weight[i]! });
  });
  const t = [1, 2, 3].map((i) => column(`_restr_angle_atom_site_label_${i}`)),
    ts = [1, 2, 3].map((i) => column(`_restr_angle_site_symmetry_${i}`));
  const angle = cifNumbers(block, "_restr_angle_target") ?? new Float64Array(0),
    angleWeight = cifNumbers(block, "_restr_angle_target_weight_param") ?? new Float64Array(0);
  t[0]!.forEach((a, i) => {
    const b = t[1]![i] ?? "",
      c = t[2]![i] ?? "";
    if ([a, b, c].every((l) => known.has(l)) && own(ts[0]![i], ts[1]![i], ts[2]![i]) && angle[i]! > 0 && angleWeight[i]! > 0)
      out.push({ kind: "angle", atoms: [a, b, c], targetDeg: angle[i]!, sigmaDeg: angleWeight[i]! });
  });
  return out;
}

/**
 * Hydrogen atoms and their parents: the nearest other atom within 1.3 Å. U_iso is tied to 1.2 or 1.5 U_eq of the parent where the structure
 * already has that ratio (within 2 %), else to 1.2. `position` makes the coordinates ride.
 */
export function ridingHydrogens(s: Structure, position: boolean): Riding[] {
  const labels = uniqueLabels(s.atoms);
  const out: Riding[] = [];
  const near = contacts(s, { maxDistance: 1.3 });
  s.atoms.forEach((a, i) => {
    if (a.element !== "H") return;
    const parent = near.find((c) => c.from === i && s.atoms[c.to]!.element !== "H");
    if (!parent) return;
    const ratio = a.uIso / s.atoms[parent.to]!.uIso;
    const factor = Math.abs(ratio / 1.5 - 1) < 0.02 ? 1.5 : 1.2;
    // A parent in another asymmetric unit moves along other axes: only its U is followed.
    const same = parent.op.rotation.every((v, k) => v === (k % 4 === 0 ? 1 : 0));
    out.push({ atom: labels[i]!, parent: labels[parent.to]!, factor: a.uAniso ? undefined : factor, position: position && same });
  });
  return out;
}
