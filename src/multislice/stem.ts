import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { mottBethe } from "../scattering/xray.js";
import type { Aberrations } from "./aberrations.js";
import type { AtomModel } from "./atoms.js";
import { type Crystal, type OrientedAtoms, type OrientOptions, orientedAtoms, tryOrient } from "./atoms-orient.js";
import { focalEnsemble } from "./coherence.js";
import { defocused } from "./defocus.js";
import type { Detector } from "./detectors.js";
import { goodGridSize, gridOfSampling, type WaveGrid, waveGrid } from "./grid.js";
import { poissonDose, sourceBlur } from "./measurements.js";
import { checkMemory } from "./memory.js";
import { frozenPhonons, type PhononOptions, type Snapshots } from "./phonons.js";
import { probeAmplitude } from "./probe.js";
import { enlargeAtoms, samplingForAngle } from "./scan-box.js";
import type { ScanPlan, ScanSetup, WeightedProbe } from "./scan-plan.js";
import { gridScan, type Scan } from "./scan-positions.js";
import type { ScanResult } from "./scan-result.js";

export interface CrystalBoxOptions extends Partial<OrientOptions> {
  /** Smallest width of the box, Å. Default 20. */
  readonly across?: number | undefined;
  /** Smallest thickness, Å. Default: one period. */
  readonly thickness?: number | undefined;
}
export interface CrystalBox extends OrientedAtoms {
  /** The repeated box; `unit` is one period of it. */
  readonly unit: AtomModel;
  readonly repetitions: readonly [number, number, number];
}
/**
 * A crystal made ready for a scan: turned (default [0 0 1] to the source), closed in a box (with as little strain as closes it, by default up to 3 %), repeated. Where no box down a
 * lattice direction closes, say `toSource: { hkl }`.
 */
export function crystalBox(crystal: Crystal, options: CrystalBoxOptions = {}): CrystalBox {
  const { across = 20, thickness = 0, toSource = { uvw: [0, 0, 1] as const }, maxStrain = 0.03, ...rest } = options;
  // As little strain as closes a box.
  let oriented: OrientedAtoms | undefined;
  for (const allowed of [1e-6, 0.003, 0.01])
    if (allowed < maxStrain) oriented ??= tryOrient(crystal, { ...rest, toSource, maxStrain: allowed });
  oriented ??= orientedAtoms(crystal, { ...rest, toSource, maxStrain });
  const { atoms, repetitions } = enlargeAtoms(oriented.atoms, { across, thickness });
  return { ...oriented, atoms, unit: oriented.atoms, repetitions };
}

export interface StemOptions {
  readonly voltageKv: number;
  /** Semi-angle of the probe, mrad. */
  readonly semiangleMrad: number;
  readonly detectors: readonly Detector[];
  readonly aberrations?: Aberrations | undefined;
  /** Chromatic focal spread, 1/e half width, Å; taken by quadrature over `focalSamples` (5) probes. */
  readonly focalSpread?: number | undefined;
  readonly focalSamples?: number | undefined;
  /** Positions; or the area of one period (`unit`) with `shape` probes, or with steps of `step` Å (default λ/4α). */
  readonly scan?: Scan | undefined;
  readonly shape?: readonly [sy: number, sx: number] | undefined;
  readonly unit?: AtomModel | undefined;
  readonly step?: number | undefined;
  /** Å. Default 2. */
  readonly sliceThickness?: number | undefined;
  /** Largest pixel, Å; default what the largest angle asked for needs. */
  readonly sampling?: number | undefined;
  /** Thermal vibrations by snapshots. */
  readonly phonons?: PhononOptions | undefined;
  readonly depths?: readonly number[] | undefined;
  readonly precision?: "f32" | "f64" | undefined;
  /** Grids whose potential and waves do not fit this are refused before a probe is made, MB. Default 2048. */
  readonly maxMemoryMB?: number | undefined;
  /** Tilt of the beam along x and y, mrad. */
  readonly tiltMrad?: readonly [number, number] | undefined;
  /** Ions of the model, by Mott and Bethe's relation from X-ray factors, or neutral atoms (default) by Lobato's. */
  readonly ions?: "neutral" | "model" | undefined;
  /** PRISM with this interpolation factor (1: exact) in place of multislice for every probe. */
  readonly interpolation?: number | undefined;
}

