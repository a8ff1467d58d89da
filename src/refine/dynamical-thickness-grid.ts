import { meanThickness, type ThicknessModel } from "../bloch/thickness.js";
import { fail } from "../core/errors.js";

/** wR on F of one distribution with one tilt correction, over its largest thickness. */
export interface ThicknessCurve {
  readonly model: ThicknessModel;
  readonly tiltCorrection: number;
  readonly thickness: Float64Array;
  readonly wr: Float64Array;
}

/** Where a curve is lowest. */
export function bestOfCurve({ model, tiltCorrection, thickness, wr }: ThicknessCurve) {
  const j = wr.reduce((p, v, i) => (v < wr[p]! ? i : p), 0);
  return { model, tiltCorrection, thickness: thickness[j]!, wr: wr[j]! };
}

export const bothShapes: readonly ThicknessModel[] = [{ kind: "plate" }, { kind: "wedge" }];
/** The thicknesses at which every distribution is looked at, and the depths that this takes. @throws out-of-range */
export function thicknessGrids(
  models: readonly ThicknessModel[],
  tilts: readonly number[],
  longest: (tiltCorrection: number) => number,
  {
    near,
    range = [50, 2000, 25],
  }: { readonly near?: number | undefined; readonly range?: readonly [from: number, to: number, step: number] | undefined },
) {
  if (near !== undefined && !(near > 0 && Number.isFinite(near)))
    fail("out-of-range", { thickness: near }, "a thickness is a positive number, in Å");
  const thinnest = Math.min(...models.map(meanThickness)),
    [from, to, step] = near === undefined ? range : [0.75 * near, (1.25 * near) / thinnest, Math.min(25, near / 20)];
  if (!(from > 0 && to >= from && step > 0))
    fail("out-of-range", { range: [from, to, step] }, "the range of thicknesses is [from, to, step] in Å, from above 0");
  const all = Float64Array.from({ length: Math.floor((to - from) / step + 1e-9) + 1 }, (_, i) => from + i * step);
  const deepest = near === undefined ? to : to * Math.max(1, ...tilts.map(longest));
  const curves = models.flatMap((model) =>
    tilts.map((tiltCorrection) => {
      const most = Math.min(deepest / longest(tiltCorrection), near === undefined ? to : (1.25 * near) / meanThickness(model)) * (1 + 1e-9);
      return { model, tiltCorrection, thickness: all.filter((t) => t <= most) };
    }),
  );
  return { deepest, step, curves: curves.filter((c) => c.thickness.length > 0) };
}
