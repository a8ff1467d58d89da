import { tensorPairs } from "./adp.js";
import type { UnitCell } from "./cell.js";
import { type Fractional, identity3, type Mat3, metricTensor, quadratic, reciprocalMetric } from "./metric.js";
import type { SpaceGroup } from "./space-groups.js";
import { pointGroupOf } from "./symmetry.js";
import { applyOp, closeGroupExact, fraction, type SymOp } from "./symop.js";

/** Where an atom sits and which operations keep it there. */
export interface Site {
  /** The position moved exactly onto its symmetry elements. */
  readonly xyz: Fractional;
  /** Equivalent positions in [0, 1)³ in the order of the operations that make them; the site itself first. */
  readonly positions: readonly Fractional[];
  /** Index into `group.ops` of the operation that makes each position. */
  readonly ops: readonly number[];
  readonly multiplicity: number;
  /** Operations (with their lattice translations) that keep the site; the identity first. */
  readonly stabiliser: readonly SymOp[];
  /** Class of the stabiliser, e.g. "1", "-1", "mm2". */
  readonly pointGroup: string;
}

/**
 * Site symmetry of a position: images closer than `tolerance` (Å) to the site count as the site itself, and the position is moved to their mean.
 * multiplicity · |stabiliser| = |ops|, always.
 */
export function siteSymmetry(group: SpaceGroup, cell: UnitCell, x: Fractional, tolerance = 0.05): Site {
  const g = metricTensor(cell);
  const near: SymOp[] = [];
  for (const op of group.ops) {
    const y = applyOp(op, x);
    const n = y.map((v, i) => Math.round(v - x[i]!));
    const d = y.map((v, i) => v - x[i]! - n[i]!) as unknown as Fractional;
    if (quadratic(g, d) <= tolerance * tolerance)
      near.push({ rotation: op.rotation, shift: op.shift.map((s, i) => s - 24 * n[i]!) as unknown as Fractional });
  }
  // Two images just inside the tolerance may multiply to one outside: close the set, and fall back to 1 when it would not be finite.
  const stabiliser = closeGroupExact(near, group.primitiveOrder) ?? [{ rotation: identity3, shift: [0, 0, 0] as const }];
  const mean = [0, 0, 0];
  for (const op of stabiliser)
    applyOp(op, x).forEach((v, i) => {
      mean[i]! += v / stabiliser.length;
    });
  const xyz = (stabiliser.length === 1 ? x : mean) as unknown as Fractional;
  const positions: Fractional[] = [],
    ops: number[] = [];
  group.ops.forEach((op, i) => {
    const y = applyOp(op, xyz).map(wrapUnit) as unknown as Fractional;
    const same = positions.some((p) => quadratic(g, p.map((v, k) => v - y[k]! - Math.round(v - y[k]!)) as unknown as Fractional) < 1e-8);
    if (!same) {
      positions.push(y);
      ops.push(i);
    }
  });
  return {
    xyz,
    positions,
    ops,
    multiplicity: positions.length,
    stabiliser,
    pointGroup: pointGroupOf(stabiliser.map((op) => op.rotation))?.name ?? "1",
  };
}
const wrapUnit = (v: number): number => {
  const w = v - Math.floor(v);
  return w > 1 - 1e-9 ? 0 : w;
};

/** A linear family: value = origin + Σ parameter · basis row. */
export interface Constraint {
  readonly free: number;
  readonly origin: readonly number[];
  /** `free` rows; each has a 1 at its own leading component. */
  readonly basis: readonly (readonly number[])[];
  /** For people: "x,2x,1/4" or "U11,U11,U33,U11/2,0,0". */
  readonly text: string;
}

/** Coordinates left free by the stabiliser of a site: x = origin + basisᵀ·p. */
export function positionConstraint(site: Site): Constraint {
  const rows: number[][] = [];
  const mean = [0, 0, 0];
  for (const { rotation: w, shift } of site.stabiliser) {
    for (let i = 0; i < 3; i++)
      rows.push([
        w[(3 * i) as 0] - identity3[(3 * i) as 0],
        w[(3 * i + 1) as 0] - identity3[(3 * i + 1) as 0],
        w[(3 * i + 2) as 0] - identity3[(3 * i + 2) as 0],
      ]);
    shift.forEach((s, i) => {
      mean[i]! += s / 24 / site.stabiliser.length;
    });
  }
  const basis = nullSpace(rows, 3);
  // The mean of the images of 0 lies on the element; take its point with zero at the free leading components.
  const origin = [...mean];
  for (const b of basis) {
    const lead = b.findIndex((v) => v !== 0),
      p = origin[lead]!;
    b.forEach((v, i) => {
      origin[i]! -= p * v;
    });
  }
  return { free: basis.length, origin, basis, text: describe(["x", "y", "z"], basis, origin) };
}

