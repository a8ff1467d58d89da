import type { Fractional } from "../geometry/metric.js";
import type { DensityMap } from "./density.js";

export interface MapPeak {
  /** Fractions of the map's axes, in [0, 1). */
  readonly xyz: Fractional;
  /** Value of the parabola at its top, in the map's units. */
  readonly height: number;
}

/**
 * Maxima of a periodic map, highest first: points that no neighbour of 26 exceeds, moved to the top of the second-order surface through their neighbours
 * (all nine second differences, so that oblique axes do no harm).
 * @param floor - only maxima above this value
 * @param limit - most peaks returned
 */
export function mapPeaks(map: DensityMap, floor: number, limit = 1000): MapPeak[] {
  const [na, nb, nc] = map.shape,
    d = map.data;
  const at = (i: number, j: number, k: number): number => d[(((i + na) % na) * nb + ((j + nb) % nb)) * nc + ((k + nc) % nc)]!;
  const found: MapPeak[] = [];
  for (let i = 0; i < na; i++)
    for (let j = 0; j < nb; j++)
      for (let k = 0; k < nc; k++) {
        const v = d[(i * nb + j) * nc + k]!;
        if (v > floor && isMaximum(at, i, j, k, v)) found.push(topOf(at, i, j, k, v, map.shape));
      }
  return found.sort((p, q) => q.height - p.height).slice(0, limit);
}

type At = (i: number, j: number, k: number) => number;
/** Equal neighbours count once: the first of them in the order of the grid. */
function isMaximum(at: At, i: number, j: number, k: number, v: number): boolean {
  for (let a = -1; a <= 1; a++)
    for (let b = -1; b <= 1; b++)
      for (let c = -1; c <= 1; c++) {
        if (!a && !b && !c) continue;
        const w = at(i + a, j + b, k + c);
        if (w > v || (w === v && (a < 0 || (a === 0 && (b < 0 || (b === 0 && c < 0)))))) return false;
      }
  return true;
}

function topOf(at: At, i: number, j: number, k: number, v: number, shape: readonly [number, number, number]): MapPeak {
  const e = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ] as const;
  const f = (a: readonly number[], s: number, b?: readonly number[], t = 0): number =>
    at(i + s * a[0]! + t * (b?.[0] ?? 0), j + s * a[1]! + t * (b?.[1] ?? 0), k + s * a[2]! + t * (b?.[2] ?? 0));
  const g = e.map((a) => (f(a, 1) - f(a, -1)) / 2);
  const h: number[] = [];
  for (let p = 0; p < 3; p++)
    for (let q = 0; q < 3; q++)
      h.push(
        p === q
          ? f(e[p]!, 1) + f(e[p]!, -1) - 2 * v
          : (f(e[p]!, 1, e[q], 1) + f(e[p]!, -1, e[q], -1) - f(e[p]!, 1, e[q], -1) - f(e[p]!, -1, e[q], 1)) / 4,
      );
  let shift = newton(h, g);
  // A flat or saddle-like top: one parabola for each axis.
  if (!shift || shift.some((x) => !(Math.abs(x) <= 1)))
    shift = e.map((_, p) => (h[4 * p]! < 0 ? Math.max(-0.5, Math.min(0.5, -g[p]! / h[4 * p]!)) : 0));
  const height = v + 0.5 * shift.reduce((s, x, p) => s + x * g[p]!, 0);
  const unit = (x: number): number => x - Math.floor(x);
  return { xyz: [unit((i + shift[0]!) / shape[0]), unit((j + shift[1]!) / shape[1]), unit((k + shift[2]!) / shape[2])], height };
}
function newton(h: readonly number[], g: readonly number[]): number[] | undefined {
  const [a, b, c, , d, e, , , f] = h as unknown as [number, number, number, number, number, number, number, number, number];
  const det = a * (d * f - e * e) - b * (b * f - e * c) + c * (b * e - d * c);
  if (!(Math.abs(det) > 1e-12 * Math.abs(a * d * f))) return undefined;
  const x = [
    d * f - e * e,
    c * e - b * f,
    b * e - c * d,
    c * e - b * f,
    a * f - c * c,
    b * c - a * e,
    b * e - c * d,
    b * c - a * e,
    a * d - b * b,
  ];
  return [0, 1, 2].map((r) => -(x[3 * r]! * g[0]! + x[3 * r + 1]! * g[1]! + x[3 * r + 2]! * g[2]!) / det);
}
