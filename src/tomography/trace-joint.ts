import { median } from "../numerics/stats-select.js";
import type { VolumeOf } from "./trace-maxima.js";
import type { SubVoxelPeak } from "./trace-polynomial.js";

/**
 * Gaussians of one width fitted to the volume all together, so that the flanks of neighbours do not pull on an atom as they do on a fit of its own.
 * Gauss–Seidel: an atom at a time takes a damped Gauss–Newton step of its height and place against the volume less all other atoms, weighted by its own
 * Gaussian; the common width takes one after each sweep, until nothing moves by more than 0.01 voxel. An atom moves at most one voxel in all.
 * @param width - to begin with, voxels
 * @param border - outermost voxels that are no data
 * @returns the peaks with new places, heights and the common width; `ok` is false where the height fell below a tenth of what it was
 */
export function jointGaussians(
  volume: VolumeOf,
  peaks: readonly SubVoxelPeak[],
  { width, sweeps = 8, border = 0 }: { readonly width: number; readonly sweeps?: number; readonly border?: number },
): SubVoxelPeak[] {
  const [nz, ny, nx] = volume.shape,
    n = peaks.length,
    reach = Math.max(3, Math.min(6, Math.ceil(2.8 * width))),
    side = 2 * reach + 1;
  const at = new Float64Array(3 * n),
    height = Float64Array.from(peaks, (p) => p.height);
  peaks.forEach((p, a) => {
    at.set([p.x, p.y, p.z], 3 * a);
  });
  const start = at.slice(),
    residual = volume.data.slice();
  let sigma = width;
  const level = backgroundLevel(volume, peaks, reach);
  if (level !== 0) for (let i = 0; i < residual.length; i++) residual[i]! -= level;
  const lo = [0, 0, 0],
    hi = [0, 0, 0],
    line = [new Float64Array(side), new Float64Array(side), new Float64Array(side)] as const,
    offset = [new Float64Array(side), new Float64Array(side), new Float64Array(side)] as const;
  /** Box of an atom within the volume and its Gaussian along each axis. */
  const place = (a: number): void => {
    for (let k = 0; k < 3; k++) {
      const c = at[3 * a + k]!,
        middle = Math.round(c),
        size = k === 0 ? nx : k === 1 ? ny : nz;
      lo[k] = Math.max(border, middle - reach);
      hi[k] = Math.min(size - 1 - border, middle + reach);
      for (let i = lo[k]!; i <= hi[k]!; i++) {
        const d = (i - c) / sigma;
        offset[k as 0][i - lo[k]!] = d;
        line[k as 0][i - lo[k]!] = Math.exp(-0.5 * d * d);
      }
    }
  };
  const add = (a: number, h: number): void => {
    place(a);
    for (let z = lo[2]!; z <= hi[2]!; z++)
      for (let y = lo[1]!; y <= hi[1]!; y++) {
        const far = offset[2][z - lo[2]!]! ** 2 + offset[1][y - lo[1]!]! ** 2;
        if (far > FAR) continue;
        const f = h * line[2][z - lo[2]!]! * line[1][y - lo[1]!]!,
          row = (z * ny + y) * nx;
        for (let x = lo[0]!, i = 0; x <= hi[0]!; x++, i++) residual[row + x]! += f * line[0][i]!;
      }
  };
  for (let a = 0; a < n; a++) add(a, -height[a]!);
  const A = new Float64Array(16),
    b = new Float64Array(4);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let [top, bottom, longest] = [0, 0, 0];
    for (let a = 0; a < n; a++) {
      place(a);
      A.fill(0);
      b.fill(0);
      const h = height[a]!;
      let [s1, s2, rs] = [0, 0, 0];
      for (let z = lo[2]!; z <= hi[2]!; z++)
        for (let y = lo[1]!; y <= hi[1]!; y++) {
          const dz = offset[2][z - lo[2]!]!,
            dy = offset[1][y - lo[1]!]!;
          // The weight is the cube of the Gaussian: nothing is left there.
          if (dy * dy + dz * dz > NEAR) continue;
          const f = line[2][z - lo[2]!]! * line[1][y - lo[1]!]!,
            row = (z * ny + y) * nx;
          // Moments along x of G³ and of G²·residual: the other two axes are constant here.
          let [m0, m1, m2, m4, r0, r1, r2] = [0, 0, 0, 0, 0, 0, 0];
          for (let x = lo[0]!, i = 0; x <= hi[0]!; x++, i++) {
            const g = line[0][i]!,
              d = offset[0][i]!,
              g3 = g * g * g,
              r = g * g * residual[row + x]!;
            m0 += g3;
            m1 += g3 * d;
            m2 += g3 * d * d;
            m4 += g3 * d * d * d * d;
            r0 += r;
            r1 += r * d;
            r2 += r * d * d;
          }
          const w = f * f * f,
            v = f * f;
          A[0]! += w * m0;
          A[1]! += w * m1;
          A[2]! += w * m0 * dy;
          A[3]! += w * m0 * dz;
          A[5]! += w * m2;
          A[6]! += w * m1 * dy;
          A[7]! += w * m1 * dz;
          A[10]! += w * m0 * dy * dy;
          A[11]! += w * m0 * dy * dz;
          A[15]! += w * m0 * dz * dz;
          b[0]! += v * r0;
          b[1]! += v * r1;
          b[2]! += v * r0 * dy;
          b[3]! += v * r0 * dz;
          const s = dy * dy + dz * dz;
          s1 += w * (m2 + s * m0);
          s2 += w * (m4 + 2 * s * m2 + s * s * m0);
          rs += v * (r2 + s * r0);
        }
      // The part of ∂/∂σ that the height cannot take up.
      top += h * (rs - (s1 / A[0]!) * b[0]!);
      bottom += h * h * (s2 - (s1 * s1) / A[0]!);
      const step = solve4(A, b);
      if (!step) continue;
      add(a, h);
      // Unknowns are the height and height · shift / σ.
      const rise = step[0]!,
        least = 0.05 * peaks[a]!.height;
      height[a] = Math.max(least, h + 0.8 * rise);
      for (let k = 0; k < 3; k++) {
        const move = (0.8 * sigma * step[k + 1]!) / Math.max(h, least),
          to = at[3 * a + k]! + Math.max(-0.3, Math.min(0.3, move)),
          first = start[3 * a + k]!;
        longest = Math.max(longest, Math.abs(move));
        at[3 * a + k] = Math.max(first - 1, Math.min(first + 1, to));
      }
      add(a, -height[a]!);
    }
    if (!(bottom > 0) || sweep === sweeps - 1 || longest < 0.01) break;
    sigma *= 1 + Math.max(-0.1, Math.min(0.1, (0.7 * top) / bottom));
    residual.set(volume.data);
    if (level !== 0) for (let i = 0; i < residual.length; i++) residual[i]! -= level;
    for (let a = 0; a < n; a++) add(a, -height[a]!);
  }
  return peaks.map((p, a) => ({
    x: at[3 * a]!,
    y: at[3 * a + 1]!,
    z: at[3 * a + 2]!,
    height: height[a]!,
    width: sigma,
    ok: height[a]! > 0.1 * p.height,
  }));
}

