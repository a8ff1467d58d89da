import { fail } from "../core/errors.js";
import type { Progress } from "../core/job.js";
import { rng } from "../core/rng.js";
import { rotationFromVector } from "../geometry/rotation-forms.js";
import { type AtomModel, checkProjections, type PosedProjections } from "./atom-model.js";
import { AtomEngine, type EngineOptions } from "./refine-atoms-engine.js";
import { type AtomErrors, atomErrors } from "./refine-atoms-errors.js";
import { type AtomLayout, type AtomParameters, atomLayout } from "./refine-atoms-layout.js";
import { type CountNoise, noiseOfResiduals, rOfModel, setUniformWeights, setWeights } from "./refine-atoms-noise.js";
import { type ArrowMatrix, arrowMatrix, arrowSolver, conjugateGradients } from "./refine-atoms-solve.js";
import { type AtomState, AtomSystem, copyState } from "./refine-atoms-system.js";

export interface RefineAtomsOptions extends AtomParameters, EngineOptions {
  /** Noise of the pixels; found from the residuals when not given. */
  readonly noise?: CountNoise | undefined;
  /** Most Gauss–Newton steps (default 12). */
  readonly iterations?: number | undefined;
  /** Done when no atom moved by more than this, Å (default 0.002). */
  readonly tolerance?: number | undefined;
  /** Largest move of an atom in one step, Å (default 0.25). */
  readonly longestStep?: number | undefined;
  /** Fit intensities and backgrounds first, with positions held (default true): needed when the intensities are guesses. */
  readonly linearFirst?: boolean | undefined;
  /** Error bars from this many random probes when there are too many unknowns to invert (default 16); 0: none. */
  readonly probes?: number | undefined;
  /** Fraction of pixels withheld for R_free (default 0.05; 0: no R_free). */
  readonly withheld?: number | undefined;
  readonly seed?: number | string | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
}

export interface RefinedAtoms {
  readonly model: AtomModel;
  readonly poses: Float64Array;
  readonly shifts: Float64Array;
  /** Constant and slopes of the background of every view, [views, 3]. */
  readonly background: Float64Array;
  readonly scales: Float64Array;
  readonly noise: CountNoise;
  readonly reducedChi2: number;
  /** Mean over views of Σ|p_calc − p_obs| / Σ|p_calc − background|. */
  readonly r1: number;
  /** The same over pixels that a refinement to convergence did not see. */
  readonly rFree: number;
  readonly errors: AtomErrors | undefined;
  /** Projections of the model with its background, [views, ny, nx]. */
  readonly calculated: Float32Array;
  readonly history: readonly { readonly chi2: number; readonly largestMove: number; readonly cg: number }[];
  readonly status: "converged" | "max-iterations" | "stalled";
}

/** Damping per unknown: how far a number may stray in one step where the data say nothing. Does not bias the end point. */
function leastDamping(L: AtomLayout, state: AtomState): Float64Array {
  const d = new Float64Array(L.size);
  const typical = Math.max(1e-30, state.intensities.reduce((s, v) => s + Math.abs(v), 0) / L.n);
  for (let a = 0; a < L.n; a++) {
    for (let k = 0; k < 3; k++) d[a * L.q + k] = 1 / 0.5 ** 2;
    if (L.intensity >= 0) d[a * L.q + L.intensity] = 1 / (3 * typical) ** 2;
    if (L.width >= 0) d[a * L.q + L.width] = 1 / (0.1 * state.widths[a]!) ** 2;
  }
  for (let i = 0; i < L.views; i++) {
    const at = L.viewsAt + i * L.m;
    if (L.scale >= 0) d[at + L.scale] = 1 / 0.3 ** 2;
    if (L.shift >= 0) d[at + L.shift] = d[at + L.shift + 1] = 1 / 5 ** 2;
    if (L.rotation >= 0) for (let k = 0; k < 3; k++) d[at + L.rotation + k] = 1 / 0.05 ** 2;
  }
  if (L.speciesWidth >= 0)
    for (let k = 0; k < L.widthClasses; k++) d[L.globalsAt + L.speciesWidth + k] = 1 / (0.5 * (state.widths[0] ?? 1)) ** 2;
  return d;
}

