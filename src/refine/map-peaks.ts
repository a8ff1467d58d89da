import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { applyOp } from "../geometry/symop.js";
import { parabolicOffset } from "../numerics/peaks-refine.js";
import type { PotentialMap } from "./potential-map.js";

export interface MapPeak {
  readonly xyz: Fractional;
  /** Volts; negative for a hole. */
  readonly height: number;
  /** Height in units of the noise that was given. */
  readonly overSigma: number;
  /** Nearest atom of the structure that was given: "" and NaN without one. */
  readonly nearest: string;
  readonly distance: number;
}
export interface MapPeakOptions {
  /** Noise of the map, volts (the Gaussian's σ of `mapStatistics`); peaks below 3 of it are left out. */
  readonly sigma: number;
  readonly above?: number | undefined;
  readonly structure?: Structure | undefined;
  /** Keep at most this many of each sign, 30. */
  readonly limit?: number | undefined;
  /** Peaks closer than this to a stronger one (or its images) are the same, Å, 0.4. */
  readonly apart?: number | undefined;
}

/** Maxima and minima of a map, one of each set of equivalents, strongest first; positions by parabolas through the neighbours. */
export function mapPeaks(map: PotentialMap, options: MapPeakOptions): readonly MapPeak[] {
  const { sigma, above = 3, limit = 30, apart = 0.4, structure: s } = options;
  const [nz, ny, nx] = map.shape,
    { data } = map;
  const found: { x: Fractional; v: number }[] = [];
  for (let z = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const v = data[(z * ny + y) * nx + x]!,
          size = Math.abs(v);
        if (size < above * sigma) continue;
        const sign = Math.sign(v);
        const at = (i: number, j: number, k: number): number =>
          sign * data[(((z + k + nz) % nz) * ny + ((y + j + ny) % ny)) * nx + ((x + i + nx) % nx)]!;
        let top = true;
        for (let k = -1; k <= 1 && top; k++)
          for (let j = -1; j <= 1 && top; j++)
            for (let i = -1; i <= 1 && top; i++) {
              if (!i && !j && !k) continue;
              const w = at(i, j, k);
              // Of equal neighbours the first in order stands for all.
              const earlier = k < 0 || (k === 0 && (j < 0 || (j === 0 && i < 0)));
              top = earlier ? w < size : w <= size;
            }
        if (!top) continue;
        const d = [
          parabolicOffset(at(-1, 0, 0), size, at(1, 0, 0)),
          parabolicOffset(at(0, -1, 0), size, at(0, 1, 0)),
          parabolicOffset(at(0, 0, -1), size, at(0, 0, 1)),
        ];
        const gain = [at(1, 0, 0) - at(-1, 0, 0), at(0, 1, 0) - at(0, -1, 0), at(0, 0, 1) - at(0, 0, -1)].reduce(
          (q, g, i) => q + (g * d[i]!) / 4,
          0,
        );
        found.push({ x: [(x + d[0]!) / nx, (y + d[1]!) / ny, (z + d[2]!) / nz], v: sign * (size + gain) });
      }
  found.sort((p, q) => Math.abs(q.v) - Math.abs(p.v));
  const g = metricTensor(map.cell);
  const length = (a: Fractional, b: Fractional): number =>
    Math.sqrt(quadratic(g, a.map((v, i) => v - b[i as 0] - Math.round(v - b[i as 0])) as unknown as Fractional));
  const atoms = s ? expandToP1(s) : [];
  const out: MapPeak[] = [];
  const kept = { up: 0, down: 0 };
  const images: { x: Fractional; sign: number }[] = [];
  for (const p of found) {
    const side = p.v > 0 ? "up" : "down";
    if (kept[side] >= limit) continue;
    if (images.some((q) => q.sign === Math.sign(p.v) && length(q.x, p.x) < apart)) continue;
    kept[side]++;
    for (const op of map.spaceGroup.ops) images.push({ x: applyOp(op, p.x), sign: Math.sign(p.v) });
    let nearest = "",
      distance = Number.NaN;
    for (const a of atoms) {
      const d = length(a.xyz, p.x);
      if (!(d >= distance)) [nearest, distance] = [s!.atoms[a.atom]!.label, d];
    }
    out.push({
      xyz: p.x.map((v) => v - Math.floor(v)) as unknown as Fractional,
      height: p.v,
      overSigma: Math.abs(p.v) / sigma,
      nearest,
      distance,
    });
  }
  return out;
}
