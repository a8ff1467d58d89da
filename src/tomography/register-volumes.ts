import { fail } from "../core/errors.js";
import { compose, type Map3, transpose } from "../core/frames.js";
import { degrees, identity } from "../geometry/rotation.js";
import { rotationAngle, rotationFromVector } from "../geometry/rotation-forms.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";
import { solve } from "../numerics/lu.js";
import { matrix } from "../numerics/matrix.js";
import { correlation } from "../numerics/stats.js";
import { centreIndex } from "./layout.js";
import { moveVolume, volumeSampler } from "./move-volume.js";

export interface RegisterVolumesOptions {
  /** Find a rotation too (up to some 15°), not a shift alone. Default true. */
  readonly rotate?: boolean | undefined;
  /** Try the volume reflected in z as well and keep the better hand. Default false. */
  readonly mirror?: boolean | undefined;
  /** Standard deviations of the Gaussians that both volumes are smoothed with, from coarse to fine, voxels. Default 4, 2, 1. */
  readonly smoothing?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RegisteredVolumes {
  /** The first volume after the motion, [nz, ny, nx]. */
  readonly volume: Float32Array;
  /** r → R·r + t about the centre (index ⌊n/2⌋), in voxels along x, y, z: nine and three numbers. */
  readonly rotation: Float64Array;
  readonly shift: Float64Array;
  readonly angleDeg: number;
  /** Whether z was reflected before the motion. */
  readonly mirrored: boolean;
  /** Correlation with the reference after the motion, and as they were given. */
  readonly correlation: number;
  readonly before: number;
}

type Shape = readonly [nz: number, ny: number, nx: number];

/**
 * The rigid motion that takes one volume onto another of the same shape, e.g. a reconstruction onto a published one: views do not tell where the
 * object as a whole stands nor, once angles are refined, how it is turned. The shift by the highest point of the cross-correlation, then
 * Gauss–Newton steps on shift, rotation, scale and offset, from smooth to sharp (inverse compositional: the derivatives are those of the reference).
 * @see Baker & Matthews, Int. J. Comput. Vis. 56, 221 (2004)
 * @throws bad-shape, bad-value
 */
export function registerVolumes(
  volume: ArrayLike<number>,
  reference: ArrayLike<number>,
  shape: Shape,
  options: RegisterVolumesOptions = {},
): RegisteredVolumes {
  const { rotate = true, mirror = false, smoothing = [4, 2, 1], signal } = options,
    n = shape[0] * shape[1] * shape[2];
  if (volume.length !== n || reference.length !== n)
    fail(
      "bad-shape",
      { volume: volume.length, reference: reference.length, shape },
      "both volumes have the shape that is given: pad or crop one",
    );
  for (const [name, a] of Object.entries({ volume, reference })) {
    let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < n; i++) {
      if (!Number.isFinite(a[i]!)) fail("bad-value", { [name]: a[i], voxel: i }, "volumes hold finite numbers");
      least = Math.min(least, a[i]!);
      most = Math.max(most, a[i]!);
    }
    if (!(most > least)) fail("bad-value", { [name]: least }, "a volume of one value has no place: is it empty?");
  }
  if (smoothing.length === 0 || !smoothing.every((s) => s >= 0.5 && s <= 64))
    fail("bad-value", { smoothing }, "smoothing is a list of widths from 0.5 to 64 voxels, e.g. [4, 2, 1]");
  const given = Float32Array.from(volume),
    levels = smoothing.length,
    hands = (mirror ? [false, true] : [false]).map((mirrored) => {
      const search = motionSearch(mirrored ? moveVolume(given, shape, { ...still, mirrored }) : given, reference, shape, rotate, signal);
      return { mirrored, search, motion: search.shift(smoothing[0]!) };
    });
  const refine = (hand: (typeof hands)[number], widths: readonly number[]) => {
    for (const sigma of widths) hand.motion = hand.search.refine(hand.motion, sigma);
    const { rotation, shift } = forward(hand.motion),
      moved = moveVolume(given, shape, { rotation, shift, mirrored: hand.mirrored });
    return { volume: moved, rotation, shift, mirrored: hand.mirrored, correlation: correlation(moved, reference) };
  };
  // The wrong hand is told without the finest step, which takes longest.
  const coarse = hands.length > 1 ? hands.map((h) => refine(h, smoothing.slice(0, Math.max(1, levels - 1))).correlation) : [0];
  const best = refine(hands[coarse.indexOf(Math.max(...coarse))]!, hands.length > 1 ? smoothing.slice(-1) : smoothing);
  for (const h of hands) h.search.free();
  return {
    ...best,
    rotation: Float64Array.from(best.rotation),
    shift: Float64Array.from(best.shift),
    angleDeg: degrees(rotationAngle(best.rotation)),
    before: correlation(given, reference),
  };
}

