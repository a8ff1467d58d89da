import { fail } from "../core/errors.js";
import { isotropicAdp, isPositiveAdp } from "../geometry/adp.js";
import { element } from "../geometry/elements.js";
import type { Mat3 } from "../geometry/metric.js";
import { positionConstraint } from "../geometry/site-symmetry.js";
import type { Structure } from "../geometry/structure.js";
import { rotationParts } from "../geometry/symmetry.js";
import { parameterMap, type Tie } from "../numerics/parameters.js";
import { type RigidGroup, rigidGroup } from "./rigid-group.js";
import {
  atomIndex,
  coordinateNames,
  equivalentUTerms,
  type RawStructure,
  rawStructure,
  siteConstraints,
  structureOfRaw,
} from "./structure-parameters.js";

type Chosen = "all" | "none" | readonly string[];

/** A hydrogen (or any atom) that follows its parent. */
export interface Riding {
  readonly atom: string;
  readonly parent: string;
  /** U_iso = this · U_eq of the parent (1.2 or 1.5). */
  readonly factor?: number | undefined;
  /** Keep the vector from the parent: the coordinates shift together. */
  readonly position?: boolean | undefined;
}
/** What of a structure is refined. Names are "label.kind" as in {@link RawParameter}. */
export interface ModelOptions {
  /** Atoms whose coordinates are refined (default all). */
  readonly positions?: Chosen | undefined;
  /** Atoms whose displacement parameters are refined (default all). */
  readonly displacements?: Chosen | undefined;
  /** Atoms whose occupancies are refined (default none). */
  readonly occupancies?: Chosen | undefined;
  readonly fixed?: readonly string[] | undefined;
  /** parameter = constant + Σ coefficient · parameter. */
  readonly ties?:
    | readonly { readonly parameter: string; readonly terms: readonly (readonly [string, number])[]; readonly constant?: number }[]
    | undefined;
  /** Atoms with one set of displacement parameters each. */
  readonly equalDisplacements?: readonly (readonly string[])[] | undefined;
  /** Sites shared by atoms: their occupancies add up to `sum`. */
  readonly sharedSites?: readonly { readonly atoms: readonly string[]; readonly sum: number }[] | undefined;
  readonly riding?: readonly Riding[] | undefined;
  /** Rigid bodies, by labels; their members lie on general positions. */
  readonly groups?: readonly (readonly string[])[] | undefined;
  /** Hold the origin of a polar group by a coordinate of the heaviest atom (default true). */
  readonly holdOrigin?: boolean | undefined;
}

/** Rows of ∂raw/∂free, only what is not zero. */
export interface SparseRows {
  /** Free parameters and derivatives of raw parameter i: entries start[i] … start[i + 1]. */
  readonly start: Int32Array;
  readonly column: Int32Array;
  readonly value: Float64Array;
}
/**
 * The free parameters q of a structure. Shared by every kind of refinement: calculated data depend on the raw vector (the atom list), and
 * ∂data/∂q = ∂data/∂raw · ∂raw/∂q. Linear but for rigid groups.
 */
export interface StructureModel {
  readonly raw: RawStructure;
  readonly names: readonly string[];
  readonly start: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** For people: special positions, held origin, ties. */
  readonly constraints: readonly string[];
  readonly warnings: readonly string[];
  rawAt(q: ArrayLike<number>): Float64Array;
  derivatives(q: ArrayLike<number>): SparseRows;
  structureAt(q: ArrayLike<number>, rawSu?: ArrayLike<number>): Structure;
}

/**
 * Parameters of a structure: constraints of special positions and of the origin are derived from the symmetry, the rest comes from the options.
 * A tensor that is not positive definite starts as an isotropic one (named in the warnings).
 * @throws not-found for an unknown label or name, bad-value for ties that contradict each other
 */
