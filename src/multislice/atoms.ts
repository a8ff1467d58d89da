import { fail } from "../core/errors.js";
import { determinant, type Map3 } from "../core/frames.js";
import { printable } from "../core/inspect.js";
import { element } from "../geometry/elements.js";

/**
 * Atoms in the box of a multislice simulation. Frame "box": **the electrons travel along +z**, x points to the right and y down the rows of an
 * image, so that box = (x, −y, −z) of the lab frame (a half turn about x; abTEM's frame). Periodic along a and b, never along z.
 * Plain data: survives postMessage.
 */
export interface AtomModel {
  /** Rows a, b, c in Å, shape [3, 3]. a and b lie in the plane z = 0; c points downstream (c_z > 0) and may lean. c_z is the thickness. */
  readonly cell: Float64Array;
  /** Shape [n]. */
  readonly atomicNumbers: Uint8Array;
  /** Cartesian, Å, shape [n, 3]. Atoms belong between z = 0 and c_z; in the plane they may lie anywhere. */
  readonly positions: Float64Array;
  /** Shape [n]; absent means 1. Sites shared by elements are listed once per element. */
  readonly occupancy?: Float64Array | undefined;
  /** Mean square displacements U11 U22 U33 U23 U13 U12 on the axes of the box, Å², shape [n, 6]; absent means at rest. */
  readonly displacement?: Float64Array | undefined;
  /** Formal charges, e, shape [n]; absent means neutral. Potentials take neutral atoms unless told (`ions`). */
  readonly charge?: Float64Array | undefined;
}

/** What an {@link AtomModel} is made from. */
export interface AtomModelInput {
  readonly cell: ArrayLike<number>;
  /** Atomic numbers, or element symbols. */
  readonly atoms: ArrayLike<number> | readonly string[];
  readonly positions: ArrayLike<number>;
  readonly occupancy?: ArrayLike<number> | undefined;
  /** Shape [n, 6], or [n] for isotropic mean squares. */
  readonly displacement?: ArrayLike<number> | undefined;
  /** Formal charges, e, shape [n]. */
  readonly charge?: ArrayLike<number> | undefined;
}

const sameLength = (name: string, length: number, n: number): void => {
  if (length !== n) fail("bad-shape", { [name]: length, wanted: n }, `${name} does not fit the number of atoms`);
};
const finite = (name: string, values: ArrayLike<number>): Float64Array => {
  const out = Float64Array.from(values);
  const bad = out.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) fail("bad-value", { field: name, index: bad, value: out[bad] }, `${name} must be finite numbers`);
  return out;
};

/**
 * A checked model. The box must stand as {@link AtomModel} says; `boxAxes` turns any cell so.
 * @throws bad-shape, bad-cell, bad-value for non-finite numbers, unknown elements, occupancies outside 0…1, tensors that are no ellipsoid
 */
export function atomModel(given: AtomModelInput): AtomModel {
  const n = given.atoms.length;
  const cell = finite("cell", given.cell);
  sameLength("cell", cell.length, 9);
  const size = Math.hypot(...cell);
  if (
    Math.abs(cell[2]!) + Math.abs(cell[5]!) > 1e-9 * size ||
    !(cell[8]! > 0) ||
    !(determinant([...cell] as unknown as Map3) > 1e-12 * size)
  )
    fail("bad-cell", { cell: [...cell] }, "rows a and b lie in the plane z = 0, a × b and c point along +z, nothing is flat: see boxAxes");
  cell[2] = 0;
  cell[5] = 0;
  const positions = finite("positions", given.positions);
  sameLength("positions", positions.length, 3 * n);
  const atomicNumbers = Uint8Array.from({ length: n }, (_, i) => {
    const a = given.atoms[i]!;
    const e = typeof a === "string" ? element(a) : Number.isInteger(a) ? element(a) : undefined;
    return e ? e.z : fail("bad-value", { atom: i, element: a }, "an atom is an element symbol or an atomic number");
  });
  const occupancy = given.occupancy && finite("occupancy", given.occupancy);
  if (occupancy) {
    sameLength("occupancy", occupancy.length, n);
    const bad = occupancy.findIndex((o) => !(o >= 0 && o <= 1.001));
    if (bad >= 0) fail("bad-value", { atom: bad, occupancy: occupancy[bad] }, "occupancy runs from 0 to 1");
  }
  const displacement = given.displacement && tensors(finite("displacement", given.displacement), n);
  const charge = given.charge && finite("charge", given.charge);
  if (charge) {
    sameLength("charge", charge.length, n);
    const bad = charge.findIndex((c) => !(Number.isInteger(c) && Math.abs(c) <= 8));
    if (bad >= 0) fail("bad-value", { atom: bad, charge: charge[bad] }, "formal charges are whole numbers, for example 2 or −2");
  }
  return model({ cell, atomicNumbers, positions, occupancy, displacement, charge });
}

