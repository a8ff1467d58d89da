import { fail } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { element } from "../geometry/elements.js";
import { type AtomModel, model, modelFormula } from "./atoms.js";

/** Snapshots of a vibrating crystal: intensities are averaged over them. */
export interface Snapshots {
  readonly count: number;
  /** Atoms of snapshot i, standing still. The same i gives the same atoms, in any order of calls. */
  snapshot(i: number): AtomModel;
  /** Where the atoms would stand at rest: an atom keeps the slice of its rest position, or it would jump by a whole slice on a small move. */
  readonly rest?: AtomModel | undefined;
}

export interface PhononOptions {
  readonly configurations: number;
  readonly seed: number | string;
  /**
   * Mean square displacements: those of the model (default), one isotropic U for all atoms in Å², or one for each element by symbol. U = B/8π².
   */
  readonly u?: "model" | number | Readonly<Record<string, number>> | undefined;
  /** Displace along these axes of the box alone. Default "xyz". */
  readonly directions?: string | undefined;
}

/**
 * Einstein model of thermal vibrations: every atom moves by itself, normally distributed with its own displacement tensor. Displacements of atom j in
 * snapshot i depend on the seed, i and j alone.
 * @throws bad-value without displacements, or for mean squares that look like B or are negative
 * @see Loane, Xu & Silcox (1991) Acta Cryst. A47, 267
 */
export function frozenPhonons(m: AtomModel, options: PhononOptions): Snapshots {
  const { configurations, seed, u = "model", directions = "xyz" } = options;
  if (!(Number.isInteger(configurations) && configurations >= 1))
    fail("bad-value", { configurations }, "the number of configurations is a whole number of at least 1; 20 to 50 are usual");
  if (!/^[xyz]+$/.test(directions)) fail("bad-value", { directions }, "directions are some of x, y and z");
  const factors = factorsOf(m, u),
    base = rng(seed).fork("frozen phonons");
  const along = ["x", "y", "z"].map((d) => (directions.includes(d) ? 1 : 0));
  return {
    count: configurations,
    rest: m,
    snapshot: (i) => {
      if (!(Number.isInteger(i) && i >= 0 && i < configurations)) fail("out-of-range", { snapshot: i, configurations }, "no such snapshot");
      const g = base.fork(i),
        positions = m.positions.slice();
      for (let j = 0; j < m.atomicNumbers.length; j++) {
        const one = g.fork(j),
          [a, b, c] = [one.normal(), one.normal(), one.normal()],
          f = 6 * j;
        positions[3 * j]! += along[0]! * factors[f]! * a;
        positions[3 * j + 1]! += along[1]! * (factors[f + 1]! * a + factors[f + 2]! * b);
        positions[3 * j + 2]! += along[2]! * (factors[f + 3]! * a + factors[f + 4]! * b + factors[f + 5]! * c);
      }
      return model({ cell: m.cell, atomicNumbers: m.atomicNumbers, positions, occupancy: m.occupancy, charge: m.charge });
    },
  };
}

/**
 * Snapshots of your own, for example from molecular dynamics. Boxes and composition must agree; the order of the atoms need not.
 * @throws bad-shape, bad-value
 */
export function givenSnapshots(list: readonly AtomModel[]): Snapshots {
  const first = list[0] ?? fail("bad-value", {}, "at least one snapshot"),
    formula = modelFormula(first);
  for (const [i, s] of list.entries())
    if (modelFormula(s) !== formula || s.cell.some((v, k) => Math.abs(v - first.cell[k]!) > 1e-6 * Math.hypot(...first.cell)))
      fail("bad-shape", { snapshot: i, atoms: modelFormula(s), wanted: formula }, "all snapshots have the atoms and the box of the first");
  return {
    count: list.length,
    snapshot: (i) => list[i] ?? fail("out-of-range", { snapshot: i, count: list.length }, "no such snapshot"),
  };
}
/** A model that stands still, as the one snapshot of itself. */
export const still = (m: AtomModel): Snapshots => givenSnapshots([m]);

/** Lower triangular L with L Lᵀ = U: l11, l21, l22, l31, l32, l33 of every atom. */
function factorsOf(m: AtomModel, u: NonNullable<PhononOptions["u"]>): Float64Array {
  const n = m.atomicNumbers.length,
    out = new Float64Array(6 * n);
  if (u === "model" && !m.displacement)
    fail(
      "bad-value",
      { u },
      "the model has no displacements: pass u, the mean square displacement in Å² (0.006 for silicon at room temperature)",
    );
  for (let j = 0; j < n; j++) {
    const symbol = element(m.atomicNumbers[j]!)!.symbol;
    const iso =
      u === "model"
        ? undefined
        : typeof u === "number"
          ? u
          : (u[symbol] ?? fail("bad-value", { element: symbol, given: Object.keys(u) }, "give u for every element of the model"));
    if (iso !== undefined && !(iso >= 0 && iso < 0.5))
      fail("bad-value", { u: iso }, "u is a mean square displacement in Å², for example 0.006; a B factor divides by 8π² = 79");
    const [u11, u22, u33, u23, u13, u12] = iso === undefined ? m.displacement!.subarray(6 * j, 6 * j + 6) : [iso, iso, iso, 0, 0, 0];
    const l11 = Math.sqrt(Math.max(0, u11!)),
      l21 = l11 > 0 ? u12! / l11 : 0,
      l22 = Math.sqrt(Math.max(0, u22! - l21 * l21));
    const l31 = l11 > 0 ? u13! / l11 : 0,
      l32 = l22 > 0 ? (u23! - l31 * l21) / l22 : 0;
    out.set([l11, l21, l22, l31, l32, Math.sqrt(Math.max(0, u33! - l31 * l31 - l32 * l32))], 6 * j);
  }
  return out;
}
