import { compose, type Map3, type Vec3 } from "../core/frames.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import type { BlockNormal, BlockSolution } from "./dynamical-normal.js";
import type { Column, Passes } from "./dynamical-pass.js";
import type { SetState } from "./dynamical-state.js";
import type { DynamicalStage } from "./dynamical-types.js";

/** Largest turn of a frame in one cycle: about the width of a rocking curve, beyond which the linear model says nothing. */
const MOST_TURN = radians(0.11);
/** Largest relative change of a thickness, and shift of a coordinate (Å), in one cycle. */
const MOST_THICKNESS = 0.3,
  MOST_SHIFT = 0.15;
/** A step is lengthened from this factor on, and never more than MOST_LONGER. */
const LONGER = 1.8,
  MOST_LONGER = 5;

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
  const frames = p.sets.flatMap((s) => s.frames.filter((f) => f.reason === undefined));
  frames.forEach((f, i) => {
    const [, x, y] = step.private[i]!;
    f.ub = turned(f.ub, factor * x!, factor * y!);
  });
  return next;
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
