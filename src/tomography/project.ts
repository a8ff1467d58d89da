import { fail } from "../core/errors.js";
import { type PlanOptions, projectorPlan, type Real } from "./projector-plan.js";

export type ProjectorOptions = PlanOptions;

/** A linear operator between volumes [nz, ny, nx] and stacks of views [P, ny, nx]. Free it when done. */
export interface Projector {
  readonly views: number;
  /** [nz, ny, nx] and [ny, nx]. */
  readonly volume: readonly [number, number, number];
  readonly detector: readonly [number, number];
  /** True where all views are tilted about one edge of the image: slices are then independent. */
  readonly singleAxis: boolean;
  /** A·volume, in the precision of the projector (a stack of Float32Array by default). */
  forward(volume: Real): Real;
  /** Aᵀ·stack: the exact adjoint, ⟨A x, y⟩ = ⟨x, Aᵀ y⟩. */
  adjoint(stack: Real): Real;
  free(): void;
}

/**
 * Projector for any poses: line integrals in units of volume value × voxel edge. For tilts about an edge of the image it is Joseph's
 * method (linear interpolation within each row or column of voxels that the ray crosses), which keeps a uniform volume uniform at every
 * tilt. Poses within 6° of that take the same weights across the axis and linear ones along it; in general poses each voxel is shared by its four
 * nearest pixels. Cost: two pixels a voxel and view about an edge of the image, four otherwise.
 * @see Joseph, IEEE Trans. Med. Imaging 1, 192 (1982)
 * @throws bad-shape, bad-value, too-large
 */
export function projector(options: ProjectorOptions): Projector {
  const plan = projectorPlan(options);
  const vol = plan.allocVolume(),
    stack = plan.allocViews(),
    [dy, dx] = plan.detector,
    [nz, ny, nx] = plan.volume;
  const make = (n: number): Real => (plan.type === "f32" ? new Float32Array(n) : new Float64Array(n));
  const check = (data: Real, n: number, what: string): void => {
    if (data.length !== n) fail("bad-shape", { length: data.length, wanted: n }, `this projector takes ${what}`);
  };
  return {
    views: plan.views,
    volume: plan.volume,
    detector: plan.detector,
    singleAxis: plan.axis,
    forward: (volume) => {
      check(volume, nz * ny * nx, `volumes [${nz}, ${ny}, ${nx}]`);
      plan.putVolume(vol, volume);
      for (let b = 0; b < plan.blocks; b++) {
        plan.run(plan.clearViews(stack, b, 0, plan.views));
        plan.run(plan.forward(vol, stack, b, 0, plan.views));
      }
      const out = make(plan.views * dy * dx);
      plan.getViews(stack, out);
      return out;
    },
    adjoint: (views) => {
      check(views, plan.views * dy * dx, `stacks [${plan.views}, ${dy}, ${dx}]`);
      plan.putViews(stack, views);
      for (let b = 0; b < plan.blocks; b++) for (let z = 0; z < nz; z++) plan.run(plan.adjoint(plan.planeAt(vol, b, z), stack, b, z));
      const out = make(nz * ny * nx);
      plan.getVolume(vol, out);
      return out;
    },
    free: plan.free,
  };
}
