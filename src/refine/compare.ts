import { fail } from "../core/errors.js";
import { cellDifference, cellParameters } from "../geometry/cell.js";
import { type Fractional, type Mat3, metricTensor, quadratic, transformCell, transformFractional } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";

export interface CompareOptions {
  /** Try the inverted structure as well (default true). */
  readonly hand?: boolean | undefined;
  /** Atoms farther than this from any of their element count as missing, Å (1). */
  readonly maxDistance?: number | undefined;
  /** Axes of the reference on those of the structure, (a' b' c') = (a b c)·P: settings, primitive and centred cells, or a twofold of the lattice. */
  readonly basis?: Mat3 | undefined;
  /** Leave hydrogen out (default true when both have other atoms). */
  readonly withoutHydrogen?: boolean | undefined;
}
/** How one structure lies on another. */
export interface StructureMatch {
  /** Root mean square distance of matched atoms over the unit cell, Å. */
  readonly rmsd: number;
  readonly mean: number;
  readonly max: number;
  readonly matched: number;
  /** Atoms of the cell without a partner: of the structure, and of the reference. */
  readonly missing: number;
  readonly extra: number;
  readonly inverted: boolean;
  /** The structure lies on the reference at x' = ±x + shift. */
  readonly shift: Fractional;
  /** Distance and partner of every independent atom of the structure; NaN and −1 where it has none. */
  readonly atoms: readonly { readonly label: string; readonly partner: string; readonly distance: number }[];
}

interface Cell {
  readonly element: string;
  readonly atom: number;
  readonly x: Fractional;
}

/**
 * Match the atoms of a structure to a reference with the origin and the hand free: every atom of the rarest common element is laid on every
 * one of the reference, all atoms of the cell are paired with the nearest of their element, the shift is improved by their mean distance
 * vector, and the best of all (most pairs, then least RMSD) is kept. Distances use the reference's cell. The axes are the same, or `basis` says how they
 * belong together.
 * @throws not-found when the two have no element in common; bad-cell when the cells (on one basis) differ by more than 6 %; bad-value for a basis of no volume
 */
