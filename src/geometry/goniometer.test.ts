import { expect, test } from "vitest";
import { apply, determinant } from "../core/frames.js";
import { fc, prop } from "../testing/prop.js";
import { goniometerRotation, petsAngles, petsGoniometer, petsRotation, petsRotationDerivatives, tiltAxisDirection } from "./goniometer.js";
import { radians } from "./rotation.js";

const deg = (max: number) => fc.double({ min: -max, max, noNaN: true });

prop("closed form and product of axis rotations agree; angles come back", [deg(89), deg(179), deg(179)], (a, b, o) => {
  const r = petsRotation(a, b, o);
  goniometerRotation(petsGoniometer(o), [a, b]).forEach((x, i) => {
    expect(x).toBeCloseTo(r[i as 0], 13);
  });
  expect(determinant(r)).toBeCloseTo(1, 13);
  const back = petsAngles(r);
  expect(
    petsRotation(back.alphaDeg, back.betaDeg, back.omegaDeg)
      .map((x, i) => Math.abs(x - r[i as 0]))
      .every((x) => x < 1e-12),
  ).toBe(true);
  expect(back.alphaDeg).toBeCloseTo(a, 9);
});

prop("derivatives agree with central differences", [deg(80), deg(80), deg(180)], (a, b, o) => {
  const d = petsRotationDerivatives(a, b, o),
    h = 1e-3;
  [
    [h, 0, 0],
    [0, h, 0],
    [0, 0, h],
  ].forEach(([x, y, z], p) => {
    const plus = petsRotation(a + x!, b + y!, o + z!),
      minus = petsRotation(a - x!, b - y!, o - z!);
    d[p as 0].forEach((v, i) => {
      expect(v).toBeCloseTo((plus[i as 0] - minus[i as 0]) / (2 * radians(h)), 7);
    });
  });
});

test("the tilt axis keeps its direction, and positive α turns +y of the sample up to the source", () => {
  const r = petsRotation(30, 0, 40);
  const along = apply(r, [1, 0, 0]);
  tiltAxisDirection(40).forEach((x, i) => {
    expect(along[i as 0]).toBeCloseTo(x, 14);
  });
  expect(apply(r, [0, 1, 0])[2]).toBeCloseTo(0.5, 14);
});

test("ω + 180° is the opposite sense of rotation", () => {
  // turning the picture by 180° and the stage the other way: the same motion of a point seen on the screen
  const p = apply(petsRotation(20, 0, 220), apply(petsRotation(0, 0, 180), [0.3, 0.4, 0.1]) as never);
  const q = apply(petsRotation(-20, 0, 40), [0.3, 0.4, 0.1]);
  p.forEach((x, i) => {
    expect(x).toBeCloseTo(q[i as 0], 13);
  });
});

test("gimbal lock still gives a rotation; the number of angles is checked", () => {
  const r = petsRotation(90, 20, 30);
  const back = petsAngles(r);
  petsRotation(back.alphaDeg, back.betaDeg, back.omegaDeg).forEach((x, i) => {
    expect(x).toBeCloseTo(r[i as 0], 12);
  });
  expect(() => goniometerRotation(petsGoniometer(0), [1])).toThrow(/bad-shape/);
});
