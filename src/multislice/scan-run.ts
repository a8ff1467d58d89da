import { fail } from "../core/errors.js";
import type { Progress } from "../core/job.js";
import type { Pool, PoolCall, PoolTask } from "../core/pool.js";
import { availableParallelism } from "../core/pool-thread.js";
import { version } from "../core/version.js";
import { arenaPool } from "../kernels/arena-pool.js";
import { type DetectorKernels, detectorKernels, detectorsWasm } from "../kernels/detectors.js";
import { arena, wasmAvailable } from "../kernels/memory.js";
import { type MultisliceKernels, multisliceKernels, multisliceWasm } from "../kernels/multislice.js";
import type { Axis } from "./detectors.js";
import { potentialPlan } from "./potential.js";
import { type MultislicePlan, multislicePlan } from "./propagate.js";
import { type CheckpointStore, decodeState, encodeState, scanKey } from "./scan-checkpoint.js";
import { planScan, type ScanMemory, type ScanPlan, type ScanSetup } from "./scan-plan.js";
import { restSlices } from "./slicing.js";

/** Takes the patterns of one pixelated detector as they are made. */
export interface PatternSink {
  /** `count` patterns [my, mx] of consecutive probes from `first`, at one depth (index). May be called again for the same probes after a resume. */
  write(depth: number, first: number, patterns: Float32Array): Promise<void>;
  close(): Promise<void>;
}
/** What a sink is opened for. */
export interface PatternStream {
  readonly name: string;
  /** [depths (only of a thickness series), …scan, my, mx]. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Number of probes: the patterns of depth d are d·probes, … */
  readonly probes: number;
  /** The scan goes on from a checkpoint: keep what the file holds. */
  readonly resume: boolean;
}
export interface ScanOptions {
  /** Threads; default all. The result has the same bits for any number. */
  readonly workers?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: Progress) => void) | undefined;
  /** Most memory that the scan may take, MB. Default 2048. */
  readonly maxMemoryMB?: number | undefined;
  /** Where patterns go; default: kept in memory and returned. */
  readonly patternSink?: ((stream: PatternStream) => Promise<PatternSink>) | undefined;
  readonly checkpoint?: CheckpointStore | undefined;
  /** Probes between two checkpoints, at most. Default 256, or 1024 with several configurations, whose potentials are made anew in every block. */
  readonly blockProbes?: number | undefined;
}
export interface ScanReading {
  readonly name: string;
  /** [depths (only of a thickness series), …scan, …own axes of the detector]. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** Fractions of the incident beam; mrad for centres of mass. Empty for patterns that went to a sink. */
  readonly data: Float64Array | Float32Array;
}
export interface ScanResult {
  readonly readings: readonly ScanReading[];
  readonly depths: readonly number[];
  /** Shape [n, 2], Å. */
  readonly positions: Float64Array;
  readonly configurations: number;
  readonly memory: ScanMemory;
  readonly warnings: readonly string[];
  readonly version: string;
}

const MB = 1048576;

/**
 * Run a scan: probes × thermal configurations × incoherent probes, shared out over workers. Every probe is a sum in one order, so neither the number
 * of workers nor an interruption changes a bit.
 * @throws what `planScan` throws; too-large with the numbers to change; the reason of the signal
 */
