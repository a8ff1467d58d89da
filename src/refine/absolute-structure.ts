import { fail } from "../core/errors.js";
import { normalCdf } from "../numerics/erf.js";
import { amplitudes, type WeightOptions } from "./amplitudes.js";

/** Which of two models (a structure and its mirror image) the data prefer. */
export interface AbsoluteStructure {
  /** Reflections nearer to model A, of all that tell the two apart. */
  readonly nearerA: number;
  readonly total: number;
  /** z = (N_A − N/2)/(√N/2): standard deviations of the number from what a coin would give. Positive for A. */
  readonly z: number;
  /** Probability of a count this far on A's side if the models were equally good. */
  readonly chance: number;
  readonly rA: number;
  readonly rB: number;
  readonly wrA: number;
  readonly wrB: number;
}

/**
 * z-score of absolute structure: count the reflections whose measured amplitude lies nearer to model A than to model B (both refined
 * against the same list). Equal distances do not count.
 * @param calculatedA - intensities of model A on the scale of the data, shape [n]; B alike
 * @throws bad-shape
 * @see Klar et al., Nat. Chem. 15 (2023) 848–855; CIF item _refine_ls.abs_structure_z-score
 */
export function absoluteStructure(
  measured: Float64Array,
  sigma: Float64Array,
  calculatedA: Float64Array,
  calculatedB: Float64Array,
  options: WeightOptions & { readonly observedOnly?: boolean } = {},
): AbsoluteStructure {
  const n = measured.length;
  if (calculatedA.length !== n || calculatedB.length !== n)
    fail("bad-shape", { measured: n, a: calculatedA.length, b: calculatedB.length }, "one value of each model per measured intensity");
  const a = amplitudes(measured, sigma, options);
  let nearerA = 0,
    total = 0,
    sum = 0,
    dA = 0,
    dB = 0,
    wA = 0,
    wB = 0,
    ws = 0;
  for (let i = 0; i < n; i++) {
    const w = a.weight[i]!;
    if (!(w > 0) || (options.observedOnly && !a.observed[i])) continue;
    const p = Math.abs(a.f[i]! - Math.sqrt(Math.max(0, calculatedA[i]!))),
      q = Math.abs(a.f[i]! - Math.sqrt(Math.max(0, calculatedB[i]!)));
    sum += a.f[i]!;
    ws += w * a.f[i]! ** 2;
    dA += p;
    dB += q;
    wA += w * p * p;
    wB += w * q * q;
    if (p === q) continue;
    total++;
    if (p < q) nearerA++;
  }
  const z = total > 0 ? (nearerA - total / 2) / (Math.sqrt(total) / 2) : 0;
  return { nearerA, total, z, chance: 1 - normalCdf(z), rA: dA / sum, rB: dB / sum, wrA: Math.sqrt(wA / ws), wrB: Math.sqrt(wB / ws) };
}
