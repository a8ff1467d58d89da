import type { FrameFacts } from "./frames.js";
import { keyValueLines } from "./frames-text.js";
import { headerNumber, voltageInKv } from "./frames-units.js";

/** Lines `key = value` of the `_info.txt` that Direct Electron's server writes beside a movie. */
export function parseDeInfo(text: string): Record<string, string> {
  return Object.fromEntries(keyValueLines(text, "="));
}

/** Facts of an info file. */
export function deFacts(info: Readonly<Record<string, string>>): FrameFacts {
  const n = (key: string): number | undefined => headerNumber(info[key]);
  const pixelUm = n("Sensor Pixel Pitch (micrometers)"),
    voltageKv = voltageInKv(n("Instrument Accelerating Voltage (V)"), () => {}),
    fps = n("Frames Per Second"),
    time = info["Local time"];
  return {
    ...(pixelUm ? { pixelMm: [pixelUm / 1000, pixelUm / 1000] as const } : {}),
    ...(voltageKv ? { voltageKv } : {}),
    ...(fps ? { exposureS: 1 / fps } : {}),
    ...(time ? { time } : {}),
  };
}

/** Scan grid of a complete raster scan: rows, columns, when their product is the number of frames; undefined for other scans. */
export function deScanShape(info: Readonly<Record<string, string>>, frames: number): readonly [number, number] | undefined {
  const n = (key: string): number => headerNumber(info[key]) ?? 0;
  if (!/^enable/i.test(info["Scan - Enable"] ?? "")) return undefined;
  const roi = /^enable/i.test(info["Scan - ROI Enable"] ?? "");
  const [x, y] = roi ? [n("Scan - ROI Size X"), n("Scan - ROI Size Y")] : [n("Scan - Size X"), n("Scan - Size Y")];
  return x > 0 && y > 0 && x * y === frames ? [y, x] : undefined;
}

/** Pairs `x,y` of a scan that visits chosen positions, one a frame (x fast). Lines that are no pair are left out. */
export function parseScanCoordinates(text: string): readonly (readonly [x: number, y: number])[] {
  return [...text.matchAll(/^[ \t]*(\d+)[ \t]*,[ \t]*(\d+)[ \t\r]*$/gm)].map((m) => [Number(m[1]), Number(m[2])] as const);
}
