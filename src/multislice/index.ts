/** Multislice: atoms in a box, potentials, waves, detectors and scans. */

export type { AtomModel, AtomModelInput } from "./atoms.js";
export { atomModel, boxAxes, modelFormula, thicknessOf } from "./atoms.js";
export { atomsFromStructure, repeatAtoms, takeAtoms, wrapAtoms } from "./atoms-build.js";
