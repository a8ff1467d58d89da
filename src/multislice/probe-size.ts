import { ifft2 } from "../numerics/fft.js";
import type { Wave, WaveGrid } from "./grid.js";

/**
 * How well a probe fits its box: the fraction of its intensity beyond half the box's smaller height from the place where it stands, that height
 * (Å), and the radius that holds 90 %.
 */
export function probeOutside(wave: Wave, grid: WaveGrid): { readonly outside: number; readonly size: number; readonly radius: number } {
  const { nx, ny, a, b } = grid;
  const psi = ifft2(wave, [ny, nx]);
  const size = (a[0] * b[1] - a[1] * b[0]) / Math.max(Math.hypot(...a), Math.hypot(...b));
  const bins = new Float64Array(400),
    reach = Math.hypot(a[0] + b[0], a[1] + b[1]) + Math.hypot(a[0] - b[0], a[1] - b[1]);
  let total = 0,
    out = 0;
  for (let iy = 0, p = 0; iy < ny; iy++)
    for (let ix = 0; ix < nx; ix++, p += 2) {
      const v = psi[p]! ** 2 + psi[p + 1]! ** 2;
      let r = Number.POSITIVE_INFINITY;
      for (let i = -1; i <= 0; i++)
        for (let j = -1; j <= 0; j++)
          r = Math.min(r, Math.hypot((ix / nx + i) * a[0] + (iy / ny + j) * b[0], (ix / nx + i) * a[1] + (iy / ny + j) * b[1]));
      total += v;
      if (r > size / 2) out += v;
      bins[Math.min(399, Math.floor((r / reach) * 400))]! += v;
    }
  let sum = 0,
    k = 0;
  while (k < 399 && sum + bins[k]! < 0.9 * total) sum += bins[k++]!;
  return { outside: out / total, size, radius: ((k + 1) / 400) * reach };
}
