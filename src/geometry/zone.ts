import { fail } from "../core/errors.js";
import { apply, compose, cross, type Map3, norm, transpose, type Vec3 } from "../core/frames.js";
import type { UnitCell } from "./cell.js";
import { directBasis, type Fractional, reciprocalBasis } from "./metric.js";
import type { OrientationMatrix } from "./orientation.js";

/**
 * The lattice direction [u v w] that points along lab +z, to the electron source: components on a, b, c of Rᵀẑ, scaled so that the
 * largest is ±1, as PETS2 and JANA write zone axes.
 */
export function zoneAxis(rotation: Map3<"lab", "sample">, ub: OrientationMatrix): Fractional {
  const z: Vec3<"sample"> = [rotation[6], rotation[7], rotation[8]];
  const uvw = apply(transpose(ub), z); // components on a, b, c are products with a*, b*, c*
  const most = Math.max(Math.abs(uvw[0]), Math.abs(uvw[1]), Math.abs(uvw[2]));
  return [uvw[0] / most, uvw[1] / most, uvw[2] / most];
}

/**
 * Orientation whose [u v w] points along lab +z and whose reflection hkl (not along z) points along +x as far as it can.
 * @throws bad-value when [u v w] is 0 0 0 or hkl is normal to the detector
 */
export function orientationOnZone(cell: UnitCell, uvw: Fractional, hkl: Vec3<"hkl">): Map3<"sample", "crystal"> {
  const z = unit(apply(directBasis(cell) as Map3<"crystal", "hkl">, uvw as Vec3<"hkl">));
  const g = apply(reciprocalBasis(cell), hkl);
  const y = cross(z, g);
  if (!(norm(z) > 0 && norm(y) > 1e-12 * norm(g)))
    fail("bad-value", { uvw, hkl }, "give a direction [u v w] and a reflection h k l that does not lie along it");
  const v = unit(y),
    u = cross(v, z);
  return [u[0], u[1], u[2], v[0], v[1], v[2], z[0], z[1], z[2]];
}

const unit = (v: Vec3<"crystal">): Vec3<"crystal"> => {
  const n = norm(v);
  return [v[0] / n, v[1] / n, v[2] / n];
};

/** Spots of one Laue zone: reflections with hu + kv + lw = n. */
export interface ZoneSpots {
  /** Miller indices, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** Positions in the plane, (x, y) in Å⁻¹, shape [size, 2]; x along the reflection that was named. */
  readonly xy: Float64Array;
  readonly size: number;
}

/**
 * Reflections of the zone [u v w] (integers) with |g| <= gMax, in the order of h, k, l; 0 0 0 is left out. `laueZone` n chooses a
 * higher-order Laue zone. Extinctions are not applied.
 */
export function zoneSpots(cell: UnitCell, uvw: Fractional, gMax: number, along: Vec3<"hkl">, laueZone = 0): ZoneSpots {
  if (!uvw.every(Number.isInteger)) fail("bad-value", { uvw }, "the zone axis of a pattern has integer components, for example [1, 1, 0]");
  const m = compose(orientationOnZone(cell, uvw, along), reciprocalBasis(cell));
  const [hm, km, lm] = [cell.a, cell.b, cell.c].map((length) => Math.floor(gMax * length)) as [number, number, number]; // |h| <= |g|·a
  const hkl: number[] = [],
    xy: number[] = [];
  for (let h = -hm; h <= hm; h++)
    for (let k = -km; k <= km; k++)
      for (let l = -lm; l <= lm; l++) {
        if (h * uvw[0] + k * uvw[1] + l * uvw[2] !== laueZone || (h === 0 && k === 0 && l === 0)) continue;
        const g = apply(m, [h, k, l]);
        if (norm(g) > gMax) continue;
        hkl.push(h, k, l);
        xy.push(g[0], g[1]);
      }
  return { hkl: Int32Array.from(hkl), xy: Float64Array.from(xy), size: xy.length / 2 };
}
