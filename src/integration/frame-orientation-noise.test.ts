import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { beam } from "../geometry/beam.js";
import { detector } from "../geometry/detector.js";
import { noDistortion } from "../geometry/distortion.js";
import type { Exposure, FrameGeometry, Instrument } from "../geometry/experiment.js";
import { rockingWidth } from "../geometry/rocking.js";
import { frameOrientationSteps } from "./frame-orientation.js";
import { curveNoise } from "./frame-orientation-noise.js";
import { excitationOf, type FrameReflections } from "./frame-orientation-table.js";
import type { Orientation } from "./index-lattice.js";
import { rockingProfile } from "./rocking-width-profile.js";

const ub: Orientation = [0.09, 0.03, 0.01, -0.02, 0.1, 0.02, 0.01, -0.03, 0.08],
  rocking = { rcWidth: 0.001, mosaicityDeg: 0.03 },
  ERROR = 0.15;

/** Every reflection to 0.9 Å⁻¹ on every frame near the sphere; the curves miss by 15 % of their highest points, counting noise is small. */
function series(exposure: Exposure, step: number, n: number) {
  const instrument: Instrument = {
    beam: beam(200),
    detector: detector({ nx: 512, ny: 512, invAngstromPerPixel: 0.005, centrePx: [256, 256] }),
    distortion: noDistortion,
    exposure,
  };
  const r = rng("curves"),
    truth = Array.from({ length: n }, (_, i): FrameGeometry => ({ alphaDeg: step * (i - n / 2), betaDeg: 0, omegaDeg: 30 })),
    at = excitationOf(ub, instrument, truth);
  const rows: number[][] = [];
  let groups = 0;
  for (let h = -9; h <= 9; h++)
    for (let k = -9; k <= 9; k++)
      for (let l = -9; l <= 9; l++) {
        const curve = truth.flatMap((_, f) => {
          const { s, sweep, g } = at(f, h, k, l),
            width = rockingWidth(rocking, g);
          if (g < 0.15 || g > 0.9 || Math.abs(s) > 3 * width + sweep) return [];
          return [{ f, p: rockingProfile(s, width, sweep, exposure.kind) }];
        });
        const J = 50 * Math.exp(r.normal()),
          top = J * Math.max(0, ...curve.map((c) => c.p));
        for (const { f, p } of curve) rows.push([f, groups, J * p + ERROR * top * r.normal(), 0.01 * top, h, k, l]);
        if (curve.length > 0) groups++;
      }
  const column = (c: number): number[] => rows.map((v) => v[c]!),
    placed = new Float64Array(rows.length).fill(200);
  const data: FrameReflections = {
    size: rows.length,
    frame: Int32Array.from(column(0)),
    group: Int32Array.from(column(1)),
    groups,
    intensity: Float64Array.from(column(2)),
    sigma: Float64Array.from(column(3)),
    hkl: Int32Array.from(rows.flatMap((v) => v.slice(4))),
    px: placed,
    py: placed,
  };
  return { instrument, truth, data };
}

test.each([
  ["static", { kind: "static" }, 0.15],
  ["continuous", { kind: "continuous", halfWidthDeg: 0.15 }, 0.3],
  ["precession", { kind: "precession", semiAngleDeg: 0.7 }, 1],
] as const)("%s: the error of the curves is found from what they leave, and one alone says nothing", (_, exposure, step) => {
  const { data, instrument, truth } = series(exposure, step, 40),
    found = curveNoise(data, ub, instrument, truth, rocking, undefined, 0);
  expect(found.modelError / ERROR).toBeGreaterThan(0.8);
  expect(found.modelError / ERROR).toBeLessThan(1.2);
  const count = new Int32Array(data.groups);
  for (const g of data.group) count[g]!++;
  const alone = [...data.group.keys()].filter((i) => count[data.group[i]!] === 1);
  expect(alone.length).toBeGreaterThan(0);
  for (const i of alone) expect(found.noise[i]).toBe(Number.POSITIVE_INFINITY);
});

test("precession, curves 15 % wrong: errors of the stage are halved, on the last frames too", () => {
  const { data, instrument, truth } = series({ kind: "precession", semiAngleDeg: 0.7 }, 1, 40),
    r = rng("stage"),
    start = truth.map((f) => ({ ...f, alphaDeg: f.alphaDeg + 0.03 * r.normal(), betaDeg: 0.03 * r.normal() }));
  const { frames } = runSync(
    frameOrientationSteps(data, ub, instrument, start, rocking, {
      refine: ["alpha", "beta"],
      refineRocking: false,
      prior: { alpha: 0.03, beta: 0.03 },
    }),
  );
  const off = frames.map((f, i) => Math.hypot(f.alphaDeg - truth[i]!.alphaDeg, f.betaDeg));
  expect(Math.max(...off)).toBeLessThan(0.07);
  expect(Math.sqrt(off.reduce((s, v) => s + v * v, 0) / off.length)).toBeLessThan(0.021);
});
