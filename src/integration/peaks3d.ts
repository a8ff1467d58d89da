import type { PeakTable } from "./peak-table.js";

/** Reflections as maxima in three dimensions: spots of neighbouring frames joined, with the centre of the rocking curve. */
export interface Peaks3d {
  readonly size: number;
  /** Intensity-weighted mean position over the rocking curve, px. */
  readonly px: Float64Array;
  readonly py: Float64Array;
  /** Intensity-weighted mean frame (fractional, from 0) and tilt angle, degrees: the rocking centroid. */
  readonly frame: Float64Array;
  readonly alphaDeg: Float64Array;
  /** Summed and largest single-frame intensity. */
  readonly intensity: Float64Array;
  readonly peakIntensity: Float64Array;
  /** Number of spots joined. */
  readonly spots: Int32Array;
  /** Standard deviation of the tilt angle over the rocking curve, degrees; 0 for one spot. */
  readonly widthDeg: Float64Array;
  /** 1 where the rocking curve starts on the first or ends on the last frame of the series, so that its centroid is biased. */
  readonly truncated: Uint8Array;
  /** The 3-D maximum that each spot of the table belongs to, shape [peaks.size]. */
  readonly member: Int32Array;
}

export interface Peaks3dOptions {
  /** Spots of consecutive frames closer than this belong together, px. */
  readonly radiusPx?: number;
  /** Frames that may be missing inside a rocking curve. */
  readonly gap?: number;
  /** Split a chain at a valley whose intensity is below this fraction of the lower of the two maxima beside it. */
  readonly valley?: number;
}

/**
 * Join spots of neighbouring frames to 3-D maxima. Spots are nodes of a graph, edges join each spot to the nearest one within
 * `radiusPx` on each of the next 1 + `gap` frames; connected components (union–find) are the maxima. A long chain with two separate rocking maxima is cut
 * at its valley. Works in pixels, so neither the tilt axis nor the scale is needed; maxima come in order of their strongest spot.
 */
export function peaks3d(peaks: PeakTable, { radiusPx = 3, gap = 1, valley = 0.4 }: Peaks3dOptions = {}): Peaks3d {
  const { frames, first } = sortByFrame(peaks);
  const parent = Int32Array.from({ length: peaks.size }, (_, i) => i);
  const find = (i: number): number => {
    let r = i;
    while (parent[r] !== r) r = parent[r]!;
    for (let k = i; parent[k] !== r; ) {
      const next = parent[k]!;
      parent[k] = r;
      k = next;
    }
    return r;
  };
  for (let f = 0; f < first.length - 1; f++) {
    for (let a = first[f]!; a < first[f + 1]!; a++) {
      const i = frames[a]!;
      // The nearest spot on the next frame; a later frame only when nothing was found before it.
      for (let step = 1; step <= 1 + gap && f + step < first.length - 1; step++) {
        let best = -1,
          bestD = radiusPx * radiusPx;
        for (let b = first[f + step]!; b < first[f + step + 1]!; b++) {
          const j = frames[b]!;
          const d = (peaks.px[i]! - peaks.px[j]!) ** 2 + (peaks.py[i]! - peaks.py[j]!) ** 2;
          if (d <= bestD) [best, bestD] = [j, d];
        }
        if (best < 0) continue;
        const ra = find(i),
          rb = find(best);
        if (ra !== rb) parent[Math.max(ra, rb)] = Math.min(ra, rb);
        break;
      }
    }
  }
  const groups = new Map<number, number[]>();
  for (const i of frames) {
    const r = find(i);
    const g = groups.get(r);
    if (g) g.push(i);
    else groups.set(r, [i]);
  }
  const parts = [...groups.values()].flatMap((g) => splitAtValleys(g, peaks, valley));
  const strongest = (g: readonly number[]): number => g.reduce((m, i) => Math.max(m, peaks.intensity[i]!), Number.NEGATIVE_INFINITY);
  const order = parts.map((g) => ({ g, top: strongest(g) })).sort((a, b) => b.top - a.top || a.g[0]! - b.g[0]!);
  return summarise(
    order.map((o) => o.g),
    peaks,
  ); // prettier-ignore
}

