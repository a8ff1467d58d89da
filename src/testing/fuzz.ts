import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { rng } from "../core/rng.js";

/** A reader under test: it may return anything; the result is thrown away. Lazy results should be read through inside it. */
export type FuzzReader = (bytes: Uint8Array) => unknown | Promise<unknown>;

export interface FuzzOptions {
  /** Most truncation lengths tried; a longer file is cut at every byte of its first and last part and at random between. */
  readonly maxCuts?: number;
  /** Number of damaged copies: 1 to 8 flipped bits each. */
  readonly flips?: number;
  /** Most positions at which a size-like field is blown up (every one of the first bytes, in both byte orders, 2 to 8 bytes). */
  readonly maxFields?: number;
  /** Longest time one call may take, ms. Default 10 000: it catches hangs, it is no benchmark. */
  readonly limitMs?: number;
  /** Most bytes of array buffers that one call may allocate; not looked at by default. Garbage of the call counts, unless it was collected within. */
  readonly maxAllocation?: number;
  readonly seed?: number;
}

/** One damaged input and what was done to it. */
interface Damage {
  readonly what: string;
  readonly bytes: Uint8Array;
}

function* cuts(bytes: Uint8Array, maxCuts: number, seed: number): Generator<Damage> {
  const g = rng(seed).fork("cuts");
  const all = bytes.length <= maxCuts;
  const lengths = new Set<number>();
  for (let k = 0; k < (all ? bytes.length : Math.floor(maxCuts / 2)); k++) lengths.add(k);
  if (!all) for (let k = 0; k < maxCuts / 4; k++) lengths.add(bytes.length - 1 - k).add(g.integer(bytes.length));
  for (const n of lengths) yield { what: `cut to ${n} of ${bytes.length} bytes`, bytes: bytes.slice(0, n) };
}

function* flipped(bytes: Uint8Array, flips: number, seed: number): Generator<Damage> {
  const g = rng(seed).fork("flips");
  for (let k = 0; k < flips; k++) {
    const copy = bytes.slice();
    const done: string[] = [];
    // Half of the damage goes to the first kilobyte: that is where the headers are.
    const reach = k % 2 === 0 ? Math.min(bytes.length, 1024) : bytes.length;
    for (let n = 1 + g.integer(8); n > 0; n--) {
      const at = g.integer(reach),
        bit = g.integer(8);
      copy[at]! ^= 1 << bit;
      done.push(`${at}.${bit}`);
    }
    yield { what: `flipped bits ${done.join(" ")}`, bytes: copy };
  }
}

const hostile: readonly (readonly number[])[] = [
  [0xff, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0x7f],
  [0xff, 0xff, 0xff, 0xff],
  [0x80, 0, 0, 0],
  [0, 0, 0, 0x80],
  [0, 0, 0, 0],
  [0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0x3f],
  [0x39, 0x39, 0x39, 0x39, 0x39, 0x39, 0x39], // ASCII nines: text headers
];

function* blownUp(bytes: Uint8Array, maxFields: number, seed: number): Generator<Damage> {
  const g = rng(seed).fork("fields");
  const all = bytes.length <= maxFields;
  for (let k = 0; k < Math.min(bytes.length, maxFields); k++) {
    const at = all || k < maxFields / 2 ? k : g.integer(bytes.length);
    const pattern = hostile[(k + g.integer(hostile.length)) % hostile.length]!;
    const copy = bytes.slice();
    copy.set(pattern.slice(0, copy.length - at), at);
    yield { what: `bytes ${pattern.map((b) => b.toString(16)).join(" ")} at ${at}`, bytes: copy };
  }
}

/**
 * Run a reader on damaged copies of a small valid file. Either it reads (damage in pixel data is no error) or it throws an SdkError
 * with a hint; anything else, or a call longer than `limitMs`, is reported with the damage that did it.
 * @returns one line for each failure; empty when the reader held
 */
export async function fuzz(bytes: Uint8Array, reader: FuzzReader, options: FuzzOptions = {}): Promise<string[]> {
  const { maxCuts = 2500, flips = 500, maxFields = 1500, limitMs = 10_000, maxAllocation, seed = 20261120 } = options;
  const buffers = (): number => (maxAllocation === undefined ? 0 : process.memoryUsage().arrayBuffers);
  const wrong: string[] = [];
  const tryOne = async ({ what, bytes: damaged }: Damage): Promise<void> => {
    const start = performance.now(),
      before = buffers();
    try {
      await reader(damaged);
    } catch (e) {
      if (!isSdkError(e)) wrong.push(`${what}: ${e instanceof Error ? `${e.name}: ${e.message}` : String(e)}`);
      else if (e.hint.length < 15) wrong.push(`${what}: the hint says nothing: "${e.hint}"`);
    }
    const ms = performance.now() - start;
    const grown = buffers() - before;
    if (maxAllocation !== undefined && grown > maxAllocation) wrong.push(`${what}: allocated ${(grown / 2 ** 20).toFixed(0)} MiB`);
    if (ms > limitMs) wrong.push(`${what}: took ${ms.toFixed(0)} ms`);
  };
  for (const damages of [cuts(bytes, maxCuts, seed), flipped(bytes, flips, seed), blownUp(bytes, maxFields, seed)])
    for (const damage of damages) {
      await tryOne(damage);
      if (wrong.length >= 5) return wrong;
    }
  return wrong;
}

/** Define a test that a reader survives truncation at every byte, bit flips and hostile sizes with nothing but SdkErrors. */
export function fuzzReader(
  name: string,
  smallFile: Uint8Array | (() => Uint8Array | Promise<Uint8Array>),
  reader: FuzzReader,
  options: FuzzOptions = {},
): void {
  test(`${name}: damaged files give SdkErrors only`, async () => {
    const bytes = typeof smallFile === "function" ? await smallFile() : smallFile;
    await reader(bytes); // the undamaged file reads
    expect(await fuzz(bytes, reader, options)).toEqual([]);
  });
}
