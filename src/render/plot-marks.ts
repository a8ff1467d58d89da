import type { Image, TypedArray } from "../core/image.js";
import { dataUri } from "./base64.js";
import type { ColormapName } from "./colormap.js";
import { prepareImage } from "./image.js";
import type { Scale } from "./levels.js";
import { rasterPng } from "./raster.js";
import { element, escapeText, type Markup } from "./svg.js";

type Column = ArrayLike<number>;
interface Style {
  readonly color?: string | undefined;
  readonly label?: string | undefined;
  readonly opacity?: number | undefined;
}
export type PointShape = "circle" | "square" | "diamond" | "plus" | "cross" | "open";

/** One thing in a plot, in data coordinates. NaN breaks a line and leaves out a point. */
export type Mark =
  | (Style & { readonly kind: "line"; readonly x: Column; readonly y: Column; readonly width?: number; readonly dash?: string })
  | (Style & {
      readonly kind: "points";
      readonly x: Column;
      readonly y: Column;
      /** Diameter in pixels, one or each. */
      readonly size?: number | Column;
      readonly shape?: PointShape;
      /** Colour of each point. */
      readonly colors?: readonly string[];
    })
  | (Style & { readonly kind: "errors"; readonly x: Column; readonly y: Column; readonly sigmaX?: Column; readonly sigmaY?: Column })
  | (Style & { readonly kind: "bars"; readonly x: Column; readonly y: Column; readonly width?: number; readonly base?: number })
  | (Style & { readonly kind: "steps"; readonly edges: Column; readonly counts: Column })
  | (Style & { readonly kind: "band"; readonly x: Column; readonly low: Column; readonly high: Column })
  | (Style & { readonly kind: "rule"; readonly x?: number; readonly y?: number; readonly dash?: string; readonly width?: number })
  | (Style & {
      readonly kind: "text";
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly anchor?: "start" | "middle" | "end";
      readonly size?: number;
    })
  | (Style & {
      readonly kind: "ring";
      readonly x: number;
      readonly y: number;
      readonly radius: number;
      readonly dash?: string;
      readonly width?: number;
      readonly fill?: string;
    })
  | (Style & {
      readonly kind: "image";
      readonly image: Image<TypedArray>;
      /** Data coordinates of the outer edges of the first and last pixel; row 0 is at y[0]. */
      readonly x: readonly [number, number];
      readonly y: readonly [number, number];
      readonly scale?: Scale;
      readonly colormap?: ColormapName;
      readonly reverse?: boolean;
    });

/** The drawing area: data to picture coordinates. */
export interface Frame {
  x(v: number): number;
  y(v: number): number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly xRange: readonly [number, number];
  readonly yRange: readonly [number, number];
}

/** Smallest box [x0, x1, y0, y1] that holds the marks. */
export function bounds(marks: readonly Mark[], logX: boolean, logY: boolean): [number, number, number, number] {
  const b: [number, number, number, number] = [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ];
  const x = (v: number): void => {
    if (!Number.isFinite(v) || (logX && v <= 0)) return;
    b[0] = Math.min(b[0], v);
    b[1] = Math.max(b[1], v);
  };
  const y = (v: number): void => {
    if (!Number.isFinite(v) || (logY && v <= 0)) return;
    b[2] = Math.min(b[2], v);
    b[3] = Math.max(b[3], v);
  };
  for (const m of marks) {
    if (m.kind === "rule") {
      if (m.x !== undefined) x(m.x);
      if (m.y !== undefined) y(m.y);
    } else if (m.kind === "text") {
      x(m.x);
      y(m.y);
    } else if (m.kind === "ring") {
      x(m.x - m.radius);
      x(m.x + m.radius);
      y(m.y - m.radius);
      y(m.y + m.radius);
    } else if (m.kind === "image") {
      m.x.forEach(x);
      m.y.forEach(y);
    } else if (m.kind === "steps") {
      for (let k = 0; k < m.edges.length; k++) x(m.edges[k]!);
      for (let k = 0; k < m.counts.length; k++) y(m.counts[k]!);
      y(0);
    } else if (m.kind === "band") {
      for (let k = 0; k < m.x.length; k++) {
        x(m.x[k]!);
        y(m.low[k]!);
        y(m.high[k]!);
      }
    } else {
      const half = m.kind === "bars" ? (m.width ?? barWidth(m.x)) / 2 : 0;
      if (m.kind === "bars") y(m.base ?? 0);
      for (let k = 0; k < m.x.length; k++) {
        const sx = m.kind === "errors" ? (m.sigmaX?.[k] ?? 0) : half,
          sy = m.kind === "errors" ? (m.sigmaY?.[k] ?? 0) : 0;
        x(m.x[k]! - sx);
        x(m.x[k]! + sx);
        y(m.y[k]! - sy);
        y(m.y[k]! + sy);
      }
    }
  }
  return b;
}

