import { type CifBlock, cifItem, cifLoop } from "../io/cif.js";
import { cellParameters } from "./cell.js";
import { siteSymmetry } from "./site-symmetry.js";
import { composition, type Structure } from "./structure.js";
import { formatOp } from "./symop.js";

/** A number with its s.u. in the last digits, 1.2345(67): the s.u. keeps two digits when it begins with 1, else one. */
export function withSu(value: number, su: number, digits = 6): string {
  if (!(su > 0)) return Number.isFinite(value) ? String(Number(value.toFixed(digits))) : "?";
  const exponent = Math.floor(Math.log10(su));
  const rounded = su / 10 ** exponent;
  const decimals = Math.max(0, (Math.round(rounded * 10) < 20 ? 1 : 0) - exponent);
  const unit = 10 ** -decimals;
  return `${value.toFixed(decimals)}(${Math.round(su / unit)})`;
}

/** A CIF block (core dictionary) of a structure: cell, operators, atoms, displacements. Reads back equal through structureFromCif. */
export function structureToCif(s: Structure, name = "structure"): CifBlock {
  const g = s.spaceGroup;
  const tags = ["_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"];
  const aniso = s.atoms.filter((a) => a.uAniso);
  const nan = Number.NaN;
  const entries: CifBlock["entries"] = [
    cifItem(
      "_chemical_formula_sum",
      [...composition(s)].map(([e, n]) => e + (Number(n.toFixed(4)) === 1 ? "" : Number(n.toFixed(4)))).join(" "),
    ),
    ...cellParameters(s.cell).map((v, i) => cifItem(tags[i]!, withSu(v, s.cellSu?.[i] ?? nan, 7))),
    cifItem("_cell_volume", withSu(s.cell.volume, nan, 4)),
    cifItem("_space_group_IT_number", g.number > 0 ? String(g.number) : undefined),
    cifItem("_space_group_name_H-M_alt", g.hm || undefined),
    cifItem("_space_group_name_Hall", g.hall || undefined),
    cifLoop({ _space_group_symop_id: g.ops.map((_, i) => String(i + 1)), _space_group_symop_operation_xyz: g.ops.map(formatOp) }),
    cifLoop({
      _atom_site_label: s.atoms.map((a) => a.label),
      _atom_site_type_symbol: s.atoms.map((a) => a.element + (a.charge ? `${Math.abs(a.charge)}${a.charge > 0 ? "+" : "-"}` : "")),
      _atom_site_fract_x: s.atoms.map((a) => withSu(a.xyz[0], a.su?.xyz[0] ?? nan, 8)),
      _atom_site_fract_y: s.atoms.map((a) => withSu(a.xyz[1], a.su?.xyz[1] ?? nan, 8)),
      _atom_site_fract_z: s.atoms.map((a) => withSu(a.xyz[2], a.su?.xyz[2] ?? nan, 8)),
      _atom_site_U_iso_or_equiv: s.atoms.map((a) => withSu(a.uIso, a.su?.uIso ?? nan, 8)),
      _atom_site_adp_type: s.atoms.map((a) => (a.uAniso ? "Uani" : "Uiso")),
      _atom_site_occupancy: s.atoms.map((a) => withSu(a.occupancy, a.su?.occupancy ?? nan)),
      _atom_site_site_symmetry_multiplicity: s.atoms.map((a) => String(siteSymmetry(g, s.cell, a.xyz).multiplicity)),
      _atom_site_disorder_assembly: s.atoms.map((a) => a.disorder?.assembly || { missing: "." as const }),
      _atom_site_disorder_group: s.atoms.map((a) => a.disorder?.group || { missing: "." as const }),
    }),
    ...(aniso.length > 0
      ? [
          cifLoop({
            _atom_site_aniso_label: aniso.map((a) => a.label),
            ...Object.fromEntries(
              ["11", "22", "33", "12", "13", "23"].map((n, k) => [
                `_atom_site_aniso_U_${n}`,
                aniso.map((a) => withSu(a.uAniso![k]!, a.su?.uAniso?.[k] ?? nan, 8)),
              ]),
            ),
          }),
        ]
      : []),
  ];
  return { name, entries };
}
