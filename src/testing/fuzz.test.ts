import { expect, test } from "vitest";
import { fail } from "../core/errors.js";
import { fuzz } from "./fuzz.js";

const bytes = Uint8Array.from({ length: 40 }, (_, i) => i);
const few = { maxCuts: 50, flips: 30, maxFields: 40 };

test("a careful reader passes", async () => {
  expect(await fuzz(bytes, (b) => (b.length < 40 ? fail("bad-file", {}, "the file is truncated, get it again") : b[3]), few)).toEqual([]);
});

test("other errors, empty hints, slow and greedy readers are reported", async () => {
  expect((await fuzz(bytes, (b) => new DataView(b.buffer).getUint32(36), few))[0]).toMatch(/^cut to 0 of 40 bytes: RangeError/);
  expect((await fuzz(bytes, () => fail("bad-file", {}, "bad"), few))[0]).toContain("the hint says nothing");
  const slow = (): void => {
    for (const end = performance.now() + 20; performance.now() < end; );
  };
  expect((await fuzz(bytes, slow, { ...few, limitMs: 5 }))[0]).toMatch(/took \d+ ms/);
  let taken = 0;
  const greedy = (): void => {
    taken += new Uint8Array(50 << 20).length;
  };
  expect((await fuzz(bytes, greedy, { ...few, maxAllocation: 10 << 20 }))[0]).toMatch(/allocated \d+ MiB/);
  expect(taken).toBeGreaterThan(0);
});
