import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { arenaPool } from "../kernels/arena-pool.js";
import { fftTables, fftWasm } from "../kernels/fft.js";
import { type Arena, arena } from "../kernels/memory.js";
import { isSdkError } from "./errors.js";
import { type PoolTask, workerPool } from "./pool.js";
import { availableParallelism } from "./pool-thread.js";

/** Rows 0 … rows − 1 of seeded values in the arena, and tasks that transform `each` rows at a time. */
function rowsJob(a: Arena, n: number, rows: number, each: number) {
  const t = fftTables(a, n, "f64"),
    ptr = a.alloc(rows * n * 16);
  a.f64(ptr, 2 * rows * n).forEach((_, i, x) => {
    x[i] = Math.sin(3 * i) + (i % 7);
  });
  const tasks: PoolTask[] = [];
  for (let lo = 0; lo < rows; lo += each) {
    const args = [t.d, ptr, n * 16, ptr, n * 16, lo, Math.min(rows, lo + each), a.alloc(t.scratchBytes), 0, 1];
    tasks.push([{ family: "fft", name: "rows_f64", args }]);
  }
  return { tasks, result: () => a.f64(ptr, 2 * rows * n).slice() };
}
const transformed = async (shared: boolean, workers: number, each: number): Promise<Float64Array> => {
  const a = arena({ shared });
  const pool = await arenaPool(a, { fft: fftWasm }, { workers });
  const job = rowsJob(a, 60, 50, each);
  await pool.run(job.tasks);
  await pool.close();
  return job.result();
};

test("any number of workers, any split, shared or not: the same bits", async () => {
  const expected = await transformed(false, 1, 50);
  for (const [shared, workers, each] of [
    [true, 1, 10],
    [true, 2, 10],
    [true, 2, 6],
    [true, 64, 2],
    [false, 2, 10],
  ] as const)
    expect(await transformed(shared, workers, each)).toEqual(expected);
});

test("workers are real threads on shared memory, and never more than the machine has", async () => {
  const most = await availableParallelism();
  const pool = await arenaPool(arena({ shared: true }), { fft: fftWasm }, { workers: 1000 });
  expect(pool.workers).toBe(most);
  expect(pool.threaded).toBe(most > 1);
  await pool.close();
  const single = await arenaPool(arena(), { fft: fftWasm });
  expect([single.workers, single.threaded]).toEqual([1, false]);
});

/** (import "env" "memory") and three exports: add(p, v), get(p), trap(). Hand-made, so that core depends on no kernel. */
const counter = Uint8Array.from(
  [
    [0, 97, 115, 109, 1, 0, 0, 0],
    [1, 14, 3, 96, 2, 127, 127, 0, 96, 1, 127, 1, 127, 96, 0, 0],
    [2, 16, 1, 3, 101, 110, 118, 6, 109, 101, 109, 111, 114, 121, 2, 1, 1, 1],
    [3, 4, 3, 0, 1, 2],
    [7, 20, 3, 3, 97, 100, 100, 0, 0, 3, 103, 101, 116, 0, 1, 4, 116, 114, 97, 112, 0, 2],
    [10, 29, 3, 15, 0, 32, 0, 32, 0, 40, 2, 0, 32, 1, 106, 54, 2, 0, 11, 7, 0, 32, 0, 40, 2, 0, 11, 3, 0, 0, 11],
  ].flat(),
);
const counterPool = (workers: number) => {
  const shared = workers > 1,
    bytes = counter.slice();
  if (shared) bytes[8 + 16 + 15] = 3; // the limits flag
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
  return workerPool({ memory, families: { c: new WebAssembly.Module(bytes) }, workers }).then((pool) => ({ pool, memory }));
};
const call = (name: string, ...args: number[]) => ({ family: "c", name, args });

