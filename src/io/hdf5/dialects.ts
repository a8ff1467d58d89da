import { fail } from "../../core/errors.js";
import type { FrameFacts, Metadata } from "../frames.js";
import type { Hdf5Dataset, Hdf5File, Hdf5Value } from "./file.js";

/** One image, stack or 4-D scan of an HDF5 file, in the words of its dialect. */
export interface Hdf5Image {
  readonly dialect: "nexus" | "velox" | "emd" | "py4dstem" | "hspy" | "topspin" | "hdf5";
  readonly title: string;
  /** Datasets that follow each other along the first axis; one, but for NeXus series in pieces and TopSpin. */
  readonly paths: readonly string[];
  /** True where the frame number is the last axis (Velox), and not the first. */
  readonly framesLast: boolean;
  /** Axes before the two of a frame; their product is the number of frames. */
  readonly scanShape: readonly number[];
  readonly shape: readonly [ny: number, nx: number];
  readonly facts: FrameFacts;
  readonly metadata: Metadata;
}

const number = (v: Hdf5Value): number | undefined => {
  const x =
    typeof v === "string" ? Number.parseFloat(v) : ArrayBuffer.isView(v) ? (v as Float64Array)[0] : Array.isArray(v) ? Number(v[0]) : v;
  return typeof x === "number" && Number.isFinite(x) ? x : undefined;
};
const positive = (v: number | undefined): number | undefined => (v !== undefined && v > 0 ? v : undefined);
const text = (v: Hdf5Value): string => (typeof v === "string" ? v : Array.isArray(v) ? String(v[0] ?? "") : "");
const defined = <T extends object>(o: T): T => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as T;
const lengths: Readonly<Record<string, number>> = {
  nm: 10,
  n_m: 10,
  "[n_m]": 10,
  A: 1,
  Å: 1,
  Angstroms: 1,
  "[u_m]": 1e4,
  u_m: 1e4,
  um: 1e4,
  µm: 1e4,
  m: 1e10,
  pm: 0.01,
};
const reciprocals: Readonly<Record<string, number>> = {
  "A^-1": 1,
  "1/Å": 1,
  "1/A": 1,
  "Å^-1": 1,
  "1/nm": 0.1,
  "nm^-1": 0.1,
  "[n_m^-1]": 0.1,
  n_m1: 0.1,
  "$A^{-1}$": 1,
};
const sampling = (step: number | undefined, unit: string): FrameFacts => {
  const s = positive(step === undefined ? undefined : Math.abs(step));
  if (s === undefined) return {};
  return lengths[unit] !== undefined
    ? { pixelAngstrom: s * lengths[unit] }
    : reciprocals[unit] !== undefined
      ? { reciprocalPixel: s * reciprocals[unit] }
      : {};
};

/** A scalar dataset as a number. */
async function scalar(file: Hdf5File, path: string): Promise<number | undefined> {
  if ((await file.kind(path)) !== "dataset") return undefined;
  const d = await file.dataset(path);
  if (d.dtype === undefined || d.dtype === "f16" || d.shape.reduce((a, b) => a * b, 1) > 16) return undefined;
  return number(await d.read());
}

/** Frames first: […scan, ny, nx]. */
function framesFirst(d: Hdf5Dataset): Pick<Hdf5Image, "framesLast" | "scanShape" | "shape"> {
  const s = d.shape;
  return { framesLast: false, scanShape: s.slice(0, -2), shape: [s.at(-2) ?? 1, s.at(-1) ?? 1] };
}

/** NeXus of DECTRIS and others: entry/data/data_000001, … with the detector's record beside it; or the signal of an NXdata group. */
async function nexus(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [];
  for (const entry of await file.members("")) {
    if (text((await file.attributes(entry)).NX_class) !== "NXentry") continue;
    for (const group of await file.members(entry)) {
      const image = await nexusData(file, entry, `${entry}/${group}`);
      if (image) out.push(image);
    }
  }
  return out;
}

