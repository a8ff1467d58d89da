import { cross, dot, norm } from "../core/frames.js";
import type { Image } from "../core/image.js";
import { cartesianToFractional, type Fractional, fractionalToCartesian } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { heatMapSvg } from "../render/figure.js";
import type { Mark } from "../render/plot-marks.js";
import type { Markup } from "../render/svg.js";
import { mapValue, type PotentialMap } from "./potential-map.js";

export interface SectionOptions {
  /** Three points of the plane, fractional: the first is the centre of the picture, the second lies to its right. */
  readonly points: readonly [Fractional, Fractional, Fractional];
  /** Side of the square, Å (8). */
  readonly size?: number | undefined;
  /** Distance of the samples, Å (0.05). */
  readonly step?: number | undefined;
}
/** A plane through a map. */
export interface MapSection {
  /** Volts, [ny, nx], row 0 at the lowest v. */
  readonly image: Image<Float64Array>;
  /** Coordinates of the edges along the picture's axes, Å from the centre. */
  readonly range: readonly [number, number];
  /** Position in the picture and distance from the plane (Å) of a fractional point. */
  project(x: Fractional): { readonly u: number; readonly v: number; readonly off: number };
}

/** Sample a plane, for example through three atoms. */
export function mapSection(map: PotentialMap, { points, size = 8, step = 0.05 }: SectionOptions): MapSection {
  type V = readonly [number, number, number];
  const [p, q, r] = points.map((x) => fractionalToCartesian(map.cell, x) as unknown as V) as [V, V, V];
  const minus = (a: V, b: V): V => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  const unit = (a: V): V => {
    const n = norm(a as never);
    return [a[0] / n, a[1] / n, a[2] / n];
  };
  const u = unit(minus(q, p)),
    w = unit(cross(u as never, minus(r, p) as never) as unknown as V),
    v = cross(w as never, u as never) as unknown as V;
  const n = Math.max(2, Math.round(size / step));
  const data = new Float64Array(n * n);
  for (let j = 0; j < n; j++)
    for (let i = 0; i < n; i++) {
      const a = ((i + 0.5) / n - 0.5) * size,
        b = ((j + 0.5) / n - 0.5) * size;
      const x = [0, 1, 2].map((k) => p[k as 0] + a * u[k as 0] + b * v[k as 0]);
      data[j * n + i] = mapValue(map, cartesianToFractional(map.cell, x as never));
    }
  return {
    image: { data, shape: [n, n] },
    range: [-size / 2, size / 2],
    project: (x) => {
      const d = minus(fractionalToCartesian(map.cell, x) as unknown as V, p);
      return { u: dot(d as never, u as never), v: dot(d as never, v as never), off: dot(d as never, w as never) };
    },
  };
}

/** The section as a picture: symmetric colours about 0, atoms within 0.5 Å of the plane with their labels. */
export function sectionSvg(
  section: MapSection,
  style: { readonly title?: string; readonly structure?: Structure; readonly limit?: number } = {},
): Markup {
  let most = style.limit ?? 0;
  if (!style.limit) for (const v of section.image.data) most = Math.max(most, Math.abs(v));
  const marks: Mark[] = [];
  const [low, high] = section.range;
  if (style.structure) {
    for (const a of expandToP1(style.structure))
      for (let i = -1; i <= 1; i++)
        for (let j = -1; j <= 1; j++)
          for (let k = -1; k <= 1; k++) {
            const at = section.project([a.xyz[0] + i, a.xyz[1] + j, a.xyz[2] + k]);
            if (Math.abs(at.off) > 0.5 || at.u < low || at.u > high || at.v < low || at.v > high) continue;
            marks.push({ kind: "points", x: [at.u], y: [at.v], color: "#111111", size: 5 });
            marks.push({
              kind: "text",
              x: at.u + 0.025 * (high - low),
              y: at.v,
              text: style.structure.atoms[a.atom]!.label,
              color: "#111111",
            });
          }
  }
  return heatMapSvg({
    image: section.image,
    xRange: section.range,
    yRange: section.range,
    x: { label: "Å" },
    y: { label: "Å" },
    scale: { range: [-most, most] },
    colormap: "diverging",
    valueLabel: "potential, V",
    title: style.title,
    marks,
    equal: true,
  });
}
