import { fail } from "../core/errors.js";
import { element, parseAtomType } from "../geometry/elements.js";
import type { ComputemXyz, XyzFrame } from "../io/atoms-xyz.js";
import { type AtomModel, atomModel, boxAxes } from "./atoms.js";
import { rotateRow, rotateTensor } from "./atoms-build.js";

export interface FromXyzOptions {
  /** Rows a, b, c of the box in Å, for files without a Lattice. */
  readonly cell?: ArrayLike<number> | undefined;
  /** Without any cell: a rectangular box about the atoms with this much vacuum on every side, Å. */
  readonly vacuum?: number | undefined;
}

/**
 * Atoms of one frame of an .xyz file. The beam runs along +z of the file, as in abTEM; a cell whose a and b do not lie in the plane is turned
 * (`boxAxes`). Columns `occupancy`, `charge` (whole numbers) and `displacement` (U11 U22 U33 U23 U13 U12) or `u_iso` are taken when there.
 * @throws bad-file for a species that is no element; bad-value without a cell
 */
export function atomsFromXyz(frame: XyzFrame, { cell: given, vacuum }: FromXyzOptions = {}): AtomModel {
  const n = frame.species.length;
  const atoms = frame.species.map((s, i) => {
    const e = /^\d+$/.test(s) ? element(Number(s)) : element(parseAtomType(s)?.element ?? "");
    return e ? e.z : fail("bad-file", { atom: i, species: s }, "a species is an element symbol or an atomic number");
  });
  const rows = given ?? frame.lattice;
  let cell: ArrayLike<number>,
    positions = frame.positions.slice();
  let displacement = numbersOf(frame, "displacement", 6) ?? numbersOf(frame, "u_iso", 1);
  if (rows) {
    const stands = rows.length === 9 && rows[2] === 0 && rows[5] === 0 && rows[8]! > 0 && rows[0]! * rows[4]! - rows[1]! * rows[3]! > 0;
    if (stands) cell = rows;
    else {
      if (rows.length !== 9) fail("bad-shape", { length: rows.length }, "a cell holds the nine numbers of its rows a, b, c");
      const r = boxAxes(rows),
        turned = new Float64Array(9);
      for (let i = 0; i < 9; i += 3) rotateRow(r, rows, i, turned, i);
      for (const zero of [1, 2, 5]) turned[zero] = 0;
      cell = turned;
      const out = new Float64Array(3 * n);
      for (let i = 0; i < n; i++) rotateRow(r, positions, 3 * i, out, 3 * i);
      positions = out;
      if (displacement?.length === 6 * n) {
        const u = new Float64Array(6 * n);
        for (let i = 0; i < n; i++) rotateTensor(displacement, 6 * i, r, u, 6 * i);
        displacement = u;
      }
    }
  } else {
    if (!(vacuum !== undefined && vacuum >= 0))
      fail("bad-value", { atoms: n }, "this file names no Lattice: give `cell`, or `vacuum` in Å for a molecule in a box of its own");
    if (n === 0) fail("bad-value", { atoms: n }, "no atoms to make a box for");
    const low = [0, 1, 2].map((k) => positions.reduce((s, v, i) => (i % 3 === k ? Math.min(s, v) : s), Number.POSITIVE_INFINITY));
    const high = [0, 1, 2].map((k) => positions.reduce((s, v, i) => (i % 3 === k ? Math.max(s, v) : s), Number.NEGATIVE_INFINITY));
    const size = [0, 1, 2].map((k) => Math.max(0.1, high[k]! - low[k]! + 2 * vacuum!));
    cell = [size[0]!, 0, 0, 0, size[1]!, 0, 0, 0, size[2]!];
    positions = positions.map((v, i) => v - low[i % 3]! + vacuum!);
  }
  return atomModel({ cell, atoms, positions, occupancy: numbersOf(frame, "occupancy", 1), displacement, charge: formalCharges(frame) });
}
/** Whole charges; partial ones (of molecular dynamics) name no ion and are left out. */
function formalCharges(frame: XyzFrame): Float64Array | undefined {
  const c = numbersOf(frame, "charge", 1);
  return c?.every((v) => Number.isInteger(v) && Math.abs(v) <= 8) && c.some((v) => v !== 0) ? c : undefined;
}
function numbersOf(frame: XyzFrame, name: string, width: number): Float64Array | undefined {
  const c = frame.columns[name];
  return c && c.width === width && c.values instanceof Float64Array ? c.values.slice() : undefined;
}

/** Snapshots of a molecular-dynamics run: one model per frame, all of the same atoms. @throws bad-file when the atoms differ */
export function snapshotsFromXyz(frames: readonly XyzFrame[], options: FromXyzOptions = {}): readonly AtomModel[] {
  const models = frames.map((f) => atomsFromXyz(f, options));
  models.forEach((m, i) => {
    if (m.atomicNumbers.length !== models[0]!.atomicNumbers.length)
      fail(
        "bad-file",
        { frame: i, atoms: m.atomicNumbers.length, first: models[0]!.atomicNumbers.length },
        "every frame of a run holds the same atoms",
      );
    if (m.cell.some((v, k) => (k < 6 ? Math.abs(v - models[0]!.cell[k]!) > 1e-6 : false)))
      fail(
        "unsupported",
        { frame: i },
        "the box changes from frame to frame (constant pressure): all waves of an average need one grid; fix the cell with `cell`",
      );
  });
  return models;
}

/** Atoms of a computem (Prismatic) file; rms are the displacements along each axis. */
export function atomsFromComputem(c: ComputemXyz): AtomModel {
  return atomModel({
    cell: [c.box[0], 0, 0, 0, c.box[1], 0, 0, 0, c.box[2]],
    atoms: c.atomicNumbers,
    positions: c.positions,
    occupancy: c.occupancy.some((o) => o !== 1) ? c.occupancy : undefined,
    displacement: c.rms.some((v) => v !== 0) ? c.rms.map((v) => v * v) : undefined,
  });
}

/** A model as a frame for `writeAtomsXyz`, read back by {@link atomsFromXyz} to the last digit; ASE and OVITO read it too. */
export function atomsToXyz(m: AtomModel): XyzFrame {
  return {
    species: Array.from(m.atomicNumbers, (z) => element(z)!.symbol),
    positions: m.positions,
    lattice: m.cell,
    pbc: [true, true, false],
    columns: {
      ...(m.occupancy ? { occupancy: { kind: "real" as const, width: 1, values: m.occupancy } } : {}),
      ...(m.charge ? { charge: { kind: "real" as const, width: 1, values: m.charge } } : {}),
      ...(m.displacement ? { displacement: { kind: "real" as const, width: 6, values: m.displacement } } : {}),
    },
    info: {},
    comment: "",
  };
}