function barWidth(x: Column): number {
  const a = Float64Array.from(x as ArrayLike<number>).sort();
  let least = Number.POSITIVE_INFINITY;
  for (let k = 1; k < a.length; k++) if (a[k]! > a[k - 1]!) least = Math.min(least, a[k]! - a[k - 1]!);
  return Number.isFinite(least) ? 0.8 * least : 0.8;
}

const n = (v: number): string => {
  const t = v.toFixed(2);
  return t.replace(/\.?0+$/, "");
};

/** Path through the finite points, broken at the others. */
function path(px: (k: number) => number, py: (k: number) => number, count: number): string {
  let d = "",
    pen = false;
  for (let k = 0; k < count; k++) {
    const x = px(k),
      y = py(k);
    if (!Number.isFinite(x + y)) {
      pen = false;
      continue;
    }
    d += `${pen ? "L" : "M"}${n(x)} ${n(y)}`;
    pen = true;
  }
  return d;
}

function pointPath(x: number, y: number, s: number, shape: PointShape): string {
  const r = s / 2;
  if (shape === "square") return `M${n(x - r)} ${n(y - r)}h${n(s)}v${n(s)}h${n(-s)}z`;
  if (shape === "diamond")
    return `M${n(x)} ${n(y - 1.25 * r)}l${n(1.25 * r)} ${n(1.25 * r)}l${n(-1.25 * r)} ${n(1.25 * r)}l${n(-1.25 * r)} ${n(-1.25 * r)}z`;
  if (shape === "plus") return `M${n(x - r)} ${n(y)}h${n(s)}M${n(x)} ${n(y - r)}v${n(s)}`;
  if (shape === "cross") return `M${n(x - r)} ${n(y - r)}l${n(s)} ${n(s)}m${n(-s)} 0l${n(s)} ${n(-s)}`;
  return `M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(s)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-s)} 0`;
}
const strokedShape = (shape: PointShape): boolean => shape === "plus" || shape === "cross" || shape === "open";

