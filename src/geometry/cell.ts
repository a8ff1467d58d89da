import { fail } from "../core/errors.js";
import { printable } from "../core/inspect.js";

/** Unit cell: lengths in Å, angles in degrees (as every cell file writes them), volume in Å³. Immutable. */
export interface UnitCell {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly alphaDeg: number;
  readonly betaDeg: number;
  readonly gammaDeg: number;
  readonly volume: number;
}

/** Degrees of freedom of a cell as a flat tuple: a b c (Å) alpha beta gamma (degrees). */
export type CellParameters = readonly [a: number, b: number, c: number, alphaDeg: number, betaDeg: number, gammaDeg: number];

/** cos of degrees, exact at 60, 90 and 120: an orthogonal or hexagonal cell must give exact zeros and halves. */
export function cosDeg(deg: number): number {
  if (deg === 90) return 0;
  if (deg === 120) return -0.5;
  if (deg === 60) return 0.5;
  return Math.cos((deg * Math.PI) / 180);
}

const text = (x: number): string => String(Number(x.toFixed(5)));

/** @throws bad-cell when the six numbers cannot close a parallelepiped. */
export function unitCell(a: number, b: number, c: number, alphaDeg = 90, betaDeg = 90, gammaDeg = 90): UnitCell {
  const ca = cosDeg(alphaDeg),
    cb = cosDeg(betaDeg),
    cg = cosDeg(gammaDeg);
  const gram = 1 - ca * ca - cb * cb - cg * cg + 2 * ca * cb * cg;
  const angles = [alphaDeg, betaDeg, gammaDeg];
  const finite = [a, b, c].every((x) => x > 0 && Number.isFinite(x)) && angles.every((x) => x > 0 && x < 180);
  // Three angles below 3.2° would close, but no lattice is measured so: they are radians.
  const radians = angles.every((x) => x > 0 && x < 3.2);
  if (!(finite && gram > 0) || radians) {
    fail(
      "bad-cell",
      { a, b, c, alphaDeg, betaDeg, gammaDeg },
      radians
        ? "angles are in degrees, and these look like radians"
        : "lengths are positive, in Å; angles are in degrees and must close a parallelepiped",
    );
  }
  return printable(
    { a, b, c, alphaDeg, betaDeg, gammaDeg, volume: a * b * c * Math.sqrt(gram) },
    (k) =>
      `UnitCell(${text(k.a)} ${text(k.b)} ${text(k.c)} Å, ${text(k.alphaDeg)} ${text(k.betaDeg)} ${text(k.gammaDeg)}°, ${k.volume.toFixed(1)} Å³)`,
  );
}

/** The six parameters in the order of every cell file. */
export function cellParameters(cell: UnitCell): CellParameters {
  return [cell.a, cell.b, cell.c, cell.alphaDeg, cell.betaDeg, cell.gammaDeg];
}

/** Largest relative difference of two cells: lengths by themselves, angles against a radian. */
export function cellDifference(a: UnitCell, b: UnitCell): number {
  const p = cellParameters(a),
    q = cellParameters(b);
  return Math.max(...[0, 1, 2].map((i) => Math.abs(q[i]! / p[i]! - 1)), ...[3, 4, 5].map((i) => (Math.abs(q[i]! - p[i]!) * Math.PI) / 180));
}
