import { matrix, multiply } from "../numerics/matrix.js";
import { svd } from "../numerics/svd.js";
import type { FormFactor } from "../scattering/form-factor.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { gridArea, reciprocalGrid, type WaveGrid } from "./grid.js";
import { debyeWaller, halfWidth, overHalf } from "./potential-factors.js";

/** Finite projection of one kind of atom: Σ_r f_r(q)·[w_r(above) − w_r(below)], z of the slice's boundaries counted from the nucleus. */
export interface FiniteFactors {
  /** Beyond this distance from the nucleus nothing is left, Å. */
  readonly reach: number;
  readonly terms: readonly { readonly f: Float64Array; readonly weight: (below: number, above: number) => number }[];
}

/** Spacing and end of the integral over kz, Å⁻¹; the integrand's tail A/k² is taken out and integrated in closed form. */
const STEP = 0.04,
  END = 40;
const NQ = 96,
  NZ = 128,
  /** Singular values below this part of the largest are left out. */
  TOLERANCE = 1e-6;

/**
 * An atom's potential, Fourier transformed in the plane and integrated from its nucleus to z,
 *   G(q, z) = ∫ f(√(q² + k²)/2) T(k) sin(2πkz)/(2πk) dk   (k along the beam, whole axis),
 * as a short sum of products f_r(q)·w_r(z): a singular value decomposition of its table, some ten terms for 10⁻⁶ of the potential. Each term
 * then costs as much as an infinite projection, at exact positions in all three directions. Of the displacement tensor U13 and U23 are left out.
 * G(q, ∞) = f(q)/2, so slices add up to the infinite projection.
 */
export function finiteFactors(g: WaveGrid, factor: Pick<FormFactor, "f">, u: readonly number[] | undefined): FiniteFactors {
  const qMax = Math.sqrt(reciprocalGrid(g).q2.reduce((m, q2) => Math.max(m, q2), 0));
  const tail = u && u[2]! > 0 ? { a: 0, mu2: 1 } : tailOf(factor);
  const reach = reachOf(factor);
  const q0 = 0.3,
    z0 = 0.03,
    dq = Math.asinh(qMax / q0) / (NQ - 1),
    dz = Math.asinh(reach / z0) / (NZ - 1);
  const qs = Float64Array.from({ length: NQ }, (_, i) => q0 * Math.sinh(i * dq)),
    zs = Float64Array.from({ length: NZ }, (_, j) => z0 * Math.sinh(j * dz));
  const table = integrals(factor, tail, u?.[2] ?? 0, qs, zs);
  // Rows weighted by how many bins of the plane lie at their q, so that the decomposition spends its accuracy where the image has it.
  const row = qs.map((q) => Math.sqrt(0.1 + q));
  const s = svd(
    matrix(
      NQ,
      NZ,
      table.map((v, i) => v * row[Math.floor(i / NZ)]!),
    ),
  );
  const rank = s.values.findIndex((v) => v < TOLERANCE * s.values[0]!);
  const unit = voltPerStructureFactor / gridArea(g);
  const ranks = rank < 0 ? s.values.length : rank,
    parts = Array.from({ length: ranks }, () => new Float64Array(g.ny * halfWidth(g)));
  // Column r of U at the nodes, row by row; even in q, so the stencil is mirrored at 0.
  const nodes = Float64Array.from(
    { length: NQ * ranks },
    (_, k) => s.u.data[Math.floor(k / ranks) * s.u.cols + (k % ranks)]! / row[Math.floor(k / ranks)]!,
  );
  const weights = new Float64Array(6);
  overHalf(g, (p, qx, qy) => {
    const first = stencil(weights, NQ, Math.asinh(Math.hypot(qx, qy) / q0) / dq, true),
      damp = unit * debyeWaller(u, qx, qy);
    for (let r = 0; r < ranks; r++) {
      let sum = 0;
      for (let k = 0; k < 6; k++) sum += weights[k]! * nodes[Math.abs(first + k) * ranks + r]!;
      parts[r]![p] = damp * sum;
    }
  });
  const terms = parts.map((f, r) => {
    const wz = Float64Array.from({ length: NZ }, (_, j) => s.v.data[j * s.v.cols + r]! * s.values[r]!);
    const at = (z: number): number => Math.sign(z) * (Math.abs(z) >= reach ? wz[NZ - 1]! : lagrange(wz, Math.asinh(Math.abs(z) / z0) / dz));
    return { f, weight: (below: number, above: number): number => at(above) - at(below) };
  });
  return { reach, terms };
}

