/** Settings of the two stages: side of a block, step between reference blocks, blocks of a stack, half-width of the search. */
interface Stage {
  readonly side: number;
  readonly step: number;
  readonly most: number;
  readonly reach: number;
}
const HARD: Stage = { side: 8, step: 3, most: 16, reach: 14 };
const WIENER: Stage = { side: 8, step: 3, most: 32, reach: 14 };
/** Threshold of the first stage, in standard deviations of the noise. */
const LAMBDA = 2.7;

function cosines(n: number): Float64Array {
  return Float64Array.from({ length: n * n }, (_, i) => {
    const k = Math.floor(i / n),
      x = i % n;
    return Math.sqrt((k === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (2 * x + 1) * k) / (2 * n));
  });
}
/** 2-D DCT-II of a block, or its inverse, by the matrix c. */
function transform(block: Float64Array, c: Float64Array, n: number, inverse: boolean, work: Float64Array): void {
  for (let y = 0; y < n; y++)
    for (let k = 0; k < n; k++) {
      let s = 0;
      for (let x = 0; x < n; x++) s += block[y * n + x]! * (inverse ? c[x * n + k]! : c[k * n + x]!);
      work[y * n + k] = s;
    }
  for (let x = 0; x < n; x++)
    for (let k = 0; k < n; k++) {
      let s = 0;
      for (let y = 0; y < n; y++) s += work[y * n + x]! * (inverse ? c[y * n + k]! : c[k * n + y]!);
      block[k * n + x] = s;
    }
}
/** Orthonormal Haar transform along the stack (count a power of two), each coefficient for itself. */
function haar(stack: readonly Float64Array[], count: number, inverse: boolean): void {
  const r = Math.SQRT1_2,
    size = stack[0]!.length,
    line = new Float64Array(count),
    other = new Float64Array(count);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < count; k++) line[k] = stack[k]![i]!;
    if (inverse)
      for (let m = 2; m <= count; m *= 2) {
        for (let k = 0; k < m / 2; k++) {
          other[2 * k] = r * (line[k]! + line[k + m / 2]!);
          other[2 * k + 1] = r * (line[k]! - line[k + m / 2]!);
        }
        for (let k = 0; k < m; k++) line[k] = other[k]!;
      }
    else
      for (let m = count; m >= 2; m /= 2) {
        for (let k = 0; k < m / 2; k++) {
          other[k] = r * (line[2 * k]! + line[2 * k + 1]!);
          other[k + m / 2] = r * (line[2 * k]! - line[2 * k + 1]!);
        }
        for (let k = 0; k < m; k++) line[k] = other[k]!;
      }
    for (let k = 0; k < count; k++) stack[k]![i] = line[k]!;
  }
}

/**
 * Block matching and 3-D filtering of an image [ny, nx] whose noise has unit variance: similar blocks are stacked, transformed (cosines, then Haar along
 * the stack), thresholded, put back and averaged; a second pass replaces the threshold by Wiener's filter with the first result as the
 * spectrum. Images smaller than a block come back unchanged.
 * @see Dabov, Foi, Katkovnik & Egiazarian, IEEE Trans. Image Process. 16, 2080 (2007)
 */
export function blockMatching(image: Float32Array, ny: number, nx: number): Float32Array {
  if (ny < 2 * HARD.side || nx < 2 * HARD.side) return image.slice();
  return pass(image, pass(image, image, ny, nx, HARD, false), ny, nx, WIENER, true);
}

function pass(
  noisy: Float32Array,
  guide: Float32Array,
  ny: number,
  nx: number,
  { side, step, most, reach }: Stage,
  wiener: boolean,
): Float32Array {
  const c = cosines(side),
    work = new Float64Array(side * side),
    sum = new Float64Array(ny * nx),
    weight = new Float64Array(ny * nx),
    area = side * side;
  const block = (image: Float32Array, y: number, x: number): Float64Array => {
    const b = new Float64Array(area);
    for (let j = 0; j < side; j++) for (let i = 0; i < side; i++) b[j * side + i] = image[(y + j) * nx + x + i]!;
    return b;
  };
  // Farther than this a block is no match: two noisy copies differ by 2 in each pixel's square.
  const limit = wiener ? 0.6 * area : 3.2 * area;
  const starts = (n: number): number[] => {
    const list: number[] = [];
    for (let i = 0; i <= n - side; i += step) list.push(i);
    if (list.at(-1) !== n - side) list.push(n - side);
    return list;
  };
  for (const y0 of starts(ny))
    for (const x0 of starts(nx)) {
      const found: [d: number, at: number][] = [];
      for (let y = Math.max(0, y0 - reach); y <= Math.min(ny - side, y0 + reach); y++)
        for (let x = Math.max(0, x0 - reach); x <= Math.min(nx - side, x0 + reach); x++) {
          let d = 0;
          for (let j = 0; j < side && d <= limit; j++)
            for (let i = 0, p = (y0 + j) * nx + x0, q = (y + j) * nx + x; i < side; i++, p++, q++) d += (guide[p]! - guide[q]!) ** 2;
          if (d <= limit) found.push([d, y * nx + x]);
        }
      found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      let count = 1;
      while (2 * count <= Math.min(most, found.length)) count *= 2;
      const places = found.slice(0, count).map((f) => [Math.floor(f[1] / nx), f[1] % nx] as const);
      const stack = places.map(([y, x]) => block(noisy, y, x)),
        model = wiener ? places.map(([y, x]) => block(guide, y, x)) : undefined;
      for (const b of stack) transform(b, c, side, false, work);
      haar(stack, count, false);
      let energy = 0;
      if (model) {
        for (const b of model) transform(b, c, side, false, work);
        haar(model, count, false);
        stack.forEach((b, k) => {
          for (let i = 0; i < area; i++) {
            const m = model[k]![i]! ** 2,
              w = m / (m + 1);
            b[i]! *= w;
            energy += w * w;
          }
        });
      } else
        stack.forEach((b, k) => {
          for (let i = 0; i < area; i++) {
            if (Math.abs(b[i]!) > LAMBDA || (k === 0 && i === 0)) energy++;
            else b[i] = 0;
          }
        });
      haar(stack, count, true);
      const own = 1 / Math.max(1, energy);
      stack.forEach((b, k) => {
        transform(b, c, side, true, work);
        const [y, x] = places[k]!;
        for (let j = 0; j < side; j++)
          for (let i = 0; i < side; i++) {
            const at = (y + j) * nx + x + i;
            sum[at]! += own * b[j * side + i]!;
            weight[at]! += own;
          }
      });
    }
  return noisy.map((_, i) => sum[i]! / weight[i]!);
}
