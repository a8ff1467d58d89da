import { compose, type Map3, type Vec3 } from "../core/frames.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import { type BlockNormal, type BlockSolution, privateStep } from "./dynamical-normal.js";
import { type Column, chiOf, evaluate, type Passes, usable } from "./dynamical-pass.js";
import type { FrameState, SetState } from "./dynamical-state.js";
import type { DynamicalStage } from "./dynamical-types.js";

/** Largest turn of a frame in one cycle: about the width of a rocking curve, beyond which the linear model says nothing. */
const MOST_TURN = radians(0.11);
/** Largest relative change of a thickness, and shift of a coordinate (Å), in one cycle. */
const MOST_THICKNESS = 0.3,
  MOST_SHIFT = 0.15;
/** A step is lengthened from this factor on, and never more than MOST_LONGER. */
const LONGER = 1.8,
  MOST_LONGER = 5;
/** Dampings that are tried for the turn of a frame whose χ² falls by less than POOR of what its equations say. */
const DAMPINGS = [1, 10, 100, Number.POSITIVE_INFINITY],
  POOR = 0.25;

/** Remember instruments, orientations and intensities; the returned function puts them back. */
export function keep(sets: readonly SetState[]): () => void {
  const saved = sets.map((s) => ({
    s,
    instrument: s.instrument,
    frames: s.frames.map((f) => ({ f, ub: f.ub, intensity: f.intensity, scale: f.scale })),
  }));
  return () => {
    for (const { s, instrument, frames } of saved) {
      s.instrument = instrument;
      for (const { f, ub, intensity, scale } of frames) Object.assign(f, { ub, intensity, scale });
    }
  };
}

/** Move structure, instruments and frames by a step, within bounds and limits; the structure's new parameters. */
export function takeStep(p: Passes, q: Float64Array, columns: readonly Column[], stage: DynamicalStage, step: BlockSolution): Float64Array {
  const next = q.slice();
  const { cell } = p.model.raw.structure;
  const lengths = { x: cell.a, y: cell.b, z: cell.c };
  // One factor for all: a step that is cut keeps its direction.
  let factor = 1;
  columns.forEach((c, i) => {
    const d = Math.abs(step.common[i]!);
    if (c.kind === "instrument") {
      const now = p.sets[c.set]!.instrument;
      if (c.name === "thickness") factor = Math.min(factor, (MOST_THICKNESS * now.thickness) / d);
      else if (c.name === "tiltCorrection") factor = Math.min(factor, 0.5 / d);
      return;
    }
    const axis = /\.([xyz])$/.exec(p.model.names[c.index]!)?.[1] as "x" | "y" | "z" | undefined;
    if (axis) factor = Math.min(factor, MOST_SHIFT / (d * lengths[axis]));
    else if (/\.u\d*$/.test(p.model.names[c.index]!)) factor = Math.min(factor, 0.05 / d);
  });
  columns.forEach((c, i) => {
    const d = factor * step.common[i]!;
    if (c.kind === "structure") {
      next[c.index] = Math.min(p.model.upper[c.index]!, Math.max(p.model.lower[c.index]!, q[c.index]! + d));
      return;
    }
    const s = p.sets[c.set]!;
    if (c.name === "mosaicity") {
      const now = s.instrument.mosaicity ?? 0;
      // A spread never turns negative, and does not vanish in one step.
      s.instrument = { ...s.instrument, mosaicity: Math.max(0.2 * now, Math.min(4 * now, now + d)) };
    } else s.instrument = { ...s.instrument, [c.name]: s.instrument[c.name] + d };
  });
  if (!stage.orientations) return next;
  p.sets.flatMap(usable).forEach((f, i) => {
    const [, x, y] = step.private[i]!;
    f.ub = turned(f.ub, factor * x!, factor * y!);
  });
  return next;
}

/** Orientations and χ² of the frames before a step, in the order of its private parts. */
export const turnsBefore = (p: Passes): { readonly f: FrameState; readonly ub: FrameState["ub"]; readonly chi: number }[] =>
  p.sets.flatMap(usable).map((f) => ({ f, ub: f.ub, chi: chiOf(f) }));

/**
 * More damping for the turns of single frames, where the frame itself does not fit better for its turn; at the end none. A turn belongs to one frame,
 * so each may choose: with one damping for all, the frames with the sharpest rocking curves hold back the rest and the structure.
 * @param q - parameters of the structure after the step
 * @returns the change of χ²
 */
export async function settleTurns(
  p: Passes,
  q: ArrayLike<number>,
  before: ReturnType<typeof turnsBefore>,
  normal: BlockNormal,
  step: BlockSolution,
  note: string,
): Promise<number> {
  let change = 0;
  const poor = (i: number, [, x, y]: Float64Array): boolean => {
    const { f, chi } = before[i]!,
      [, ex, ey] = normal.blocks[i]!.e;
    return chi - chiOf(f) < POOR * Math.max(0, ex! * x! + ey! * y!);
  };
  let left = [...before.keys()].filter((i) => poor(i, step.private[i]!));
  for (const damping of DAMPINGS) {
    if (left.length === 0) break;
    const tried = left.map((i) => {
      const { f, ub } = before[i]!,
        saved = { ub: f.ub, intensity: f.intensity, scale: f.scale },
        own = damping < Number.POSITIVE_INFINITY ? privateStep(normal.blocks[i]!, step.common, damping) : new Float64Array(3);
      const chi = chiOf(f);
      f.ub = turned(ub, own[1]!, own[2]!);
      return { i, f, chi, saved, own };
    });
    await evaluate(p, q, note, new Set(tried.map(({ f }) => f)));
    left = [];
    for (const { i, f, chi, saved, own } of tried) {
      if (chiOf(f) < chi) change += chiOf(f) - chi;
      else Object.assign(f, saved);
      if (poor(i, own)) left.push(i);
    }
  }
  return change;
}

/** The crystal turned about lab x and y by a small rotation vector, no more than a rocking curve's width. */
function turned(ub: Map3<"lab", "hkl">, x: number, y: number): Map3<"lab", "hkl"> {
  const angle = Math.hypot(x, y);
  if (!(angle > 0)) return ub;
  const axis: Vec3<"lab"> = [x / angle, y / angle, 0];
  return compose(rotationAbout<"lab", "lab">(axis, Math.min(angle, MOST_TURN)), ub);
}

/**
 * How much longer a step should have been: the minimum of the parabola through χ² before it, its slope there and χ² after it. Where residuals are
 * large against σ, the rapid part of the derivatives makes JᵀWJ larger than half the second derivative, and Gauss–Newton falls short by the
 * same factor cycle after cycle: the spread of alanine's mosaic blocks went a quarter of its way. 1 where that gains little.
 */
export function lengthening(normal: BlockNormal, step: BlockSolution, before: number, after: number): number {
  let slope = 0;
  for (let i = 0; i < normal.common; i++) slope += normal.b[i]! * step.common[i]!;
  normal.blocks.forEach((b, f) => {
    for (let k = 0; k < b.size; k++) slope += b.e[k]! * step.private[f]![k]!;
  });
  if (!(slope > 0)) return 1;
  const curvature = after - before + 2 * slope;
  const factor = curvature > slope / MOST_LONGER ? slope / curvature : MOST_LONGER;
  return factor >= LONGER ? factor : 1;
}

export const scaledStep = (s: BlockSolution, factor: number): BlockSolution => ({
  common: s.common.map((v) => factor * v),
  private: s.private.map((x) => x.map((v) => factor * v)),
});
