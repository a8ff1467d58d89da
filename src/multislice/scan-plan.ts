import { fail, isSdkError } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import type { AtomModel } from "./atoms.js";
import { checkAtoms } from "./atoms-check.js";
import { type CompiledDetectors, compileDetectors, type Detector } from "./detectors.js";
import { antialiasCutoff, reciprocalGrid, type Wave, type WaveGrid } from "./grid.js";
import { multisliceMemory } from "./memory.js";
import { type Snapshots, still } from "./phonons.js";
import type { PotentialOptions } from "./potential.js";
import { ionNames } from "./potential-factors.js";
import { onWindow, type PrismBeams, type PrismWindow, prismBeams, prismBytes, prismWindow } from "./prism-beams.js";
import { probeOutside } from "./probe-size.js";
import type { MultisliceOptions } from "./propagate.js";
import { type Scan, type ScanPositions, scanPositions } from "./scan-positions.js";
import { type Slices, slices } from "./slicing.js";

/** Probes that add up incoherently (focal spread, an extended source): weights sum to 1. */
export interface WeightedProbe {
  readonly wave: Wave;
  readonly weight: number;
}
/** All that a scan depends on. */
export interface ScanSetup {
  readonly grid: WaveGrid;
  readonly beam: Beam;
  /** Amplitude ψ(q) of a probe at the origin, FFT order, [ny, nx, 2]; any scale. Or several with weights. */
  readonly probe: Wave | readonly WeightedProbe[];
  readonly atoms: AtomModel | Snapshots;
  readonly scan: Scan;
  readonly detectors: readonly Detector[];
  readonly potential?: Omit<PotentialOptions, "grid" | "arena"> | undefined;
  readonly multislice?: Omit<MultisliceOptions, "maxMemoryMB"> | undefined;
  /**
   * PRISM in place of a multislice run for every probe: plane waves once, probes as their sums. With `interpolation` f (one number, or two along a and b; default 1)
   * every f-th plane wave alone, and each probe from a window of 1/f of the box. Detectors then have the window's coarser steps of angle.
   */
  readonly prism?: { readonly interpolation?: number | readonly [number, number] | undefined } | undefined;
  /** Thicknesses at which to read the detectors, Å, rising; each goes to the nearest slice boundary. Default: the whole box. */
  readonly depths?: readonly number[] | undefined;
  /** "strict" (default) refuses models and boxes that no good simulation has; "none" runs them. */
  readonly checks?: "strict" | "none" | undefined;
}
/** Memory that a scan takes, bytes. */
export interface ScanMemory {
  /** Tables of form factors and scratch while slices are made. */
  readonly potential: number;
  readonly transmission: number;
  readonly detectors: number;
  /** Waves and tables in flight. */
  readonly waves: number;
  /** Exit waves of PRISM, for all depths. */
  readonly matrix: number;
  /** All readings in numbers, and whole patterns if they are kept. */
  readonly readings: number;
  readonly patterns: number;
}
/** A scan that has passed its checks. */
export interface ScanPlan {
  readonly setup: ScanSetup;
  readonly positions: ScanPositions;
  readonly probes: number;
  readonly waves: readonly WeightedProbe[];
  /** Plane waves of PRISM. */
  readonly prism?: PrismBeams | undefined;
  readonly configurations: Snapshots;
  readonly detectors: CompiledDetectors;
  readonly slices: Slices;
  /** Number of slices behind each depth, and the depths themselves, Å. */
  readonly exits: readonly number[];
  readonly depths: readonly number[];
  readonly memory: ScanMemory;
  readonly warnings: readonly string[];
}

/**
 * Check a scan before it runs and say what it takes.
 * @throws out-of-range for detectors or apertures beyond the grid's reach; bad-value for overlapping atoms, a box smaller than the probe and
 * other input that cannot work: each with the numbers to change
 */