const still = { rotation: identity(), shift: [0, 0, 0] };

/** Low passes of a volume by Gaussians, and its circular cross-correlation with another. */
function spectrumOf(volume: ArrayLike<number>, shape: Shape) {
  const [nz, ny, nx] = shape,
    half = (nx >> 1) + 1,
    plan = rfftPlan({ shape: [...shape], type: "f32" });
  plan.real().set(volume);
  plan.forward();
  const spectrum = plan.spectrum().slice();
  const weighted = (weight: (k2: number, i: number) => readonly [number, number]): Float32Array => {
    const s = plan.spectrum();
    for (let z = 0, i = 0; z < nz; z++)
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < half; x++, i += 2) {
          const k2 = ((2 * z <= nz ? z : z - nz) / nz) ** 2 + ((2 * y <= ny ? y : y - ny) / ny) ** 2 + (x / nx) ** 2,
            [a, b] = weight(k2, i);
          s[i] = spectrum[i]! * a - spectrum[i + 1]! * b;
          s[i + 1] = spectrum[i]! * b + spectrum[i + 1]! * a;
        }
    plan.inverse();
    return plan.real().slice();
  };
  const low = (k2: number, sigma: number): number => Math.exp(-2 * Math.PI ** 2 * k2 * sigma ** 2);
  return {
    spectrum,
    smooth: (sigma: number) => weighted((k2) => [low(k2, sigma), 0]),
    /** This against another (its spectrum), both smoothed: highest where the other, moved by that much, lies on this. */
    against: (other: Float32Array, sigma: number) =>
      weighted((k2, i) => {
        const w = low(k2, sigma) ** 2;
        return [w * other[i]!, -w * other[i + 1]!];
      }),
    free: plan.free,
  };
}

/** Where the moving volume is sampled for a place r of the reference: at S·r + s. */
interface Sampled {
  readonly S: Map3;
  readonly s: readonly [number, number, number];
}

/** The motion of the content: r → Sᵀ (r − s). */
function forward({ S, s }: Sampled): { readonly rotation: Map3; readonly shift: readonly [number, number, number] } {
  const R = transpose(S),
    to = (r: 0 | 3 | 6): number => -(R[r] * s[0] + R[(r + 1) as 1] * s[1] + R[(r + 2) as 2] * s[2]);
  return { rotation: R, shift: [to(0), to(3), to(6)] };
}

