/**
 * Replace a volume [nz, ny, nx] by argmin_x ½‖x − v‖² + λ Σ|∇x| (isotropic, forward differences), in place: gradient projection on the dual
 * field, which is kept between calls as a warm start. `dual`: f32 [3][nz·ny·nx], zeros at first.
 * @see Chambolle, J. Math. Imaging Vis. 20, 89 (2004)
 */
export function denoiseTv(
  volume: Float32Array,
  [nz, ny, nx]: readonly [number, number, number],
  lambda: number,
  iterations: number,
  dual: Float32Array,
): void {
  if (!(lambda > 0)) return;
  const n = volume.length,
    [pz, py, px] = [dual.subarray(0, n), dual.subarray(n, 2 * n), dual.subarray(2 * n)];
  const plane = ny * nx,
    out = new Float32Array(n);
  /** out = volume + λ·div p. */
  const primal = (): void => {
    for (let z = 0, i = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++, i++) {
          let d = px[i]! + py[i]! + pz[i]!;
          if (x > 0) d -= px[i - 1]!;
          if (y > 0) d -= py[i - nx]!;
          if (z > 0) d -= pz[i - plane]!;
          out[i] = volume[i]! + lambda * d;
        }
  };
  const tau = 1 / (12 * lambda);
  for (let k = 0; k < iterations; k++) {
    primal();
    for (let z = 0, i = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++, i++) {
          const v = out[i]!;
          const gx = x + 1 < nx ? px[i]! + tau * (out[i + 1]! - v) : 0,
            gy = y + 1 < ny ? py[i]! + tau * (out[i + nx]! - v) : 0,
            gz = z + 1 < nz ? pz[i]! + tau * (out[i + plane]! - v) : 0;
          const size = Math.max(1, Math.sqrt(gx * gx + gy * gy + gz * gz));
          px[i] = gx / size;
          py[i] = gy / size;
          pz[i] = gz / size;
        }
  }
  primal();
  volume.set(out);
}