/** SVG of a mark inside a frame. */
export function markSvg(m: Mark, f: Frame): Markup {
  const color = m.color ?? "#0072b2",
    opacity = m.opacity;
  switch (m.kind) {
    case "line":
      return element("path", {
        d: path(
          (k) => f.x(m.x[k]!),
          (k) => f.y(m.y[k]!),
          m.x.length,
        ),
        fill: "none",
        stroke: color,
        "stroke-width": m.width ?? 1.6,
        "stroke-dasharray": m.dash,
        "stroke-linejoin": "round",
        opacity,
      });
    case "points": {
      const shape = m.shape ?? "circle",
        style = (c: string) => (strokedShape(shape) ? { fill: "none", stroke: c, "stroke-width": 1.3 } : { fill: c });
      // One path for all points of a colour: files stay small.
      const byColor = new Map<string, string>();
      for (let k = 0; k < m.x.length; k++) {
        const x = f.x(m.x[k]!),
          y = f.y(m.y[k]!),
          size = typeof m.size === "object" ? m.size[k]! : (m.size ?? 5),
          c = m.colors?.[k] ?? color;
        if (!Number.isFinite(x + y) || !(size > 0)) continue;
        byColor.set(c, (byColor.get(c) ?? "") + pointPath(x, y, size, shape));
      }
      return [...byColor].map(([c, d]) => element("path", { d, ...style(c), opacity })).join("");
    }
    case "errors": {
      let d = "";
      for (let k = 0; k < m.x.length; k++) {
        const x = f.x(m.x[k]!),
          y = f.y(m.y[k]!);
        if (!Number.isFinite(x + y)) continue;
        const sy = m.sigmaY?.[k],
          sx = m.sigmaX?.[k];
        if (sy !== undefined && sy > 0) {
          const a = f.y(m.y[k]! - sy),
            b = f.y(m.y[k]! + sy);
          if (Number.isFinite(a + b)) d += `M${n(x)} ${n(a)}V${n(b)}M${n(x - 2.5)} ${n(a)}h5M${n(x - 2.5)} ${n(b)}h5`;
        }
        if (sx !== undefined && sx > 0) {
          const a = f.x(m.x[k]! - sx),
            b = f.x(m.x[k]! + sx);
          if (Number.isFinite(a + b)) d += `M${n(a)} ${n(y)}H${n(b)}M${n(a)} ${n(y - 2.5)}v5M${n(b)} ${n(y - 2.5)}v5`;
        }
      }
      return element("path", { d, fill: "none", stroke: color, "stroke-width": 1, opacity });
    }
    case "bars": {
      const half = (m.width ?? barWidth(m.x)) / 2,
        bottom = f.yRange[0] > 0 && (m.base ?? 0) <= 0 ? f.top + f.height : f.y(m.base ?? 0);
      let d = "";
      for (let k = 0; k < m.x.length; k++) {
        const a = f.x(m.x[k]! - half),
          b = f.x(m.x[k]! + half),
          y = f.y(m.y[k]!);
        if (Number.isFinite(a + b + y)) d += `M${n(a)} ${n(bottom)}V${n(y)}H${n(b)}V${n(bottom)}z`;
      }
      return element("path", { d, fill: color, opacity });
    }
    case "steps": {
      const bottom = f.yRange[0] > 0 ? f.top + f.height : f.y(0);
      // An edge at or below zero lies outside a log axis: its bar starts at the frame.
      const edge = (k: number): number => {
        const p = f.x(m.edges[k]!);
        return Number.isFinite(p) ? p : f.left;
      };
      let d = `M${n(edge(0))} ${n(bottom)}`;
      for (let k = 0; k < m.counts.length; k++) {
        const y = f.y(m.counts[k]!);
        d += `V${n(Number.isFinite(y) ? y : bottom)}H${n(edge(k + 1))}`;
      }
      return element("path", { d: `${d}V${n(bottom)}`, fill: color, "fill-opacity": 0.25, stroke: color, "stroke-width": 1.2, opacity });
    }
    case "band": {
      const c = m.x.length;
      const up = path(
          (k) => f.x(m.x[k]!),
          (k) => f.y(m.high[k]!),
          c,
        ),
        down = path(
          (k) => f.x(m.x[c - 1 - k]!),
          (k) => f.y(m.low[c - 1 - k]!),
          c,
        );
      return element("path", { d: `${up}${down.replace(/^M/, "L")}z`, fill: color, "fill-opacity": opacity ?? 0.2 });
    }
    case "rule": {
      const style = { stroke: color, "stroke-width": m.width ?? 1, "stroke-dasharray": m.dash ?? "4 3", opacity };
      return (
        (m.x === undefined ? "" : element("line", { x1: f.x(m.x), x2: f.x(m.x), y1: f.top, y2: f.top + f.height, ...style })) +
        (m.y === undefined ? "" : element("line", { x1: f.left, x2: f.left + f.width, y1: f.y(m.y), y2: f.y(m.y), ...style }))
      );
    }
    case "text":
      return element(
        "text",
        {
          x: f.x(m.x),
          y: f.y(m.y) + 0.35 * (m.size ?? 11),
          "text-anchor": m.anchor,
          "font-size": m.size ?? 11,
          fill: color,
          stroke: "#ffffff",
          "stroke-width": 2.5,
          "stroke-opacity": 0.8,
          "paint-order": "stroke",
          opacity,
        },
        escapeText(m.text),
      );
    case "ring":
      return element("ellipse", {
        cx: f.x(m.x),
        cy: f.y(m.y),
        rx: Math.abs(f.x(m.x + m.radius) - f.x(m.x)),
        ry: Math.abs(f.y(m.y + m.radius) - f.y(m.y)),
        fill: m.fill ?? "none",
        stroke: color,
        "stroke-width": m.width ?? 1,
        "stroke-dasharray": m.dash,
        opacity,
      });
    case "image": {
      const p = prepareImage(m.image, {
        scale: m.scale,
        colormap: m.colormap ?? "viridis",
        reverse: m.reverse,
        zoom: Math.min(1, 1024 / Math.max(...m.image.shape)),
      });
      const x = [f.x(m.x[0]), f.x(m.x[1])] as const,
        y = [f.y(m.y[0]), f.y(m.y[1])] as const;
      if (!Number.isFinite(x[0] + x[1] + y[0] + y[1])) return ""; // reaches to zero on a log axis
      const flip = `translate(${n(x[0])} ${n(y[0])}) scale(${x[1] < x[0] ? -1 : 1} ${y[1] < y[0] ? -1 : 1})`;
      return element("image", {
        href: dataUri(rasterPng(p.raster)),
        width: Math.abs(x[1] - x[0]),
        height: Math.abs(y[1] - y[0]),
        preserveAspectRatio: "none",
        transform: flip,
        style: "image-rendering:pixelated",
        opacity,
      });
    }
  }
}

/** A small picture of the mark for the legend. */
export function swatch(m: Mark, x: number, y: number): Markup {
  const color = m.color ?? "#0072b2";
  if (m.kind === "points") {
    const shape = m.shape ?? "circle";
    return element("path", {
      d: pointPath(x, y, 7, shape),
      ...(strokedShape(shape) ? { fill: "none", stroke: color, "stroke-width": 1.3 } : { fill: color }),
    });
  }
  if (m.kind === "bars" || m.kind === "band" || m.kind === "steps")
    return element("rect", { x: x - 9, y: y - 5, width: 18, height: 10, fill: color, "fill-opacity": m.kind === "bars" ? 1 : 0.35 });
  if (m.kind === "errors")
    return element("path", { d: `M${n(x)} ${n(y - 6)}v12M${n(x - 2.5)} ${n(y - 6)}h5M${n(x - 2.5)} ${n(y + 6)}h5`, stroke: color });
  return element("line", {
    x1: x - 10,
    x2: x + 10,
    y1: y,
    y2: y,
    stroke: color,
    "stroke-width": 1.8,
    "stroke-dasharray":
      m.kind === "line" || m.kind === "rule" || m.kind === "ring" ? (m.dash ?? (m.kind === "rule" ? "4 3" : undefined)) : undefined,
  });
}
