import { compose, type Map3, transpose } from "../core/frames.js";
import { degrees } from "../geometry/rotation.js";
import { rotationVector } from "../geometry/rotation-forms.js";
import { readNpy } from "../io/npy.js";
import { commonRotation, turnPoses } from "../tomography/align-gauge.js";
import { centreIndex, reverseAxes } from "../tomography/layout.js";
import { poseMatrix } from "../tomography/poses.js";
import { readData, readDataText } from "./data.js";

/** A published array [x, y, z] or [x, y, view] of the tomography data, in the layout of this package. */
export async function publishedArray(path: string): Promise<{ data: Float32Array; shape: readonly [number, number, number] }> {
  const { data, shape } = await readNpy(readData("tomography", path));
  return reverseAxes(Float32Array.from(data), shape as unknown as [number, number, number]);
}
/** Numbers of a text file, flat. */
export const publishedAngles = (path: string): Float64Array =>
  Float64Array.from(
    readDataText("tomography", path)
      .split("\n")
      .filter((l) => l.trim() && !l.startsWith("#"))
      .flatMap((l) =>
        l
          .trim()
          .split(/[\s,]+/)
          .map(Number),
      ),
  );

/** Gaussian blobs [z, y, x] from the centre, their heights and widths, as a volume. */
export function blobs(
  shape: readonly [number, number, number],
  list: readonly (readonly [z: number, y: number, x: number, height: number, sigma: number])[],
): Float32Array {
  const [nz, ny, nx] = shape,
    out = new Float32Array(nz * ny * nx),
    [cz, cy, cx] = shape.map(centreIndex) as [number, number, number];
  for (const [bz, by, bx, height, sigma] of list)
    for (let z = 0, i = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++, i++)
          out[i]! += height * Math.exp(-((z - cz - bz) ** 2 + (y - cy - by) ** 2 + (x - cx - bx) ** 2) / (2 * sigma * sigma));
  return out;
}

/** Four blobs without symmetry: z, y, x, height, sigma. */
export const fourBlobs = [
  [0, 0, 0, 5, 2.2],
  [6, -6, 7, 4, 1.8],
  [-7, 5, -6, 6, 1.8],
  [3, 8, 2, 5, 1.8],
] as const;

/** Exact views (line integrals at the pixel centres) of the same blobs, [P, ny, nx]. */
export function blobViews(
  poses: Float64Array,
  [ny, nx]: readonly [number, number],
  list: readonly (readonly [z: number, y: number, x: number, height: number, sigma: number])[],
  shifts?: ArrayLike<number>,
): Float32Array {
  const views = poses.length / 9,
    out = new Float32Array(views * ny * nx);
  for (let p = 0; p < views; p++) {
    const r = poses.subarray(9 * p, 9 * p + 9);
    for (const [bz, by, bx, height, sigma] of list) {
      const u = r[0]! * bx + r[3]! * by + r[6]! * bz + centreIndex(nx) + (shifts?.[2 * p] ?? 0),
        v = r[1]! * bx + r[4]! * by + r[7]! * bz + centreIndex(ny) + (shifts?.[2 * p + 1] ?? 0),
        peak = height * sigma * Math.sqrt(2 * Math.PI);
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++) out[(p * ny + y) * nx + x]! += peak * Math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * sigma * sigma));
    }
  }
  return out;
}

/** Rotations of views about their own x, y and z, degrees rms, from the right ones, beyond the rotation that all share. */
export function rotationsLeft(poses: Float64Array, right: Float64Array): { readonly common: Map3; readonly rmsDeg: readonly number[] } {
  const common = commonRotation(poses, right),
    rest = turnPoses(poses, transpose(common)),
    squares = [0, 0, 0],
    views = poses.length / 9;
  for (let p = 0; p < views; p++)
    rotationVector(compose(transpose(poseMatrix(right, p)), poseMatrix(rest, p))).forEach((v, k) => {
      squares[k]! += (v * v) / views;
    });
  return { common, rmsDeg: squares.map((v) => degrees(Math.sqrt(v))) };
}
