/**
 * SHELXL's extinction: Fc* = k y Fc with y = [1 + 0.001 x Fc² λ³/sin 2θ]^(−1/4). In kinematical electron refinements it is a crude
 * allowance for dynamical scattering; F in Å as everywhere here.
 * @see Sheldrick, Acta Cryst. C71 (2015) 3–8; Larson in Crystallographic Computing (1970) 291
 */
export function extinctionY(x: number, f2: number, geometry: number): number {
  return (1 + x * geometry * f2) ** -0.25;
}
/** 0.001 λ³/sin 2θ of a reflection with 1/d = g, Å³. */
export function extinctionGeometry(wavelength: number, g: number): number {
  const st = Math.min(1, (wavelength * g) / 2);
  const s2 = 2 * st * Math.sqrt(1 - st * st);
  return s2 > 0 ? (0.001 * wavelength ** 3) / s2 : 0;
}
/** d(yF)/dF and d(yF)/dx at F = √f2. */
export function extinctionDerivatives(x: number, f2: number, geometry: number): { readonly byF: number; readonly byX: number } {
  const t = x * geometry * f2,
    y = (1 + t) ** -0.25;
  return { byF: y * (1 - (0.5 * t) / (1 + t)), byX: (-0.25 * geometry * f2 * Math.sqrt(f2) * y) / (1 + t) };
}
