import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import type { Beam } from "../geometry/beam.js";
import { ifft2 } from "../numerics/fft.js";
import type { AtomModel } from "./atoms.js";
import { focalEnsemble } from "./coherence.js";
import { defocused } from "./defocus.js";
import type { WaveGrid } from "./grid.js";
import { type Snapshots, still } from "./phonons.js";
import { type PotentialOptions, potentialPlan } from "./potential.js";
import { type ProbeOptions, planeWave, transferFunction } from "./probe.js";
import { type MultisliceOptions, multislicePlan } from "./propagate.js";
import { restSlices } from "./slicing.js";

export interface HrtemOptions {
  readonly grid: WaveGrid;
  readonly beam: Beam;
  readonly atoms: AtomModel | Snapshots;
  /** Aperture (rad), aberrations, quasi-coherent envelopes: see `transferFunction`. */
  readonly optics: Partial<ProbeOptions>;
  /** One image for every value, added to the defocus of the optics, Å. Default one image. */
  readonly defocusSeries?: readonly number[] | undefined;
  /** Exact focal spread (1/e half width, Å): intensities of `samples` focus values are added. Instead of `optics.focalSpread`. */
  readonly focalAverage?: { readonly spread: number; readonly samples: number } | undefined;
  readonly potential?: Omit<PotentialOptions, "grid"> | undefined;
  readonly multislice?: MultisliceOptions | undefined;
}
export interface HrtemResult {
  /** Images [defocus, ny, nx] on the pixels of the wave grid, fractions of the mean incident intensity: vacuum is 1. */
  readonly images: Float32Array;
  readonly shape: readonly [defocus: number, ny: number, nx: number];
  /** Mean diffraction pattern behind the crystal, FFT order [ny, nx], fractions of the beam. */
  readonly pattern: Float64Array;
  /** Exit wave of the last snapshot in reciprocal space, [ny, nx, 2]. */
  readonly exit: Float64Array;
}

/** Steps of {@link hrtem}. */
export function* hrtemSteps(o: HrtemOptions): Steps<HrtemResult> {
  const { grid, beam, optics, defocusSeries = [0], focalAverage } = o,
    n = grid.nx * grid.ny;
  if (defocusSeries.length === 0 || !defocusSeries.every(Number.isFinite))
    fail("bad-value", { defocusSeries }, "a defocus series holds numbers in Å");
  if (focalAverage && optics.focalSpread)
    fail(
      "bad-value",
      { focalAverage, focalSpread: optics.focalSpread },
      "the focal spread is taken either exactly (focalAverage) or by an envelope (optics.focalSpread), not twice",
    );
  const snapshots = "count" in o.atoms ? o.atoms : still(o.atoms);
  const spread = focalAverage
    ? focalEnsemble(focalAverage.spread, focalAverage.samples)
    : { value: Float64Array.of(0), weight: Float64Array.of(1) };
  const transfers = defocusSeries.map((d) =>
    Array.from(spread.value, (s) => transferFunction(grid, beam, { ...optics, aberrations: defocused(optics.aberrations, d + s) })),
  );
  const images = new Float64Array(defocusSeries.length * n),
    pattern = new Float64Array(n);
  let exit = new Float64Array(0);
  for (let c = 0; c < snapshots.count; c++) {
    const potential = potentialPlan(snapshots.snapshot(c), { sliceOfAtom: restSlices(snapshots, o.potential), ...o.potential, grid });
    try {
      const plan = multislicePlan(potential, beam, o.multislice ?? {});
      try {
        const at = plan.allocWaves(1);
        plan.view(at).set(planeWave(grid));
        yield* plan.steps(at);
        exit = Float64Array.from(plan.view(at));
        plan.arena.free(at);
      } finally {
        plan.free();
      }
    } finally {
      potential.free();
    }
    for (let i = 0; i < n; i++) pattern[i]! += (exit[2 * i]! ** 2 + exit[2 * i + 1]! ** 2) / snapshots.count;
    for (const [d, list] of transfers.entries())
      for (const [s, t] of list.entries()) {
        const z = new Float64Array(2 * n);
        for (let i = 0; i < n; i++) {
          z[2 * i] = exit[2 * i]! * t[2 * i]! - exit[2 * i + 1]! * t[2 * i + 1]!;
          z[2 * i + 1] = exit[2 * i]! * t[2 * i + 1]! + exit[2 * i + 1]! * t[2 * i]!;
        }
        // The plane wave has all in one bin with amplitude 1: an inverse transform without 1/N gives |ψ| = 1.
        const psi = ifft2(z, [grid.ny, grid.nx], { scale: 1 });
        const weight = spread.weight[s]! / snapshots.count;
        for (let i = 0; i < n; i++) images[d * n + i]! += weight * (psi[2 * i]! ** 2 + psi[2 * i + 1]! ** 2);
        yield { done: c * transfers.length + d + 1, total: snapshots.count * transfers.length, note: "images" };
      }
  }
  return { images: Float32Array.from(images), shape: [defocusSeries.length, grid.ny, grid.nx], pattern, exit };
}

/**
 * High-resolution images: plane wave through the crystal, times the lens, squared, averaged over snapshots and focus. For progress and abort drive
 * `hrtemSteps` with `runAsync`.
 * @throws bad-value and what potential, multislice and lens throw
 */
export const hrtem = (options: HrtemOptions): HrtemResult => runSync(hrtemSteps(options));
