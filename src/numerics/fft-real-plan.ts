import { fail } from "../core/errors.js";
import { type FftExports, fftWasm } from "../kernels/fft.js";
import { line } from "../kernels/js/fft.js";
import { jsAxis, jsRealForward, jsRealInverse } from "../kernels/js/fft-arrays.js";
import { type Arena, defaultArena } from "../kernels/memory.js";
import { chooseKernels, type FftKernels, normalAxes, type PlanArray, product, scope } from "./fft-plan.js";
import { callWith, stagesOf, walk } from "./fft-stages.js";

export interface RealFftPlanOptions<Type extends "f32" | "f64" = "f32" | "f64"> {
  /** Row-major shape of the real array, last axis fastest. */
  readonly shape: readonly number[];
  readonly type: Type;
  /** Axes to transform, the last one always among them (it is the halved one). Default: all. */
  readonly axes?: readonly number[] | undefined;
  readonly kernels?: FftKernels | undefined;
  readonly arena?: Arena | undefined;
}
/** Real-input transforms at about half the cost: the last axis goes through a complex transform of half its (even) length. */
export interface RealFftPlan<Type extends "f32" | "f64" = "f32" | "f64"> {
  readonly shape: readonly number[];
  /** Shape of the spectrum in complex numbers: the last axis has floor(n/2) + 1. */
  readonly spectrumShape: readonly number[];
  readonly axes: readonly number[];
  readonly type: Type;
  readonly kernels: FftKernels;
  readonly points: number;
  /** Addresses of the two arrays; −1 with the TypeScript kernels. */
  readonly realPtr: number;
  readonly spectrumPtr: number;
  readonly arena: Arena | undefined;
  /** The real array. Ask again after anything that may allocate in the arena. */
  real(): PlanArray[Type];
  /** The half spectrum, interleaved. */
  spectrum(): PlanArray[Type];
  /** real → spectrum, the real array is kept. Default scale 1. */
  forward(run?: { readonly scale?: number | undefined }): void;
  /** spectrum → real; overwrites the spectrum when there are several axes. Default scale 1/N. */
  inverse(run?: { readonly scale?: number | undefined }): void;
  free(): void;
}

/**
 * A plan for real transforms of any length. Odd last axes are right too, at the cost of a complex transform.
 * @throws bad-shape, bad-value when the last axis is not among `axes`
 */
export function rfftPlan<Type extends "f32" | "f64">(options: RealFftPlanOptions<Type>): RealFftPlan<Type> {
  const axes = normalAxes(options.shape, options.axes);
  const shape = [...options.shape];
  if (axes.at(-1) !== shape.length - 1)
    fail("bad-value", { axes: options.axes, shape }, "a real transform halves the last axis: put it among the axes");
  const length = shape.at(-1)!;
  const spectrumShape = [...shape.slice(0, -1), (length >> 1) + 1];
  const common = { shape, spectrumShape, axes, type: options.type, points: product(axes.map((a) => shape[a]!)) };
  return chooseKernels(options.kernels) === "js" ? jsPlan(common) : wasmPlan(common, options.arena ?? defaultArena());
}
type Common<Type> = Pick<RealFftPlan, "shape" | "spectrumShape" | "axes" | "points"> & { readonly type: Type };

