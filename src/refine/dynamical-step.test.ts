import { expect, test } from "vitest";
import { addFrame, blockNormal, solveBlocks } from "./dynamical-normal.js";
import { lengthening, scaledStep } from "./dynamical-step.js";

test("a step whose derivatives were too large by √k is lengthened k times, to the minimum; a right one stays", () => {
  // One common parameter p and a scale: F = s·(1 + p·x); the data have p = 1, s = 1.
  const x = [0.1, -0.2, 0.3, 0.25],
    data = x.map((v) => 1 + v);
  const chi = (p: number): number => {
    const f = x.map((v) => 1 + p * v),
      s = f.reduce((t, v, i) => t + v * data[i]!, 0) / f.reduce((t, v) => t + v * v, 0);
    return f.reduce((t, v, i) => t + (data[i]! - s * v) ** 2, 0);
  };
  // Ripple orthogonal to the residuals: it counts in JᵀJ and not in the gradient.
  const step = (ripple: number) => {
    const residual = Float64Array.from(x, (v) => v - x.reduce((t, u) => t + u, 0) / 4);
    const across = [1, -1, 1, -1].map((v) => v * ripple);
    const dot = across.reduce((t, v, i) => t + v * residual[i]!, 0) / residual.reduce((t, v) => t + v * v, 0);
    const normal = blockNormal(1);
    addFrame(
      normal,
      Float64Array.from(x, (v, i) => v + across[i]! - dot * residual[i]!),
      Float64Array.from([1, 1, 1, 1]),
      1,
      residual,
    );
    return { normal, step: solveBlocks(normal, 0) };
  };
  const right = step(0),
    short = step(0.4);
  expect(right.step.common[0]).toBeCloseTo(1, 9);
  expect(lengthening(right.normal, right.step, chi(0), chi(right.step.common[0]!))).toBe(1);
  expect(short.step.common[0]).toBeLessThan(0.4);
  const factor = lengthening(short.normal, short.step, chi(0), chi(short.step.common[0]!));
  expect(factor).toBeGreaterThan(2);
  const longer = scaledStep(short.step, factor);
  expect(chi(longer.common[0]!)).toBeLessThan(0.5 * chi(short.step.common[0]!));
});
