import type { Image } from "../core/image.js";

/** Rows and columns whose pixels count differently from their neighbours over their whole length. */
export interface Seams {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** Blocks along a line; each votes once, so that the direct beam or a spot is one vote among many. */
const BLOCKS = 16;
/** Where the lines to compare with are, px: beyond the pixels that share charge, and beyond a seam of a few pixels. */
const REACH = [-10, -9, -8, -7, -6, -5, -4, 4, 5, 6, 7, 8, 9, 10];

/**
 * Seams of a tiled detector in a frame (better: the mean of a few): wide pixels between chips that count more, gaps that count less or nothing.
 * A line is compared with those 4 to 10 pixels on either side, block by block; it is a seam when its counts differ by more than `contrast` and
 * by five standard deviations of a counting detector in all, and 14 of the 16 blocks say the same. A halo is smooth and a beam stop ends, so neither does.
 * @param frame - counts, shape [ny, nx]
 */
export function findSeams(frame: Image, { contrast = 1.35 }: { contrast?: number } = {}): Seams {
  const [ny, nx] = frame.shape;
  return { rows: lines(frame.data, ny, nx, nx, 1, contrast), columns: lines(frame.data, nx, ny, 1, nx, contrast) };
}

/** The same for lines along either axis: `count` lines `stride` apart, of `length` pixels `step` apart. */
function lines(data: ArrayLike<number>, count: number, length: number, stride: number, step: number, contrast: number): number[] {
  if (count < 24 || length < 4 * BLOCKS) return [];
  const size = Math.floor(length / BLOCKS),
    sums = new Float64Array(count * BLOCKS);
  for (let i = 0; i < count; i++)
    for (let b = 0; b < BLOCKS; b++) {
      let s = 0;
      for (let k = 0; k < size; k++) s += data[i * stride + (b * size + k) * step]!;
      sums[i * BLOCKS + b] = s;
    }
  // The first pass also takes good lines next to a seam, whose neighbours are the seam; the second compares with good lines only.
  return judge(sums, count, contrast, new Set(judge(sums, count, contrast, new Set())));
}

/** Lines whose blocks differ from those of the lines `REACH` pixels away, `suspects` not counted among these. */
function judge(sums: Float64Array, count: number, contrast: number, suspects: ReadonlySet<number>): number[] {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    if (suspects.size > 0 && !suspects.has(i)) continue;
    const lines = REACH.map((d) => i + d).filter((j) => j >= 0 && j < count && !suspects.has(j));
    if (lines.length < 4) continue;
    let more = 0,
      less = 0;
    const differences: number[] = [],
      around: number[] = [];
    for (let b = 0; b < BLOCKS; b++) {
      const level = median(lines.map((j) => sums[j * BLOCKS + b]!)),
        own = sums[i * BLOCKS + b]!;
      differences.push(own - level);
      around.push(level);
      if (own > contrast * level) more++;
      if (own < level / contrast) less++;
    }
    if (Math.max(more, less) < BLOCKS - 2) continue;
    // The middle block stands for the line: a spot on it does not count.
    if (BLOCKS * Math.abs(median(differences)) > 5 * Math.sqrt(2 * BLOCKS * Math.max(median(around), 1))) found.push(i);
  }
  return found;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const n = values.length;
  return (values[(n - 1) >> 1]! + values[n >> 1]!) / 2;
}
