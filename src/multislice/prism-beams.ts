import { fail } from "../core/errors.js";
import { antialiasCutoff, goodGridSize, signedIndex, type Wave, type WaveGrid, waveGrid } from "./grid.js";

/** Interpolation factors and the window of a probe: the cell divided by them, pixels as before. Its bins are every (fx, fy)-th bin of the grid. */
export interface PrismWindow {
  readonly factors: readonly [fx: number, fy: number];
  readonly window: WaveGrid;
}
/** Plane waves inside an aperture, and the coarsest grid that holds what becomes of them. */
export interface PrismBeams extends PrismWindow {
  readonly count: number;
  /** Indices on the grid, and bin of the window, [count]. */
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly bin: Int32Array;
  /** Pixels of an exit wave and of a probe's part of it. */
  readonly exit: readonly [mx: number, my: number];
  readonly part: readonly [wx: number, wy: number];
}

/** @throws bad-value when the factors do not divide the pixels of the grid */
export function prismWindow(g: WaveGrid, interpolation: number | readonly [number, number] = 1): PrismWindow {
  const [fx, fy] = typeof interpolation === "object" ? interpolation : [interpolation, interpolation];
  if (![fx, fy].every((f) => Number.isInteger(f) && f >= 1) || g.nx % fx || g.ny % fy)
    fail(
      "bad-value",
      { interpolation: [fx, fy], nx: g.nx, ny: g.ny },
      "interpolation is a whole number that divides the pixels of the grid",
    );
  return { factors: [fx, fy], window: waveGrid(g.nx / fx, g.ny / fy, [g.a[0] / fx, g.a[1] / fx], [g.b[0] / fy, g.b[1] / fy]) };
}

/** The plane waves of which probes ψ(q) on the window are made: where any of them is not zero. */
export function prismBeams(g: WaveGrid, { factors, window }: PrismWindow, probes: readonly Wave[]): PrismBeams {
  const [fx, fy] = factors;
  const bin = Int32Array.from(
    Array.from({ length: window.nx * window.ny }, (_, i) => i).filter((i) => probes.some((p) => p[2 * i] !== 0 || p[2 * i + 1] !== 0)),
  );
  // Exit waves have nothing outside the antialias circle.
  const coarse = (n: number, f: number, length: number): number =>
    Math.min(n, f * goodGridSize((2 * Math.floor(antialiasCutoff(g) * length) + 2) / f));
  const [mx, my] = [coarse(g.nx, fx, Math.hypot(...g.a)), coarse(g.ny, fy, Math.hypot(...g.b))];
  return {
    factors,
    window,
    count: bin.length,
    h: bin.map((i) => signedIndex(i % window.nx, window.nx) * fx),
    k: bin.map((i) => signedIndex(Math.floor(i / window.nx), window.ny) * fy),
    bin,
    exit: [mx, my],
    part: [mx / fx, my / fy],
  };
}

/** Every (fx, fy)-th bin of a wave on the grid. */
export function onWindow(wave: Wave, g: WaveGrid, { factors: [fx, fy], window }: PrismWindow): Float64Array {
  const out = new Float64Array(2 * window.nx * window.ny);
  for (let y = 0, p = 0; y < window.ny; y++)
    for (let x = 0; x < window.nx; x++, p += 2) {
      const row = (signedIndex(y, window.ny) * fy + g.ny) % g.ny,
        at = 2 * (row * g.nx + ((signedIndex(x, window.nx) * fx + g.nx) % g.nx));
      out[p] = wave[at]!;
      out[p + 1] = wave[at + 1]!;
    }
  return out;
}

/** Memory of one matrix of exit waves, bytes. */
export const prismBytes = ({ exit: [mx, my], count }: PrismBeams, precision: "f32" | "f64"): number =>
  mx * my * count * (precision === "f32" ? 8 : 16);

/** Coefficients of the plane waves for a probe at (x, y) Å: ψ_b exp(−2πi q_b·r), complex, on the scale of the window. */
export function prismWeights(out: Wave, beams: PrismBeams, probe: Wave, g: WaveGrid, x: number, y: number): void {
  const { h, k, bin, factors } = beams,
    scale = factors[0] * factors[1],
    [u, v] = fractions(g, x, y);
  for (let b = 0; b < beams.count; b++) {
    const t = -2 * Math.PI * (h[b]! * u + k[b]! * v),
      i = 2 * bin[b]!,
      re = probe[i]! * scale,
      im = probe[i + 1]! * scale;
    out[2 * b] = re * Math.cos(t) - im * Math.sin(t);
    out[2 * b + 1] = re * Math.sin(t) + im * Math.cos(t);
  }
}

/** Runs of pixels of the exit wave that make the window around (x, y), row by row; it may wrap around the cell. */
export function prismRows(
  { exit: [mx, my], part: [wx, wy] }: PrismBeams,
  g: WaveGrid,
  x: number,
  y: number,
): readonly { readonly from: number; readonly to: number; readonly length: number }[] {
  const wrap = (i: number, n: number): number => ((i % n) + n) % n,
    [u, v] = fractions(g, x, y);
  const x0 = wrap(Math.round(u * mx) - (wx >> 1), mx),
    y0 = Math.round(v * my) - (wy >> 1),
    first = Math.min(wx, mx - x0);
  return Array.from({ length: wy }, (_, i) => {
    const row = wrap(y0 + i, my) * mx;
    return [
      { from: row + x0, to: i * wx, length: first },
      { from: row, to: i * wx + first, length: wx - first },
    ].filter((r) => r.length > 0);
  }).flat();
}
function fractions(g: WaveGrid, x: number, y: number): readonly [number, number] {
  const area = g.a[0] * g.b[1] - g.a[1] * g.b[0];
  return [(x * g.b[1] - y * g.b[0]) / area, (y * g.a[0] - x * g.a[1]) / area];
}
