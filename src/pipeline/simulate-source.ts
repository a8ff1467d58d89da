import { checkFrame, type FrameSource } from "../io/frames.js";
import type { Simulation } from "./simulate.js";

/** A simulation as frames are read from files: the same interface, made frame by frame, nothing kept. `facts` hold what a header would. */
export function simulationSource(simulation: Simulation): FrameSource {
  const { shape, instrument, camera, nominal } = simulation;
  const step = nominal.length > 1 ? nominal[1]!.alphaDeg - nominal[0]!.alphaDeg : 0;
  const facts = {
    voltageKv: instrument.beam.voltageKv,
    wavelength: instrument.beam.wavelength,
    reciprocalPixel: instrument.detector.invAngstromPerPixel,
    tiltStepDeg: step,
    saturation: camera.saturation,
  };
  return {
    format: "simulated",
    shape,
    dtype: "f32",
    metadata: {},
    facts,
    warnings: [],
    read: async (i, signal) => {
      signal?.throwIfAborted();
      checkFrame(i, shape[0]);
      return simulation.frame(i);
    },
    frame: async (i) => {
      checkFrame(i, shape[0]);
      return { metadata: {}, facts: { ...facts, tiltDeg: nominal[i]!.alphaDeg - step / 2 } };
    },
  };
}
