import { matrix, multiply } from "../numerics/matrix.js";
import { svd } from "../numerics/svd.js";
import type { FormFactor } from "../scattering/form-factor.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { gridArea, type WaveGrid } from "./grid.js";
import { lagrangeStencil } from "./lagrange.js";
import { debyeWaller } from "./potential-factors.js";
import { circleWindow, overWindow, type SpectrumWindow, windowBins } from "./spectrum-window.js";

/**
 * What of one kind of atom lies beyond a plane at distance d from the nucleus, Fourier transformed in the plane: T(q, d) = ∫_d^∞ V(q, z) dz.
 * Cut into shells of d; T falls like exp(−2πqd), so that a distant shell needs small q alone.
 */
export interface FiniteFactors {
  /** Beyond this distance nothing is left, Å. */
  readonly reach: number;
  readonly shells: readonly FiniteShell[];
}
/** T(q, d) = Σ_r f_r(q)·w_r(d) for from <= d < to, Å. */
export interface FiniteShell {
  readonly from: number;
  readonly to: number;
  readonly window: SpectrumWindow;
  /** f_r on the window, V·Å. */
  readonly factors: readonly Float64Array[];
  /** Write w_0(d), w_1(d), … into `out`. */
  weightsInto(out: Float64Array, d: number): void;
}

/** Spacing and end of the integral over kz, Å⁻¹; the integrand's tail A/k² is taken out and integrated in closed form. */
const STEP = 0.025,
  END = 40;
/** Nodes in q, on asinh(q/q0); and in d in every shell. Shells end at `FIRST`·2ⁿ, Å. */
const NQ = 96,
  Q0 = 0.3,
  ND = 24,
  FIRST = 0.1;
/** What is left out of T, in parts of its largest value. */
const TOLERANCE = 1e-6;

/**
 * The shells of one kind of atom on a grid, for |q| <= radius (Å⁻¹).
 *   T(q, d) = f(q)/2 − ∫ f(√(q² + k²)/2) D(k) sin(2πkd)/(2πk) dk   (k along the beam, whole axis; D the Debye–Waller factor along the beam),
 * times the damping in the plane. A singular value decomposition of its table makes a short sum of products of it: three to six terms a shell.
 * U13 and U23 would shear an atom's smear along the beam: `potentialPlan` refuses them.
 */
export function finiteFactors(g: WaveGrid, radius: number, factor: Pick<FormFactor, "f">, u: readonly number[] | undefined): FiniteFactors {
  const tail = u && u[2]! > 0 ? { a: 0, mu2: 1 } : tailOf(factor),
    reach = reachOf(factor);
  const edges = [0];
  for (let edge = FIRST; edges.at(-1)! < reach; edge *= 2) edges.push(Math.min(edge, reach));
  const count = edges.length - 1,
    dq = Math.asinh(radius / Q0) / (NQ - 1);
  const qs = Float64Array.from({ length: NQ }, (_, i) => Q0 * Math.sinh(i * dq));
  const ds = Float64Array.from({ length: count * ND }, (_, j) => {
    const s = Math.floor(j / ND);
    return edges[s]! + ((edges[s + 1]! - edges[s]!) * (j % ND)) / (ND - 1);
  });
  const inside = integrals(factor, tail, u?.[2] ?? 0, qs, ds);
  const whole = qs.map((q) => factor.f(q / 2) / 2);
  // Rows weighted by how many bins of the plane lie at their q, so that the decomposition spends its accuracy where the image has it.
  const weight = qs.map((q) => Math.sqrt(0.1 + q));
  const table = inside.map((v, i) => {
    const q = Math.floor(i / ds.length);
    return weight[q]! * (whole[q]! - v);
  });
  const least = TOLERANCE * whole.reduce((m, v, i) => Math.max(m, Math.abs(v) * weight[i]!), 0);
  const shells = Array.from({ length: count }, (_, s) => {
    const at = (q: number, j: number): number => table[q * ds.length + s * ND + j]!;
    let rows = NQ;
    while (rows > 8 && Array.from({ length: ND }, (_, j) => Math.abs(at(rows - 1, j))).every((v) => v < least)) rows--;
    const part = svd(
      matrix(
        rows,
        ND,
        Float64Array.from({ length: rows * ND }, (_, i) => at(Math.floor(i / ND), i % ND)),
      ),
    );
    const found = part.values.findIndex((v) => v < least * Math.sqrt(ND)),
      rank = Math.max(1, found < 0 ? part.values.length : found);
    // Column r of U at the nodes, row by row; even in q, so the stencil is mirrored at 0.
    const nodes = Float64Array.from({ length: rows * rank }, (_, k) => {
      const q = Math.floor(k / rank);
      return part.u.data[q * part.u.cols + (k % rank)]! / weight[q]!;
    });
    const ends = Float64Array.from({ length: ND * rank }, (_, k) => {
      const r = k % rank;
      return part.v.data[Math.floor(k / rank) * part.v.cols + r]! * part.values[r]!;
    });
    const [from, to, last] = [edges[s]!, edges[s + 1]!, qs[rows - 1]!];
    return shellOf(g, circleWindow(g, last), { from, to, last, rank, rows, dq, nodes, ends, u });
  });
  return { reach, shells };
}

