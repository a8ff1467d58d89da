import { fail } from "../core/errors.js";
import { latin1 } from "./bytes.js";
import type { FrameFacts } from "./frames.js";

/** What a TIA `.emi` says about the experiment: the labelled conditions, and the same in common names. Its pixels are in the `.ser`. */
export interface Emi {
  /** Label → value with its unit, as written, e.g. "Camera length" → "0.490 m". One record per display object. */
  readonly objects: readonly Readonly<Record<string, string>>[];
  readonly facts: FrameFacts;
}

const text = (s: string): string =>
  s.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&apos;", "'").replaceAll("&amp;", "&").trim();

/**
 * Read the ObjectInfo blocks (XML inside the binary file).
 * @throws bad-file when the bytes hold none
 */
export function parseEmi(bytes: Uint8Array): { value: Emi; warnings: readonly string[] } {
  const all = latin1(bytes),
    warnings: string[] = [],
    objects: Record<string, string>[] = [];
  let at = all.indexOf("<ObjectInfo>");
  if (at < 0)
    fail(
      "bad-file",
      { size: bytes.length },
      "this is no TIA .emi file: it holds no ObjectInfo block (an .emi without its acquisition is empty)",
    );
  for (; at >= 0; at = all.indexOf("<ObjectInfo>", at + 1)) {
    const end = all.indexOf("</ObjectInfo>", at);
    if (end < 0) {
      warnings.push("the last ObjectInfo block is cut off");
      break;
    }
    const block = all.slice(at, end),
      record: Record<string, string> = {};
    for (const [, label, value, unit] of block.matchAll(/<Label>([^<]*)<\/Label>\s*<Value>([^<]*)<\/Value>\s*<Unit>([^<]*)<\/Unit>/g))
      record[text(label!)] = text(`${value} ${unit}`);
    for (const name of [
      "AcceleratingVoltage",
      "Tilt1",
      "Tilt2",
      "AcquireDate",
      "Magnification",
      "DwellTimePath",
      "CameraNamePath",
      "Binning",
      "Manufacturer",
    ]) {
      const m = new RegExp(`<${name}>([^<]*)</${name}>`).exec(block);
      if (m) record[name] = text(m[1]!);
    }
    objects.push(record);
  }
  const pick = (label: string): number | undefined => {
    const found = objects.map((o) => Number.parseFloat(o[label] ?? "")).find(Number.isFinite);
    return found;
  };
  const volts = pick("AcceleratingVoltage"),
    tilt = pick("Stage A"),
    length = pick("Camera length"),
    exposure = pick("DwellTimePath");
  const time = objects.map((o) => o.AcquireDate).find((t) => t !== undefined);
  return {
    value: {
      objects,
      facts: {
        ...(volts !== undefined && volts > 1000 ? { voltageKv: volts / 1000 } : {}),
        ...(tilt !== undefined ? { tiltDeg: tilt } : {}),
        ...(length !== undefined && length > 0 ? { distanceMm: length * 1000 } : {}),
        ...(exposure !== undefined && exposure > 0 ? { exposureS: exposure } : {}),
        ...(time !== undefined ? { time } : {}),
      },
    },
    warnings,
  };
}
