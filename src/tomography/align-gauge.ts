import { apply, compose, inverse, type Map3, transpose } from "../core/frames.js";
import { nearestRotation } from "../geometry/rotation-forms.js";
import { type Poses, poseMatrix } from "./poses.js";

/**
 * Displacement of the object in space, voxels (x, y, z), that explains shifts of its views best: s_p = (R_pᵀ d)₁₂ by least squares, with a ridge
 * against a direction that no view sees. Views do not tell it.
 */
export function displacementOf(shifts: ArrayLike<number>, poses: Poses): readonly [x: number, y: number, z: number] {
  const views = shifts.length / 2,
    a = new Float64Array(9),
    b = new Float64Array(3);
  for (let p = 0; p < views; p++)
    for (let k = 0; k < 2; k++) {
      const row = [0, 1, 2].map((i) => poses[9 * p + 3 * i + k]!);
      for (let i = 0; i < 3; i++) {
        b[i]! += row[i]! * shifts[2 * p + k]!;
        for (let j = 0; j < 3; j++) a[3 * i + j]! += row[i]! * row[j]!;
      }
    }
  for (let i = 0; i < 3; i++) a[4 * i]! += 1e-6 * views;
  return apply<"lab", "lab">(inverse(Array.from(a) as unknown as Map3<"lab", "lab">), [b[0]!, b[1]!, b[2]!]);
}

/** Take out of the shifts what a displacement of the object in space explains. */
export function withoutDisplacement(shifts: Float64Array, poses: Poses): void {
  const d = displacementOf(shifts, poses);
  for (let p = 0; 2 * p < shifts.length; p++)
    for (let k = 0; k < 2; k++) for (let i = 0; i < 3; i++) shifts[2 * p + k]! -= poses[9 * p + 3 * i + k]! * d[i]!;
}

/**
 * The rotation Q that poses share against others of the same views: the mean of R_p R₀_pᵀ. Views tell poses up to such a rotation, by which their volume is
 * turned: compare poses after `turnPoses(poses, transpose(Q))`.
 */
export function commonRotation(poses: Poses, reference: Poses): Map3 {
  const sum = new Array<number>(9).fill(0);
  for (let p = 0; 9 * p < poses.length; p++)
    compose(poseMatrix(poses, p), transpose(poseMatrix(reference, p))).forEach((v, i) => {
      sum[i]! += v;
    });
  return nearestRotation(sum as unknown as Map3);
}

/** All poses turned in space: Q·R_p. */
export function turnPoses(poses: Poses, rotation: Map3): Poses {
  const out = new Float64Array(poses.length);
  for (let p = 0; 9 * p < poses.length; p++) out.set(compose(rotation, poseMatrix(poses, p)), 9 * p);
  return out;
}
