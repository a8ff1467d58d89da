import type { PoolCall, PoolTask } from "../core/pool.js";
import type { Arena } from "../kernels/memory.js";
import { potentialPlan } from "./potential.js";
import { type MultislicePlan, multislicePlan } from "./propagate.js";
import { MB } from "./scan-budget.js";
import type { DetectorCalls } from "./scan-detect.js";
import type { ScanPlan } from "./scan-plan.js";
import { restSlices } from "./slicing.js";

/** What carries probes through the crystal and reads the detectors behind it. */
export interface ScanCarrier {
  /** Make ready for a thermal configuration; nothing to do when it is the last one. */
  prepare(configuration: number): Promise<void>;
  /** Probes `first` … on, at most `slots`, of one incoherent component: readings of slot s go to `readings`, patterns to `patternsOf(s)`. */
  carry(batch: ProbeBatch): Promise<void>;
  free(): void;
}
export interface ProbeBatch {
  readonly first: number;
  readonly count: number;
  /** Index of the incoherent component. */
  readonly wave: number;
  /** Weight of a pattern. */
  readonly weight: number;
  /** Address of f64 [slots, depths, sums]. */
  readonly readings: number;
  patternsOf(slot: number, depth: number): number;
}
/** What both carriers work with. */
export interface CarrierContext {
  readonly plan: ScanPlan;
  readonly memory: Arena;
  readonly precision: "f32" | "f64";
  /** Tasks in flight and probes of each. */
  readonly tasks: number;
  readonly perTask: number;
  /** Memory for transmission functions and more, bytes. */
  readonly room: number;
  readonly detect: DetectorCalls;
  run(list: readonly PoolTask[]): Promise<void>;
  readonly signal: AbortSignal | undefined;
  say(note: string): void;
}

/** f32 or f64 at an address. */
export const realOf =
  ({ memory, precision }: Pick<CarrierContext, "memory" | "precision">) =>
  (at: number, length: number): Float32Array | Float64Array =>
    precision === "f32" ? memory.f32(at, length) : memory.f64(at, length);

/** Slices of one configuration at a time, with the scratch of every task. */
export interface ConfigurationSlices {
  use(index: number): MultislicePlan;
  /** Scratch of task t. */
  scratch(t: number): number;
  free(): void;
}
export function configurationSlices({ plan, memory, precision, tasks, room }: CarrierContext): ConfigurationSlices {
  const { grid, multislice = {}, potential = {}, beam } = plan.setup;
  let current: { readonly index: number; readonly slices: MultislicePlan; free(): void } | undefined,
    scratch = 0,
    scratchBytes = 0;
  return {
    use: (index) => {
      if (current?.index === index) return current.slices;
      current?.free();
      const made = potentialPlan(plan.configurations.snapshot(index), {
        sliceOfAtom: restSlices(plan.configurations, potential),
        ...potential,
        grid,
        arena: memory,
      });
      const slices = multislicePlan(made, beam, { ...multislice, precision, maxMemoryMB: room / 2 / MB });
      current = {
        index,
        slices,
        free: () => {
          slices.free();
          made.free();
        },
      };
      if (slices.scratchBytes > scratchBytes) {
        scratchBytes = slices.scratchBytes;
        scratch = memory.alloc(tasks * scratchBytes);
      }
      return slices;
    },
    scratch: (t) => scratch + t * scratchBytes,
    free: () => current?.free(),
  };
}

/** Every probe by multislice. */
export function multisliceCarrier(context: CarrierContext): ScanCarrier {
  const { plan, memory, precision, tasks, perTask, detect, run, signal, say } = context,
    { grid } = plan.setup,
    { exits, detectors } = plan,
    bytes = precision === "f32" ? 4 : 8,
    n = grid.nx * grid.ny,
    waveBytes = 2 * bytes * n,
    slots = tasks * perTask,
    real = realOf(context);
  const amplitudes = plan.waves.map(({ wave }) => {
    const at = memory.alloc(waveBytes);
    real(at, 2 * n).set(wave);
    return at;
  });
  const waves = memory.alloc(slots * waveBytes),
    xs = memory.alloc(slots * 2 * bytes * grid.nx),
    ys = memory.alloc(slots * 2 * bytes * grid.ny);
  const slices = configurationSlices(context);
  let m: MultislicePlan;
  const task = (t: number, { count, wave, weight, readings, patternsOf }: ProbeBatch, from: number, to: number): PoolTask => {
    const calls: PoolCall[] = [];
    for (let slot = t * perTask; slot < Math.min(count, (t + 1) * perTask); slot++) {
      const psi = waves + slot * waveBytes;
      if (from === 0)
        calls.push({
          family: "multislice",
          name: `shifted_${precision}`,
          args: [m.tables, amplitudes[wave]!, xs + slot * 2 * bytes * grid.nx, ys + slot * 2 * bytes * grid.ny, psi],
        });
      let slice = from;
      exits.forEach((exit, d) => {
        if (exit <= from || exit > to) return;
        calls.push(m.call(psi, 1, slice, exit, slices.scratch(t)));
        slice = exit;
        calls.push(...detect(psi, readings + 8 * (slot * exits.length + d) * detectors.sums, patternsOf(slot, d), weight));
      });
      if (slice < to && exits.some((e) => e > to)) calls.push(m.call(psi, 1, slice, to, slices.scratch(t)));
    }
    return calls;
  };
  return {
    prepare: async (index) => {
      m = slices.use(index);
    },
    carry: async (batch) => {
      shiftPhases(plan, batch.first, batch.count, real, xs, ys, bytes);
      for (const window of m.windows) {
        for (const p of m.load(window)) {
          signal?.throwIfAborted();
          if (p.done % 16 === 0) say("potential");
        }
        const list: PoolTask[] = [];
        for (let t = 0; t * perTask < batch.count; t++) list.push(task(t, batch, ...window));
        await run(list);
      }
    },
    free: slices.free,
  };
}

/** exp(−2πi h u) and exp(−2πi k v) of every probe in flight: together the shift of the probe to its place. */
function shiftPhases(
  plan: ScanPlan,
  first: number,
  count: number,
  real: (at: number, length: number) => Float32Array | Float64Array,
  xs: number,
  ys: number,
  bytes: number,
): void {
  const { nx, ny, a, b } = plan.setup.grid,
    area = a[0] * b[1] - a[1] * b[0],
    r = plan.positions.positions;
  const fill = (at: number, size: number, fraction: number): void => {
    const view = real(at, 2 * size),
      f = fraction - Math.floor(fraction);
    for (let i = 0; i < size; i++) {
      const k = i < size / 2 ? i : i - size,
        turns = k * f,
        t = -2 * Math.PI * (turns - Math.round(turns));
      view[2 * i] = Math.cos(t);
      view[2 * i + 1] = Math.sin(t);
    }
  };
  for (let p = 0; p < count; p++) {
    const x = r[2 * (first + p)]!,
      y = r[2 * (first + p) + 1]!;
    fill(xs + p * 2 * bytes * nx, nx, (x * b[1] - y * b[0]) / area);
    fill(ys + p * 2 * bytes * ny, ny, (y * a[0] - x * a[1]) / area);
  }
}
