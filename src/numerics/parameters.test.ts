import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { parameterMap, type Tie } from "./parameters.js";

const expand = (map: ReturnType<typeof parameterMap>, q: ArrayLike<number>): number[] => {
  const p = new Float64Array(map.size);
  map.expandInto(p, Float64Array.from(q));
  return [...p];
};

test("chains of ties are resolved in any order, through fixed parameters too", () => {
  const map = parameterMap([1, 2, 3, 4], {
    fixed: [3],
    ties: [
      { index: 0, terms: [[1, 2]], constant: 1 },
      {
        index: 1,
        terms: [
          [2, -1],
          [3, 0.5],
        ],
      },
    ],
  });
  expect(map.free).toEqual([2]);
  expect(expand(map, [10])).toEqual([1 + 2 * (-10 + 2), -10 + 2, 10, 4]);
  expect(map.identity).toBe(false);
});

test("bounds of a tied parameter move to its free one, also through a negative factor", () => {
  const map = parameterMap([0, 0], { ties: [{ index: 1, terms: [[0, -2]], constant: 1 }], lower: [-10, -3], upper: [1.5, 7] });
  expect([...map.lower]).toEqual([-3]);
  expect([...map.upper]).toEqual([1.5]);
  expect(() =>
    parameterMap([0, 0, 0], {
      ties: [
        {
          index: 2,
          terms: [
            [0, 1],
            [1, 1],
          ],
        },
      ],
      upper: [9, 9, 1],
    }),
  ).toThrow(/unsupported/);
  expect(() => parameterMap([0, 0], { ties: [{ index: 1, terms: [[0, 1]], constant: 5 }], lower: [0, 0], upper: [1, 1] })).toThrow(
    /no room/,
  );
});

test("flags or indices for fixed; a start outside is moved to the bound", () => {
  expect(parameterMap([1, 2, 3], { fixed: [false, true, false] }).free).toEqual([0, 2]);
  expect([...parameterMap([5, -5], { lower: [0, 0], upper: [1, 1] }).start]).toEqual([1, 0]);
});

prop(
  "p = offset + M q is what the ties say, for random chains",
  [
    fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: -3, max: 3 })), { minLength: 1, maxLength: 6 }),
    fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 5, maxLength: 5 }),
  ],
  (links, q) => {
    // parameters 0…4 free, each further one tied to an earlier one
    const ties: Tie[] = links.map(([j, c], k) => ({ index: 5 + k, terms: [[Math.min(j + k, 4 + k), c]], constant: k }));
    const p = expand(parameterMap(new Float64Array(5 + links.length), { ties: [...ties].reverse() }), q);
    q.forEach((v, i) => {
      expect(p[i]).toBe(v);
    });
    for (const t of ties) expect(p[t.index]).toBe(t.constant! + t.terms[0]![1] * p[t.terms[0]![0]]!);
  },
);
