import type { FrameGeometry, Instrument } from "../geometry/index.js";
import { differenceVectors } from "./difference-vectors.js";
import { indexVectors } from "./index-lattice.js";
import { type FoundLattice, findLattice } from "./lattice.js";
import { type FramedPositions, nominalFrames, sampleVectors } from "./peaks3d-vectors.js";

/** One sense of rotation, tried. */
export interface SenseTrial {
  /** Tilt-axis position that makes the given angles right-handed, degrees in [0, 360). */
  readonly omegaDeg: number;
  readonly lattice: FoundLattice | undefined;
  /** Fraction of the maxima on the lattice and their root mean square distance from it, Å⁻¹. */
  readonly fraction: number;
  readonly rms: number;
}

/** Both senses of rotation about one line, compared by how well a lattice explains the maxima. */
export interface RotationSense {
  readonly best: SenseTrial;
  readonly other: SenseTrial;
  /** +1 when the given ω has the right sense, −1 when it must be turned by 180°. */
  readonly sense: 1 | -1;
  /** False when the Ewald sphere is too flat, or the data too poor, to tell: the two fits differ by less than 3 %. */
  readonly decisive: boolean;
}

/** Frames at ω, then the same line with the opposite sense; angles as given. */
export function rotationSense(
  maxima: FramedPositions & { readonly intensity: Float64Array },
  instrument: Instrument,
  alphaDeg: ArrayLike<number>,
  omegaDeg: number,
): RotationSense {
  const a = senseTrial(maxima, instrument, nominalFrames(alphaDeg, omegaDeg), omegaDeg),
    b = senseTrial(maxima, instrument, nominalFrames(alphaDeg, omegaDeg + 180), omegaDeg + 180);
  // A lattice that explains more, more exactly: the indexed share discounted by the distances, in units of the worse of the two.
  const scale = Math.max(a.rms || 0, b.rms || 0) || 1;
  const merit = (t: SenseTrial): number => (t.lattice ? t.fraction * (1 - (0.5 * t.rms) / scale) : 0);
  const [ma, mb] = [merit(a), merit(b)];
  const [best, other] = ma >= mb ? [a, b] : [b, a];
  return { best, other, sense: ma >= mb ? 1 : -1, decisive: Math.abs(ma - mb) > 0.03 * Math.max(ma, mb) };
}

function senseTrial(
  maxima: FramedPositions & { readonly intensity: Float64Array },
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  omegaDeg: number,
): SenseTrial {
  const r = strongestFirst(sampleVectors(maxima, instrument, frames), maxima.intensity);
  const lattice = findLattice(r, differenceVectors(r));
  const found = lattice ? indexVectors(r, lattice.ub) : undefined;
  return { omegaDeg: ((omegaDeg % 360) + 360) % 360, lattice, fraction: found?.fraction ?? 0, rms: found?.rms ?? Number.NaN };
}

/** The vectors by falling intensity. */
export function strongestFirst(r: Float64Array, intensity: Float64Array): Float64Array {
  const order = Array.from(intensity.keys()).sort((a, b) => intensity[b]! - intensity[a]! || a - b);
  const out = new Float64Array(r.length);
  order.forEach((i, k) => {
    out.set(r.subarray(3 * i, 3 * i + 3), 3 * k);
  });
  return out;
}
