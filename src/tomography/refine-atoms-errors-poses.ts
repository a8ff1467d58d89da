import { cholesky } from "../numerics/cholesky.js";
import { matrix } from "../numerics/matrix.js";
import { type ArrowMatrix, type ArrowSolver, arrowSolver, conjugateGradients, invertLower } from "./refine-atoms-solve.js";
import type { AtomSystem } from "./refine-atoms-system.js";

/** How well each response of the atoms to a pose is solved for. */
const TOLERANCE = 0.5;

/** Solves for the atoms alone: what belongs to views and to all atoms is held by a damping beyond all information. */
export function atomsAlone(system: AtomSystem, arrow: ArrowMatrix, damping: Float64Array): ArrowSolver {
  const held = damping.slice();
  held.fill(1e30, system.layout.viewsAt);
  return arrowSolver(system, { ...arrow, coupling: undefined }, held);
}

/**
 * What unknown poses add to the covariance blocks of the atoms. With A the normal matrix of the atoms, B the coupling and C that of the poses,
 * the inverse has the blocks A⁻¹ + X S⁻¹ Xᵀ, X = A⁻¹ B, S = C − Bᵀ X. Poses move all atoms together, so this part has large entries far from its
 * diagonal, which random probes estimate badly; it is small in rank and is got by one solution per number of the poses. The solutions X may be rough:
 * S is taken as C − Bᵀ X − Xᵀ B + Xᵀ A X, whose error is of second order in theirs (1,714 atoms, 41 views: bars within 0.2 % of those from X five times finer).
 * @returns f64 [n, q, q]
 */
export async function poseCovariance(system: AtomSystem, full: ArrowSolver, alone: ArrowSolver, p: number, coupling: Float64Array) {
  const { n, q, size } = system.layout,
    rows = n * q,
    X = new Float64Array(rows * p),
    S = full.poses.slice(),
    b = new Float64Array(size),
    column = new Float64Array(p);
  for (let c = 0; c < p; c++) {
    for (let i = 0; i < rows; i++) b[i] = coupling[i * p + c]!;
    const { x, rest } = await conjugateGradients(alone, b, { tolerance: TOLERANCE, most: 40 });
    for (let i = 0; i < rows; i++) X[i * p + c] = x[i]!;
    // Column c of the symmetric S from its diagonal up: A x = b − rest.
    column.fill(0);
    for (let i = 0; i < rows; i++) {
      const xi = x[i]!,
        ri = rest[i]!;
      for (let r = 0, o = i * p; r <= c; r++, o++) column[r]! += coupling[o]! * xi + X[o]! * ri;
    }
    for (let r = 0; r <= c; r++) S[r * p + c]! -= column[r]!;
  }
  const T = new Float64Array(p * p),
    F = new Float64Array(q * p),
    out = new Float64Array(n * q * q);
  for (let i = 0; i < p; i++) {
    for (let j = 0; j < i; j++) S[i * p + j] = S[j * p + i]!;
    S[i * p + i]! *= 1 + 1e-9;
  }
  invertLower(cholesky(matrix(p, p, S)).data, p, T);
  for (let a = 0; a < n; a++) {
    for (let i = 0; i < q; i++)
      for (let r = 0; r < p; r++) {
        let v = 0;
        for (let c = 0; c <= r; c++) v += T[r * p + c]! * X[(a * q + i) * p + c]!;
        F[i * p + r] = v;
      }
    for (let i = 0; i < q; i++)
      for (let j = 0; j < q; j++) for (let c = 0; c < p; c++) out[(a * q + i) * q + j]! += F[i * p + c]! * F[j * p + c]!;
  }
  return out;
}