function wasmPlan<Type extends "f32" | "f64">(common: Common<Type>, arena: Arena): RealFftPlan<Type> {
  const { shape, spectrumShape, axes, type, points } = common;
  const bytes = type === "f32" ? 4 : 8,
    length = shape.at(-1)!,
    rows = product(shape) / length,
    keep = spectrumShape.at(-1)!;
  const others = axes.slice(0, -1);
  const owned = scope(arena);
  const { realPtr, spectrumPtr, halved, stages, scratch } = owned.build(() => {
    const realPtr = owned.alloc(rows * length * bytes),
      spectrumPtr = owned.alloc(rows * keep * 2 * bytes),
      halved = owned.tables(length, type, true);
    const stages = others.some((a) => shape[a]! > 1) ? stagesOf(spectrumShape, others, type, (n) => owned.tables(n, type)) : [];
    const scratch = owned.alloc(Math.max(halved.scratchBytes, ...stages.map((s) => s.tables.scratchBytes)));
    return { realPtr, spectrumPtr, halved, stages, scratch };
  });
  const e = arena.family<FftExports>(fftWasm);
  const call = callWith(arena),
    r2c = e[`r2c_${type}`],
    c2r = e[`c2r_${type}`];
  const realStride = length * bytes,
    spectrumStride = keep * 2 * bytes,
    d = halved.d;
  // One slab of the fastest complex stage holds this many rows; without such a stage all rows are one slab.
  const slabs = stages[0]?.outer ?? 1,
    perSlab = rows / slabs;
  return {
    ...common,
    kernels: "wasm",
    realPtr,
    spectrumPtr,
    arena,
    real: () => (type === "f32" ? arena.f32(realPtr, rows * length) : arena.f64(realPtr, rows * length)) as PlanArray[Type],
    spectrum: () => (type === "f32" ? arena.f32(spectrumPtr, 2 * rows * keep) : arena.f64(spectrumPtr, 2 * rows * keep)) as PlanArray[Type],
    forward: ({ scale = 1 } = {}) => {
      const first = (lo: number, hi: number): void =>
        r2c(d, realPtr, realStride, spectrumPtr, spectrumStride, lo * perSlab, hi * perSlab, scratch, scale);
      if (stages.length === 0) return first(0, 1);
      walk(stages, (s, lo, hi) => {
        if (s !== stages[0]) return call(s, lo, hi, spectrumPtr, scratch, 0, 1);
        for (let o = lo / s.units; o < hi / s.units; o++) {
          first(o, o + 1);
          call(s, o * s.units, (o + 1) * s.units, spectrumPtr, scratch, 0, 1);
        }
      });
    },
    inverse: ({ scale = 1 / points } = {}) => {
      // Slowest axis first, over everything; then slab by slab down to the rows.
      for (const s of stages.slice(1).reverse()) call(s, 0, s.outer * s.units, spectrumPtr, scratch, 1, 1);
      const s = stages[0];
      for (let o = 0; o < slabs; o++) {
        if (s) call(s, o * s.units, (o + 1) * s.units, spectrumPtr, scratch, 1, 1);
        c2r(d, spectrumPtr, spectrumStride, realPtr, realStride, o * perSlab, (o + 1) * perSlab, scratch, scale);
      }
    },
    free: owned.free,
  };
}

function jsPlan<Type extends "f32" | "f64">(common: Common<Type>): RealFftPlan<Type> {
  const { shape, spectrumShape, axes, type, points } = common;
  const length = shape.at(-1)!,
    rows = product(shape) / length;
  const make = (n: number) => (type === "f32" ? new Float32Array(n) : new Float64Array(n)) as PlanArray[Type];
  const real = make(rows * length),
    spectrum = make(2 * product(spectrumShape));
  const halved = line(length % 2 ? length : length / 2);
  const lines = new Map(axes.slice(0, -1).map((a) => [a, line(shape[a]!)]));
  const others = (inverse: boolean): void => {
    for (const [a, f] of lines) jsAxis(f, spectrum, 0, product(spectrumShape.slice(0, a)), product(spectrumShape.slice(a + 1)), inverse, 1);
  };
  return {
    ...common,
    kernels: "js",
    realPtr: -1,
    spectrumPtr: -1,
    arena: undefined,
    real: () => real,
    spectrum: () => spectrum,
    forward: ({ scale = 1 } = {}) => {
      jsRealForward(halved, real, spectrum, rows, length, scale);
      others(false);
    },
    inverse: ({ scale = 1 / points } = {}) => {
      others(true);
      jsRealInverse(halved, spectrum, real, rows, length, scale);
    },
    free: () => undefined,
  };
}
