import { type FrameGeometry, type Instrument, peaksToReciprocal } from "../geometry/index.js";
import { poseAt } from "./cell-refine-model.js";
import type { PeakTable } from "./peak-table.js";

/** Anything with positions on (fractional) frames. */
export interface FramedPositions {
  readonly size: number;
  readonly px: Float64Array;
  readonly py: Float64Array;
  readonly frame: ArrayLike<number>;
}

/**
 * Diffraction vectors in the sample frame, Å⁻¹, [n, 3], of spots or 3-D maxima taken to lie on the Ewald sphere. At a fractional frame
 * the geometry is interpolated, so a rocking centroid between two frames gets the angle between theirs.
 */
export function sampleVectors(spots: FramedPositions, instrument: Instrument, frames: readonly FrameGeometry[]): Float64Array {
  const pixels = new Float64Array(2 * spots.size);
  const own: FrameGeometry[] = [];
  for (let i = 0; i < spots.size; i++) {
    pixels[2 * i] = spots.px[i]!;
    pixels[2 * i + 1] = spots.py[i]!;
    const [alphaDeg, betaDeg, omegaDeg, cx, cy, magnification] = poseAt(frames, instrument, spots.frame[i]!);
    own.push({ alphaDeg: alphaDeg!, betaDeg: betaDeg!, omegaDeg: omegaDeg!, centrePx: [cx!, cy!], magnification });
  }
  return peaksToReciprocal(pixels, Int32Array.from(own.keys()), instrument, own);
}

/** Frames of a series at nominal angles, with one tilt-axis position. */
export function nominalFrames(alphaDeg: ArrayLike<number>, omegaDeg: number): readonly FrameGeometry[] {
  return Array.from({ length: alphaDeg.length }, (_, i) => ({ alphaDeg: alphaDeg[i]!, betaDeg: 0, omegaDeg }));
}

/** The spots as positions on whole frames. */
export const spotPositions = (peaks: PeakTable): FramedPositions => ({ size: peaks.size, px: peaks.px, py: peaks.py, frame: peaks.frame });