/** Squares of distances from an atom in widths: where its Gaussian ends in the model, and in the fit of its own numbers. */
const FAR = 3.2 ** 2,
  NEAR = 2.4 ** 2;

/** Median of the voxels that no atom reaches; 0 where they are too few to say. */
function backgroundLevel({ data, shape: [nz, ny, nx] }: VolumeOf, peaks: readonly SubVoxelPeak[], reach: number): number {
  const taken = new Uint8Array(data.length);
  for (const p of peaks) {
    const [x0, x1] = [Math.max(0, Math.round(p.x) - reach), Math.min(nx - 1, Math.round(p.x) + reach)];
    for (let z = Math.max(0, Math.round(p.z) - reach); z <= Math.min(nz - 1, Math.round(p.z) + reach); z++)
      for (let y = Math.max(0, Math.round(p.y) - reach); y <= Math.min(ny - 1, Math.round(p.y) + reach); y++)
        taken.fill(1, (z * ny + y) * nx + x0, (z * ny + y) * nx + x1 + 1);
  }
  const free: number[] = [],
    stride = Math.max(1, Math.floor(data.length / 2e5));
  for (let i = 0; i < data.length; i += stride) if (!taken[i]) free.push(data[i]!);
  return free.length > 1000 ? median(free) : 0;
}

/** Symmetric 4 × 4 system, upper triangle row by row, damped by a thousandth of its diagonal; undefined where it is singular. */
function solve4(A: Float64Array, b: Float64Array): Float64Array | undefined {
  const L = new Float64Array(16),
    x = new Float64Array(4);
  for (let i = 0; i < 4; i++)
    for (let j = 0; j <= i; j++) {
      let s = A[4 * j + i]! * (i === j ? 1.001 : 1);
      for (let k = 0; k < j; k++) s -= L[4 * i + k]! * L[4 * j + k]!;
      if (i === j) {
        if (!(s > 0)) return undefined;
        L[5 * i] = Math.sqrt(s);
      } else L[4 * i + j] = s / L[5 * j]!;
    }
  for (let i = 0; i < 4; i++) {
    let s = b[i]!;
    for (let k = 0; k < i; k++) s -= L[4 * i + k]! * x[k]!;
    x[i] = s / L[5 * i]!;
  }
  for (let i = 3; i >= 0; i--) {
    let s = x[i]!;
    for (let k = i + 1; k < 4; k++) s -= L[4 * k + i]! * x[k]!;
    x[i] = s / L[5 * i]!;
  }
  return x;
}
