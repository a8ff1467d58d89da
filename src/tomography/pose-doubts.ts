import { compose, transpose } from "../core/frames.js";
import { degrees } from "../geometry/rotation.js";
import { rotationAngle } from "../geometry/rotation-forms.js";
import { commonRotation, turnPoses } from "./align-gauge.js";
import { type Poses, poseAngles, poseMatrix, posesFromEuler } from "./poses.js";
import { clearlyLower, type TrialOptions, trialResidual } from "./short-trial.js";
import type { TiltSeries } from "./tilt-series.js";

/** Poses of the object reflected in z, from the same views: M R M with M = diag(1, 1, −1). */
const mirrored = (poses: Poses): Poses => conjugated(poses, [1, 1, -1]);

function conjugated(poses: Poses, signs: readonly [number, number, number]): Poses {
  return poses.map((v, i) => v * signs[(Math.floor(i / 3) % 3) as 0]! * signs[(i % 3) as 0]!);
}

/**
 * Rms angle, degrees, by which poses differ from others beyond what views can tell: a rotation of the object, or its mirror image. 0 for the tilts of a
 * series in the other sense, and for a list of even steps backwards.
 */
export function poseDifference(poses: Poses, reference: Poses): number {
  const beyondRotation = (other: Poses): number => {
    const turned = turnPoses(other, transpose(commonRotation(other, reference)));
    let s = 0;
    for (let p = 0; 9 * p < turned.length; p++)
      s += rotationAngle(compose(transpose(poseMatrix(reference, p)), poseMatrix(turned, p))) ** 2;
    return degrees(Math.sqrt((9 * s) / turned.length));
  };
  return Math.min(beyondRotation(poses), beyondRotation(mirrored(poses)));
}

export interface PoseDoubts {
  /** R₁ of a short reconstruction with the poses as given; NaN where nothing had to be tried. */
  readonly r1: number;
  /** Other readings of the same list that views can tell from it, and their R₁. */
  readonly tried: readonly { readonly reading: string; readonly r1: number }[];
  /** A sentence if one of them explains the views clearly better. */
  readonly warnings: readonly string[];
}

/** What a trial of wholly other poses needs: few views, the shape of the object. */
const COARSE = { views: 20, pixels: 80 };
/** Readings that differ by less, degrees rms, are not told apart by a short reconstruction. */
const LEAST = 1;

const reversed = (poses: Poses): Poses => {
  const n = poses.length / 9,
    out = new Float64Array(poses.length);
  for (let p = 0; p < n; p++) out.set(poses.subarray(9 * p, 9 * p + 9), 9 * (n - 1 - p));
  return out;
};
const inverted = (poses: Poses): Poses => {
  const out = new Float64Array(poses.length);
  for (let p = 0; 9 * p < poses.length; p++) out.set(transpose(poseMatrix(poses, p)), 9 * p);
  return out;
};

/**
 * Whether a list of poses was read the wrong way round: backwards, as inverse rotations, with rows of the images counted from the other end, or with
 * all angles in the other sense. Each reading that views can tell from the given one is tried by ten iterations of RESIRE. For tilts about one axis in
 * even steps there is none: backwards or in the other sense they give the mirror image, and only knowledge of the object or of the stage tells which is
 * right.
 */
export async function poseDoubts(series: TiltSeries, options: TrialOptions = {}): Promise<PoseDoubts> {
  const { poses } = series,
    readings: readonly (readonly [string, Poses])[] = [
      ["in reverse order", reversed(poses)],
      ["as inverse rotations", inverted(poses)],
      ["with rows of the images from the other end", conjugated(poses, [1, -1, 1])],
      [
        "with all angles in the other sense",
        posesFromEuler(
          poseAngles(poses, "ZYX").map((v) => -v),
          "ZYX",
        ),
      ],
    ];
  const tried: { reading: string; r1: number; poses: Poses }[] = [];
  for (const [reading, other] of readings) {
    if ([poses, ...tried.map((t) => t.poses)].some((known) => poseDifference(other, known) < LEAST)) continue;
    tried.push({ reading, poses: other, r1: await trialResidual({ ...series, poses: other }, { ...options, ...COARSE }) });
  }
  if (tried.length === 0) return { r1: Number.NaN, tried: [], warnings: [] };
  const r1 = await trialResidual(series, { ...options, ...COARSE }),
    best = tried.reduce((a, b) => (b.r1 < a.r1 ? b : a));
  const warnings = clearlyLower(best.r1, r1)
    ? [
        `the views are explained better by the poses taken ${best.reading}: R1 after ten iterations ${best.r1.toFixed(4)}, as given ${r1.toFixed(4)}`,
      ]
    : [];
  return { r1, tried: tried.map(({ reading, r1: r }) => ({ reading, r1: r })), warnings };
}
