import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { runSync } from "../src/core/job.js";
import { rng } from "../src/core/rng.js";
import { beamFromWavelength, detector, noDistortion } from "../src/geometry/index.js";
import {
  centreFromPairs,
  differenceVectors,
  findLattice,
  indexingSteps,
  maximaFromRefl,
  nominalFrames,
  peaks3d,
  peaksFromRpl,
  sampleVectors,
  tiltAxisSteps,
} from "../src/integration/index.js"; // prettier-ignore
import { parseExpt, parseRefl, parseRpl } from "../src/io/index.js";
import { simulatePeaks, testCells } from "../src/testing/peaks.js";
import { type Report, time } from "./harness.js";

const root = process.env.EWALD_DATA ?? join(dirname(dirname(fileURLToPath(import.meta.url))), "..", "shared", "data");
const file = (...p: string[]): Uint8Array => readFileSync(join(root, "3ded", ...p));
const once = { warmMs: 0, forMs: 0 };

/**
 * Plain baseline of the axis search: variance of the two-dimensional histogram of all difference vectors at every degree of a full turn, without
 * the coarse-to-fine search, with every maximum.
 */
function plainAxis(xyz: Float64Array, alphaDeg: Float64Array): number {
  const n = alphaDeg.length,
    r: (readonly [number, number, number])[] = [],
    bins = 180;
  let best = 0,
    at = 0;
  for (let w = 0; w < 360; w++) {
    const c = Math.cos((w * Math.PI) / 180),
      s = Math.sin((w * Math.PI) / 180);
    for (let i = 0; i < n; i++) {
      const a = (alphaDeg[i]! * Math.PI) / 180,
        v = -s * xyz[3 * i]! + c * xyz[3 * i + 1]!,
        z = xyz[3 * i + 2]!;
      r[i] = [c * xyz[3 * i]! + s * xyz[3 * i + 1]!, Math.cos(a) * v + Math.sin(a) * z, Math.cos(a) * z - Math.sin(a) * v];
    }
    const hist = new Float64Array(bins * bins);
    let total = 0;
    for (const p of r)
      for (const q of r) {
        const d = [p[0] - q[0], p[1] - q[1], p[2] - q[2]] as const,
          length = Math.hypot(...d);
        if (d[2] <= 0 || length < 0.1 || length > 0.9) continue;
        const u = Math.floor(((d[0] / length + 1) / 2) * (bins - 1)),
          phi = Math.floor((Math.atan2(d[2], d[1]) / Math.PI) * (bins - 1));
        hist[u * bins + phi]! += 1;
        total++;
      }
    const score = hist.reduce((a, v) => a + v * v, 0) / total ** 2;
    if (score > best) [best, at] = [score, w];
  }
  return at;
}

export async function run(report: Report): Promise<void> {
  const truth = simulatePeaks({ cell: testCells.orthorhombic, rng: rng("bench"), gMax: 1 });
  const simulated = { wavelength: 0.02508, aperpixel: 0.005, alphaDeg: truth.nominalDeg };
  const blind = time(() => void runSync(indexingSteps(truth.peaks, simulated)), once);
  report({ name: `index ${truth.peaks.size} simulated spots, blind`, ms: blind });
  if (!existsSync(join(root, "3ded", "glycine_pets", "glycine.rpl"))) return;
  const peaks = peaksFromRpl(parseRpl(file("glycine_pets", "glycine.rpl")).value),
    glycine = { wavelength: 0.02508, aperpixel: 0.00534 };
  const maxima = peaks3d(peaks),
    { centrePx } = centreFromPairs(maxima);
  const instrument = {
    beam: beamFromWavelength(0.02508),
    detector: detector({ nx: 516, ny: 516, invAngstromPerPixel: 0.00534, centrePx }),
    distortion: noDistortion,
    exposure: { kind: "static" as const },
  };
  const lab = sampleVectors(maxima, instrument, [...nominalFrames(new Float64Array(159), 0)]);
  const plain = time(() => void plainAxis(lab, maxima.alphaDeg), once);
  const search = time(() => void runSync(tiltAxisSteps(maxima, instrument)));
  report({ name: "tilt axis and sense, glycine (779 maxima)", ms: search, peer: "plain histogram at every degree", peerMs: plain });
  const r = sampleVectors(
    maxima,
    instrument,
    nominalFrames(
      Array.from({ length: 159 }, (_, f) => -11 + 0.3558 * f),
      230.39,
    ),
  );
  report({ name: "lattice from 779 vectors, glycine", ms: time(() => void findLattice(r, differenceVectors(r))) });
  report({
    name: "index glycine.rpl, blind (3464 spots)",
    ms: time(() => void runSync(indexingSteps(peaks, glycine)), once),
    note: "axis, sense, centre, cell",
  });
  const quartz = maximaFromRefl(
    parseRefl(file("quartz_dials", "strong.refl")).value,
    parseExpt(file("quartz_dials", "imported.expt")).value[0]!,
  );
  report({
    name: "index quartz strong.refl, blind (443 spots)",
    ms: time(() => void runSync(indexingSteps(quartz, quartz.options)), once),
  });
}
