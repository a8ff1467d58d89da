/** Scattering: electron form factors, absorptive factors, structure factors and their units. */

export type { AbsorptiveFactor, AbsorptiveSource } from "./absorptive.js";
export { birdKingAbsorptive, birdKingDamped, thomasAbsorptive } from "./absorptive.js";
export type { FormFactor, FormFactorSource } from "./form-factor.js";
export { ignoreCharge, ionFactor, neutralFactor } from "./form-factor.js";
export type { GaussianFit } from "./gaussian-fit.js";
export { fitGaussians } from "./gaussian-fit.js";
export { kirkland } from "./kirkland.js";
export { lobato, lobatoXray } from "./lobato.js";
export { peng1996, peng1996LowAngle, peng1998 } from "./peng.js";
export type { AtomPotential } from "./real-space.js";
export { kirklandPotential, lobatoPotential } from "./real-space.js";
export { absorptiveStructureFactors, structureFactors } from "./structure-factors.js";
export { mottBetheConstant, potentialUg, potentialVolts, voltPerStructureFactor } from "./units.js";
export { weickenmeierKohl } from "./weickenmeier-kohl.js";
export type { XrayFactor } from "./xray.js";
export { electronFromXray, internationalTables, mottBethe, waasmaierKirfel } from "./xray.js";
