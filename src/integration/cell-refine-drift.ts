import type { FrameGeometry, Instrument } from "../geometry/index.js";
import { positionModel } from "./cell-refine-model.js";
import { indexVectors, type Orientation } from "./index-lattice.js";
import type { PeakTable } from "./peak-table.js";
import { sampleVectors, spotPositions } from "./peaks3d-vectors.js";

export interface DriftOptions {
  /** Half width of the running mean over frames. */
  readonly halfWidth?: number;
  readonly tolerance?: number;
}

/**
 * Centre of every frame from the indexed spots: the weighted mean of observed − calculated positions of the frame and its neighbours
 * (triangular window; the two coordinates separately; residuals beyond 3 robust σ left out). A frame without spots takes its neighbours'.
 */
export function latticeCentreDrift(
  peaks: PeakTable,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  { halfWidth = 6, tolerance = 0.3 }: DriftOptions = {},
): readonly FrameGeometry[] {
  const found = indexVectors(sampleVectors(spotPositions(peaks), instrument, frames), ub, { tolerance });
  const data = {
    size: peaks.size,
    px: peaks.px,
    py: peaks.py,
    frame: peaks.frame,
    hkl: found.hkl,
    atCondition: new Uint8Array(peaks.size),
  };
  const model = positionModel(data, { kind: "free", ub }, instrument, frames);
  const r = new Float64Array(3 * peaks.size);
  model.residuals(model.start, r);
  const d = instrument.detector,
    scale = d.invAngstromPerPixel;
  const sums = new Float64Array(3 * frames.length);
  const size = Array.from(r.keys())
    .filter((i) => i % 3 < 2 && found.indexed[(i / 3) | 0])
    .map((i) => Math.abs(r[i]!))
    .sort((a, b) => a - b); // prettier-ignore
  const cut = 3 * 1.4826 * (size[size.length >> 1] ?? 0);
  for (let i = 0; i < peaks.size; i++) {
    const x = -r[3 * i]!,
      y = -r[3 * i + 1]!;
    if (!found.indexed[i] || Math.abs(x) > cut || Math.abs(y) > cut) continue;
    const f = 3 * peaks.frame[i]!;
    sums[f]! += 1;
    sums[f + 1]! += (x * d.fast[0] + y * d.fast[1]) / scale;
    sums[f + 2]! += (x * d.slow[0] + y * d.slow[1]) / scale;
  }
  return frames.map((frame, f) => {
    let w = 0,
      sx = 0,
      sy = 0;
    for (let width = halfWidth; w === 0 && width < 2 * frames.length; width *= 2)
      for (let k = Math.max(0, f - width); k <= Math.min(frames.length - 1, f + width); k++) {
        const t = 1 - Math.abs(k - f) / (width + 1);
        w += t * sums[3 * k]!;
        sx += t * sums[3 * k + 1]!;
        sy += t * sums[3 * k + 2]!;
      }
    const c = frame.centrePx ?? d.centrePx;
    return { ...frame, centrePx: w > 0 ? ([c[0] + sx / w, c[1] + sy / w] as const) : c };
  });
}
