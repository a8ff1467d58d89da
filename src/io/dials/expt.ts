import { fail } from "../../core/errors.js";
import { checkMetadata } from "../metadata-checks.js";
import { decodeText, type Parsed, type TextInput, warningList } from "../text.js";
import { type Json, jsonReader } from "./json.js";

type Three = readonly [number, number, number];
type Nine = readonly [number, number, number, number, number, number, number, number, number];

/** Beam. `direction` points from the sample to the source (dxtbx), in the laboratory frame of DIALS. */
export interface DialsBeam {
  readonly direction: Three;
  /** Å. */
  readonly wavelength: number;
}
/** Flat panel: laboratory frame of DIALS, mm. Pixel (x, y) lies at origin + x·fast·pixelSize[0] + y·slow·pixelSize[1]. */
export interface DialsPanel {
  readonly name: string;
  readonly fastAxis: Three;
  readonly slowAxis: Three;
  readonly origin: Three;
  /** Pixels, fast then slow. */
  readonly imageSize: readonly [number, number];
  /** mm, fast then slow. */
  readonly pixelSize: readonly [number, number];
  readonly trustedRange: readonly [number, number];
  readonly gain: number;
  readonly pedestal: number;
}
/** Goniometer: rotation R(φ) = setting · rotation(axis, φ) · fixed. */
export interface DialsGoniometer {
  readonly rotationAxis: Three;
  readonly fixedRotation: Nine;
  readonly settingRotation: Nine;
}
/** Scan: frames `imageRange[0]` to `imageRange[1]` inclusive; frame i starts at oscillation[0] + (i − imageRange[0])·oscillation[1]. */
export interface DialsScan {
  readonly imageRange: readonly [number, number];
  /** Start and width, degrees. */
  readonly oscillation: readonly [start: number, width: number];
  readonly exposureTime: Float64Array;
}
/** Crystal, in the laboratory frame of DIALS at φ = 0. */
export interface DialsCrystal {
  /** a, b, c, Å. */
  readonly a: Three;
  readonly b: Three;
  readonly c: Three;
  /** Reciprocal setting matrix A = UB: columns a*, b*, c*, Å⁻¹ (1/d), row-major. */
  readonly ub: Nine;
  readonly hallSymbol: string;
  /** A at the edges of the frames, shape [frames + 1, 9]; empty for a static crystal. */
  readonly ubAtScanPoints: Float64Array;
  /** Covariance of the nine elements of B, shape [9, 9]; empty when not given. */
  readonly bCovariance: Float64Array;
}
export interface DialsExperiment {
  readonly identifier: string;
  readonly beam: DialsBeam | undefined;
  readonly detector: readonly DialsPanel[];
  readonly goniometer: DialsGoniometer | undefined;
  readonly scan: DialsScan | undefined;
  readonly crystal: DialsCrystal | undefined;
  /** Template of the image files, e.g. `###.tif`. */
  readonly template: string | undefined;
}

/**
 * Read a DIALS `.expt` file (JSON). Models that several experiments share are given to each.
 * @throws bad-file when it is no JSON, no ExperimentList, or a model lacks a number
 */
export function parseExpt(input: TextInput): Parsed<readonly DialsExperiment[]> {
  const warnings = warningList();
  const root = jsonReader(decodeText(input, ".expt"), ".expt", warnings);
  if (root.key("__id__").text() !== "ExperimentList")
    fail(
      "bad-file",
      { id: root.key("__id__").text() },
      "a .expt file is JSON whose __id__ is ExperimentList; is this a DIALS experiment file?",
    );
  const model = (e: Json, name: string): Json | undefined => {
    const i = e.key(name).integer();
    if (i === undefined) return undefined;
    const m = root.key(name).at(i);
    if (!m.present) fail("bad-file", { model: name, index: i }, "an experiment refers to a model that the file does not hold");
    return m;
  };
  const value = root
    .key("experiment")
    .items()
    .map((e): DialsExperiment => {
      const [beam, detector, goniometer, scan, crystal, imageset] = ["beam", "detector", "goniometer", "scan", "crystal", "imageset"].map(
        (n) => model(e, n),
      );
      const out: DialsExperiment = {
        identifier: e.key("identifier").text() ?? "",
        beam: beam && {
          direction: beam.key("direction").vector(3) as unknown as Three,
          wavelength: beam.key("wavelength").number() ?? Number.NaN,
        },
        detector: detector ? panelsOf(detector) : [],
        goniometer: goniometer && goniometerOf(goniometer),
        scan: scan && scanOf(scan),
        crystal: crystal && crystalOf(crystal),
        template: imageset?.key("template").text(),
      };
      for (const w of checksOf(out)) warnings.add(w);
      return out;
    });
  if (value.length === 0) warnings.add("the file lists no experiment");
  return { value, warnings: warnings.list() };
}

