import { apply, compose } from "../src/core/frames.js";
import { rng } from "../src/core/rng.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import { detector } from "../src/geometry/detector.js";
import { noDistortion } from "../src/geometry/distortion.js";
import { petsRotation } from "../src/geometry/goniometer.js";
import { ubMatrix } from "../src/geometry/orientation.js";
import { pixelsToReciprocal } from "../src/geometry/pixels.js";
import { latticePoints, predictSpots } from "../src/geometry/predict.js";
import { predictionJacobian } from "../src/geometry/predict-derivatives.js";
import { randomRotation } from "../src/geometry/rotation-forms.js";
import { simulateSeries } from "../src/pipeline/simulate.js";
import { cubicCase } from "../src/pipeline/simulate-cases.js";
import { type Report, time } from "./harness.js";

const cell = unitCell(18.27, 18.64, 6.61);
const ub = ubMatrix(randomRotation<"sample", "crystal">(rng(1)), cell);
const instrument = {
  beam: beam(200),
  detector: detector({ nx: 2048, ny: 2048, invAngstromPerPixel: 0.0014 }),
  distortion: { ...noDistortion, barrel: -0.004, ellipticalAmplitude: 0.003 },
  exposure: { kind: "continuous", halfWidthDeg: 0.25 },
} as const;
const rocking = { rcWidth: 0.0012, mosaicityDeg: 0.1 };
const frames = Array.from({ length: 50 }, (_, i) => ({ alphaDeg: i - 25, betaDeg: 0, omegaDeg: 38 }));

/** What one writes first: three loops over indices, small vectors, the whole chain for every point. */
function naive(alphaDeg: number): number {
  const m = compose(petsRotation(alphaDeg, 0, 38), ub),
    k = instrument.beam.k,
    found: { hkl: number[]; px: number[]; s: number }[] = [];
  const n = Math.ceil(1.4 * 18.64);
  for (let h = -n; h <= n; h++)
    for (let kk = -n; kk <= n; kk++)
      for (let l = -n; l <= n; l++) {
        const g = apply(m, [h, kk, l]);
        if (Math.hypot(...g) > 1.4) continue;
        const s = (k * k - Math.hypot(g[0], g[1], g[2] - k) ** 2) / (2 * k);
        if (Math.abs(s) < 0.0125) found.push({ hkl: [h, kk, l], px: [g[0] / 0.0014 + 1023.5, 1023.5 - g[1] / 0.0014], s });
      }
  return found.length;
}

export async function run(report: Report): Promise<void> {
  const points = latticePoints(ub, { gMax: 1.4 });
  let spots = 0;
  const ours = time(() => {
    spots = 0;
    for (const f of frames) spots += predictSpots(points, instrument, f, { rocking }).size;
  });
  const plain = time(() => void naive(3), { warmMs: 100, forMs: 400 });
  report({
    name: `spots of a frame, ${points.size} reflections`,
    ms: ours / frames.length,
    peer: "three plain loops",
    peerMs: plain,
    note: `${((spots / ours) * 1e3).toExponential(1)} spots/s, ${Math.round(((points.size * frames.length) / ours) * 1e3).toExponential(1)} tested/s`,
  });
  report({ name: "lattice points to 1.4 Å⁻¹ (once per crystal)", ms: time(() => void latticePoints(ub, { gMax: 1.4 })) });
  const one = predictSpots(points, instrument, frames[20]!, { rocking });
  const names = ["alphaDeg", "betaDeg", "omegaDeg", "frameMagnification", "centreX", "centreY"] as const;
  const analytic = time(() => void predictionJacobian(one.hkl, ub, instrument, frames[20]!, names));
  const central = time(() => {
    for (let i = 0; i < 2 * names.length; i++) predictionJacobian(one.hkl, ub, instrument, frames[20]!, []);
  });
  report({ name: `Jacobian, ${one.size} spots × ${names.length} parameters`, ms: analytic, peer: "central differences", peerMs: central });
  const px = new Float64Array(20000).map((_, i) => (i * 7919) % 2048);
  const exact = time(() => void pixelsToReciprocal(px, instrument, frames[3]!));
  const flat = time(() => void pixelsToReciprocal(px, { ...instrument, distortion: noDistortion }, frames[3]!));
  report({ name: "pixels to reciprocal space, 10 000 peaks, distorted", ms: exact, peer: "without distortions", peerMs: flat });
  const c = cubicCase(),
    series = simulateSeries(c.options, rng(c.seed));
  let i = 0;
  report({
    name: "simulated frame, 512² (LuAG, distortions)",
    ms: time(() => void series.frame(i++ % 200)),
    target: "<= 50 ms",
    note: "mean over frames is near the least time",
  });
}
