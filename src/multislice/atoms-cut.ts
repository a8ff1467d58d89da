import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { inverse } from "../core/frames.js";
import type { Mat3 } from "../geometry/metric.js";
import { identity } from "../geometry/rotation.js";
import { type AtomModel, model } from "./atoms.js";
import { MAX_ATOMS, rotateTensor, takeAtoms } from "./atoms-build.js";
import { type Crystal, crystalCell } from "./atoms-orient.js";
import { type Triple, tripleOf } from "./vectors.js";

/** Whether a point (Å, from the centre of the box) belongs to the body. */
export type Inside = (x: number, y: number, z: number) => boolean;

export interface CutOptions {
  /** Size of the box, Å: width, height, thickness. */
  readonly box: Triple;
  /** Body to keep; default the whole box. */
  readonly inside?: Inside | undefined;
  /** From the crystal's axes (`atomsFromStructure`) to the box: `crystalRotation`. Default: none. */
  readonly rotation?: Map3 | undefined;
  /** Point of the crystal at the centre of the box, fractional. Default: the origin. */
  readonly centre?: Triple | undefined;
}

/**
 * A piece of crystal of any orientation in a rectangular box. The cut is not periodic: leave vacuum about it (`padAtoms`), or use
 * `orientedAtoms` for an endless crystal.
 * @throws too-large, bad-value
 */
export function cutCrystal(crystal: Crystal, { box, inside, rotation = identity(), centre = [0, 0, 0] }: CutOptions): AtomModel {
  if (!box.every((v) => v > 0 && Number.isFinite(v))) fail("bad-value", { box }, "box is three positive lengths in Å");
  const { atoms, rows } = crystalCell(crystal);
  const n = atoms.atomicNumbers.length;
  const turned = turnRows(rows, rotation);
  const volume = Math.abs(
    turned[0] * (turned[4] * turned[8] - turned[5] * turned[7]) -
      turned[1] * (turned[3] * turned[8] - turned[5] * turned[6]) +
      turned[2] * (turned[3] * turned[7] - turned[4] * turned[6]),
  );
  const expected = (n * box[0] * box[1] * box[2]) / volume;
  if (expected > MAX_ATOMS)
    fail(
      "too-large",
      { atoms: Math.round(expected), limit: MAX_ATOMS, box },
      `more than ${MAX_ATOMS / 1e6} million atoms: a smaller box, please`,
    );
  const inv = inverse(turned as Map3); // r = f·rows, so f = r·inv; columns of inv are the reciprocal vectors
  const base = Array.from({ length: n }, (_, i) => {
    const r = tripleOf(
      (k) =>
        rotation[(3 * k) as 0] * atoms.positions[3 * i]! +
        rotation[(3 * k + 1) as 1] * atoms.positions[3 * i + 1]! +
        rotation[(3 * k + 2) as 2] * atoms.positions[3 * i + 2]!,
    );
    return tripleOf((k) => {
      const f = r[0] * inv[k as 0] + r[1] * inv[(3 + k) as 3] + r[2] * inv[(6 + k) as 6] - centre[k]!;
      return f - Math.floor(f);
    });
  });
  const half = tripleOf((k) => box[k]! / 2);
  const reach = tripleOf(
    (k) => half[0] * Math.abs(inv[k as 0]) + half[1] * Math.abs(inv[(3 + k) as 3]) + half[2] * Math.abs(inv[(6 + k) as 6]),
  );
  const index: number[] = [],
    place: number[] = [];
  for (let k = Math.floor(-reach[2]) - 1; k <= Math.ceil(reach[2]); k++)
    for (let j = Math.floor(-reach[1]) - 1; j <= Math.ceil(reach[1]); j++)
      for (let i = Math.floor(-reach[0]) - 1; i <= Math.ceil(reach[0]); i++)
        for (let a = 0; a < n; a++) {
          const f = base[a]!,
            u = f[0] + i,
            v = f[1] + j,
            w = f[2] + k;
          const x = u * turned[0] + v * turned[3] + w * turned[6],
            y = u * turned[1] + v * turned[4] + w * turned[7],
            z = u * turned[2] + v * turned[5] + w * turned[8];
          // Half open, with a hair's breadth of slack: atoms on the upper face belong to the next box.
          if (x < -half[0] - 1e-9 || y < -half[1] - 1e-9 || z < -half[2] - 1e-9) continue;
          if (x >= half[0] - 1e-9 || y >= half[1] - 1e-9 || z >= half[2] - 1e-9) continue;
          if (inside && !inside(x, y, z)) continue;
          index.push(a);
          place.push(x + half[0], y + half[1], Math.max(0, z + half[2]));
        }
  const cell = Float64Array.of(box[0], 0, 0, 0, box[1], 0, 0, 0, box[2]);
  const taken = takeAtoms({ ...atoms, cell }, index);
  const displacement = taken.displacement?.slice();
  if (displacement) for (let i = 0; i < index.length; i++) rotateTensor(taken.displacement!, 6 * i, rotation, displacement, 6 * i);
  return model({ ...taken, positions: Float64Array.from(place), displacement });
}
const turnRows = (rows: Mat3, r: Map3): Mat3 =>
  [0, 3, 6].flatMap((o) =>
    [0, 1, 2].map(
      (k) => r[(3 * k) as 0] * rows[o as 0] + r[(3 * k + 1) as 1] * rows[(o + 1) as 1] + r[(3 * k + 2) as 2] * rows[(o + 2) as 2],
    ),
  ) as unknown as Mat3;

