import { fail } from "../core/errors.js";
import type { Steps } from "../core/job.js";
import type { Rng } from "../core/rng.js";
import { quadratic, reciprocalMetric } from "../geometry/metric.js";
import { arena } from "../kernels/memory.js";
import { chooseKernels, type FftKernels } from "../numerics/fft-plan.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";
import { type GridShape, gridShape, spectrumSlots, unobservedSlots } from "./grid.js";
import type { PhasingData } from "./prepare.js";

export interface FlipOptions {
  /** Threshold δ = kEd·σ(ρ); σ anew in every cycle. Default 1.1. */
  readonly kEd?: number | undefined;
  /** Fraction of the reflections, weakest first, that keep |G| and have the phase shifted by π/2. Default 0.2. */
  readonly weakRatio?: number | undefined;
  /** Most cycles of one trial. Default 600. */
  readonly maxCycles?: number | undefined;
  /** Cycles after convergence without phase shifts and with a low threshold. Default 20. */
  readonly polishCycles?: number | undefined;
  /** Unmeasured reflections inside the sphere: keep what flipping makes of them ("float", default) or set to zero. */
  readonly unobserved?: "float" | "zero" | undefined;
  /** Grid spacing, Å; default d_min/2. */
  readonly step?: number | undefined;
  readonly kernels?: FftKernels | undefined;
}
/** Figures of one cycle. */
export interface FlipCycle {
  /** Σ||F| − k|G|| / Σ|F| over the reflections that are not weak. */
  readonly r: number;
  /** ⟨ρ³⟩/⟨ρ²⟩^1.5 of the map before flipping: near 0.5 for noise, above 1 for atoms. */
  readonly skewness: number;
}
export interface FlipResult {
  readonly status: "converged" | "max-iterations";
  /** Cycle at which the drop began; −1 when none was seen. */
  readonly convergedAt: number;
  readonly cycles: readonly FlipCycle[];
  /** Means over the polishing cycles. */
  readonly r: number;
  readonly skewness: number;
  /** Phases of the list's reflections, radians, shape [data.size]. */
  readonly phase: Float64Array;
}
/** A grid, its transform plan in the arena and the reflections' places, used by all trials. Call `free` at the end. */
export interface Flipper {
  readonly shape: GridShape;
  trial(rng: Rng, options?: FlipOptions): Steps<FlipResult>;
  free(): void;
}

/**
 * Charge flipping in P1: G. Oszlányi & A. Sütő (2004) Acta Cryst. A60, 134; the π/2 shift of weak reflections (2005) A61, 147. In one cycle the density is
 * reversed where it is below δ, transformed, and the measured amplitudes are put back with the phases found; F(000) is free, unmeasured reflections float.
 * @param amplitude - |E| or |F|, shape [data.size]; zero for negative intensities
 * @throws bad-value when all amplitudes are zero
 */
export function flipper(data: PhasingData, amplitude: Float64Array, common: FlipOptions = {}): Flipper {
  if (!amplitude.some((a) => a > 0)) fail("bad-value", { amplitudes: amplitude.length }, "all amplitudes are zero");
  const shape = gridShape(data.cell, data.hkl, common.step ?? data.dMin / 2);
  const metric = reciprocalMetric(data.cell);
  const slots = spectrumSlots(data.hkl, shape);
  const floating = unobservedSlots(data, shape, slots, (h, k, l) => quadratic(metric, [h, k, l]));
  // An arena of its own: other plans made between two steps of a trial must not move its arrays.
  const kernels = chooseKernels(common.kernels);
  const plan = rfftPlan({ shape, type: "f32", kernels, arena: kernels === "wasm" ? arena() : undefined });
  return {
    shape,
    trial: (rng, own = {}) => trialSteps({ data, amplitude, ...slots, floating, plan }, rng, { ...common, ...own }),
    free: () => plan.free(),
  };
}
interface Workplace {
  readonly data: PhasingData;
  readonly amplitude: Float64Array;
  readonly slot: Int32Array;
  readonly mate: Uint8Array;
  readonly floating: Int32Array;
  readonly plan: ReturnType<typeof rfftPlan<"f32">>;
}

