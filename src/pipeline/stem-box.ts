import { fail } from "../core/errors.js";
import { parseAtomsXyz } from "../io/atoms-xyz.js";
import { writeMrc } from "../io/mrc.js";
import { writeNpy } from "../io/npy.js";
import { writeTiff } from "../io/tiff-write.js";
import type { AtomModel } from "../multislice/atoms.js";
import { atomsFromXyz, snapshotsFromXyz } from "../multislice/atoms-files.js";
import { givenSnapshots, type Snapshots } from "../multislice/phonons.js";
import type { PotentialVolume } from "../multislice/potential-volume.js";
import type { ScanPlan } from "../multislice/scan-plan.js";
import type { ScanReading, ScanResult } from "../multislice/scan-result.js";
import { type CrystalBoxOptions, crystalBox, type StemImage } from "../multislice/stem.js";
import { imagePng } from "../render/image.js";
import { readStructure } from "./dynamical-structure.js";

export interface BoxOptions extends CrystalBoxOptions {
  /** Vacuum about the atoms of an .xyz file that names no Lattice, Å. */
  readonly vacuum?: number | undefined;
}
/** Atoms for a simulation, from a file. */
export interface BoxFromFile {
  readonly atoms: AtomModel | Snapshots;
  /** One period of the crystal; undefined for boxes that are taken as they are. */
  readonly unit?: AtomModel | undefined;
  /** What a careful user should know, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * A box of atoms from a file by its name: an .xyz file is taken as it stands (beam along +z; several frames are snapshots of one run); a CIF or JANA
 * file is a crystal that is turned, closed and repeated (`crystalBox`).
 * @param read - gives the text of a file
 */
export function readBox(path: string, read: (path: string) => string, { vacuum, ...options }: BoxOptions = {}): BoxFromFile {
  if (/\.xyz$/i.test(path)) {
    if (options.toSource)
      fail(
        "bad-value",
        { path, ...options.toSource },
        "an .xyz is taken as it stands, the beam along its z: turn it before, or give a CIF; leave the zone out",
      );
    const { value: frames, warnings } = parseAtomsXyz(read(path));
    if (frames.length === 1) return { atoms: atomsFromXyz(frames[0]!, { vacuum }), notes: warnings };
    return {
      atoms: givenSnapshots(snapshotsFromXyz(frames, { vacuum })),
      notes: [...warnings, `${frames.length} frames are taken as snapshots of one run`],
    };
  }
  const { value: structure, warnings } = readStructure(path, read);
  const box = crystalBox(structure, options);
  const row = (k: number): string => `[${box.vectors.slice(k, k + 3).map((v) => Number(v.toFixed(3)))}]`;
  const strain = box.maxStrain > 1e-7 ? `; strained by up to ${(100 * box.maxStrain).toPrecision(2)} % to close it` : "";
  return {
    atoms: box.atoms,
    unit: box.unit,
    notes: [...warnings, `box a = ${row(0)}, b = ${row(3)}, c = ${row(6)} of the cell, repeated ${box.repetitions.join(" × ")}${strain}`],
  };
}

/** A potential as the bytes of a file by its name: .mrc (voxels in Å) or .npy. @throws unsupported */
export function volumeFile(path: string, { data, shape, voxelAngstrom }: PotentialVolume): Uint8Array {
  if (/\.(mrc|map|ccp4)$/i.test(path)) return writeMrc(data, shape, { pixelAngstrom: voxelAngstrom, volume: true });
  if (/\.npy$/i.test(path)) return writeNpy(data, [...shape]);
  return fail("unsupported", { path }, "volumes are written to .mrc or .npy");
}

/** An image as a picture (PNG), as a 32-bit TIFF and as an array (NPY): endings and bytes. */
export function imageFiles({
  data,
  shape,
}: Pick<StemImage, "data" | "shape">): readonly (readonly [ending: "png" | "tif" | "npy", bytes: Uint8Array])[] {
  const image = { data, shape };
  return [
    ["png", imagePng(image)],
    ["tif", writeTiff(image)],
    ["npy", writeNpy(data, shape)],
  ];
}

/** What a scan leaves beside streamed patterns: rows about every image and array, and files by their paths. */
export interface ScanOutputs {
  readonly images: readonly (Omit<StemImage, "data" | "depth"> & { readonly depth: number; readonly path: string | undefined })[];
  /** Readings of more than a number (sectors, rings, centres of mass), and lines. */
  readonly arrays: readonly (Omit<ScanReading, "data"> & { readonly path: string | undefined })[];
  readonly files: readonly (readonly [path: string, bytes: Uint8Array])[];
}

/** Images as pictures and arrays, other readings as arrays; no files without a prefix. */
export function scanOutputs(plan: ScanPlan, result: ScanResult, images: readonly StemImage[], prefix?: string): ScanOutputs {
  const files: [string, Uint8Array][] = [];
  const rows = images.map(({ data, depth = plan.depths[0]!, ...rest }) => {
    const path = prefix && `${prefix}-${rest.name}${plan.setup.depths ? `-${depth.toFixed(0)}A` : ""}`;
    if (path) for (const [end, bytes] of imageFiles({ data, ...rest })) files.push([`${path}.${end}`, bytes]);
    return { ...rest, depth, path };
  });
  const more = result.readings.filter((r) => r.data.length > 0 && !images.some((i) => i.name === r.name));
  const arrays = more.map(({ data, ...rest }) => {
    const path = prefix && `${prefix}-${rest.name}.npy`;
    if (path) files.push([path, writeNpy(data, [...rest.shape])]);
    return { ...rest, path };
  });
  return { images: rows, arrays, files };
}

/** Lines that say what was simulated. */
export function describeOutputs({ images, arrays }: ScanOutputs): string[] {
  const text = (v: number): string => v.toExponential(4).padStart(12);
  return [
    `image          depth, Å${["mean", "min", "max"].map((t) => t.padStart(12)).join("")}`,
    ...images.map((r) => [r.name.padEnd(14), r.depth.toFixed(1).padStart(8), ...[r.mean, r.min, r.max].map(text)].join(" ")),
    ...arrays.map(({ name, shape, path }) => `${name.padEnd(14)} [${shape}]${path ? ` in ${path}` : "; --out writes it"}`),
  ];
}
