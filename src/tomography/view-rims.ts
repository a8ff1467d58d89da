import { median, quantile } from "../numerics/stats-select.js";
import type { TiltSeries } from "./tilt-series.js";

/** Median of the outermost pixels of every view, and whether an object is there: a side of a cut-out is nearly as bright as its middle. */
export function viewRims(series: TiltSeries): { readonly levels: Float64Array; readonly extended: boolean } {
  const [views, ny, nx] = series.shape,
    width = Math.max(2, Math.round(0.03 * Math.min(ny, nx))),
    levels = new Float64Array(views),
    ratios: number[] = [];
  for (let i = 0; i < views; i++) {
    const rim: number[] = [];
    for (let y = 0, j = i * ny * nx; y < ny; y++)
      for (let x = 0; x < nx; x++, j++) {
        if (series.mask?.[j]) continue;
        if (y < width || x < width || y >= ny - width || x >= nx - width) rim.push(series.projections[j]!);
      }
    levels[i] = rim.length ? median(rim) : 0;
    // Means of blocks and of the four sides, so that noise of few counts does not pass for an object.
    const view = series.projections.subarray(i * ny * nx, (i + 1) * ny * nx),
      mean = (y0: number, y1: number, x0: number, x1: number): number => {
        let sum = 0,
          count = 0;
        for (let y = y0; y < y1; y++)
          for (let x = x0; x < x1; x++)
            if (!series.mask?.[i * ny * nx + y * nx + x]) {
              sum += view[y * nx + x]!;
              count++;
            }
        return count ? sum / count : levels[i]!;
      },
      blocks: number[] = [];
    for (let y = 0; y + 4 <= ny; y += 4) for (let x = 0; x + 4 <= nx; x += 4) blocks.push(mean(y, y + 4, x, x + 4));
    const dark = quantile(blocks, 0.01),
      bright = quantile(blocks, 0.99),
      side = Math.max(mean(0, width, 0, nx), mean(ny - width, ny, 0, nx), mean(0, ny, 0, width), mean(0, ny, nx - width, nx));
    ratios.push(bright > dark ? (side - dark) / (bright - dark) : 0);
  }
  return { levels, extended: median(ratios) > 0.4 };
}
