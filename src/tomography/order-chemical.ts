import { fail } from "../core/errors.js";
import { type FccLattice, fccNeighbours } from "./order-lattice.js";

/** A variant of chemical order on fcc. L1_0: planes normal to an axis alternate. L1_2: one of four simple cubic sublattices is minority. */
export interface OrderVariant {
  readonly kind: "L1_0" | "L1_2";
  /** L1_0: 0, 1, 2 for c along a, b, c. L1_2: species of the corners, 0 for AB₃ and 1 for A₃B. */
  readonly orientation: 0 | 1 | 2;
  /** Anti-phase: which planes (0, 1) hold species 0; which sublattice (0 … 3) holds the corners. */
  readonly phase: number;
}

/** The 6 + 4 + 4 variants in the order of the columns of `ChemicalOrder.s`. */
export const orderVariants: readonly OrderVariant[] = [
  ...([0, 1, 2] as const).flatMap((orientation) => [0, 1].map((phase) => ({ kind: "L1_0" as const, orientation, phase }))),
  ...([0, 1] as const).flatMap((orientation) => [0, 1, 2, 3].map((phase) => ({ kind: "L1_2" as const, orientation, phase }))),
];

/** Species that a variant puts on site i j k. */
export function variantSpecies({ kind, orientation, phase }: OrderVariant, i: number, j: number, k: number): 0 | 1 {
  const odd = [i & 1, j & 1, k & 1] as const;
  if (kind === "L1_0") return (odd[orientation] ^ phase) as 0 | 1;
  const sublattice = odd[0] === 0 && odd[1] === 0 ? 0 : odd[2] === 0 ? 1 : odd[1] === 0 ? 2 : 3;
  return (sublattice === phase ? orientation : 1 - orientation) as 0 | 1;
}

export interface ChemicalOrder {
  /** S of every atom for every variant, [n, 14]: 1 perfect, about 0 random; NaN where not indexed or with too few neighbours. */
  readonly s: Float64Array;
  /** Variant of greatest S, index into {@link orderVariants}; −1 where that is below the threshold. */
  readonly variant: Int8Array;
  /** Connected atoms of one variant share a number, the largest grain is 0; −1 without. */
  readonly grain: Int32Array;
  /** Atoms of each grain. */
  readonly grainSizes: readonly number[];
  /** Atoms whose species is not what their variant wants. */
  readonly antisites: readonly number[];
  /** Neighbouring anti-sites of both species: the two atoms have changed places. */
  readonly swaps: readonly (readonly [number, number])[];
  /**
   * Atoms at an anti-phase boundary: both phases of one kind and orientation among the 18 sites around, in grains of at least 13 atoms. The
   * boundary of an L1_0 crystal is itself two planes of another variant (c along a, displaced across k: c along b), so the phases seldom touch.
   */
  readonly antiphase: readonly number[];
}

/**
 * Order of two species on an fcc lattice. f: Gaussian-weighted fraction of a site and its neighbours that a variant predicts; f_rand: that
 * fraction for the same composition without order; S = (f − f_rand)/(1 − f_rand).
 * @param species - 0 or 1 per atom; join more species into two before
 * @param threshold - of S (default 0.3, after Zhou et al. 2019)
 * @param shells - 1: the 12 nearest neighbours (default); 2: and the 6 at a lattice constant
 * @param sigma - of the weights, in distances of nearest neighbours (default 1)
 * @param averages - how often S is averaged over a site and its neighbours before the greatest is taken (default 1). With 0 no anti-site is
 *   ever found: an anti-site of L1_0 and its 12 neighbours are those of a perfect L1_2 site, and the reverse
 * @param leastNeighbours - a site with fewer is not judged (default 6)
 * @see Yang et al. (2017) Nature 542, 75; Zhou et al. (2019) Nature 570, 500
 */
