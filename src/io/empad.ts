import { fail } from "../core/errors.js";
import type { FrameFacts, FrameSource } from "./frames.js";
import { voltageInKv } from "./frames-units.js";
import { stackFrames } from "./raw.js";
import { type ByteInput, type ByteSource, readAll, type SizeLimit, toSource } from "./source.js";

/** Rows in the file, two of which carry no pixels, and pixels along a side. */
const ROWS = 130,
  SIDE = 128;
const FRAME = ROWS * SIDE * 4;

/** What the XML file beside EMPAD raw data says. */
export interface EmpadXml {
  /** Name of the raw file, without a folder. */
  readonly rawFile: string | undefined;
  readonly kind: "scan" | "series" | undefined;
  /** Scan points, or the number of frames of a series as [1, n]. */
  readonly scanShape: readonly [sy: number, sx: number] | undefined;
  readonly voltageKv: number | undefined;
  /** Camera length, m, as the microscope reports it. */
  readonly cameraLengthM: number | undefined;
  /** Angle of one detector pixel, rad; files of software 1.2 do not have it. */
  readonly pixelRad: number | undefined;
  /** Full field of view of the scan, m, and the part that was scanned. */
  readonly fieldOfViewM: readonly [number, number] | undefined;
  readonly scanSize: number | undefined;
  readonly time: string | undefined;
}

/**
 * Read the fields of an EMPAD XML file that are needed. A small scan over tags instead of an XML parser: the files are flat, and nothing
 * in them (entities, external references) is ever followed.
 */
export function parseEmpadXml(text: string): EmpadXml {
  const tag = (name: string): string | undefined => new RegExp(`<${name}(?:\\s[^<>]*)?>([^<]*)</${name}>`).exec(text)?.[1]?.trim();
  const number = (name: string): number | undefined => {
    const v = Number(tag(name) || Number.NaN);
    return Number.isFinite(v) ? v : undefined;
  };
  const raw = /<raw_file[^<>]*filename="([^"]*)"/.exec(text)?.[1];
  const x = number("pix_x"),
    y = number("pix_y"),
    count = number("series_count") ?? number("count");
  const fov = /\[\s*([-\d.eE+]+)\s*,\s*([-\d.eE+]+)\s*\]/.exec(tag("optics.get_full_scan_field_of_view") ?? "");
  const acquire = /<scan_parameters mode="acquire">([\s\S]*?)<\/scan_parameters>/.exec(text)?.[1] ?? "";
  const part = Number(/<scan_size>([^<]*)</.exec(acquire)?.[1] || Number.NaN);
  const kind = tag("type");
  // Software 1.2 has other names, no pix_x and no calibration; its raw file is named after the scan. It divides the field by scale_factor.
  const named = /_x(\d+)_y(\d+)/.exec(raw ?? "");
  const newFov = /<full_scan_field_of_view>([\s\S]*?)<\/full_scan_field_of_view>/.exec(text)?.[1] ?? "";
  const newField = (name: string): number =>
    Number(new RegExp(`<${name}>([^<]*)<`).exec(newFov)?.[1] || Number.NaN) / Number(/<scale_factor>([^<]*)</.exec(newFov)?.[1] || 1);
  return {
    rawFile: raw?.replace(/^.*[\\/]/, "").trim(),
    kind: kind === "scan" || kind === "series" ? kind : undefined,
    scanShape: x && y ? [y, x] : named ? [Number(named[2]), Number(named[1])] : count ? [1, count] : undefined,
    voltageKv: voltageInKv(number("source.get_voltage") ?? number("high_voltage"), () => {}),
    cameraLengthM: number("optics.get_cameralength") ?? number("nominal_camera_length"),
    pixelRad: number("calibrated_diffraction_angle"),
    fieldOfViewM: fov ? [Number(fov[1]), Number(fov[2])] : newField("x") > 0 ? [newField("x"), newField("y")] : undefined,
    scanSize: Number.isFinite(part) ? part : undefined,
    time: /<timestamp[^<>]*isoformat="([^"]*)"/.exec(text)?.[1],
  };
}

/** Options of {@link empadFrames}. */
export interface EmpadOptions extends SizeLimit {
  /** Scan points; wins over the XML file and the file name. A scan need not be square. */
  readonly scanShape?: readonly [sy: number, sx: number];
  /** Text of the XML file; without it the sibling of the same stem is looked for. */
  readonly xml?: string;
}

async function text(source: ByteSource | undefined): Promise<string | undefined> {
  if (!source) return undefined;
  const bytes = await readAll(source, { maxBytes: 1 << 20 });
  await source.close?.();
  return new TextDecoder().decode(bytes);
}

/**
 * EMPAD raw data: f32, 130 rows of 128 a frame of which 128 are pixels. Takes the `.raw` file, or the `.xml` file whose sibling it is. The
 * scan shape comes from `scanShape`, else the XML file, else a name like `scan_x64_y32.raw`; the number of frames from the file size.
 * @throws bad-file when the size is no whole number of frames; not-found when the XML file has no raw file beside it
 */
export async function empadFrames(input: ByteInput, { maxBytes, scanShape, xml }: EmpadOptions = {}): Promise<FrameSource> {
  let source = toSource(input),
    header = xml;
  if (/\.xml$/i.test(source.name ?? "")) {
    header = await text(source);
    const parsed = parseEmpadXml(header!);
    const raw = parsed.rawFile === undefined ? undefined : await source.sibling?.(parsed.rawFile);
    source =
      raw ??
      fail(
        "not-found",
        { xml: source.name, raw: parsed.rawFile },
        "the raw file that this EMPAD header names is not beside it: pass the .raw file and the text of the .xml",
      );
  } else if (header === undefined && source.name) {
    header = await text(await source.sibling?.(source.name.replace(/\.raw$/i, ".xml")));
  }
  const info = header === undefined ? undefined : parseEmpadXml(header);
  const n = source.size / FRAME;
  if (!Number.isInteger(n) || n === 0)
    fail(
      "bad-file",
      { name: source.name, size: source.size, frame: FRAME },
      "EMPAD raw data is a whole number of frames of 130 × 128 f32; other raw data is read with rawFrames",
    );
  const warnings: string[] = [];
  const named = /_x(\d+)_y(\d+)/.exec(source.name ?? "");
  const shape = scanShape ?? info?.scanShape ?? (named ? ([Number(named[2]), Number(named[1])] as const) : undefined);
  if (shape && shape[0] * shape[1] !== n) warnings.push(`the scan is stated as ${shape[0]} × ${shape[1]}, but the file holds ${n} frames`);
  const facts: FrameFacts = {
    pixelMm: [0.15, 0.15],
    ...(shape && shape[0] * shape[1] === n ? { scanShape: shape } : {}),
    ...(info?.voltageKv ? { voltageKv: info.voltageKv } : {}),
    ...(info?.cameraLengthM ? { distanceMm: info.cameraLengthM * 1000 } : {}),
    ...(info?.time ? { time: info.time } : {}),
  };
  const stack = stackFrames(
    source,
    { shape: [n, SIDE, SIDE], dtype: "f32", offset: 0, stride: FRAME },
    { format: "empad", metadata: { ...(info ?? {}) }, facts, warnings, maxBytes },
  );
  return stack;
}
