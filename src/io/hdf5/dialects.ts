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
  const x = typeof v === "string" ? Number.parseFloat(v) : ArrayBuffer.isView(v) ? v[0] : Array.isArray(v) ? Number(v[0]) : v;
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
function scalar(file: Hdf5File, path: string): number | undefined {
  if (file.kind(path) !== "dataset") return undefined;
  const d = file.dataset(path);
  if (d.dtype === undefined || d.shape.reduce((a, b) => a * b, 1) > 16) return undefined;
  return number(d.read());
}

/** Frames first: […scan, ny, nx]. */
function framesFirst(d: Hdf5Dataset): Pick<Hdf5Image, "framesLast" | "scanShape" | "shape"> {
  const s = d.shape;
  return { framesLast: false, scanShape: s.slice(0, -2), shape: [s.at(-2) ?? 1, s.at(-1) ?? 1] };
}

/** NeXus of DECTRIS and others: entry/data/data_000001, … with the detector's record beside it; or the signal of an NXdata group. */
function nexus(file: Hdf5File): Hdf5Image[] {
  const out: Hdf5Image[] = [];
  for (const entry of file.members("").filter((m) => text(file.attributes(m).NX_class) === "NXentry")) {
    for (const group of file.members(entry)) {
      const at = `${entry}/${group}`;
      if (text(file.attributes(at).NX_class) !== "NXdata") continue;
      const pieces = file
        .members(at)
        .filter((m) => /^data_\d+$/.test(m))
        .sort();
      const signal = text(file.attributes(at).signal),
        names = pieces.length ? pieces : [signal || "data"];
      const paths = names.map((m) => `${at}/${m}`).filter((p) => file.kind(p) === "dataset");
      if (paths.length === 0) continue;
      const sets = paths.map((p) => file.dataset(p)),
        first = sets[0]!;
      if (first.shape.length < 2) continue;
      const frames = framesFirst(first),
        scanShape = sets.length === 1 ? frames.scanShape : [sets.reduce((n, d) => n + (d.shape.length > 2 ? d.shape[0]! : 1), 0)];
      const det = `${entry}/instrument/detector`,
        get = (name: string): number | undefined => scalar(file, `${det}/${name}`);
      const px = get("x_pixel_size"),
        py = get("y_pixel_size"),
        cx = get("beam_center_x"),
        cy = get("beam_center_y"),
        distance = positive(get("detector_distance") ?? get("distance"));
      const facts: FrameFacts = defined({
        wavelength: positive(scalar(file, `${entry}/instrument/beam/incident_wavelength`)),
        pixelMm: positive(px) && positive(py) ? ([px! * 1000, py! * 1000] as const) : undefined,
        distanceMm: distance === undefined ? undefined : distance * 1000,
        beamCentre: positive(cx) && positive(cy) ? ([cx!, cy!] as const) : undefined,
        saturation: positive(get("saturation_value")),
        exposureS: positive(get("count_time")),
      });
      out.push({ dialect: "nexus", title: at, paths, ...frames, scanShape, facts, metadata: { attributes: file.attributes(at) } });
    }
  }
  return out;
}

/** Velox: Data/Image/<id>/Data [ny, nx, n] with a JSON record in Metadata, one column per frame. */
function velox(file: Hdf5File): Hdf5Image[] {
  return file.members("Data/Image").flatMap((id): Hdf5Image[] => {
    const path = `Data/Image/${id}/Data`;
    if (file.kind(path) !== "dataset") return [];
    const d = file.dataset(path),
      [ny, nx, n = 1] = d.shape;
    if (ny === undefined || nx === undefined) return [];
    const record = veloxRecord(file, `Data/Image/${id}/Metadata`),
      size = record?.BinaryResult as Record<string, Record<string, string>> | undefined;
    const optics = record?.Optics as Record<string, string> | undefined,
      stage = record?.Stage as Record<string, string> | undefined;
    const volts = Number(optics?.AccelerationVoltage),
      width = Number(size?.PixelSize?.width),
      unit = String(size?.PixelUnitX ?? ""),
      tilt = Number(stage?.AlphaTilt);
    const facts: FrameFacts = defined({
      voltageKv: volts > 0 ? volts / 1000 : undefined,
      ...(unit === "m" && width > 0
        ? { pixelAngstrom: width * 1e10 }
        : unit === "1/m" && width > 0
          ? { reciprocalPixel: width * 1e-10 }
          : {}),
      tiltDeg: Number.isFinite(tilt) && stage?.AlphaTilt !== undefined ? (tilt * 180) / Math.PI : undefined,
    });
    return [
      {
        dialect: "velox",
        title: id,
        paths: [path],
        framesLast: true,
        scanShape: [n],
        shape: [ny, nx],
        facts,
        metadata: { ...(record ?? {}) },
      },
    ];
  });
}

function veloxRecord(file: Hdf5File, path: string): Readonly<Record<string, unknown>> | undefined {
  if (file.kind(path) !== "dataset") return undefined;
  const d = file.dataset(path);
  if (d.dtype !== "u8" || d.shape.length !== 2) return undefined;
  const bytes = d.read([
      [0, d.shape[0]!],
      [0, 1],
    ]) as Uint8Array,
    end = bytes.indexOf(0);
  try {
    return JSON.parse(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))) as Record<string, unknown>;
  } catch {
    return undefined; // a record that is cut off costs the metadata, not the image
  }
}

