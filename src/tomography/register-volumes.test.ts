import { expect, test } from "vitest";
import { rotationFromVector, rotationVector } from "../geometry/rotation-forms.js";
import { correlation } from "../numerics/stats.js";
import { blobs, fourBlobs } from "../testing/tomography.js";
import { moveVolume } from "./move-volume.js";
import { registerVolumes } from "./register-volumes.js";

type Blob = readonly [z: number, y: number, x: number, height: number, sigma: number];
const list: readonly Blob[] = [...fourBlobs, [-2, -7, 5, 3, 1.5]];
const shape = [35, 38, 41] as const,
  still = blobs(shape, list),
  identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];

/** The same blobs after r → R r + t, or with z reflected first. */
function movedBlobs(R: ArrayLike<number>, t: readonly number[], mirrored = false): Float32Array {
  return blobs(
    shape,
    list.map(([z0, y, x, height, sigma]) => {
      const z = mirrored ? -z0 : z0,
        to = (c: number): number => R[3 * c]! * x + R[3 * c + 1]! * y + R[3 * c + 2]! * z + t[c]!;
      return [to(2), to(1), to(0), height, sigma] as const;
    }),
  );
}

test("a volume moves by whole voxels exactly, and by any motion as its blobs do", () => {
  const whole = moveVolume(still, shape, { rotation: identity, shift: [2, -1, 3] });
  const [nz, ny, nx] = shape;
  for (let z = 4; z < nz; z++)
    for (let y = 1; y < ny - 1; y++)
      for (let x = 3; x < nx; x++)
        if (Math.abs(whole[(z * ny + y) * nx + x]! - still[((z - 3) * ny + y + 1) * nx + x - 2]!) > 1e-6) expect([x, y, z]).toBe("same");
  const R = rotationFromVector([0.1, -0.2, 0.15]);
  for (const mirrored of [false, true]) {
    const motion = { rotation: R, shift: [0.7, -0.4, 1.3], mirrored },
      wanted = movedBlobs(R, motion.shift, mirrored);
    expect(correlation(moveVolume(still, shape, motion), wanted)).toBeGreaterThan(0.9995);
  }
});

test("shift, rotation and hand of a volume against another are found, whatever its scale and offset", () => {
  const vector = [0.06, -0.09, 0.05] as const,
    R = rotationFromVector(vector),
    t = [-2.3, 1.6, 3.4];
  for (const mirrored of [false, true]) {
    const reference = movedBlobs(R, t, mirrored).map((v) => 3 * v + 7),
      found = registerVolumes(still, reference, shape, { mirror: true });
    expect(found.mirrored).toBe(mirrored);
    expect(found.before).toBeLessThan(0.75);
    expect(found.correlation).toBeGreaterThan(0.9995);
    found.shift.forEach((v, k) => {
      expect(Math.abs(v - t[k]!)).toBeLessThan(0.01);
    });
    rotationVector([...found.rotation] as never).forEach((v, k) => {
      expect(Math.abs(v - vector[k]!)).toBeLessThan(0.001);
    });
    expect(found.angleDeg).toBeCloseTo((Math.hypot(...vector) * 180) / Math.PI, 1);
  }
});

test("without rotation the shift alone; a ball, which shows no rotation, is not turned at random", () => {
  const reference = movedBlobs(identity, [1.25, 0, -0.5]),
    found = registerVolumes(still, reference, shape, { rotate: false });
  expect([...found.rotation]).toEqual(identity);
  expect(Math.abs(found.shift[0]! - 1.25)).toBeLessThan(0.01);
  const ball = blobs(shape, [[0, 0, 0, 1, 5]]);
  expect(registerVolumes(ball, blobs(shape, [[0, 1, 0, 1, 5]]), shape).angleDeg).toBeLessThan(0.5);
});

test("what cannot be registered is said", () => {
  expect(() => registerVolumes(still, still.subarray(1), shape)).toThrow(/pad or crop/);
  expect(() => registerVolumes(still, new Float32Array(still.length), shape)).toThrow(/is it empty/);
  expect(() => registerVolumes(new Float32Array(still.length).fill(Number.NaN), still, shape)).toThrow(/finite/);
  expect(() => registerVolumes(still, still, shape, { smoothing: [] })).toThrow(/widths/);
  expect(() => moveVolume(still, shape, { rotation: [1], shift: [0, 0, 0] })).toThrow(/nine numbers/);
  expect(() => moveVolume(still.subarray(1), shape, { rotation: identity, shift: [0, 0, 0] })).toThrow(/shape/);
});
