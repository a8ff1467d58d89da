import type { PoolCall, PoolTask } from "../core/pool.js";
import { multisliceKernels, multisliceTables } from "../kernels/multislice.js";
import { onWindow, type PrismBeams, prismRows, prismWeights } from "./prism-beams.js";
import { prismMatrix } from "./prism-matrix.js";
import { type CarrierContext, configurationSlices, type ProbeBatch, realOf, type ScanCarrier } from "./scan-carrier.js";

/** Scratch of a matrix–vector product for every column, bytes. */
const GEMV_WORK = 32;

/** Probes as sums of exit waves that are computed once for every configuration: PRISM. Detectors see the window of the probe. */
export function prismCarrier(context: CarrierContext, beams: PrismBeams): ScanCarrier {
  const { plan, memory, precision, tasks, perTask, detect, run, say } = context,
    { grid } = plan.setup,
    { exits, detectors } = plan,
    { window, count } = beams,
    [wx, wy] = beams.part,
    size = precision === "f32" ? 8 : 16,
    real = realOf(context),
    slots = tasks * perTask;
  const probes = plan.waves.map(({ wave }) => onWindow(wave, grid, beams));
  const slices = configurationSlices(context),
    matrix = prismMatrix({ arena: memory, grid, precision }, beams, exits);
  const tables = multisliceTables(memory, wy, wx, precision, wx, wx, multisliceKernels(memory).backend);
  // One probe at a time in a task: its part of the exit wave, that spread over the window, and scratch.
  const weights = memory.alloc(slots * count * size),
    part = memory.alloc(tasks * wx * wy * size),
    psi = memory.alloc(tasks * window.nx * window.ny * size),
    fftScratch = memory.alloc(tasks * tables.scratchBytes),
    work = memory.alloc(tasks * count * GEMV_WORK);
  let ready = -1;
  const gemv = precision === "f32" ? "cgemv" : "zgemv";
  const task = (t: number, { first, count: inFlight, weight, readings, patternsOf }: ProbeBatch): PoolTask => {
    const calls: PoolCall[] = [],
      own = part + t * wx * wy * size,
      wave = psi + t * window.nx * window.ny * size;
    for (let slot = t * perTask; slot < Math.min(inFlight, (t + 1) * perTask); slot++) {
      const r = plan.positions.positions,
        rows = prismRows(beams, grid, r[2 * (first + slot)]!, r[2 * (first + slot) + 1]!);
      exits.forEach((_, d) => {
        calls.push({ family: "detectors", name: "clear", args: [own, wx * wy * size] });
        for (const { from, to, length } of rows)
          calls.push({
            family: "dense",
            name: gemv,
            args: [
              length,
              count,
              1,
              matrix.address(d) + from * count * size,
              count,
              0,
              weights + slot * count * size,
              own + to * size,
              work + t * count * GEMV_WORK,
            ],
          });
        calls.push(
          { family: "multislice", name: `filter_${precision}`, args: [tables.ptr, own, 0, 0, fftScratch + t * tables.scratchBytes] },
          { family: "multislice", name: `spread_${precision}`, args: [own, wy, wx, wave, window.ny, window.nx] },
          ...detect(wave, readings + 8 * (slot * exits.length + d) * detectors.sums, patternsOf(slot, d), weight),
        );
      });
    }
    return calls;
  };
  return {
    prepare: async (index) => {
      if (ready === index) return;
      ready = -1;
      const m = slices.use(index);
      await matrix.buildWith(m, run, (done) => say(`plane waves: ${done} of ${count}`));
      ready = index;
    },
    carry: async (batch) => {
      const r = plan.positions.positions;
      for (let slot = 0; slot < batch.count; slot++) {
        const [x, y] = [r[2 * (batch.first + slot)]!, r[2 * (batch.first + slot) + 1]!];
        prismWeights(real(weights + slot * count * size, 2 * count), beams, probes[batch.wave]!, grid, x, y);
      }
      const list: PoolTask[] = [];
      for (let t = 0; t * perTask < batch.count; t++) list.push(task(t, batch));
      await run(list);
    },
    free: () => {
      slices.free();
      matrix.free();
      tables.free();
    },
  };
}
