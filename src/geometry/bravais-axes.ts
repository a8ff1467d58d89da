import { determinant } from "../core/frames.js";
import type { BravaisType } from "./bravais.js";
import { bilinear, identity3, type Mat3, multiply3, quadratic } from "./metric.js";
import { column, fromColumns, primitiveVector } from "./reduction.js";

type V = readonly [number, number, number];
export interface ConventionalAxes {
  readonly bravais: BravaisType;
  readonly centring: "P" | "C" | "I" | "F" | "R";
  /** Columns are the conventional axes on the primitive ones; integer, det > 0. */
  readonly basis: Mat3;
}

/** W·v. */
function rotate(w: Mat3, v: V): V {
  return [w[0] * v[0] + w[1] * v[1] + w[2] * v[2], w[3] * v[0] + w[4] * v[1] + w[5] * v[2], w[6] * v[0] + w[7] * v[1] + w[8] * v[2]];
}
const neg = (v: V): V => [-v[0], -v[1], -v[2]];
const add = (u: V, v: V): V => [u[0] + v[0], u[1] + v[1], u[2] + v[2]];
const isIdentity = (w: Mat3): boolean => w.every((x, i) => x === identity3[i]);

function orderOf(w: Mat3): number {
  let p = w,
    n = 1;
  while (!isIdentity(p) && n < 13) {
    p = multiply3(p, w);
    n++;
  }
  return n;
}

/** Lattice row kept by W: a column of 1 + W + … + W^(n−1). */
function axisOf(w: Mat3): V {
  let sum: Mat3 = identity3,
    p = w;
  while (!isIdentity(p)) {
    sum = sum.map((x, i) => x + p[i]!) as unknown as Mat3;
    p = multiply3(p, w);
  }
  return primitiveVector(([0, 1, 2] as const).map((k) => column(sum, k)).find((v) => v.some((x) => x !== 0))!);
}

/**
 * Conventional axes of a rotation group acting on a primitive lattice.
 * @param group - integer rotations on the primitive axes, a holohedry's rotation group
 * @param g - metric tensor invariant under the group
 * @returns undefined when the group is not the full symmetry of the lattice it implies (32 on a hexagonal P lattice)
 */
export function conventionalAxes(group: readonly Mat3[], g: Mat3): ConventionalAxes | undefined {
  const orders = group.map(orderOf);
  const axes = (n: number): V[] => group.filter((_, i) => orders[i] === n).map(axisOf);
  const distinct = (vs: V[]): V[] => [...new Map(vs.map((v) => [v.join(), v])).values()];
  switch (group.length) {
    case 1:
      return { bravais: "aP", centring: "P", basis: identity3 };
    case 2:
      return monoclinic(group[orders.indexOf(2)]!, g);
    case 4:
      return orders.includes(4) ? undefined : orthorhombic(axes(2), g);
    case 8: {
      const w = group[orders.indexOf(4)]!;
      return tetragonal(w, axisOf(w), distinct(axes(2)), g);
    }
    case 6:
    case 12: {
      const w = group[orders.indexOf(3)];
      if (!w || (group.length === 12 && !orders.includes(6))) return undefined;
      return hexagonal(w, axisOf(w), distinct(axes(2)), g, group.length === 12);
    }
    case 24: {
      const fours = distinct(axes(4));
      return fours.length === 3 ? cubic(fours) : undefined;
    }
    default:
      return undefined;
  }
}

const shortFirst = (g: Mat3, vs: readonly V[]): V[] =>
  [...vs].sort((u, v) => quadratic(g, u) - quadratic(g, v) || (u.join() < v.join() ? 1 : -1));
/** Right-handed by turning the third axis. */
function rightHanded(a: V, b: V, c: V): Mat3 {
  const m = fromColumns(a, b, c);
  return determinant(m) < 0 ? fromColumns(a, b, neg(c)) : m;
}
/** Is the point with these conventional coordinates a lattice point? */
function hasPoint(m: Mat3, x: V): boolean {
  return rotate(m, x).every((v) => Math.abs(v - Math.round(v)) < 1e-6);
}

