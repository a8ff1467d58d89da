import { fail } from "../core/errors.js";
import { availableParallelism } from "../core/pool-thread.js";
import { version } from "../core/version.js";
import { arena, wasmAvailable } from "../kernels/memory.js";
import { onWindow } from "./prism-beams.js";
import { MB, patternBytes, scanBudget } from "./scan-budget.js";
import { type CarrierContext, multisliceCarrier, type ScanCarrier } from "./scan-carrier.js";
import { decodeState, encodeState, scanKey } from "./scan-checkpoint.js";
import { detectorCalls } from "./scan-detect.js";
import { type ScanKernels, scanKernels } from "./scan-kernels.js";
import { planScan, type ScanPlan, type ScanSetup } from "./scan-plan.js";
import { prismCarrier } from "./scan-prism.js";
import { type ScanOptions, type ScanResult, scanReadings } from "./scan-result.js";
import { scanStore } from "./scan-store.js";

/**
 * Run a scan: probes × thermal configurations × incoherent probes, shared out over workers. Every probe is a sum in one order, so neither the number
 * of workers nor an interruption changes a bit.
 * @throws what `planScan` throws; too-large with the numbers to change; the reason of the signal
 */
export async function runScan(setup: ScanSetup | ScanPlan, options: ScanOptions = {}): Promise<ScanResult> {
  const plan = "exits" in setup ? setup : planScan(setup);
  const { signal, onProgress, maxMemoryMB = 2048, checkpoint, patternSink } = options;
  const { detectors, exits, probes, configurations } = plan;
  for (const [field, v] of Object.entries({ workers: options.workers, blockProbes: options.blockProbes }))
    if (v !== undefined && !(Number.isInteger(v) && v >= 1)) fail("bad-value", { [field]: v }, `${field} is a whole number of at least 1`);
  const workers = wasmAvailable() ? Math.max(1, Math.min(options.workers ?? Number.POSITIVE_INFINITY, await availableParallelism())) : 1;
  const room = scanBudget(plan, maxMemoryMB, patternSink !== undefined);
  const { perTask, tasks, block } = shares(plan, workers, room, options.blockProbes);

  const store = scanStore(plan, patternSink);
  const kept = patternSink ? [] : detectors.list.filter((d) => d.sums === 0).map(({ shape: [my, mx] }) => ({ my: my!, mx: mx! }));
  const key = checkpoint ? scanKey(plan) : "";
  const saved = await checkpoint?.load();
  let done = 0;
  if (saved) {
    const state = await decodeState(saved, key, plan, kept);
    done = state.done;
    store.restore(state);
  }
  const memory = arena({ shared: workers > 1 }),
    precision = plan.setup.multislice?.precision ?? "f32",
    runs = configurations.count * plan.waves.length,
    one = patternBytes(plan),
    slots = tasks * perTask;
  let steps = done * runs;
  const say = (note: string): void => onProgress?.({ done: steps, total: probes * runs, note });
  let kernels: ScanKernels | undefined, carrier: ScanCarrier | undefined;
  try {
    await store.openSinks(done > 0);
    kernels = await scanKernels(memory, workers, signal);
    const detect = detectorCalls(plan, memory, precision);
    const context: CarrierContext = { plan, memory, precision, tasks, perTask, room, detect, run: kernels.run, signal, say };
    carrier = plan.prism ? prismCarrier(context, plan.prism) : multisliceCarrier(context);
    const weights = componentWeights(plan),
      readings = memory.alloc(Math.max(8, 8 * slots * exits.length * detectors.sums)),
      patterns = one > 0 ? memory.alloc(block * one) : 0;
    while (done < probes) {
      const size = Math.min(block, probes - done);
      if (patterns) memory.u8(patterns, size * one).fill(0);
      for (let config = 0; config < configurations.count; config++) {
        signal?.throwIfAborted();
        await carrier.prepare(config);
        for (const [wave, weight] of weights.entries())
          for (let at = 0; at < size; at += slots) {
            const count = Math.min(slots, size - at),
              patternsOf = (slot: number, d: number): number => patterns + (at + slot) * one + d * (one / exits.length);
            await carrier.carry({ first: done + at, count, wave, weight, readings, patternsOf });
            store.add(done + at, count, memory.f64(readings, count * exits.length * detectors.sums), weight);
            steps += count;
            say(configurations.count > 1 ? `configuration ${config + 1} of ${configurations.count}` : "probes");
          }
      }
      if (patterns)
        await store.keep(done, size, (p, d, at, length) => memory.f32(patterns + p * one + d * (one / exits.length) + at, length).slice());
      done += size;
      if (checkpoint && done < probes) await checkpoint.save(encodeState(key, store.state(done), exits.length, kept));
    }
    await store.close();
  } finally {
    await kernels?.close();
    carrier?.free();
    await store.abandon();
  }
  return {
    readings: scanReadings(plan, store.sums, store.patterns),
    depths: plan.depths,
    positions: plan.positions.positions,
    configurations: configurations.count,
    memory: plan.memory,
    warnings: plan.warnings,
    version,
  };
}

/** Probes of a task (about 60 ms of work), tasks in flight (four a worker, so that none waits long for the last), probes of a block. */
function shares(plan: ScanPlan, workers: number, room: number, blockProbes: number | undefined) {
  const { probes, configurations, prism } = plan,
    { nx, ny } = plan.setup.grid,
    one = patternBytes(plan),
    waves = Math.max(1, Math.floor(room / 4 / (16 * nx * ny)));
  const seconds = prism ? prism.count * prism.part[0] * prism.part[1] * 1e-9 : nx * ny * plan.slices.count * 1.2e-8;
  const perTask = Math.max(1, Math.min(16, waves, Math.round(0.06 / seconds))),
    tasks = Math.max(1, Math.min(workers === 1 ? 4 : 4 * workers, Math.floor(waves / perTask), Math.ceil(probes / perTask)));
  const usual = configurations.count === 1 ? 256 : prism ? probes : 1024,
    fits = one > 0 ? Math.max(1, Math.floor(Math.min(256 * MB, room / 4) / one)) : probes;
  return { perTask, tasks, block: Math.max(1, Math.min(probes, blockProbes ?? usual, fits)) };
}

/** Weight of every incoherent component over the intensity of its amplitude, as the carrier sees it, and over the configurations. */
function componentWeights({ waves, configurations, prism, setup }: ScanPlan): readonly number[] {
  const rounded = setup.multislice?.precision === "f64" ? Float64Array : Float32Array;
  return waves.map(({ wave, weight }) => {
    let total = 0;
    for (const v of rounded.from(prism ? onWindow(wave, setup.grid, prism) : wave)) total += v * v;
    return weight / total / configurations.count;
  });
}