/** A scan from what a microscopist knows: the grid follows from the largest angle asked for. Change any field before `planScan` or `runScan`. */
export function stemSetup(atoms: AtomModel | Snapshots, o: StemOptions): ScanSetup {
  const b = beam(o.voltageKv),
    first = "count" in atoms ? atoms.snapshot(0) : atoms,
    { cell } = first;
  if (!(o.semiangleMrad > 0 && o.semiangleMrad < 300))
    fail(
      "bad-value",
      { semiangleMrad: o.semiangleMrad },
      "semiangleMrad is the convergence semi-angle of the probe in mrad, for example 20",
    );
  const a = [cell[0]!, cell[1]!] as const,
    c = [cell[3]!, cell[4]!] as const;
  // A soft edge is one reciprocal pixel wide.
  const edge = (1e3 * b.wavelength) / Math.min(Math.hypot(...a), Math.hypot(...c));
  const grid = divisible(
    gridOfSampling(a, c, o.sampling ?? samplingForAngle(Math.max(o.semiangleMrad + edge, ...o.detectors.map(reach)), b.wavelength)),
    o.interpolation ?? 1,
  );
  checkMemory({ grid, slices: 1, elements: new Set(first.atomicNumbers).size, precision: o.precision, waves: 2 }, o.maxMemoryMB ?? 2048);
  const optics = (defocus: number) => ({ aperture: o.semiangleMrad / 1e3, aberrations: defocused(o.aberrations, defocus) });
  const spread = o.focalSpread ? focalEnsemble(o.focalSpread, o.focalSamples ?? 5) : undefined;
  const probe: ScanSetup["probe"] = spread
    ? Array.from(spread.value, (d, i): WeightedProbe => ({ wave: probeAmplitude(grid, b, optics(d)), weight: spread.weight[i]! }))
    : probeAmplitude(grid, b, optics(0));
  const period = o.unit?.cell ?? cell;
  const area = { a: [period[0]!, period[1]!], b: [period[3]!, period[4]!] } as const;
  return {
    grid,
    beam: b,
    probe,
    atoms: o.phonons
      ? frozenPhonons("count" in atoms ? fail("bad-value", {}, "snapshots vibrate already: leave phonons out") : atoms, o.phonons)
      : atoms,
    scan:
      o.scan ??
      (o.shape
        ? { kind: "grid", shape: o.shape, ...area }
        : gridScan(area, o.step === undefined ? { semiangleMrad: o.semiangleMrad, wavelength: b.wavelength } : { step: o.step })),
    detectors: o.detectors,
    potential: { sliceThickness: o.sliceThickness ?? 2, ...(o.ions === "model" ? { ions: "model" as const, factors: mottBethe } : {}) },
    multislice: {
      precision: o.precision ?? "f32",
      ...(o.tiltMrad ? { tilt: [o.tiltMrad[0] / 1e3, o.tiltMrad[1] / 1e3] as const } : {}),
    },
    ...(o.interpolation === undefined ? {} : { prism: { interpolation: o.interpolation } }),
    ...(o.depths ? { depths: o.depths } : {}),
  };
}
/** A grid whose pixels an interpolation factor divides. */
function divisible(g: WaveGrid, factor: number): WaveGrid {
  if (!(Number.isInteger(factor) && factor >= 1))
    fail("bad-value", { interpolation: factor }, "the interpolation of PRISM is a whole number: 1 is exact, 2 to 8 are usual");
  const up = (n: number): number => (n % factor === 0 ? n : factor * goodGridSize(n / factor));
  return waveGrid(up(g.nx), up(g.ny), g.a, g.b);
}
/** Largest angle of a detector, mrad; 0 where it takes what the grid has. */
function reach(d: Detector): number {
  const offset = d.kind === "pixelated" ? 0 : Math.hypot(...(d.offsetMrad ?? [0, 0]));
  const outer = d.kind === "pixelated" || d.kind === "centerOfMass" ? d.maxMrad : d.outerMrad;
  return typeof outer === "number" && Number.isFinite(outer) ? outer + offset : 0;
}

