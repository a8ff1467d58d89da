import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import type { Image } from "../core/image.js";
import { labVectors } from "./filters.js";
import type { FrameCrystal } from "./frames.js";
import { sweepIntensities } from "./integrate.js";
import type { DirectionSet } from "./rotation.js";

/** A convergent beam: directions on a square grid inside a round aperture. */
export interface CbedOptions {
  /** Semi-angle of the cone, radians. */
  readonly convergence: number;
  /** Å along the beam. */
  readonly thickness: number | Float64Array;
  /** Pixels across a disk. */
  readonly pixels: number;
  /** Beams of the matrix in each direction; see `SweepProblem`. */
  readonly sMax: number;
  readonly strength?: number | undefined;
  /** Centre of the cone away from the beam, radians in x and y of the lab. */
  readonly centre?: readonly [number, number] | undefined;
}
/** Rocking patterns of reflections: intensity against the direction of incidence (LACBED or LARBED; the disks of CBED). */
export interface CbedDisks {
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly pixels: number;
  /** Å, shape [t]. */
  readonly thickness: Float64Array;
  /** I_g, shape [t, n, pixels, pixels], rows from +y down, columns along +x of the tilt; NaN outside the aperture. */
  readonly intensity: Float64Array;
  /** Diameter of a disk, Å⁻¹. */
  readonly diameter: number;
}

/** Directions of the aperture, row by row, and their pixels. */
function aperture({ convergence, pixels, centre = [0, 0] }: CbedOptions): { directions: DirectionSet; at: Int32Array } {
  if (!(convergence > 0 && convergence < 0.3))
    fail("out-of-range", { convergence }, "the semi-angle is in radians, for example 0.005 for 5 mrad");
  if (!(Number.isInteger(pixels) && pixels >= 1 && pixels <= 1024)) fail("out-of-range", { pixels }, "pixels across a disk: 1 to 1024");
  const kappa: number[] = [],
    at: number[] = [];
  for (let y = 0; y < pixels; y++)
    for (let x = 0; x < pixels; x++) {
      const u = (2 * x + 1) / pixels - 1,
        v = 1 - (2 * y + 1) / pixels;
      if (u * u + v * v > 1) continue;
      const tx = centre[0] + convergence * u,
        ty = centre[1] + convergence * v;
      kappa.push(tx, ty, -Math.sqrt(1 - tx * tx - ty * ty));
      at.push(y * pixels + x);
    }
  const size = at.length;
  return { directions: { size, kappa: Float64Array.from(kappa), weight: new Float64Array(size).fill(1 / size) }, at: Int32Array.from(at) };
}

/**
 * Disks of the wanted reflections for one or several thicknesses.
 * @param ub - a*, b*, c* in columns, lab frame (beam along −z), Å⁻¹
 * @param hkl - shape [n, 3]
 * @throws out-of-range, bad-value
 */
export function cbedDisks({ potential, pool }: FrameCrystal, ub: Map3<"lab", "hkl">, hkl: Int32Array, options: CbedOptions): CbedDisks {
  const thickness = typeof options.thickness === "number" ? Float64Array.of(options.thickness) : options.thickness;
  const { directions, at } = aperture(options);
  const n = hkl.length / 3,
    p2 = options.pixels ** 2;
  const intensity = new Float64Array(thickness.length * n * p2).fill(Number.NaN);
  thickness.forEach((t, m) => {
    const depths = { depth: Float64Array.of(t), weight: Float64Array.of(1) };
    const { sMax, strength } = options;
    const r = sweepIntensities({ potential, pool, ub, directions, hkl, depths, sMax, strength, apart: "directions" });
    for (let d = 0; d < directions.size; d++) for (let i = 0; i < n; i++) intensity[(m * n + i) * p2 + at[d]!] = r.intensity[d * n + i]!;
  });
  return { hkl, pixels: options.pixels, thickness, intensity, diameter: 2 * potential.beam.k * options.convergence };
}

/** Mean intensity of each disk of one thickness, the strongest first. */
export function diskMeans(disks: CbedDisks, thicknessIndex = 0): { readonly hkl: readonly number[]; readonly mean: number }[] {
  const area = disks.pixels ** 2,
    n = disks.hkl.length / 3;
  return Array.from({ length: n }, (_, i) => {
    const at = (thicknessIndex * n + i) * area;
    const inside = disks.intensity.subarray(at, at + area).filter((v) => !Number.isNaN(v));
    return { hkl: Array.from(disks.hkl.subarray(3 * i, 3 * i + 3)), mean: inside.reduce((s, v) => s + v, 0) / inside.length };
  }).sort((a, b) => b.mean - a.mean);
}

/**
 * The pattern on a screen: every disk at its place, overlapping ones added up (incoherently). y of the lab points up.
 * @param range - half width of the picture, Å⁻¹
 */
export function cbedImage(
  disks: CbedDisks,
  ub: Map3<"lab", "hkl">,
  range: number,
  thicknessIndex = 0,
): Image<Float64Array> & { readonly invAngstromPerPixel: number } {
  const scale = disks.diameter / disks.pixels;
  const half = Math.ceil(range / scale);
  if (!(half > 0 && half < 4096)) fail("too-large", { range, pixels: half }, "fewer pixels across a disk, or a smaller range");
  const size = 2 * half + 1,
    data = new Float64Array(size * size),
    g = labVectors(ub, disks.hkl);
  const p = disks.pixels,
    n = disks.hkl.length / 3;
  for (let i = 0; i < n; i++) {
    const left = Math.round(half + g[3 * i]! / scale - (p - 1) / 2),
      top = Math.round(half - g[3 * i + 1]! / scale - (p - 1) / 2);
    for (let y = Math.max(0, -top); y < p && top + y < size; y++)
      for (let x = Math.max(0, -left); x < p && left + x < size; x++) {
        const v = disks.intensity[((thicknessIndex * n + i) * p + y) * p + x]!;
        if (!Number.isNaN(v)) data[(top + y) * size + left + x]! += v;
      }
  }
  return { data, shape: [size, size], invAngstromPerPixel: scale };
}