/** The state after a step; moves longer than `longest` are cut to it. Returns the longest move, Å. */
function stepped(s: AtomState, L: AtomLayout, species: Uint8Array, x: Float64Array, longest: number): { state: AtomState; move: number } {
  const t = copyState(s);
  let move = 0;
  for (let a = 0; a < L.n; a++) {
    const o = a * L.q,
      length = Math.hypot(x[o]!, x[o + 1]!, x[o + 2]!),
      f = length > longest ? longest / length : 1;
    move = Math.max(move, length * f);
    for (let k = 0; k < 3; k++) t.positions[3 * a + k]! += f * x[o + k]!;
    const k = species[a]!;
    if (L.intensity >= 0) t.intensities[a]! += x[o + L.intensity]!;
    else if (L.speciesIntensity >= 0) t.intensities[a]! += x[L.globalsAt + L.speciesIntensity + k]!;
    const dW = L.width >= 0 ? x[o + L.width]! : L.speciesWidth >= 0 ? x[L.globalsAt + L.speciesWidth + (L.widthClasses > 1 ? k : 0)]! : 0;
    t.widths[a] = s.widths[a]! * Math.min(1.3, Math.max(1 / 1.3, 1 + dW / s.widths[a]!));
  }
  for (let i = 0; i < L.views; i++) {
    const at = L.viewsAt + i * L.m;
    for (let k = 0; k < L.terms; k++) t.background[3 * i + k]! += x[at + k]!;
    if (L.scale >= 0) t.scales[i]! += x[at + L.scale]!;
    if (L.shift >= 0) for (let k = 0; k < 2; k++) t.shifts[2 * i + k]! += x[at + L.shift + k]!;
    if (L.rotation >= 0) {
      const w = rotationFromVector([x[at + L.rotation]!, x[at + L.rotation + 1]!, x[at + L.rotation + 2]!]),
        R = s.poses.subarray(9 * i, 9 * i + 9);
      for (let r = 0; r < 3; r++)
        for (let c = 0; c < 3; c++)
          t.poses[9 * i + 3 * r + c] = w[(3 * r) as 0]! * R[c]! + w[(3 * r + 1) as 0]! * R[3 + c]! + w[(3 * r + 2) as 0]! * R[6 + c]!;
    }
  }
  return { state: t, move };
}

/** Refines atoms (and poses) until the steps are small. The engine keeps the last accepted state. */
class Refinement {
  readonly history: { chi2: number; largestMove: number; cg: number }[] = [];
  noise: CountNoise | undefined;
  arrow: ArrowMatrix | undefined;
  lambda = 0;

  constructor(
    readonly system: AtomSystem,
    readonly options: RefineAtomsOptions,
    readonly mask: Uint8Array | undefined,
  ) {}

  /** One step with the weights as they are; `hold` keeps positions, widths and poses where they are. Returns the longest move or −1 when none lowers χ². */
  async step(hold: boolean): Promise<number> {
    const { system } = this,
      L = system.layout;
    const before = sum(await system.chi2()),
      g = await system.gradient();
    this.arrow = await arrowMatrix(system);
    const least = leastDamping(L, system.state);
    for (let attempt = 0; attempt < 6; attempt++) {
      const damping = least.slice();
      for (let a = 0; a < L.n; a++)
        for (let k = 0; k < L.q; k++) {
          damping[a * L.q + k]! += this.lambda * this.arrow.blocks[(a * L.q + k) * L.q + k]!;
          if (hold && k !== L.intensity) damping[a * L.q + k] = 1e30;
        }
      for (let k = 0; k < this.arrow.p; k++) {
        const held = hold && (k < L.views * L.m ? k % L.m >= L.terms : L.speciesIntensity < 0 || k - L.views * L.m >= L.species);
        damping[L.viewsAt + k]! += held ? 1e30 : this.lambda * this.arrow.poses[k * this.arrow.p + k]!;
      }
      const cg = await conjugateGradients(arrowSolver(system, this.arrow, damping), g, { tolerance: hold ? 1e-3 : 1e-2 });
      const old = system.state,
        { state, move } = stepped(old, L, system.species, cg.x, this.options.longestStep ?? 0.25);
      system.state = state;
      await system.place();
      const after = sum(await system.chi2());
      if (after <= before * (1 + 1e-9)) {
        this.history.push({ chi2: after, largestMove: move, cg: cg.iterations });
        this.lambda = this.lambda < 1e-3 ? 0 : this.lambda / 5;
        return move;
      }
      system.state = old;
      await system.place();
      this.lambda = Math.max(1e-3, 8 * this.lambda);
    }
    await system.chi2();
    return -1;
  }

