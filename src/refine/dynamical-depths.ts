import { type FrameCrystal, type FrameModel, frameProblem } from "../bloch/frames.js";
import { sweepIntensities } from "../bloch/integrate.js";
import { type ThicknessModel, thicknessNodes } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";
import type { Arena } from "../kernels/memory.js";
import type { RefinedFrameData } from "./dynamical-types.js";

/** Depths from one step to `to`, Å, on a grid of at most 25 Å: distributions integrate from 0. */
export function depthGrid(to: number, step: number): Float64Array {
  const fine = Math.min(step, 25);
  return Float64Array.from({ length: Math.ceil(to / fine - 1e-9) }, (_, i) => (i + 1) * fine);
}

/** Intensities of a frame's reflections at every depth in one pass, mean |ψ|² over its exposure; shape [depths, reflections]. */
export function frameDepths(
  crystal: FrameCrystal,
  frame: RefinedFrameData,
  model: FrameModel,
  depth: Float64Array,
  arena: Arena,
): Float64Array {
  const problem = frameProblem(crystal, frame, {
    ...model,
    thickness: depth[depth.length - 1]!,
    tiltCorrection: 0,
    thicknessModel: { kind: "plate" },
  });
  const weight = new Float64Array(depth.length).fill(1 / depth.length);
  return sweepIntensities({ ...problem, depths: { depth, weight }, apart: "depths" }, arena).intensity;
}

/**
 * Weights of the grid's depths for a distribution of largest thickness t (nodes shared by their two neighbours; below the grid's first depth I ~ t²).
 * @throws out-of-range when t is beyond the grid
 */
export function depthMixture(model: ThicknessModel, t: number, depth: Float64Array): (readonly [index: number, weight: number])[] {
  const step = depth[0]!,
    last = depth[depth.length - 1]!;
  if (!(t > 0 && t <= last * (1 + 1e-9)))
    fail("out-of-range", { thickness: t, deepest: last }, "the grid of depths must reach the thickness");
  const nodes = thicknessNodes(model, t, 40),
    out = new Map<number, number>();
  const add = (i: number, w: number): void => {
    if (w !== 0) out.set(i, (out.get(i) ?? 0) + w);
  };
  nodes.t.forEach((x, m) => {
    const w = nodes.weights[m]!,
      at = x / step - 1;
    if (at <= 0) {
      add(0, w * (x / step) ** 2);
      return;
    }
    const i = Math.max(0, Math.min(depth.length - 2, Math.floor(at)));
    add(i, w * (i + 1 - at));
    add(Math.min(depth.length - 1, i + 1), w * (at - i));
  });
  return [...out];
}

/** Intensities of a distribution from those at the depths, shape [reflections]. */
export function mixedIntensities(mix: readonly (readonly [number, number])[], depths: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n);
  for (const [d, w] of mix) for (let i = 0; i < n; i++) out[i]! += w * depths[d * n + i]!;
  return out;
}
