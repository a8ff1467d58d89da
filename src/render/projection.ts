import { fail } from "../core/errors.js";
import { palette } from "./colormap.js";
import { plotSvg } from "./plot.js";
import type { Mark } from "./plot-marks.js";
import type { Markup } from "./svg.js";

type Vector = readonly [number, number, number];
export interface PointCloud {
  /** Shape [n, 3]. */
  readonly points: ArrayLike<number>;
  /** Class of each point, 0, 1, …: its colour; −1 (noise) is pale gray. */
  readonly classes?: ArrayLike<number>;
  readonly classNames?: readonly string[];
  /** Direction from the cloud to the eye, and the direction that points up. */
  readonly view: Vector;
  readonly up: Vector;
  /** Vectors drawn from the origin. */
  readonly axes?: readonly { readonly vector: Vector; readonly name: string }[];
  readonly unit?: string;
  readonly title?: string;
  readonly size?: number;
  readonly pointSize?: number;
}

const cross = (a: Vector, b: Vector): Vector => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const unitOf = (a: Vector): Vector => {
  const l = Math.hypot(...a);
  return [a[0] / l, a[1] / l, a[2] / l];
};

/** Right and up directions of the picture plane. @throws bad-value when view and up are parallel */
export function viewPlane(view: Vector, up: Vector): { readonly right: Vector; readonly up: Vector; readonly towards: Vector } {
  const r = cross(up, view);
  if (!(Math.hypot(...r) > 1e-9 * Math.hypot(...up) * Math.hypot(...view)))
    fail("bad-value", { view, up }, "view and up are two directions that are not parallel");
  const towards = unitOf(view),
    right = unitOf(r);
  return { right, up: cross(towards, right), towards };
}

/** Orthographic projection of points in space; nearer points are drawn over farther ones, farther ones are smaller and paler. */
export function pointCloudSvg(cloud: PointCloud): Markup {
  const { points, size = 460, unit = "Å⁻¹", pointSize = 3.2 } = cloud,
    plane = viewPlane(cloud.view, cloud.up),
    n = points.length / 3;
  if (!Number.isInteger(n)) fail("bad-shape", { length: points.length }, "points are [n, 3] row-major");
  const flat = Array.from({ length: n }, (_, k) => {
    const p: Vector = [points[3 * k]!, points[3 * k + 1]!, points[3 * k + 2]!];
    return { x: dot(p, plane.right), y: dot(p, plane.up), z: dot(p, plane.towards), c: cloud.classes ? cloud.classes[k]! : 0 };
  }).sort((a, b) => a.z - b.z);
  let reach = 1e-12;
  for (const p of flat) if (Number.isFinite(p.x + p.y)) reach = Math.max(reach, Math.abs(p.x), Math.abs(p.y));
  for (const a of cloud.axes ?? []) reach = Math.max(reach, Math.hypot(...a.vector));
  reach *= 1.06;
  const marks: Mark[] = [],
    layers = 4;
  for (let l = 0; l < layers; l++) {
    const part = flat.slice(Math.floor((n * l) / layers), Math.floor((n * (l + 1)) / layers));
    marks.push({
      kind: "points",
      x: part.map((p) => p.x),
      y: part.map((p) => p.y),
      size: pointSize * (0.75 + (0.5 * l) / (layers - 1)),
      opacity: 0.45 + (0.5 * l) / (layers - 1),
      colors: part.map((p) => (p.c < 0 ? "#c3c8ce" : palette[p.c % palette.length]!)),
    });
  }
  for (const a of cloud.axes ?? []) {
    const x = dot(a.vector, plane.right),
      y = dot(a.vector, plane.up);
    marks.push(
      { kind: "line", x: [0, x], y: [0, y], color: "#222222", width: 1.6 },
      { kind: "text", x: 1.1 * x, y: 1.1 * y, text: a.name, anchor: "middle", color: "#222222", size: 12.5 },
    );
  }
  const named =
    cloud.classNames?.map((label, k): Mark => ({ kind: "points", x: [], y: [], color: palette[k % palette.length]!, label })) ?? [];
  return plotSvg({
    title: cloud.title,
    marks: [...marks, ...named],
    equal: true,
    width: size + 46,
    height: size + (cloud.title ? 60 : 40),
    x: { label: `right (${unit})`, range: [-reach, reach] },
    y: { label: `up (${unit})`, range: [-reach, reach] },
  });
}
