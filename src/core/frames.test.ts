import { expect, test } from "vitest";
import { apply, compose, inverse, type Map3, type Vec3 } from "./frames.js";

test("a vector of one frame does not fit another", () => {
  const u: Map3<"sample", "crystal"> = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const v: Vec3<"lab"> = [1, 2, 3];
  // @ts-expect-error a lab vector is not a crystal vector
  apply(u, v);
  expect(apply(u, [1, 2, 3])).toEqual([1, 2, 3]);
});

test("inverse undoes and compose orders right to left", () => {
  const m: Map3<"lab", "sample"> = [2, 1, 0, 0, 3, 1, 1, 0, 4];
  const one = compose(inverse(m), m);
  one.forEach((x, i) => {
    expect(x).toBeCloseTo(i % 4 === 0 ? 1 : 0, 14);
  });
});
