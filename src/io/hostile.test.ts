import { describe } from "vitest";
import { type FuzzReader, fuzzReader } from "../testing/fuzz.js";
import { writeBlo } from "./blo.js";
import { writeCbf } from "./cbf.js";
import { openFrames } from "./detect.js";
import { writeMrc } from "./mrc.js";
import { writeNpy } from "./npy.js";
import { readNpz, writeNpz } from "./npz.js";
import { writeSmv } from "./smv.js";
import { bytesSource } from "./source.js";
import { writeTiff } from "./tiff-write.js";
import { writeZip } from "./zip.js";

/** What a caller allows, and what one call may take in all: the frame, its bytes and a decoded copy. */
const MAX = 2 ** 20,
  ALL = 8 * MAX;
const data = Uint16Array.from({ length: 30 }, (_, i) => i * 1000),
  image = { data, shape: [5, 6] as const };
const open =
  (name: string): FuzzReader =>
  async (bytes) => {
    const s = await openFrames(bytesSource(bytes, name), { maxBytes: MAX });
    for (let i = 0; i < Math.min(4, s.shape[0]); i++) await s.read(i);
  };
const options = { maxAllocation: ALL, maxCuts: 400, flips: 1500, maxFields: 1200, seed: 7 };

// The same damage as in the tests of each format, through the detector, with a second seed, and with the allocations watched.
describe("hostile files through openFrames stay within the limit", () => {
  fuzzReader("smv", writeSmv(image), open("a.img"), options);
  fuzzReader("cbf", writeCbf(image), open("a.cbf"), options);
  fuzzReader("tiff", writeTiff([image, image]), open("a.tif"), options);
  fuzzReader("tiff, deflate", writeTiff([image, image], { compression: "deflate" }), open("a.tif"), options);
  fuzzReader("tiff, big", writeTiff(image, { big: true }), open("a.tif"), options);
  fuzzReader("mrc", writeMrc(data, [1, 5, 6]), open("a.mrc"), options);
  fuzzReader("npy", writeNpy(data, [5, 6]), open("a.npy"), options);
  fuzzReader("blo", writeBlo([{ data: new Uint8Array(9), shape: [3, 3] }], { scanShape: [1, 1] }), open("a.blo"), options);
  fuzzReader("zip of tiffs", writeZip([1, 2].map((k) => ({ name: `${k}.tif`, bytes: writeTiff(image) }))), open("a.zip"), options);
  fuzzReader("npz", writeNpz({ a: { data, shape: [5, 6] } }), (b) => readNpz(b, { maxBytes: MAX }), options);
});
