import { fail } from "../core/errors.js";
import { wasmAvailable } from "../kernels/memory.js";
import { lineData, lineWeights, pairSlices, type SlopeWeighting, sectorsOf, withheldLines } from "./equal-slope-data.js";
import { type EqualSlopeEngine, equalSlopeEngine, equalSlopeMemory } from "./equal-slope-engine.js";
import { goodLength } from "./fourier-grid.js";
import { checkMemory, checkVolumes, type Reconstruction, type ReconstructOptions, volumeShape } from "./reconstruction.js";
import { runner } from "./runner.js";
import { type SlopeLines, slopeLines } from "./slopes.js";
import { clipWarnings, outsideSupport } from "./support-clip.js";
import type { TiltSeries } from "./tilt-series.js";

export interface EqualSlopeOptions extends Omit<ReconstructOptions, "kernels"> {
  /** Steps between slope 0 and slope 1. Default: the coarsest grid that holds every view. */
  readonly steps?: number | undefined;
  /** Largest distance of a tilt from its line, degrees. Default 0.05. */
  readonly toleranceDeg?: number | undefined;
  /** Radial samples over the slice's larger side. Default 2. */
  readonly oversampling?: number | undefined;
  /**
   * Weights of the measured points: "equal" (default) is right for noisy views, few iterations regularise; "area" (that of a point in the plane)
   * converges in a third of the iterations and suits views with little noise.
   */
  readonly weighting?: SlopeWeighting | undefined;
  readonly kernels?: "wasm" | "js" | undefined;
}

/**
 * Equal-slope tomography (EST): slices across the tilt axis from the transforms of their projections on pseudo-polar lines. Minimises
 * ½ Σ w |F(x) − M|² over the measured points, F the exact pseudo-polar FFT w as `weighting` says, by gradient steps with momentum between
 * Fourier and real space; positivity and support after each. Lines that were not measured stay free. Figures, over the measured points of all slices:
 * `rkMagnitude` and `rkComplex` as for GENFIRE, `rkFree` over withheld whole lines (`withhold`: a fraction of the views). One tilt axis, x or y.
 * @see Miao, Förster & Levi, Phys. Rev. B 72, 052103 (2005); Scott et al., Nature 483, 444 (2012); O'Donoghue & Candès, Found. Comput. Math. 15, 715 (2015)
 * @throws unsupported for other poses or tilts off the lines, bad-value, bad-shape, too-large
 */
export async function equalSlope(series: TiltSeries, options: EqualSlopeOptions = {}): Promise<Reconstruction> {
  const {
    iterations = 30,
    withhold = 0,
    seed = 1,
    patience = 0,
    oversampling = 2,
    toleranceDeg = 0.05,
    weighting = "equal",
    signal,
  } = options;
  check(series, options);
  const box = volumeShape(series, options.volume),
    [nz, ny, nx] = box,
    [views, py, px] = series.shape;
  const lines = slopeLines(series.poses, toleranceDeg, Math.max(64, nx, ny), options.steps);
  const [slices, across, wide] = lines.axis === "y" ? [ny, nx, px] : [nx, ny, py];
  if (slices !== (lines.axis === "y" ? py : px) || across < wide)
    fail(
      "bad-shape",
      { volume: box, views: [py, px], axis: lines.axis },
      "the volume is as long as the views along the axis and no narrower",
    );
  checkVolumes(box, options);
  const along = lines.axis === "y" ? 1 : 0,
    view = series.shifts?.findIndex((v, i) => i % 2 === along && v !== 0) ?? -1;
  if (view >= 0)
    fail(
      "unsupported",
      { view: view >> 1, shift: series.shifts![view]! },
      "slices across the axis are independent: take displacements along it out of the views first (`shiftViews`)",
    );
  const radial = goodLength(oversampling * Math.max(nz, across)),
    size = { slice: [nz, across] as const, pairs: Math.ceil(slices / 2), radial, steps: lines.steps, views };
  const need = equalSlopeMemory(size, Boolean(options.support));
  checkMemory(need, options);
  signal?.throwIfAborted();
  const clipped = options.support && outsideSupport(series, box, options.support);
  const run = await runner({ workers: nz * ny * nx < 32 ** 3 ? 1 : options.workers });
  try {
    const withheld = withheldLines(views, withhold, seed),
      sectors = sectorsOf(lines);
    const engine = equalSlopeEngine(run, {
      ...size,
      sectors,
      line: lines.line,
      positive: options.positive ?? true,
      support: Boolean(options.support),
    });
    for (const s of sectors) {
      engine.weights(s.sector).set(lineWeights(lines, s.views, radial, Math.max(nz, across), withheld, weighting));
      lineData(series, lines, s.views, radial, (g, values) => engine.data(s.sector, g).set(values));
    }
    if (options.support) pairSlices(lines.axis, box, options.support, engine.support()!);
    const r = await iterate(
      engine,
      { ...options, iterations, patience },
      (to) => options.start && pairSlices(lines.axis, box, options.start, to),
    );
    const volume = new Float32Array(nz * ny * nx);
    pairSlices(lines.axis, box, volume, engine.volume(), true);
    return {
      ...r,
      volume,
      shape: box,
      method: "equal-slope",
      figures: { ...r.figures, ...linesRecord(lines), ...(clipped === undefined ? {} : { outsideSupport: clipped }) },
      warnings: clipWarnings(clipped),
      memoryBytes: run.arena.memory.buffer.byteLength,
    };
  } finally {
    await run.close();
  }
}