function monoclinic(w: Mat3, g: Mat3): ConventionalAxes {
  const b = axisOf(w);
  const plane: V[] = [];
  for (let i = -4; i <= 4; i++)
    for (let j = -4; j <= 4; j++)
      for (let k = -4; k <= 4; k++) {
        const v: V = [i, j, k];
        if ((i || j || k) && rotate(w, v).every((x, n) => x === -v[n]!)) plane.push(v);
      }
  const sorted = shortFirst(g, plane);
  const e1 = sorted[0]!;
  const e2 = sorted.find((v) => determinant(fromColumns(e1, b, v)) !== 0)!;
  const cell = Math.abs(determinant(fromColumns(e1, b, e2)));
  const half = (v: V): boolean => add(v, b).every((x) => x % 2 === 0);
  // Centred: the point (b + w)/2 is in the lattice for one class of w; a is the shortest vector of that class, which makes it C.
  const a = cell === 2 ? sorted.find(half)! : e1;
  let c = sorted.find((v) => Math.abs(determinant(fromColumns(a, b, v))) === cell)!;
  if (bilinear(g, a, c) > 0) c = neg(c);
  const m = fromColumns(a, b, c);
  return { bravais: cell === 2 ? "mC" : "mP", centring: cell === 2 ? "C" : "P", basis: determinant(m) < 0 ? fromColumns(a, neg(b), c) : m };
}

function orthorhombic(axes: readonly V[], g: Mat3): ConventionalAxes | undefined {
  const [a, b, c] = shortFirst(g, axes) as [V, V, V];
  const m = rightHanded(a, b, c);
  const n = determinant(m);
  if (n === 1) return { bravais: "oP", centring: "P", basis: m };
  if (n === 4) return { bravais: "oF", centring: "F", basis: m };
  if (n !== 2) return undefined;
  if (hasPoint(m, [0.5, 0.5, 0.5])) return { bravais: "oI", centring: "I", basis: m };
  if (hasPoint(m, [0, 0.5, 0.5])) return { bravais: "oC", centring: "C", basis: rightHanded(b, c, a) };
  if (hasPoint(m, [0.5, 0, 0.5])) return { bravais: "oC", centring: "C", basis: rightHanded(a, c, b) };
  return { bravais: "oC", centring: "C", basis: m };
}

function tetragonal(w: Mat3, c: V, axes: readonly V[], g: Mat3): ConventionalAxes | undefined {
  const a = shortFirst(
    g,
    axes.filter((v) => v.join() !== c.join()),
  )[0]!;
  const b = rotate(w, a);
  const m = determinant(fromColumns(a, b, c)) > 0 ? fromColumns(a, b, c) : fromColumns(a, neg(b), c);
  const n = determinant(m);
  if (n !== 1 && n !== 2) return undefined;
  return n === 1 ? { bravais: "tP", centring: "P", basis: m } : { bravais: "tI", centring: "I", basis: m };
}

function hexagonal(w: Mat3, c: V, axes: readonly V[], g: Mat3, sixfold: boolean): ConventionalAxes | undefined {
  const a = shortFirst(
    g,
    axes.filter((v) => v.join() !== c.join()),
  )[0]!;
  let b = rotate(w, a);
  if (determinant(fromColumns(a, b, c)) < 0) b = rotate(w, b);
  let m = fromColumns(a, b, c);
  const n = determinant(m);
  if (sixfold) return n === 1 ? { bravais: "hP", centring: "P", basis: m } : undefined;
  if (n !== 3) return undefined;
  if (!hasPoint(m, [2 / 3, 1 / 3, 1 / 3])) m = fromColumns(neg(a), neg(b), c);
  // A hexagonal P lattice on its √3 cell also has index 3 under 32: it is centred at (2/3, 1/3, 0), no rhombohedral lattice.
  if (!hasPoint(m, [2 / 3, 1 / 3, 1 / 3])) return undefined;
  return { bravais: "hR", centring: "R", basis: m };
}

function cubic(axes: readonly V[]): ConventionalAxes | undefined {
  const m = rightHanded(axes[0]!, axes[1]!, axes[2]!);
  const n = determinant(m);
  if (n === 1) return { bravais: "cP", centring: "P", basis: m };
  if (n === 2) return { bravais: "cI", centring: "I", basis: m };
  return n === 4 ? { bravais: "cF", centring: "F", basis: m } : undefined;
}
