import { fail } from "../core/errors.js";
import type { UnitCell } from "./cell.js";
import { cellFromMetric, identity3, type Mat3, metricTensor, multiply3, transformMetric } from "./metric.js";
import type { Reduction } from "./reduction.js";

export interface NiggliOptions {
  /** Comparison tolerance as a fraction of V^(1/3) (lengths) squared; 1e-5 separates noise of f64 from real differences. */
  readonly relativeTolerance?: number;
  readonly maxSteps?: number;
}

/**
 * Niggli cell by Křivý & Gruber (1976) Acta Cryst. A32, 297, with the tolerant comparisons of Grosse-Kunstleve, Sauter & Adams (2004)
 * Acta Cryst. A60, 1: every step restarts from the exact product of integer matrices, so rounding does not add up.
 * @throws no-convergence for a hopeless (nearly singular) cell.
 */
export function niggliCell(cell: UnitCell, { relativeTolerance = 1e-5, maxSteps = 1000 }: NiggliOptions = {}): Reduction {
  const g0 = metricTensor(cell);
  const eps = relativeTolerance * cell.volume ** (2 / 3);
  const lt = (x: number, y: number): boolean => x < y - eps;
  const eq = (x: number, y: number): boolean => Math.abs(x - y) <= eps;
  let p: Mat3 = identity3;
  for (let steps = 1; steps <= maxSteps; steps++) {
    const next = niggliStep(transformMetric(g0, p), lt, eq);
    if (!next) return { cell: cellFromMetric(transformMetric(g0, p)), basis: p, steps };
    p = multiply3(p, next);
  }
  return fail(
    "no-convergence",
    { cell: cell.toString(), maxSteps },
    "the cell is too oblique to reduce; check that a, b, c are not coplanar",
  );
}

/** The first of the eight steps that applies, as a matrix; undefined when the cell is reduced. Steps 3 and 4 normalise the signs. */
function niggliStep(g: Mat3, lt: (x: number, y: number) => boolean, eq: (x: number, y: number) => boolean): Mat3 | undefined {
  const gt = (x: number, y: number): boolean => lt(y, x);
  const a = g[0],
    b = g[4],
    c = g[8];
  const xi = 2 * g[5],
    eta = 2 * g[2],
    zeta = 2 * g[1];
  if (gt(a, b) || (eq(a, b) && gt(Math.abs(xi), Math.abs(eta)))) return [0, -1, 0, -1, 0, 0, 0, 0, -1];
  if (gt(b, c) || (eq(b, c) && gt(Math.abs(eta), Math.abs(zeta)))) return [-1, 0, 0, 0, 0, -1, 0, -1, 0];
  const signs = signStep(xi, eta, zeta, lt);
  if (signs) return signs;
  if (gt(Math.abs(xi), b) || (eq(xi, b) && lt(2 * eta, zeta)) || (eq(xi, -b) && lt(zeta, 0)))
    return [1, 0, 0, 0, 1, xi > 0 ? -1 : 1, 0, 0, 1];
  if (gt(Math.abs(eta), a) || (eq(eta, a) && lt(2 * xi, zeta)) || (eq(eta, -a) && lt(zeta, 0)))
    return [1, 0, eta > 0 ? -1 : 1, 0, 1, 0, 0, 0, 1];
  if (gt(Math.abs(zeta), a) || (eq(zeta, a) && lt(2 * xi, eta)) || (eq(zeta, -a) && lt(eta, 0)))
    return [1, zeta > 0 ? -1 : 1, 0, 0, 1, 0, 0, 0, 1];
  const sum = xi + eta + zeta + a + b;
  if (lt(sum, 0) || (eq(sum, 0) && gt(2 * (a + eta) + zeta, 0))) return [1, 0, 1, 0, 1, 1, 0, 0, 1];
  return undefined;
}

/** Steps 3 and 4: all of ξ η ζ positive, or none; undefined when the signs are already so. */
function signStep(xi: number, eta: number, zeta: number, lt: (x: number, y: number) => boolean): Mat3 | undefined {
  const sign = (x: number): number => (lt(0, x) ? 1 : lt(x, 0) ? -1 : 0);
  const s = [sign(xi), sign(eta), sign(zeta)];
  let f: number[];
  if (s[0]! * s[1]! * s[2]! > 0) f = s;
  else {
    f = s.map((x) => (x > 0 ? -1 : 1));
    // a zero product may take either sign: use one to keep det +1
    if (f[0]! * f[1]! * f[2]! < 0) f[s.lastIndexOf(0)] = -1;
  }
  if (f.every((x) => x === 1)) return undefined;
  return [f[0]!, 0, 0, 0, f[1]!, 0, 0, 0, f[2]!];
}
