import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { cartesianAdp } from "../geometry/adp.js";
import { element } from "../geometry/elements.js";
import { directBasis, type Mat3 } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { type AtomModel, boxAxes, model } from "./atoms.js";

/** R U Rᵀ for one tensor, in the order U11 U22 U33 U23 U13 U12. */
export function rotateTensor(u: ArrayLike<number>, at: number, r: Map3 | Mat3, out: Float64Array, to: number): void {
  const full = [u[at]!, u[at + 5]!, u[at + 4]!, u[at + 5]!, u[at + 1]!, u[at + 3]!, u[at + 4]!, u[at + 3]!, u[at + 2]!];
  const value = (i: number, j: number): number => {
    let s = 0;
    for (let k = 0; k < 3; k++) for (let l = 0; l < 3; l++) s += r[(3 * i + k) as 0] * full[3 * k + l]! * r[(3 * j + l) as 0];
    return s;
  };
  const six = [value(0, 0), value(1, 1), value(2, 2), value(1, 2), value(0, 2), value(0, 1)];
  out.set(six, to);
}

/**
 * The unit cell of a structure as a box: a along +x, b in the plane of the image, so the beam runs along −c* (c itself may lean).
 * Occupancies, displacement tensors and charges come along. For another direction see `orientedAtoms`.
 */
export function atomsFromStructure(s: Structure): AtomModel {
  const basis = directBasis(s.cell); // columns a, b, c on the crystal axes
  const rows = Float64Array.of(basis[0], basis[3], basis[6], basis[1], basis[4], basis[7], basis[2], basis[5], basis[8]);
  const r = boxAxes(rows);
  const cell = new Float64Array(9);
  for (let i = 0; i < 3; i++) rotateRow(r, rows, 3 * i, cell, 3 * i);
  cell[1] = cell[2] = cell[5] = 0;
  const images = expandToP1(s);
  const n = images.length;
  const atomicNumbers = new Uint8Array(n),
    positions = new Float64Array(3 * n),
    occupancy = new Float64Array(n),
    displacement = new Float64Array(6 * n),
    charge = Float64Array.from(images, (image) => s.atoms[image.atom]!.charge);
  images.forEach((image, i) => {
    const a = s.atoms[image.atom]!;
    atomicNumbers[i] = element(a.element)!.z;
    occupancy[i] = Math.min(1, a.occupancy);
    for (let k = 0; k < 3; k++) positions[3 * i + k] = image.xyz[0] * cell[k]! + image.xyz[1] * cell[3 + k]! + image.xyz[2] * cell[6 + k]!;
    if (image.uAniso) {
      const u = cartesianAdp(s.cell, image.uAniso);
      rotateTensor([u[0], u[4], u[8], u[5], u[2], u[1]], 0, r, displacement, 6 * i);
    } else displacement.fill(a.uIso, 6 * i, 6 * i + 3);
  });
  return model({
    cell,
    atomicNumbers,
    positions,
    occupancy: occupancy.some((o) => o < 1) ? occupancy : undefined,
    displacement: displacement.some((u) => u !== 0) ? displacement : undefined,
    charge: charge.some((c) => c !== 0) ? charge : undefined,
  });
}
export function rotateRow(r: Map3 | Mat3, from: ArrayLike<number>, at: number, out: Float64Array, to: number): void {
  const x = from[at]!,
    y = from[at + 1]!,
    z = from[at + 2]!;
  for (let i = 0; i < 3; i++) out[to + i] = r[(3 * i) as 0] * x + r[(3 * i + 1) as 1] * y + r[(3 * i + 2) as 2] * z;
}

/** A model of some of the atoms, in the order of `indices` (repetitions allowed). */
export function takeAtoms(m: AtomModel, indices: ArrayLike<number>): AtomModel {
  const n = indices.length;
  const pick = <T extends Float64Array | Uint8Array>(data: T, width: number): T => {
    const out = new (data.constructor as new (n: number) => T)(n * width);
    for (let i = 0; i < n; i++) for (let k = 0; k < width; k++) out[i * width + k] = data[indices[i]! * width + k]!;
    return out;
  };
  return model({
    cell: m.cell,
    atomicNumbers: pick(m.atomicNumbers, 1),
    positions: pick(m.positions, 3),
    occupancy: m.occupancy && pick(m.occupancy, 1),
    displacement: m.displacement && pick(m.displacement, 6),
    charge: m.charge && pick(m.charge, 1),
  });
}

/** Atoms above which a model is refused: with what a simulation keeps of them it would not fit the memory of a laptop. */
export const MAX_ATOMS = 20_000_000;

/**
 * Repetitions along a, b, c: the box grows, the spacing stays. Order of the atoms: whole cells, c slowest.
 * @throws bad-value, too-large
 */
export function repeatAtoms(m: AtomModel, [na, nb, nc]: readonly [number, number, number]): AtomModel {
  if (![na, nb, nc].every((k) => Number.isInteger(k) && k >= 1))
    fail("bad-value", { repetitions: [na, nb, nc] }, "repetitions are whole numbers of at least 1");
  const n = m.atomicNumbers.length,
    cells = na * nb * nc;
  if (n * cells > MAX_ATOMS)
    fail("too-large", { atoms: n * cells, limit: MAX_ATOMS }, `more than ${MAX_ATOMS / 1e6} million atoms: fewer repetitions, please`);
  const indices = new Uint32Array(n * cells);
  for (let i = 0; i < indices.length; i++) indices[i] = i % Math.max(1, n);
  const out = takeAtoms(m, indices);
  const { cell } = m,
    { positions } = out;
  let at = 0;
  for (let k = 0; k < nc; k++)
    for (let j = 0; j < nb; j++)
      for (let i = 0; i < na; i++) {
        const shift = [0, 1, 2].map((x) => i * cell[x]! + j * cell[3 + x]! + k * cell[6 + x]!);
        for (let atom = 0; atom < n; atom++, at += 3) for (let x = 0; x < 3; x++) positions[at + x]! += shift[x]!;
      }
  const times = [na, na, na, nb, nb, nb, nc, nc, nc];
  return model({ ...out, cell: cell.map((v, i) => v * times[i]!) });
}

/** Every atom folded into the cell in the plane (fractions along a and b in [0, 1)); z stays. */
export function wrapAtoms(m: AtomModel): AtomModel {
  const { cell } = m,
    positions = m.positions.slice();
  const det = cell[0]! * cell[4]! - cell[1]! * cell[3]!;
  for (let i = 0; i < positions.length; i += 3) {
    const x = positions[i]!,
      y = positions[i + 1]!;
    const u = wrapUnit((x * cell[4]! - y * cell[3]!) / det),
      v = wrapUnit((y * cell[0]! - x * cell[1]!) / det);
    positions[i] = u * cell[0]! + v * cell[3]!;
    positions[i + 1] = u * cell[1]! + v * cell[4]!;
  }
  return model({ ...m, positions });
}
const wrapUnit = (v: number): number => {
  const w = v - Math.floor(v);
  return w > 1 - 1e-12 ? 0 : w;
};
