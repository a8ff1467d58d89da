import { fail } from "../core/errors.js";

/** A two-beam situation; lengths in Å, s in Å⁻¹. Absorption lengths ξ' are infinite when not given. */
export interface TwoBeam {
  readonly extinctionDistance: number;
  readonly s: number;
  readonly thickness: number;
  /** ξ'_g = K_n/|U'_g|. */
  readonly absorptionLength?: number | undefined;
  /** ξ'_0 = K_n/U'_0. */
  readonly meanAbsorptionLength?: number | undefined;
}
export interface TwoBeamIntensities {
  readonly transmitted: number;
  readonly diffracted: number;
}

/**
 * Closed form of two beams: dψ/dt = 2πi [[i/2ξ'₀, w], [w, s + i/2ξ'₀]] ψ with w = (1/ξ + i/ξ')/2.
 * Without absorption I_g = sin²(πt√(s² + 1/ξ²))/(1 + (sξ)²).
 * @throws out-of-range for lengths that are not positive, bad-value for NaN
 * @see Hirsch et al., Electron Microscopy of Thin Crystals (1977), ch. 8 and 9
 */
export function twoBeamIntensities(x: TwoBeam): TwoBeamIntensities {
  const {
    extinctionDistance,
    s,
    thickness,
    absorptionLength = Number.POSITIVE_INFINITY,
    meanAbsorptionLength = Number.POSITIVE_INFINITY,
  } = x;
  if (!Number.isFinite(s)) fail("bad-value", { s }, "the excitation error is a finite number, in Å⁻¹");
  for (const [name, value] of Object.entries({ extinctionDistance, absorptionLength, meanAbsorptionLength }))
    if (!(value > 0)) fail("out-of-range", { [name]: value }, "lengths are positive, in Å");
  if (!(thickness >= 0 && Number.isFinite(thickness))) fail("out-of-range", { thickness }, "the thickness is a positive number, in Å");
  const a = 1 / extinctionDistance,
    b = 1 / absorptionLength;
  // Around s/2 the matrix is traceless with square q² = s²/4 + w²: exp(2πit·) = cos(2πtq) + i sin(2πtq)/q · [[−s/2, w], [w, s/2]].
  const [qr, qi] = complexRoot((s * s + a * a - b * b) / 4, (a * b) / 2);
  const zr = 2 * Math.PI * thickness * qr,
    zi = 2 * Math.PI * thickness * qi;
  const cr = Math.cos(zr) * Math.cosh(zi),
    ci = -Math.sin(zr) * Math.sinh(zi);
  const sr = Math.sin(zr) * Math.cosh(zi),
    si = Math.cos(zr) * Math.sinh(zi);
  const q2 = qr * qr + qi * qi;
  // sin(z)/q, with its limit 2πt at q = 0
  const fr = q2 === 0 ? 2 * Math.PI * thickness : (sr * qr + si * qi) / q2,
    fi = q2 === 0 ? 0 : (si * qr - sr * qi) / q2;
  const decay = Math.exp((-2 * Math.PI * thickness) / meanAbsorptionLength);
  const tr = cr + (s / 2) * fi,
    ti = ci - (s / 2) * fr;
  const gr = (a * fr - b * fi) / 2,
    gi = (a * fi + b * fr) / 2;
  return { transmitted: decay * (tr * tr + ti * ti), diffracted: decay * (gr * gr + gi * gi) };
}

function complexRoot(re: number, im: number): [number, number] {
  const size = Math.hypot(re, im);
  const a = Math.sqrt((size + Math.abs(re)) / 2);
  if (a === 0) return [0, 0];
  return re >= 0 ? [a, im / (2 * a)] : [Math.abs(im) / (2 * a), im < 0 ? -a : a];
}

/** Extinction distance ξ_g = K_n/|U_g|, Å; infinite where U_g is zero. Independent of whether ξ is written with K cosθ or K_n within (θ²). */
export function extinctionDistance(kn: number, ug: readonly [number, number]): number {
  return kn / Math.hypot(ug[0], ug[1]);
}
