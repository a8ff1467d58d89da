import { apply, compose, inverse, type Map3, transpose } from "../core/frames.js";
import { cellFromUB, metricTensor, transformUB } from "../geometry/metric.js";
import { nearestRotation, rotationVector } from "../geometry/rotation-forms.js";
import type { Orientation } from "./index-lattice.js";
import { settingsLike } from "./twins-setting.js";

/** How a second crystal lies to the first: the rotation that brings the first to the second. */
export interface Misorientation {
  readonly angleDeg: number;
  /** Rotation axis, unit vector, sample frame. */
  readonly axis: readonly [number, number, number];
  /** Lattice row of the first crystal nearest to the axis, whole numbers up to 4, and its angle to the axis, degrees. */
  readonly row: readonly [number, number, number];
  readonly rowOffDeg: number;
  /** Lattice plane whose normal is nearest to the axis, and the angle between them, degrees. */
  readonly plane: readonly [number, number, number];
  readonly planeOffDeg: number;
  readonly rotation: Map3<"sample", "sample">;
  /** UB of the second crystal on axes equivalent to the first's: rotation·UB₁ but for the difference of the cells. */
  readonly ub: Orientation;
}

const deg = 180 / Math.PI;

/**
 * Rotation between two crystals of one lattice. Of the descriptions that the symmetry of the lattice makes equivalent, the one with the smallest angle;
 * among equal angles (within 0.5°) the one whose axis is the simplest row or plane normal.
 * @returns undefined when the second lattice is not the first one turned
 */
export function misorientation(first: Orientation, second: Orientation): Misorientation | undefined {
  const settings = settingsLike(metricTensor(cellFromUB(second)), metricTensor(cellFromUB(first)), { maxLength: 0.03, maxCosine: 0.03 });
  const best = settings[0]?.error ?? 0;
  const all = settings
    // Rounding and noise keep equivalents within a few thousandths; a pseudo-symmetry of the metric is further off.
    .filter((s) => s.error <= best + 0.004)
    .map(({ basis }) => {
      const ub = transformUB(second, basis) as Orientation;
      const rotation = nearestRotation<"sample", "sample">(compose(ub, inverse(first)) as Map3<"sample", "sample">);
      return { ...describe(rotation, first), ub };
    });
  const least = Math.min(...all.map((m) => m.angleDeg));
  return all.filter((m) => m.angleDeg < least + 0.5).sort((a, b) => complexity(a) - complexity(b))[0];
}

function complexity(m: Misorientation): number {
  const sum = (v: readonly number[]): number => v.reduce((s, x) => s + Math.abs(x), 0);
  return Math.min(sum(m.row) + 2 * m.rowOffDeg, sum(m.plane) + 0.1 + 2 * m.planeOffDeg);
}

function describe(rotation: Map3<"sample", "sample">, ub: Orientation): Omit<Misorientation, "ub"> {
  const v = rotationVector(rotation),
    angle = Math.hypot(...v);
  const axis = (angle > 0 ? v.map((x) => x / angle) : [1, 0, 0]) as unknown as readonly [number, number, number];
  const direct = transpose(inverse(ub)); // columns a, b, c
  const [row, rowOffDeg] = nearest(axis, direct as Map3),
    [plane, planeOffDeg] = nearest(axis, ub as Map3);
  return { angleDeg: angle * deg, axis, row, rowOffDeg, plane, planeOffDeg, rotation };
}

/** The simplest direction of whole numbers on a basis that lies within 0.5° of an axis, or else the nearest one. */
function nearest(axis: readonly [number, number, number], basis: Map3): readonly [readonly [number, number, number], number] {
  let best: readonly [number, number, number] = [1, 0, 0],
    bestOff = 180,
    cost = Number.POSITIVE_INFINITY;
  for (let u = -4; u <= 4; u++)
    for (let v = -4; v <= 4; v++)
      for (let w = -4; w <= 4; w++) {
        if (!u && !v && !w) continue;
        const d = apply(basis, [u, v, w]);
        const off = deg * Math.acos(Math.min(1, Math.max(-1, (d[0] * axis[0] + d[1] * axis[1] + d[2] * axis[2]) / Math.hypot(...d))));
        const c = Math.abs(u) + Math.abs(v) + Math.abs(w) + 100 * Math.max(0, off - 0.5);
        if (c < cost) [best, bestOff, cost] = [[u, v, w], off, c];
      }
  return [best, bestOff];
}
