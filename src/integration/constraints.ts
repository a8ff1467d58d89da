import { determinant, inverse, type Map3 } from "../core/frames.js";
import type { BravaisType } from "../geometry/bravais.js";
import { type CellParameters, cellParameters, type UnitCell, unitCell } from "../geometry/cell.js";
import { cellFromUB, reciprocalBasis } from "../geometry/metric.js";
import type { Orientation } from "./index-lattice.js";

/** What the symmetry leaves free in a cell. Monoclinic with unique axis b; trigonal on hexagonal axes. */
export type LatticeSystem = "triclinic" | "monoclinic" | "orthorhombic" | "tetragonal" | "hexagonal" | "rhombohedral" | "cubic";

/** Free cell parameters of a system: names, and the six parameters as functions of them. */
export interface CellConstraint {
  readonly system: LatticeSystem;
  readonly names: readonly string[];
  /** Free values of a cell; parameters that the symmetry makes equal are averaged. */
  free(cell: UnitCell): number[];
  /** All six parameters of free values. */
  expand(free: ArrayLike<number>): CellParameters;
}

const mean = (...v: number[]): number => v.reduce((s, x) => s + x, 0) / v.length;
const constraint = (
  system: LatticeSystem,
  names: string[],
  free: (c: UnitCell) => number[],
  expand: (f: ArrayLike<number>) => CellParameters,
): CellConstraint => ({
  system,
  names,
  free,
  expand,
}); // prettier-ignore

/** The constraint of a crystal system. */
export function cellConstraint(system: LatticeSystem): CellConstraint {
  switch (system) {
    case "cubic":
      return constraint(
        system,
        ["a"],
        (c) => [mean(c.a, c.b, c.c)],
        (f) => [f[0]!, f[0]!, f[0]!, 90, 90, 90],
      );
    case "tetragonal":
      return constraint(
        system,
        ["a", "c"],
        (c) => [mean(c.a, c.b), c.c],
        (f) => [f[0]!, f[0]!, f[1]!, 90, 90, 90],
      );
    case "hexagonal":
      return constraint(
        system,
        ["a", "c"],
        (c) => [mean(c.a, c.b), c.c],
        (f) => [f[0]!, f[0]!, f[1]!, 90, 90, 120],
      );
    case "rhombohedral":
      return constraint(
        system,
        ["a", "alpha"],
        (c) => [mean(c.a, c.b, c.c), mean(c.alphaDeg, c.betaDeg, c.gammaDeg)],
        (f) => [f[0]!, f[0]!, f[0]!, f[1]!, f[1]!, f[1]!],
      );
    case "orthorhombic":
      return constraint(
        system,
        ["a", "b", "c"],
        (c) => [c.a, c.b, c.c],
        (f) => [f[0]!, f[1]!, f[2]!, 90, 90, 90],
      );
    case "monoclinic":
      return constraint(
        system,
        ["a", "b", "c", "beta"],
        (c) => [c.a, c.b, c.c, c.betaDeg],
        (f) => [f[0]!, f[1]!, f[2]!, 90, f[3]!, 90],
      );
    case "triclinic":
      return constraint(
        system,
        ["a", "b", "c", "alpha", "beta", "gamma"],
        (c) => [...cellParameters(c)],
        (f) => [f[0]!, f[1]!, f[2]!, f[3]!, f[4]!, f[5]!],
      );
  }
}

/** The constraint of a cell that is known and stays as it is. */
export function fixedCell(cell: UnitCell): CellConstraint {
  return constraint(
    "triclinic",
    [],
    () => [],
    () => cellParameters(cell),
  );
}

/** The system whose constraint a Bravais type imposes on its conventional cell. */
export function systemOfBravais(bravais: BravaisType): LatticeSystem {
  const first = bravais[0]!;
  if (first === "a") return "triclinic";
  if (first === "m") return "monoclinic";
  if (first === "o") return "orthorhombic";
  if (first === "t") return "tetragonal";
  return first === "h" ? "hexagonal" : "cubic";
}

/** Cell of six parameters. */
export const cellOf = (p: CellParameters): UnitCell => unitCell(...p);

/**
 * Split an orientation matrix into the rotation U and the cell: UB = U·B with B of Busing & Levy. For a constrained cell U is the rotation
 * nearest to UB·B⁻¹ (polar decomposition by Newton's iteration, Higham 1986).
 */
export function splitOrientation(ub: Orientation, cell: UnitCell = cellFromUB(ub)): Map3<"sample", "crystal"> {
  const b = inverse(reciprocalBasis(cell));
  let u: Map3<"sample", "crystal"> = product(ub, b);
  for (let i = 0; i < 20; i++) {
    const it = inverse(u); // transposed below
    const next = u.map((v, k) => (v + it[((k % 3) * 3 + Math.floor(k / 3)) as 0]!) / 2) as unknown as Map3<"sample", "crystal">;
    const change = Math.max(...next.map((v, k) => Math.abs(v - u[k as 0]!)));
    u = next;
    if (change < 1e-15) break;
  }
  return determinant(u) > 0 ? u : (u.map((v) => -v) as unknown as Map3<"sample", "crystal">);
}

/** U·B as an orientation matrix. */
export function joinOrientation(u: Map3<"sample", "crystal">, cell: UnitCell): Orientation {
  return product(u, reciprocalBasis(cell));
}

function product<T extends Map3>(a: Map3, b: Map3): T {
  const out: number[] = [];
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++)
      out.push(a[(3 * i) as 0]! * b[j as 0]! + a[(3 * i + 1) as 1]! * b[(3 + j) as 3]! + a[(3 * i + 2) as 2]! * b[(6 + j) as 6]!);
  return out as unknown as T;
}