function motionSearch(
  volume: ArrayLike<number>,
  reference: ArrayLike<number>,
  shape: Shape,
  rotate: boolean,
  signal: AbortSignal | undefined,
) {
  const [nz, ny, nx] = shape,
    a = spectrumOf(volume, shape),
    b = spectrumOf(reference, shape),
    radius = Math.min(nz, ny, nx) / 4;
  return {
    /** By the highest point of the cross-correlation. */
    shift(sigma: number): Sampled {
      const cross = b.against(a.spectrum, sigma);
      let top = 0;
      for (let i = 1; i < cross.length; i++) if (cross[i]! > cross[top]!) top = i;
      const back = (v: number, m: number): number => (2 * v <= m ? -v : m - v);
      return { S: identity(), s: [back(top % nx, nx), back(Math.floor(top / nx) % ny, ny), back(Math.floor(top / nx / ny), nz)] };
    },
    refine({ S, s }: Sampled, sigma: number): Sampled {
      const moving = a.smooth(sigma),
        fixed = b.smooth(sigma),
        stride = Math.max(1, Math.floor(sigma));
      for (let step = 0; step < 15; step++) {
        signal?.throwIfAborted();
        const d = gaussNewtonStep(moving, fixed, shape, { S, s }, rotate, stride);
        // The reference at W r fits the volume at T r: take the volume at T W⁻¹ r.
        S = compose(S, transpose(rotationFromVector([d[3], d[4], d[5]])));
        const by = (r: 0 | 3 | 6): number => S[r] * d[0] + S[(r + 1) as 1] * d[1] + S[(r + 2) as 2] * d[2];
        s = [s[0] - by(0), s[1] - by(3), s[2] - by(6)];
        if (Math.hypot(d[0], d[1], d[2]) < 2e-3 && radius * Math.hypot(d[3], d[4], d[5]) < 2e-3) break;
      }
      return { S, s };
    },
    free: () => {
      a.free();
      b.free();
    },
  };
}

/** Shift and rotation vector (of the reference's content about the centre) that bring the reference closer to the volume sampled at S·r + s. */
function gaussNewtonStep(
  moving: Float32Array,
  fixed: Float32Array,
  [nz, ny, nx]: Shape,
  { S, s }: Sampled,
  rotate: boolean,
  stride: number,
): readonly [number, number, number, number, number, number] {
  const at = volumeSampler(moving, [nz, ny, nx]),
    [cz, cy, cx] = [nz, ny, nx].map(centreIndex) as [number, number, number],
    normal = new Float64Array(64),
    right = new Float64Array(8),
    row = new Float64Array(8);
  for (let z = 1; z < nz - 1; z += stride)
    for (let y = 1; y < ny - 1; y += stride)
      for (let x = 1; x < nx - 1; x += stride) {
        const i = (z * ny + y) * nx + x,
          [u, v, w] = [x - cx, y - cy, z - cz];
        const gx = (fixed[i + 1]! - fixed[i - 1]!) / 2,
          gy = (fixed[i + nx]! - fixed[i - nx]!) / 2,
          gz = (fixed[i + nx * ny]! - fixed[i - nx * ny]!) / 2;
        // F(r + τ + ω × r) ≈ F + g·τ + (r × g)·ω ; scale and offset of the volume are free.
        row[0] = gx;
        row[1] = gy;
        row[2] = gz;
        row[3] = v * gz - w * gy;
        row[4] = w * gx - u * gz;
        row[5] = u * gy - v * gx;
        row[6] = -at(
          cx + S[0] * u + S[1] * v + S[2] * w + s[0],
          cy + S[3] * u + S[4] * v + S[5] * w + s[1],
          cz + S[6] * u + S[7] * v + S[8] * w + s[2],
        );
        row[7] = -1;
        for (let p = 0; p < 8; p++) {
          right[p]! -= row[p]! * fixed[i]!;
          for (let q = p; q < 8; q++) normal[8 * p + q]! += row[p]! * row[q]!;
        }
      }
  for (let p = 0; p < 8; p++) {
    for (let q = 0; q < p; q++) normal[8 * p + q] = normal[8 * q + p]!;
    if (!rotate && p >= 3 && p < 6) {
      for (let q = 0; q < 8; q++) normal[8 * p + q] = normal[8 * q + p] = 0;
      right[p] = 0;
    }
    // An object that turns without a change (a ball, a rod) leaves a direction open: no motion there.
    normal[9 * p] = (normal[9 * p]! || 1) * (1 + 1e-6);
  }
  const d = solve(matrix(8, 8, normal), matrix(8, 1, right)).data;
  return [d[0]!, d[1]!, d[2]!, d[3]!, d[4]!, d[5]!];
}
