import { cellParameters } from "../geometry/cell.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import { formula } from "../geometry/structure.js";
import type { Solution } from "./solve.js";

/** A solution in lines for a terminal. */
export function solutionSummary(s: Solution): string[] {
  const { structure: m, group } = s;
  const cell = cellParameters(m.cell);
  const lines = [
    `status       ${s.status}: R1 ${(100 * s.r1).toFixed(2)} % for ${s.observed} reflections above 3σ, trial ${s.trials.length} of seed ${s.seed}`,
    `space group  ${m.spaceGroup.hm} (no. ${m.spaceGroup.number}), worst operation ⟨cos Δφ⟩ ${group.weakest.toFixed(2)}`,
    `also fit     ${s.otherGroups.slice(0, 4).map((c) => `${c.group.hm} ${c.weakest.toFixed(2)}`).join(", ") || "none"}`,
    `cell         ${cell.slice(0, 3).map((x) => x.toFixed(4)).join(" ")} Å, ${cell.slice(3).map((x) => x.toFixed(3)).join(" ")}°, ${m.cell.volume.toFixed(1)} Å³`,
    `content      ${formula(m)}, Z = ${s.z}; B ${s.normalised.b.toFixed(2)} Å², ⟨|E²−1|⟩ ${s.normalised.e2Minus1.toFixed(3)}, ${(100 * s.completeness).toFixed(0)} % complete to ${s.dMin.toFixed(2)} Å`,
    "atom   mult.        x         y         z     occ.   U/Å²",
  ]; // biome-ignore format: one line an idea
  for (const a of m.atoms)
    lines.push(
      `${a.label.padEnd(6)} ${String(siteSymmetry(m.spaceGroup, m.cell, a.xyz).multiplicity).padStart(4)} ${a.xyz.map((x) => x.toFixed(5).padStart(9)).join(" ")}   ${a.occupancy.toFixed(2)}  ${a.uIso.toFixed(4)}`,
    );
  return lines;
}

/** A solution as plain JSON. */
export function solutionRecord(s: Solution): Record<string, unknown> {
  const { structure: m } = s;
  return {
    status: s.status,
    r1: s.r1,
    observed: s.observed,
    spaceGroup: { number: m.spaceGroup.number, hm: m.spaceGroup.hm, hall: m.spaceGroup.hall, worstOperation: s.group.weakest },
    otherGroups: s.otherGroups.slice(0, 8).map((c) => ({ hm: c.group.hm, number: c.group.number, worstOperation: c.weakest })),
    cell: [...cellParameters(m.cell)],
    z: s.z,
    atoms: m.atoms.map((a) => ({
      label: a.label,
      element: a.element,
      xyz: [...a.xyz],
      occupancy: a.occupancy,
      uIso: a.uIso,
      multiplicity: siteSymmetry(m.spaceGroup, m.cell, a.xyz).multiplicity,
    })),
    b: s.normalised.b,
    e2Minus1: s.normalised.e2Minus1,
    completeness: s.completeness,
    dMin: s.dMin,
    seed: s.seed,
    trials: s.trials,
    warnings: s.warnings,
  };
}
