import { cellParameters } from "../geometry/cell.js";
import type { IndexingResult } from "./indexing.js";

/** The result of an indexing as plain numbers for a file or another program: what was found, how well, and what else fits. */
export function indexingRecord(r: IndexingResult) {
  return {
    omegaDeg: r.omegaDeg,
    omegaSigmaDeg: r.omegaSigmaDeg,
    senseDecisive: r.sense?.decisive ?? false,
    oppositeSenseFraction: r.sense?.other.fraction ?? Number.NaN,
    bravais: r.suggested.bravais,
    cell: cellParameters(r.constrained.cell),
    cellSigma: r.constrained.cellSigma.slice(0, 6),
    ub: r.constrained.ub,
    reflections: r.maxima.size,
    indexed: r.indexed.count,
    fractionIndexed: r.indexed.fraction,
    rmsPx: r.constrained.rmsPx,
    candidates: r.candidates.map((c) => ({
      bravais: c.bravais,
      cell: cellParameters(c.cell),
      obliquityDeg: c.obliquityDeg,
      strain: c.strain,
    })),
    lattices: r.lattices,
    warnings: r.warnings,
  };
}

/** A number with its standard uncertainty in the last digits, as crystallographers write it: 4.9257(6), 90 when it is fixed. */
export function withUncertainty(value: number, sigma: number): string {
  if (!(sigma > 0) || !Number.isFinite(sigma)) return String(Number(value.toFixed(4)));
  const exponent = Math.floor(Math.log10(sigma)),
    two = sigma / 10 ** exponent < 1.95, // two digits when the first is a 1
    digits = Math.max(0, -exponent + (two ? 1 : 0));
  return `${value.toFixed(digits)}(${Math.round(sigma * 10 ** digits)})`;
}

/** The result of an indexing as lines to read. */
export function indexingSummary(r: IndexingResult): readonly string[] {
  const d = indexingRecord(r);
  const su = d.cell.map((v, i) => withUncertainty(v, d.cellSigma[i]!));
  const other = (100 * d.oppositeSenseFraction).toFixed(0);
  return [
    `tilt axis   ${withUncertainty(d.omegaDeg, d.omegaSigmaDeg)}°; the opposite sense indexes ${other} %${d.senseDecisive ? "" : " and cannot be ruled out"}`,
    `cell (${d.bravais})   ${su.slice(0, 3).join(" ")} Å  ${su.slice(3).join(" ")}°`,
    `indexed     ${d.indexed} of ${d.reflections} reflections (${(100 * d.fractionIndexed).toFixed(1)} %), rms ${d.rmsPx.toFixed(2)} px`,
    ...d.candidates.map(
      (c) =>
        `candidate   ${c.bravais}  ${c.cell.map((v) => v.toFixed(3)).join(" ")}  off by ${c.obliquityDeg.toFixed(2)}°, ${(100 * c.strain).toFixed(2)} %`,
    ),
    ...d.lattices.map((l, i) => `lattice ${i + 1}   explains ${l.explained} reflections, ${l.own} of them alone`),
  ];
}
