import { fail } from "../core/errors.js";
import { invAngstromPerPixel, pixelOrigin } from "../geometry/index.js";
import type { DialsExperiment, PetsPeaks, Pts, ReflTable } from "../io/index.js";
import { reflNumbers } from "../io/index.js";
import type { IndexingOptions } from "./indexing.js";
import { type PeakTable, peakTable, selectPeaks } from "./peak-table.js";
import type { Peaks3d } from "./peaks3d.js";

/** Spots of a PETS2 `.rpl` or `.cor` list. Pixel positions are moved to the index convention (PETS2 counts from 1), frames to 0; a spot that stands twice is taken once. */
export function peaksFromRpl(rpl: PetsPeaks): PeakTable {
  const shift = pixelOrigin.pets - pixelOrigin.ewald;
  const seen = new Set<string>(),
    once = Array.from({ length: rpl.size }, (_, i) => [rpl.frame[i], rpl.px[i], rpl.py[i]].join()).map(
      (key) => !seen.has(key) && seen.add(key) !== undefined,
    );
  const all = peakTable({
    frame: rpl.frame.map((f) => f - 1),
    px: rpl.px.map((v) => v - shift),
    py: rpl.py.map((v) => v - shift),
    intensity: rpl.intensity,
    sigma: rpl.sigma,
    alphaDeg: rpl.alphaDeg,
  });
  return seen.size < rpl.size ? selectPeaks(all, (i) => once[i]!) : all;
}

/** Wavelength, scale and tilt angles of a PETS2 project, as options of the indexing. The tilt axis of the file is not passed on: it is found. */
export function indexingOptionsFromPts(pts: Pts): Partial<IndexingOptions> {
  return {
    ...(pts.wavelength > 0 ? { wavelength: pts.wavelength } : {}),
    ...(pts.aPerPixel > 0 ? { aperpixel: pts.aPerPixel } : {}),
    ...(pts.images.size > 0 ? { alphaDeg: pts.images.alphaDeg } : {}),
  };
}

/** 3-D maxima of a DIALS reflection table and the geometry that goes with them. */
export interface DialsMaxima {
  readonly maxima: Peaks3d;
  readonly options: IndexingOptions;
  /** Rows of the table that were kept, and how many were left out as bad pixels. */
  readonly rows: Int32Array;
  readonly badPixels: number;
}

/**
 * Strong spots of a DIALS `.refl` with the geometry of its `.expt`: one flat panel facing the beam, one goniometer axis perpendicular to it.
 * DIALS counts pixels from the corner of the first one and frames from its start, so ½ is taken off each. A box of one pixel that lasts three
 * frames and more is a bad pixel: no reflection stays within one pixel while it passes the Ewald sphere, so such rows are left out.
 * @throws unsupported for several panels, not-found when beam, goniometer or scan is missing
 */
export function maximaFromRefl(refl: ReflTable, experiment: DialsExperiment): DialsMaxima {
  const { beam, goniometer, scan } = experiment,
    panel = experiment.detector[0];
  if (!beam || !goniometer || !scan || !panel)
    return fail(
      "not-found",
      { beam: !!beam, detector: !!panel, goniometer: !!goniometer, scan: !!scan },
      "the .expt file must hold a beam, a detector, a goniometer and a scan: pass imported.expt of the same data",
    );
  if (experiment.detector.length > 1) fail("unsupported", { panels: experiment.detector.length }, "detectors of one panel only");
  const xyz = reflNumbers(refl, "xyzobs.px.value", 3),
    box = reflNumbers(refl, "bbox", 6),
    counts = reflNumbers(refl, "intensity.sum.value", 1);
  const frames = scan.imageRange[1] - scan.imageRange[0] + 1,
    first = scan.imageRange[0] - 1,
    [start, width] = scan.oscillation;
  const isBad = (i: number): boolean =>
    box[6 * i + 1]! - box[6 * i]! <= 1 && box[6 * i + 3]! - box[6 * i + 2]! <= 1 && box[6 * i + 5]! - box[6 * i + 4]! >= 3;
  const rows = Int32Array.from(Array.from({ length: refl.size }, (_, i) => i).filter((i) => !isBad(i)));
  const size = rows.length,
    column = (f: (i: number) => number): Float64Array => Float64Array.from(rows, f);
  const clamp = (f: number): number => Math.min(frames - 1, Math.max(0, f));
  const distance = Math.abs(panel.origin[2]);
  const flip = { flipX: panel.fastAxis[0] < 0, flipY: panel.slowAxis[1] > 0 };
  // The direct beam leaves along −direction; it meets the plane of the panel at z = origin z.
  const t = panel.origin[2] / -beam.direction[2];
  const [bx, by] = [-beam.direction[0] * t - panel.origin[0], -beam.direction[1] * t - panel.origin[1]];
  const alphaDeg = Float64Array.from({ length: frames }, (_, f) => start + (f + 0.5) * width);
  return {
    rows,
    badPixels: refl.size - size,
    maxima: {
      size,
      px: column((i) => xyz[3 * i]! - pixelOrigin.dials),
      py: column((i) => xyz[3 * i + 1]! - pixelOrigin.dials),
      frame: column((i) => clamp(xyz[3 * i + 2]! - first - 0.5)),
      alphaDeg: column((i) => start + (xyz[3 * i + 2]! - first) * width),
      intensity: column((i) => counts[i]!),
      peakIntensity: column((i) => counts[i]! / Math.max(1, box[6 * i + 5]! - box[6 * i + 4]!)),
      spots: Int32Array.from(rows, (i) => box[6 * i + 5]! - box[6 * i + 4]!),
      widthDeg: column((i) => ((box[6 * i + 5]! - box[6 * i + 4]!) * width) / 4),
      truncated: Uint8Array.from(rows, (i) => (box[6 * i + 4]! <= first || box[6 * i + 5]! >= first + frames ? 1 : 0)),
      member: new Int32Array(0),
    },
    options: {
      wavelength: beam.wavelength,
      aperpixel: invAngstromPerPixel(distance, panel.pixelSize[0], beam.wavelength),
      alphaDeg,
      centrePx: [
        (bx * panel.fastAxis[0] + by * panel.fastAxis[1]) / panel.pixelSize[0] - pixelOrigin.dials,
        (bx * panel.slowAxis[0] + by * panel.slowAxis[1]) / panel.pixelSize[1] - pixelOrigin.dials,
      ],
      size: panel.imageSize,
      projection: "gnomonic",
      ...flip,
    },
  };
}
