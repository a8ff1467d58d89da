import { expect, test } from "vitest";
import type { FrameModel } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { radians, rotationAbout } from "../geometry/rotation.js";
import { arena } from "../kernels/memory.js";
import { ignoreCharge } from "../scattering/form-factor.js";
import { peng1996 } from "../scattering/peng.js";
import { electrons, measuredFrames, rutile } from "../testing/measured-frames.js";
import { addFrame, blockNormal, solveBlocks } from "./dynamical-normal.js";
import { evaluate, exactGradient, normalEquations, type Passes } from "./dynamical-pass.js";
import { setStates } from "./dynamical-state.js";
import { lengthening, scaledStep, settleTurns, takeStep, turnsBefore } from "./dynamical-step.js";
import { structureModel } from "./model.js";

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

test("a frame that does not fit better for its turn takes a smaller one, the others keep theirs", async () => {
  const truth = rutile(0.007),
    model: FrameModel = {
      gMax: 1.2,
      sMax: 0.012,
      thickness: 400,
      thicknessModel: { kind: "wedge" },
      mosaicity: { kind: "none" },
      sampling: { sweep: { kind: "midpoint", steps: 24 } },
    };
  const frames = await measuredFrames(truth, model, {
    anglesDeg: [-40, -15, 10, 35],
    halfWidthDeg: 1,
    rsgMax: 0.7,
    scale: () => 1e5,
    sigma: (v) => 0.02 * v + 1,
  });
  const off = frames.map((f, i) => ({ ...f, ub: compose(rotationAbout<"lab", "lab">([1, 0, 0], radians(0.02 * (i + 1))), f.ub) }));
  const structural = structureModel(truth);
  const p: Passes = {
    model: structural,
    sets: setStates(structural, [{ beam: electrons, frames: off, model }], {}, []),
    factors: ignoreCharge(peng1996),
    run: {},
    scratch: arena(),
    rows: {},
    tell: () => undefined,
  };
  const q = Float64Array.from(structural.start),
    stage = { name: "turns", orientations: true };
  await evaluate(p, q, "");
  const normal = await normalEquations(p, q, stage, []);
  await exactGradient(p, q, stage, [], normal);
  const right = solveBlocks(normal, 1e-3);
  // The second frame is sent the other way, far beyond.
  const step = { ...right, private: right.private.map((x, i) => (i === 1 ? x.map((v) => -6 * v) : x)) };
  const before = turnsBefore(p);
  takeStep(p, q, [], stage, step);
  const whole = await evaluate(p, q, ""),
    after = turnsBefore(p);
  expect(after[1]!.chi).toBeGreaterThan(before[1]!.chi);
  const change = await settleTurns(p, q, before, normal, step, "");
  const settled = turnsBefore(p);
  expect(settled[1]!.chi).toBeLessThan(before[1]!.chi);
  for (const i of [0, 2, 3]) expect(settled[i]!.chi).toBeLessThanOrEqual(after[i]!.chi);
  expect(whole + change).toBeCloseTo(
    settled.reduce((sum, x) => sum + x.chi, 0),
    6,
  );
  // What is kept belongs together: the intensities are those of the orientations.
  expect(await evaluate(p, q, "")).toBeCloseTo(whole + change, 6);
});