export function structureModel(given: Structure, options: ModelOptions = {}): StructureModel {
  const warnings: string[] = [];
  const raw = rawStructure(soundDisplacements(given, warnings));
  const { structure: s } = raw;
  const site = siteConstraints(raw);
  const size = raw.parameters.length;
  const groups = (options.groups ?? []).map((labels) => groupOf(raw, labels));
  const start = new Float64Array(size + 6 * groups.length);
  start.set(raw.values);
  const constraints = [...site.text];
  const named = (name: string): number =>
    raw.index.get(name) ??
    fail("not-found", { name }, 'a parameter reads "label.x", "label.occupancy", "label.u" (isotropic) or "label.u11"');

  const ties = new Map<number, Tie>(site.ties.map((t) => [t.index, t]));
  const fixed = new Set<number>(site.fixed);
  const tie = (t: Tie, text: string): void => {
    // A site's own constraint is kept; the rule then holds through the leading component.
    if (fixed.has(t.index) || ties.has(t.index)) return;
    ties.set(t.index, t);
    constraints.push(text);
  };
  for (const g of groups) for (const a of g.atoms) for (let k = 0; k < 3; k++) fixed.add(raw.offset[a]! + k);
  for (const r of options.riding ?? []) {
    const h = atomIndex(raw, r.atom),
      p = atomIndex(raw, r.parent);
    if (r.factor !== undefined && !s.atoms[h]!.uAniso)
      tie({ index: raw.offset[h]! + 4, terms: equivalentUTerms(raw, p, r.factor) }, `U(${r.atom}) = ${r.factor} Ueq(${r.parent})`);
    if (r.position)
      for (let k = 0; k < 3; k++)
        tie(
          {
            index: raw.offset[h]! + k,
            terms: [[raw.offset[p]! + k, 1]],
            constant: raw.values[raw.offset[h]! + k]! - raw.values[raw.offset[p]! + k]!,
          },
          `${r.atom}.${coordinateNames[k]} rides on ${r.parent}`,
        );
  }
  for (const labels of options.equalDisplacements ?? []) {
    const [first, ...rest] = labels.map((l) => atomIndex(raw, l));
    for (const a of rest) {
      if (Boolean(s.atoms[a]!.uAniso) !== Boolean(s.atoms[first!]!.uAniso))
        fail("bad-value", { atoms: labels }, "equal displacement parameters need atoms that are all isotropic or all anisotropic");
      for (let k = 0; k < (s.atoms[a]!.uAniso ? 6 : 1); k++)
        tie(
          { index: raw.offset[a]! + 4 + k, terms: [[raw.offset[first!]! + 4 + k, 1]] },
          `${raw.parameters[raw.offset[a]! + 4 + k]!.name} = that of ${labels[0]}`,
        );
    }
  }
  for (const { atoms, sum } of options.sharedSites ?? []) {
    const at = atoms.map((l) => raw.offset[atomIndex(raw, l)]! + 3);
    tie(
      { index: at.at(-1)!, terms: at.slice(0, -1).map((i) => [i, -1] as const), constant: sum },
      `occupancies of ${atoms.join(" + ")} = ${sum}`,
    );
  }
  for (const t of options.ties ?? [])
    tie(
      { index: named(t.parameter), terms: t.terms.map(([n, c]) => [named(n), c] as const), constant: t.constant ?? 0 },
      `${t.parameter} = ${[...t.terms.map(([n, c]) => `${c} ${n}`), ...(t.constant ? [t.constant] : [])].join(" + ")}`,
    );
  // What is not chosen stays; a tie that the user made wins over that.
  const chosen = (c: Chosen): ((atom: number) => boolean) => {
    if (typeof c === "string") return () => c === "all";
    const set = new Set(c.map((l) => atomIndex(raw, l)));
    return (a) => set.has(a);
  };
  const moves = chosen(options.positions ?? "all"),
    vibrates = chosen(options.displacements ?? "all"),
    fills = chosen(options.occupancies ?? "none");
  raw.parameters.forEach((p, i) => {
    const on = p.kind === "occupancy" ? fills(p.atom) : p.kind.startsWith("u") ? vibrates(p.atom) : moves(p.atom);
    if (!on && !ties.has(i)) fixed.add(i);
  });
  for (const name of options.fixed ?? []) {
    const i = named(name);
    ties.delete(i);
    fixed.add(i);
  }
  if (options.holdOrigin ?? true) constraints.push(...holdOrigin(raw, fixed, ties));

  const lower = new Float64Array(start.length).fill(Number.NEGATIVE_INFINITY),
    upper = new Float64Array(start.length).fill(Number.POSITIVE_INFINITY);
  raw.parameters.forEach((p, i) => {
    if (p.kind !== "occupancy" || fixed.has(i) || ties.has(i)) return;
    lower[i] = 0;
    upper[i] = 1;
  });
  const map = parameterMap(start, { fixed: [...fixed], ties: [...ties.values()], lower, upper });
  const p = new Float64Array(start.length);
  const nameOf = (i: number): string =>
    i < size ? raw.parameters[i]!.name : groupName(options.groups![Math.floor((i - size) / 6)]!, (i - size) % 6);
  const n = map.free.length;
  const rawAt = (q: ArrayLike<number>): Float64Array => {
    map.expandInto(
      p,
      Float64Array.from({ length: n }, (_, k) => q[k]!),
    );
    const out = p.slice(0, size);
    groups.forEach((g, k) => {
      g.positions(p, size + 6 * k).forEach((x, m) => {
        out.set(x, raw.offset[g.atoms[m]!]!);
      });
    });
    return out;
  };
  const columnOf = new Map(map.free.map((i, k) => [i, k]));
  const derivatives = (q: ArrayLike<number>): SparseRows => {
    const rows: (readonly [number, number])[][] = Array.from({ length: size }, (_, i) => {
      const row: [number, number][] = [];
      for (let k = 0; k < n; k++) if (map.matrix[i * n + k] !== 0) row.push([k, map.matrix[i * n + k]!]);
      return row;
    });
    if (groups.length > 0)
      map.expandInto(
        p,
        Float64Array.from({ length: n }, (_, k) => q[k]!),
      );
    groups.forEach((g, k) => {
      const d = g.derivatives(p, size + 6 * k);
      g.atoms.forEach((a, m) => {
        for (let j = 0; j < 3; j++)
          rows[raw.offset[a]! + j] = Array.from(
            { length: 6 },
            (_, c) => [columnOf.get(size + 6 * k + c)!, d[18 * m + 6 * j + c]!] as const,
          );
      });
    });
    const begin = new Int32Array(size + 1);
    rows.forEach((r, i) => {
      begin[i + 1] = begin[i]! + r.length;
    });
    const flat = rows.flat();
    return { start: begin, column: Int32Array.from(flat, (e) => e[0]), value: Float64Array.from(flat, (e) => e[1]) };
  };
  return {
    raw,
    names: map.free.map(nameOf),
    start: map.start,
    lower: map.lower,
    upper: map.upper,
    constraints,
    warnings,
    rawAt,
    derivatives,
    structureAt: (q, su) => structureOfRaw(raw, rawAt(q), su),
  };
}

