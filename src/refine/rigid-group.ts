import { apply } from "../core/frames.js";
import type { UnitCell } from "../geometry/cell.js";
import { cartesianToFractional, type Fractional, fractionalToCartesian } from "../geometry/metric.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";

type V = readonly [number, number, number];
const cross = (a: V, b: V): [number, number, number] => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** A body of atoms that keep their distances: x = c + t + R(ω)(x₀ − c), Cartesian, c the mean of the members. */
export interface RigidGroup {
  /** Independent atoms, indices. */
  readonly atoms: readonly number[];
  /** Positions of the members for six parameters (t in Å, ω in radians as a rotation vector), fractional. */
  positions(parameters: ArrayLike<number>, at: number): readonly Fractional[];
  /** ∂x/∂parameter, shape [members, 3, 6] row-major, fractional. */
  derivatives(parameters: ArrayLike<number>, at: number): Float64Array;
}

export function rigidGroup(cell: UnitCell, atoms: readonly number[], xyz: readonly Fractional[]): RigidGroup {
  const start = xyz.map((x) => fractionalToCartesian(cell, x) as unknown as V);
  const c = [0, 1, 2].map((k) => start.reduce((s, x) => s + x[k]!, 0) / start.length) as unknown as V;
  const arm = start.map((x): V => [x[0] - c[0], x[1] - c[1], x[2] - c[2]]);
  const fractional = (v: V): Fractional => cartesianToFractional(cell, v as never);
  const rotated = (w: V): V[] => {
    const r = rotationFromVector(w as never);
    return arm.map((x) => apply(r as never, x as never) as unknown as V);
  };
  return {
    atoms,
    positions: (p, at) => {
      const [tx, ty, tz] = [p[at]!, p[at + 1]!, p[at + 2]!];
      return rotated([p[at + 3]!, p[at + 4]!, p[at + 5]!]).map((x) => fractional([c[0] + tx + x[0], c[1] + ty + x[1], c[2] + tz + x[2]]));
    },
    derivatives: (p, at) => {
      const w: V = [p[at + 3]!, p[at + 4]!, p[at + 5]!];
      const now = rotated(w);
      const out = new Float64Array(18 * arm.length);
      const angular = [0, 1, 2].map((i) => angularRate(w, i));
      for (let m = 0; m < arm.length; m++)
        for (let k = 0; k < 6; k++) {
          const e: V = [Number(k === 0), Number(k === 1), Number(k === 2)];
          const d = fractional(k < 3 ? e : cross(angular[k - 3]!, now[m]!));
          for (let j = 0; j < 3; j++) out[18 * m + 6 * j + k] = d[j as 0];
        }
      return out;
    },
  };
}

/** a with ∂R(ω)/∂ωᵢ = [a]× R: (ωᵢ ω + ω × (1 − R)eᵢ)/|ω|², eᵢ at ω = 0 (Gallego & Yezzi 2015, J. Math. Imaging Vis. 51, 378). */
function angularRate(w: V, i: number): V {
  const e: V = [Number(i === 0), Number(i === 1), Number(i === 2)];
  const n2 = w[0] * w[0] + w[1] * w[1] + w[2] * w[2];
  // Below 1e-5 the quotient cancels; there a = eᵢ + ½ ω × eᵢ to 1e-11.
  if (n2 < 1e-10) {
    const q = cross(w, e);
    return [e[0] + q[0] / 2, e[1] + q[1] / 2, e[2] + q[2] / 2];
  }
  const r = rotationFromVector(w as never);
  const re = apply(r as never, e as never) as unknown as V;
  const q = cross(w, [e[0] - re[0], e[1] - re[1], e[2] - re[2]]);
  return [(w[i as 0] * w[0] + q[0]) / n2, (w[i as 0] * w[1] + q[1]) / n2, (w[i as 0] * w[2] + q[2]) / n2];
}