function* trialSteps(w: Workplace, rng: Rng, o: FlipOptions): Steps<FlipResult> {
  const { kEd = 1.1, weakRatio = 0.2, maxCycles = 600, polishCycles = 20, unobserved = "float" } = o;
  const n = w.data.size,
    { slot, mate, plan } = w;
  const weak = weakFlags(w.amplitude, weakRatio);
  const spectrum = plan.spectrum(),
    real = plan.real(),
    points = plan.points;
  // Start: measured amplitudes, random phases. `next` holds the new half spectrum while the old one is overwritten.
  const next = new Float32Array(spectrum.length);
  for (let i = 0; i < n; i++) {
    const phi = 2 * Math.PI * rng.uniform();
    put(next, slot, mate, i, w.amplitude[i]! * Math.cos(phi), w.amplitude[i]! * Math.sin(phi));
  }
  let strong = 0;
  for (let i = 0; i < n; i++) if (!weak[i]) strong += w.amplitude[i]!;
  const cycles: FlipCycle[] = [];
  const watch = convergenceWatch();
  let convergedAt = -1,
    polishing = 0,
    sumR = 0,
    sumSkew = 0;
  const phase = new Float64Array(n);
  for (let cycle = 0; ; cycle++) {
    spectrum.set(next);
    plan.inverse({ scale: 1 });
    const skewness = flipInPlace(real, points, polishing > 0 ? 0.6 * kEd : kEd);
    plan.forward({ scale: 1 / points });
    const last = polishing === polishCycles;
    const r = newSpectrum(w, weak, strong, next, polishing > 0, unobserved === "float", last ? phase : undefined);
    cycles.push({ r, skewness });
    if (polishing > 0) {
      sumR += r;
      sumSkew += skewness;
      if (last) break;
      polishing++;
    } else {
      if (convergedAt < 0 && watch(r, skewness)) convergedAt = cycle;
      // Some cycles more after the drop, until skewness stands still: a drop is often followed by another.
      const settled = convergedAt >= 0 && cycle >= convergedAt + 40 && rise(cycles) < 0.04;
      if (cycle + 1 >= maxCycles || settled) polishing = 1;
    }
    if (cycle % 8 === 7)
      yield { done: cycle + 1, total: maxCycles + polishCycles, note: `R ${r.toFixed(3)}, skewness ${skewness.toFixed(2)}` };
  }
  return {
    status: convergedAt >= 0 ? "converged" : "max-iterations",
    convergedAt,
    cycles,
    r: sumR / polishCycles,
    skewness: sumSkew / polishCycles,
    phase,
  };
}

/** F(h) into its one or two places. */
function put(out: Float32Array, slot: Int32Array, mate: Uint8Array, i: number, re: number, im: number): void {
  const a = 2 * slot[2 * i]!,
    b = 2 * slot[2 * i + 1]!;
  out[a] = re;
  out[a + 1] = mate[i] ? -im : im;
  if (b >= 0) {
    out[b] = re;
    out[b + 1] = -im;
  }
}

/** Reverse the sign below δ = k·σ; the mean of ρ counts as part of it, as F(000) is free. */
function flipInPlace(rho: Float32Array, points: number, k: number): number {
  let s1 = 0,
    s2 = 0,
    s3 = 0;
  for (let i = 0; i < points; i++) {
    const v = rho[i]!,
      q = v * v;
    s1 += v;
    s2 += q;
    s3 += q * v;
  }
  const mean = s1 / points,
    variance = s2 / points - mean * mean,
    sigma = Math.sqrt(Math.max(variance, 1e-30));
  const third = s3 / points - 3 * mean * (s2 / points) + 2 * mean ** 3;
  const delta = k * sigma;
  for (let i = 0; i < points; i++) {
    const v = rho[i]!;
    rho[i] = v < delta ? -v : v;
  }
  return third / sigma ** 3;
}