/** Tensors that are no ellipsoid become isotropic ones of their U_eq (0.005 Å² at least), still anisotropic in kind. */
function soundDisplacements(s: Structure, warnings: string[]): Structure {
  const atoms = s.atoms.map((a) => {
    if (!a.uAniso || isPositiveAdp(s.cell, a.uAniso)) return a;
    const u = Math.max(0.005, a.uIso);
    warnings.push(`the displacement tensor of ${a.label} is not positive definite; it starts as an isotropic one of ${u.toFixed(4)} Å²`);
    return { ...a, uIso: u, uAniso: isotropicAdp(s.cell, u) };
  });
  return { ...s, atoms };
}

function groupOf(raw: RawStructure, labels: readonly string[]): RigidGroup {
  const atoms = labels.map((l) => atomIndex(raw, l));
  for (const a of atoms)
    if (raw.sites[a]!.stabiliser.length > 1)
      fail("unsupported", { atom: labels[atoms.indexOf(a)] }, "members of a rigid group lie on general positions");
  if (atoms.length < 2) fail("bad-value", { atoms: labels }, "a rigid group has two atoms at least");
  return rigidGroup(
    raw.structure.cell,
    atoms,
    atoms.map((a) => raw.structure.atoms[a]!.xyz),
  );
}
const groupName = (labels: readonly string[], k: number): string => `group ${labels[0]}.${["tx", "ty", "tz", "rx", "ry", "rz"][k]}`;

/** Fix one coordinate for every direction along which the group leaves the origin free. */
function holdOrigin(raw: RawStructure, fixed: Set<number>, ties: ReadonlyMap<number, Tie>): string[] {
  const { spaceGroup, atoms } = raw.structure;
  const rotations = rotationParts(spaceGroup.ops);
  const floating = positionConstraint({
    xyz: [0, 0, 0],
    positions: [[0, 0, 0]],
    ops: [0],
    multiplicity: 1,
    stabiliser: rotations.map((rotation) => ({ rotation: rotation as Mat3, shift: [0, 0, 0] as const })),
    pointGroup: "",
  });
  if (rotations.length === 0 || floating.free === 0) return [];
  const heaviest = atoms
    .map((_, i) => i)
    .sort((p, q) => (element(atoms[q]!.element)?.z ?? 0) - (element(atoms[p]!.element)?.z ?? 0) || p - q);
  const text: string[] = [];
  for (const v of floating.basis) {
    // A coordinate along v that somebody holds already fixes the origin.
    const along = [0, 1, 2].filter((k) => v[k] !== 0);
    const heldByUser = atoms.some((_, a) => along.some((k) => fixed.has(raw.offset[a]! + k) && raw.sites[a]!.stabiliser.length === 1));
    if (heldByUser && floating.free === 1) continue;
    const anchor = heaviest.flatMap((a) => along.map((k) => raw.offset[a]! + k)).find((i) => !fixed.has(i) && !ties.has(i));
    if (anchor === undefined) continue;
    fixed.add(anchor);
    text.push(`${raw.parameters[anchor]!.name} holds the origin along [${v.join(" ")}]`);
  }
  return text;
}
