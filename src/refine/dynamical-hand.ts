import type { Fractional } from "../geometry/metric.js";
import { spaceGroupFromOps } from "../geometry/space-groups.js";
import type { Structure } from "../geometry/structure.js";
import { reducedOp } from "../geometry/symop.js";
import { type AbsoluteStructure, absoluteStructure } from "./absolute-structure.js";
import { refineDynamical } from "./dynamical.js";
import type { DynamicalData, DynamicalOptions, DynamicalResult } from "./dynamical-types.js";

/** The mirror image −x of a structure, in the enantiomorphous group where there is one (P 31 2 1 for P 32 2 1). */
export function invertedStructure(s: Structure): Structure {
  const ops = s.spaceGroup.ops.map((o) => reducedOp({ rotation: o.rotation, shift: [-o.shift[0], -o.shift[1], -o.shift[2]] }));
  return {
    ...s,
    spaceGroup: spaceGroupFromOps(ops),
    atoms: s.atoms.map((a) => ({ ...a, xyz: a.xyz.map((v) => -v) as unknown as Fractional })),
  };
}

/** Both hands against the same frames, and which one the data prefer. */
export interface HandResult extends AbsoluteStructure {
  /** `given` or `inverted`; `achiral` when the group holds an inversion and there is nothing to decide. */
  readonly hand: "given" | "inverted" | "achiral";
  readonly given: DynamicalResult;
  readonly inverted: DynamicalResult | undefined;
}

/**
 * Absolute structure: both hands are refined alike (by default scales, thickness and mosaicity alone, the structures as they are), then every
 * reflection is asked which model is nearer. |z| > 3 is a decision; positive for the given hand.
 */
export async function dynamicalHand(
  s: Structure,
  data: DynamicalData | readonly DynamicalData[],
  options: DynamicalOptions = {},
): Promise<HandResult> {
  const stages = options.stages ?? [{ name: "scales and thickness", thickness: true, mosaicity: true, gradient: "rows", maxCycles: 3 }];
  const given = await refineDynamical(s, data, { ...options, stages });
  const none = {
    nearerA: 0,
    total: 0,
    z: 0,
    chance: 0.5,
    rA: given.residuals.rAll,
    rB: given.residuals.rAll,
    wrA: given.residuals.wrAll,
    wrB: given.residuals.wrAll,
  };
  // Without an inversion even groups with mirrors have two orientations to tell apart (polar axes); with one there is nothing to decide.
  if (s.spaceGroup.centrosymmetric) return { ...none, hand: "achiral", given, inverted: undefined };
  const inverted = await refineDynamical(invertedStructure(s), data, { ...options, stages });
  // Frames that only one of the two could use are not compared.
  const both = given.frames.flatMap((f, i) =>
    f.status === "refined" && inverted.frames[i]!.status === "refined" ? [[f, inverted.frames[i]!] as const] : [],
  );
  const join = (of: (p: (typeof both)[number]) => Float64Array): Float64Array => Float64Array.from(both.flatMap((p) => [...of(p)]));
  const a = absoluteStructure(
    join(([f]) => f.frame.intensity),
    join(([f]) => f.frame.sigma),
    join(([f]) => f.calculated),
    join(([, g]) => g.calculated),
    options,
  );
  return { ...a, hand: a.z >= 0 ? "given" : "inverted", given, inverted };
}
