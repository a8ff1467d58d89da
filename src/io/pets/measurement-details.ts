import { parseNumber } from "../number.js";

/**
 * The text block `_diffrn_measurement_details` of PETS2 files. NaN: not given. The wording has changed between versions ("rotation axis
 * position" or "tilt axis position", "sum all intensities: 1" or "intensity integration: …"); what was read is written again in the same words.
 */
export interface PetsDetails {
  /** As written: `continuous rotation`, `precession`, `static`, … */
  readonly geometry: string | undefined;
  /** Å⁻¹. */
  readonly dStarMax: number;
  /** Half width of the rocking curve, Å⁻¹. */
  readonly rcWidth: number;
  /** Apparent mosaicity, degrees. */
  readonly mosaicityDeg: number;
  /** Position of the tilt axis in the image, degrees. */
  readonly axisPositionDeg: number;
  readonly axisName: "rotation" | "tilt";
  readonly reflectionSizePx: number;
  /** `fit profile`, …; undefined where frames were merged to virtual ones. */
  readonly integrationMode: string | undefined;
  readonly virtualFrames: PetsVirtualFrames | undefined;
  /** Lines that are none of the above. */
  readonly other: readonly string[];
}
/** Overlapping virtual frames: `merged` frames each, the next starting `step` frames later. */
export interface PetsVirtualFrames {
  readonly merged: number;
  readonly step: number;
  /** `sum all intensities`: 1 or −1; NaN in versions that write `integration` instead. */
  readonly sumAll: number;
  readonly integration: string | undefined;
}
export const noPetsDetails: PetsDetails = /* @__PURE__ */ Object.freeze({
  geometry: undefined,
  dStarMax: Number.NaN,
  rcWidth: Number.NaN,
  mosaicityDeg: Number.NaN,
  axisPositionDeg: Number.NaN,
  axisName: "rotation" as const,
  reflectionSizePx: Number.NaN,
  integrationMode: undefined,
  virtualFrames: undefined,
  other: Object.freeze([]),
});

/** Read the text block. Lines `name: value`; unknown ones are kept in `other`. */
export function parsePetsDetails(text: string): PetsDetails {
  const d: { -readonly [K in keyof PetsDetails]: PetsDetails[K] } = { ...noPetsDetails };
  const v = { merged: Number.NaN, step: Number.NaN, sumAll: Number.NaN, integration: undefined as string | undefined };
  const other: string[] = [];
  for (const line of text.split("\n")) {
    // "Virtual frame settings: number of merged frames: 7" has a heading before the name.
    const content = line.trim().replace(/^virtual frame settings:\s*/i, "");
    if (content === "") continue;
    const colon = content.indexOf(":");
    const name = (colon < 0 ? content : content.slice(0, colon)).trim().toLowerCase();
    const value = colon < 0 ? "" : content.slice(colon + 1).trim();
    const number = parseNumber(value.split(/\s+/)[0]!);
    if (name === "data collection geometry") d.geometry = value;
    else if (name === "dstarmax") d.dStarMax = number;
    else if (name === "rc width") d.rcWidth = number;
    else if (name === "mosaicity") d.mosaicityDeg = number;
    else if (name === "rotation axis position" || name === "tilt axis position") {
      d.axisPositionDeg = number;
      d.axisName = name.startsWith("tilt") ? "tilt" : "rotation";
    } else if (name === "reflection size") d.reflectionSizePx = number;
    else if (name === "integration mode") d.integrationMode = value;
    else if (name === "number of merged frames") v.merged = number;
    else if (name === "step between frames") v.step = number;
    else if (name === "sum all intensities") v.sumAll = number;
    else if (name === "intensity integration") v.integration = value;
    else other.push(line);
  }
  return { ...d, virtualFrames: Number.isNaN(v.merged) ? undefined : v, other };
}

/** Write the text block in the wording of PETS2. */
export function petsDetailsText(d: PetsDetails): string {
  const lines: string[] = [];
  const number = (name: string, value: number, width: number, decimals: number): void => {
    if (!Number.isNaN(value)) lines.push(`${name}:${value.toFixed(decimals).padStart(width)}`);
  };
  if (d.geometry !== undefined) lines.push(`data collection geometry: ${d.geometry}`);
  number("dstarmax", d.dStarMax, 7, 3);
  number("RC width", d.rcWidth, 9, 5);
  number("mosaicity", d.mosaicityDeg, 7, 3);
  number(`${d.axisName} axis position`, d.axisPositionDeg, 9, 3);
  number("reflection size", d.reflectionSizePx, 9, 3);
  if (d.integrationMode !== undefined) lines.push(`integration mode: ${d.integrationMode}`);
  if (d.virtualFrames) {
    const { merged, step, sumAll, integration } = d.virtualFrames,
      indent = " ".repeat(24);
    lines.push(`Virtual frame settings: number of merged frames:${String(merged).padStart(3)}`);
    if (!Number.isNaN(step)) lines.push(`${indent}step between frames:${String(step).padStart(7)}`);
    if (!Number.isNaN(sumAll)) lines.push(`${indent}sum all intensities:${String(sumAll).padStart(7)}`);
    if (integration !== undefined) lines.push(`${indent}intensity integration: ${integration}`);
  }
  return [...lines, ...d.other].join("\n");
}
