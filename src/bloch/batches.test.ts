import { expect, test } from "vitest";
import { type Batch, inBatches } from "./batches.js";

/** Batches of two that say what happens to them; each ends when it is asked to, or by itself. */
const total = 5;
function log(fails?: (from: number) => Error | undefined) {
  const said: string[] = [];
  const start = (from: number): Batch<number> => {
    const error = fails?.(from);
    said.push(`start ${from}`);
    let end = (): void => undefined;
    const done = new Promise<number>((yes, no) => {
      end = () => no(new Error("stopped"));
      setTimeout(() => (error ? no(error) : yes(10 * from)), 1);
    });
    return {
      size: Math.min(2, total - from),
      done,
      stop: () => {
        said.push(`stop ${from}`);
        end();
      },
      free: () => said.push(`free ${from}`),
    };
  };
  return { said, start };
}
const take = (said: string[]) => (_: Batch<number>, result: number, from: number) => void said.push(`take ${from} ${result}`);

const run = (said: string[]) => ({ onProgress: (n: number, of: number) => void said.push(`${n} of ${of}`) });

test("one batch at a time, in order", async () => {
  const { said, start } = log();
  await inBatches(total, start, take(said), { ahead: false, ...run(said) });
  const one = (from: number) => [`start ${from}`, `take ${from} ${10 * from}`, `free ${from}`, `${Math.min(5, from + 2)} of 5`];
  expect(said).toEqual([0, 2, 4].flatMap(one));
});
test("ahead, the next one is started before the results of this one are awaited", async () => {
  const { said, start } = log();
  await inBatches(total, start, take(said), { ahead: true, ...run(said) });
  expect(said.filter((s) => /start|take/.test(s))).toEqual(["start 0", "start 2", "take 0 0", "start 4", "take 2 20", "take 4 40"]);
});
test("an empty list starts nothing", async () => {
  const { said, start } = log();
  await inBatches(0, start, take(said), { ahead: true });
  expect(said).toEqual([]);
});

/** Every batch that was started is freed once, and never stopped after that. */
function clean(said: readonly string[]): void {
  for (const s of said.filter((x) => x.startsWith("start"))) {
    const freed = said.flatMap((x, i) => (x === s.replace("start", "free") ? [i] : []));
    expect(freed, s).toHaveLength(1);
    expect(said.lastIndexOf(s.replace("start", "stop")), s).toBeLessThan(freed[0]!);
  }
}
test.each(["take", "progress", "done", "start"] as const)("an error of %s frees both batches once and goes on", async (where) => {
  const { said, start } = log((from) => (where === "done" && from === 2 ? new Error(where) : undefined));
  const refuse = (when: boolean): void => {
    if (when) throw new Error(where);
  };
  await expect(
    inBatches(
      total,
      (from) => {
        refuse(where === "start" && from === 4);
        return start(from);
      },
      (_, __, from) => refuse(where === "take" && from === 2),
      { ahead: true, onProgress: (n) => refuse(where === "progress" && n === 2) },
    ),
  ).rejects.toThrow(where);
  clean(said);
});
test("an abort stops what runs and throws its reason", async () => {
  const { said, start } = log();
  const control = new AbortController();
  const ended = inBatches(total, start, take(said), { ahead: true, signal: control.signal });
  control.abort(new Error("enough"));
  await expect(ended).rejects.toThrow("enough");
  expect(said).toEqual(expect.arrayContaining(["stop 0", "stop 2", "free 0", "free 2"]));
  clean(said);
});
