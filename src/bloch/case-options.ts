import { fail } from "../core/errors.js";
import type { UnitCell } from "../geometry/cell.js";
import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { radians } from "../geometry/rotation.js";
import { tiltDirection } from "./derivatives.js";
import { type Incidence, incidence } from "./incidence.js";
import { intervalRule } from "./integrate-rules.js";
import { type Mosaicity, mosaicBlocks } from "./mosaicity.js";
import type { CrystalParameter } from "./potential-derivatives.js";

/** What a case file may ask for besides one orientation and sharp thicknesses. All of it is optional. */
export interface CaseOptions {
  /** Divide by 1 + g_n/K_n; default true. */
  readonly surfaceNormal?: boolean | undefined;
  /** Refract by Re U₀; default false. */
  readonly refraction?: boolean | undefined;
  /** U' = ratio · U instead of a table. */
  readonly absorptiveRatio?: number | undefined;
  /** Beams eliminated to second order (Bethe). */
  readonly weakBeams?: readonly (readonly [number, number, number])[] | undefined;
  /** Thicknesses become C·t/cos α + (1 − C)·t. */
  readonly tiltCorrection?: { readonly C: number; readonly alphaDeg: number } | undefined;
  /** K on a cone about the given one. */
  readonly precession?: { readonly semiAngleDeg: number; readonly azimuths: number } | undefined;
  /** The crystal turned by ±halfWidthDeg about an axis given on a, b, c, at the middles of equal steps. */
  readonly rotation?: { readonly axisDirect: Fractional; readonly halfWidthDeg: number; readonly steps: number } | undefined;
  /** Mosaic blocks, turned about the axis perpendicular to K and the axis of the rotation (or the first normal to K). */
  readonly mosaicity?: Mosaicity | undefined;
  /** Derivatives of the intensities with respect to these parameters (`atom` counts from 0), or to "thickness". */
  readonly derivatives?: readonly (CrystalParameter | { readonly kind: "thickness" })[] | undefined;
}

/** Components on a, b, c of a unit vector along u. @throws bad-value */
function unitDirect(cell: UnitCell, u: readonly number[]): Fractional {
  const size = Math.sqrt(quadratic(metricTensor(cell), u as unknown as Fractional));
  if (!(size > 0 && Number.isFinite(size))) fail("bad-value", { axis: u }, "an axis is three numbers on a, b, c, not all zero");
  return u.map((x) => x / size) as unknown as Fractional;
}

/** K turned about a unit axis (on a, b, c): the beam turns by −angle where the crystal turns by the angle. */
function turned(cell: UnitCell, inc: Incidence, axis: Fractional, angle: number): Incidence {
  const across = tiltDirection({ potential: { cell } } as never, inc, axis),
    g = metricTensor(cell);
  const along = axis[0] * inc.k[0] + axis[1] * inc.k[1] + axis[2] * inc.k[2];
  const k = [0, 1, 2].map((i) => {
    const onStar = g[(3 * i) as 0] * axis[0] + g[(3 * i + 1) as 1] * axis[1] + g[(3 * i + 2) as 2] * axis[2];
    return inc.k[i]! * Math.cos(angle) + across[i]! * Math.sin(angle) + onStar * along * (1 - Math.cos(angle));
  });
  return incidence(cell, k as unknown as readonly [number, number, number], inc.normal);
}

/** Two unit vectors normal to K and to each other, on a, b, c; the first as near to `like` as can be. */
function normals(
  cell: UnitCell,
  inc: Incidence,
  star: (k: readonly [number, number, number]) => Fractional,
  like: Fractional,
): [Fractional, Fractional] {
  const d = star(inc.k),
    k2 = d[0] * inc.k[0] + d[1] * inc.k[1] + d[2] * inc.k[2];
  const along = (like[0] * inc.k[0] + like[1] * inc.k[1] + like[2] * inc.k[2]) / k2;
  const first = unitDirect(
    cell,
    like.map((x, i) => x - along * d[i]!),
  );
  const second = unitDirect(cell, star(tiltDirection({ potential: { cell } } as never, inc, first)));
  return [first, second];
}

/**
 * The orientations that a case is a mean of, with weights of sum 1. The beam list and the normal stay.
 * @param star - components on a, b, c of a vector given on a*, b*, c*
 */
export function caseDirections(
  cell: UnitCell,
  inc: Incidence,
  { precession, rotation, mosaicity }: CaseOptions,
  star: (k: readonly [number, number, number]) => Fractional,
): readonly { readonly incidence: Incidence; readonly weight: number }[] {
  if (precession && rotation) fail("unsupported", {}, "a case is precessed or rotated, not both");
  const axis = rotation ? unitDirect(cell, rotation.axisDirect) : ([1, 0, 0] as const);
  let list: { incidence: Incidence; weight: number }[] = [{ incidence: inc, weight: 1 }];
  if (mosaicity) {
    const blocks = mosaicBlocks(mosaicity),
      [first, second] = normals(cell, inc, star, axis);
    list = Array.from(blocks.weights, (weight, i) => ({
      incidence: turned(cell, turned(cell, inc, second, -blocks.aboutTransverse[i]!), first, -blocks.aboutTilt[i]!),
      weight,
    }));
  }
  if (rotation) {
    const rule = intervalRule({ kind: "midpoint", steps: rotation.steps }, radians(rotation.halfWidthDeg));
    return list.flatMap((l) =>
      Array.from(rule.nodes, (a, i) => ({ incidence: turned(cell, l.incidence, axis, -a), weight: l.weight * rule.weights[i]! })),
    );
  }
  if (!precession) return list;
  const { azimuths: n, semiAngleDeg } = precession;
  if (!(Number.isInteger(n) && n > 0)) fail("bad-value", { azimuths: n }, "azimuths is a whole number of at least 1");
  return list.flatMap((l) => {
    const [u, v] = normals(cell, l.incidence, star, [1, 0, 0]);
    return Array.from({ length: n }, (_, i) => {
      const w = (2 * Math.PI * i) / n;
      const about = u.map((x, j) => x * Math.cos(w) + v[j]! * Math.sin(w)) as unknown as Fractional;
      return { incidence: turned(cell, l.incidence, about, radians(semiAngleDeg)), weight: l.weight / n };
    });
  });
}
