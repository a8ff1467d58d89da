/** Gaussian of unit area, by standard deviation. */
export function gaussian(x: number, sigma: number): number {
  return Math.exp(-0.5 * (x / sigma) ** 2) / (sigma * Math.sqrt(2 * Math.PI));
}
/** Lorentzian of unit area, by half width at half maximum. */
export function lorentzian(x: number, hwhm: number): number {
  return hwhm / (Math.PI * (x * x + hwhm * hwhm));
}
/** Pseudo-Voigt profile of unit area: share `eta` of Lorentzian, the rest Gaussian, both of the full width at half maximum `fwhm`. */
export function pseudoVoigt(x: number, fwhm: number, eta: number): number {
  return eta * lorentzian(x, fwhm / 2) + (1 - eta) * gaussian(x, fwhm / (2 * Math.sqrt(2 * Math.LN2)));
}
/**
 * Width and mixing of the pseudo-Voigt nearest to a Voigt profile of the given Gaussian and Lorentzian full widths.
 * @see Thompson, Cox & Hastings (1987) J. Appl. Cryst. 20, 79, doi:10.1107/S0021889887087090
 */
export function voigtWidths(gaussFwhm: number, lorentzFwhm: number): { readonly fwhm: number; readonly eta: number } {
  const g = gaussFwhm,
    l = lorentzFwhm;
  const fwhm =
    (g ** 5 + 2.69269 * g ** 4 * l + 2.42843 * g ** 3 * l ** 2 + 4.47163 * g ** 2 * l ** 3 + 0.07842 * g * l ** 4 + l ** 5) ** 0.2;
  const r = l / fwhm;
  return { fwhm, eta: 1.36603 * r - 0.47719 * r * r + 0.11116 * r ** 3 };
}
