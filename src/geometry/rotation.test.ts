import { expect, test } from "vitest";
import { apply, compose, determinant, type Map3, transpose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { radians, rotationAbout, rotationDerivative } from "./rotation.js";
import { type EulerOrder, eulerAngles, eulerRotation } from "./rotation-euler.js";
import {
  nearestRotation,
  quaternion,
  randomRotation,
  rotationAngle,
  rotationFromQuaternion,
  rotationFromVector,
  rotationVector,
} from "./rotation-forms.js";

const seed = fc.integer({ min: 0, max: 1 << 30 });
const same = (a: Map3, b: Map3, digits = 12): void => {
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i as 0], digits);
  });
};

prop("vector, quaternion and matrix are the same rotation", [seed], (s) => {
  const r = randomRotation(rng(s));
  same(compose(r, transpose(r)), [1, 0, 0, 0, 1, 0, 0, 0, 1], 13);
  expect(determinant(r)).toBeCloseTo(1, 13);
  same(rotationFromQuaternion(quaternion(r)), r);
  same(rotationFromVector(rotationVector(r)), r);
  const v = rotationVector(r);
  same(rotationAbout(v, Math.hypot(...v)), r);
  expect(rotationAngle(r)).toBeCloseTo(Math.hypot(...v), 12);
});

const orders: EulerOrder[] = ["zxz", "zyz", "xyx", "xzx", "yxy", "yzy", "xyz", "xzy", "yxz", "yzx", "zxy", "zyx"];
prop("Euler angles of all twelve orders come back as the same rotation", [seed, fc.constantFrom(...orders)], (s, order) => {
  const r = randomRotation(rng(s));
  same(eulerRotation(order, eulerAngles(order, r)), r);
});
test.each(orders)("degenerate Euler angles, order %s", (order) => {
  const middle = order[0] === order[2] ? [0, 180] : [90, -90];
  for (const b of middle) {
    const r = eulerRotation(order, [33, b, -71]);
    same(eulerRotation(order, eulerAngles(order, r)), r, 11);
  }
});

prop("the derivative agrees with a central difference", [seed, fc.double({ min: -3, max: 3, noNaN: true })], (s, a) => {
  const g = rng(s),
    axis = [g.normal(), g.normal(), g.normal()] as const,
    h = 1e-5;
  const plus = rotationAbout(axis, a + h),
    minus = rotationAbout(axis, a - h);
  rotationDerivative(axis, a).forEach((x, i) => {
    expect(x).toBeCloseTo((plus[i as 0] - minus[i as 0]) / (2 * h), 8);
  });
});

test("right-handed: z turns x to y; small angles keep their digits; no axis is an error", () => {
  const [x, y, z] = apply(rotationAbout([0, 0, 2], radians(90)), [1, 0, 0]);
  expect([x, y, z].map((v) => Math.round(v * 1e12) / 1e12)).toEqual([0, 1, 0]);
  expect(rotationVector(rotationFromVector([1e-11, -2e-11, 0]))[1]).toBeCloseTo(-2e-11, 22);
  expect(rotationVector(rotationFromVector([Math.PI, 0, 0]))[0]).toBeCloseTo(Math.PI, 12);
  expect(() => rotationAbout([0, 0, 0], 1)).toThrow(/bad-value/);
});

prop("nearest rotation: least squares among rotations", [seed], (s) => {
  const g = rng(s),
    r = randomRotation(g.fork("r"));
  const m = r.map((x) => x + 0.2 * (g.uniform() - 0.5)) as unknown as Map3;
  const best = nearestRotation(m);
  same(compose(best, transpose(best)), [1, 0, 0, 0, 1, 0, 0, 0, 1], 12);
  const distance = (q: Map3): number => q.reduce((sum, x, i) => sum + (x - m[i as 0]) ** 2, 0);
  const d0 = distance(best);
  for (let i = 0; i < 5; i++)
    expect(distance(compose(rotationFromVector([0.01 * g.normal(), 0.01 * g.normal(), 0.01 * g.normal()]), best))).toBeGreaterThanOrEqual(
      d0,
    );
});

test("random rotations are uniform: the angle has density (1 − cos θ)/π", () => {
  const g = rng(5),
    n = 20000;
  let below = 0,
    z = 0;
  for (let i = 0; i < n; i++) {
    const r = randomRotation(g);
    if (rotationAngle(r) < Math.PI / 2) below++;
    z += r[8];
  }
  expect(below / n).toBeCloseTo(0.5 - 1 / Math.PI, 1.7);
  expect(Math.abs(z / n)).toBeLessThan(0.02);
});