for (const workers of [1, 2]) {
  test(`phases in step see each other, and one failure stops them, ${workers} worker(s)`, async () => {
    const { pool } = await counterPool(workers);
    // Each phase adds to the place of the other worker: wrong without barriers.
    const phase = (k: number): PoolTask[] => Array.from({ length: pool.workers }, (_, i) => [call("add", 4 * ((i + k) % pool.workers), 1)]);
    await pool.phases(Array.from({ length: 300 }, (_, k) => phase(k)));
    expect(await pool.run(Array.from({ length: pool.workers }, (_, i) => [call("get", 4 * i)]))).toEqual(new Array(pool.workers).fill(300));
    await expect(pool.phases([phase(0), [[call("trap")]], phase(1)])).rejects.toThrow(/kernel call failed/);
    expect(await pool.run(Array.from({ length: pool.workers }, (_, i) => [call("get", 4 * i)]))).toEqual(new Array(pool.workers).fill(301));
    const late = new AbortController();
    late.abort(new Error("no"));
    await expect(pool.phases([phase(0)], { signal: late.signal })).rejects.toThrow("no");
    await pool.close();
  });

  test(`values come by task index, calls of a task in order, ${workers} worker(s)`, async () => {
    const { pool } = await counterPool(workers);
    const values = await pool.run(
      Array.from({ length: 40 }, (_, i) => [call("add", 4 * i, i), call("add", 4 * i, 100), call("get", 4 * i)]),
    );
    expect(values).toEqual(Array.from({ length: 40 }, (_, i) => 100 + i));
    await pool.close();
  });

  test(`a phase sees all of the phase before, ${workers} worker(s)`, async () => {
    const { pool } = await counterPool(workers);
    const seen: number[] = [];
    await pool.phases(
      [Array.from({ length: 20 }, (_, i) => [call("add", 4 * i, 1)]), Array.from({ length: 20 }, (_, i) => [call("add", 80 + 4 * i, 2)])],
      {
        onProgress: (done, total) => void seen.push(done, total),
      },
    );
    expect((await pool.run([[call("get", 76)], [call("get", 156)]])).slice()).toEqual([1, 2]);
    expect(seen.slice(-2)).toEqual([40, 40]);
    await pool.close();
  });

  test(`a failing call is an error with a hint, and the pool goes on, ${workers} worker(s)`, async () => {
    const { pool } = await counterPool(workers);
    const bad = await pool.run([[call("trap")]]).catch((e: unknown) => e);
    expect(isSdkError(bad, "bad-value")).toBe(true);
    await expect(pool.run([[call("nonsense")]])).rejects.toThrow(/check the family/);
    await expect(pool.run([[call("get", 1 << 20)]])).rejects.toThrow(/kernel call failed/);
    expect(await pool.run([[call("add", 0, 5), call("get", 0)]])).toEqual([5]);
    await pool.close();
    await expect(pool.run([])).rejects.toThrow(/closed/);
  });

  test(`abort stops the dispatch and rejects with the reason, ${workers} worker(s)`, async () => {
    const { pool } = await counterPool(workers);
    const control = new AbortController(),
      reason = new Error("enough");
    let finished = 0;
    const run = pool.run(
      Array.from({ length: 500 }, () => [call("add", 0, 1)]),
      {
        signal: control.signal,
        onProgress: (done) => {
          finished = done;
          if (done === 7) control.abort(reason);
        },
      },
    );
    await expect(run).rejects.toBe(reason);
    expect(finished).toBeLessThanOrEqual(6 + 2);
    expect(await pool.run([[call("get", 0)]])).toEqual([finished]); // nothing ran after the rejection
    await pool.close();
  });
}

test("two runs at once wait for each other", async () => {
  const { pool } = await counterPool(2);
  const add = Array.from({ length: 30 }, () => [call("add", 0, 1)]);
  const [, between, , after] = await Promise.all([
    pool.run(add.slice(0, 1)),
    pool.run([[call("get", 0)]]),
    pool.run([[call("add", 0, 9)]]),
    pool.run([[call("get", 0)]]),
  ]);
  expect([between, after]).toEqual([[1], [10]]);
  await pool.close();
});

test("disposal by symbol where the engine has it, and refusal of a senseless worker count", async () => {
  const { pool } = await counterPool(2);
  await (Symbol.asyncDispose ? pool[Symbol.asyncDispose]() : pool.close());
  await expect(pool.run([])).rejects.toThrow(/closed/);
  await expect(counterPool(0)).rejects.toThrow(/at least 1/);
});

test("a program that forgets to close its pool still ends, after its results", () => {
  const src = dirname(dirname(fileURLToPath(import.meta.url)));
  const at = (f: string): string => JSON.stringify(pathToFileURL(join(src, f)).href);
  const program = `
    import { arena } from ${at("kernels/memory.ts")};
    import { fftPlan } from ${at("numerics/fft-plan.ts")};
    import { fftPool, runOnPool } from ${at("numerics/fft-parallel.ts")};
    const a = arena({ shared: true }), pool = await fftPool(a, { workers: 2 }), plan = fftPlan({ shape: [64, 64], type: "c128", arena: a, workers: 2 });
    plan.data().fill(1);
    await runOnPool(pool, plan, "forward");
    console.log(plan.data()[0]);`;
  const r = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], { encoding: "utf8", timeout: 30_000 });
  expect(r.stdout.trim(), r.stderr).toBe("4096");
  expect(r.status).toBe(0);
});