async function nexusData(file: Hdf5File, entry: string, at: string): Promise<Hdf5Image | undefined> {
  const attributes = await file.attributes(at);
  if (text(attributes.NX_class) !== "NXdata") return undefined;
  const pieces = (await file.members(at)).filter((m) => /^data_\d+$/.test(m)).sort(),
    sets: Hdf5Dataset[] = [];
  for (const name of pieces.length ? pieces : [text(attributes.signal) || "data"])
    if ((await file.kind(`${at}/${name}`)) === "dataset") sets.push(await file.dataset(`${at}/${name}`));
  const first = sets[0],
    missing = pieces.filter((name) => !sets.some((d) => d.path === `${at}/${name}`));
  if (!first && missing.length)
    fail(
      "not-found",
      { name: file.name, pieces: missing },
      "the frames of this master file lie in data files that are not there: keep them beside it, or give a source whose sibling() finds them",
    );
  if (!first || first.shape.length < 2) return undefined;
  const frames = framesFirst(first),
    scanShape = sets.length === 1 ? frames.scanShape : [sets.reduce((n, d) => n + (d.shape.length > 2 ? d.shape[0]! : 1), 0)];
  const get = (name: string): Promise<number | undefined> => scalar(file, `${entry}/instrument/detector/${name}`);
  const px = await get("x_pixel_size"),
    py = await get("y_pixel_size"),
    cx = await get("beam_center_x"),
    cy = await get("beam_center_y"),
    distance = positive((await get("detector_distance")) ?? (await get("distance")));
  const facts: FrameFacts = defined({
    wavelength: positive(await scalar(file, `${entry}/instrument/beam/incident_wavelength`)),
    pixelMm: positive(px) && positive(py) ? ([px! * 1000, py! * 1000] as const) : undefined,
    distanceMm: distance === undefined ? undefined : distance * 1000,
    beamCentre: positive(cx) && positive(cy) ? ([cx!, cy!] as const) : undefined,
    saturation: positive(await get("saturation_value")),
    exposureS: positive(await get("count_time")),
  });
  return {
    dialect: "nexus",
    title: at,
    paths: sets.map((d) => d.path),
    ...frames,
    scanShape,
    facts,
    metadata: { attributes, ...(missing.length ? { missing } : {}) },
  };
}

/** Velox: Data/Image/<id>/Data [ny, nx, n] with a JSON record in Metadata, one column per frame. */
async function velox(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [];
  for (const id of await file.members("Data/Image")) {
    const path = `Data/Image/${id}/Data`;
    if ((await file.kind(path)) !== "dataset") continue;
    const d = await file.dataset(path),
      [ny, nx, n = 1] = d.shape;
    if (ny === undefined || nx === undefined) continue;
    const record = await veloxRecord(file, `Data/Image/${id}/Metadata`);
    out.push({
      dialect: "velox",
      title: id,
      paths: [path],
      framesLast: true,
      scanShape: [n],
      shape: [ny, nx],
      facts: veloxFacts(record),
      metadata: { ...(record ?? {}) },
    });
  }
  return out;
}

function veloxFacts(record: Readonly<Record<string, unknown>> | undefined): FrameFacts {
  const size = record?.BinaryResult as Record<string, Record<string, string>> | undefined,
    optics = record?.Optics as Record<string, string> | undefined,
    stage = record?.Stage as Record<string, string> | undefined;
  const volts = Number(optics?.AccelerationVoltage),
    width = Number(size?.PixelSize?.width),
    unit = String(size?.PixelUnitX ?? ""),
    tilt = Number(stage?.AlphaTilt);
  return defined({
    voltageKv: volts > 0 ? volts / 1000 : undefined,
    ...(unit === "m" && width > 0
      ? { pixelAngstrom: width * 1e10 }
      : unit === "1/m" && width > 0
        ? { reciprocalPixel: width * 1e-10 }
        : {}),
    tiltDeg: Number.isFinite(tilt) && stage?.AlphaTilt !== undefined ? (tilt * 180) / Math.PI : undefined,
  });
}

async function veloxRecord(file: Hdf5File, path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  if ((await file.kind(path)) !== "dataset") return undefined;
  const d = await file.dataset(path);
  if (d.dtype !== "u8" || d.shape.length !== 2 || d.shape.includes(0)) return undefined;
  const bytes = (await d.read([
      [0, d.shape[0]!],
      [0, 1],
    ])) as Uint8Array,
    end = bytes.indexOf(0);
  try {
    return JSON.parse(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))) as Record<string, unknown>;
  } catch {
    return undefined; // a record that is cut off costs the metadata, not the image
  }
}

/** Berkeley EMD (emd_group_type 1) and EMD 1.0 of py4DSTEM ("array"): a group with one n-D dataset and dim1, dim2, … */
async function emd(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [],
    seen = new Set<string>();
  for (const path of await file.datasets()) {
    const group = path.split("/").slice(0, -1).join("/");
    if (seen.has(group)) continue;
    const type = (await file.attributes(group)).emd_group_type,
      modern = type === "array";
    if (number(type) !== 1 && !modern) {
      seen.add(group);
      continue;
    }
    const d = await file.dataset(path);
    if (d.shape.length < 2) continue;
    seen.add(group);
    out.push(await emdImage(file, group, d, modern));
  }
  return out;
}

