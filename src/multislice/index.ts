/** Multislice: atoms in a box, potentials, waves, detectors and scans. */

export type { Aberrations, AberrationTerm } from "./aberrations.js";
export { aberrationCartesian, aberrationGradient, aberrationPhase, aberrationPolar, aberrationTerms, scherzer } from "./aberrations.js";
export type { Aperture } from "./aperture.js";
export { apertureOn, outerAngle } from "./aperture.js";
export type { AtomModel, AtomModelInput } from "./atoms.js";
export { atomModel, boxAxes, modelFormula, thicknessOf } from "./atoms.js";
export { atomsFromStructure, repeatAtoms, takeAtoms, wrapAtoms } from "./atoms-build.js";
export type { Overlap } from "./atoms-check.js";
export { checkAtoms, overlaps } from "./atoms-check.js";
export type { CutOptions, Inside, Padding } from "./atoms-cut.js";
export { cutCrystal, filterAtoms, joinAtoms, padAtoms } from "./atoms-cut.js";
export type { FromXyzOptions } from "./atoms-files.js";
export { atomsFromComputem, atomsFromXyz, atomsToXyz, snapshotsFromXyz } from "./atoms-files.js";
export type { Crystal, OrientedAtoms, OrientOptions } from "./atoms-orient.js";
export { crystalRotation, orientedAtoms } from "./atoms-orient.js";
export type { Facet, FacetEnergy, FacetLayers, HalfSpace, ParticleOptions, Polyhedron } from "./atoms-particle.js";
export { layeredShape, nanoparticle, polyhedron, wulffShape } from "./atoms-particle.js";
export type { Dislocation, DisplacementField } from "./atoms-strain.js";
export { dislocation, displaceAtoms, sphericalMisfit, sumFields, uniformStrain } from "./atoms-strain.js";
export type { PatternOptions, PatternResult } from "./cbed.js";
export { diffractionSteps } from "./cbed.js";
export type { Ensemble } from "./coherence.js";
export { focalEnsemble, focalSpreadOf, spatialEnvelope, temporalEnvelope, tiltEnsemble } from "./coherence.js";
export type { DetectorBlur } from "./detector-geometry.js";
export type { Reading } from "./detector-read.js";
export { readDetectors } from "./detector-read.js";
export { detectorsFromText } from "./detector-text.js";
export type {
  AnnularDetector,
  Axis,
  CenterOfMassDetector,
  CompiledDetector,
  CompiledDetectors,
  Detector,
  PixelatedDetector,
  RadialDetector,
  SegmentedDetector,
} from "./detectors.js";
export { compileDetectors } from "./detectors.js";
export type { Wave, WaveGrid } from "./grid.js";
export {
  antialiasAperture,
  antialiasCutoff,
  goodGridSize,
  gridArea,
  gridOfSampling,
  maxAngle,
  nyquist,
  reciprocalGrid,
  reciprocalVectors,
  signedIndex,
  waveGrid,
} from "./grid.js";
export type { HrtemOptions, HrtemResult } from "./hrtem.js";
export { hrtem, hrtemSteps } from "./hrtem.js";
export type { ScanImage, ScanSteps } from "./measurements.js";
export { integratedCenterOfMass, poissonDose, sourceBlur, sumRings } from "./measurements.js";
export type { MemoryEstimate, MemoryQuestion } from "./memory.js";
export { checkMemory, multisliceMemory } from "./memory.js";
export { patternImage, patternTotals } from "./pattern.js";
export type { PhononOptions, Snapshots } from "./phonons.js";
export { frozenPhonons, givenSnapshots, still } from "./phonons.js";
export type { PotentialOptions, PotentialPlan } from "./potential.js";
export { potentialPlan } from "./potential.js";
export { ionNames } from "./potential-factors.js";
export type { SampledPotentialOptions } from "./potential-sampled.js";
export { sampledPotential } from "./potential-sampled.js";
export type { PotentialVolume } from "./potential-volume.js";
export { potentialVolume, projectedCharge } from "./potential-volume.js";
export type { PrismOptions, PrismPlan } from "./prism.js";
export { prismPlan } from "./prism.js";
export type { ProbeOptions, ProbePlan } from "./probe.js";
export { planeWave, probeAmplitude, probePlan, probeRadius, transferFunction } from "./probe.js";
export type { MultisliceOptions, MultislicePlan, OnSlice } from "./propagate.js";
export { multislicePlan } from "./propagate.js";
export type { PropagatorOptions } from "./propagator.js";
export { precessionTilts, propagator } from "./propagator.js";
export { enlargeAtoms, samplingForAngle } from "./scan-box.js";
export type { CheckpointStore, ScanState } from "./scan-checkpoint.js";
export type { ScanMemory, ScanPlan, ScanSetup, WeightedProbe } from "./scan-plan.js";
export { planScan } from "./scan-plan.js";
export type { Scan, ScanPositions } from "./scan-positions.js";
export { gridScan, scanPositions } from "./scan-positions.js";
export type { PatternSink, PatternStream, ScanOptions, ScanReading, ScanResult } from "./scan-result.js";
export { runScan } from "./scan-run.js";
export { cubeGeometry, patternSink } from "./scan-sinks.js";
export type { Slices } from "./slicing.js";
export { planeSlices, restSlices, sliceOfAtoms, slices } from "./slicing.js";
export type { CrystalBox, CrystalBoxOptions, StemImage, StemOptions } from "./stem.js";
export { crystalBox, describeScan, stemImages, stemSetup } from "./stem.js";
export type { Triple } from "./vectors.js";
