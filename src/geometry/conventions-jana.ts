import { fail } from "../core/errors.js";
import type { M42 } from "../io/jana/m42.js";
import type { Exposure, FrameGeometry } from "./experiment.js";
import type { OrientationMatrix } from "./orientation.js";

/** Zones of a JANA2020 project in our terms. UB, α and β are those of PETS2 and so ours; ω is not kept by JANA and does not change Sg. */
export interface FromJana {
  readonly ub: OrientationMatrix;
  /** One per zone, in the order of the file. `scale` is JANA's amplitude scale, squared: it multiplies intensities. */
  readonly frames: readonly FrameGeometry[];
  readonly exposures: readonly Exposure[];
}

/**
 * Orientation, frames and exposures of an m42 file.
 * @param kind - what phi means: half the width of a frame of continuous rotation, or the precession semi-angle (the file does not say)
 * @throws bad-file when the file has no `ormat`
 */
export function fromJana(m42: M42, kind: "continuous" | "precession"): FromJana {
  if (m42.ub === undefined) fail("bad-file", { zones: m42.zones.length }, "the m42 file has no ormat block, so its zones cannot be placed");
  return {
    ub: m42.ub as unknown as OrientationMatrix,
    frames: m42.zones.map((z) => ({ alphaDeg: z.alphaDeg, betaDeg: z.betaDeg, omegaDeg: 0, scale: z.scale ** 2 })),
    exposures: m42.zones.map((z) => (kind === "continuous" ? { kind, halfWidthDeg: z.phiDeg } : { kind, semiAngleDeg: z.phiDeg })),
  };
}