export function planScan(setup: ScanSetup): ScanPlan {
  const { grid, beam, checks = "strict" } = setup;
  const positions = scanPositions(setup.scan, grid),
    probes = positions.positions.length / 2,
    warnings: string[] = [];
  const configurations = "count" in setup.atoms ? setup.atoms : still(setup.atoms);
  if (!(Number.isInteger(configurations.count) && configurations.count >= 1))
    fail("bad-value", { configurations: configurations.count }, "there is at least one configuration of the atoms");
  const first = configurations.snapshot(0);
  const ions = setup.potential?.ions === "model" ? "" : ionNames(first);
  if (ions)
    warnings.push(
      `charges of the model (${ions}) are left out: atoms are neutral (potential: { ions: "model", factors: mottBethe } takes them)`,
    );
  // Displaced atoms come closer than those at rest.
  if (checks === "strict") {
    const limits = "count" in setup.atoms ? { fraction: 0.35, slack: 1 } : {};
    checkAtoms(first, limits);
    // Snapshots of someone's own (no atoms at rest behind them) may go wrong at any time.
    if (!configurations.rest) for (let i = 1; i < configurations.count; i++) checkSnapshot(configurations.snapshot(i), i, limits);
  }
  const cutWindow = setup.prism && prismWindow(grid, setup.prism.interpolation);
  const waves = probesOf(setup, checks === "strict", first.cell[8]!, warnings, cutWindow);
  const prism =
    cutWindow &&
    prismBeams(
      grid,
      cutWindow,
      waves.map((w) => onWindow(w.wave, grid, cutWindow)),
    );
  const detectors = compileDetectors(setup.detectors, prism?.window ?? grid, beam);
  const cut = slices(first, setup.potential ?? {});
  const exits = exitsOf(setup.depths, cut);
  const n = grid.nx * grid.ny,
    bytes = setup.multislice?.precision === "f64" ? 8 : 4;
  const patternBytes = detectors.patterns.reduce((s, p) => s + 4 * p.my * p.mx, 0);
  const { oversample, projection } = setup.potential ?? {};
  const memory: ScanMemory = {
    potential: multisliceMemory({
      grid,
      slices: cut.count,
      elements: new Set(first.atomicNumbers).size,
      precision: setup.multislice?.precision,
      oversample: oversample ?? (setup.potential?.pixelFactor === "abtem" ? 1 : undefined),
      projection,
    }).potential,
    transmission: 2 * bytes * n * cut.count,
    detectors: detectors.masks.byteLength + detectors.labels.reduce((s, l) => s + l.labels.byteLength, 0),
    waves: 2 * bytes * n * (waves.length + 8),
    matrix: prism ? prismBytes(prism, setup.multislice?.precision ?? "f32") * exits.length : 0,
    readings: 8 * detectors.sums * probes * exits.length,
    patterns: patternBytes * probes * exits.length,
  };
  return {
    setup,
    positions,
    probes,
    waves,
    ...(prism ? { prism } : {}),
    configurations,
    detectors,
    slices: cut,
    exits,
    depths: exits.map((e) => cut.bounds[e]!),
    memory,
    warnings: [...new Set(warnings)],
  };
}

/** The same for a later snapshot, which the message names. */
function checkSnapshot(m: AtomModel, i: number, limits: Parameters<typeof checkAtoms>[1]): void {
  try {
    checkAtoms(m, limits);
  } catch (e) {
    if (!isSdkError(e)) throw e;
    fail(e.code, { snapshot: i, ...e.details }, e.hint);
  }
}

