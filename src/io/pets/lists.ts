import type { Parsed, TextInput } from "../text.js";
import { type ColumnSpec, parseTable, writeTable } from "../text-table.js";

/**
 * Peaks of the single frames: PETS2 `.rpl` (as found) and `.cor` (same columns, coordinates recomputed after the refinement of centre
 * and axis). PETS2 writes no header; meaning of the columns after the project's notes, checked on a glycine series: x y z follow from
 * the pixel, the centre, `aperpixel`, `omega` and alpha to an rms of 0.0013 Å⁻¹. Intensity and σ are counts divided by about 100: their ratio never
 * falls below the threshold of the peak search (7 in glycine), and follows I/σ of a box sum with PETS2's noise model.
 */
export interface PetsPeaks {
  readonly size: number;
  /** Position in reciprocal space, Å⁻¹, the frame's tilt taken out. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  /** Pixel of the maximum, column and row. */
  readonly pxMax: Int32Array;
  readonly pyMax: Int32Array;
  /** Refined position, pixels, column and row. */
  readonly px: Float64Array;
  readonly py: Float64Array;
  readonly alphaDeg: Float64Array;
  readonly maximum: Float64Array;
  /** Number of the frame, from 1, in the order of the image list. */
  readonly frame: Int32Array;
}
const peaks = [
  ["x", "real", 10, 4],
  ["y", "real", 10, 4],
  ["z", "real", 10, 4],
  ["intensity", "real", 10, 2],
  ["sigma", "real", 10, 2],
  ["pxMax", "integer", 10],
  ["pyMax", "integer", 5],
  ["px", "real", 9, 3],
  ["py", "real", 9, 3],
  ["alphaDeg", "real", 9, 3],
  ["maximum", "real", 10, 2],
  ["frame", "integer", 5],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.rpl` peak list. @throws bad-file with the line number */
export function parseRpl(input: TextInput): Parsed<PetsPeaks> {
  return parseTable(input, peaks, { what: ".rpl" });
}
export function writeRpl(table: PetsPeaks): string {
  return writeTable(table, peaks);
}
/** Read a PETS2 `.cor` peak list; same columns as `.rpl`. */
export function parseCor(input: TextInput): Parsed<PetsPeaks> {
  return parseTable(input, peaks, { what: ".cor" });
}
export function writeCor(table: PetsPeaks): string {
  return writeTable(table, peaks);
}

/** Maxima in three dimensions, each merged from the peaks of neighbouring frames: PETS2 `.xyz`. */
export interface PetsMaxima {
  readonly size: number;
  /** Position in reciprocal space, Å⁻¹. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  readonly intensity: Float64Array;
  /** 0 in all files seen. */
  readonly reserved: Float64Array;
  readonly px: Int32Array;
  readonly py: Int32Array;
  readonly frame: Int32Array;
  readonly alphaDeg: Float64Array;
  /** Number of the strongest peak in the `.cor` list, from 1. */
  readonly peak: Int32Array;
  /** Number of peaks merged. */
  readonly count: Int32Array;
}
const maxima = [
  ["x", "real", 10, 4],
  ["y", "real", 10, 4],
  ["z", "real", 10, 4],
  ["intensity", "real", 14, 2],
  ["reserved", "real", 14, 2],
  ["px", "integer", 10],
  ["py", "integer", 5],
  ["frame", "integer", 5],
  ["alphaDeg", "real", 7, 2],
  ["peak", "integer", 7],
  ["count", "integer", 7],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.xyz` list of merged maxima. */
export function parseXyz(input: TextInput): Parsed<PetsMaxima> {
  return parseTable(input, maxima, { what: ".xyz" });
}
export function writeXyz(table: PetsMaxima): string {
  return writeTable(table, maxima);
}

/** Clusters of difference vectors, each with its opposite: PETS2 `.clust`. */
export interface PetsClusters {
  readonly size: number;
  /** Mean vector, Å⁻¹. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly z: Float64Array;
  /** Two figures of the cluster's weight; the second is the square root of the first. */
  readonly weight: Float64Array;
  readonly rootWeight: Float64Array;
  readonly count: Int32Array;
}
const clusters = [
  ["x", "real", 10, 4],
  ["y", "real", 10, 4],
  ["z", "real", 10, 4],
  ["weight", "real", 14, 4],
  ["rootWeight", "real", 14, 4],
  ["count", "integer", 5],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.clust` list of difference-vector clusters. */
export function parseClust(input: TextInput): Parsed<PetsClusters> {
  return parseTable(input, clusters, { what: ".clust" });
}
export function writeClust(table: PetsClusters): string {
  return writeTable(table, clusters);
}

/** Centre of every frame, pixels, and the number of Friedel pairs it rests on: PETS2 `.cenloc`. Row i is frame i + 1. */
export interface PetsCentres {
  readonly size: number;
  readonly px: Float64Array;
  readonly py: Float64Array;
  readonly pairs: Int32Array;
}
const centres = [
  ["px", "real", 10, 3],
  ["py", "real", 10, 3],
  ["pairs", "integer", 5],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.cenloc` list of frame centres. */
export function parseCenloc(input: TextInput): Parsed<PetsCentres> {
  return parseTable(input, centres, { what: ".cenloc" });
}
export function writeCenloc(table: PetsCentres): string {
  return writeTable(table, centres);
}

/** Integrated reflections: PETS2 `.hkl`. */
export interface PetsHkl {
  readonly size: number;
  readonly h: Int32Array;
  readonly k: Int32Array;
  readonly l: Int32Array;
  readonly intensity: Float64Array;
  readonly sigma: Float64Array;
  readonly frame: Int32Array;
  readonly flag: Int32Array;
}
const hkl = [
  ["h", "integer", 4],
  ["k", "integer", 4],
  ["l", "integer", 4],
  ["intensity", "real", 12, 2],
  ["sigma", "real", 12, 2],
  ["frame", "integer", 6],
  ["flag", "integer", 6],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.hkl` list (frame and flag may be absent). */
export function parsePetsHkl(input: TextInput): Parsed<PetsHkl> {
  return parseTable(input, hkl, { what: "PETS .hkl", optional: 2 });
}
export function writePetsHkl(table: PetsHkl): string {
  return writeTable(table, hkl);
}

/**
 * Per-frame statistics: PETS2 `.framestats`. The file has no header and PETS2 does not publish what the columns mean, so they carry
 * neutral names: a frame number, then twice a figure and a count.
 */
export interface PetsFrameStats {
  readonly size: number;
  readonly frame: Int32Array;
  readonly figure1: Float64Array;
  readonly count1: Int32Array;
  readonly figure2: Float64Array;
  readonly count2: Int32Array;
}
const stats = [
  ["frame", "integer", 5],
  ["figure1", "real", 6, 2],
  ["count1", "integer", 6],
  ["figure2", "real", 6, 2],
  ["count2", "integer", 6],
] as const satisfies readonly ColumnSpec[];
/** Read a PETS2 `.framestats` list. */
export function parseFramestats(input: TextInput): Parsed<PetsFrameStats> {
  return parseTable(input, stats, { what: ".framestats" });
}
export function writeFramestats(table: PetsFrameStats): string {
  return writeTable(table, stats);
}
