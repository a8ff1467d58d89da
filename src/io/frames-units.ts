/**
 * Header values brought to one unit. Writers disagree about units; each function accepts the unit that the value can only have, says so
 * in a warning, and returns undefined (with a warning) where no unit makes sense.
 */
type Warn = (text: string) => void;

const finite = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);

/** Detector pixel, mm: 1 µm to 0.5 mm. Metres (5.5e-5) and micrometres (55) are recognised. */
export function pixelInMm(value: number | undefined, warn: Warn): number | undefined {
  if (!finite(value)) return undefined;
  if (value >= 1e-3 && value <= 0.5) return value;
  if (value >= 1e-6 && value < 5e-4) {
    warn(`pixel size ${value} cannot be mm; taken as metres`);
    return value * 1e3;
  }
  if (value >= 1 && value <= 500) {
    warn(`pixel size ${value} cannot be mm; taken as micrometres`);
    return value * 1e-3;
  }
  warn(`pixel size ${value} is no detector pixel in mm, m or µm; ignored`);
  return undefined;
}

/** Camera length, mm: above 10. Smaller values are metres. */
export function distanceInMm(value: number | undefined, warn: Warn): number | undefined {
  if (!finite(value)) return undefined;
  if (value >= 10) return value;
  if (value > 0.01) {
    warn(`distance ${value} cannot be mm; taken as metres`);
    return value * 1e3;
  }
  warn(`distance ${value} is no camera length; ignored`);
  return undefined;
}

/** Wavelength, Å. Metres and nanometres are recognised by electron wavelengths at 30 to 1500 kV (0.005 to 0.07 Å). */
export function wavelengthInAngstrom(value: number | undefined, warn: Warn): number | undefined {
  if (!finite(value) || value === 0) {
    warn("the header states no wavelength: it has to be given");
    return undefined;
  }
  if (value >= 0.005 && value <= 0.07) return value;
  if (value >= 5e-13 && value <= 7e-12) {
    warn(`wavelength ${value} cannot be Å; taken as metres`);
    return value * 1e10;
  }
  if (value >= 5e-4 && value < 0.005) {
    warn(`wavelength ${value} cannot be Å; taken as nanometres`);
    return value * 10;
  }
  if (value > 0.07 && value < 10) {
    warn(`wavelength ${value} Å is none of an electron microscope (X-rays, or picometres?); kept as written`);
    return value;
  }
  warn(`wavelength ${value} makes no sense in Å, nm or m; ignored`);
  return undefined;
}

/** Acceleration voltage, kV: 1 to 1500. Volts are recognised. */
export function voltageInKv(value: number | undefined, warn: Warn): number | undefined {
  if (!finite(value) || value === 0) return undefined;
  if (value >= 1 && value <= 1500) return value;
  if (value >= 10_000 && value <= 1_500_000) return value / 1000;
  warn(`acceleration voltage ${value} makes no sense in kV or V; ignored`);
  return undefined;
}

/**
 * A beam centre that may be in pixels or in mm: the reading that lies nearer to the middle of the detector. Warns for the one that the
 * format does not say.
 * @param pair - as written, same order as `size`
 * @param size - pixels of the detector
 */
export function centreInPixels(
  pair: readonly [number, number],
  size: readonly [number, number],
  pixelMm: number | undefined,
): { readonly pixels: readonly [number, number]; readonly unit: "px" | "mm" } {
  const far = (p: readonly [number, number]): number => Math.hypot(p[0] / size[0] - 0.5, p[1] / size[1] - 0.5);
  if (pixelMm === undefined) return { pixels: pair, unit: "px" };
  const inMm = [pair[0] / pixelMm, pair[1] / pixelMm] as const;
  return far(inMm) < far(pair) ? { pixels: inMm, unit: "mm" } : { pixels: pair, unit: "px" };
}

/** A number from header text; undefined for none and for text that is none (`{phi:.4f}`). */
export function headerNumber(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || !/^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?/.test(value)) return undefined;
  const n = Number.parseFloat(value);
  return Number.isFinite(n) ? n : undefined;
}
