import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import {
  type Distortion,
  distortionFromVector,
  distortionGradient,
  distortionJacobian,
  distortionVector,
  distortPoint,
  distortPoints,
  noDistortion,
  undistortPoint,
  undistortPoints,
} from "./distortion.js";

const u = (max: number) => fc.double({ min: -max, max, noNaN: true });
const vector = fc.tuple(u(0.02), u(0.02), u(0.02), u(0.02), u(0.02), u(0.01), u(0.01));

prop("undistort undoes distort", [vector, u(1.4), u(1.4)], (v, x, y) => {
  const [X, Y] = distortPoint(v, x, y);
  const back = undistortPoint(v, X, Y);
  expect(back[0]).toBeCloseTo(x, 12);
  expect(back[1]).toBeCloseTo(y, 12);
});

prop("Jacobian and parameter gradient agree with central differences", [vector, u(1.4), u(1.4)], (v, x, y) => {
  const h = 1e-5,
    j = distortionJacobian(v, x, y),
    g = distortionGradient(x, y);
  const [xp, xm] = [distortPoint(v, x + h, y), distortPoint(v, x - h, y)];
  const [yp, ym] = [distortPoint(v, x, y + h), distortPoint(v, x, y - h)];
  expect(j[0]).toBeCloseTo((xp[0] - xm[0]) / (2 * h), 8);
  expect(j[2]).toBeCloseTo((xp[1] - xm[1]) / (2 * h), 8);
  expect(j[1]).toBeCloseTo((yp[0] - ym[0]) / (2 * h), 8);
  expect(j[3]).toBeCloseTo((yp[1] - ym[1]) / (2 * h), 8);
  for (let p = 0; p < 7; p++) {
    const plus = distortPoint(
        v.map((q, i) => (i === p ? q + h : q)),
        x,
        y,
      ),
      minus = distortPoint(
        v.map((q, i) => (i === p ? q - h : q)),
        x,
        y,
      );
    expect(g[2 * p]).toBeCloseTo((plus[0] - minus[0]) / (2 * h), 8);
    expect(g[2 * p + 1]).toBeCloseTo((plus[1] - minus[1]) / (2 * h), 8);
  }
});

prop("the seven terms are the circular harmonics they are named for", [u(1.5), u(1.5), u(90), u(180)], (x, y, phaseE, phaseP) => {
  const d: Distortion = {
    magnification: 0.011,
    ellipticalAmplitude: 0.013,
    ellipticalPhaseDeg: phaseE,
    barrel: -0.017,
    spiral: 0.019,
    parabolicAmplitude: 0.007,
    parabolicPhaseDeg: phaseP,
  };
  const r = Math.hypot(x, y),
    f = Math.atan2(y, x),
    fe = (phaseE * Math.PI) / 180,
    fp = (phaseP * Math.PI) / 180;
  const dr = 0.011 * r + 0.013 * r * Math.cos(2 * (f - fe)) - 0.017 * r ** 3 + 0.007 * r * r * Math.cos(f - fp);
  const dt = -0.013 * r * Math.sin(2 * (f - fe)) + 0.019 * r ** 3 - 0.007 * r * r * Math.sin(f - fp);
  const [X, Y] = distortPoint(distortionVector(d), x, y);
  expect(X).toBeCloseTo(x + dr * Math.cos(f) - dt * Math.sin(f), 12);
  expect(Y).toBeCloseTo(y + dr * Math.sin(f) + dt * Math.cos(f), 12);
});

test("vector and record are one", () => {
  const d = { ...noDistortion, ellipticalAmplitude: 0.01, ellipticalPhaseDeg: 80, parabolicAmplitude: 0.002, parabolicPhaseDeg: -120 };
  const back = distortionFromVector(distortionVector(d));
  for (const key of Object.keys(d) as (keyof Distortion)[]) expect(back[key]).toBeCloseTo(d[key], 12);
  const points = Float64Array.of(0.1, 0.2, -1, 0.7);
  undistortPoints(d, distortPoints(d, points)).forEach((x, i) => {
    expect(x).toBeCloseTo(points[i]!, 13);
  });
});

test("a point that no ideal point maps to is NaN", () => {
  // x + r² = −1 has no real solution on y = 0, and y is not moved
  expect(undistortPoint([0, 0, 0, 0, 0, 1, 0], -1, 0).every(Number.isNaN)).toBe(true);
});
