import { parseColor } from "./colormap.js";
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphRows, textWidth } from "./font.js";
import { encodePng, type PngOptions } from "./png.js";

/** An RGBA picture, not premultiplied. Positions are in pixels, integer values at pixel centres. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

export function raster(width: number, height: number, background = "#ffffff"): Raster {
  const data = new Uint8ClampedArray(4 * width * height),
    [r, g, b, a] = parseColor(background);
  for (let i = 0; i < data.length; i += 4) data.set([r, g, b, a], i);
  return { width, height, data };
}

/** PNG of a raster: with a palette when it has at most 256 colours and no transparency (a third of the size), else RGB or RGBA. */
export function rasterPng({ width, height, data }: Raster, options?: PngOptions): Uint8Array {
  for (let i = 3; i < data.length; i += 4) if (data[i] !== 255) return encodePng({ data, width, height, channels: 4 }, options);
  const n = width * height,
    index = new Uint8Array(n),
    seen = new Map<number, number>();
  let last = -1,
    at = 0;
  for (let k = 0; k < n; k++) {
    const color = (data[4 * k]! << 16) | (data[4 * k + 1]! << 8) | data[4 * k + 2]!;
    if (color !== last) {
      at = seen.get(color) ?? seen.size;
      if (at === 256) break;
      seen.set(color, at);
      last = color;
    }
    index[k] = at;
  }
  if (at < 256) {
    const palette = Uint8Array.from([...seen.keys()].flatMap((c) => [c >> 16, (c >> 8) & 255, c & 255]));
    return encodePng({ data: index, width, height, channels: 1 }, { ...options, palette });
  }
  const rgb = new Uint8Array(3 * n);
  for (let i = 0, j = 0; i < data.length; i += 4) {
    rgb[j++] = data[i]!;
    rgb[j++] = data[i + 1]!;
    rgb[j++] = data[i + 2]!;
  }
  return encodePng({ data: rgb, width, height, channels: 3 }, options);
}

type Rgba = readonly [number, number, number, number];

function blend({ width, height, data }: Raster, x: number, y: number, [r, g, b, a]: Rgba, coverage: number): void {
  if (x < 0 || y < 0 || x >= width || y >= height || coverage <= 0) return;
  const i = 4 * (y * width + x),
    s = (a / 255) * Math.min(1, coverage),
    d = (data[i + 3]! / 255) * (1 - s),
    o = s + d;
  if (o <= 0) return;
  data[i] = (r * s + data[i]! * d) / o;
  data[i + 1] = (g * s + data[i + 1]! * d) / o;
  data[i + 2] = (b * s + data[i + 2]! * d) / o;
  data[i + 3] = 255 * o;
}

/** Fill where the signed distance is negative, smoothed over one pixel at the border. */
function paint(to: Raster, box: readonly [number, number, number, number], color: Rgba, distance: (x: number, y: number) => number): void {
  const x0 = Math.max(0, Math.floor(box[0] - 1)),
    y0 = Math.max(0, Math.floor(box[1] - 1)),
    x1 = Math.min(to.width - 1, Math.ceil(box[2] + 1)),
    y1 = Math.min(to.height - 1, Math.ceil(box[3] + 1));
  for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) blend(to, x, y, color, 0.5 - distance(x, y));
}

/** A straight stroke with round ends. */
export function drawLine(to: Raster, xa: number, ya: number, xb: number, yb: number, color: string, width = 1): void {
  const h = width / 2,
    dx = xb - xa,
    dy = yb - ya,
    l2 = dx * dx + dy * dy;
  paint(to, [Math.min(xa, xb) - h, Math.min(ya, yb) - h, Math.max(xa, xb) + h, Math.max(ya, yb) + h], parseColor(color), (x, y) => {
    const t = l2 > 0 ? Math.min(1, Math.max(0, ((x - xa) * dx + (y - ya) * dy) / l2)) : 0;
    return Math.hypot(x - xa - t * dx, y - ya - t * dy) - h;
  });
}

