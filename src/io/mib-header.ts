import { fail } from "../core/errors.js";
import { latin1 } from "./bytes.js";
import type { NumberType } from "./bytes-numbers.js";
import type { FrameFacts } from "./frames.js";
import { keyValueLines } from "./frames-text.js";

/** The ASCII header in front of every Merlin frame. */
export interface MibHeader {
  readonly sequence: number;
  readonly headerBytes: number;
  readonly chips: number;
  /** Columns and rows as the header states them; for raw data those of the file, not of the picture. */
  readonly width: number;
  readonly height: number;
  readonly dtype: "U01" | "U08" | "U16" | "U32" | "R64";
  /** Arrangement of the chips, e.g. "2x2"; a final G says that the gap between them is filled. */
  readonly layout: string;
  /** Bits of the counter: 1, 6, 12 or 24; undefined in old files. */
  readonly counterDepth: number | undefined;
  /** ISO time of the newer headers, else the local time of the older ones. */
  readonly timestamp: string;
  /** Nominal exposure, seconds. */
  readonly exposureS: number | undefined;
  /** Thresholds, keV. */
  readonly thresholdsKev: readonly number[];
  readonly fields: readonly string[];
}

const whole = (text: string | undefined, what: string): number => {
  if (text === undefined || !/^\s*\d{1,9}\s*$/.test(text))
    fail("bad-file", { what, text }, "a Merlin frame header is comma-separated text that starts MQ1,number,bytes: damaged file");
  return Number(text);
};

/** Parse a frame header. @throws bad-file */
export function parseMibHeader(bytes: Uint8Array): MibHeader {
  const text = latin1(bytes);
  if (!text.startsWith("MQ1,") && !text.startsWith("MQ1A,"))
    fail("bad-file", { start: text.slice(0, 8) }, "a Merlin frame starts with MQ1,");
  const f = text
    .replace(/\0[\s\S]*$/, "")
    .split(",")
    .map((s) => s.trim());
  const dtype = f[6] as MibHeader["dtype"];
  if (!["U01", "U08", "U16", "U32", "R64"].includes(dtype))
    fail("bad-file", { dtype: f[6] }, "pixels of a Merlin frame are U08, U16, U32 or R64 (raw)");
  // Newer software ends the header with ISO time, exposure in ns and counter depth; older software stops earlier.
  const tail = f.findIndex((s) => /^\d{4}-\d\d-\d\dT.*Z$/.test(s));
  const ns = tail < 0 ? undefined : /^(\d+)ns$/.exec(f[tail + 1] ?? "")?.[1];
  const depth = tail < 0 ? Number.NaN : Number.parseInt(f[tail + 2] ?? "", 10);
  const seconds = ns === undefined ? Number.parseFloat(f[10] ?? "") : Number(ns) * 1e-9;
  return {
    sequence: whole(f[1], "frame number"),
    headerBytes: whole(f[2], "header length"),
    chips: whole(f[3], "number of chips"),
    width: whole(f[4], "width"),
    height: whole(f[5], "height"),
    dtype,
    layout: f[7] ?? "",
    counterDepth: [1, 6, 12, 24].includes(depth) ? depth : undefined,
    timestamp: tail < 0 ? (f[9] ?? "") : f[tail]!,
    exposureS: Number.isFinite(seconds) ? seconds : undefined,
    thresholdsKev: f.slice(14, 22).map(Number).filter(Number.isFinite),
    fields: f,
  };
}

/** Facts of a frame header. */
export function mibFacts(h: MibHeader): FrameFacts {
  return {
    exposureS: h.exposureS,
    time: h.timestamp,
    pixelMm: [0.055, 0.055],
    ...(h.counterDepth ? { saturation: 2 ** h.counterDepth - 1 } : {}),
  };
}

/** Lines `key:<tab>value` of the acquisition header (`.hdr`) beside a `.mib`. */
export function parseMerlinHdr(text: string): Record<string, string> {
  // Keys end with a colon; some hold colons of their own, so a colon before a tab goes first.
  const end = text.search(/^End\b/m);
  const lines = (end < 0 ? text : text.slice(0, end)).replaceAll("\0", " ");
  const out: Record<string, string> = {};
  for (const [key, value] of keyValueLines(lines, ":", (l) => (l.includes(":\t") ? undefined : l))) out[key] = value;
  for (const [key, value] of keyValueLines(lines, ":\t")) out[key] = value;
  return out;
}

/**
 * Scan shape as far as the acquisition header knows it: ScanX and ScanY of newer software, or one trigger a line. Where every frame has
 * its own trigger the shape cannot be known and has to be given.
 */
export function merlinScanShape(hdr: Readonly<Record<string, string>>, frames: number): readonly [number, number] | undefined {
  const n = (pattern: RegExp): number => Number.parseInt(Object.entries(hdr).find(([k]) => pattern.test(k))?.[1] ?? "", 10);
  const x = n(/^ScanX/i),
    y = n(/^ScanY/i);
  if (x > 0 && y > 0) return [y, x];
  const total = n(/^Frames in Acquisition/i),
    each = n(/^Frames per Trigger/i);
  return each > 1 && total > each && total % each === 0 && frames <= total ? [total / each, each] : undefined;
}

/** Stored type of a processed frame. */
export const mibType = { U01: "u8", U08: "u8", U16: "u16", U32: "u32" } as const satisfies Record<string, NumberType>;
