import { fail } from "../core/errors.js";
import { centreIndex } from "./layout.js";

/** A rigid motion of a volume about its centre (index ⌊n/2⌋): what stood at r, in voxels (x, y, z) from there, goes to R·r + t. */
export interface RigidMotion {
  /** R, nine numbers, row-major, in x, y, z. */
  readonly rotation: ArrayLike<number>;
  /** t, voxels along x, y, z. */
  readonly shift: ArrayLike<number>;
  /** Reflect z (the beam at zero tilt) first: what tilts of the other sense make of an object. Default false. */
  readonly mirrored?: boolean | undefined;
}

/** Weights of four samples for a place a fraction f after the second. @see Keys (1981) IEEE Trans. ASSP 29, 1153 (a = −½) */
function cubicWeights(out: Float64Array, f: number): void {
  const g = 1 - f;
  out[0] = -0.5 * f * g * g;
  out[1] = 1 + f * f * (1.5 * f - 2.5);
  out[2] = 1 + g * g * (1.5 * g - 2.5);
  out[3] = -0.5 * g * f * f;
}

/** A function that samples a volume [nz, ny, nx] at (x, y, z) in voxels by cubic convolution; 0 outside. */
export function volumeSampler(volume: ArrayLike<number>, [nz, ny, nx]: readonly [number, number, number]) {
  const wx = new Float64Array(4),
    wy = new Float64Array(4),
    wz = new Float64Array(4);
  return (x: number, y: number, z: number): number => {
    const x0 = Math.floor(x) - 1,
      y0 = Math.floor(y) - 1,
      z0 = Math.floor(z) - 1;
    if (x0 < -3 || y0 < -3 || z0 < -3 || x0 >= nx || y0 >= ny || z0 >= nz) return 0;
    cubicWeights(wx, x - x0 - 1);
    cubicWeights(wy, y - y0 - 1);
    cubicWeights(wz, z - z0 - 1);
    const inside = x0 >= 0 && x0 + 3 < nx;
    let sum = 0;
    for (let k = Math.max(0, -z0); k < 4 && z0 + k < nz; k++)
      for (let j = Math.max(0, -y0); j < 4 && y0 + j < ny; j++) {
        const at = ((z0 + k) * ny + y0 + j) * nx + x0;
        let row = 0;
        if (inside) row = wx[0]! * volume[at]! + wx[1]! * volume[at + 1]! + wx[2]! * volume[at + 2]! + wx[3]! * volume[at + 3]!;
        else for (let i = Math.max(0, -x0); i < 4 && x0 + i < nx; i++) row += wx[i]! * volume[at + i]!;
        sum += wz[k]! * wy[j]! * row;
      }
    return sum;
  };
}

/**
 * A volume [nz, ny, nx] after a rigid motion, by cubic convolution; 0 where nothing was known.
 * @throws bad-shape
 */
export function moveVolume(
  volume: ArrayLike<number>,
  shape: readonly [nz: number, ny: number, nx: number],
  motion: RigidMotion,
): Float32Array {
  const [nz, ny, nx] = shape,
    out = new Float32Array(nz * ny * nx);
  if (volume.length !== out.length) fail("bad-shape", { length: volume.length, shape }, "the volume has the shape that is given");
  if (motion.rotation.length !== 9 || motion.shift.length !== 3)
    fail(
      "bad-shape",
      { rotation: motion.rotation.length, shift: motion.shift.length },
      "a motion is nine numbers of a rotation and three of a shift",
    );
  const at = volumeSampler(volume, shape),
    R = motion.rotation,
    t = motion.shift,
    flip = motion.mirrored ? -1 : 1,
    [cz, cy, cx] = shape.map(centreIndex) as [number, number, number];
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i++) {
        // r = Rᵀ (r′ − t)
        const u = x - cx - t[0]!,
          v = y - cy - t[1]!,
          w = z - cz - t[2]!;
        out[i] = at(
          cx + R[0]! * u + R[3]! * v + R[6]! * w,
          cy + R[1]! * u + R[4]! * v + R[7]! * w,
          cz + flip * (R[2]! * u + R[5]! * v + R[8]! * w),
        );
      }
  return out;
}
