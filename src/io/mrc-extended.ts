import { cursor } from "./bytes.js";
import type { FrameFacts } from "./frames.js";

/** Per-frame facts of an extended header, and its fields by name for the first frames asked for. */
export interface MrcExtended {
  /** FEI1, FEI2, SERI, AGAR, CCP4, MRCO, HDF5 … as the file says it; "FEI (old)" for the unnamed 128-byte records. */
  readonly kind: string;
  /** Number of per-frame records. */
  readonly records: number;
  /** Record of frame i; undefined where there is none. */
  record(i: number): Readonly<Record<string, number | string>> | undefined;
}

/** Fields of FEI1 and FEI2 records: name, byte offset, type. Offsets as in the MRC extension of the EPU software (record version 0 to 2). */
const feiFields = [
  ["timestamp", 12, "f64"],
  ["microscope", 20, "text"],
  ["application", 52, "text"],
  ["highTensionV", 84, "f64"],
  ["dose", 92, "f64"],
  ["alphaTiltDeg", 100, "f64"],
  ["betaTiltDeg", 108, "f64"],
  ["stageX", 116, "f64"],
  ["stageY", 124, "f64"],
  ["stageZ", 132, "f64"],
  ["tiltAxisDeg", 140, "f64"],
  ["pixelSizeX", 156, "f64"],
  ["pixelSizeY", 164, "f64"],
  ["defocus", 220, "f64"],
  ["magnification", 289, "f64"],
  ["cameraLength", 301, "f64"],
  ["convergenceAngle", 329, "f64"],
  ["integrationTime", 419, "f64"],
  ["camera", 435, "text"],
] as const;

/** Fields of FEI2 records only (from byte 768 on), continuous-rotation data of EPU-D among them. */
const fei2Fields = [
  ["startTiltAngle", 820, "f64"],
  ["endTiltAngle", 828, "f64"],
  ["tiltPerImage", 836, "f64"],
  ["tiltSpeed", 844, "f64"],
  ["beamCenterX", 852, "i32"],
  ["beamCenterY", 856, "i32"],
] as const;

/** The unnamed FEI records of 32 floats, 1024 of them, in file order. */
const oldFei = [
  "alphaTiltDeg",
  "betaTiltDeg",
  "stageX",
  "stageY",
  "stageZ",
  "imageShiftX",
  "imageShiftY",
  "defocus",
  "exposureS",
  "meanIntensity",
  "tiltAxisDeg",
  "pixelSize",
  "magnification",
  "highTensionV",
  "binning",
  "appliedDefocus",
] as const;

/**
 * Interpret an extended header.
 * @param exttyp - the four letters at byte 104
 * @param counts - the two 16-bit numbers at bytes 128 and 130 (record bytes and flags of SerialEM; integers and reals of Agard's form)
 */
export function mrcExtended(
  bytes: Uint8Array,
  exttyp: string,
  counts: readonly [number, number],
  littleEndian: boolean,
): MrcExtended | undefined {
  if (bytes.length === 0) return undefined;
  const c = cursor(bytes, { littleEndian });
  if ((exttyp === "FEI1" || exttyp === "FEI2") && bytes.length >= 16) {
    const size = c.i32();
    if (size < 436 || size > bytes.length) return { kind: exttyp, records: 0, record: () => undefined };
    const fields = size >= 860 ? [...feiFields, ...fei2Fields] : feiFields;
    return {
      kind: exttyp,
      records: Math.floor(bytes.length / size),
      record: (i) => {
        if ((i + 1) * size > bytes.length) return undefined;
        const out: Record<string, number | string> = {};
        for (const [name, at, type] of fields) {
          c.seek(i * size + at);
          out[name] = type === "f64" ? c.f64() : type === "i32" ? c.i32() : c.text(16);
        }
        return out;
      },
    };
  }
  if (exttyp === "SERI") return serialEm(bytes, counts, littleEndian);
  const [integers, reals] = counts;
  const agard = exttyp === "AGAR" || (exttyp === "" && integers >= 0 && reals >= 12 && reals <= 64 && integers <= 64);
  if (agard && (integers + reals) * 4 > 0) {
    const size = (integers + reals) * 4;
    return {
      kind: exttyp === "AGAR" ? "AGAR" : "FEI (old)",
      records: Math.floor(bytes.length / size),
      record: (i) => {
        if ((i + 1) * size > bytes.length) return undefined;
        c.seek(i * size + integers * 4);
        const out: Record<string, number> = {};
        for (let k = 0; k < reals; k++) out[oldFei[k] ?? `real${k}`] = c.f32();
        return out;
      },
    };
  }
  return { kind: exttyp || "unknown", records: 0, record: () => undefined };
}

/** SerialEM's records: which values are there is told by flag bits; each is one or more 16-bit integers. */
function serialEm(bytes: Uint8Array, [size, flags]: readonly [number, number], littleEndian: boolean): MrcExtended {
  const c = cursor(bytes, { littleEndian });
  return {
    kind: "SERI",
    records: size > 0 ? Math.floor(bytes.length / size) : 0,
    record: (i) => {
      if (size <= 0 || (i + 1) * size > bytes.length) return undefined;
      const part = cursor(bytes.subarray(i * size, (i + 1) * size), { littleEndian: c.littleEndian });
      const out: Record<string, number> = {};
      const take = (bit: number, need: number, read: () => void): void => {
        if (flags & bit && part.left >= need) read();
      };
      take(1, 2, () => {
        out.alphaTiltDeg = part.i16() / 100;
      });
      take(2, 6, () => {
        out.pieceX = part.i16();
        out.pieceY = part.i16();
        out.pieceZ = part.i16();
      });
      take(4, 4, () => {
        out.stageXum = part.i16() / 25;
        out.stageYum = part.i16() / 25;
      });
      take(8, 2, () => {
        out.magnification = part.i16() * 100;
      });
      take(16, 2, () => {
        out.intensity = part.i16() / 25000;
      });
      take(32, 4, () => {
        // SerialEM's own float: two shorts, value and power of two.
        const a = part.i16(),
          b = part.i16();
        const low = Math.abs(b) & 255,
          exponent = Math.abs(b) >> 8;
        out.dose = Math.sign(a || 1) * (Math.abs(a) * 256 + low) * 2 ** (exponent * (b < 0 ? -1 : 1));
      });
      return out;
    },
  };
}

/** Facts of one record. */
export function extendedFacts(r: Readonly<Record<string, number | string>> | undefined): FrameFacts {
  if (!r) return {};
  const n = (key: string): number | undefined =>
    typeof r[key] === "number" && Number.isFinite(r[key]) && r[key] !== 0 ? r[key] : undefined;
  const volts = n("highTensionV"),
    length = n("cameraLength"),
    exposure = n("integrationTime") ?? n("exposureS");
  const tilt = r.startTiltAngle && n("startTiltAngle") !== undefined ? n("startTiltAngle") : r.alphaTiltDeg;
  return {
    ...(typeof tilt === "number" ? { tiltDeg: tilt } : {}),
    ...(n("tiltPerImage") === undefined ? {} : { tiltStepDeg: n("tiltPerImage")! }),
    ...(volts && volts > 1000 ? { voltageKv: volts / 1000 } : {}),
    // metres; the records of images carry one too, of no meaning there
    ...(length ? { distanceMm: length * 1000 } : {}),
    ...(exposure ? { exposureS: exposure } : {}),
  };
}
