/** All modules under their names, for a REPL or a notebook; programs import the subpaths (`ewald/geometry`, …). */
import * as bloch from "./bloch/index.js";
import * as core from "./core/index.js";
import { version } from "./core/version.js";
import * as geometry from "./geometry/index.js";
import * as integration from "./integration/index.js";
import * as io from "./io/index.js";
import * as multislice from "./multislice/index.js";
import * as numerics from "./numerics/index.js";
import * as pipeline from "./pipeline/index.js";
import * as refine from "./refine/index.js";
import * as render from "./render/index.js";
import * as scattering from "./scattering/index.js";
import * as solution from "./solution/index.js";
import * as tomography from "./tomography/index.js";

export {
  bloch,
  core,
  geometry,
  integration,
  io,
  multislice,
  numerics,
  pipeline,
  refine,
  render,
  scattering,
  solution,
  tomography,
  version,
};