/** The atoms for which `keep` holds (position in Å, atomic number, index); the box stays. */
export function filterAtoms(
  m: AtomModel,
  keep: (x: number, y: number, z: number, atomicNumber: number, index: number) => boolean,
): AtomModel {
  const index: number[] = [];
  m.atomicNumbers.forEach((a, i) => {
    if (keep(m.positions[3 * i]!, m.positions[3 * i + 1]!, m.positions[3 * i + 2]!, a, i)) index.push(i);
  });
  return takeAtoms(m, index);
}

export interface Padding {
  /** Vacuum upstream of the atoms (z < 0 side) and downstream, Å. */
  readonly above?: number | undefined;
  readonly below?: number | undefined;
  /** Vacuum on every side in the plane, Å; the crystal is then no longer periodic. Rectangular boxes keep their shape. */
  readonly sides?: number | undefined;
}
/** A larger box about the same atoms. */
export function padAtoms(m: AtomModel, { above = 0, below = 0, sides = 0 }: Padding): AtomModel {
  for (const [field, v] of Object.entries({ above, below, sides }))
    if (!(v >= 0 && Number.isFinite(v))) fail("bad-value", { [field]: v }, "vacuum is a length in Å, not negative");
  const { cell } = m;
  const out = cell.slice();
  const area = cell[0]! * cell[4]! - cell[1]! * cell[3]!;
  const la = Math.hypot(cell[0]!, cell[1]!),
    lb = Math.hypot(cell[3]!, cell[4]!);
  // The height over b grows by 2·sides when a grows by 2·sides/sin γ.
  const sin = area / (la * lb);
  const ga = 1 + (2 * sides) / (sin * la),
    gb = 1 + (2 * sides) / (sin * lb);
  for (let k = 0; k < 2; k++) {
    out[k] = cell[k]! * ga;
    out[3 + k] = cell[3 + k]! * gb;
  }
  const gz = 1 + (above + below) / cell[8]!;
  for (let k = 6; k < 9; k++) out[k] = cell[k]! * gz;
  const shift = [0, 1].map((k) => (out[k]! - cell[k]! + out[3 + k]! - cell[3 + k]!) / 2);
  const positions = m.positions.map((v, i) => v + (i % 3 === 2 ? above : shift[i % 3]!));
  return model({ ...m, cell: out, positions });
}

/** Put models into one box (of the first); atoms of later ones are added with their own coordinates plus `shift`. */
export function joinAtoms(first: AtomModel, ...others: readonly { readonly atoms: AtomModel; readonly shift?: Triple }[]): AtomModel {
  const all = [{ atoms: first, shift: [0, 0, 0] as Triple }, ...others.map((o) => ({ shift: [0, 0, 0] as Triple, ...o }))];
  const n = all.reduce((s, o) => s + o.atoms.atomicNumbers.length, 0);
  const atomicNumbers = new Uint8Array(n),
    positions = new Float64Array(3 * n),
    occupancy = new Float64Array(n).fill(1),
    displacement = new Float64Array(6 * n),
    charge = new Float64Array(n);
  let at = 0;
  for (const { atoms, shift } of all) {
    atomicNumbers.set(atoms.atomicNumbers, at);
    positions.set(
      atoms.positions.map((v, i) => v + shift[i % 3]!),
      3 * at,
    );
    if (atoms.occupancy) occupancy.set(atoms.occupancy, at);
    if (atoms.displacement) displacement.set(atoms.displacement, 6 * at);
    if (atoms.charge) charge.set(atoms.charge, at);
    at += atoms.atomicNumbers.length;
  }
  return model({
    cell: first.cell,
    atomicNumbers,
    positions,
    occupancy: all.some((o) => o.atoms.occupancy) ? occupancy : undefined,
    displacement: all.some((o) => o.atoms.displacement) ? displacement : undefined,
    charge: all.some((o) => o.atoms.charge) ? charge : undefined,
  });
}