/** What a scan will do, in a line. */
export function describeScan(plan: ScanPlan): string {
  const { grid } = plan.setup,
    { patterns, ...rest } = plan.memory,
    mb = (bytes: number): number => Math.ceil(bytes / 1048576),
    kept = patterns > 0 ? `, patterns of ${mb(patterns)} MB (in memory or in their file)` : "";
  const runs = [
    plan.configurations.count > 1 ? `${plan.configurations.count} configurations` : "",
    plan.waves.length > 1 ? `${plan.waves.length} incoherent probes` : "",
    plan.prism ? `PRISM from ${plan.prism.count} plane waves (interpolation ${plan.prism.factors[0]})` : "",
  ];
  return `${plan.configurations.snapshot(0)}: ${[`${plan.probes} probes`, ...runs].filter((t) => t !== "").join(" × ")}, waves of ${grid.nx} × ${grid.ny} pixels, ${plan.slices.count} slices, about ${mb(Object.values(rest).reduce((s, v) => s + v, 0))} MB${kept}`;
}

/** One image of a grid scan. */
export interface StemImage {
  readonly name: string;
  /** Å, of a thickness series. */
  readonly depth?: number | undefined;
  readonly data: Float32Array;
  readonly shape: readonly [sy: number, sx: number];
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}
/**
 * The images of a grid scan, one for each detector that reads a number, and each depth; after the source's size and the dose, where they are given.
 * @param sourceFwhm - full width at half maximum of the source at the specimen, Å
 * @param dose - electrons per Å²; images are then counts
 */
export function stemImages(
  plan: ScanPlan,
  result: ScanResult,
  {
    sourceFwhm = 0,
    dose = 0,
    rng,
  }: { readonly sourceFwhm?: number | undefined; readonly dose?: number | undefined; readonly rng?: Rng | undefined } = {},
): readonly StemImage[] {
  const { steps, shape } = plan.positions;
  if (!steps) return fail("unsupported", { shape }, "images come from grid scans; take the readings of lines and lists as they are");
  if (dose > 0 && !rng) fail("bad-value", { dose }, "counting needs random numbers: pass rng(seed)");
  const [sy, sx] = shape as [number, number],
    pixel = Math.abs(steps.x[0] * steps.y[1] - steps.x[1] * steps.y[0]);
  return result.readings.flatMap((r, k) => {
    const depths = r.data.length / (sy * sx);
    if (r.shape.length !== (plan.setup.depths ? 3 : 2)) return [];
    return Array.from({ length: depths }, (_, d): StemImage => {
      let data: Float32Array | Float64Array = r.data.slice(d * sy * sx, (d + 1) * sy * sx);
      if (sourceFwhm > 0) data = sourceBlur({ data, shape: [sy, sx] }, steps, sourceFwhm);
      if (dose > 0)
        data = poissonDose(
          data.map((v) => Math.max(0, v)),
          dose * pixel,
          rng!.fork(`${k} ${d}`),
        );
      const values = Float32Array.from(data),
        of = (f: (a: number, b: number) => number): number => values.reduce((p, q) => f(p, q));
      return {
        name: r.name,
        ...(plan.setup.depths ? { depth: result.depths[d]! } : {}),
        data: values,
        shape: [sy, sx],
        mean: values.reduce((p, q) => p + q, 0) / values.length,
        min: of(Math.min),
        max: of(Math.max),
      };
    });
  });
}