function probesOf(setup: ScanSetup, strict: boolean, thickness: number, warnings: string[], cut: PrismWindow | undefined): WeightedProbe[] {
  const { grid, probe } = setup,
    n = grid.nx * grid.ny;
  const list: readonly WeightedProbe[] = Array.isArray(probe) ? (probe as readonly WeightedProbe[]) : [{ wave: probe as Wave, weight: 1 }];
  if (list.length === 0) fail("bad-value", { probes: 0 }, "give at least one probe");
  const sum = list.reduce((s, p) => s + p.weight, 0);
  if (!list.every((p) => p.weight >= 0) || Math.abs(sum - 1) > 1e-6)
    fail("bad-value", { weights: list.map((p) => p.weight) }, "the weights of the probes are not negative and sum to 1");
  const { q2 } = reciprocalGrid(grid),
    cutoff = antialiasCutoff(grid);
  for (const { wave } of list) {
    if (wave.length !== 2 * n)
      fail("bad-shape", { length: wave.length, nx: grid.nx, ny: grid.ny }, "a probe is ψ(q) on the grid, [ny, nx, 2] in FFT order");
    let total = 0,
      outside = 0,
      reach = 0;
    for (let i = 0; i < n; i++) {
      const v = wave[2 * i]! ** 2 + wave[2 * i + 1]! ** 2;
      total += v;
      if (v > 0) reach = Math.max(reach, q2[i]!);
      if (q2[i]! > cutoff * cutoff) outside += v;
    }
    if (!(total > 0 && Number.isFinite(total))) fail("bad-value", { total }, "the probe holds no electrons, or values that are not finite");
    if (outside > 1e-9 * total) {
      const factor = Math.sqrt(reach) / cutoff;
      fail(
        "out-of-range",
        { apertureMrad: 1e3 * Math.sqrt(reach) * setup.beam.wavelength, carriedMrad: 1e3 * cutoff * setup.beam.wavelength },
        `the aperture of the probe reaches beyond what the grid carries: take at least ${Math.ceil(grid.nx * factor)} × ${Math.ceil(grid.ny * factor)} pixels, or a smaller semi-angle`,
      );
    }
    if (!strict) continue;
    const { outside: tail, size, radius } = cut ? probeOutside(onWindow(wave, grid, cut), cut.window) : probeOutside(wave, grid);
    const room = cut && Math.max(...cut.factors) > 1 ? "the window of PRISM" : "the box",
      wider = room === "the box" ? "" : ", a smaller interpolation";
    if (tail > 0.1) {
      const factor = Math.max(2, Math.ceil((2.2 * radius) / size));
      fail(
        "bad-value",
        { outsideFraction: Number(tail.toFixed(3)), boxÅ: Number(size.toFixed(2)) },
        `${room} is smaller than the probe: ${(100 * tail).toFixed(0)} % of its intensity lies beyond half of it and overlaps the next period; repeat the cell about ${factor} times along a and b (repeatAtoms)${wider}, or reduce defocus and aberrations`,
      );
    }
    if (tail > 0.03)
      warnings.push(
        `${(100 * tail).toFixed(1)} % of the probe's intensity lies beyond half of ${room} (${size.toFixed(1)} Å); a larger box${wider} is safer`,
      );
    // The cone of the beam, in and out: half a box is all there is before it meets its neighbours.
    const spread = thickness * setup.beam.wavelength * Math.sqrt(reach);
    if (spread > size / 2)
      warnings.push(
        `over ${thickness.toFixed(0)} Å the beam spreads to ${spread.toFixed(0)} Å from its axis, more than half of ${room} (${size.toFixed(0)} Å): take a box of ${Math.ceil(2 * spread * (cut ? Math.max(...cut.factors) : 1))} Å${wider}`,
      );
  }
  return list.map((p) => ({ wave: p.wave, weight: p.weight }));
}

/** Number of slices in front of each wanted depth. */
function exitsOf(depths: readonly number[] | undefined, { bounds, count }: Slices): number[] {
  if (!depths) return [count];
  const height = bounds[count]!;
  if (depths.length === 0 || !depths.every((d, i) => d > 0 && d <= height * (1 + 1e-9) && (i === 0 || d > depths[i - 1]!)))
    fail("bad-value", { depths, thickness: height }, "depths rise from above 0 to the thickness of the box, in Å");
  const exits = depths.map((d) => {
    let best = 1;
    for (let i = 1; i <= count; i++) if (Math.abs(bounds[i]! - d) < Math.abs(bounds[best]! - d)) best = i;
    return best;
  });
  if (new Set(exits).size !== exits.length)
    fail("bad-value", { depths, slice: height / count }, "two depths fall on the same slice boundary: thinner slices, or fewer depths");
  return exits;
}