/** A/(k² + μ²) that has the factor's tail and its value at 0. */
function tailOf(factor: Pick<FormFactor, "f">): { readonly a: number; readonly mu2: number } {
  const a = Math.max(0, factor.f(END / 2) * END * END),
    f0 = factor.f(0);
  return a > 1e-9 && f0 > 0 ? { a, mu2: a / f0 } : { a: 0, mu2: 1 };
}
/** Distance at which the plane-averaged potential of the atom has fallen to 10⁻⁶ of its integral: the decay of f near k = 0 tells it. */
function reachOf(factor: Pick<FormFactor, "f">): number {
  const grid = Float64Array.from({ length: 60 }, (_, i) => 1 + 0.25 * i);
  const g = integrals(factor, tailOf(factor), 0, Float64Array.of(0), grid),
    whole = factor.f(0) / 2;
  const i = g.findIndex((v, j) => Math.abs(v - whole) < 1e-5 * whole && (j + 1 >= g.length || Math.abs(g[j + 1]! - whole) < 1e-5 * whole));
  return i < 0 ? grid.at(-1)! : grid[i]!;
}

/** G(q, z), [nq, nz]: trapezoid of the integrand less its tail (spectrally accurate), plus the tail's own integral. */
function integrals(
  factor: Pick<FormFactor, "f">,
  tail: { readonly a: number; readonly mu2: number },
  u33: number,
  qs: Float64Array,
  zs: Float64Array,
): Float64Array {
  const m = Math.round(END / STEP) + 1;
  const values = new Float64Array(qs.length * m),
    sines = new Float64Array(m * zs.length);
  qs.forEach((q, i) => {
    for (let k = 0; k < m; k++) {
      const kz = k * STEP,
        k2 = q * q + kz * kz;
      const damp = u33 > 0 ? Math.exp(-2 * Math.PI ** 2 * u33 * kz * kz) : 1;
      values[i * m + k] = factor.f(Math.sqrt(k2) / 2) * damp - (tail.a ? tail.a / (k2 + tail.mu2) : 0);
    }
  });
  for (let k = 0; k < m; k++)
    zs.forEach((z, j) => {
      const kz = k * STEP;
      sines[k * zs.length + j] = STEP * (k === 0 ? z : (k === m - 1 ? 1 : 2) * (Math.sin(2 * Math.PI * kz * z) / (2 * Math.PI * kz)));
    });
  const out = multiply(matrix(qs.length, m, values), matrix(m, zs.length, sines)).data.slice();
  if (tail.a)
    qs.forEach((q, i) => {
      const m2 = q * q + tail.mu2,
        root = Math.sqrt(m2);
      zs.forEach((z, j) => {
        out[i * zs.length + j]! += (tail.a / (2 * m2)) * -Math.expm1(-2 * Math.PI * root * z);
      });
    });
  return out;
}

/** Weights of six-point Lagrange interpolation of n uniform values at x (in steps); returns the first index, below 0 when `mirrored`. */
function stencil(weights: Float64Array, n: number, x: number, mirrored: boolean): number {
  const first = Math.min(n - 6, mirrored ? Math.floor(x) - 2 : Math.max(0, Math.floor(x) - 2));
  for (let i = 0; i < 6; i++) {
    let w = 1;
    for (let j = 0; j < 6; j++) if (j !== i) w *= (x - first - j) / (i - j);
    weights[i] = w;
  }
  return first;
}
function lagrange(values: Float64Array, x: number): number {
  const six = new Float64Array(6),
    first = stencil(six, values.length, x, false);
  let sum = 0;
  for (let i = 0; i < 6; i++) sum += six[i]! * values[first + i]!;
  return sum;
}