/** Tensors from isotropic or full values. @throws bad-shape, bad-value */
function tensors(u: Float64Array, n: number): Float64Array {
  const isotropic = u.length === n && n > 0;
  if (!isotropic) sameLength("displacement", u.length, 6 * n);
  const out = isotropic ? new Float64Array(6 * n) : u;
  if (isotropic) for (let i = 0; i < n; i++) out.fill(u[i]!, 6 * i, 6 * i + 3);
  for (let i = 0; i < n; i++) {
    const [a, b, c, f, e, d] = out.subarray(6 * i, 6 * i + 6) as unknown as [number, number, number, number, number, number];
    const slack = 1e-9 * (Math.abs(a) + Math.abs(b) + Math.abs(c)) + 1e-15;
    const minors = a >= -slack && b >= -slack && c >= -slack && a * b - d * d >= -slack * (a + b) && a * c - e * e >= -slack * (a + c);
    const det = a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e);
    if (!(minors && b * c - f * f >= -slack * (b + c) && det >= -slack * (a + b + c) ** 2))
      fail(
        "bad-value",
        { atom: i, u: [a, b, c, f, e, d] },
        "U11 U22 U33 U23 U13 U12 in Å² must be an ellipsoid: no mean square is negative",
      );
  }
  return out;
}

/** A model from arrays that are known to be good. Not for users. */
export function model(m: AtomModel): AtomModel {
  const { cell, atomicNumbers, positions, occupancy, displacement, charge } = m,
    known = { ...(occupancy ? { occupancy } : {}), ...(displacement ? { displacement } : {}), ...(charge ? { charge } : {}) };
  return printable(
    { cell, atomicNumbers, positions, ...known },
    (k) => `AtomModel(${modelFormula(k)}, box ${boxText(k)} Å, ${k.cell[8]!.toFixed(2)} Å thick)`,
  );
}
const boxText = ({ cell: c }: AtomModel): string => {
  const a = Math.hypot(c[0]!, c[1]!),
    b = Math.hypot(c[3]!, c[4]!);
  const gamma = (Math.acos(Math.max(-1, Math.min(1, (c[0]! * c[3]! + c[1]! * c[4]!) / (a * b)))) * 180) / Math.PI;
  return `${a.toFixed(2)} × ${b.toFixed(2)}${Math.abs(gamma - 90) < 1e-6 ? "" : ` (γ ${gamma.toFixed(2)}°)`}`;
};

/** Number of atoms of each element, occupancies counted, heaviest first: "Sr4 Ti4 O12". */
export function modelFormula({ atomicNumbers, occupancy }: AtomModel): string {
  const sums = new Map<number, number>();
  atomicNumbers.forEach((z, i) => {
    sums.set(z, (sums.get(z) ?? 0) + (occupancy?.[i] ?? 1));
  });
  return [...sums]
    .sort((p, q) => q[0] - p[0])
    .map(([z, n]) => `${element(z)!.symbol}${Number(n.toFixed(2))}`)
    .join(" ");
}
/** Thickness of the box, Å. */
export const thicknessOf = (m: AtomModel): number => m.cell[8]!;

/**
 * Rotation that turns a cell into the attitude of a box: a along +x, b in the plane z = 0 with b_y > 0, c_z > 0.
 * @param cell - rows a, b, c, right-handed, Å, shape [3, 3]
 * @returns row-major: r(box) = R·r
 * @throws bad-cell for a left-handed or flat cell
 */
export function boxAxes(cell: ArrayLike<number>): Map3 {
  const row = (i: number): [number, number, number] => [cell[3 * i]!, cell[3 * i + 1]!, cell[3 * i + 2]!];
  const [a, b, c] = [row(0), row(1), row(2)];
  const cross = (p: readonly number[], q: readonly number[]): [number, number, number] => [
    p[1]! * q[2]! - p[2]! * q[1]!,
    p[2]! * q[0]! - p[0]! * q[2]!,
    p[0]! * q[1]! - p[1]! * q[0]!,
  ];
  const n = cross(a, b);
  const la = Math.hypot(...a),
    ln = Math.hypot(...n);
  const volume = n[0] * c[0] + n[1] * c[1] + n[2] * c[2];
  if (!(volume > 1e-12 * la * ln)) fail("bad-cell", { cell: Array.from(cell) }, "a, b, c must be right-handed and not lie in one plane");
  const x = a.map((v) => v / la),
    z = n.map((v) => v / ln),
    y = cross(z, x);
  return [x[0]!, x[1]!, x[2]!, y[0], y[1], y[2], z[0]!, z[1]!, z[2]!];
}
