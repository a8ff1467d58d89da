import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import type { Passes } from "./dynamical-pass.js";
import type { SetState } from "./dynamical-state.js";
import type { DynamicalCheckpoint, DynamicalCycle } from "./dynamical-types.js";
import type { StructureModel } from "./model.js";

/** The state after a cycle as plain JSON. */
export function checkpointOf(
  p: Passes,
  at: {
    readonly stage: number;
    readonly cycle: number;
    readonly ended: boolean;
    readonly status: DynamicalCheckpoint["status"];
    readonly near: boolean;
    readonly damping: number;
    readonly q: Float64Array;
    readonly history: readonly DynamicalCycle[];
  },
): DynamicalCheckpoint {
  return {
    kind: "ewald-dynamical",
    version: 1,
    stage: at.stage,
    cycle: at.cycle,
    ended: at.ended,
    status: at.status,
    near: at.near,
    damping: at.damping,
    names: p.model.names,
    q: [...at.q],
    instruments: p.sets.map((s) => s.instrument),
    ub: p.sets.map((s) => s.frames.map((f) => [...f.ub])),
    outliers: p.sets.flatMap((s, i) =>
      s.frames.flatMap((f, j) => [...f.outlier.keys()].filter((k) => f.outlier[k]).map((k) => [i, j, k] as const)),
    ),
    history: [...at.history],
  };
}

/** Puts a checkpoint back. @throws bad-value when it belongs to another model or other frames */
export function restore(c: DynamicalCheckpoint, model: StructureModel, sets: readonly SetState[]) {
  const fits =
    c.kind === "ewald-dynamical" &&
    c.version === 1 &&
    c.q.length === model.names.length &&
    c.names.every((n, i) => n === model.names[i]) &&
    c.ub.length === sets.length &&
    c.ub.every((u, i) => u.length === sets[i]!.frames.length);
  if (!fits)
    fail(
      "bad-value",
      { parameters: c.q?.length, wanted: model.names.length, frames: c.ub?.map((u) => u.length) },
      "the checkpoint belongs to another structure, model or set of frames: resume with the same input and options",
    );
  sets.forEach((s, i) => {
    s.instrument = { ...c.instruments[i]!, mosaicity: c.instruments[i]!.mosaicity ?? null };
    s.frames.forEach((f, j) => {
      f.ub = c.ub[i]![j]! as unknown as Map3<"lab", "hkl">;
      f.outlier.fill(0);
    });
  });
  for (const [i, j, k] of c.outliers) sets[i]!.frames[j]!.outlier[k] = 1;
  return {
    q: Float64Array.from(c.q),
    from: { stage: c.stage, cycle: c.cycle, ended: c.ended, damping: c.damping },
    history: c.history,
  };
}
