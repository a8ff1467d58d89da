import { fail } from "../core/errors.js";
import { rng } from "../core/rng.js";
import { type DescentArrays, descent } from "./descent.js";
import { type ProjectorPlan, projectorPlan } from "./projector-plan.js";
import { checkMemory, checkVolumes, type Reconstruction, type ReconstructOptions, volumeShape } from "./reconstruction.js";
import { type Runner, runner } from "./runner.js";
import { clipWarnings, outsideSupport } from "./support-clip.js";
import { type TiltSeries, withoutMasked } from "./tilt-series.js";
import { denoiseTv } from "./total-variation.js";

export interface ResireOptions extends ReconstructOptions {
  /** Step t of O ← max(0, O + t/(P·nz)·Σ Pᵀ(b − P O)); useful from 1 to 2. Default 1. */
  readonly step?: number | undefined;
  /** Nesterov's momentum: about the square root of the iterations that plain descent needs, for the memory of a second volume. Default false. */
  readonly momentum?: boolean | undefined;
}
export interface SirtOptions extends ReconstructOptions {
  /** As for RESIRE; SIRT only. Default false. */
  readonly momentum?: boolean | undefined;
  /** Factor on each correction, 0 … 2. Default 1 (SART: 0.15). */
  readonly relaxation?: number | undefined;
}

/**
 * RESIRE: projected gradient descent on ½ Σ‖P_i O − b_i‖², with the step t/(P·nz), any poses, support, and objects that continue outside the field
 * (give a `volume` larger than the views: `extendedVolume`). `momentum` is not in the paper.
 * @see Pham et al., Sci. Rep. 13, 5624 (2023); Yang et al., Nature 592, 60 (2021); O'Donoghue & Candès, Found. Comput. Math. 15, 715 (2015) (momentum, restarts)
 */
export function resire(series: TiltSeries, options: ResireOptions = {}): Promise<Reconstruction> {
  const { step = 1 } = options;
  if (!(step > 0 && step <= 4)) fail("bad-value", { step }, "the step of RESIRE is between 0 and 4; useful from 1 to 2");
  return iterate("resire", series, options, 100, (plan) => ({ step: step / (plan.views * plan.nz) }));
}

/**
 * SIRT: x ← Π(x + λ·C Aᵀ R (b − A x)), R and C the inverse row and column sums of A.
 * @see Gilbert, J. Theor. Biol. 36, 105 (1972); Gregor & Benson, IEEE Trans. Med. Imaging 27, 918 (2008)
 */
export function sirt(series: TiltSeries, options: SirtOptions = {}): Promise<Reconstruction> {
  const { relaxation = 1 } = options;
  checkRelaxation(relaxation);
  return iterate("sirt", series, options, 30, (plan, run, arrays) => rowAndColumnSums(plan, run, arrays, relaxation, true));
}

/**
 * SART: SIRT's correction view by view. Few iterations suffice; with noise stop early or lower the relaxation.
 * @see Andersen & Kak, Ultrason. Imaging 6, 81 (1984)
 */
export function sart(series: TiltSeries, options: SirtOptions = {}): Promise<Reconstruction> {
  const { relaxation = 0.15 } = options;
  checkRelaxation(relaxation);
  return iterate("sart", series, { ...options, momentum: false }, 5, (plan, run, arrays) =>
    rowAndColumnSums(plan, run, arrays, relaxation, false),
  );
}

export interface TvOptions extends ReconstructOptions {
  /** Weight of the total variation, as a fraction of the highest value of a back projection (so that 0.01 … 0.1 suits most data). Default 0.02. */
  readonly weight?: number | undefined;
}

/**
 * Total variation: ½ ‖A O − b‖² + λ Σ|∇O|, O >= 0, by projected gradient steps followed by the proximal operator of the variation (ten
 * dual steps). Keeps edges and flattens noise; for objects of few grey levels, not for atoms.
 * @see Beck & Teboulle, IEEE Trans. Image Process. 18, 2419 (2009); Chambolle, J. Math. Imaging Vis. 20, 89 (2004)
 */
