export type { Beam } from "./beam.js";
export { beam, beamFromWavelength, electronWavelength, incidentWaveVector, voltageFromWavelength } from "./beam.js";
export { constants, electronRestEnergyEv } from "./constants.js";
export type { Detector, DetectorOptions, Projection, Vec2 } from "./detector.js";
export { cameraDistanceMm, convertPixels, detector, invAngstromPerPixel, pixelOrigin } from "./detector.js";
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
export type { Exposure, FrameGeometry, Instrument, RockingModel } from "./experiment.js";
export type { Goniometer, PetsAngles } from "./goniometer.js";
export {
  goniometerRotation,
  petsAngles,
  petsGoniometer,
  petsRotation,
  petsRotationDerivatives,
  tiltAxisDirection,
} from "./goniometer.js";
export { peaksToReciprocal, pixelsToReciprocal, reciprocalToPixels } from "./pixels.js";
export { degrees, identity, radians, rotationAbout, rotationDerivative } from "./rotation.js";
