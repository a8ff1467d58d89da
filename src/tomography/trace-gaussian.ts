import type { VolumeOf } from "./trace-maxima.js";
import type { SubVoxelPeak } from "./trace-polynomial.js";

/**
 * Least-squares Gaussians h exp(−|r − c|²/2s²) + b in a sphere about each start: six numbers by damped Gauss–Newton.
 * @param radius - of the sphere, voxels
 */
export function gaussianPeaks(
  { data, shape: [nz, ny, nx] }: VolumeOf,
  { radius, width }: { readonly radius: number; readonly width: number },
): (start: SubVoxelPeak) => SubVoxelPeak {
  const n = Math.ceil(radius),
    J = new Float64Array(6),
    A = new Float64Array(36),
    g = new Float64Array(6);
  return (start) => {
    let [x, y, z, h, s, b] = [start.x, start.y, start.z, start.height, width, 0];
    let last = Number.POSITIVE_INFINITY,
      lambda = 1e-3;
    const bad = { ...start, ok: false };
    for (let step = 0; step < 25; step++) {
      const cx = Math.round(x),
        cy = Math.round(y),
        cz = Math.round(z);
      if (cx < n || cy < n || cz < n || cx >= nx - n || cy >= ny - n || cz >= nz - n) return bad;
      A.fill(0);
      g.fill(0);
      let cost = 0;
      for (let k = -n; k <= n; k++)
        for (let j = -n; j <= n; j++)
          for (let i = -n; i <= n; i++) {
            const dx = cx + i - x,
              dy = cy + j - y,
              dz = cz + k - z,
              r2 = dx * dx + dy * dy + dz * dz;
            if (r2 > radius * radius) continue;
            const e = Math.exp(-r2 / (2 * s * s)),
              f = (h * e) / (s * s);
            const r = data[((cz + k) * ny + cy + j) * nx + cx + i]! - h * e - b;
            cost += r * r;
            J[0] = f * dx;
            J[1] = f * dy;
            J[2] = f * dz;
            J[3] = e;
            J[4] = (f * r2) / s;
            J[5] = 1;
            for (let p = 0; p < 6; p++) {
              g[p]! += J[p]! * r;
              for (let q = 0; q <= p; q++) A[6 * p + q]! += J[p]! * J[q]!;
            }
          }
      const d = solve6(A, g, lambda);
      if (!d) return bad;
      const moved = Math.hypot(d[0]!, d[1]!, d[2]!);
      lambda = cost > last ? Math.min(1, lambda * 10) : lambda / 3;
      last = cost;
      const f = moved > 0.5 ? 0.5 / moved : 1;
      x += f * d[0]!;
      y += f * d[1]!;
      z += f * d[2]!;
      h += f * d[3]!;
      s = Math.min(2 * width, Math.max(0.5 * width, s + f * d[4]!));
      b += f * d[5]!;
      if (Math.hypot(x - start.x, y - start.y, z - start.z) > 2) return bad;
      if (moved < 1e-5 && step > 2) return { x, y, z, height: h, width: s, ok: h > 0 };
    }
    return bad;
  };
}

/** Solve (A + λ diag A) d = g by Cholesky; the lower triangle of A is used. */
function solve6(A: Float64Array, g: Float64Array, lambda: number): Float64Array | undefined {
  const L = new Float64Array(36),
    d = new Float64Array(6);
  for (let i = 0; i < 6; i++)
    for (let j = 0; j <= i; j++) {
      let s = A[6 * i + j]! * (i === j ? 1 + lambda : 1);
      for (let k = 0; k < j; k++) s -= L[6 * i + k]! * L[6 * j + k]!;
      if (i === j && !(s > 0)) return undefined;
      L[6 * i + j] = i === j ? Math.sqrt(s) : s / L[6 * j + j]!;
    }
  for (let i = 0; i < 6; i++) {
    let s = g[i]!;
    for (let k = 0; k < i; k++) s -= L[6 * i + k]! * d[k]!;
    d[i] = s / L[6 * i + i]!;
  }
  for (let i = 5; i >= 0; i--) {
    let s = d[i]!;
    for (let k = i + 1; k < 6; k++) s -= L[6 * k + i]! * d[k]!;
    d[i] = s / L[6 * i + i]!;
  }
  return d;
}
