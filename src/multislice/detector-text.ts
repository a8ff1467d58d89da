import { fail } from "../core/errors.js";
import type { Detector } from "./detectors.js";

/**
 * Detectors from text, limits in mrad, comma between them:
 *   `BF:0-20` annular, `DPC:5-20/4` in four sectors, `rings:0-100+2` rings of 2 mrad, `CoM:40` centre of mass within 40 mrad.
 * @throws bad-value
 */
export function detectorsFromText(text: string): Detector[] {
  return text.split(",").map((part): Detector => {
    const m = /^\s*([^:]+?)\s*:\s*([\d.]+)(?:\s*-\s*([\d.]+)(?:\s*([/+])\s*([\d.]+))?)?\s*$/.exec(part),
      [first, last, extra] = [2, 3, 5].map((i) => (m?.[i] === undefined ? undefined : Number(m[i])));
    if (!m || [first, last, extra].some((v) => v !== undefined && !Number.isFinite(v)))
      return fail(
        "bad-value",
        { detector: part },
        "detectors are named with their limits in mrad: BF:0-20, DPC:5-20/4 (sectors), rings:0-100+2 (steps), CoM:40 (centre of mass)",
      );
    const name = m[1]!;
    if (last === undefined) return { kind: "centerOfMass", name, maxMrad: first };
    const limits = { innerMrad: first!, outerMrad: last };
    if (extra === undefined) return { kind: "annular", name, ...limits };
    return m[4] === "/" ? { kind: "segmented", name, ...limits, sectors: extra } : { kind: "radial", name, ...limits, stepMrad: extra };
  });
}
