import { fftPlan } from "../numerics/fft-plan.js";
import { centreIndex } from "./layout.js";
import { imageTransform } from "./nufft.js";
import type { TiltSeries } from "./tilt-series.js";

/** Measured points of a half-complex Fourier grid [gz][gy][gx/2 + 1], in the order of their index. */
export interface FourierPoints {
  readonly grid: readonly [gz: number, gy: number, gx: number];
  readonly index: Uint32Array;
  /** Interleaved; the origin is voxel (0, 0, 0) of the volume. */
  readonly value: Float32Array;
  /** |k| over the Nyquist frequency of the views. */
  readonly radius: Float32Array;
}
export type Gridding = "dft" | "fft";

/** Even lengths with factors 2, 3 and 5 that hold n·oversampling. */
export function goodLength(n: number): number {
  for (let m = 2 * Math.ceil(n / 2); ; m += 2) {
    let r = m;
    for (const f of [2, 3, 5]) while (r % f === 0) r /= f;
    if (r === 1) return m;
  }
}

/**
 * Put the Fourier transforms of all views on a Cartesian grid: a point takes the mean, with weights 1/distance, of what lies within `cutoff`
 * (in grid points). "fft": the samples of the padded 2-D FFTs, each to the points around it. "dft": each point takes from each view the exact
 * transform at the nearest place of its plane (by a non-uniform FFT, error about 1e-6). Points beyond the Nyquist frequency are left out.
 * @param sums - scratch for complex sums, 2·gz·gy·(gx/2 + 1)
 * @see Pryor et al., Sci. Rep. 7, 10409 (2017)
 */
export function* griddedViews(
  series: TiltSeries,
  volume: readonly [number, number, number],
  grid: readonly [gz: number, gy: number, gx: number],
  gridding: Gridding,
  cutoff: number,
  sums: () => Float32Array,
): Generator<number, FourierPoints> {
  const [views, ny, nx] = series.shape,
    [gz, gy, gx] = grid,
    half = gx / 2 + 1;
  const weights = new Float32Array(gz * gy * half);
  let acc = sums().fill(0);
  const add = (iz: number, iy: number, ix: number, re: number, im: number, w: number): void => {
    const at = ((iz < 0 ? iz + gz : iz) * gy + (iy < 0 ? iy + gy : iy)) * half + ix;
    weights[at]! += w;
    acc[2 * at]! += w * re;
    acc[2 * at + 1]! += w * im;
  };
  /** A value at a point and, conjugated, at its Friedel mate; the half grid holds both only on the plane ix = 0. */
  const place = (iz: number, iy: number, ix: number, re: number, im: number, distance: number): void => {
    if (Math.abs(iz) >= gz / 2 || Math.abs(iy) >= gy / 2 || Math.abs(ix) >= gx / 2) return;
    if ((iz / gz) ** 2 + (iy / gy) ** 2 + (ix / gx) ** 2 >= 0.25) return;
    const w = 1 / Math.max(distance, 1e-5);
    if (ix >= 0) add(iz, iy, ix, re, im, w);
    if (ix < 0 || (ix === 0 && (iy !== 0 || iz !== 0))) add(-iz, -iy, -ix, re, -im, w);
  };
  const out = new Float64Array(2);
  const shift = (p: number): readonly [number, number] => [series.shifts?.[2 * p] ?? 0, series.shifts?.[2 * p + 1] ?? 0];
  const pixels = series.projections;
  if (gridding === "dft") {
    const transform = imageTransform(ny, nx);
    for (let p = 0; p < views; p++) {
      transform.image(pixels, p * ny * nx);
      acc = sums(); // memory may have grown
      const r = series.poses.subarray(9 * p, 9 * p + 9),
        [sx, sy] = shift(p);
      // The plane is n·k = 0; march over the two axes that are not along its normal. Coordinates are grid points of axes x, y, z.
      const g = [gx, gy, gz] as const,
        normal = [0, 1, 2].map((a) => r[3 * a + 2]! / g[a]!),
        size = Math.hypot(...normal);
      const [nX, nY, nZ] = normal.map((c) => c / size) as [number, number, number];
      const a = [nX, nY, nZ].reduce((best, c, i, all) => (Math.abs(c) > Math.abs(all[best]!) ? i : best), 0);
      const [b, c] = [(a + 1) % 3, (a + 2) % 3],
        n = [nX, nY, nZ];
      const lowest = (axis: number): number => (axis === 0 ? 0 : 1 - g[axis]! / 2);
      const k = [0, 0, 0];
      for (k[b] = lowest(b); k[b]! < g[b]! / 2; k[b]!++)
        for (k[c] = lowest(c); k[c]! < g[c]! / 2; k[c]!++) {
          if ((k[b]! / g[b]!) ** 2 + (k[c]! / g[c]!) ** 2 >= 0.25) continue;
          const centre = -(n[b]! * k[b]! + n[c]! * k[c]!) / n[a]!,
            reach = cutoff / Math.abs(n[a]!);
          for (k[a] = Math.ceil(centre - reach); k[a]! <= centre + reach; k[a]!++) {
            // March the whole plane when the marched axis is x; of each pair of mates take one.
            if (k[0]! < 0 || (k[0] === 0 && (k[1]! < 0 || (k[1] === 0 && k[2]! < 0)))) continue;
            const d = n[0]! * k[0]! + n[1]! * k[1]! + n[2]! * k[2]!;
            const f = [0, 1, 2].map((i) => (k[i]! - d * n[i]!) / g[i]!);
            const u = r[0]! * f[0]! + r[3]! * f[1]! + r[6]! * f[2]!,
              v = r[1]! * f[0]! + r[4]! * f[1]! + r[7]! * f[2]!;
            if (u * u + v * v >= 0.25) continue;
            transform.valueInto(out, 0, u, v);
            turn(out, 2 * Math.PI * (u * sx + v * sy));
            place(k[2]!, k[1]!, k[0]!, out[0]!, out[1]!, Math.abs(d));
          }
        }
      yield p + 1;
    }
    transform.free();
  } else {
    const plan = fftPlan({ shape: [gy, gx], type: "c64" });
    const reach = Math.round(cutoff);
    for (let p = 0; p < views; p++) {
      const image = plan.data().fill(0),
        [cy, cx] = [centreIndex(ny), centreIndex(nx)];
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++) image[2 * (((y - cy + gy) % gy) * gx + ((x - cx + gx) % gx))] = pixels[(p * ny + y) * nx + x]!;
      plan.forward();
      acc = sums();
      const f = plan.data(),
        r = series.poses.subarray(9 * p, 9 * p + 9),
        [sx, sy] = shift(p);
      for (let iv = 1 - gy / 2; iv < gy / 2; iv++)
        for (let iu = 0; iu < gx / 2; iu++) {
          if (iu === 0 && iv < 0) continue;
          const u = iu / gx,
            v = iv / gy;
          if (u * u + v * v >= 0.25) continue;
          const at = 2 * ((iv < 0 ? iv + gy : iv) * gx + iu);
          out[0] = f[at]!;
          out[1] = f[at + 1]!;
          turn(out, 2 * Math.PI * (u * sx + v * sy));
          const kx = (r[0]! * u + r[1]! * v) * gx,
            ky = (r[3]! * u + r[4]! * v) * gy,
            kz = (r[6]! * u + r[7]! * v) * gz;
          for (let dz = -reach; dz <= reach; dz++)
            for (let dy = -reach; dy <= reach; dy++)
              for (let dx = -reach; dx <= reach; dx++) {
                const iz = Math.round(kz) + dz,
                  iy = Math.round(ky) + dy,
                  ix = Math.round(kx) + dx,
                  d = Math.hypot(iz - kz, iy - ky, ix - kx);
                if (d <= cutoff) place(iz, iy, ix, out[0]!, out[1]!, d);
              }
        }
      yield p + 1;
    }
    plan.free();
  }
  acc = sums();
  return compress(grid, volume, acc, weights);
}

