import { fail } from "../core/errors.js";
import { irfft2, rfft2 } from "../numerics/fft.js";
import { reciprocalGrid, type WaveGrid } from "./grid.js";
import { checkArray } from "./memory.js";
import type { PotentialPlan } from "./potential.js";

/** ε₀ in e/(V Å): 8.8541878188e-12 F/m over e = 1.602176634e-19 C (CODATA 2022). */
const permittivity = 8.8541878188e-12 / 1.602176634e-19 / 1e10;

/** Slices of potential as an array that `writeMrc` and `writeNpy` take. */
export interface PotentialVolume {
  /** Mean potential of each slice, V, [nz, ny, nx]. */
  readonly data: Float32Array;
  readonly shape: readonly [nz: number, ny: number, nx: number];
  /** Thickness of each slice, Å: data times this is the projected potential, V Å. */
  readonly thickness: Float64Array;
  /** Lengths of a pixel along a and b, and the mean thickness of a slice, Å. The axes of a skew box are oblique, as those of its grid. */
  readonly voxelAngstrom: readonly [x: number, y: number, z: number];
}

/**
 * The potential of all slices of a plan, V, averaged over the thickness of each.
 * @throws too-large above `maxMemoryMB` (default 2048), with the numbers to change
 */
export function potentialVolume(
  plan: PotentialPlan,
  { maxMemoryMB = 2048 }: { readonly maxMemoryMB?: number | undefined } = {},
): PotentialVolume {
  const { nx, ny, a, b } = plan.grid,
    nz = plan.slices.count;
  checkArray(
    4 * nz * ny * nx,
    maxMemoryMB,
    { shape: [nz, ny, nx] },
    "thicker slices, coarser pixels or a smaller box; or write the slices one by one (plan.projected)",
  );
  const data = new Float32Array(nz * ny * nx),
    thickness = Float64Array.from({ length: nz }, (_, i) => plan.thickness(i));
  for (let i = 0; i < nz; i++) {
    const slice = plan.projected(i),
      d = thickness[i]!;
    for (let k = 0; k < slice.length; k++) data[i * ny * nx + k] = slice[k]! / d;
  }
  return {
    data,
    shape: [nz, ny, nx],
    thickness,
    voxelAngstrom: [Math.hypot(...a) / nx, Math.hypot(...b) / ny, thickness.reduce((sum, d) => sum + d, 0) / nz],
  };
}

/**
 * Charge that makes a projected potential: Poisson's equation ρ = −ε₀ ∇²V, so ρ(q) = 4π² ε₀ |q|² V(q) in two dimensions, because the second
 * derivative along the beam projects to nothing: for whole atoms, that is slices of infinite projection or the sum over all finite ones. Nuclei count positive, electrons negative; the mean is zero, as in neutral matter. The result is
 * limited to the grid's frequencies: nuclei have the width of a pixel and rings around them.
 * @param projected - V Å, [ny, nx] of the grid, for example `plan.projected(i)`
 * @returns e/Å², [ny, nx]
 * @throws bad-shape; bad-value for a potential that is not finite
 * @see Kirkland, Advanced Computing in Electron Microscopy (2010), ch. 5; Bethe's relation f_e ∝ (Z − f_x)/s²
 */
export function projectedCharge(projected: Float64Array, grid: WaveGrid): Float64Array {
  const bad = projected.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) fail("bad-value", { at: bad, value: projected[bad] }, "the potential has to be finite everywhere, in V Å");
  const shape = [grid.ny, grid.nx] as const,
    half = Math.floor(grid.nx / 2) + 1;
  const spectrum = rfft2(projected, shape),
    { q2 } = reciprocalGrid(grid);
  for (let y = 0; y < grid.ny; y++)
    for (let x = 0; x < half; x++) {
      const f = 4 * Math.PI ** 2 * permittivity * q2[y * grid.nx + x]!,
        k = 2 * (y * half + x);
      spectrum[k]! *= f;
      spectrum[k + 1]! *= f;
    }
  return irfft2(spectrum, shape);
}