async function emdImage(file: Hdf5File, group: string, d: Hdf5Dataset, modern: boolean): Promise<Hdf5Image> {
  const n = d.shape.length,
    dim = `${group}/dim${modern ? n - 1 : n}`;
  let step: number | undefined,
    unit = "";
  if ((await file.kind(dim)) === "dataset") {
    const axis = await file.dataset(dim);
    // Linear axes may be given by their first two values.
    const v =
      axis.dtype !== undefined && axis.dtype !== "f16" && axis.shape.length === 1 && axis.shape[0]! >= 2
        ? await axis.read([[0, 2]])
        : undefined;
    if (v) step = v[1]! - v[0]!;
    unit = text(axis.attributes.units);
  }
  const calibration = `${group.split("/")[0]!}/metadatabundle/calibration`,
    q = modern ? await scalar(file, `${calibration}/Q_pixel_size`) : undefined,
    units = `${calibration}/Q_pixel_units`;
  const qUnit = modern && (await file.kind(units)) === "dataset" ? ((await (await file.dataset(units)).texts())[0] ?? "") : "";
  const tension = number((await file.attributes("microscope"))["high tension"]),
    facts = defined({
      voltageKv: positive(tension) && tension! > 1000 ? tension! / 1000 : undefined,
      ...sampling(step, unit),
      ...sampling(q, qUnit),
    });
  return {
    dialect: modern ? "py4dstem" : "emd",
    title: group,
    paths: [d.path],
    ...framesFirst(d),
    facts,
    metadata: { attributes: await file.attributes(group), units: unit },
  };
}

/** HyperSpy: Experiments/<name>/data with axis-0, axis-1, … as groups of attributes. */
async function hspy(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [];
  for (const name of await file.members("Experiments")) {
    const at = `Experiments/${name}`,
      path = `${at}/data`;
    if ((await file.kind(path)) !== "dataset") continue;
    const d = await file.dataset(path),
      axes: Readonly<Record<string, Hdf5Value>>[] = [];
    for (let i = 0; i < d.shape.length; i++) axes.push(await file.attributes(`${at}/axis-${i}`));
    const x = axes.at(-1) ?? {},
      tem = await file.attributes(`${at}/metadata/Acquisition_instrument/TEM`),
      stage = await file.attributes(`${at}/metadata/Acquisition_instrument/TEM/Stage`);
    const facts = defined({
      voltageKv: positive(number(tem.beam_energy)),
      tiltDeg: number(stage.tilt_alpha),
      ...sampling(number(x.scale), text(x.units)),
    });
    out.push({ dialect: "hspy", title: name, paths: [path], ...framesFirst(d), facts, metadata: { axes, instrument: tem } });
  }
  return out;
}

/** TopSpin: a group with one dataset Data per scan point, numbered from 0. There may be very many: only the first is looked at. */
async function topspin(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [];
  for (const group of await file.members("")) {
    if ((await file.kind(`${group}/0/Data`)) !== "dataset") continue;
    const [ny, nx, ...more] = (await file.dataset(`${group}/0/Data`)).shape;
    if (ny === undefined || nx === undefined || more.length) continue;
    const points = (await file.members(group)).filter((m) => /^\d+$/.test(m)).sort((a, b) => Number(a) - Number(b));
    out.push({
      dialect: "topspin",
      title: group,
      paths: points.map((p) => `${group}/${p}/Data`),
      framesLast: false,
      scanShape: [points.length],
      shape: [ny, nx],
      facts: {},
      metadata: {},
    });
  }
  return out;
}

/** Any numeric dataset of two or more axes. */
async function anything(file: Hdf5File): Promise<Hdf5Image[]> {
  const out: Hdf5Image[] = [];
  for (const path of await file.datasets()) {
    const d = await file.dataset(path);
    if (d.dtype === undefined || d.dtype === "f16" || d.shape.length < 2 || d.shape.includes(0)) continue;
    out.push({ dialect: "hdf5", title: path, paths: [path], ...framesFirst(d), facts: {}, metadata: { attributes: d.attributes } });
  }
  return out;
}

/** All images of a file, largest first. The first dialect that recognises the file names them. @throws bad-file */
export async function hdf5Images(file: Hdf5File): Promise<readonly Hdf5Image[]> {
  for (const dialect of [velox, emd, hspy, nexus, topspin, anything]) {
    const found = (await dialect(file)).filter((m) => m.shape[0] > 0 && m.shape[1] > 0 && !m.scanShape.includes(0));
    const size = (m: Hdf5Image): number => m.scanShape.reduce((a, b) => a * b, m.shape[0] * m.shape[1]);
    if (found.length) return found.sort((a, b) => size(b) - size(a));
  }
  return [];
}