/** Measured amplitudes on the phases of G; returns the R value. */
function newSpectrum(
  w: Workplace,
  weak: Uint8Array,
  strong: number,
  next: Float32Array,
  polish: boolean,
  float: boolean,
  phase?: Float64Array,
): number {
  const { data, amplitude, slot, mate, plan, floating } = w;
  const g = plan.spectrum();
  let sum = 0;
  for (let i = 0; i < data.size; i++) {
    if (weak[i]) continue;
    const a = 2 * slot[2 * i]!;
    sum += Math.sqrt(g[a]! * g[a]! + g[a + 1]! * g[a + 1]!);
  }
  const k = strong / (sum || 1);
  let misfit = 0;
  for (let i = 0; i < data.size; i++) {
    const a = 2 * slot[2 * i]!,
      re = g[a]!,
      im = mate[i] ? -g[a + 1]! : g[a + 1]!;
    const modulus = Math.sqrt(re * re + im * im),
      want = amplitude[i]!;
    if (phase) phase[i] = Math.atan2(im, re);
    if (weak[i] && !polish) {
      put(next, slot, mate, i, -im, re);
      continue;
    }
    if (!weak[i]) misfit += Math.abs(want - k * modulus);
    const f = modulus > 0 ? want / modulus : 0;
    put(next, slot, mate, i, re * f, im * f);
  }
  for (let j = 0; j < floating.length; j++) {
    const a = 2 * floating[j]!;
    next[a] = float ? g[a]! : 0;
    next[a + 1] = float ? g[a + 1]! : 0;
  }
  next[0] = g[0]!;
  next[1] = 0;
  return misfit / strong;
}

/** 1 for the weakest `ratio` of the reflections. */
function weakFlags(amplitude: Float64Array, ratio: number): Uint8Array {
  const order = [...amplitude.keys()].sort((p, q) => amplitude[p]! - amplitude[q]!);
  const flags = new Uint8Array(amplitude.length);
  for (const i of order.slice(0, Math.round(ratio * order.length))) flags[i] = 1;
  return flags;
}

/** Relative rise of skewness from the cycles 40 to 30 before to the last ten. */
function rise(cycles: readonly FlipCycle[]): number {
  const mean = (a: number, b: number): number => cycles.slice(a, b).reduce((s, c) => s + c.skewness, 0) / (b - a);
  const n = cycles.length;
  return mean(n - 10, n) / mean(n - 40, n - 30) - 1;
}

/**
 * Sees the sudden change that marks convergence, on means of eight cycles: R falls 12 % below its plateau (cycles 12 to 60 before, with amplitudes |F|), or the
 * skewness rises by a quarter within some thirty cycles and to half as much again as at the start (with |E|, where R hardly moves). A skewness that has risen and
 * then stands still for a hundred cycles was a slow convergence.
 */
function convergenceWatch(): (r: number, skewness: number) => boolean {
  const rs: number[] = [],
    ks: number[] = [];
  const mean = (x: readonly number[], a: number, b: number): number => {
    let s = 0;
    for (let i = Math.max(0, a); i < b; i++) s += x[i]!;
    return s / (b - Math.max(0, a));
  };
  return (r, skewness) => {
    rs.push(r);
    ks.push(skewness);
    const n = rs.length;
    if (n < 30) return false;
    const plateau = Math.max(mean(rs, n - 60, n - 12), mean(rs, 8, 18)),
      start = mean(ks, 8, 18),
      now = mean(ks, n - 8, n);
    if (mean(rs, n - 8, n) < 0.88 * plateau && now > 1.2 * Math.min(start, mean(ks, n - 60, n - 12))) return true;
    if (n >= 48 && now > 1.25 * mean(ks, n - 40, n - 24) && now > 1.5 * start) return true;
    return n >= 150 && now > 1.8 * start && Math.abs(mean(ks, n - 24, n) / mean(ks, n - 110, n - 86) - 1) < 0.02;
  };
}
