import { rng } from "../core/rng.js";
import { type FftExports, fftWasm, fractionalTables } from "../kernels/fft.js";
import { arena } from "../kernels/memory.js";
import { centreIndex } from "./layout.js";
import type { Sector } from "./pseudo-polar.js";
import type { SlopeLines } from "./slopes.js";
import type { TiltSeries } from "./tilt-series.js";

/** Number of pairs of slices that are worked on together. */
export const GROUP = 8;

/** Views of one sector. */
export interface SectorViews {
  readonly sector: Sector;
  readonly views: readonly number[];
}
export function sectorsOf(lines: SlopeLines): SectorViews[] {
  return (["x", "z"] as const)
    .map((sector) => ({ sector, views: lines.sector.flatMap((s, p) => (s === sector ? [p] : [])) }))
    .filter((s) => s.views.length > 0);
}

/** Frequency of radial step 1 along a view, cycles per pixel; a negative one runs against u. */
const radialStep = (lines: SlopeLines, p: number, radial: number): number =>
  lines.sector[p] === "x" ? 1 / (radial * Math.cos(lines.tilt[p]!)) : -1 / (radial * Math.sin(lines.tilt[p]!));

/**
 * The Fourier transforms of the projections on their lines, by a fractional FFT of each: exact, shifts of views included. Complex f32, groups of
 * slices one after the other, each [radial][pairs][views of the sector], written by `put(group, values)`.
 */
export function lineData(
  series: TiltSeries,
  lines: SlopeLines,
  views: readonly number[],
  radial: number,
  put: (group: number, values: Float32Array) => void,
): void {
  const [, ny, nx] = series.shape,
    [slices, nu] = lines.axis === "y" ? [ny, nx] : [nx, ny];
  const pairs = Math.ceil(slices / 2),
    n = Math.max(nu, radial + 2),
    memory = arena(),
    at = memory.alloc(16 * n * GROUP);
  const pixel = (p: number, slice: number, u: number): number =>
    slice >= slices ? 0 : series.projections[lines.axis === "y" ? (p * ny + slice) * nx + u : (p * ny + u) * nx + slice]!;
  const tables = views.map((p) => fractionalTables(memory, n, radialStep(lines, p, radial), "f64")),
    scratch = memory.alloc(tables[0]!.scratchBytes);
  const { rows_f64 } = memory.family<FftExports>(fftWasm);
  for (let g = 0; GROUP * g < pairs; g++) {
    const count = Math.min(GROUP, pairs - GROUP * g),
      out = new Float32Array(2 * radial * count * views.length);
    views.forEach((p, v) => {
      const a = memory.f64(at, 2 * n * count).fill(0);
      for (let k = 0; k < count; k++)
        for (let u = 0; u < nu; u++)
          for (let part = 0; part < 2; part++)
            a[2 * (k * n + u + centreIndex(n) - centreIndex(nu)) + part] = pixel(p, 2 * (GROUP * g + k) + part, u);
      rows_f64(tables[v]!.d, at, 16 * n, at, 16 * n, 0, count, scratch, 0, 1);
      const shift = series.shifts?.[2 * p + (lines.axis === "y" ? 0 : 1)] ?? 0;
      for (let l = -radial / 2; l < radial / 2; l++) {
        const turn = 2 * Math.PI * l * radialStep(lines, p, radial) * shift,
          [c, s] = [Math.cos(turn), Math.sin(turn)];
        for (let k = 0; k < count; k++) {
          const from = 2 * (k * n + l + centreIndex(n)),
            to = 2 * ((((l + radial) % radial) * count + k) * views.length + v);
          out[to] = a[from]! * c - a[from + 1]! * s;
          out[to + 1] = a[from]! * s + a[from + 1]! * c;
        }
      }
    });
    put(g, out);
  }
}

/** "equal": noise that is white in the views counts the same everywhere (least squares on the views); "area": the part of the plane of a point. */
export type SlopeWeighting = "equal" | "area";

/**
 * Weights [radial/2 + 1][views] of the points. "equal": the radial step of the line. "area": what a point stands for on the pseudo-polar grid,
 * |l|·gap/P², at most the share of a line beyond Crowther's limit, 1/(width·P), where lines are too far apart to know of each other. 0 beyond
 * the detector's own limit of half a cycle a pixel, negative on withheld lines.
 */
export function lineWeights(
  lines: SlopeLines,
  views: readonly number[],
  radial: number,
  width: number,
  withheld: ReadonlySet<number>,
  weighting: SlopeWeighting,
): Float32Array {
  const out = new Float32Array((radial / 2 + 1) * views.length),
    count = lines.tilt.length;
  for (let l = 0; l < radial / 2; l++)
    views.forEach((p, v) => {
      const step = Math.abs(radialStep(lines, p, radial));
      if (l * step > 0.5) return;
      const area = l ? Math.min((l * lines.gap[p]!) / radial ** 2, 1 / (width * radial)) : 1 / (radial ** 2 * count);
      const w = weighting === "equal" ? step / width : area;
      out[l * views.length + v] = withheld.has(p) ? -w : w;
    });
  return out;
}

/** Whole lines that are withheld: a fraction of the views, at least one, never the first or last of the series. */
export function withheldLines(views: number, fraction: number, seed: number | string): Set<number> {
  const out = new Set<number>(),
    draw = rng(seed).fork("withheld lines"),
    count = fraction > 0 ? Math.min(Math.max(1, Math.round(fraction * views)), views - 2) : 0;
  while (out.size < count) out.add(1 + draw.integer(views - 2));
  return out;
}

/** Volume [nz, ny, nx] to pairs of slices across the axis, complex [pairs][nz][across], or back. */
export function pairSlices(
  axis: "x" | "y",
  [nz, ny, nx]: readonly [number, number, number],
  volume: ArrayLike<number> | Float32Array,
  pairs: Float32Array,
  back = false,
): void {
  const across = axis === "y" ? nx : ny;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        const [slice, u] = axis === "y" ? [y, x] : [x, y],
          at = 2 * (((slice >> 1) * nz + z) * across + u) + (slice & 1);
        if (back) (volume as Float32Array)[i] = pairs[at]!;
        else pairs[at] = volume[i]!;
      }
}
