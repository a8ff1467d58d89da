/**
 * Pseudo-polar transforms of pairs of slices (assembly/slopes.ts): `spread`, `lines` (with the column transforms of the FFT family between
 * them), `residual`, `collect`; names of the family for a runner.
 */
export { slopesWasm } from "./generated/slopes.js";