/** Multiply a complex number by exp(iφ). */
function turn(z: Float64Array, phase: number): void {
  if (phase === 0) return;
  const c = Math.cos(phase),
    s = Math.sin(phase),
    re = z[0]!;
  z[0] = re * c - z[1]! * s;
  z[1] = re * s + z[1]! * c;
}

function compress(
  grid: readonly [number, number, number],
  volume: readonly [number, number, number],
  acc: Float32Array,
  weights: Float32Array,
): FourierPoints {
  const [gz, gy, gx] = grid,
    half = gx / 2 + 1;
  let count = 0;
  for (let i = 0; i < weights.length; i++) if (weights[i]! > 0) count++;
  const index = new Uint32Array(count),
    value = new Float32Array(2 * count),
    radius = new Float32Array(count),
    z2 = new Float64Array(2);
  const [cz, cy, cx] = volume.map(centreIndex) as [number, number, number];
  for (let iz = 0, i = 0, n = 0; iz < gz; iz++)
    for (let iy = 0; iy < gy; iy++)
      for (let ix = 0; ix < half; ix++, i++) {
        const w = weights[i]!;
        if (!(w > 0)) continue;
        const fz = (iz < gz / 2 ? iz : iz - gz) / gz,
          fy = (iy < gy / 2 ? iy : iy - gy) / gy,
          fx = ix / gx;
        z2[0] = acc[2 * i]! / w;
        z2[1] = acc[2 * i + 1]! / w;
        turn(z2, -2 * Math.PI * (fz * cz + fy * cy + fx * cx));
        index[n] = i;
        value.set(z2, 2 * n);
        radius[n++] = 2 * Math.hypot(fz, fy, fx);
      }
  return { grid, index, value, radius };
}
