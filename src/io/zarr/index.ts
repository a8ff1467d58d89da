/** Zarr hierarchies, versions 2 and 3, through zarrita, which is loaded when the first array is opened. */
export type { ZarrArray } from "./arrays.js";
export { openZarr, zarrPaths } from "./arrays.js";
export { zarrFrames } from "./frames.js";
export type { ZarrStore } from "./store.js";
export { sourceStore, zipStore } from "./store.js";
export type { ZarrWriteOptions } from "./write.js";
export { zarrFiles } from "./write.js";
