import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { defaultImageKernels, type ImageKernels } from "../kernels/images.js";
import { checkImage } from "./filters.js";
import { parabolicPeak } from "./peaks-refine.js";

/** How far a template has moved: template pixel (x, y) is found at image pixel (x0 + x + dx, y0 + y + dy). */
export interface Shift {
  readonly dx: number;
  readonly dy: number;
  /** Normalised correlation (−1 … 1) at the best whole-pixel shift. */
  readonly score: number;
  readonly status: "refined" | "at-edge" | "no-maximum";
}

/**
 * Shift of a small template inside an image by normalised cross-correlation over all shifts up to ±reach, refined by a paraboloid. For
 * reaches of some pixels; for whole frames use the FFT.
 * @param at - where the template's first pixel is expected, [y0, x0]
 * @see Lewis (1995) Vision Interface, 120
 */
export function templateShift(
  image: Image,
  template: Image,
  at: readonly [y0: number, x0: number],
  reach: number,
  { kernels = defaultImageKernels() }: { readonly kernels?: ImageKernels } = {},
): Shift {
  checkImage(image);
  checkImage(template);
  const [ny, nx] = image.shape,
    [ty, tx] = template.shape,
    [y0, x0] = at;
  if (!(y0 - reach >= 0 && x0 - reach >= 0 && y0 + ty + reach <= ny && x0 + tx + reach <= nx))
    fail(
      "out-of-range",
      { at, reach, template: template.shape, image: image.shape },
      "the template at every shift must lie inside the image; lessen reach",
    );
  let sum = 0;
  for (const v of template.data) sum += v;
  const centred = template.data.map((v) => v - sum / template.data.length);
  const norm = Math.sqrt(centred.reduce((s, v) => s + v * v, 0));
  const products = kernels.match(image.data, nx, y0, x0, centred, ty, tx, reach, reach);
  const side = 2 * reach + 1,
    scores = new Float32Array(side * side);
  // Sum and sum of squares under the template at every shift, from integral images of the searched part.
  const height = ty + 2 * reach,
    width = tx + 2 * reach,
    w1 = width + 1,
    s1 = new Float64Array((height + 1) * w1),
    s2 = new Float64Array((height + 1) * w1);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const v = image.data[(y0 - reach + y) * nx + x0 - reach + x]!,
        o = (y + 1) * w1 + x + 1;
      s1[o] = v + s1[o - 1]! + s1[o - w1]! - s1[o - w1 - 1]!;
      s2[o] = v * v + s2[o - 1]! + s2[o - w1]! - s2[o - w1 - 1]!;
    }
  const box = (s: Float64Array, y: number, x: number): number =>
    s[(y + ty) * w1 + x + tx]! - s[y * w1 + x + tx]! - s[(y + ty) * w1 + x]! + s[y * w1 + x]!;
  const n = template.data.length;
  let best = 0;
  for (let y = 0, k = 0; y < side; y++)
    for (let x = 0; x < side; x++, k++) {
      const m = box(s1, y, x),
        spread = Math.sqrt(Math.max(0, box(s2, y, x) - (m * m) / n));
      scores[k] = spread * norm > 0 ? products[k]! / (spread * norm) : 0;
      if (scores[k]! > scores[best]!) best = k;
    }
  const p = parabolicPeak({ data: scores, shape: [side, side] }, best % side, Math.floor(best / side));
  return { dx: p.x - reach, dy: p.y - reach, score: scores[best]!, status: p.status };
}