function sortByFrame(peaks: PeakTable): { frames: Int32Array; first: Int32Array } {
  let n = 0;
  for (const f of peaks.frame) n = Math.max(n, f + 1);
  const first = new Int32Array(n + 1);
  for (const f of peaks.frame) first[f + 1]!++;
  for (let f = 0; f < n; f++) first[f + 1]! += first[f]!;
  const at = first.slice(),
    frames = new Int32Array(peaks.size);
  for (let i = 0; i < peaks.size; i++) frames[at[peaks.frame[i]!]!++] = i;
  return { frames, first };
}

/** Cut a chain, sorted by frame, at its deepest valley as long as that is deep enough. */
function splitAtValleys(chain: number[], peaks: PeakTable, valley: number): number[][] {
  const n = chain.length;
  if (n < 5) return [chain];
  const at = (k: number): number => peaks.intensity[chain[k]!]!;
  const left = new Float64Array(n),
    right = new Float64Array(n);
  for (let k = 0; k < n; k++) left[k] = Math.max(at(k), k ? left[k - 1]! : 0);
  for (let k = n - 1; k >= 0; k--) right[k] = Math.max(at(k), k < n - 1 ? right[k + 1]! : 0);
  let cut = -1,
    depth = valley;
  for (let k = 2; k < n - 2; k++) {
    const ratio = at(k) / Math.min(left[k - 1]!, right[k + 1]!);
    if (ratio < depth) [cut, depth] = [k, ratio];
  }
  if (cut < 0) return [chain];
  return [...splitAtValleys(chain.slice(0, cut), peaks, valley), ...splitAtValleys(chain.slice(cut), peaks, valley)];
}

function summarise(groups: readonly number[][], peaks: PeakTable): Peaks3d {
  const size = groups.length;
  const column = (): Float64Array => new Float64Array(size);
  const out = {
    size,
    px: column(),
    py: column(),
    frame: column(),
    alphaDeg: column(),
    intensity: column(),
    peakIntensity: column(),
    widthDeg: column(),
    spots: new Int32Array(size),
    truncated: new Uint8Array(size),
    member: new Int32Array(peaks.size).fill(-1),
  }; // prettier-ignore
  let firstFrame = Number.POSITIVE_INFINITY,
    lastFrame = -1;
  for (const f of peaks.frame) {
    firstFrame = Math.min(firstFrame, f);
    lastFrame = Math.max(lastFrame, f);
  }
  groups.forEach((g, k) => {
    let w = 0,
      x = 0,
      y = 0,
      f = 0,
      a = 0,
      aa = 0,
      top = 0,
      sum = 0;
    for (const i of g) {
      const v = Math.max(peaks.intensity[i]!, 1e-12);
      w += v;
      x += v * peaks.px[i]!;
      y += v * peaks.py[i]!;
      f += v * peaks.frame[i]!;
      a += v * peaks.alphaDeg[i]!;
      aa += v * peaks.alphaDeg[i]! ** 2;
      sum += peaks.intensity[i]!;
      top = Math.max(top, peaks.intensity[i]!);
      out.member[i] = k;
      if (peaks.frame[i] === firstFrame || peaks.frame[i] === lastFrame) out.truncated[k] = 1;
    }
    out.px[k] = x / w;
    out.py[k] = y / w;
    out.frame[k] = f / w;
    out.alphaDeg[k] = a / w;
    out.widthDeg[k] = Math.sqrt(Math.max(0, aa / w - (a / w) ** 2));
    out.intensity[k] = sum;
    out.peakIntensity[k] = top;
    out.spots[k] = g.length;
  });
  return out;
}