  async run(iterations: number, tolerance: number, reweight: number): Promise<"converged" | "max-iterations" | "stalled"> {
    for (let k = 0; k < iterations; k++) {
      if (k < reweight) {
        await this.system.chi2();
        this.noise = this.options.noise ?? noiseOfResiduals(this.system.engine);
        setWeights(this.system.engine, this.noise, this.mask);
      }
      const move = await this.step(false);
      this.options.onProgress?.({
        done: k + 1,
        total: iterations,
        note: `atoms: χ² ${this.history.at(-1)?.chi2.toPrecision(5)}, longest move ${move.toFixed(4)} Å`,
      });
      if (move < 0) return "stalled";
      if (move < tolerance && k >= Math.min(reweight, 2)) return "converged";
    }
    return "max-iterations";
  }
}

const sum = (v: readonly number[]): number => v.reduce((s, x) => s + x, 0);

/** Free numbers of a refinement: unknowns less the gauge. */
const freedom = (L: AtomLayout): number => L.size - (L.shift >= 0 ? 3 : 0) - (L.rotation >= 0 ? 3 : 0);

/**
 * Positions, intensities and widths of atoms (with backgrounds, and poses if asked) by weighted least squares against the projections:
 * Gauss–Newton with normal equations that are never formed, solved by conjugate gradients behind a Schur complement of the poses.
 * Poses are free up to a common rotation (held: Σ ω = 0) and translation (held: Σ R (s_u, s_v, 0)ᵀ = 0).
 * @throws bad-shape, bad-value; aborts with the signal's reason
 */
export async function refineAtoms(
  projections: PosedProjections,
  start: AtomModel,
  options: RefineAtomsOptions = {},
): Promise<RefinedAtoms> {
  const pixel = checkProjections(projections);
  if (start.size === 0) fail("bad-value", { atoms: 0 }, "nothing to refine: the model has no atoms");
  const [views, ny, nx] = projections.shape,
    used = projections.mask?.map((v) => (v ? 0 : 1)),
    species = Math.max(...start.species) + 1;
  const withheld = options.withheld ?? 0.05;
  if (!(withheld >= 0 && withheld < 0.5)) fail("bad-value", { withheld }, "withheld is a fraction of the pixels, 0 to 0.5");
  const layout = atomLayout(start.size, views, species, options);
  const widest = Math.max(...start.widths) / pixel;
  const engine = await AtomEngine.create(projections, widest, options);
  try {
    engine.resize(start.size);
    const system = new AtomSystem(engine, layout, start.species, pixel, {
      positions: start.positions.slice(),
      intensities: start.intensities.slice(),
      widths: start.widths.slice(),
      poses: projections.poses.slice(),
      shifts: projections.shifts?.slice() ?? new Float64Array(2 * views),
      background: new Float64Array(3 * views),
      scales: new Float64Array(views).fill(1),
    });
    await system.place();
    setUniformWeights(engine, used);
    const work = new Refinement(system, options, used);
    if (options.linearFirst !== false) await work.step(true);
    const status = await work.run(options.iterations ?? 12, options.tolerance ?? 2e-3, options.noise ? 4 : 5);
    const chi2 = sum(await system.chi2());
    const r1 = rOfModel(engine, system.state.background, layout.terms, used);
    const reducedChi2 = chi2 / ((used ? used.reduce((n, v) => n + v, 0) : views * ny * nx) - freedom(layout));
    const errors = options.probes === 0 ? undefined : await atomErrors(system, { probes: options.probes ?? 16, seed: options.seed ?? 1 });
    const best = copyState(system.state),
      calculated = new Float32Array(views * ny * nx);
    for (let i = 0; i < views; i++) calculated.set(engine.image("model", i), i * ny * nx);
    let rFree = Number.NaN;
    if (withheld > 0) {
      const random = rng(options.seed ?? 1).fork("withheld"),
        mask = Uint8Array.from({ length: views * ny * nx }, (_, i) => (random.uniform() < withheld ? 0 : (used?.[i] ?? 1)));
      const free = new Refinement(system, { ...options, noise: work.noise, onProgress: undefined }, mask);
      setWeights(engine, work.noise!, mask);
      for (let k = 0; k < 2; k++) await free.step(false);
      await system.chi2();
      rFree = rOfModel(
        engine,
        system.state.background,
        layout.terms,
        mask.map((v, i) => (used?.[i] ?? 1) - v),
      );
    }
    return {
      model: {
        size: start.size,
        positions: best.positions,
        intensities: best.intensities,
        widths: best.widths,
        species: start.species.slice(),
      },
      poses: best.poses,
      shifts: best.shifts,
      background: best.background,
      scales: best.scales,
      noise: work.noise!,
      reducedChi2,
      r1,
      rFree,
      errors,
      calculated,
      history: work.history,
      status,
    };
  } finally {
    await engine.close();
  }
}
