import { type DensityMap, densityMap } from "./density.js";
import type { PhasingData } from "./prepare.js";

/**
 * Map of the coefficients `weight(|Fo|, |Fc|)` · exp(iφc), reflections on primitive axes with the model's origin: (Fo − Fc) shows what a model lacks, 2Fo − Fc what it is.
 * @param calculated - k·Fc, complex interleaved, shape [size, 2]
 * @param weight - row by row; the row's number comes third
 */
export function modelMap(data: PhasingData, calculated: Float64Array, weight: (fo: number, fc: number, row: number) => number): DensityMap {
  const amplitude = new Float64Array(data.size),
    phase = new Float64Array(data.size);
  for (let i = 0; i < data.size; i++) {
    const re = calculated[2 * i]!,
      im = calculated[2 * i + 1]!;
    amplitude[i] = weight(Math.sqrt(Math.max(0, data.intensity[i]!)), Math.hypot(re, im), i);
    phase[i] = Math.atan2(im, re);
  }
  return densityMap(data, amplitude, phase);
}
