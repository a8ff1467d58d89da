import { cholesky } from "../numerics/cholesky.js";
import { matrix } from "../numerics/matrix.js";
import { type ArrowMatrix, type ArrowSolver, arrowSolver, conjugateGradients, invertLower } from "./refine-atoms-solve.js";
import type { AtomSystem } from "./refine-atoms-system.js";

/** Solves for the atoms alone: what belongs to views and to all atoms is held by a damping beyond all information. */
export function atomsAlone(system: AtomSystem, arrow: ArrowMatrix, damping: Float64Array): ArrowSolver {
  const held = damping.slice();
  held.fill(1e30, system.layout.viewsAt);
  return arrowSolver(system, { ...arrow, coupling: undefined }, held);
}

/**
 * What unknown poses add to the covariance blocks of the atoms. With A the normal matrix of the atoms, B the coupling and C that of the poses,
 * the inverse has the blocks A⁻¹ + X S⁻¹ Xᵀ, X = A⁻¹ B, S = C − Bᵀ X. Poses move all atoms together, so this part has large entries far from its
 * diagonal, which random probes estimate badly; it is small in rank and is got by one solution per number of the poses.
 * @returns f64 [n, q, q]
 */
export async function poseCovariance(
  system: AtomSystem,
  full: ArrowSolver,
  alone: ArrowSolver,
  arrow: ArrowMatrix,
  coupling: Float64Array,
) {
  const { n, q, size } = system.layout,
    { p } = arrow,
    rows = n * q,
    X = new Float64Array(rows * p),
    S = new Float64Array(p * p);
  for (let c = 0; c < p; c++) {
    const b = new Float64Array(size);
    for (let i = 0; i < rows; i++) b[i] = coupling[i * p + c]!;
    const { x } = await conjugateGradients(alone, b, { tolerance: 1e-2, most: 40 });
    x.fill(0, rows);
    for (let i = 0; i < rows; i++) {
      X[i * p + c] = x[i]!;
      x[i] = -x[i]!;
    }
    x[rows + c] = 1;
    const y = await full.product(x);
    for (let r = 0; r < p; r++) S[r * p + c] = y[rows + r]!;
  }
  for (let i = 0; i < p; i++) for (let j = 0; j < i; j++) S[i * p + j] = S[j * p + i] = 0.5 * (S[i * p + j]! + S[j * p + i]!);
  for (let i = 0; i < p; i++) S[i * p + i]! *= 1 + 1e-9;
  const T = new Float64Array(p * p),
    F = new Float64Array(q * p),
    out = new Float64Array(n * q * q);
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
