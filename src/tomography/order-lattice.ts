import { fail } from "../core/errors.js";
import { kdTree } from "../numerics/cluster-kdtree.js";
import { linearLeastSquares } from "../numerics/qr.js";

/** The 12 nearest neighbours of an fcc site, in halves of the cubic axes. */
export const fccNeighbours: readonly (readonly [number, number, number])[] = [-1, 0, 1].flatMap((i) =>
  [-1, 0, 1].flatMap((j) => [-1, 0, 1].filter((k) => i * i + j * j + k * k === 2).map((k) => [i, j, k] as const)),
);

/** An fcc lattice through atoms: r = origin + (i a + j b + k c)/2 + u with i + j + k even. */
export interface FccLattice {
  /** Å, [3]. */
  readonly origin: Float64Array;
  /** Cubic axes a, b, c as rows, Å, [3, 3]; right-handed, a nearest to x. They are free in length and angle. */
  readonly axes: Float64Array;
  /** i j k of every atom, [n, 3]; 0 where not indexed. */
  readonly sites: Int32Array;
  /** 1 where the atom has a site, [n]. */
  readonly indexed: Uint8Array;
  readonly count: number;
  /** u = r − ideal position, Å, [n, 3]; NaN where not indexed. */
  readonly displacements: Float64Array;
  /** Root mean square length of u, Å. */
  readonly rms: number;
}

/**
 * Index the atoms of one fcc crystal breadth first from a well-ordered atom: a neighbour is the atom nearest to where the lattice puts it
 * seen from the last one, so slow strain is followed; origin and axes are then fitted to all by least squares. Of several first atoms the
 * one that indexes most is kept. Atoms beyond a twin or grain boundary stay without a site.
 * @param positions - Å, [n, 3]
 * @param tolerance - largest distance from the expected place, Å; default a quarter of the distance of neighbours
 * @throws bad-shape, bad-value, not-found when no atom has fcc neighbours
 * @see Xu et al. (2015) Nature Mater. 14, 1099
 */
export function fitLattice(positions: Float64Array, { tolerance }: { readonly tolerance?: number | undefined } = {}): FccLattice {
  if (tolerance !== undefined && !(tolerance > 0)) fail("bad-value", { tolerance }, "the tolerance is a distance in Å above 0");
  const n = positions.length / 3,
    tree = kdTree(positions, 3);
  if (n < 13) fail("bad-shape", { atoms: n }, "a lattice is fitted to at least 13 atoms: one and its neighbours");
  const seeds = rankedSeeds(positions, tree);
  let best: Indexed | undefined;
  for (const { atom, halves } of seeds.slice(0, 8)) {
    const found = indexFrom(positions, tree, atom, halves, tolerance);
    if (!best || found.count > best.count) best = found;
    if (best.count > 0.9 * n) break;
  }
  if (!best || best.count < 13)
    fail("not-found", { atoms: n, indexed: best?.count ?? 0 }, "no atom has 12 neighbours as in fcc: is the structure fcc, the unit Å?");
  const { sites, indexed, count } = best!,
    order = rightHanded(best!.halves);
  const turned = new Int32Array(3 * n);
  for (let a = 0; a < n; a++)
    turned.set(
      order.map(([from, sign]) => sign * sites[3 * a + from]!),
      3 * a,
    );
  const { origin, halves } = leastSquares(positions, turned, indexed),
    displacements = new Float64Array(3 * n).fill(Number.NaN);
  let sum = 0;
  for (let a = 0; a < n; a++) {
    if (indexed[a] === 0) continue;
    for (let c = 0; c < 3; c++) {
      const u = positions[3 * a + c]! - origin[c]! - step(halves, turned, 3 * a, c);
      displacements[3 * a + c] = u;
      sum += u * u;
    }
  }
  return { origin, axes: halves.map((v) => 2 * v), sites: turned, indexed, count, displacements, rms: Math.sqrt(sum / count) };
}

/** Row-major halves of the axes, times indices. */
const step = (halves: Float64Array, n: ArrayLike<number>, at: number, c: number): number =>
  n[at]! * halves[c]! + n[at + 1]! * halves[3 + c]! + n[at + 2]! * halves[6 + c]!;

type Tree = ReturnType<typeof kdTree>;

/** Atoms whose 12 nearest come in opposite pairs, best first, with the halves of the cubic axes there. */
function rankedSeeds(positions: Float64Array, tree: Tree): { atom: number; halves: Float64Array }[] {
  const n = positions.length / 3,
    stride = Math.max(1, Math.floor(n / 2000)),
    ranked: { atom: number; score: number; bonds: number[][] }[] = [];
  for (let a = 0; a < n; a += stride) {
    const bonds = Array.from(tree.nearest(positions.subarray(3 * a, 3 * a + 3), 13).index)
      .filter((j) => j !== a)
      .slice(0, 12)
      .map((j) => [0, 1, 2].map((c) => positions[3 * j + c]! - positions[3 * a + c]!));
    const length = bonds.reduce((s, b) => s + Math.hypot(...b), 0) / 12;
    let score = 0;
    for (const b of bonds) score += Math.min(...bonds.map((o) => Math.hypot(b[0]! + o[0]!, b[1]! + o[1]!, b[2]! + o[2]!))) / length;
    ranked.push({ atom: a, score, bonds });
  }
  ranked.sort((x, y) => x.score - y.score || x.atom - y.atom);
  return ranked.slice(0, 32).flatMap(({ atom, bonds }) => {
    const halves = halvesOf(bonds);
    return halves ? [{ atom, halves }] : [];
  });
}

