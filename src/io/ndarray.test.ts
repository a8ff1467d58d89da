import ndarray from "ndarray";
import { expect, test } from "vitest";
import { contiguous, imageOf, ndView, pick } from "../core/ndview.js";
import { fromNdarray, toNdarray } from "./ndarray.js";

const values = Float32Array.from({ length: 24 }, (_, i) => i);

test("a view becomes an ndarray that sees the same numbers", async () => {
  const a = await toNdarray(pick(ndView(values, [2, 3, 4]), 1));
  expect(a.shape).toEqual([3, 4]);
  expect(a.get(2, 3)).toBe(23);
  a.set(0, 0, 99);
  expect(values[12]).toBe(99);
  values[12] = 12;
});

test("ndarrays come in with their strides: slices, steps, transposes", () => {
  const a = ndarray(values, [2, 3, 4]);
  const t = a.pick(1, null, null).transpose(1, 0).step(2, 1);
  const image = imageOf(fromNdarray(t));
  expect(image.shape).toEqual([2, 3]);
  expect([...image.data]).toEqual([t.get(0, 0), t.get(0, 1), t.get(0, 2), t.get(1, 0), t.get(1, 1), t.get(1, 2)]);
  expect([...contiguous(fromNdarray(a.lo(0, 1, 2)))].length).toBe(2 * 2 * 2);
});

test("what cannot be taken is named", () => {
  expect(() => fromNdarray({ data: [1, 2], shape: [2] })).toThrow(/plain arrays/);
  expect(() => fromNdarray({ data: new BigInt64Array(2), shape: [2] })).toThrow(/64-bit/);
  expect(() => fromNdarray({ data: new Uint8Array(2), shape: [2], stride: [1, 1] })).toThrow(/one entry per axis/);
});
