import { version } from "../core/version.js";
import { cellParameters } from "../geometry/cell.js";
import { pixelOrigin } from "../geometry/detector.js";
import { sampleVectors } from "../integration/peaks3d-vectors.js";
import {
  edCifDocument,
  emptyPts,
  type PetsCell,
  ptsImagesOf,
  withPtsBlock,
  withPtsImages,
  withPtsKeyword,
  writeCelllist,
  writeCenloc,
  writeCif,
  writePts,
  writeRpl,
  writeXyz,
} from "../io/index.js";
import type { ProcessingRecord } from "./process.js";

export interface RecordFilesOptions {
  /** Stem of the file names. */
  readonly name?: string;
  /** Image file of every frame, as the `.pts` shall name it. */
  readonly images?: readonly string[];
  /** Digests of the inputs, options, seed: goes into the JSON. */
  readonly provenance?: Readonly<Record<string, unknown>>;
}

/**
 * The files of a run, name → text: PETS2's `.pts` (refined angles, scales, centre, axis and lattice), `.rpl`, `.xyz`, `.cenloc`, `.celllist`;
 * a CIF with the cell; `<name>.json` with UB, cell, corrections and what is needed to repeat the run. Pixels are PETS2's in its files, ours in the JSON.
 */
export function recordFiles(
  record: ProcessingRecord,
  { name = "series", images, provenance = {} }: RecordFilesOptions = {},
): ReadonlyMap<string, string> {
  return new Map([
    [`${name}.pts`, pts(record, images)],
    [`${name}.rpl`, rpl(record)],
    [`${name}.xyz`, xyz(record)],
    [
      `${name}.cenloc`,
      writeCenloc({
        size: record.shape[0],
        px: record.centres.x.map((v) => v + pixelOrigin.pets),
        py: record.centres.y.map((v) => v + pixelOrigin.pets),
        pairs: Int32Array.from(record.frames, (f) => (f.centre.method === "friedel-pairs" ? f.centre.count : 0)),
      }),
    ],
    [`${name}.celllist`, writeCelllist(petsCells(record))],
    [`${name}.cif`, cif(record, name)],
    [`${name}.json`, `${JSON.stringify(recordSummary(record, provenance), undefined, 1)}\n`],
  ]);
}

/** What a run found, as plain numbers for another program. */
export function recordSummary(r: ProcessingRecord, provenance: Readonly<Record<string, unknown>> = {}) {
  const { corrections, rocking } = r.orientations ?? {};
  return {
    program: `ewald ${version}`,
    ...provenance,
    frames: r.shape[0],
    spots: r.peaks.size,
    reflections: r.indexing.maxima.size,
    fractionIndexed: r.indexed.fraction,
    bravais: r.lattice.bravais,
    cell: cellParameters(r.cell),
    cellSigma: r.cellSigma.slice(0, 6),
    volume: r.cell.volume,
    ub: r.ub,
    omegaDeg: r.omegaDeg,
    wavelength: r.series.wavelength,
    invAngstromPerPixel: r.series.invAngstromPerPixel,
    exposure: r.series.exposure,
    noise: r.settings.noise,
    distortion: r.distortion?.kept ? r.distortion.result.distortion : undefined,
    rocking,
    lattices: r.lattices.map((l) => ({ ...l, cell: cellParameters(l.cell), cellSigma: l.cellSigma.slice(0, 6) })),
    geometry: r.geometry,
    corrections:
      corrections &&
      Object.fromEntries(
        Object.entries(corrections).map(([k, v]) => [k, Array.from(v as Float64Array, (x) => (Number.isFinite(x) ? x : null))]),
      ),
    warnings: r.warnings,
  };
}

/** One item a lattice: PETS2 takes the active one, the others are the twin's. */
function petsCells(r: ProcessingRecord): PetsCell[] {
  return r.lattices.map((l, i) => ({
    label: i === 0 ? "active" : `individual ${i + 1}`,
    ub: [...l.ub] as unknown as NonNullable<PetsCell["ub"]>,
    directions: undefined,
    cell: cellParameters(l.cell) as unknown as NonNullable<PetsCell["cell"]>,
    su: l.cellSigma.slice(0, 6).map((s) => (Number.isFinite(s) ? s : 0)) as unknown as NonNullable<PetsCell["su"]>,
    volume: l.cell.volume,
    symmetry: undefined,
    centering: r.lattice.centring,
    other: [],
  }));
}