/** A circle, stroked, or filled when width is 0. */
export function drawCircle(to: Raster, cx: number, cy: number, radius: number, color: string, width = 1): void {
  const h = width / 2,
    r = radius + h;
  paint(to, [cx - r, cy - r, cx + r, cy + r], parseColor(color), (x, y) => {
    const d = Math.hypot(x - cx, y - cy) - radius;
    return width === 0 ? d : Math.abs(d) - h;
  });
}

/** An axis-parallel filled rectangle with corners at pixel coordinates. */
export function fillRect(to: Raster, x0: number, y0: number, x1: number, y1: number, color: string): void {
  const cx = (x0 + x1) / 2,
    cy = (y0 + y1) / 2;
  paint(to, [x0, y0, x1, y1], parseColor(color), (x, y) => Math.max(Math.abs(x - cx) - (x1 - x0) / 2, Math.abs(y - cy) - (y1 - y0) / 2));
}

/** A polygon [x0, y0, x1, y1, …], filled by the even–odd rule. */
export function fillPolygon(to: Raster, points: ArrayLike<number>, color: string): void {
  const n = points.length / 2,
    c = parseColor(color);
  let top = Number.POSITIVE_INFINITY,
    bottom = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < n; k++) {
    top = Math.min(top, points[2 * k + 1]!);
    bottom = Math.max(bottom, points[2 * k + 1]!);
  }
  // Eight sub-rows a pixel; exact coverage along x.
  const row = new Float64Array(to.width);
  for (let y = Math.max(0, Math.floor(top)); y <= Math.min(to.height - 1, Math.ceil(bottom)); y++) {
    row.fill(0);
    for (let s = 0; s < 8; s++) {
      const v = y - 0.5 + (s + 0.5) / 8,
        cuts: number[] = [];
      for (let k = 0; k < n; k++) {
        const j = (k + 1) % n,
          ya = points[2 * k + 1]!,
          yb = points[2 * j + 1]!;
        if (ya <= v !== yb <= v) cuts.push(points[2 * k]! + ((v - ya) / (yb - ya)) * (points[2 * j]! - points[2 * k]!));
      }
      cuts.sort((a, b) => a - b);
      for (let k = 0; k + 1 < cuts.length; k += 2) {
        const a = cuts[k]! + 0.5,
          b = cuts[k + 1]! + 0.5;
        for (let x = Math.max(0, Math.floor(a)); x < Math.min(to.width, Math.ceil(b)); x++)
          row[x]! += (Math.min(b, x + 1) - Math.max(a, x)) / 8;
      }
    }
    for (let x = 0; x < to.width; x++) if (row[x]! > 0) blend(to, x, y, c, row[x]!);
  }
}

export interface TextStyle {
  readonly color?: string;
  /** Whole number: size of a font pixel. */
  readonly scale?: number;
  readonly anchor?: "start" | "middle" | "end";
  /** Colour of a one-pixel outline that keeps the text readable on any ground. */
  readonly halo?: string;
}

/** A line of text with its baseline (bottom of the letters) at y. */
export function drawText(
  to: Raster,
  x: number,
  y: number,
  text: string,
  { color = "#000000", scale = 1, anchor = "start", halo }: TextStyle = {},
): void {
  const width = textWidth(text) * scale,
    left = Math.round(x - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0)),
    top = Math.round(y) - GLYPH_HEIGHT * scale + 1;
  const each = (c: Rgba, grow: number): void => {
    let at = left;
    for (const character of text) {
      glyphRows(character).forEach((bits, j) => {
        for (let i = 0; i < GLYPH_WIDTH; i++)
          if (bits & (16 >> i))
            for (let v = -grow; v < scale + grow; v++)
              for (let u = -grow; u < scale + grow; u++) blend(to, at + i * scale + u, top + j * scale + v, c, 1);
      });
      at += 6 * scale;
    }
  };
  if (halo) each(parseColor(halo), 1);
  each(parseColor(color), 0);
}

/** Copy one raster onto another with its first pixel at (x, y). */
export function pasteRaster(to: Raster, from: Raster, x: number, y: number): void {
  for (let j = 0; j < from.height; j++)
    for (let i = 0; i < from.width; i++) {
      const o = 4 * (j * from.width + i);
      blend(to, x + i, y + j, [from.data[o]!, from.data[o + 1]!, from.data[o + 2]!, from.data[o + 3]!], 1);
    }
}
