// Kinematical least squares on F:  refine-kinematic <structure.cif> <data.hkl | data.cif | data.cif_pets> [options]
// In a program of your own: refineKinematic(structure, { hkl, intensity, sigma }, options) of ewald/refine does the fit; the command reads the
// files, undoes extinction corrections of JANA lists, merges frames, refines, and shows parameters with s.u., residuals and the difference map.
import { refineKinematicCommand } from "../bin/refine-kinematic.js";
import { isSdkError } from "../src/core/index.js";

try {
  refineKinematicCommand(process.argv.slice(2));
} catch (e) {
  console.error(isSdkError(e) || e instanceof TypeError ? `refine-kinematic: ${(e as Error).message}` : e);
  process.exitCode = 1;
}