function pts(r: ProcessingRecord, images: readonly string[] | undefined): string {
  const { series, settings, geometry } = r,
    e = series.exposure,
    n = (v: number, digits: number): string => String(Number(v.toFixed(digits)));
  const centre = r.instrument.detector.centrePx.map((v) => n(v + pixelOrigin.pets, 3)).join(" ");
  const keywords: [string, string][] = [
    ["lambda", n(series.wavelength, 6)],
    ["aperpixel", n(series.invAngstromPerPixel, 7)],
    ["geometry", e.kind],
    ["phi", n(e.kind === "continuous" ? e.halfWidthDeg : e.kind === "precession" ? e.semiAngleDeg : 0, 5)],
    ["omega", n(r.omegaDeg, 4)],
    ["noiseparameters", `${n(settings.noise.gain, 4)} ${n(settings.noise.psi, 4)}`],
    ["center", centre],
    ["reflectionsize", n(settings.diameter, 1)],
    ["i/sigma", `${n(settings.minSnr, 2)} ${n(settings.minSnr, 2)}`],
    ...(Number.isFinite(settings.saturation) ? [["saturationlimit", n(settings.saturation, 0)] as [string, string]] : []),
    [
      "referencecell",
      `${cellParameters(r.cell)
        .map((v) => v.toFixed(4))
        .join(" ")} 1`,
    ],
  ];
  const scale = series.invAngstromPerPixel;
  const list = ptsImagesOf(
    geometry.map((g, i) => ({
      file: images?.[i] ?? `frame_${String(i + 1).padStart(5, "0")}.tiff`,
      alphaDeg: g.alphaDeg,
      betaDeg: g.betaDeg,
      deltaOmegaDeg: ((g.omegaDeg - r.omegaDeg + 540) % 360) - 180,
      scale: g.scale ?? 1,
      calibration: (g.magnification ?? 0) / scale,
    })),
  );
  const base = keywords.reduce((d, [k, v]) => withPtsKeyword(d, k, v), emptyPts());
  return writePts(
    withPtsImages(
      withPtsBlock(
        base,
        "celllist",
        writeCelllist(petsCells(r))
          .split(/\r?\n/)
          .filter((l) => l !== ""),
      ),
      list,
    ),
  );
}

function rpl(r: ProcessingRecord): string {
  const { peaks } = r,
    v = sampleVectors(peaks, r.instrument, r.geometry),
    column = (k: number): Float64Array => Float64Array.from({ length: peaks.size }, (_, i) => v[3 * i + k]!);
  const shift = (c: Float64Array): Float64Array => c.map((x) => x + pixelOrigin.pets),
    rounded = (c: Float64Array): Int32Array => Int32Array.from(c, (x) => Math.round(x + pixelOrigin.pets));
  // Rows of a frame follow each other in the order of its spots; some spots were left out.
  const maximum = new Float64Array(peaks.size);
  for (let i = 0, k = 0; i < peaks.size; i++) {
    const { spots } = r.frames[peaks.frame[i]!]!;
    if (i > 0 && peaks.frame[i] !== peaks.frame[i - 1]) k = 0;
    while (k < spots.size && (spots.x[k] !== peaks.px[i] || spots.y[k] !== peaks.py[i])) k++;
    maximum[i] = spots.peak[k] ?? Number.NaN;
  }
  return writeRpl({
    size: peaks.size,
    x: column(0),
    y: column(1),
    z: column(2),
    intensity: peaks.intensity,
    sigma: peaks.sigma,
    pxMax: rounded(peaks.px),
    pyMax: rounded(peaks.py),
    px: shift(peaks.px),
    py: shift(peaks.py),
    alphaDeg: peaks.alphaDeg,
    maximum,
    frame: peaks.frame.map((f) => f + 1),
  });
}

function xyz(r: ProcessingRecord): string {
  const m = r.indexing.maxima,
    column = (k: number): Float64Array => Float64Array.from({ length: m.size }, (_, i) => r.vectors[3 * i + k]!);
  const strongest = new Int32Array(m.size).fill(0);
  m.member.forEach((g, i) => {
    if (g >= 0 && (strongest[g] === 0 || r.peaks.intensity[i]! > r.peaks.intensity[strongest[g]! - 1]!)) strongest[g] = i + 1;
  });
  const whole = (c: ArrayLike<number>, plus: number): Int32Array => Int32Array.from(c, (v) => Math.round(v + plus));
  return writeXyz({
    size: m.size,
    x: column(0),
    y: column(1),
    z: column(2),
    intensity: m.intensity,
    reserved: new Float64Array(m.size),
    px: whole(m.px, pixelOrigin.pets),
    py: whole(m.py, pixelOrigin.pets),
    frame: whole(m.frame, 1),
    alphaDeg: m.alphaDeg,
    peak: strongest,
    count: m.spots,
  });
}

function cif(r: ProcessingRecord, name: string): string {
  const e = r.series.exposure,
    voltage = r.instrument.beam.voltageKv;
  return writeCif(
    edCifDocument({
      name,
      cell: cellParameters(r.cell),
      cellSu: r.cellSigma.slice(0, 6),
      volume: { value: r.cell.volume, su: r.cellSigma[6] ?? Number.NaN },
      experiment: {
        wavelength: r.series.wavelength,
        voltageKv: Number(voltage.toFixed(3)),
        rotationMode: e.kind === "continuous" ? "rotation" : "stepwise",
        precession: e.kind === "precession",
        ...(e.kind === "precession" ? { precessionSemiAngleDeg: e.semiAngleDeg } : {}),
        ...(r.orientations ? { mosaicityDeg: Number(r.orientations.rocking.mosaicityDeg.toFixed(4)) } : {}),
      },
    }),
  );
}