export function compareStructures(given: Structure, reference: Structure, options: CompareOptions = {}): StructureMatch {
  const { hand = true, maxDistance = 1 } = options;
  const heavy = (s: Structure): boolean => s.atoms.some((a) => a.element !== "H");
  const bare = options.withoutHydrogen ?? (heavy(given) && heavy(reference));
  const cellOf = (s: Structure): Cell[] =>
    expandToP1(s)
      .map((i) => ({ element: s.atoms[i.atom]!.element, atom: i.atom, x: i.xyz }))
      .filter((c) => !bare || c.element !== "H");
  const { basis } = options;
  if (basis && !(Math.abs(determinant(basis)) > 1e-6))
    fail("bad-value", { basis }, "the axes of a change of basis span a volume: (a' b' c') = (a b c)·P, P row-major");
  const cell = basis ? transformCell(given.cell, basis) : given.cell;
  if (cellDifference(cell, reference.cell) > 0.06)
    fail(
      "bad-cell",
      { structure: cellParameters(cell).map((v) => +v.toFixed(4)), reference: cellParameters(reference.cell).map((v) => +v.toFixed(4)) },
      "the two cells differ by more than 6 %: give `basis`, the axes of the reference on those of the structure",
    );
  const a = basis ? onBasis(cellOf(given), basis) : cellOf(given),
    b = cellOf(reference);
  const by = new Map<string, Cell[]>();
  for (const c of b) by.set(c.element, [...(by.get(c.element) ?? []), c]);
  const count = (e: string): number => a.reduce((n, c) => n + Number(c.element === e), 0);
  const common = [...by.keys()].filter((e) => count(e) > 0).sort((p, q) => by.get(p)!.length - by.get(q)!.length);
  if (common.length === 0)
    fail("not-found", { structure: [...new Set(a.map((c) => c.element))], reference: [...by.keys()] }, "no element in common");
  const g = metricTensor(reference.cell);
  const near = (x: Fractional, list: readonly Cell[]): { d: Fractional; length2: number; cell: Cell } => {
    let best: { d: Fractional; length2: number; cell: Cell } | undefined;
    for (const cell of list) {
      const d = [0, 1, 2].map((k) => cell.x[k as 0] - x[k as 0] - Math.round(cell.x[k as 0] - x[k as 0])) as unknown as Fractional;
      const length2 = quadratic(g, d);
      if (!best || length2 < best.length2) best = { d, length2, cell };
    }
    return best!;
  };
  const limit = maxDistance * maxDistance;
  const pairUp = (sign: 1 | -1, shift: Fractional) =>
    a.map((c) => {
      const list = by.get(c.element);
      if (!list) return undefined;
      const x = c.x.map((v, k) => sign * v + shift[k as 0]) as unknown as Fractional;
      const n = near(x, list);
      return n.length2 <= limit ? n : undefined;
    });
  let best: { sign: 1 | -1; shift: Fractional; pairs: ReturnType<typeof pairUp>; n: number; sum: number } | undefined;
  const probe = a.find((c) => c.element === common[0])!;
  for (const sign of hand ? ([1, -1] as const) : ([1] as const))
    for (const target of by.get(common[0]!)!) {
      let shift = target.x.map((v, k) => v - sign * probe.x[k as 0]) as unknown as Fractional;
      let pairs = pairUp(sign, shift);
      for (let round = 0; round < 3; round++) {
        const found = pairs.filter((p) => p !== undefined);
        if (found.length === 0) break;
        shift = shift.map((v, k) => v + found.reduce((s, p) => s + p.d[k as 0], 0) / found.length) as unknown as Fractional;
        pairs = pairUp(sign, shift);
      }
      const n = pairs.reduce((s, p) => s + Number(p !== undefined), 0),
        sum = pairs.reduce((s, p) => s + (p?.length2 ?? 0), 0);
      if (!best || n > best.n || (n === best.n && sum < best.sum * (1 - 1e-9))) best = { sign, shift, pairs, n, sum };
    }
  const { sign, shift, pairs, n, sum } = best!;
  const lengths = pairs.flatMap((p) => (p ? [Math.sqrt(p.length2)] : []));
  const used = new Set(pairs.flatMap((p) => (p ? [p.cell] : [])));
  return {
    rmsd: Math.sqrt(sum / n),
    mean: lengths.reduce((s, v) => s + v, 0) / n,
    max: lengths.reduce((m, v) => Math.max(m, v), 0),
    matched: n,
    missing: a.length - n,
    extra: b.length - used.size,
    inverted: sign < 0,
    shift: shift.map((v) => v - Math.round(v) + 0) as unknown as Fractional,
    atoms: given.atoms.map((atom, i) => {
      const at = a.findIndex((c) => c.atom === i);
      const p = at < 0 ? undefined : pairs[at];
      return { label: atom.label, partner: p ? reference.atoms[p.cell.atom]!.label : "", distance: p ? Math.sqrt(p.length2) : Number.NaN };
    }),
  };
}

/** Contents of the cell on new axes: every atom of the old lattice that lies in it, once. */
function onBasis(cell: readonly Cell[], p: Mat3): Cell[] {
  const out: Cell[] = [],
    reach = [0, 1, 2].map((r) => Math.ceil(Math.abs(p[(3 * r) as 0]) + Math.abs(p[(3 * r + 1) as 0]) + Math.abs(p[(3 * r + 2) as 0]))),
    [n0, n1, n2] = reach as [number, number, number];
  for (const c of cell) {
    const own: Fractional[] = [];
    for (let i = -n0; i <= n0; i++)
      for (let j = -n1; j <= n1; j++)
        for (let k = -n2; k <= n2; k++) {
          const x = transformFractional([c.x[0] + i, c.x[1] + j, c.x[2] + k], p).map(
            (v) => v - Math.floor(v + 1e-6),
          ) as unknown as Fractional;
          if (!own.some((o) => sameSite(o, x))) own.push(x);
        }
    // On smaller cells several atoms of one kind fall together.
    for (const x of own) if (!out.some((o) => o.atom === c.atom && sameSite(o.x, x))) out.push({ ...c, x });
  }
  return out;
}
const sameSite = (a: Fractional, b: Fractional): boolean =>
  [0, 1, 2].every((k) => {
    const d = a[k as 0] - b[k as 0];
    return Math.abs(d - Math.round(d)) < 1e-4;
  });
const determinant = (m: Mat3): number =>
  m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
