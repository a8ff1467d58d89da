import { rng } from "../core/rng.js";
import { atomsAlone, poseCovariance } from "./refine-atoms-errors-poses.js";
import { arrowMatrix, arrowSolver, conjugateGradients } from "./refine-atoms-solve.js";
import type { AtomSystem } from "./refine-atoms-system.js";

/** Standard deviations of what was refined, from the inverse of the normal matrix with weights 1/variance: the Cramér–Rao bound. */
export interface AtomErrors {
  /** Covariance of every position, Å², [n, 9]. */
  readonly covariance: Float64Array;
  /** Standard deviation along x, y, z, Å, [n, 3]. */
  readonly positions: Float64Array;
  /** Root of the trace of the covariance: expected length of the error, Å, [n]. */
  readonly length: Float64Array;
  /** Of the intensities, where each atom has one, [n]; else NaN. */
  readonly intensities: Float64Array;
  /** Of the widths, where each atom has one, [n]; else NaN. */
  readonly widths: Float64Array;
  /** How they were got: every column of the inverse, or an estimate from random probes. */
  readonly method: "exact" | "probes";
}

/**
 * Diagonal blocks of (Jᵀ W J)⁻¹ at the present state. Exact: one solve per number of every atom (few atoms). Otherwise
 * Hutchinson's estimate with ±1 probes, corrected by what the preconditioner is known to give (Tang & Saad 2012); what free poses add is then exact.
 */
export async function atomErrors(
  system: AtomSystem,
  { probes = 16, seed = 1, exactUpTo = 0 }: { readonly probes?: number; readonly seed?: number | string; readonly exactUpTo?: number } = {},
): Promise<AtomErrors> {
  const L = system.layout,
    { n, q } = L,
    rows = n * q;
  const damping = new Float64Array(L.size);
  // Far beyond any error that is worth its name; keeps an atom without intensity from making the matrix singular.
  for (let a = 0; a < n; a++) for (let k = 0; k < 3; k++) damping[a * q + k] = 1;
  const arrow = await arrowMatrix(system),
    solver = arrowSolver(system, arrow, damping),
    alone = atomsAlone(system, arrow, damping),
    posed = (L.shift >= 0 || L.rotation >= 0) && arrow.coupling !== undefined;
  // Probes in units in which every unknown has a variance near 1, or intensities would drown positions.
  const scale = Float64Array.from({ length: L.size }, (_, i) => {
    const d = i < rows ? arrow.blocks[i * q + (i % q)]! : arrow.poses[(i - rows) * (arrow.p + 1)]!;
    return Math.sqrt(Math.max(d + damping[i]!, 1e-300));
  });
  const C = new Float64Array(n * q * q);
  const exact = rows <= exactUpTo;
  if (exact) {
    const e = new Float64Array(L.size);
    for (let j = 0; j < rows; j++) {
      e.fill(0);
      e[j] = 1;
      const { x } = await conjugateGradients(solver, e, { tolerance: 1e-5, most: 100 });
      const a = Math.floor(j / q);
      for (let k = 0; k < q; k++) C[a * q * q + k * q + (j % q)] = x[a * q + k]!;
    }
  } else {
    // blocks of A⁻¹ = blocks of M⁻¹ + E[(A⁻¹ − M⁻¹) z zᵀ]: the probes only carry the small difference
    const near = posed ? alone : solver;
    C.set(near.blocks());
    for (let p = 0; p < probes; p++) {
      const random = rng(seed).fork("probe").fork(p),
        z = scale.map((s) => (random.uniform() < 0.5 ? -s : s));
      if (posed) z.fill(0, rows);
      const { x } = await conjugateGradients(near, z, { tolerance: 1e-2, most: 40 }),
        y = near.solve(z);
      for (let a = 0; a < n; a++)
        for (let i = 0; i < q; i++)
          for (let j = 0; j < q; j++)
            C[a * q * q + i * q + j]! += ((x[a * q + i]! - y[a * q + i]!) * z[a * q + j]!) / (probes * scale[a * q + j]! ** 2);
    }
    if (posed) {
      const added = await poseCovariance(system, solver, alone, arrow.p, arrow.coupling!);
      for (let i = 0; i < C.length; i++) C[i]! += added[i]!;
    }
  }
  // No error is smaller than it would be with everything else known.
  const least = alone.blocks(),
    variance = (i: number): number => Math.max(C[i]!, least[i]!);
  const covariance = new Float64Array(9 * n),
    positions = new Float64Array(3 * n),
    length = new Float64Array(n),
    intensities = new Float64Array(n).fill(Number.NaN),
    widths = new Float64Array(n).fill(Number.NaN);
  for (let a = 0; a < n; a++) {
    const o = a * q * q;
    let trace = 0;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) covariance[9 * a + 3 * i + j] = 0.5 * (C[o + i * q + j]! + C[o + j * q + i]!);
      const v = variance(o + i * q + i);
      positions[3 * a + i] = Math.sqrt(v);
      trace += v;
    }
    length[a] = Math.sqrt(trace);
    if (L.intensity >= 0) intensities[a] = Math.sqrt(variance(o + L.intensity * (q + 1)));
    if (L.width >= 0) widths[a] = Math.sqrt(variance(o + L.width * (q + 1)));
  }
  return { covariance, positions, length, intensities, widths, method: exact ? "exact" : "probes" };
}