export function tv(series: TiltSeries, options: TvOptions = {}): Promise<Reconstruction> {
  const { weight = 0.02 } = options;
  if (!(weight >= 0 && weight <= 10)) fail("bad-value", { weight }, "the weight of the total variation is a fraction, e.g. 0.02");
  return iterate("tv", series, options, 50, async (plan, run, arrays) => {
    const step = 1 / (plan.views * plan.nz),
      box = plan.volume;
    // λ in units of the volume: the weight times the largest value of one step from zero times the number of views' depth.
    const ones = plan.allocVolume();
    const all = Array.from({ length: plan.blocks }, (_, b) => b);
    await run.run(
      all.flatMap((b) => Array.from({ length: plan.nz }, (_, z) => [plan.adjoint(plan.planeAt(ones, b, z), arrays.data, b, z)])),
    );
    let top = 0;
    for (const v of plan.array(ones, plan.volumeLength)) if (v > top) top = v;
    const amount = weight * top * step * 0.1;
    const work = new Float32Array(box[0] * box[1] * box[2]),
      dual = new Float32Array(3 * work.length);
    return {
      step,
      after: async () => {
        plan.getVolume(arrays.volume, work);
        denoiseTv(work, box, amount, 10, dual);
        if (options.positive ?? true) for (let i = 0; i < work.length; i++) if (work[i]! < 0) work[i] = 0;
        plan.putVolume(arrays.volume, work);
      },
    };
  });
}

const checkRelaxation = (relaxation: number): void => {
  if (!(relaxation > 0 && relaxation <= 2)) fail("bad-value", { relaxation }, "the relaxation lies between 0 and 2");
};

interface Scheme {
  readonly step: number;
  readonly scale?: number;
  readonly sequential?: boolean;
  readonly after?: (step: number) => Promise<void>;
}

/** Weights 1/(A·1), over the support when there is one; for SIRT the scale 1/(Aᵀ·1). A point spread over all its pixels counts 1 a view, so SART needs none. */
async function rowAndColumnSums(plan: ProjectorPlan, run: Runner, arrays: DescentArrays, step: number, columns: boolean): Promise<Scheme> {
  const ones = plan.allocVolume(),
    rows = plan.allocViews();
  if (arrays.support) plan.array(ones, plan.volumeLength).set(plan.array(arrays.support, plan.volumeLength));
  else plan.putVolume(ones, new Float32Array(plan.volume[0] * plan.volume[1] * plan.volume[2]).fill(1));
  const all = Array.from({ length: plan.blocks }, (_, b) => b);
  await run.run(all.map((b) => [plan.clearViews(rows, b, 0, plan.views), plan.forward(ones, rows, b, 0, plan.views)]));
  const w = plan.array(arrays.weight, plan.viewsLength),
    r = plan.array(rows, plan.viewsLength);
  for (let i = 0; i < w.length; i++) {
    const on = w[i] === 1;
    // Rays that graze the volume or miss it say nothing.
    if (on) w[i] = r[i]! > 1e-3 ? 1 / r[i]! : 0;
    r[i] = on && w[i]! > 0 ? 1 : 0;
  }
  if (!columns) return { step, sequential: true };
  const tasks = all.flatMap((b) => Array.from({ length: plan.nz }, (_, z) => [plan.adjoint(plan.planeAt(ones, b, z), rows, b, z)]));
  await run.run(tasks);
  const c = plan.array(ones, plan.volumeLength);
  for (let i = 0; i < c.length; i++) c[i] = c[i]! > 1e-3 ? 1 / c[i]! : 0;
  return { step, scale: ones };
}

