import type { Image } from "../core/image.js";
import { type FrameSource, toFloat32 } from "../io/frames.js";
import { radialMedian } from "./background.js";
import { maskBits } from "./mask.js";

export interface BeamStopOptions {
  /** Below this share of the radial median a pixel is shadowed. Default 0.7. */
  readonly share?: number | undefined;
  /** Frames that are looked at. Default 15. */
  readonly frames?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}
/** A shadow that reaches the direct beam. */
export interface BeamStop {
  /** `maskBits.beamStop` in the shadow, shape [ny, nx]. */
  readonly mask: Uint8Array;
  readonly pixels: number;
}

/**
 * Shadow of the beam stop, from the frames: the median over some frames (spots move, the shadow stays), smoothed over 5 × 5 pixels, against its radial median;
 * the dark region that touches the direct beam, grown by 3 pixels. Undefined where there is none: no dark region of 60 pixels within 40 pixels of the
 * centre, a background too weak to tell, or a "shadow" of more than a third of the frame.
 * @param centre - direct beam (x, y), pixels
 */
export async function findBeamStop(
  source: FrameSource,
  centre: readonly [x: number, y: number],
  { share = 0.7, frames = 15, signal }: BeamStopOptions = {},
): Promise<BeamStop | undefined> {
  const [n, ny, nx] = source.shape;
  const picked: Image<Float32Array>[] = [];
  for (let i = 0; i < Math.min(frames, n); i++) {
    signal?.throwIfAborted();
    picked.push(toFloat32(await source.read(Math.floor(((i + 0.5) * n) / Math.min(frames, n)), signal)) as Image<Float32Array>);
  }
  const smooth = boxMean(medianImage(picked, ny * nx), ny, nx, 2);
  const ring = radialMedian({ data: smooth, shape: [ny, nx] }, centre);
  // counts of the 25 × frames pixels behind a smoothed one: a shadow must stand out of their noise
  const enough = (level: number): boolean => level * 25 * picked.length > 100;
  const dark = new Uint8Array(ny * nx);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const level = ring[Math.round(Math.hypot(x - centre[0], y - centre[1]))] ?? Number.NaN;
      if (level > 0 && enough(level) && smooth[y * nx + x]! < share * level) dark[y * nx + x] = 1;
    }
  const region = largestNear(dark, ny, nx, centre, 40);
  if (region.length < 60 || region.length > (ny * nx) / 3) return undefined;
  const mask = new Uint8Array(ny * nx);
  for (const at of region) {
    const x0 = at % nx,
      y0 = (at - x0) / nx;
    for (let dy = -3; dy <= 3; dy++)
      for (let dx = -3; dx <= 3; dx++) {
        const x = x0 + dx,
          y = y0 + dy;
        if (x >= 0 && x < nx && y >= 0 && y < ny && dx * dx + dy * dy <= 10) mask[y * nx + x] = maskBits.beamStop;
      }
  }
  return { mask, pixels: mask.reduce((s, v) => s + Number(v > 0), 0) };
}

/** Two masks together. */
export function joinMasks(a: Uint8Array | undefined, b: Uint8Array | undefined): Uint8Array | undefined {
  if (!a || !b) return a ?? b;
  return a.map((v, i) => v | b[i]!);
}

function medianImage(images: readonly Image<Float32Array>[], size: number): Float32Array {
  const out = new Float32Array(size),
    column = new Float32Array(images.length);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < images.length; k++) column[k] = images[k]!.data[i]!;
    column.sort();
    // mean of the middle third: a median of few counts would be a whole number
    const from = Math.floor(images.length / 3),
      to = images.length - from;
    let sum = 0;
    for (let k = from; k < to; k++) sum += column[k]!;
    out[i] = sum / (to - from);
  }
  return out;
}

function boxMean(data: Float32Array, ny: number, nx: number, half: number): Float32Array {
  const pass = (from: Float32Array, along: number, across: number, sa: number, sb: number): Float32Array => {
    const out = new Float32Array(from.length);
    for (let b = 0; b < across; b++)
      for (let a = 0; a < along; a++) {
        let sum = 0,
          n = 0;
        for (let k = Math.max(0, a - half); k <= Math.min(along - 1, a + half); k++) {
          sum += from[k * sa + b * sb]!;
          n++;
        }
        out[a * sa + b * sb] = sum / n;
      }
    return out;
  };
  return pass(pass(data, nx, ny, 1, nx), ny, nx, nx, 1);
}

/** Pixels of the largest connected dark region that comes within `reach` of the centre. */
function largestNear(dark: Uint8Array, ny: number, nx: number, [cx, cy]: readonly [number, number], reach: number): number[] {
  const seen = new Uint8Array(dark.length);
  let best: number[] = [];
  for (let y = Math.max(0, Math.floor(cy - reach)); y <= Math.min(ny - 1, cy + reach); y++)
    for (let x = Math.max(0, Math.floor(cx - reach)); x <= Math.min(nx - 1, cx + reach); x++) {
      const first = y * nx + x;
      if (!dark[first] || seen[first]) continue;
      const region = [first];
      seen[first] = 1;
      for (let i = 0; i < region.length; i++) {
        const at = region[i]!,
          px = at % nx,
          py = (at - px) / nx;
        for (const [u, v] of [
          [px - 1, py],
          [px + 1, py],
          [px, py - 1],
          [px, py + 1],
        ] as const) {
          if (u < 0 || u >= nx || v < 0 || v >= ny) continue;
          const next = v * nx + u;
          if (dark[next] && !seen[next]) {
            seen[next] = 1;
            region.push(next);
          }
        }
      }
      if (region.length > best.length) best = region;
    }
  return best;
}
