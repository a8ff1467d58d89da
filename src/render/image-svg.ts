import type { Image, TypedArray } from "../core/image.js";
import { dataUri } from "./base64.js";
import { type ImageStyle, prepareImage } from "./image.js";
import { MARK } from "./image-raster.js";
import { type Overlay, scaleBarLength } from "./overlay.js";
import { rasterPng } from "./raster.js";
import { element, escapeText, estimateWidth, type Markup, svgDocument } from "./svg.js";

/** A picture as SVG: the pixels embedded as PNG, every mark as vectors that stay sharp and selectable. */
export function imageSvg(image: Image<TypedArray>, style: ImageStyle & { readonly title?: string } = {}): Markup {
  const p = prepareImage(image, style),
    { width, height } = p.raster,
    unit = Math.max(width, height) / 512;
  // SVG coordinates have pixel corners at whole numbers: half a pixel more than ours.
  const at = { x: (x: number) => p.toX(x) + 0.5, y: (y: number) => p.toY(y) + 0.5 };
  const body = [
    element("image", { href: dataUri(rasterPng(p.raster)), width, height, style: "image-rendering:pixelated" }),
    ...(style.overlays ?? []).map((o) => overlaySvg(o, at, p.zoom, unit)),
  ];
  if (style.scaleBar) {
    const { pixels, text } = scaleBarLength(style.scaleBar, style.crop?.width ?? image.shape[1]),
      w = pixels * p.zoom,
      size = 13 * unit,
      plate = Math.max(w, estimateWidth(text, size)) + 16 * unit,
      x = 8 * unit,
      y = height - 8 * unit;
    body.push(
      element("rect", { x, y: y - 30 * unit, width: plate, height: 30 * unit, rx: 3 * unit, fill: "#000000", "fill-opacity": 0.65 }),
      element("rect", { x: x + (plate - w) / 2, y: y - 9 * unit, width: w, height: 3 * unit, fill: "#ffffff" }),
      element(
        "text",
        { x: x + plate / 2, y: y - 14 * unit, fill: "#ffffff", "font-size": size, "text-anchor": "middle" },
        escapeText(text),
      ),
    );
  }
  const rows = style.legend === false ? [] : (style.overlays ?? []).filter((o) => o.label);
  if (rows.length > 0) {
    const size = 12 * unit,
      line = 18 * unit,
      w = Math.max(...rows.map((o) => estimateWidth(o.label!, size))) + 38 * unit;
    body.push(
      element("rect", {
        x: 8 * unit,
        y: 8 * unit,
        width: w,
        height: line * rows.length + 8 * unit,
        rx: 3 * unit,
        fill: "#000000",
        "fill-opacity": 0.65,
      }),
    );
    rows.forEach((o, k) => {
      const y = 12 * unit + line * (k + 0.5);
      body.push(
        o.kind === "spots"
          ? spotPath(20 * unit, y, 5 * unit, o.shape ?? "circle", o.color ?? MARK, 1.5 * unit)
          : element("line", { x1: 13 * unit, x2: 27 * unit, y1: y, y2: y, stroke: o.color ?? MARK, "stroke-width": 2 * unit }),
        element("text", { x: 34 * unit, y: y + 0.35 * size, fill: "#ffffff", "font-size": size }, escapeText(o.label!)),
      );
    });
  }
  return svgDocument(width, height, style.title ?? "image", body.join(""), undefined);
}

function spotPath(x: number, y: number, r: number, shape: string, color: string, width: number): Markup {
  const d = r * Math.SQRT1_2,
    line = { stroke: color, "stroke-width": width, fill: "none" };
  if (shape === "dot") return element("circle", { cx: x, cy: y, r, fill: color });
  if (shape === "plus") return element("path", { d: `M${f(x - r)} ${f(y)}h${f(2 * r)}M${f(x)} ${f(y - r)}v${f(2 * r)}`, ...line });
  if (shape === "cross")
    return element("path", { d: `M${f(x - d)} ${f(y - d)}l${f(2 * d)} ${f(2 * d)}m${f(-2 * d)} 0l${f(2 * d)} ${f(-2 * d)}`, ...line });
  if (shape === "square") return element("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r, ...line });
  return element("circle", { cx: x, cy: y, r, ...line });
}
const f = (v: number): string => v.toFixed(2);

function overlaySvg(o: Overlay, at: { x(v: number): number; y(v: number): number }, zoom: number, unit: number): Markup {
  const color = o.color ?? MARK,
    width = o.width ?? 1.3 * unit,
    size = 11 * unit,
    halo = {
      "font-size": size,
      fill: color,
      stroke: "#000000",
      "stroke-opacity": 0.6,
      "stroke-width": 2.5 * unit,
      "paint-order": "stroke",
      "stroke-linejoin": "round",
    };
  switch (o.kind) {
    case "line":
      return element("line", {
        x1: at.x(o.from[0]),
        y1: at.y(o.from[1]),
        x2: at.x(o.to[0]),
        y2: at.y(o.to[1]),
        stroke: color,
        "stroke-width": width,
      });
    case "ring":
      return (
        element("circle", {
          cx: at.x(o.centre[0]),
          cy: at.y(o.centre[1]),
          r: o.radius * zoom,
          fill: "none",
          stroke: color,
          "stroke-width": width,
        }) +
        (o.text
          ? element(
              "text",
              { x: at.x(o.centre[0]), y: at.y(o.centre[1]) - o.radius * zoom - 3 * unit, "text-anchor": "middle", ...halo },
              escapeText(o.text),
            )
          : "")
      );
    case "text":
      return element("text", { x: at.x(o.x), y: at.y(o.y), "text-anchor": o.anchor, ...halo }, escapeText(o.text));
    case "polygon": {
      const points = Array.from(
        { length: o.points.length / 2 },
        (_, k) => `${f(at.x(o.points[2 * k]!))},${f(at.y(o.points[2 * k + 1]!))}`,
      ).join(" ");
      return element(o.closed === false ? "polyline" : "polygon", { points, fill: o.fill ?? "none", stroke: color, "stroke-width": width });
    }
    default: {
      const parts: string[] = [];
      for (let k = 0; k < o.x.length; k++) {
        const x = at.x(o.x[k]!),
          y = at.y(o.y[k]!),
          r = Math.max(2, (typeof o.radius === "object" ? o.radius[k]! : (o.radius ?? 5)) * zoom);
        if (!Number.isFinite(x + y)) continue;
        parts.push(spotPath(x, y, r, o.shape ?? "circle", color, width));
        const text = o.texts?.[k];
        if (text) parts.push(element("text", { x: x + r + 2 * unit, y: y - 2 * unit, ...halo }, escapeText(text)));
      }
      return element("g", {}, ...parts, "");
    }
  }
}
