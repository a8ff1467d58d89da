// Kinematical least squares on F:  refine-kinematic <structure.cif> <data.hkl | data.cif | data.cif_pets> [options]
// In a program of your own: refineKinematic(structure, { hkl, intensity, sigma }, options) of ewald/refine does the fit; the command reads the
// files, undoes extinction corrections of JANA lists, merges frames, refines, and shows parameters with s.u., residuals and the difference map.
import { refineKinematicCommand } from "../bin/refine-kinematic.js";
import { runCommand } from "./shared/command.js";

runCommand("refine-kinematic", () => refineKinematicCommand(process.argv.slice(2)));