const identity: Nine = [1, 0, 0, 0, 1, 0, 0, 0, 1];
/**
 * The panels of a file stand in the frame of the group that holds them, and groups in the frame of theirs (`hierarchy`): a refinement moves
 * the group and leaves the panel's own origin alone. Files without a hierarchy give panels in the laboratory frame.
 */
function panelsOf(detector: Json): readonly DialsPanel[] {
  const panels = detector.key("panels").items().map(panelOf);
  const place = (group: Json, parents: readonly Frame3[], depth: number): void => {
    if (depth > 16) fail("bad-file", { depth }, "the detector's hierarchy is nested deeper than any detector");
    const frames = group.key("fast_axis").present ? [frameOf(group), ...parents] : parents;
    for (const child of group.key("children").items()) {
      const i = child.key("panel").integer();
      if (i === undefined) place(child, frames, depth + 1);
      else if (panels[i]) panels[i] = frames.reduce(moved, panels[i]);
    }
  };
  if (detector.key("hierarchy").present) place(detector.key("hierarchy"), [], 0);
  return panels;
}
interface Frame3 {
  readonly fast: Three;
  readonly slow: Three;
  readonly origin: Three;
}
function frameOf(g: Json): Frame3 {
  return {
    fast: g.key("fast_axis").vector(3) as unknown as Three,
    slow: g.key("slow_axis").vector(3) as unknown as Three,
    origin: g.key("origin").vector(3) as unknown as Three,
  };
}
/** A panel given in frame `f`, in the frame that `f` itself is given in. */
function moved(panel: DialsPanel, f: Frame3): DialsPanel {
  const [a, b] = [f.fast, f.slow];
  const n: Three = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const turn = (v: Three): Three => [0, 1, 2].map((i) => v[0] * a[i]! + v[1] * b[i]! + v[2] * n[i]!) as unknown as Three;
  const o = turn(panel.origin);
  return {
    ...panel,
    fastAxis: turn(panel.fastAxis),
    slowAxis: turn(panel.slowAxis),
    origin: [o[0] + f.origin[0], o[1] + f.origin[1], o[2] + f.origin[2]],
  };
}
function panelOf(p: Json): DialsPanel {
  return {
    name: p.key("name").text() ?? "",
    fastAxis: p.key("fast_axis").vector(3) as unknown as Three,
    slowAxis: p.key("slow_axis").vector(3) as unknown as Three,
    origin: p.key("origin").vector(3) as unknown as Three,
    imageSize: p.key("image_size").vector(2) as unknown as [number, number],
    pixelSize: p.key("pixel_size").vector(2) as unknown as [number, number],
    trustedRange: (p.key("trusted_range").present
      ? p.key("trusted_range").vector(2)
      : [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]) as unknown as [number, number],
    gain: p.key("gain").number() ?? 1,
    pedestal: p.key("pedestal").number() ?? 0,
  };
}
/** One axis, or several (`axes`, `angles`, `scan_axis`): the axes before the scan axis, nearer the sample, make the fixed rotation. */
function goniometerOf(g: Json): DialsGoniometer {
  if (!g.key("axes").present)
    return {
      rotationAxis: g.key("rotation_axis").vector(3) as unknown as Three,
      fixedRotation: (g.key("fixed_rotation").present ? g.key("fixed_rotation").vector(9) : identity) as unknown as Nine,
      settingRotation: (g.key("setting_rotation").present ? g.key("setting_rotation").vector(9) : identity) as unknown as Nine,
    };
  const axes = g
    .key("axes")
    .items()
    .map((a) => a.vector(3) as unknown as Three);
  const angles = g.key("angles").vector(axes.length),
    scan = g.key("scan_axis").integer() ?? 0;
  if (!axes[scan]) return fail("bad-file", { scanAxis: scan, axes: axes.length }, "scan_axis of the goniometer is not one of its axes");
  const product = (from: number, to: number): Nine => {
    let m = identity;
    for (let i = from; i < to; i++) m = times(rotation(axes[i]!, angles[i]!), m); // the first axis is the one nearest the sample
    return m;
  };
  return { rotationAxis: axes[scan]!, fixedRotation: product(0, scan), settingRotation: product(scan + 1, axes.length) };
}
function times(a: Nine, b: Nine): Nine {
  return [0, 3, 6].flatMap((r) => [0, 1, 2].map((c) => a[r]! * b[c]! + a[r + 1]! * b[c + 3]! + a[r + 2]! * b[c + 6]!)) as unknown as Nine;
}
/** Right-handed rotation about a unit axis (Rodrigues). */
function rotation([x, y, z]: Three, degrees: number): Nine {
  const t = (degrees * Math.PI) / 180,
    c = Math.cos(t),
    s = Math.sin(t),
    d = 1 - c;
  return [
    c + x * x * d,
    x * y * d - z * s,
    x * z * d + y * s,
    y * x * d + z * s,
    c + y * y * d,
    y * z * d - x * s,
    z * x * d - y * s,
    z * y * d + x * s,
    c + z * z * d,
  ];
}
/** `oscillation` [start, width], or, from dxtbx 3.17 on, the start of every frame among `properties`. */
function scanOf(s: Json): DialsScan {
  const imageRange = s.key("image_range").vector(2) as unknown as [number, number];
  const properties = s.key("properties");
  const exposure = (properties.present ? properties : s).key("exposure_time");
  let oscillation: readonly [number, number];
  if (s.key("oscillation").present) oscillation = s.key("oscillation").vector(2) as unknown as [number, number];
  else {
    const starts = properties.key("oscillation").numbers();
    const n = starts.length;
    oscillation = [starts[0] ?? Number.NaN, n > 1 ? (starts[n - 1]! - starts[0]!) / (n - 1) : Number.NaN];
  }
  return { imageRange, oscillation, exposureTime: Float64Array.from(exposure.present ? exposure.numbers() : []) };
}
function crystalOf(c: Json): DialsCrystal {
  const [a, b, v] = ["a", "b", "c"].map((k) => c.key(`real_space_${k}`).vector(3) as unknown as Three) as [Three, Three, Three];
  const points = c.key("A_at_scan_points"),
    covariance = c.key("B_covariance");
  return {
    a,
    b,
    c: v,
    ub: reciprocal(a, b, v),
    hallSymbol: (c.key("space_group_hall_symbol").text() ?? "").trim(),
    ubAtScanPoints: Float64Array.from(points.present ? points.items().flatMap((m) => [...m.vector(9)]) : []),
    bCovariance: Float64Array.from(covariance.present ? covariance.numbers() : []),
  };
}
/** Columns b×c/V, c×a/V, a×b/V. */
function reciprocal(a: Three, b: Three, c: Three): Nine {
  const x = (u: Three, v: Three): Three => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
  const bc = x(b, c),
    ca = x(c, a),
    ab = x(a, b),
    volume = a[0] * bc[0] + a[1] * bc[1] + a[2] * bc[2];
  return [bc[0], ca[0], ab[0], bc[1], ca[1], ab[1], bc[2], ca[2], ab[2]].map((v) => v / volume) as unknown as Nine;
}
function checksOf({ beam, detector, scan }: DialsExperiment): readonly string[] {
  const panel = detector[0];
  const distance = panel && Math.abs(panel.origin[2]);
  return checkMetadata({
    wavelength: beam ? beam.wavelength : Number.NaN,
    pixelMm: panel?.pixelSize[0],
    distanceMm: distance,
    oscillationDeg: scan?.oscillation[1],
  });
}
