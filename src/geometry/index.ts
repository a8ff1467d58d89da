export type { Adp } from "./adp.js";
export { betaFromU, bFromU, cartesianAdp, equivalentU, isotropicAdp, isPositiveAdp, uFromB, uFromBeta } from "./adp.js";
export type { AsuMap, AsuReflection } from "./asu.js";
export { asuPosition, asuReflection, asuReflections } from "./asu.js";
export type { Beam } from "./beam.js";
export { beam, beamFromWavelength, electronWavelength, incidentWaveVector, voltageFromWavelength } from "./beam.js";
export type { BravaisCandidate, BravaisOptions, BravaisType, CrystalSystem } from "./bravais.js";
export { bravaisCandidates } from "./bravais.js";
export type { CellParameters, UnitCell } from "./cell.js";
export { cellDifference, cellParameters, unitCell } from "./cell.js";
export { constants, electronRestEnergyEv } from "./constants.js";
export type { FromDials } from "./conventions-dials.js";
export { fromDials, panelOf, predictDials, toDials } from "./conventions-dials.js";
export { abtemFromLab, py4dstemFromLab } from "./conventions-frames.js";
export type { FromJana } from "./conventions-jana.js";
export { fromJana } from "./conventions-jana.js";
export type { FromPets, FromPetsOptions } from "./conventions-pets.js";
export { fromPets } from "./conventions-pets.js";
export type { XdsGeometry } from "./conventions-xds.js";
export { fromXds, toXds } from "./conventions-xds.js";
export type { DelaunayReduction } from "./delaunay.js";
export { delaunayCell } from "./delaunay.js";
export type { Detector, DetectorOptions, Projection, Vec2 } from "./detector.js";
export { cameraDistanceMm, convertPixels, detector, invAngstromPerPixel, pixelOrigin } from "./detector.js";
export type { Panel } from "./detector-panel.js";
export { panelDistanceMm, panelPixel, panelPoint } from "./detector-panel.js";
export type { Distortion, DistortionParameter } from "./distortion.js";
export {
  distortionFromVector,
  distortionGradient,
  distortionJacobian,
  distortionParameters,
  distortionVector,
  distortPoint,
  distortPoints,
  noDistortion,
  undistortPoint,
  undistortPoints,
} from "./distortion.js";
export type { Element } from "./elements.js";
export { element, elementOfLabel, parseAtomType } from "./elements.js";
export { excitationErrors, sgErrors } from "./ewald.js";
export type { SgFilter } from "./excitation.js";
export { excitationHalfRange, sgFilter } from "./excitation.js";
export type { Exposure, FrameGeometry, Instrument, RockingModel } from "./experiment.js";
export type { ReflectionCondition } from "./extinctions.js";
export { epsilonFactor, equivalents, isAbsent, isCentric, isCentringAbsent, reflectionConditions } from "./extinctions.js";
export { cellFromCif, spaceGroupFromCif, structureFromCif } from "./from-cif.js";
export { spaceGroupFromM50, structureFromJana } from "./from-jana.js";
export { spaceGroupFromShelx, structureFromShelx, structureToShelx } from "./from-shelx.js";
export type { Goniometer, PetsAngles } from "./goniometer.js";
export {
  goniometerRotation,
  petsAngles,
  petsGoniometer,
  petsRotation,
  petsRotationDerivatives,
  tiltAxisDirection,
} from "./goniometer.js";
export { opsFromHall } from "./hall.js";
export type { LaueCandidate, LaueOptions, MeasuredIntensities, MergingFigures } from "./laue.js";
export { laueCandidates, laueGroupsOf, mergingFigures, operationScores } from "./laue.js";
export type { Fractional, Hkl, Mat3 } from "./metric.js";
export {
  angleDeg,
  cartesianToFractional,
  cellFromMetric,
  cellFromUB,
  directBasis,
  directionNormalAngleDeg,
  dSpacing,
  dStar,
  fractionalToCartesian,
  metricTensor,
  reciprocalBasis,
  reciprocalCell,
  reciprocalMetric,
  transformCell,
  transformFractional,
  transformHkl,
  transformUB,
} from "./metric.js";
export type { NiggliOptions } from "./niggli.js";
export { niggliCell } from "./niggli.js";
export type { OrientationMatrix } from "./orientation.js";
export { misorientation, orientationOf, reciprocalBasisDerivatives, ubMatrix, ubMisorientation } from "./orientation.js";
export { petsCellProblem } from "./pets-cell.js";
export { peaksToReciprocal, pixelsToReciprocal, reciprocalToPixels } from "./pixels.js";
export type { LatticeOptions, LatticePoints, PredictedSpots, PredictOptions } from "./predict.js";
export { latticePoints, predictSpots } from "./predict.js";
export type { PredictionJacobian, PredictionParameter } from "./predict-derivatives.js";
export { predictionJacobian } from "./predict-derivatives.js";
export { crossingAngles, diffractedVector } from "./predict-rotation.js";
export type { Reduction } from "./reduction.js";
export type { MergedReflections, MergeOptions, ReflectionList } from "./reflection-list.js";
export { completeness, mergeReflections, reflectionList, selectReflections, takeReflections } from "./reflection-list.js";
export { bell, bellIntegral, camel, partiality, rockingWeight, rockingWidth } from "./rocking.js";
export { degrees, identity, radians, rotationAbout, rotationDerivative } from "./rotation.js";
export type { EulerOrder } from "./rotation-euler.js";
export { eulerAngles, eulerRotation } from "./rotation-euler.js";
export type { Quaternion, RotationVector } from "./rotation-forms.js";
export {
  nearestRotation,
  quaternion,
  randomRotation,
  rotationAngle,
  rotationFromQuaternion,
  rotationFromVector,
  rotationVector,
} from "./rotation-forms.js";
export type { Constraint, Site } from "./site-symmetry.js";
export { adpConstraint, positionConstraint, rotateAdp, siteSymmetry, symmetriseAdp } from "./site-symmetry.js";
export type { SpaceGroup, SpaceGroupSetting, SymbolOptions } from "./space-groups.js";
export {
  enantiomorph,
  groupFromOps,
  spaceGroup,
  spaceGroupByHallNumber,
  spaceGroupByNumber,
  spaceGroupFromHall,
  spaceGroupFromOps,
  spaceGroupTable,
} from "./space-groups.js";
export type { IdentifiedGroup } from "./space-groups-identify.js";
export { identifySpaceGroup, primitiveAxes, transformOps } from "./space-groups-identify.js";
export type { Atom, AtomImage, AtomSu, Structure } from "./structure.js";
export {
  atom,
  cellMass,
  cellMismatch,
  cellProblem,
  composition,
  density,
  expandToP1,
  formula,
  multiplicities,
  structure,
} from "./structure.js";
export type { Contact, ContactOptions } from "./structure-bonds.js";
export { contactAngleDeg, contacts } from "./structure-bonds.js";
export type { PointGroup } from "./symmetry.js";
export { pointGroupOf, rotationParts, rotationType } from "./symmetry.js";
export type { SymOp } from "./symop.js";
export { applyOp, applyOpToHkl, formatOp, identityOp, inverseOp, multiplyOps, parseOp } from "./symop.js";
export { structureToCif, withSu } from "./to-cif.js";
export { structureToJana } from "./to-jana.js";
export type { ReflectionSet, ReflectionSetOptions } from "./unique.js";
export { sphereReflections, uniqueReflections } from "./unique.js";
export type { ZoneSpots } from "./zone.js";
export { orientationOnZone, zoneAxis, zoneSpots } from "./zone.js";