/** Three bonds at 60° to each other are b + c, a + c, a + b in halves of the cubic axes; the triple that is nearest to that. */
function halvesOf(bonds: readonly number[][]): Float64Array | undefined {
  const dot = (p: number[], q: number[]): number => p[0]! * q[0]! + p[1]! * q[1]! + p[2]! * q[2]!,
    d2 = bonds.reduce((s, b) => s + dot(b, b), 0) / bonds.length;
  let least = 0.3,
    triple: number[][] | undefined;
  for (let i = 0; i < bonds.length; i++)
    for (let j = 0; j < i; j++)
      for (let k = 0; k < j; k++) {
        const [p, q, r] = [bonds[i]!, bonds[j]!, bonds[k]!];
        const off = Math.max(
          ...[dot(p, q), dot(p, r), dot(q, r)].map((v) => Math.abs(v / d2 - 0.5)),
          ...[p, q, r].map((v) => Math.abs(dot(v, v) / d2 - 1)),
        );
        if (off < least) {
          least = off;
          triple = [p, q, r];
        }
      }
  if (!triple) return undefined;
  const [p, q, r] = triple as [number[], number[], number[]];
  return Float64Array.from([
    ...p.map((v, c) => q[c]! + r[c]! - v),
    ...q.map((v, c) => p[c]! + r[c]! - v),
    ...r.map((v, c) => p[c]! + q[c]! - v),
  ]).map((v) => v / 2);
}

interface Indexed {
  readonly sites: Int32Array;
  readonly indexed: Uint8Array;
  readonly count: number;
  readonly halves: Float64Array;
}

function indexFrom(positions: Float64Array, tree: Tree, seed: number, start: Float64Array, tolerance: number | undefined): Indexed {
  const n = positions.length / 3,
    sites = new Int32Array(3 * n),
    indexed = new Uint8Array(n),
    taken = new Set<string>(["0 0 0"]),
    queue = [seed];
  indexed[seed] = 1;
  let halves = start,
    refit = 13;
  for (let q = 0; q < queue.length; q++) {
    const a = queue[q]!;
    if (queue.length >= refit) {
      halves = leastSquares(positions, sites, indexed).halves;
      refit = 2 * queue.length;
    }
    const reach = tolerance ?? 0.25 * Math.hypot(...[0, 1, 2].map((c) => halves[c]! + halves[3 + c]!));
    for (const d of fccNeighbours) {
      const site = d.map((v, c) => sites[3 * a + c]! + v),
        key = site.join(" ");
      if (taken.has(key)) continue;
      const near = tree.nearest(
          [0, 1, 2].map((c) => positions[3 * a + c]! + step(halves, d, 0, c)),
          1,
        ),
        j = near.index[0]!;
      if (!(near.distance[0]! <= reach) || indexed[j] === 1) continue;
      indexed[j] = 1;
      sites.set(site, 3 * j);
      taken.add(key);
      queue.push(j);
    }
  }
  return { sites, indexed, count: queue.length, halves };
}

function leastSquares(positions: Float64Array, sites: Int32Array, indexed: Uint8Array): { origin: Float64Array; halves: Float64Array } {
  const rows = Array.from(indexed.keys()).filter((a) => indexed[a] === 1),
    data = new Float64Array(4 * rows.length);
  rows.forEach((a, r) => void data.set([1, sites[3 * a]!, sites[3 * a + 1]!, sites[3 * a + 2]!], 4 * r));
  const fits = [0, 1, 2].map((c) =>
    linearLeastSquares(
      { rows: rows.length, cols: 4, data },
      rows.map((a) => positions[3 * a + c]!),
    ),
  );
  return {
    origin: Float64Array.from(fits, (f) => f[0]!),
    halves: Float64Array.from({ length: 9 }, (_, t) => fits[t % 3]![1 + Math.floor(t / 3)]!),
  };
}

/** Which old axis, with which sign, becomes a, b, c: a along x as far as it goes, then b along y, c so that the set is right-handed. */
function rightHanded(h: Float64Array): [from: number, sign: number][] {
  const left = [0, 1, 2],
    out: [number, number][] = [];
  for (let c = 0; c < 3; c++) {
    left.sort((p, q) => Math.abs(h[3 * q + c]!) - Math.abs(h[3 * p + c]!));
    const from = left.shift()!;
    out.push([from, h[3 * from + c]! < 0 ? -1 : 1]);
  }
  const [a, b, c] = out.map(([f, s]) => [0, 1, 2].map((k) => s * h[3 * f + k]!)) as [number[], number[], number[]];
  const det = a[0]! * (b[1]! * c[2]! - b[2]! * c[1]!) - a[1]! * (b[0]! * c[2]! - b[2]! * c[0]!) + a[2]! * (b[0]! * c[1]! - b[1]! * c[0]!);
  if (det < 0) out[2]![1] *= -1;
  return out;
}
