import type { Image } from "../core/image.js";

/** A position between pixels; x along the rows, integer values at pixel centres. */
export interface SubPixel {
  readonly x: number;
  readonly y: number;
  /** Interpolated or fitted height. */
  readonly height: number;
  readonly status: "refined" | "at-edge" | "no-maximum";
}

/**
 * Vertex of the paraboloid through the 3 × 3 pixels about (x, y), by least squares over all six terms. Moves at most one pixel; a saddle
 * or a plateau leaves the position as it is with status "no-maximum".
 */
export function parabolicPeak({ data, shape: [ny, nx] }: Image, x: number, y: number): SubPixel {
  const cx = Math.round(x),
    cy = Math.round(y);
  const at = (j: number, i: number): number => data[(cy + j) * nx + cx + i]!;
  if (!(cx >= 1 && cy >= 1 && cx < nx - 1 && cy < ny - 1)) return { x, y, height: data[cy * nx + cx] ?? Number.NaN, status: "at-edge" };
  let s = 0,
    sx = 0,
    sy = 0,
    sxx = 0,
    syy = 0,
    sxy = 0;
  for (let j = -1; j <= 1; j++)
    for (let i = -1; i <= 1; i++) {
      const v = at(j, i);
      s += v;
      sx += i * v;
      sy += j * v;
      sxx += i * i * v;
      syy += j * j * v;
      sxy += i * j * v;
    }
  // Normal equations of 1, x, y, x², y², xy on the 3 × 3 grid, solved once by hand.
  const a = sxx / 2 - s / 3,
    b = syy / 2 - s / 3,
    c = sxy / 4,
    gx = sx / 6,
    gy = sy / 6,
    base = (5 * s - 3 * (sxx + syy)) / 9;
  const det = 4 * a * b - c * c;
  if (!(det > 0 && a < 0)) return { x: cx, y: cy, height: at(0, 0), status: "no-maximum" };
  const dx = (-2 * b * gx + c * gy) / det,
    dy = (-2 * a * gy + c * gx) / det;
  if (!(Math.abs(dx) <= 1 && Math.abs(dy) <= 1)) return { x: cx, y: cy, height: at(0, 0), status: "no-maximum" };
  return { x: cx + dx, y: cy + dy, height: base + gx * dx + gy * dy + a * dx * dx + b * dy * dy + c * dx * dy, status: "refined" };
}

/** Vertex of the parabola through three equidistant values about index 0: offset in steps, −½ … ½ at a maximum. */
export function parabolicOffset(before: number, middle: number, after: number): number {
  const bend = before - 2 * middle + after;
  return bend < 0 ? (before - after) / (2 * bend) : 0;
}

export interface CentroidOptions {
  /** Radius of the disk, pixels, 3. */
  readonly radius?: number | undefined;
  /** Level taken off before weighting; by default the median of the ring of the next two pixels. */
  readonly background?: number | undefined;
  readonly mask?: Uint8Array | undefined;
  /** The disk follows the centroid; at most this many times, 20. */
  readonly maxIterations?: number | undefined;
}
export interface Centroid extends SubPixel {
  /** Sum above the background in the disk. */
  readonly sum: number;
  readonly background: number;
  /** Second central moments, pixels², of the positive excess. */
  readonly varX: number;
  readonly varY: number;
  readonly covXY: number;
}

/** Centre of mass of the excess over the background in a disk that follows it. Negative excess counts as zero for the position. */
export function centroidPeak({ data, shape: [ny, nx] }: Image, x: number, y: number, options: CentroidOptions = {}): Centroid {
  const { radius = 3, mask, maxIterations = 20 } = options;
  let px = x,
    py = y,
    status: SubPixel["status"] = "refined",
    m = { sum: 0, w: 0, varX: 0, varY: 0, covXY: 0, height: 0 };
  let background = options.background ?? Number.NaN;
  for (let k = 0; k < maxIterations; k++) {
    const x0 = Math.max(0, Math.ceil(px - radius - 2)),
      x1 = Math.min(nx - 1, Math.floor(px + radius + 2)),
      y0 = Math.max(0, Math.ceil(py - radius - 2)),
      y1 = Math.min(ny - 1, Math.floor(py + radius + 2));
    if (options.background === undefined) {
      const ring: number[] = [];
      for (let j = y0; j <= y1; j++)
        for (let i = x0; i <= x1; i++) {
          const d = Math.hypot(i - px, j - py);
          if (d > radius && d <= radius + 2 && !mask?.[j * nx + i]) ring.push(data[j * nx + i]!);
        }
      ring.sort((a, b) => a - b);
      background = ring.length ? (ring[(ring.length - 1) >> 1]! + ring[ring.length >> 1]!) / 2 : 0;
    }
    let w = 0,
      sx = 0,
      sy = 0,
      sxx = 0,
      syy = 0,
      sxy = 0,
      sum = 0,
      height = 0;
    for (let j = y0; j <= y1; j++)
      for (let i = x0; i <= x1; i++) {
        const dx = i - px,
          dy = j - py;
        if (dx * dx + dy * dy > radius * radius || mask?.[j * nx + i]) continue;
        const v = data[j * nx + i]! - background;
        sum += v;
        if (!(v > 0)) continue;
        height = Math.max(height, v);
        w += v;
        sx += v * dx;
        sy += v * dy;
        sxx += v * dx * dx;
        syy += v * dy * dy;
        sxy += v * dx * dy;
      }
    if (!(w > 0)) return { x, y, height: 0, status: "no-maximum", sum, background, varX: Number.NaN, varY: Number.NaN, covXY: Number.NaN };
    const mx = sx / w,
      my = sy / w;
    m = { sum, w, height, varX: sxx / w - mx * mx, varY: syy / w - my * my, covXY: sxy / w - mx * my };
    px += mx;
    py += my;
    if (Math.hypot(mx, my) < 1e-3) break;
  }
  if (px < radius || py < radius || px > nx - 1 - radius || py > ny - 1 - radius) status = "at-edge";
  return { x: px, y: py, height: m.height, status, sum: m.sum, background, varX: m.varX, varY: m.varY, covXY: m.covXY };
}
