import { normalCdf } from "../numerics/erf.js";
import type { Exposure, RockingModel } from "./experiment.js";
import { radians } from "./rotation.js";

/** Width of the rocking curve of a reflection at |g|: σ = rcWidth + |g|·mosaicity[rad], Å⁻¹ (measured on PETS2's `.cml` curves). */
export function rockingWidth(model: RockingModel, g: number): number {
  return model.rcWidth + g * radians(model.mosaicityDeg);
}

const fwhmOfSigma = 2 * Math.sqrt(2 * Math.LN2);

/**
 * Bell: pseudo-Voigt of unit area, η·Lorentzian + (1−η)·Gaussian of one full width at half maximum, 2√(2 ln 2)·σ.
 * @returns value at s, Å
 */
export function bell(s: number, sigma: number, lorentzian = 0): number {
  const t = s / sigma;
  const gauss = Math.exp(-0.5 * t * t) / (sigma * Math.sqrt(2 * Math.PI));
  if (lorentzian === 0) return gauss;
  const w = (fwhmOfSigma * sigma) / 2;
  return (1 - lorentzian) * gauss + (lorentzian * w) / (Math.PI * (s * s + w * w));
}

/** Integral of {@link bell} from −∞ to s. */
export function bellIntegral(s: number, sigma: number, lorentzian = 0): number {
  const gauss = normalCdf(s / sigma);
  if (lorentzian === 0) return gauss;
  return (1 - lorentzian) * gauss + lorentzian * (0.5 + Math.atan((2 * s) / (fwhmOfSigma * sigma)) / Math.PI);
}

/**
 * Camel: rocking curve of a precessing beam, (1/2π)∮ bell(s − a·cos ω) dω with a = |g|·sin φ. Two humps near ±a; unit area.
 * The trapezium rule on a periodic smooth function, with points enough for 10 digits of its narrowest feature.
 * @see Palatinus et al., Acta Cryst. B75 (2019) 512
 */
export function camel(s: number, a: number, sigma: number, lorentzian = 0): number {
  let gauss = 0;
  if (lorentzian < 1) {
    const n = 16 + Math.ceil((5 * a) / sigma); // half the circle: cos is even
    for (let i = 0; i <= n; i++) {
      const t = (s - a * Math.cos((Math.PI * i) / n)) / sigma;
      gauss += (i === 0 || i === n ? 0.5 : 1) * Math.exp(-0.5 * t * t);
    }
    gauss /= n * sigma * Math.sqrt(2 * Math.PI);
  }
  return lorentzian === 0 ? gauss : (1 - lorentzian) * gauss + lorentzian * lorentzianRing(s, a, (fwhmOfSigma * sigma) / 2);
}

/** (1/2π)∮ L(s − a cos ω) dω in closed form: −Im 1/(π√(z² − a²)) with z = s + iw, the root whose sign makes it positive. */
function lorentzianRing(s: number, a: number, w: number): number {
  const re = s * s - w * w - a * a,
    im = 2 * s * w;
  const m = Math.hypot(re, im);
  // √(re + i·im) = p + iq, −Im(1/(p + iq)) = q/(p² + q²); q by the formula that does not cancel
  const q = re > 0 ? Math.abs(im) / (2 * Math.sqrt((m + re) / 2)) : Math.sqrt((m - re) / 2);
  return q / (m * Math.PI);
}

/**
 * Mean of the rocking curve over one exposure: the recorded intensity of a reflection is its integrated intensity (over Sg, per unit
 * of exposure) times this weight. Static: the bell at Sg. Continuous: the bell averaged over Sg ± ΔSg. Precession: the camel.
 * @param sg - excitation error at the middle of the exposure, Å⁻¹
 * @param halfRange - ΔSg of the exposure, Å⁻¹; see {@link excitationHalfRange}
 * @param sigma - width of the bell, Å⁻¹; see {@link rockingWidth}
 * @returns weight, Å
 */
export function rockingWeight(sg: number, halfRange: number, sigma: number, kind: Exposure["kind"], lorentzian = 0): number {
  if (kind === "static" || halfRange < 1e-6 * sigma) return bell(sg, sigma, lorentzian);
  if (kind === "precession") return camel(sg, halfRange, sigma, lorentzian);
  if (halfRange < 0.02 * sigma) {
    // the difference of two integrals would cancel: the mean of a parabola over ±Δ (Simpson) is exact to (Δ/σ)⁴
    return (bell(sg - halfRange, sigma, lorentzian) + 4 * bell(sg, sigma, lorentzian) + bell(sg + halfRange, sigma, lorentzian)) / 6;
  }
  const s = -Math.abs(sg); // the tail where the integral is small and does not cancel
  return (bellIntegral(s + halfRange, sigma, lorentzian) - bellIntegral(s - halfRange, sigma, lorentzian)) / (2 * halfRange);
}

/** Fraction of the integrated intensity of a reflection that one continuous exposure records, 0 to 1: 2ΔSg times the weight. */
export function partiality(sg: number, halfRange: number, sigma: number, lorentzian = 0): number {
  return 2 * halfRange * rockingWeight(sg, halfRange, sigma, "continuous", lorentzian);
}
