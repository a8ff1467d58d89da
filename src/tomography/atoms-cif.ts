import { cifItem, cifLoop } from "../io/cif.js";
import { writeCif } from "../io/cif-write.js";
import type { AtomModel } from "./atom-model.js";

/**
 * CIF of a particle in an empty box, space group P1: coordinates are shifted so that the atoms lie `margin` Å from its faces; U = σ² of the
 * Gaussians. For programs that draw or simulate from CIF; the box has no crystallographic meaning, which the file says.
 * @param names - element of every class; default X, X2, …
 */
export function atomsCif(
  model: AtomModel,
  {
    names,
    margin = 5,
    block = "atoms",
  }: { readonly names?: readonly string[] | undefined; readonly margin?: number | undefined; readonly block?: string | undefined } = {},
): string {
  const low = [0, 0, 0].fill(Number.POSITIVE_INFINITY),
    high = [0, 0, 0].fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < model.positions.length; i++) {
    low[i % 3] = Math.min(low[i % 3]!, model.positions[i]!);
    high[i % 3] = Math.max(high[i % 3]!, model.positions[i]!);
  }
  const empty = model.size === 0,
    box = low.map((v, c) => (empty ? 2 * margin : Math.max(1, high[c]! - v + 2 * margin))),
    name = (a: number): string => names?.[model.species[a]!] ?? (model.species[a] === 0 ? "X" : `X${model.species[a]! + 1}`);
  const rows = Array.from({ length: model.size }, (_, a) => a),
    fraction = (c: number): string[] => rows.map((a) => ((model.positions[3 * a + c]! - low[c]! + margin) / box[c]!).toFixed(7));
  const entries = [
    cifItem("_exptl_special_details", "Atoms of electron tomography in an empty box; the cell is not that of a crystal."),
    ...["a", "b", "c"].map((t, c) => cifItem(`_cell_length_${t}`, box[c]!.toFixed(5))),
    ...["alpha", "beta", "gamma"].map((t) => cifItem(`_cell_angle_${t}`, "90")),
    cifItem("_cell_volume", (box[0]! * box[1]! * box[2]!).toFixed(3)),
    cifItem("_space_group_IT_number", "1"),
    cifItem("_space_group_name_H-M_alt", "P 1"),
    cifItem("_space_group_name_Hall", "P 1"),
    cifLoop({ _space_group_symop_id: ["1"], _space_group_symop_operation_xyz: ["x,y,z"] }),
    cifLoop({
      _atom_site_label: rows.map((a) => `${name(a)}${a + 1}`),
      _atom_site_type_symbol: rows.map(name),
      _atom_site_fract_x: fraction(0),
      _atom_site_fract_y: fraction(1),
      _atom_site_fract_z: fraction(2),
      _atom_site_U_iso_or_equiv: rows.map((a) => (model.widths[a]! ** 2).toFixed(5)),
      _atom_site_adp_type: rows.map(() => "Uiso"),
      _atom_site_occupancy: rows.map(() => "1"),
    }),
  ];
  return writeCif({ version: "1.1", comments: [], blocks: [{ name: block, entries }] });
}
