import { fail } from "../core/errors.js";
import { type AtomModel, model } from "./atoms.js";
import type { Triple } from "./vectors.js";

/** Displacement u (Å) of the atom at a point (Å, axes of the box) of the undeformed crystal. */
export type DisplacementField = (x: number, y: number, z: number) => Triple;

/** Move every atom by a displacement field; the box stays (a strained crystal may want a larger one). @throws bad-value where the field is not finite */
export function displaceAtoms(m: AtomModel, field: DisplacementField): AtomModel {
  const positions = m.positions.slice();
  for (let i = 0; i < positions.length; i += 3) {
    const u = field(positions[i]!, positions[i + 1]!, positions[i + 2]!);
    if (!u.every(Number.isFinite))
      fail(
        "bad-value",
        { atom: i / 3, position: [...m.positions.subarray(i, i + 3)], u },
        "the field is not finite here: an atom lies on a dislocation line; move the core between atoms",
      );
    for (let k = 0; k < 3; k++) positions[i + k]! += u[k]!;
  }
  return model({ ...m, positions });
}
/** Sum of fields: dipoles, loops of segments, strain on top. Linear elasticity superposes. */
export const sumFields =
  (...fields: readonly DisplacementField[]): DisplacementField =>
  (x, y, z) => {
    const out: [number, number, number] = [0, 0, 0];
    for (const f of fields) f(x, y, z).forEach((v, k) => { out[k]! += v; }); // biome-ignore format: one thought
    return out;
  };

/** Homogeneous strain e11 e22 e33 e23 e13 e12 about a fixed point: u = e (r − origin). */
export function uniformStrain(e: readonly [number, number, number, number, number, number], origin: Triple = [0, 0, 0]): DisplacementField {
  if (!e.every((v) => Number.isFinite(v) && Math.abs(v) < 1))
    fail("bad-value", { strain: e }, "strain components are numbers well below 1 (0.01 is 1 %)");
  return (x0, y0, z0) => {
    const x = x0 - origin[0],
      y = y0 - origin[1],
      z = z0 - origin[2];
    return [e[0] * x + e[5] * y + e[4] * z, e[5] * x + e[1] * y + e[3] * z, e[4] * x + e[3] * y + e[2] * z];
  };
}

/** A straight dislocation in an isotropic, infinite body. */
export interface Dislocation {
  /** Burgers vector, Å. */
  readonly burgers: Triple;
  /** Direction of the line ξ. */
  readonly line: Triple;
  /** Any point of the line, Å; keep it off the atoms. */
  readonly core: Triple;
  /** Direction in which the cut plane leaves the line; default across the line's slip plane (Burgers vector), or any for a screw. */
  readonly cut?: Triple | undefined;
  /** Poisson's ratio, e.g. 0.22 for Si. Only the edge part needs it. Default 0.3. */
  readonly poisson?: number | undefined;
}

/**
 * Displacements of a straight dislocation; the screw part b_s and the edge part b_e of the Burgers vector superpose. With z' ∥ ξ, x' ∥ b_e,
 * θ the angle about the line measured from the cut:
 *   u_z' = b_s θ/2π
 *   u_x' = b_e/2π [θ + xy/(2(1−ν)(x²+y²))]
 *   u_y' = −b_e/2π [(1−2ν)/(4(1−ν)) ln((x²+y²)/b²) + (x²−y²)/(4(1−ν)(x²+y²))]
 * A circuit that turns right-handed about ξ gains +b (the displacement jumps by −b across the cut, going up through it). Positions are those of the undeformed crystal.
 * @throws bad-value
 * @see Hirth & Lothe, Theory of Dislocations (1982), eqs. 3-1, 3-45 and 3-46
 */
export function dislocation({ burgers, line, core, cut, poisson = 0.3 }: Dislocation): DisplacementField {
  const finite = [...burgers, ...line, ...core, ...(cut ?? [])].every(Number.isFinite);
  const size = Math.hypot(...line),
    b = Math.hypot(...burgers);
  if (!finite || !(size > 0 && b > 0))
    fail("bad-value", { burgers, line, core }, "burgers and line are vectors that are not zero, core is a point in Å");
  if (!(poisson > -1 && poisson < 0.5)) fail("bad-value", { poisson }, "Poisson's ratio lies between −1 and 0.5");
  const dot = (p: Triple, q: Triple): number => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  const cross = (p: Triple, q: Triple): Triple => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  const unit = (p: Triple): Triple => {
    const l = Math.hypot(...p);
    return [p[0] / l, p[1] / l, p[2] / l];
  };
  const z = unit(line),
    screw = dot(burgers, z);
  const edgeVector: Triple = [burgers[0] - screw * z[0], burgers[1] - screw * z[1], burgers[2] - screw * z[2]];
  const edge = Math.hypot(...edgeVector) < 1e-9 * b ? 0 : Math.hypot(...edgeVector);
  const any: Triple = Math.abs(z[0]) < 0.8 ? [1, 0, 0] : [0, 1, 0];
  const flat = (p: Triple): Triple => [p[0] - dot(p, z) * z[0], p[1] - dot(p, z) * z[1], p[2] - dot(p, z) * z[2]];
  const x = unit(edge > 0 ? edgeVector : flat(any)),
    y = cross(z, x);
  const away = cut ? flat(cut) : ([-x[0], -x[1], -x[2]] as Triple);
  if (!(Math.hypot(...away) > 0)) fail("bad-value", { cut }, "the cut plane must leave the line: cut may not lie along it");
  // θ runs from −π to π about the direction opposite to the cut.
  const zero = Math.atan2(-dot(away, y), -dot(away, x));
  const c0 = Math.cos(zero),
    s0 = Math.sin(zero),
    k = 1 / (2 * Math.PI),
    nu = poisson;
  return (px, py, pz) => {
    const d: Triple = [px - core[0], py - core[1], pz - core[2]];
    const p = dot(d, x),
      q = dot(d, y),
      r2 = p * p + q * q;
    const theta = Math.atan2(q * c0 - p * s0, p * c0 + q * s0) + zero;
    const uz = screw * theta * k;
    let ux = 0,
      uy = 0;
    if (edge > 0) {
      ux = edge * k * (theta + (p * q) / (2 * (1 - nu) * r2));
      uy = -edge * k * (((1 - 2 * nu) / (4 * (1 - nu))) * Math.log(r2 / (edge * edge)) + (p * p - q * q) / (4 * (1 - nu) * r2));
    }
    if (r2 === 0) return [Number.NaN, Number.NaN, Number.NaN];
    return [ux * x[0] + uy * y[0] + uz * z[0], ux * x[1] + uy * y[1] + uz * z[1], ux * x[2] + uy * y[2] + uz * z[2]];
  };
}

/**
 * A spherical inclusion that is too large or too small for its hole: inside a uniform strain, outside u ∝ r/|r|³. `misfit` is the strain
 * left inside, positive when the inclusion presses outwards.
 * @see Mott & Nabarro, Proc. Phys. Soc. 52, 86 (1940)
 */
export function sphericalMisfit(centre: Triple, radius: number, misfit: number): DisplacementField {
  if (!(radius > 0) || !(Math.abs(misfit) < 0.3)) fail("bad-value", { radius, misfit }, "radius in Å, misfit a strain below 0.3");
  return (x, y, z) => {
    const d = [x - centre[0], y - centre[1], z - centre[2]] as const,
      r = Math.hypot(...d);
    const f = r <= radius ? misfit : misfit * (radius / r) ** 3;
    return [d[0] * f, d[1] * f, d[2] * f];
  };
}
