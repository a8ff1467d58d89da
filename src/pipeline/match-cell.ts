import { fail } from "../core/errors.js";
import type { BravaisCandidate } from "../geometry/bravais.js";
import { cellParameters, type UnitCell } from "../geometry/cell.js";
import { cellFromMetric, type Mat3, metricTensor, multiply3, transformMetric } from "../geometry/metric.js";
import { settingsLike } from "../integration/twins-setting.js";

/** Part of the lengths that an uncertain magnification may account for. */
const MAGNIFICATION = 0.06;

/**
 * The candidate whose conventional cell, on some choice of axes, is a known cell but for a common factor (the magnification is often off by a few percent);
 * its basis then leads to the axes of the known cell. The most symmetric one that matches.
 * @throws bad-cell when none does
 */
export function candidateOfCell(candidates: readonly BravaisCandidate[], known: UnitCell): BravaisCandidate {
  const target = metricTensor(known);
  let best: { candidate: BravaisCandidate; error: number } | undefined;
  for (const c of candidates) {
    const scale = Math.cbrt(c.measured.volume / known.volume);
    if (Math.abs(scale - 1) > MAGNIFICATION) continue;
    const wanted = target.map((v) => v * scale * scale) as unknown as Mat3;
    const setting = settingsLike(metricTensor(c.measured), wanted, { maxLength: 0.025, maxCosine: 0.035 })[0];
    if (!setting || (best && (c.order < best.candidate.order || setting.error >= best.error))) continue;
    const turned = (cell: UnitCell): UnitCell => cellFromMetric(transformMetric(metricTensor(cell), setting.basis));
    const same = setting.basis.every((v, i) => v === (i % 4 === 0 ? 1 : 0));
    best = {
      error: setting.error,
      candidate: same ? c : { ...c, basis: multiply3(c.basis, setting.basis), cell: turned(c.cell), measured: turned(c.measured) },
    };
  }
  if (best) return best.candidate;
  const numbers = (cell: UnitCell): string =>
    cellParameters(cell)
      .map((v) => v.toFixed(2))
      .join(" ");
  return fail(
    "bad-cell",
    { known: numbers(known), found: candidates.map((c) => `${c.bravais} ${numbers(c.measured)}`) },
    "the spots have another lattice than the known cell: check the cell, its setting, the scale (Å⁻¹ per px) and the wavelength, or leave the cell out",
  );
}