/** β → W β Wᵀ as a 6×6 matrix on (11 22 33 12 13 23). */
function tensorMatrix(w: Mat3): number[][] {
  const at = (i: number, k: number): number => w[(3 * i + k) as 0];
  return tensorPairs.map(([i, j]) =>
    tensorPairs.map(([k, l]) => (k === l ? at(i, k) * at(j, k) : at(i, k) * at(j, l) + at(i, l) * at(j, k))),
  );
}
/** a*ᵢ a*ⱼ of the six components: β_ij = 2π² a*ᵢ a*ⱼ U_ij. */
function starProducts(cell: UnitCell): number[] {
  const r = reciprocalMetric(cell);
  const s = [Math.sqrt(r[0]), Math.sqrt(r[4]), Math.sqrt(r[8])];
  return tensorPairs.map(([i, j]) => s[i]! * s[j]!);
}

/** Displacement parameters U11 U22 U33 U12 U13 U23 left free by the stabiliser of a site. */
export function adpConstraint(site: Site, cell: UnitCell): Constraint {
  const s = starProducts(cell);
  const rows = site.stabiliser.flatMap((op) =>
    tensorMatrix(op.rotation).map((row, i) => row.map((v, j) => ((v - (i === j ? 1 : 0)) * s[j]!) / s[i]!)),
  );
  const basis = nullSpace(rows, 6);
  return {
    free: basis.length,
    origin: [0, 0, 0, 0, 0, 0],
    basis,
    text: describe(["U11", "U22", "U33", "U12", "U13", "U23"], basis, [0, 0, 0, 0, 0, 0]),
  };
}

/** U of the image of an atom: β' = W β Wᵀ, on the same cell. */
export function rotateAdp(u: readonly number[], rotation: Mat3, cell: UnitCell): number[] {
  const s = starProducts(cell);
  return tensorMatrix(rotation).map((row, i) => row.reduce((sum, v, j) => sum + v * u[j]! * s[j]!, 0) / s[i]!);
}
/** U averaged over the stabiliser: the nearest tensor that the site allows. */
export function symmetriseAdp(u: readonly number[], site: Site, cell: UnitCell): number[] {
  const out = [0, 0, 0, 0, 0, 0];
  for (const op of site.stabiliser)
    rotateAdp(u, op.rotation, cell).forEach((v, i) => {
      out[i]! += v / site.stabiliser.length;
    });
  return out;
}

/** Null space of the rows, pivots taken from the last component backwards so that the first components stay free. */
function nullSpace(rows: readonly (readonly number[])[], n: number): number[][] {
  const m = rows.map((r) => [...r]);
  const pivotOf: number[] = [];
  let top = 0;
  for (let c = n - 1; c >= 0 && top < m.length; c--) {
    let best = top;
    for (let r = top; r < m.length; r++) if (Math.abs(m[r]![c]!) > Math.abs(m[best]![c]!)) best = r;
    if (Math.abs(m[best]![c]!) < 1e-9) continue;
    [m[top], m[best]] = [m[best]!, m[top]!];
    const p = m[top]![c]!;
    m[top] = m[top]!.map((v) => v / p);
    for (let r = 0; r < m.length; r++) {
      if (r === top || m[r]![c] === 0) continue;
      const f = m[r]![c]!;
      m[r] = m[r]!.map((v, k) => v - f * m[top]![k]!);
    }
    pivotOf[top++] = c;
  }
  const pivots = pivotOf.slice(0, top);
  const out: number[][] = [];
  for (let free = 0; free < n; free++) {
    if (pivots.includes(free)) continue;
    const v = new Array<number>(n).fill(0);
    v[free] = 1;
    pivots.forEach((c, r) => {
      const value = -m[r]![free]!;
      v[c] = Math.abs(value - Math.round(value * 24) / 24) < 1e-9 ? Math.round(value * 24) / 24 + 0 : value;
    });
    out.push(v);
  }
  return out;
}

function describe(names: readonly string[], basis: readonly (readonly number[])[], origin: readonly number[]): string {
  const number = (v: number): string => {
    const n = Math.round(Math.abs(v) * 24);
    return Math.abs(Math.abs(v) * 24 - n) < 1e-6 ? fraction(n, 24) : Math.abs(v).toPrecision(6);
  };
  return names
    .map((_, i) => {
      let s = "";
      for (const b of basis) {
        const v = b[i]!;
        if (Math.abs(v) < 1e-12) continue;
        const name = names[b.findIndex((x) => x !== 0)]!;
        const size = number(v);
        const scaled =
          size === "1" ? name : size.includes("/") ? (size.startsWith("1/") ? name + size.slice(1) : `${size}*${name}`) : size + name;
        s += (v < 0 ? "-" : s ? "+" : "") + scaled;
      }
      const o = origin[i]!;
      if (Math.abs(o) > 1e-12) s += (o < 0 ? "-" : s ? "+" : "") + number(o);
      return s || "0";
    })
    .join(",");
}