/** Berkeley EMD (emd_group_type 1) and EMD 1.0 of py4DSTEM ("array"): a group with one n-D dataset and dim1, dim2, … */
function emd(file: Hdf5File): Hdf5Image[] {
  const out: Hdf5Image[] = [];
  const walk = (path: string, depth: number): void => {
    const a = file.attributes(path),
      type = a.emd_group_type;
    if (number(type) === 1 || type === "array") {
      const name = file
        .members(path)
        .find((m) => file.kind(`${path}/${m}`) === "dataset" && file.dataset(`${path}/${m}`).shape.length >= 2);
      if (name !== undefined) out.push(emdImage(file, path, `${path}/${name}`, type === "array"));
    } else if (depth < 16)
      for (const m of file.members(path))
        if (file.kind(path === "" ? m : `${path}/${m}`) === "group") walk(path === "" ? m : `${path}/${m}`, depth + 1);
  };
  walk("", 0);
  return out;
}

function emdImage(file: Hdf5File, group: string, path: string, modern: boolean): Hdf5Image {
  const d = file.dataset(path),
    n = d.shape.length,
    dim = `${group}/dim${modern ? n - 1 : n}`;
  let step: number | undefined,
    unit = "";
  if (file.kind(dim) === "dataset") {
    const axis = file.dataset(dim),
      v = axis.dtype === undefined ? undefined : axis.read();
    // Linear axes may be given by their first two values.
    if (v && v.length >= 2) step = v[1]! - v[0]!;
    unit = text(axis.attributes.units);
  }
  const root = group.split("/")[0]!,
    cal = `${root}/metadatabundle/calibration`,
    q = modern ? scalar(file, `${cal}/Q_pixel_size`) : undefined;
  const qUnit = modern && file.kind(`${cal}/Q_pixel_units`) === "dataset" ? (file.dataset(`${cal}/Q_pixel_units`).texts()[0] ?? "") : "";
  const tension = number(file.attributes("microscope")["high tension"]),
    facts = defined({
      voltageKv: positive(tension) && tension! > 1000 ? tension! / 1000 : undefined,
      ...sampling(step, unit),
      ...sampling(q, qUnit),
    });
  return {
    dialect: modern ? "py4dstem" : "emd",
    title: group,
    paths: [path],
    ...framesFirst(d),
    facts,
    metadata: { attributes: file.attributes(group), units: unit },
  };
}

/** HyperSpy: Experiments/<name>/data with axis-0, axis-1, … as groups of attributes. */
function hspy(file: Hdf5File): Hdf5Image[] {
  return file.members("Experiments").flatMap((name): Hdf5Image[] => {
    const at = `Experiments/${name}`,
      path = `${at}/data`;
    if (file.kind(path) !== "dataset") return [];
    const d = file.dataset(path),
      axes = d.shape.map((_, i) => file.attributes(`${at}/axis-${i}`)),
      x = axes.at(-1) ?? {};
    const tem = file.attributes(`${at}/metadata/Acquisition_instrument/TEM`),
      stage = file.attributes(`${at}/metadata/Acquisition_instrument/TEM/Stage`);
    const facts = defined({
      voltageKv: positive(number(tem.beam_energy)),
      tiltDeg: number(stage.tilt_alpha),
      ...sampling(number(x.scale), text(x.units)),
    });
    return [{ dialect: "hspy", title: name, paths: [path], ...framesFirst(d), facts, metadata: { axes, instrument: tem } }];
  });
}

/** TopSpin: a group with one dataset Data per scan point, numbered from 0. */
function topspin(file: Hdf5File): Hdf5Image[] {
  return file.members("").flatMap((group): Hdf5Image[] => {
    if (file.kind(`${group}/0/Data`) !== "dataset") return [];
    const points = file
      .members(group)
      .filter((m) => /^\d+$/.test(m))
      .sort((a, b) => Number(a) - Number(b));
    const paths = points.map((p) => `${group}/${p}/Data`).filter((p) => file.kind(p) === "dataset"),
      d = file.dataset(paths[0]!);
    if (d.shape.length !== 2) return [];
    return [
      {
        dialect: "topspin",
        title: group,
        paths,
        framesLast: false,
        scanShape: [paths.length],
        shape: [d.shape[0]!, d.shape[1]!],
        facts: {},
        metadata: {},
      },
    ];
  });
}

/** Any numeric dataset of two or more axes. */
function anything(file: Hdf5File): Hdf5Image[] {
  return file.datasets().flatMap((path): Hdf5Image[] => {
    const d = file.dataset(path);
    return d.dtype === undefined || d.dtype === "f16" || d.shape.length < 2 || d.shape.includes(0)
      ? []
      : [{ dialect: "hdf5", title: path, paths: [path], ...framesFirst(d), facts: {}, metadata: { attributes: d.attributes } }];
  });
}

/** All images of a file, largest first. The first dialect that recognises the file names them. */
export function hdf5Images(file: Hdf5File): readonly Hdf5Image[] {
  for (const dialect of [velox, emd, hspy, nexus, topspin, anything]) {
    const found = dialect(file).filter((m) => m.shape[0] > 0 && m.shape[1] > 0 && !m.scanShape.includes(0));
    const size = (m: Hdf5Image): number => m.scanShape.reduce((a, b) => a * b, m.shape[0] * m.shape[1]);
    if (found.length) return found.sort((a, b) => size(b) - size(a));
  }
  return [];
}