export function chemicalOrder(
  { sites, indexed }: Pick<FccLattice, "sites" | "indexed">,
  species: ArrayLike<number>,
  {
    threshold = 0.3,
    shells = 1,
    sigma = 1,
    averages = 1,
    leastNeighbours = 6,
  }: {
    readonly threshold?: number | undefined;
    readonly shells?: 1 | 2 | undefined;
    readonly sigma?: number | undefined;
    readonly averages?: number | undefined;
    readonly leastNeighbours?: number | undefined;
  } = {},
): ChemicalOrder {
  const n = indexed.length,
    count = orderVariants.length;
  if (species.length !== n) fail("bad-shape", { species: species.length, atoms: n }, "one species per atom");
  for (let a = 0; a < n; a++)
    if (species[a] !== 0 && species[a] !== 1)
      fail("bad-value", { atom: a, species: species[a] }, "order is defined for species 0 and 1; join species that share a sublattice");
  if (!(sigma > 0)) fail("bad-value", { sigma }, "sigma is above 0, in distances of nearest neighbours");
  if (!(threshold > 0 && threshold < 1)) fail("bad-value", { threshold }, "the threshold of S lies between 0 and 1");
  const at = new Map<string, number>(),
    key = (i: number, j: number, k: number): string => `${i} ${j} ${k}`;
  for (let a = 0; a < n; a++) if (indexed[a] === 1) at.set(key(sites[3 * a]!, sites[3 * a + 1]!, sites[3 * a + 2]!), a);
  const second = [-2, 2].flatMap((v) => [[v, 0, 0] as const, [0, v, 0] as const, [0, 0, v] as const]),
    kernel = [[0, 0, 0] as const, ...fccNeighbours, ...(shells === 2 ? second : [])].map((d) => {
      const r2 = (d[0] ** 2 + d[1] ** 2 + d[2] ** 2) / 2;
      return { d, weight: Math.exp((-0.5 * r2) / sigma ** 2), near: r2 === 1 };
    });
  const s = new Float64Array(n * count).fill(Number.NaN),
    variant = new Int8Array(n).fill(-1),
    bonds: (readonly number[])[] = [];
  for (let a = 0; a < n; a++) {
    const mine: number[] = [];
    bonds.push(mine);
    if (indexed[a] === 0) continue;
    const [i, j, k] = [sites[3 * a]!, sites[3 * a + 1]!, sites[3 * a + 2]!],
      hit = new Float64Array(count),
      ones = new Float64Array(count);
    let total = 0,
      light = 0;
    for (const { d, weight, near } of kernel) {
      const [x, y, z] = [i + d[0], j + d[1], k + d[2]],
        b = at.get(key(x, y, z));
      if (b === undefined) continue;
      if (near) mine.push(b);
      total += weight;
      light += weight * species[b]!;
      for (let v = 0; v < count; v++) {
        const wanted = variantSpecies(orderVariants[v]!, x, y, z);
        ones[v]! += weight * wanted;
        if (wanted === species[b]) hit[v]! += weight;
      }
    }
    if (mine.length < leastNeighbours) continue;
    for (let v = 0; v < count; v++) {
      const p = ones[v]! / total,
        c = light / total,
        random = p * c + (1 - p) * (1 - c);
      s[a * count + v] = random < 1 - 1e-12 ? (hit[v]! / total - random) / (1 - random) : 0;
    }
  }
  const mean = averages > 0 ? smoothed(s, bonds, averages) : s;
  for (let a = 0; a < n; a++)
    for (let v = 0, best = threshold; v < count; v++)
      if (mean[a * count + v]! >= best) {
        best = mean[a * count + v]!;
        variant[a] = v;
      }
  const grains = grainsOf(variant, bonds),
    around = (a: number): number[] =>
      [
        ...bonds[a]!,
        ...second.map((d) => at.get(key(sites[3 * a]! + d[0], sites[3 * a + 1]! + d[1], sites[3 * a + 2]! + d[2])) ?? -1),
      ].filter((b) => b >= 0 && grains.grain[b]! >= 0 && grains.grainSizes[grains.grain[b]!]! >= 13);
  const antiphase = Array.from(variant.keys()).filter((a) => {
    if (indexed[a] === 0) return false;
    const seen = new Map<string, number>();
    return around(a).some((b) => {
      const { kind, orientation, phase } = orderVariants[variant[b]!]!,
        of = `${kind} ${orientation}`,
        other = seen.get(of);
      if (other === undefined) seen.set(of, phase);
      return other !== undefined && other !== phase;
    });
  });
  return { s, variant, ...grains, ...misplaced(sites, species, variant, bonds), antiphase };
}

/** Means of S over a site and its neighbours, as often as asked. */
function smoothed(s: Float64Array, bonds: readonly (readonly number[])[], times: number): Float64Array {
  const count = orderVariants.length;
  let from = s;
  for (let t = 0; t < times; t++) {
    const out = new Float64Array(s.length).fill(Number.NaN);
    bonds.forEach((list, a) => {
      const rows = [a, ...list].filter((b) => !Number.isNaN(from[b * count]!));
      if (Number.isNaN(from[a * count]!)) return;
      for (let v = 0; v < count; v++) out[a * count + v] = rows.reduce((m, b) => m + from[b * count + v]! / rows.length, 0);
    });
    from = out;
  }
  return from;
}

function grainsOf(variant: Int8Array, bonds: readonly (readonly number[])[]): { grain: Int32Array; grainSizes: number[] } {
  const label = new Int32Array(variant.length).fill(-1),
    sizes: number[] = [];
  for (let a = 0; a < variant.length; a++) {
    if (variant[a]! < 0 || label[a]! >= 0) continue;
    const stack = [a];
    label[a] = sizes.length;
    let size = 0;
    for (let b = stack.pop(); b !== undefined; b = stack.pop()) {
      size++;
      for (const c of bonds[b]!)
        if (variant[c] === variant[a] && label[c]! < 0) {
          label[c] = sizes.length;
          stack.push(c);
        }
    }
    sizes.push(size);
  }
  const order = Array.from(sizes.keys()).sort((p, q) => sizes[q]! - sizes[p]! || p - q),
    rank = new Int32Array(sizes.length);
  for (const [r, g] of order.entries()) rank[g] = r;
  return { grain: label.map((g) => (g < 0 ? -1 : rank[g]!)), grainSizes: order.map((g) => sizes[g]!) };
}

function misplaced(
  sites: Int32Array,
  species: ArrayLike<number>,
  variant: Int8Array,
  bonds: readonly (readonly number[])[],
): Pick<ChemicalOrder, "antisites" | "swaps"> {
  const wrong = Uint8Array.from(variant, (v, a) =>
    v >= 0 && variantSpecies(orderVariants[v]!, sites[3 * a]!, sites[3 * a + 1]!, sites[3 * a + 2]!) !== species[a] ? 1 : 0,
  );
  const swaps: [number, number][] = [];
  bonds.forEach((list, a) => {
    for (const b of list) {
      if (b > a && variant[a] === variant[b] && wrong[a] === 1 && wrong[b] === 1 && species[a] !== species[b]) swaps.push([a, b]);
    }
  });
  return { antisites: Array.from(wrong.keys()).filter((a) => wrong[a] === 1), swaps };
}
