/** Bloch waves: dynamical intensities of electrons in a crystal, and their derivatives. */

export type { BeamPool, BeamSelection, SelectedBeams } from "./beams.js";
export { beamPool, selectBeams, twoKs } from "./beams.js";
export type { Incidence } from "./incidence.js";
export { incidence, incidenceFromLab, incidenceOnZone, refracted } from "./incidence.js";
export type { Absorption, CrystalPotential, PotentialOptions } from "./potential.js";
export { crystalPotential, potentialAt } from "./potential.js";
export { inversionCentre } from "./potential-origin.js";
export type { PropagateOptions } from "./propagate.js";
export { propagate } from "./propagate.js";
export type { BlochEigen } from "./propagate-dense.js";
export { blochEigen } from "./propagate-dense.js";
export type { MatrixOptions, StructureMatrix } from "./structure-matrix.js";
export { structureMatrix } from "./structure-matrix.js";
export type { ThicknessModel, ThicknessNodes } from "./thickness.js";
export { meanThickness, thicknessNodes } from "./thickness.js";
export { characteristic, closedFormAverage } from "./thickness-closed.js";
export type { TwoBeam, TwoBeamIntensities } from "./two-beam.js";
export { extinctionDistance, twoBeamIntensities } from "./two-beam.js";
export type { BlochWaves, SolverName } from "./waves.js";
export { blochFlux, blochIntensities } from "./waves.js";
