/** The file system of Node: sources over files, and lists of files. The only code that touches `node:*`. */

export { fileSource, folderFiles, listFiles, openPath, readFile } from "./files.js";
export { ptsFrames } from "./pts-frames.js";
export { type ArrayFileOptions, arrayFile, fileCheckpoint, fileSink, folderWriter } from "./streams.js";
export { zarrFolder } from "./zarr.js";