export async function runScan(setup: ScanSetup | ScanPlan, options: ScanOptions = {}): Promise<ScanResult> {
  const plan = "exits" in setup ? setup : planScan(setup);
  const { signal, onProgress, maxMemoryMB = 2048, checkpoint, patternSink } = options;
  const { grid, multislice = {}, potential = {} } = plan.setup,
    { detectors, exits, probes } = plan;
  const precision = multislice.precision ?? "f32",
    bytes = precision === "f32" ? 4 : 8,
    n = grid.nx * grid.ny,
    waveBytes = 2 * bytes * n;
  for (const [field, v] of Object.entries({ workers: options.workers, blockProbes: options.blockProbes }))
    if (v !== undefined && !(Number.isInteger(v) && v >= 1)) fail("bad-value", { [field]: v }, `${field} is a whole number of at least 1`);
  const wasm = wasmAvailable();
  const workers = wasm ? Math.max(1, Math.min(options.workers ?? Number.POSITIVE_INFINITY, await availableParallelism())) : 1;
  const room = budget(plan, maxMemoryMB, patternSink !== undefined);
  const kept = patternSink ? [] : detectors.patterns;
  const patternBytes = detectors.patterns.reduce((s, p) => s + 4 * p.my * p.mx, 0) * exits.length;

  // Probes of a task: about 60 ms of work; tasks in flight: four a worker, so that none waits long for the last.
  const perTask = Math.max(1, Math.min(16, Math.round(60 / (n * plan.slices.count * 1.2e-5))));
  const tasks = Math.max(1, Math.min(workers === 1 ? 4 : 4 * workers, Math.ceil(probes / perTask)));
  const block = Math.max(
    1,
    Math.min(
      probes,
      options.blockProbes ?? (plan.configurations.count > 1 ? 1024 : 256),
      patternBytes > 0 ? Math.max(1, Math.floor(Math.min(256 * MB, room / 4) / patternBytes)) : probes,
    ),
  );

  const memory = arena({ shared: workers > 1 });
  const sums = new Float64Array(exits.length * probes * detectors.sums);
  const patterns = kept.map((p) => new Float32Array(exits.length * probes * p.my * p.mx));
  const key = checkpoint ? scanKey(plan) : "";
  let done = 0;
  const saved = await checkpoint?.load();
  if (saved) {
    const state = await decodeState(saved, key, plan, kept);
    done = state.done;
    const spread = (from: Float64Array | Float32Array, to: Float64Array | Float32Array, size: number): void => {
      for (let d = 0; d < exits.length; d++) to.set(from.subarray(d * done * size, (d + 1) * done * size), d * probes * size);
    };
    spread(state.sums, sums, detectors.sums);
    state.patterns.forEach((p, i) => {
      spread(p, patterns[i]!, kept[i]!.my * kept[i]!.mx);
    });
  }
  const prefix = plan.setup.depths ? [exits.length] : [];
  const depthAxes: Axis[] = plan.setup.depths
    ? [{ name: "thickness", unit: "Å", origin: plan.depths[0]!, step: plan.depths.length > 1 ? plan.depths[1]! - plan.depths[0]! : 0 }]
    : [];
  const pixelated = detectors.list.filter((d) => d.sums === 0);
  const sinks: PatternSink[] = [];
  let pool: Pool | undefined;
  let current: { index: number; plan: MultislicePlan; free(): void } | undefined;
  try {
    if (patternSink)
      for (const d of pixelated)
        sinks.push(
          await patternSink({
            name: d.name,
            shape: [...prefix, ...plan.positions.shape, ...d.shape],
            axes: [...depthAxes, ...plan.positions.axes, ...d.axes],
            probes,
            resume: done > 0,
          }),
        );
    if (wasm) pool = await arenaPool(memory, { multislice: multisliceWasm, detectors: detectorsWasm }, { workers });
    const direct = pool ? undefined : { multislice: multisliceKernels(memory), detectors: detectorKernels(memory) };
    const run = (list: readonly PoolTask[]): Promise<unknown> => (pool ? pool.run(list, { signal }) : inThread(list, direct!, signal));

    const put = (a: Float32Array | Uint16Array): number => {
      const at = memory.alloc(a.byteLength);
      if (a instanceof Float32Array) memory.f32(at, a.length).set(a);
      else memory.u16(at, a.length).set(a);
      return at;
    };
    const masks = detectors.maskCount > 0 ? put(detectors.masks) : 0;
    const labels = detectors.labels.map((l) => ({ at: put(l.labels), bins: l.bins }));
    const real = (at: number, length: number): Float32Array | Float64Array =>
      precision === "f32" ? memory.f32(at, length) : memory.f64(at, length);
    const amplitudes = plan.waves.map(({ wave, weight }) => {
      const at = memory.alloc(waveBytes);
      real(at, 2 * n).set(wave);
      let total = 0;
      for (const v of real(at, 2 * n)) total += v * v;
      return { at, weight: weight / total / plan.configurations.count };
    });
    // A slot carries one probe through the crystal.
    const slots = tasks * perTask;
    const waves = memory.alloc(slots * waveBytes),
      xs = memory.alloc(slots * 2 * bytes * grid.nx),
      ys = memory.alloc(slots * 2 * bytes * grid.ny),
      out = memory.alloc(Math.max(8, 8 * slots * exits.length * detectors.sums));
    const blockPatterns = patternBytes > 0 ? memory.alloc(block * patternBytes) : 0;
    let scratch = 0,
      scratchBytes = 0;
    const use = (index: number): MultislicePlan => {
      if (current?.index === index) return current.plan;
      current?.free();
      const made = potentialPlan(plan.configurations.snapshot(index), {
        sliceOfAtom: restSlices(plan.configurations, potential),
        ...potential,
        grid,
        arena: memory,
      });
      const slices = multislicePlan(made, plan.setup.beam, { ...multislice, precision, maxMemoryMB: room / 2 / MB });
      current = {
        index,
        plan: slices,
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
    };
    const total = probes * plan.configurations.count * amplitudes.length;
    let steps = done * plan.configurations.count * amplitudes.length;
    const say = (note: string): void => onProgress?.({ done: steps, total, note });

    while (done < probes) {
      const size = Math.min(block, probes - done);
      if (blockPatterns) memory.u8(blockPatterns, size * patternBytes).fill(0);
      for (let config = 0; config < plan.configurations.count; config++) {
        signal?.throwIfAborted();
        const m = use(config);
        for (const amplitude of amplitudes)
          for (let at = 0; at < size; at += slots) {
            const count = Math.min(slots, size - at);
            phases(plan, done + at, count, real, xs, ys, bytes);
            for (let w = 0; w < m.windows.length; w++) {
              const [from, to] = m.windows[w]!;
              for (const p of m.load(m.windows[w]!)) {
                signal?.throwIfAborted();
                if (p.done % 16 === 0) say("potential");
              }
              const list: PoolTask[] = [];
              for (let t = 0; t * perTask < count; t++)
                list.push(task(m, t, at, count, w === 0 ? amplitude : undefined, from, to, amplitude.weight));
              await run(list);
            }
            const width = exits.length * detectors.sums;
            const read = memory.f64(out, count * width);
            for (let p = 0; p < count; p++)
              for (let d = 0; d < exits.length; d++)
                for (let s = 0; s < detectors.sums; s++)
                  sums[(d * probes + done + at + p) * detectors.sums + s]! += amplitude.weight * read[p * width + d * detectors.sums + s]!;
            steps += count;
            say(plan.configurations.count > 1 ? `configuration ${config + 1} of ${plan.configurations.count}` : "probes");
          }
      }
      if (blockPatterns) await finishBlock(size);
      done += size;
      if (checkpoint && done < probes) await checkpoint.save(encodeState(key, stateAt(done), exits.length, kept));
    }
    for (const s of sinks.splice(0)) await s.close();

    function task(
      m: MultislicePlan,
      t: number,
      at: number,
      count: number,
      shift: { at: number } | undefined,
      from: number,
      to: number,
      weight: number,
    ): PoolTask {
      const calls: PoolCall[] = [];
      for (let slot = t * perTask; slot < Math.min(count, (t + 1) * perTask); slot++) {
        const wave = waves + slot * waveBytes;
        if (shift)
          calls.push({
            family: "multislice",
            name: `shifted_${precision}`,
            args: [m.tables, shift.at, xs + slot * 2 * bytes * grid.nx, ys + slot * 2 * bytes * grid.ny, wave],
          });
        let slice = from;
        exits.forEach((exit, d) => {
          if (exit <= from || exit > to) return;
          calls.push(m.call(wave, 1, slice, exit, scratch + t * scratchBytes));
          slice = exit;
          let sum = out + 8 * (slot * exits.length + d) * detectors.sums;
          if (masks) calls.push({ family: "multislice", name: `detect_${precision}`, args: [wave, n, masks, detectors.maskCount, sum] });
          sum += 8 * detectors.maskCount;
          for (const l of labels) {
            calls.push(
              { family: "detectors", name: "clear", args: [sum, 8 * l.bins] },
              { family: "detectors", name: `bins_${precision}`, args: [wave, n, l.at, sum] },
            );
            sum += 8 * l.bins;
          }
          let place = blockPatterns + (at + slot) * patternBytes + d * (patternBytes / exits.length);
          for (const { my, mx } of detectors.patterns) {
            calls.push({ family: "detectors", name: `pattern_${precision}`, args: [wave, grid.ny, grid.nx, my, mx, place, weight] });
            place += 4 * my * mx;
          }
        });
        if (slice < to && exits.some((e) => e > to)) calls.push(m.call(wave, 1, slice, to, scratch + t * scratchBytes));
      }
      return calls;
    }
    /** Patterns of a block from kernel memory to where they belong. */
    async function finishBlock(size: number): Promise<void> {
      for (const [i, d] of pixelated.entries()) {
        const raw = detectors.patterns[i]!,
          own = d.shape.reduce((a, b) => a * b, 1),
          before = detectors.patterns.slice(0, i).reduce((s, p) => s + 4 * p.my * p.mx, 0);
        for (let depth = 0; depth < exits.length; depth++) {
          const list = new Float32Array(size * own);
          for (let p = 0; p < size; p++) {
            const at = blockPatterns + p * patternBytes + depth * (patternBytes / exits.length) + before;
            list.set(d.finish(memory.f32(at, raw.my * raw.mx).slice()), p * own);
          }
          if (patternSink) await sinks[i]!.write(depth, done, list);
          else patterns[i]!.set(list, (depth * probes + done) * own);
        }
      }
    }
    function stateAt(count: number) {
      const cut = <A extends Float64Array | Float32Array>(a: A, size: number): A => {
        const to = new (a.constructor as new (n: number) => A)(exits.length * count * size);
        for (let d = 0; d < exits.length; d++) to.set(a.subarray(d * probes * size, (d * probes + count) * size), d * count * size);
        return to;
      };
      return {
        done: count,
        sums: cut(sums, detectors.sums),
        patterns: patterns.map((p, i) =>
          cut(
            p,
            pixelated[i]!.shape.reduce((a, b) => a * b, 1),
          ),
        ),
      };
    }
  } finally {
    await pool?.close();
    current?.free();
    for (const s of sinks) await s.close().catch(() => undefined);
  }
  return {
    readings: readingsOf(plan, sums, patterns, prefix, depthAxes),
    depths: plan.depths,
    positions: plan.positions.positions,
    configurations: plan.configurations.count,
    memory: plan.memory,
    warnings: plan.warnings,
    version,
  };
}

/** What is left for transmission functions and patterns in flight, bytes. @throws too-large before anything is allocated */
function budget(plan: ScanPlan, maxMemoryMB: number, streamed: boolean): number {
  const { memory, detectors, exits } = plan;
  if (!(maxMemoryMB > 0)) fail("bad-value", { maxMemoryMB }, "maxMemoryMB is a number of megabytes, for example 2048");
  const fixed = memory.detectors + memory.waves + memory.readings + (streamed ? 0 : memory.patterns);
  const one = detectors.patterns.reduce((s, p) => s + 4 * p.my * p.mx, 0) * exits.length;
  const slice = memory.transmission / plan.slices.count;
  const need = fixed + 4 * slice + one;
  if (need > maxMemoryMB * MB) {
    const mb = (v: number): number => Math.round(v / MB);
    const tips = [
      ...(memory.patterns > need / 2 && !streamed
        ? [`write the patterns to a file (patternSink): they take ${mb(memory.patterns)} MB`]
        : []),
      ...(memory.patterns > need / 2 ? ["cut them at a smaller maxMrad", "scan fewer positions"] : []),
      ...(memory.readings > need / 2 ? ["read fewer depths or rings"] : []),
      ...(memory.detectors > need / 2 ? ["use fewer blurred bins"] : []),
      `raise maxMemoryMB above ${mb(need) + 1}`,
    ];
    fail(
      "too-large",
      { neededMB: mb(need), maxMemoryMB, patternsMB: mb(memory.patterns), transmissionMB: mb(memory.transmission), probes: plan.probes },
      `this scan does not fit the memory: ${tips.join("; or ")}`,
    );
  }
  return Math.min(maxMemoryMB * MB - fixed, 3 * 1024 * MB);
}

/** exp(−2πi h u) and exp(−2πi k v) of every probe in flight: together the shift of the probe to its place. */
function phases(
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

/** Without WebAssembly: the same calls on the TypeScript kernels. */
async function inThread(
  list: readonly PoolTask[],
  kernels: { readonly multislice: MultisliceKernels; readonly detectors: DetectorKernels },
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const calls of list) {
    signal?.throwIfAborted();
    for (const c of calls) (kernels[c.family as "multislice"][c.name as "advance_f32"] as (...a: readonly number[]) => void)(...c.args);
    await new Promise<void>((resume) => setTimeout(resume));
  }
}

function readingsOf(
  plan: ScanPlan,
  sums: Float64Array,
  patterns: readonly Float32Array[],
  prefix: readonly number[],
  depthAxes: readonly Axis[],
): ScanReading[] {
  const { detectors, exits, probes } = plan;
  let pixelated = 0;
  return detectors.list.map((d) => {
    const shape = [...prefix, ...plan.positions.shape, ...d.shape],
      axes = [...depthAxes, ...plan.positions.axes, ...d.axes];
    if (d.sums === 0) return { name: d.name, shape, axes, data: patterns[pixelated++] ?? new Float32Array(0) };
    const own = d.shape.reduce((a, b) => a * b, 1),
      data = new Float64Array(exits.length * probes * own);
    for (let i = 0; i < exits.length * probes; i++)
      data.set(d.finish(sums.slice(i * detectors.sums + d.at, i * detectors.sums + d.at + d.sums)), i * own);
    return { name: d.name, shape, axes, data };
  });
}
