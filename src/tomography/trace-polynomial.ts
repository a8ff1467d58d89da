import { matrix } from "../numerics/matrix.js";
import { pseudoInverse } from "../numerics/svd.js";
import type { VolumeOf } from "./trace-maxima.js";

/** Powers (i, j, k) of x, y, z with i + j + k <= 4: the 35 terms of a quartic. */
const terms: readonly (readonly [number, number, number])[] = Array.from(
  { length: 125 },
  (_, t) => [t % 5, Math.floor(t / 5) % 5, Math.floor(t / 25)] as const,
).filter(([i, j, k]) => i + j + k <= 4);

/** A local maximum between voxels. */
export interface SubVoxelPeak {
  /** Voxels. */
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly height: number;
  /** Width of the Gaussian with the same height and mean curvature, voxels. */
  readonly width: number;
  /** False: no maximum there, or it ran away. */
  readonly ok: boolean;
}

/**
 * Maxima of weighted quartic fits in a sphere about a voxel. The fit is linear and the stencil always the same, so its pseudo-inverse
 * is made once and a fit is 35 dot products; the published tracers run a non-linear solver for it.
 * @param radius - of the sphere, voxels (at least 2.25, or 35 terms are too many; default 2.5)
 * @param falloff - weights exp(−r²/falloff²), voxels; default the radius over 1.17, as published
 */
export function polynomialPeaks(
  volume: VolumeOf,
  { radius = 2.5, falloff = radius / 1.17 }: { readonly radius?: number; readonly falloff?: number } = {},
): (index: number) => SubVoxelPeak {
  const {
    data,
    shape: [nz, ny, nx],
  } = volume;
  const reach = Math.max(2.25, radius),
    offsets: [number, number, number][] = [],
    n = Math.floor(reach);
  for (let z = -n; z <= n; z++)
    for (let y = -n; y <= n; y++) for (let x = -n; x <= n; x++) if (x * x + y * y + z * z <= reach * reach) offsets.push([x, y, z]);
  const count = offsets.length,
    w = offsets.map(([x, y, z]) => Math.exp(-(x * x + y * y + z * z) / (2 * falloff * falloff)));
  const design = matrix(count, terms.length);
  offsets.forEach(([x, y, z], r) => {
    terms.forEach(([i, j, k], c) => {
      design.data[r * terms.length + c] = w[r]! * x ** i * y ** j * z ** k;
    });
  });
  const inverse = pseudoInverse(design).data; // [terms, count]
  for (let c = 0; c < terms.length; c++) for (let r = 0; r < count; r++) inverse[c * count + r]! *= w[r]!;
  const coefficients = new Float64Array(terms.length),
    values = new Float64Array(count);
  const quartic = (x: number, y: number, z: number): void => {
    for (let r = 0; r < count; r++) {
      const [ox, oy, oz] = offsets[r]!;
      values[r] = data[((z + oz) * ny + y + oy) * nx + x + ox]!;
    }
    for (let c = 0; c < terms.length; c++) {
      let s = 0;
      for (let r = 0, o = c * count; r < count; r++, o++) s += inverse[o]! * values[r]!;
      coefficients[c] = s;
    }
  };
  /** Value, gradient and Hessian of the polynomial. */
  const p = { v: 0, g: [0, 0, 0], h: [0, 0, 0, 0, 0, 0] };
  const evaluate = (x: number, y: number, z: number): void => {
    p.v = 0;
    p.g.fill(0);
    p.h.fill(0);
    const X = [1, x, x * x, x ** 3, x ** 4],
      Y = [1, y, y * y, y ** 3, y ** 4],
      Z = [1, z, z * z, z ** 3, z ** 4];
    for (let c = 0; c < terms.length; c++) {
      const [i, j, k] = terms[c]!,
        a = coefficients[c]!;
      const xi = X[i]!,
        yj = Y[j]!,
        zk = Z[k]!;
      p.v += a * xi * yj * zk;
      const dx = i ? i * X[i - 1]! : 0,
        dy = j ? j * Y[j - 1]! : 0,
        dz = k ? k * Z[k - 1]! : 0;
      p.g[0]! += a * dx * yj * zk;
      p.g[1]! += a * xi * dy * zk;
      p.g[2]! += a * xi * yj * dz;
      if (i > 1) p.h[0]! += a * i * (i - 1) * X[i - 2]! * yj * zk;
      if (j > 1) p.h[1]! += a * j * (j - 1) * xi * Y[j - 2]! * zk;
      if (k > 1) p.h[2]! += a * k * (k - 1) * xi * yj * Z[k - 2]!;
      p.h[3]! += a * dx * dy * zk;
      p.h[4]! += a * dx * yj * dz;
      p.h[5]! += a * xi * dy * dz;
    }
  };
  return (index) => {
    let cx = index % nx,
      cy = Math.floor(index / nx) % ny,
      cz = Math.floor(index / (nx * ny));
    const bad = { x: cx, y: cy, z: cz, height: data[index]!, width: Number.NaN, ok: false };
    for (let moves = 0; moves < 4; moves++) {
      if (cx < n || cy < n || cz < n || cx >= nx - n || cy >= ny - n || cz >= nz - n) return bad;
      quartic(cx, cy, cz);
      let x = 0,
        y = 0,
        z = 0,
        settled = false;
      for (let step = 0; step < 20; step++) {
        evaluate(x, y, z);
        const [hxx, hyy, hzz, hxy, hxz, hyz] = p.h as [number, number, number, number, number, number],
          [gx, gy, gz] = p.g as [number, number, number];
        const det = hxx * (hyy * hzz - hyz * hyz) - hxy * (hxy * hzz - hyz * hxz) + hxz * (hxy * hyz - hyy * hxz);
        // A maximum has a negative definite Hessian.
        if (!(hxx < 0 && hxx * hyy - hxy * hxy > 0 && det < 0)) return bad;
        const dx = -(gx * (hyy * hzz - hyz * hyz) - hxy * (gy * hzz - hyz * gz) + hxz * (gy * hyz - hyy * gz)) / det,
          dy = -(hxx * (gy * hzz - gz * hyz) - gx * (hxy * hzz - hyz * hxz) + hxz * (hxy * gz - gy * hxz)) / det,
          dz = -(hxx * (hyy * gz - gy * hyz) - hxy * (hxy * gz - gy * hxz) + gx * (hxy * hyz - hyy * hxz)) / det;
        const clamp = (v: number): number => Math.max(-0.5, Math.min(0.5, v));
        x += clamp(dx);
        y += clamp(dy);
        z += clamp(dz);
        if (Math.hypot(x, y, z) > 1.5) break;
        if (Math.hypot(dx, dy, dz) < 1e-7) {
          settled = true;
          break;
        }
      }
      if (settled && Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) <= 0.75) {
        evaluate(x, y, z);
        const curvature = -(p.h[0]! + p.h[1]! + p.h[2]!) / 3;
        return { x: cx + x, y: cy + y, z: cz + z, height: p.v, width: Math.sqrt(Math.max(0, p.v) / curvature), ok: true };
      }
      const [rx, ry, rz] = [Math.round(x), Math.round(y), Math.round(z)];
      if (rx === 0 && ry === 0 && rz === 0) return bad;
      cx += rx;
      cy += ry;
      cz += rz;
    }
    return bad;
  };
}
