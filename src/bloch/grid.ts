import { reciprocalMetric } from "../geometry/metric.js";
import type { CrystalPotential } from "./potential.js";

/** Beams as points of a small integer grid: zone axes have two axes, a systematic row one. */
export interface BeamGrid {
  /** Lengths of the axes of the FFT, chosen so that differences of beams do not alias. */
  readonly shape: readonly number[];
  readonly points: number;
  /** Basis of the lattice of the beams, rows of (h, k, l). */
  readonly basis: readonly (readonly number[])[];
  /** Coordinates of the beams on the basis, shape [n, axes]. */
  readonly coordinates: Int32Array;
}

/** Basis of the integer lattice spanned by the beams, in echelon form (Hermite): at most three rows. */
function latticeBasis(hkl: Int32Array): number[][] {
  const basis: number[][] = [];
  for (let i = 0; i < hkl.length; i += 3) {
    let v = [hkl[i]!, hkl[i + 1]!, hkl[i + 2]!];
    for (let axis = 0; axis < 3; axis++) {
      if (v[axis] === 0) continue;
      const b = basis.findIndex((r) => r.findIndex((x) => x !== 0) === axis);
      if (b < 0) {
        basis.push(v);
        v = [0, 0, 0];
        break;
      }
      // Euclid on the leading entries; the rest keeps falling through the later axes.
      let p = basis[b]!,
        q = v;
      while (q[axis] !== 0) {
        const f = Math.floor(p[axis]! / q[axis]!);
        [p, q] = [q, p.map((x, j) => x - f * q[j]!)];
      }
      basis[b] = p;
      v = q;
    }
  }
  return basis;
}

/** Shorten a basis in the metric of the reciprocal lattice by pairwise reduction. */
function reduced(basis: number[][], star: readonly number[]): number[][] {
  const dot = (u: readonly number[], v: readonly number[]): number => {
    let s = 0;
    for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) s += u[i]! * star[3 * i + j]! * v[j]!;
    return s;
  };
  const b = basis.map((r) => [...r]);
  for (let pass = 0, moved = true; moved && pass < 100; pass++) {
    moved = false;
    for (let i = 0; i < b.length; i++)
      for (let j = 0; j < b.length; j++) {
        if (i === j) continue;
        const f = Math.round(dot(b[i]!, b[j]!) / dot(b[j]!, b[j]!) - 1e-9);
        const w = b[i]!.map((x, k) => x - f * b[j]![k]!);
        if (f !== 0 && dot(w, w) < dot(b[i]!, b[i]!) * (1 - 1e-9)) {
          b[i] = w;
          moved = true;
        }
      }
  }
  return b;
}

/** Least even length >= n with factors 2, 3 and 5 alone. */
function smooth(n: number): number {
  for (let m = n; ; m++) {
    let r = m;
    for (const f of [2, 3, 5]) while (r % f === 0) r /= f;
    if (r === 1) return m;
  }
}

/** Do all beams lie in one plane (or row)? Says so without allocating, for lists that turn out to fill space. */
export function coplanar(hkl: Int32Array): boolean {
  let a = -1;
  const n = [0, 0, 0];
  for (let i = 3; i < hkl.length; i += 3) {
    const h = hkl[i]!,
      k = hkl[i + 1]!,
      l = hkl[i + 2]!;
    if (h === 0 && k === 0 && l === 0) continue;
    if (a < 0) a = i;
    else if (n[0] === 0 && n[1] === 0 && n[2] === 0) {
      n[0] = hkl[a + 1]! * l - hkl[a + 2]! * k;
      n[1] = hkl[a + 2]! * h - hkl[a]! * l;
      n[2] = hkl[a]! * k - hkl[a + 1]! * h;
    } else if (n[0]! * h + n[1]! * k + n[2]! * l !== 0) return false;
  }
  return true;
}

/** The grid of a beam list, or undefined when it is trivial. */
export function beamGrid(p: CrystalPotential, hkl: Int32Array): BeamGrid | undefined {
  const basis = reduced(latticeBasis(hkl), reciprocalMetric(p.cell));
  const rank = basis.length,
    n = hkl.length / 3;
  if (rank === 0) return undefined;
  // Coordinates by least squares on integers: exact, since every beam is an integer combination.
  const gram = basis.map((u) => basis.map((v) => u.reduce((s, x, i) => s + x * v[i]!, 0)));
  const coordinates = new Int32Array(n * rank);
  const least = new Array<number>(rank).fill(0),
    most = new Array<number>(rank).fill(0);
  for (let i = 0; i < n; i++) {
    const right = basis.map((u) => u[0]! * hkl[3 * i]! + u[1]! * hkl[3 * i + 1]! + u[2]! * hkl[3 * i + 2]!);
    const c = solveSmall(gram, right);
    c.forEach((x, k) => {
      const r = Math.round(x);
      coordinates[i * rank + k] = r;
      least[k] = Math.min(least[k]!, r);
      most[k] = Math.max(most[k]!, r);
    });
  }
  const shape = least.map((a, k) => smooth(2 * (most[k]! - a) + 1));
  return { shape, points: shape.reduce((s, x) => s * x, 1), basis, coordinates };
}

/** Gaussian elimination on at most 3 unknowns. */
function solveSmall(a: readonly (readonly number[])[], b: readonly number[]): number[] {
  const n = b.length,
    m = a.map((r, i) => [...r, b[i]!]);
  for (let i = 0; i < n; i++) {
    let best = i;
    for (let r = i + 1; r < n; r++) if (Math.abs(m[r]![i]!) > Math.abs(m[best]![i]!)) best = r;
    [m[i], m[best]] = [m[best]!, m[i]!];
    for (let r = 0; r < n; r++) {
      if (r === i) continue;
      const f = m[r]![i]! / m[i]![i]!;
      for (let c = i; c <= n; c++) m[r]![c]! -= f * m[i]![c]!;
    }
  }
  return m.map((r, i) => r[n]! / r[i]!);
}