/** Set up memory, run the descent, read the volume. */
async function iterate(
  method: string,
  series: TiltSeries,
  options: ReconstructOptions & Pick<SirtOptions, "momentum">,
  defaultIterations: number,
  scheme: (plan: ProjectorPlan, run: Runner, arrays: DescentArrays) => Scheme | Promise<Scheme>,
): Promise<Reconstruction> {
  const {
    iterations = defaultIterations,
    positive = true,
    tolerance = 0,
    patience = 0,
    withhold = 0,
    seed = 1,
    momentum = false,
    signal,
    onProgress,
  } = options;
  if (!(Number.isInteger(iterations) && iterations >= 0)) fail("bad-value", { iterations }, "iterations are a whole number");
  if (!(withhold >= 0 && withhold < 0.5)) fail("bad-value", { withhold }, "withhold a fraction between 0 and 0.5, e.g. 0.05");
  if (patience > 0 && withhold === 0) fail("bad-value", { patience, withhold }, "patience watches R_free: withhold some pixels, e.g. 0.05");
  const volume = volumeShape(series, options.volume),
    voxels = volume[0] * volume[1] * volume[2];
  checkVolumes(volume, options);
  const need = memoryNeed(series, volume, method === "sirt" || method === "sart", Boolean(options.support), momentum);
  checkMemory(need, options);
  signal?.throwIfAborted();
  const clipped = options.support && outsideSupport(series, volume, options.support);
  const run = await runner({ workers: voxels < 32 ** 3 ? 1 : options.workers, kernels: options.kernels });
  try {
    const [, ny, nx] = series.shape;
    const plan = projectorPlan({
      volume,
      detector: [ny, nx],
      poses: series.poses,
      shifts: series.shifts,
      arena: run.arena,
      kernels: options.kernels,
    });
    const arrays: DescentArrays = {
      volume: plan.allocVolume(),
      data: plan.allocViews(),
      weight: plan.allocViews(),
      scale: 0,
      support: options.support ? plan.allocVolume() : 0,
    };
    plan.putViews(arrays.data, withoutMasked(series));
    plan.putViews(arrays.weight, pixelWeights(series, withhold, seed));
    plan.putVolume(arrays.volume, options.start ?? new Float32Array(voxels));
    if (options.support) plan.putVolume(arrays.support, options.support);
    const { step, scale = 0, sequential = false, after } = await scheme(plan, run, arrays);
    const r = await descent(
      plan,
      run,
      { ...arrays, scale, previous: momentum ? plan.allocVolume() : 0 },
      { name: method, iterations, step, positive, tolerance, patience, sequential, after, signal, onProgress },
    );
    const out = new Float32Array(voxels);
    plan.getVolume(arrays.volume, out);
    const { r1Free, ...curves } = r.curves;
    return {
      volume: out,
      shape: volume,
      method,
      status: r.status,
      iterations: r.iterations,
      figures: Object.fromEntries(Object.entries({ ...r.figures, outsideSupport: clipped }).filter(([, v]) => v !== undefined)) as Record<
        string,
        number
      >,
      curves: r1Free.length ? { ...curves, r1Free } : curves,
      warnings: [...clipWarnings(clipped), ...r.warnings],
      memoryBytes: run.arena.memory.buffer.byteLength,
    };
  } finally {
    await run.close();
  }
}

/** Bytes of kernel memory of an iterative reconstruction. */
export function memoryNeed(
  series: TiltSeries,
  volume: readonly [number, number, number],
  scaled: boolean,
  support: boolean,
  momentum = false,
): number {
  const [views, ny, nx] = series.shape;
  const voxels = volume[0] * (volume[1] + 32) * volume[2],
    pixels = views * (ny + 32) * (nx + 12);
  return 4 * (voxels * (1 + (scaled ? 1 : 0) + (support ? 1 : 0) + (momentum ? 1 : 0)) + pixels * (scaled ? 4 : 3)) + 2 ** 21;
}

function pixelWeights(series: TiltSeries, withhold: number, seed: number | string): Float32Array {
  const out = new Float32Array(series.projections.length).fill(1);
  if (series.mask) for (let i = 0; i < out.length; i++) if (series.mask[i]) out[i] = 0;
  if (withhold === 0) return out;
  const draw = rng(seed).fork("withheld pixels");
  for (let i = 0; i < out.length; i++) if (draw.uniform() < withhold && out[i] === 1) out[i] = -1;
  return out;
}
