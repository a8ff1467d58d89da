import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { contiguous, imageOf, isContiguous, ndView, pick, rowMajorStride } from "./ndview.js";

test("strides, slices and transposes", () => {
  const v = ndView(
    Float32Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 4],
  );
  expect(v.stride).toEqual([12, 4, 1]);
  expect([...imageOf(pick(v, 1)).data]).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
  expect(imageOf(pick(v, 1)).data.buffer).toBe(v.data.buffer);
  const t = { ...v, shape: [4, 3], stride: [1, 4], offset: 0 };
  expect(isContiguous(t)).toBe(false);
  expect([...contiguous(t)]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
  expect([...contiguous({ ...v, shape: [4], stride: [-1], offset: 3 })]).toEqual([3, 2, 1, 0]);
});

test("wrong shapes are named", () => {
  expect(() => ndView(new Uint8Array(5), [2, 3])).toThrow(/bad-shape/);
  expect(() => contiguous({ data: new Uint8Array(5), shape: [6], stride: [1], offset: 0 })).toThrow(/outside/);
  expect(() => imageOf(ndView(new Uint8Array(6), [6]))).toThrow(/two axes/);
});

prop(
  "the last stride is 1 and every stride is the product of later sizes",
  [fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })],
  (shape) => {
    const s = rowMajorStride(shape);
    for (let k = 0; k < shape.length; k++) expect(s[k]).toBe(shape.slice(k + 1).reduce((a, b) => a * b, 1));
  },
);
