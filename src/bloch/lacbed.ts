import { fail } from "../core/errors.js";
import type { Vec3 } from "../core/frames.js";
import { type Fractional, quadratic, reciprocalMetric } from "../geometry/metric.js";
import { type BeamSelection, selectBeams } from "./beams.js";
import type { CbedDisks } from "./cbed.js";
import type { FrameCrystal } from "./frames.js";
import { incidenceOnZone } from "./incidence.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { blochIntensities } from "./waves.js";

/** Large-angle patterns near a zone axis: a square of incident directions. */
export interface LacbedOptions {
  /** [u v w] towards the source. */
  readonly zone: Fractional;
  /** Directions of the columns (to the right) and rows (down) of the patterns: tangential parts of K, on a*, b*, c*. */
  readonly right: Vec3<"hkl">;
  readonly down: Vec3<"hkl">;
  /** Largest tangential part of K on either axis, Å⁻¹. */
  readonly halfRange: number;
  readonly pixels: number;
  /** Å. */
  readonly thickness: Float64Array;
  /** Beams of each direction. */
  readonly selection: BeamSelection;
}

/**
 * Intensity of reflections against the direction of incidence for many thicknesses at once: one solution a direction, with the absorption of the
 * potential.
 * @param hkl - shape [n, 3]
 * @throws bad-value, out-of-range
 */
export function lacbedPatterns({ potential, pool }: FrameCrystal, hkl: Int32Array, options: LacbedOptions): CbedDisks {
  const { zone, right, down, halfRange, pixels, thickness, selection } = options,
    { cell } = potential;
  if (!(halfRange > 0 && halfRange < potential.beam.k / 4))
    fail("out-of-range", { halfRange }, "halfRange is the tangential part of K in Å⁻¹, for example 0.5");
  if (!(Number.isInteger(pixels) && pixels >= 1 && pixels <= 1024)) fail("out-of-range", { pixels }, "pixels across a pattern: 1 to 1024");
  const star = reciprocalMetric(cell),
    unit = (v: Vec3<"hkl">): readonly number[] => {
      const size = Math.sqrt(quadratic(star, v));
      if (!(size > 0)) fail("bad-value", { axis: v }, "an axis of the pattern is a reciprocal vector other than 0 0 0");
      return v.map((x) => x / size);
    };
  const [ux, uy] = [unit(right), unit(down)];
  const n = hkl.length / 3,
    area = pixels * pixels;
  const key = (list: Int32Array, i: number): string => `${list[3 * i]} ${list[3 * i + 1]} ${list[3 * i + 2]}`;
  const wanted = new Map(Array.from({ length: n }, (_, i) => [key(hkl, i), i]));
  const intensity = new Float64Array(thickness.length * n * area);
  for (let y = 0; y < pixels; y++)
    for (let x = 0; x < pixels; x++) {
      const a = ((2 * x + 1) / pixels - 1) * halfRange,
        b = ((2 * y + 1) / pixels - 1) * halfRange;
      const inc = incidenceOnZone(cell, potential.beam, zone, ux.map((v, i) => a * v + b * uy[i]!) as unknown as Vec3<"hkl">);
      const { strong, weak } = selectBeams(pool, inc, selection, potential);
      const m = structureMatrix(potential, strong, inc, { weak });
      const all = blochIntensities(propagate(m, thickness));
      for (let g = 0; g < m.size; g++) {
        const i = wanted.get(key(strong, g));
        if (i === undefined) continue;
        for (let t = 0; t < thickness.length; t++) intensity[(t * n + i) * area + y * pixels + x] = all[t * m.size + g]!;
      }
    }
  return { hkl, pixels, thickness, intensity, diameter: 2 * halfRange };
}

/** Zero-mean normalised cross-correlation of two pictures, −1 to 1; pixels where either is NaN do not count. NaN for a flat picture. */
export function zeroMeanCorrelation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) fail("bad-shape", { a: a.length, b: b.length }, "the pictures have the same pixels");
  let n = 0,
    ma = 0,
    mb = 0;
  for (let i = 0; i < a.length; i++)
    if (!Number.isNaN(a[i]! + b[i]!)) {
      n++;
      ma += a[i]!;
      mb += b[i]!;
    }
  ma /= n;
  mb /= n;
  let aa = 0,
    bb = 0,
    ab = 0;
  for (let i = 0; i < a.length; i++)
    if (!Number.isNaN(a[i]! + b[i]!)) {
      aa += (a[i]! - ma) ** 2;
      bb += (b[i]! - mb) ** 2;
      ab += (a[i]! - ma) * (b[i]! - mb);
    }
  return ab / Math.sqrt(aa * bb);
}

/** How well simulated patterns of each thickness agree with measured ones. */
export interface PatternAgreement {
  /** Index and value of the best thickness, Å. */
  readonly index: number;
  readonly thickness: number;
  /** Mean correlation over the reflections for each thickness. */
  readonly mean: Float64Array;
  /** Correlation of each reflection at the best thickness. */
  readonly each: Float64Array;
}

/**
 * Thickness of a crystal from rocking patterns: the one of largest mean zero-mean cross-correlation, which asks for no scale and no background.
 * @param measured - shape [n, pixels, pixels], in the order and with the axes of `disks`
 * @throws bad-shape
 */
export function fitPatterns(disks: CbedDisks, measured: Float64Array): PatternAgreement {
  const { pixels, thickness, intensity } = disks,
    area = pixels * pixels,
    n = disks.hkl.length / 3;
  if (measured.length !== n * area) fail("bad-shape", { measured: measured.length, wanted: n * area }, "one picture for each reflection");
  const each = Array.from(thickness, (_, t) =>
    Float64Array.from({ length: n }, (_x, i) =>
      zeroMeanCorrelation(intensity.subarray((t * n + i) * area, (t * n + i + 1) * area), measured.subarray(i * area, (i + 1) * area)),
    ),
  );
  const mean = Float64Array.from(each, (e) => e.reduce((s, x) => s + (Number.isNaN(x) ? 0 : x), 0) / n);
  let index = 0;
  mean.forEach((x, t) => {
    if (x > mean[index]!) index = t;
  });
  return { index, thickness: thickness[index]!, mean, each: each[index]! };
}
