import { type SweepProblem, sweepAll } from "../bloch/integrate.js";
import { addFrame, type BlockNormal, blockNormal } from "./dynamical-normal.js";
import { type Column, type Passes, usable } from "./dynamical-pass.js";
import { type FrameState, potentialOf, spreadDirections, sweepOf, thicknessSlopes } from "./dynamical-state.js";
import type { DynamicalStage } from "./dynamical-types.js";

/** Relative step of the thickness: depths alone move, so that nothing is rounded by another quadrature. */
const DEPTH_STEP = 1e-4;
/**
 * Relative step of the spread. Wide on the way: with a few blocks for a distribution, intensities ripple with their places on the way to a
 * broader one, and the slope between neighbouring spreads belongs to the ripple. Narrow at the end, where the slope itself decides; not
 * narrower, for beams come and go at the cut |Sg| < sMax.
 */
const SPREAD_STEP = { wide: 0.3, narrow: 0.03 };

/** A stage whose equations come from whole passes: instruments alone. */
export const instrumentsAlone = (stage: DynamicalStage): boolean => !stage.structure && !stage.orientations;

/**
 * Normal equations of a stage that refines thickness, tilt correction and mosaicity alone, from differences of the whole model: one pass for
 * ln t, which serves thickness and tilt correction, and one for the spread. Rows of a smaller matrix cost as
 * much, and leave out the tails of the rocking curves.
 * @param near - close to the end: the spread takes a narrow difference
 */
export async function instrumentEquations(
  p: Passes,
  q: ArrayLike<number>,
  columns: readonly Column[],
  near: boolean,
): Promise<BlockNormal> {
  const normal = blockNormal(columns.length);
  const total = p.sets.reduce((n, s) => n + usable(s).length, 0);
  let before = 0;
  for (const [set, s] of p.sets.entries()) {
    const frames = usable(s);
    if (frames.length === 0) continue;
    const own = columns.map((c) => (c.kind === "instrument" && c.set === set ? c.name : undefined));
    const potential = potentialOf(p.model, q, s.data, p.factors),
      problems = frames.map((f) => sweepOf(s, f, potential)),
      done = before;
    const slopes = async (moved: readonly SweepProblem[], h: number, part: number): Promise<Float64Array[]> => {
      const results = await sweepAll(moved, {
        ...p.run,
        onProgress: (n) => p.tell({ done: done + Math.floor((n + part * frames.length) / 2), total, note: "derivatives" }),
      });
      return results.map((r, i) => r.intensity.map((v, j) => (v - frames[i]!.intensity[j]!) / h));
    };
    const deeper = problems.map((x) => ({ ...x, depths: { ...x.depths, depth: x.depths.depth.map((t) => t * (1 + DEPTH_STEP)) } }));
    const byLogT = own.includes("thickness") || own.includes("tiltCorrection") ? await slopes(deeper, DEPTH_STEP, 0) : undefined;
    const spread = s.instrument.mosaicity,
      h = spread === null ? 0 : Math.max(1e-6, (near ? SPREAD_STEP.narrow : SPREAD_STEP.wide) * spread);
    const wider =
      spread === null || !own.includes("mosaicity")
        ? undefined
        : problems.map((x, i) => ({ ...x, directions: spreadDirections(s, frames[i]!, x, spread + h) }));
    const bySpread = wider && (await slopes(wider, h, 1));
    frames.forEach((f, i) => {
      addFrame(normal, ...rowsOf(f, own, thicknessSlopes(s.instrument, f.data.alphaDeg), byLogT?.[i], bySpread?.[i]));
    });
    before += frames.length;
  }
  return normal;
}

/** Weighted rows dF/dp of a frame, those of its scale, the number of private columns, and the residuals. */
function rowsOf(
  f: FrameState,
  own: readonly (string | undefined)[],
  [byT, byC]: readonly [number, number],
  logT: Float64Array | undefined,
  spread: Float64Array | undefined,
): [Float64Array, Float64Array, number, Float64Array] {
  const n = f.f.length,
    m = own.length,
    jc = new Float64Array(n * m),
    jp = new Float64Array(n),
    residual = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    const w = f.root[j]!,
      I = Math.max(0, f.intensity[j]!);
    if (f.outlier[j] || !(f.scale > 0)) continue;
    residual[j] = w * (f.f[j]! - f.scale * Math.sqrt(I));
    if (!(w > 0) || !(I > 0)) continue;
    jp[j] = w * Math.sqrt(I);
    const c = (w * f.scale) / (2 * Math.sqrt(I));
    own.forEach((name, k) => {
      if (name === "thickness") jc[j * m + k] = c * logT![j]! * byT;
      else if (name === "tiltCorrection") jc[j * m + k] = c * logT![j]! * byC;
      else if (name === "mosaicity") jc[j * m + k] = c * (spread?.[j] ?? 0);
    });
  }
  return [jc, jp, 1, residual];
}
