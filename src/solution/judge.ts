import { element } from "../geometry/elements.js";
import type { Structure } from "../geometry/structure.js";
import { contacts } from "../geometry/structure-bonds.js";
import { median } from "../numerics/stats-select.js";
import type { Completed } from "./complete.js";
import type { Composition } from "./formula.js";

/** Largest share of the electrons of the cell that may be missing in a solved structure. */
const missingLimit = 0.08;

/** Whether distances make sense. */
export interface Connectivity {
  /** Pairs of independent atoms nearer than 0.75 of the sum of their covalent radii, as "Si1–O3 0.91 Å". */
  readonly tooShort: readonly string[];
  /** Labels of atoms without any neighbour at bonding distance (sum of radii + 0.5 Å). */
  readonly isolated: readonly string[];
}

/** Distances of a structure against covalent radii; an honest solution has no pair too near and no atom alone. */
export function connectivity(s: Structure): Connectivity {
  const found = contacts(s, { slack: 0.5 });
  const radius = (e: string): number => element(e)?.covalentRadius || 1.5;
  const tooShort = found
    .filter((c) => c.from <= c.to && c.distance < 0.75 * (radius(s.atoms[c.from]!.element) + radius(s.atoms[c.to]!.element)))
    .map((c) => `${s.atoms[c.from]!.label}–${s.atoms[c.to]!.label} ${c.distance.toFixed(2)} Å`);
  const bonded = new Set(found.map((c) => c.from));
  return { tooShort: [...new Set(tooShort)], isolated: s.atoms.filter((_, i) => !bonded.has(i)).map((a) => a.label) };
}

/** Electrons of the atoms that found no peak over those of the whole cell, hydrogen aside. */
export function missingShare(missing: Composition, content: Composition): number {
  const electrons = (c: Composition): number => [...c].reduce((s, [e, n]) => s + (e === "H" ? 0 : n * (element(e)?.z ?? 0)), 0);
  return electrons(missing) / Math.max(1, electrons(content));
}

/**
 * By how much R may be higher in a group than in one of its subgroups, as a factor: two operations for one add few parameters to hundreds of
 * reflections, but three times the parameters and more also describe what dynamical scattering does to the intensities (NASICON of 1200 Å: R-3c 0.231, C2 0.185).
 */
export function allowance(order: number, subgroupOrder: number): number {
  return order >= 3 * subgroupOrder ? 1.3 : 1.15;
}

/**
 * Another trial in a group of other symmetry whose R1 is lower by more than its parameters explain, in words: the choice goes by the symmetry of the phases, and
 * pseudosymmetric crystals have more of it there than in their structure.
 */
export function rivalTrial(
  trials: readonly { readonly group: string; readonly order: number; readonly r1: number }[],
  chosen: { readonly group: string; readonly order: number; readonly r1: number },
): string | undefined {
  const others = trials.filter((t) => t.group !== chosen.group && t.r1 * allowance(chosen.order, t.order) < chosen.r1);
  const rival = others.reduce<(typeof others)[number] | undefined>((b, t) => (b && b.r1 <= t.r1 ? b : t), undefined);
  return (
    rival &&
    `a trial in ${rival.group} has R1 ${rival.r1.toFixed(3)}, this model in ${chosen.group} ${chosen.r1.toFixed(3)}: try --group, its symmetry may be the true one`
  );
}

/**
 * What forbids to call a model solved, in words; empty when nothing does: R1 above the limit, 8 % of the electrons or half of an element without a place, atoms in each other, parts of
 * atoms where the composition has whole ones, an atom that its omit map does not show first and
 * that fits as well (R1 within 10 %) where the map is as high, that R does not miss, or with U four
 * times the others' and beyond 0.1 Å².
 */
export function doubtsOf({ model, evidence }: Completed, limit: number): readonly string[] {
  const { fit, assignment, content } = model,
    s = fit.structure;
  const out: string[] = [];
  if (!(fit.r1 <= limit)) out.push(`R1 ${fit.r1.toFixed(3)} is above ${limit.toFixed(2)}`);
  const gone = [...assignment.missing].filter(([e, n]) => n >= 0.5 * content.content.get(e)!).map(([e]) => e);
  if (missingShare(assignment.missing, content.content) >= missingLimit || gone.length > 0)
    out.push(`atoms of the composition are missing: ${[...assignment.missing].map(([e, n]) => `${Number(n.toFixed(2))} ${e}`).join(", ")}`);
  const short = connectivity(s).tooShort;
  if (short.length > 0) out.push(`atoms too near to each other: ${short.slice(0, 6).join(", ")}`);
  const whole = [...content.content.values()].every((n) => Math.abs(n - Math.round(n)) < 1e-6);
  const parts = s.atoms.filter((a) => a.occupancy < 0.99).map((a) => a.label);
  if (whole && parts.length > 0) out.push(`parts of atoms where the composition has whole ones: ${parts.join(", ")}`);
  const loose = evidence.filter((e) => e.elsewhere < 1.1).map((e) => `${e.label} (R ${e.elsewhere.toFixed(2)} times)`);
  if (loose.length > 0) out.push(`atoms that fit as well elsewhere: ${loose.slice(0, 8).join(", ")}`);
  const idle = evidence.filter((e) => e.without < 1.005 && e.contrast < 1.5).map((e) => e.label);
  if (idle.length > 0) out.push(`atoms that R does not ask for: ${idle.slice(0, 8).join(", ")}`);
  const typical = median(Float64Array.from(s.atoms, (a) => a.uIso));
  const spread = s.atoms.filter((a) => a.uIso > 0.1 && a.uIso > 4 * typical).map((a) => `${a.label} ${a.uIso.toFixed(2)} Å²`);
  if (spread.length > 0) out.push(`atoms smeared out: ${spread.slice(0, 8).join(", ")}`);
  return out;
}
