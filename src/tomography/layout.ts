import { fail } from "../core/errors.js";

/**
 * The same array with its axes in reverse order. Published tomography arrays (GENFIRE, RESIRE and their successors) are MATLAB's: volumes
 * [x, y, z] and stacks [x, y, view]; here they are [z, y, x] and [view, y, x], x fastest. One function serves both ways and both kinds.
 * MATLAB files read by `readMat` need it not: MATLAB stores its first axis fastest, so they arrive reversed already.
 */
export function reverseAxes<T extends Float32Array | Float64Array | Uint8Array | Uint16Array | Int16Array | Int32Array>(
  data: T,
  shape: readonly [number, number, number],
): { readonly data: T; readonly shape: readonly [number, number, number] } {
  const [na, nb, nc] = shape;
  if (data.length !== na * nb * nc) fail("bad-shape", { length: data.length, shape }, "the shape multiplies to the number of values");
  const out = data.slice() as T;
  for (let a = 0, i = 0; a < na; a++) for (let b = 0; b < nb; b++) for (let c = 0; c < nc; c++, i++) out[(c * nb + b) * na + a] = data[i]!;
  return { data: out, shape: [nc, nb, na] };
}

/** Index of the centre of n pixels or voxels: ⌊n/2⌋. Rotation axis, zero shift and Fourier origin are all there, for odd and even n. */
export const centreIndex = (n: number): number => Math.floor(n / 2);
