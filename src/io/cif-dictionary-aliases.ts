/**
 * Names under which the same CIF item is known. A `.` in a DDLm name counts as `_`, which covers most of them (`_cell.length_a`); the
 * groups below are the items whose name changed otherwise between the dictionaries (core 1991–2024, electron diffraction 2025).
 */
const groups: readonly (readonly string[])[] = [
  ["_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m_ref", "_space_group_name_h-m_full"],
  ["_space_group_name_hall", "_symmetry_space_group_name_hall"],
  ["_space_group_it_number", "_symmetry_int_tables_number"],
  ["_space_group_crystal_system", "_symmetry_cell_setting"],
  ["_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz"],
  ["_space_group_symop_id", "_symmetry_equiv_pos_site_id"],
  ["_diffrn_radiation_wavelength", "_diffrn_radiation_wavelength_value", "_diffrn_radiation_wavelength_wavelength"],
  ["_diffrn_ambient_temperature", "_diffrn_ambient_temp"],
  ["_cell_measurement_temperature", "_cell_measurement_temp"],
  ["_atom_site_u_iso_or_equiv", "_atom_site_u_equiv_or_iso"],
  ["_atom_site_b_iso_or_equiv", "_atom_site_b_equiv_geom_mean"],
  ["_atom_site_adp_type", "_atom_site_thermal_displace_type"],
  ["_atom_site_site_symmetry_multiplicity", "_atom_site_symmetry_multiplicity"],
  ["_refln_f_squared_meas", "_refln_f_squared_measured"],
  ["_refln_f_squared_calc", "_refln_f_squared_calculated"],
  ["_refln_intensity_meas", "_refln_intensity_measured"],
  ["_refln_intensity_sigma", "_refln_intensity_meas_su", "_refln_intensity_su"],
  ["_refln_f_squared_sigma", "_refln_f_squared_meas_su"],
  ["_refine_ls_r_factor_gt", "_refine_ls_r_factor_obs"],
  ["_refine_ls_wr_factor_gt", "_refine_ls_wr_factor_obs"],
  ["_refine_ls_goodness_of_fit_gt", "_refine_ls_goodness_of_fit_obs"],
  ["_reflns_number_gt", "_reflns_number_observed"],
  ["_reflns_threshold_expression", "_reflns_observed_criterion"],
  ["_diffrn_reflns_av_uneti/neti", "_diffrn_reflns_av_sigmai/neti"],
  ["_exptl_crystal_mosaicity", "_diffrn_measurement_mosaicity"],
  ["_refine_ls_shift/su_max", "_refine_ls_shift/esd_max"],
];
let map: Map<string, readonly string[]> | undefined;

/** Key of a tag for look-up: lower case, `.` as `_`. */
export function cifTagKey(tag: string): string {
  return tag.toLowerCase().replaceAll(".", "_");
}
/** Other keys of the same item, in order of preference; `key` as {@link cifTagKey} makes it. */
export function cifAliasesOf(key: string): readonly string[] {
  if (!map) {
    map = new Map();
    for (const g of groups)
      for (const k of g)
        map.set(
          k,
          g.filter((other) => other !== k),
        );
  }
  return map.get(key) ?? [];
}
