import { fail } from "../core/errors.js";
import type { Structure } from "../geometry/structure.js";
import { matrix, multiply, transposeMatrix } from "../numerics/matrix.js";
import { adjointSolution } from "./adjoint.js";
import { type DifferenceIndex, differenceIndex } from "./differences.js";
import { type Incidence, star3 } from "./incidence.js";
import type { PotentialOptions } from "./potential.js";
import { type CrystalParameter, potentialDerivatives } from "./potential-derivatives.js";
import type { StructureMatrix } from "./structure-matrix.js";
import type { ThicknessNodes } from "./thickness.js";

/** Derivatives of the thickness-averaged intensities of one orientation. */
export interface BlochJacobian {
  /** ⟨I_g⟩ of the rows. */
  readonly intensities: Float64Array;
  /** d⟨I_g⟩/dp, shape [rows, parameters]. */
  readonly parameters: Float64Array;
  /** d⟨I_g⟩/d ln t (all thickness nodes scaled alike). */
  readonly logThickness: Float64Array;
  /** d⟨I_g⟩/dK on the components k of K (on a*, b*, c*), the normal fixed in the crystal, shape [rows, 3]. */
  readonly k: Float64Array;
}

export interface JacobianOptions extends Pick<PotentialOptions, "factors" | "absorption"> {
  /** Beams whose intensities are wanted, by place in the list; all when not given. */
  readonly rows?: readonly number[] | undefined;
}

/**
 * Sums the derivatives of rows over orientations in the space of the coefficients W_k, so that what an orientation costs does not depend on
 * the number of parameters; `parameters` chains them once at the end.
 */
export interface JacobianSum {
  /** Σ weight·d⟨I⟩/dW_k for each row, shape [rows, 2·coefficients]. */
  readonly u: Float64Array;
  readonly index: DifferenceIndex;
  readonly rows: number;
}

/** An empty sum. @param lists - beam lists of all orientations to come */
export function jacobianSum(m: Pick<StructureMatrix, "potential">, lists: readonly Int32Array[], rows: number): JacobianSum {
  const index = differenceIndex(m.potential, lists);
  return { u: new Float64Array(2 * index.size * rows), index, rows };
}

/** From coefficients to parameters: d⟨I⟩/dp = Re Σ_k conj(u_k) dW_k/dp, shape [rows, parameters]. */
export function chainParameters(sum: JacobianSum, derivatives: Float64Array): Float64Array {
  const width = 2 * sum.index.size,
    count = derivatives.length / width;
  if (!Number.isInteger(count))
    fail("bad-shape", { length: derivatives.length, width }, "derivatives have one complex number for each coefficient");
  return multiply(matrix(sum.rows, width, sum.u), transposeMatrix(matrix(count, width, derivatives))).data;
}

/** dL/dK on components of k, from the gradient in the excitation errors and in K_n: d(2Ks_g) = −2 g·dK, dK_n = n·dK. */
export function byWaveVector(m: StructureMatrix, twoKs: Float64Array, kn: number): [number, number, number] {
  const { hkl, incidence, potential } = m;
  const out: [number, number, number] = [kn * incidence.normal[0], kn * incidence.normal[1], kn * incidence.normal[2]];
  for (let i = 0; i < twoKs.length; i++) {
    const g = star3(potential.cell, [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]);
    for (let j = 0; j < 3; j++) out[j]! -= 2 * twoKs[i]! * g[j as 0];
  }
  return out;
}

/**
 * Rotation of the beam about an axis: dk for a unit angle (rad), dK = axis × K, on the components of k.
 * @param axis - unit vector by its components on a, b, c
 */
export function tiltDirection(
  m: Pick<StructureMatrix, "potential">,
  inc: Incidence,
  axis: readonly [number, number, number],
): [number, number, number] {
  // (u × K) on a*, b*, c*: direct components u^i, K's direct components K^j = (G* k)^j; (u × K)_l = V ε_lij u^i K^j
  const v = m.potential.cell.volume,
    d = star3(m.potential.cell, inc.k);
  return [v * (axis[1] * d[2] - axis[2] * d[1]), v * (axis[2] * d[0] - axis[0] * d[2]), v * (axis[0] * d[1] - axis[1] * d[0])];
}

/** Full Jacobian of one orientation: each row costs 1.7 forward solutions (decision 310), whatever the number of parameters. */
export function blochJacobian(
  m: StructureMatrix,
  nodes: ThicknessNodes,
  s: Structure,
  parameters: readonly CrystalParameter[],
  options: JacobianOptions = {},
): BlochJacobian {
  const rows = options.rows ?? Array.from({ length: m.size }, (_, i) => i);
  const sum = jacobianSum(m, [m.hkl], rows.length),
    width = 2 * sum.index.size;
  const solution = adjointSolution(m, nodes, sum.index);
  try {
    const k = new Float64Array(3 * rows.length),
      logThickness = new Float64Array(rows.length);
    rows.forEach((g, r) => {
      if (!(g >= 0 && g < m.size)) fail("bad-value", { row: g, beams: m.size }, "rows are places in the beam list");
      const c = new Float64Array(m.size);
      c[g] = 1;
      const pulled = solution.pull(c, sum.u.subarray(r * width, (r + 1) * width));
      k.set(byWaveVector(m, pulled.twoKs, pulled.kn), 3 * r);
      logThickness[r] = pulled.logThickness;
    });
    const dW = potentialDerivatives(m.potential, s, sum.index.hkl, parameters, options);
    return {
      intensities: Float64Array.from(rows, (g) => solution.intensities[g]!),
      parameters: chainParameters(sum, dW),
      logThickness,
      k,
    };
  } finally {
    solution.free();
  }
}

/** Gradient of one scalar Σ_g c_g ⟨I_g⟩ (c = dL/dI): about three forward solutions for any number of parameters. */
export interface BlochGradient {
  readonly value: number;
  readonly parameters: Float64Array;
  readonly logThickness: number;
  readonly k: readonly [number, number, number];
}
export function blochGradient(
  m: StructureMatrix,
  nodes: ThicknessNodes,
  s: Structure,
  parameters: readonly CrystalParameter[],
  c: Float64Array,
  options: Omit<JacobianOptions, "rows"> = {},
): BlochGradient {
  const sum = jacobianSum(m, [m.hkl], 1);
  const solution = adjointSolution(m, nodes, sum.index);
  try {
    const pulled = solution.pull(c, sum.u);
    const dW = potentialDerivatives(m.potential, s, sum.index.hkl, parameters, options);
    return {
      value: solution.intensities.reduce((t, v, i) => t + v * c[i]!, 0),
      parameters: chainParameters(sum, dW),
      logThickness: pulled.logThickness,
      k: byWaveVector(m, pulled.twoKs, pulled.kn),
    };
  } finally {
    solution.free();
  }
}
