/** HDF5 files through h5wasm, which is loaded when the first file is opened: in Node in a thread of its own. */
export type { Hdf5Image } from "./dialects.js";
export { hdf5Images } from "./dialects.js";
export { type EmdDatacube, emdDataPath, emdTree } from "./emd-write.js";
export type { Hdf5Dataset, Hdf5File, Hdf5Options, Hdf5Value } from "./file.js";
export { hasSignature, openHdf5 } from "./file.js";
export type { Hdf5FrameOptions } from "./frames.js";
export { hdf5Frames } from "./frames.js";
export { readHdf5Mat } from "./mat.js";
export { type Hdf5Layout, type Hdf5WriteDataset, type Hdf5WriteGroup, type Hdf5WriteValue, hdf5Layout } from "./write.js";