interface ShellTables {
  readonly from: number;
  readonly to: number;
  readonly last: number;
  readonly rank: number;
  readonly rows: number;
  readonly dq: number;
  readonly nodes: Float64Array;
  readonly ends: Float64Array;
  readonly u: readonly number[] | undefined;
}
function shellOf(g: WaveGrid, window: SpectrumWindow, t: ShellTables): FiniteShell {
  const unit = voltPerStructureFactor / gridArea(g),
    factors = Array.from({ length: t.rank }, () => new Float64Array(windowBins(window))),
    six = new Float64Array(6);
  overWindow(g, window, (p, qx, qy) => {
    const q = Math.hypot(qx, qy);
    if (q > t.last * (1 + 1e-12)) return;
    const first = lagrangeStencil(six, t.rows, Math.asinh(q / Q0) / t.dq, true),
      damp = unit * debyeWaller(t.u, qx, qy);
    for (let r = 0; r < t.rank; r++) {
      let sum = 0;
      for (let k = 0; k < 6; k++) sum += six[k]! * t.nodes[Math.abs(first + k) * t.rank + r]!;
      factors[r]![p] = damp * sum;
    }
  });
  return {
    from: t.from,
    to: t.to,
    window,
    factors,
    weightsInto: (out, d) => {
      const first = lagrangeStencil(six, ND, ((d - t.from) / (t.to - t.from)) * (ND - 1), false);
      for (let r = 0; r < t.rank; r++) {
        let sum = 0;
        for (let k = 0; k < 6; k++) sum += six[k]! * t.ends[(first + k) * t.rank + r]!;
        out[r] = sum;
      }
    },
  };
}

/** A/(k² + μ²) that has the factor's tail and its value at 0. */
function tailOf(factor: Pick<FormFactor, "f">): { readonly a: number; readonly mu2: number } {
  const a = Math.max(0, factor.f(END / 2) * END * END),
    f0 = factor.f(0);
  return a > 1e-9 && f0 > 0 ? { a, mu2: a / f0 } : { a: 0, mu2: 1 };
}
/** Distance at which the plane-averaged potential of the atom has fallen to 10⁻⁶ of its integral: the decay of f near k = 0 tells it. */
function reachOf(factor: Pick<FormFactor, "f">): number {
  const grid = Float64Array.from({ length: 70 }, (_, i) => 1 + 0.25 * i);
  const g = integrals(factor, tailOf(factor), 0, Float64Array.of(0), grid),
    whole = factor.f(0) / 2;
  const i = g.findIndex((v, j) => Math.abs(v - whole) < 1e-6 * whole && (j + 1 >= g.length || Math.abs(g[j + 1]! - whole) < 1e-6 * whole));
  return i < 0 ? grid.at(-1)! : grid[i]!;
}

/** ∫₀^z of the atom's plane-transformed potential, [nq, nz]: trapezoid of the integrand less its tail (spectrally accurate), plus the tail's own integral. */
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
