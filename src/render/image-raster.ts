import { textWidth } from "./font.js";
import type { Prepared } from "./image.js";
import { type Overlay, type ScaleBar, scaleBarLength } from "./overlay.js";
import { drawCircle, drawLine, drawText, fillPolygon, fillRect, type Raster } from "./raster.js";

/** Colour of marks that name none: readable on dark and on light ground. */
export const MARK = "#ff5a1f";

const scaleFor = ({ width }: Raster): number => (width >= 900 ? 2 : 1);

/** Draw one overlay into a prepared picture. */
export function drawOverlay({ raster: to, zoom, toX, toY }: Prepared, o: Overlay): void {
  const color = o.color ?? MARK,
    width = o.width ?? Math.max(1, 1.3 * scaleFor(to) - 0.2),
    scale = scaleFor(to);
  if (o.kind === "line") drawLine(to, toX(o.from[0]), toY(o.from[1]), toX(o.to[0]), toY(o.to[1]), color, width);
  else if (o.kind === "ring") {
    drawCircle(to, toX(o.centre[0]), toY(o.centre[1]), o.radius * zoom, color, width);
    if (o.text)
      drawText(to, toX(o.centre[0]), toY(o.centre[1]) - o.radius * zoom - 3, o.text, { color, scale, anchor: "middle", halo: "#000000a0" });
  } else if (o.kind === "text")
    drawText(to, toX(o.x), toY(o.y), o.text, { color, scale, ...(o.anchor ? { anchor: o.anchor } : {}), halo: "#000000a0" });
  else if (o.kind === "polygon") {
    const p = Array.from({ length: o.points.length }, (_, k) => (k % 2 ? toY(o.points[k]!) : toX(o.points[k]!)));
    if (o.fill) fillPolygon(to, p, o.fill);
    const n = p.length / 2;
    for (let k = 0; k < (o.closed === false ? n - 1 : n); k++) {
      const j = (k + 1) % n;
      drawLine(to, p[2 * k]!, p[2 * k + 1]!, p[2 * j]!, p[2 * j + 1]!, color, width);
    }
  } else
    for (let k = 0; k < o.x.length; k++) {
      const x = toX(o.x[k]!),
        y = toY(o.y[k]!),
        r = Math.max(2, (typeof o.radius === "object" ? o.radius[k]! : (o.radius ?? 5)) * zoom);
      if (!(x > -r && y > -r && x < to.width + r && y < to.height + r)) continue;
      drawSpot(to, x, y, r, o.shape ?? "circle", color, width);
      const text = o.texts?.[k];
      if (text) drawText(to, x + r + 2, y - 2, text, { color, scale, halo: "#000000a0" });
    }
}

function drawSpot(to: Raster, x: number, y: number, r: number, shape: string, color: string, width: number): void {
  if (shape === "circle") drawCircle(to, x, y, r, color, width);
  else if (shape === "dot") drawCircle(to, x, y, r, color, 0);
  else if (shape === "plus") {
    drawLine(to, x - r, y, x + r, y, color, width);
    drawLine(to, x, y - r, x, y + r, color, width);
  } else if (shape === "cross") {
    const d = r * Math.SQRT1_2;
    drawLine(to, x - d, y - d, x + d, y + d, color, width);
    drawLine(to, x - d, y + d, x + d, y - d, color, width);
  } else {
    drawLine(to, x - r, y - r, x + r, y - r, color, width);
    drawLine(to, x + r, y - r, x + r, y + r, color, width);
    drawLine(to, x + r, y + r, x - r, y + r, color, width);
    drawLine(to, x - r, y + r, x - r, y - r, color, width);
  }
}

/** A bar with its length, bottom left, on a dark plate. */
export function drawScaleBar({ raster: to, zoom }: Prepared, bar: ScaleBar, imageWidth: number): void {
  const { pixels, text } = scaleBarLength(bar, imageWidth),
    s = scaleFor(to),
    w = pixels * zoom,
    plate = Math.max(w, textWidth(text) * s) + 12 * s;
  const x = 6 * s,
    y = to.height - 6 * s;
  fillRect(to, x, y - 22 * s, x + plate, y, "#000000b0");
  fillRect(to, x + (plate - w) / 2, y - 7 * s, x + (plate + w) / 2, y - 4 * s, "#ffffff");
  drawText(to, x + plate / 2, y - 11 * s, text, { color: "#ffffff", scale: s, anchor: "middle" });
}

/** Names of the labelled overlays with their marks, top left. */
export function drawLegend(to: Raster, overlays: readonly Overlay[]): void {
  const rows = overlays.filter((o) => o.label);
  if (rows.length === 0) return;
  const s = scaleFor(to),
    line = 12 * s,
    width = Math.max(...rows.map((o) => textWidth(o.label!))) * s + 26 * s;
  fillRect(to, 6 * s, 6 * s, 6 * s + width, 10 * s + line * rows.length, "#000000b0");
  rows.forEach((o, k) => {
    const x = 15 * s,
      y = 8 * s + line * (k + 0.5),
      color = o.color ?? MARK;
    if (o.kind === "spots") drawSpot(to, x, y, 4 * s, o.shape ?? "circle", color, s);
    else drawLine(to, x - 5 * s, y, x + 5 * s, y, color, 1.5 * s);
    drawText(to, 24 * s, y + 3 * s, o.label!, { color: "#ffffff", scale: s });
  });
}
