import { fail } from "../core/errors.js";
import { apply, type Map3, type Vec3 } from "../core/frames.js";
import type { Beam } from "../geometry/beam.js";
import { sgErrors } from "../geometry/ewald.js";
import { sgFilter } from "../geometry/excitation.js";
import type { Exposure } from "../geometry/experiment.js";

/** Which reflections of a frame are compared with the model; limits not given do not exclude. */
export interface FrameFilter {
  /** Largest RSg = |Sg|/ΔSg; 0.4 to 0.75. */
  readonly rsgMax?: number | undefined;
  /** Least DSg = ΔSg − |Sg|, Å⁻¹; 0 to 0.0015. */
  readonly dsgMin?: number | undefined;
  /** Largest |Sg| at the middle of the frame, Å⁻¹. */
  readonly sgMax?: number | undefined;
  /** Largest |g|, Å⁻¹. */
  readonly gMax?: number | undefined;
}
export interface FilteredFrame {
  /** Rows that pass, ascending. */
  readonly kept: Int32Array;
  /** Of every row. */
  readonly sg: Float64Array;
  readonly rsg: Float64Array;
  readonly dsg: Float64Array;
}

/**
 * What rounding of the files moves RSg by: angles with three decimals and an orientation matrix with six. In the alanine refinement of
 * JANA2020 (limit 0.66) the last reflection that passed comes out as 0.66009, the first that did not as 0.66014.
 */
const ROUNDING = 1.5e-4;

/** g of reflections in the lab frame, shape [n, 3], Å⁻¹. */
export function labVectors(ub: Map3<"lab", "hkl">, hkl: Int32Array): Float64Array {
  if (hkl.length % 3 !== 0) fail("bad-shape", { length: hkl.length }, "pass indices as [n, 3] row-major: h0 k0 l0 h1 k1 l1 …");
  const g = new Float64Array(hkl.length);
  for (let i = 0; i < hkl.length; i += 3) g.set(apply(ub, [hkl[i]!, hkl[i + 1]!, hkl[i + 2]!]), i);
  return g;
}

/**
 * Filter of one frame, from Sg at its middle and the range ΔSg that the exposure sweeps.
 * @param ub - a*, b*, c* in columns at the middle of the exposure, lab frame, Å⁻¹
 * @param axis - direction of the tilt axis in the lab frame (only for continuous rotation)
 * @throws bad-value for an orientation that is not finite (NaN angles)
 */
export function filterFrame(
  hkl: Int32Array,
  ub: Map3<"lab", "hkl">,
  beam: Beam,
  exposure: Exposure,
  filter: FrameFilter,
  axis: Vec3<"lab"> = [1, 0, 0],
): FilteredFrame {
  if (!ub.every(Number.isFinite)) fail("bad-value", { ub }, "the orientation of the frame is not finite: look for NaN angles or cell");
  const { rsgMax = Number.POSITIVE_INFINITY, dsgMin = Number.NEGATIVE_INFINITY, sgMax = Number.POSITIVE_INFINITY } = filter;
  const { gMax = Number.POSITIVE_INFINITY } = filter;
  if ([rsgMax, dsgMin, sgMax, gMax].some(Number.isNaN)) fail("bad-value", { ...filter }, "a limit is NaN: leave it out to switch it off");
  const g = labVectors(ub, hkl),
    sg = sgErrors(g, beam);
  const { rsg, dsg } = sgFilter(g, sg, exposure, axis);
  const kept: number[] = [];
  for (let i = 0; i < sg.length; i++)
    if (
      (rsgMax === Number.POSITIVE_INFINITY || rsg[i]! <= rsgMax * (1 + ROUNDING)) &&
      dsg[i]! >= dsgMin &&
      Math.abs(sg[i]!) <= sgMax &&
      Math.hypot(g[3 * i]!, g[3 * i + 1]!, g[3 * i + 2]!) <= gMax
    )
      kept.push(i);
  return { kept: Int32Array.from(kept), sg, rsg, dsg };
}