const linesRecord = (lines: SlopeLines) => ({ slopeSteps: lines.steps, slopeDeviationDeg: lines.deviationDeg });

function check(series: TiltSeries, o: EqualSlopeOptions): void {
  const { iterations = 30, withhold = 0, patience = 0, oversampling = 2, toleranceDeg = 0.05, steps } = o;
  if (!(Number.isInteger(iterations) && iterations >= 0)) fail("bad-value", { iterations }, "iterations are a whole number");
  if (!(withhold >= 0 && withhold < 0.5)) fail("bad-value", { withhold }, "withhold a fraction between 0 and 0.5, e.g. 0.05");
  if (patience > 0 && withhold === 0) fail("bad-value", { patience, withhold }, "patience watches R_free: withhold some lines, e.g. 0.05");
  if (withhold > 0 && series.shape[0] < 4)
    fail("bad-value", { views: series.shape[0], withhold }, "lines are withheld of four views or more");
  if (!(oversampling >= 1.5 && oversampling <= 8))
    fail("bad-value", { oversampling }, "the radial oversampling is between 1.5 (lines of a square's diagonal) and 8; 2 is usual");
  if (!(toleranceDeg > 0 && toleranceDeg <= 1)) fail("bad-value", { toleranceDeg }, "the tolerance is above 0 and at most 1 degree");
  if (steps !== undefined && !(Number.isInteger(steps) && steps >= 1 && steps <= 4096))
    fail("bad-value", { steps }, "steps between slope 0 and slope 1 are a whole number, e.g. 16");
  if (o.weighting !== undefined && o.weighting !== "equal" && o.weighting !== "area")
    fail("bad-value", { weighting: o.weighting }, 'weightings: "equal", "area"');
  if (o.kernels === "js" || !wasmAvailable())
    fail("unsupported", {}, "equal-slope reconstruction needs WebAssembly with SIMD; RESIRE and SIRT run without");
  if (series.mask?.some((m) => m !== 0))
    fail("unsupported", {}, "a Fourier transform needs every pixel: repair masked pixels first (`repairPixels`), or use RESIRE or SIRT");
}

type IterateOptions = EqualSlopeOptions & { readonly iterations: number; readonly patience: number };

/** Accelerated gradient steps until done; leaves the result in the engine's volume. */
async function iterate(
  engine: EqualSlopeEngine,
  { iterations, patience, tolerance = 0, signal, onProgress }: IterateOptions,
  begin: (to: Float32Array) => void,
): Promise<Pick<Reconstruction, "status" | "iterations" | "figures" | "curves">> {
  const step = 1 / (await engine.norm(signal));
  begin(engine.volume());
  engine.former().set(engine.volume());
  const curves: Record<"rkMagnitude" | "rkComplex" | "rkFree", number[]> = { rkMagnitude: [], rkComplex: [], rkFree: [] };
  let gained = 0,
    last = Number.POSITIVE_INFINITY,
    lowest = Number.POSITIVE_INFINITY,
    since = 0,
    kept: Float32Array | undefined,
    status: Reconstruction["status"] = "finished",
    done = 0;
  for (; done < iterations; done++) {
    const before = patience > 0 ? engine.volume().slice() : undefined;
    const { squares, ...f } = await engine.step(step, gained / (gained + 3), signal);
    for (const k of ["rkMagnitude", "rkComplex", "rkFree"] as const) if (f[k] !== undefined) curves[k].push(f[k]);
    onProgress?.({ done, total: iterations, note: `equal-slope R_K ${f.rkMagnitude.toFixed(4)}`, figures: f });
    if (before && f.rkFree! < lowest) [kept, lowest, since] = [before, f.rkFree!, 0];
    else if (before && ++since >= patience) {
      status = "converged";
      break;
    }
    const drop = last - squares;
    if (tolerance > 0 && Math.abs(drop) < 2 * tolerance * last && Number.isFinite(last)) {
      status = "converged";
      done++;
      break;
    }
    // Momentum that leads uphill begins anew.
    gained = drop < 0 ? 0 : gained + 1;
    last = squares;
  }
  if (done > 0) engine.volume().set(engine.former());
  if (kept && status === "converged") engine.volume().set(kept);
  const { squares: _, ...figures } = await engine.evaluate(signal);
  const { rkFree, ...rest } = curves;
  return { status, iterations: done, figures, curves: rkFree.length ? curves : rest };
}
