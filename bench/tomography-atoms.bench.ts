import { rng } from "../src/core/rng.js";
import { scoreAtoms } from "../src/testing/atoms-score.js";
import { filmSeries } from "../src/testing/film.js";
import {
  atomModel,
  filmAtoms,
  projectAtoms,
  refineAtoms,
  simulateCounts,
  simulateParticle,
  tiltPoses,
  traceAtoms,
} from "../src/tomography/index.js";
import { type Report, time } from "./harness.js";

/** CPU time, ms: the machine may be shared. */
async function cpu(body: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await body();
  const d = process.cpuUsage(before);
  return (d.user + d.system) / 1000;
}

/** A volume with atoms on a 3.9 Å fcc lattice, 20 000 of them in 200³ voxels of 0.36 Å, with noise. */
function crystal(): { data: Float32Array; shape: readonly [number, number, number] } {
  const n = 200,
    data = new Float32Array(n ** 3),
    random = rng("bench volume"),
    h = 1.95 / 0.36,
    m = Math.floor((n - 12) / h);
  for (let i = 0; i < data.length; i++) data[i] = 0.03 * random.normal();
  for (let k = 0; k < m; k++)
    for (let j = 0; j < m; j++)
      for (let i = 0; i < m; i++) {
        if (((i + j + k) & 1) !== 0) continue;
        const c = [i, j, k].map((v) => 7 + v * h + 0.1 * random.normal());
        for (let z = Math.floor(c[2]! - 4); z < c[2]! + 5; z++)
          for (let y = Math.floor(c[1]! - 4); y < c[1]! + 5; y++)
            for (let x = Math.floor(c[0]! - 4); x < c[0]! + 5; x++)
              data[(z * n + y) * n + x]! += Math.exp(-((x - c[0]!) ** 2 + (y - c[1]!) ** 2 + (z - c[2]!) ** 2) / 3.6);
      }
  return { data, shape: [n, n, n] };
}

export async function run(report: Report): Promise<void> {
  const volume = crystal();
  let sites = 0;
  const ms = time(
    () => {
      sites = traceAtoms(volume, { pixel: 0.36 }).size;
    },
    { warmMs: 0, forMs: 0 },
  );
  report({ name: `${sites} sites traced in 200³`, ms, peer: "quantem PR 290, 20 000 sites, published", peerMs: 9000, target: "< 9 s" });
  const truth = simulateParticle({ rng: rng(7), atoms: 1450 }).model,
    poses = tiltPoses(Array.from({ length: 41 }, (_, i) => ((-70 + 3.5 * i) * Math.PI) / 180));
  const { data } = simulateCounts(projectAtoms(truth, { shape: [128, 128], pixel: 0.37, poses }), { rng: rng(8), peak: 224 });
  const random = rng(9),
    start = atomModel(
      truth.positions.map((v) => v + 0.06 * random.normal()),
      150,
      0.5,
      truth.species,
    );
  const refined = await cpu(() =>
    refineAtoms({ projections: data, shape: [41, 128, 128], poses, pixelAngstrom: 0.37 }, start, { workers: 1 }),
  );
  report({
    name: `${truth.size} atoms refined against 41 × 128², error bars and R_free (CPU)`,
    ms: refined,
    peer: "Python reference, one thread, published",
    peerMs: 137000,
    target: "<= 30 s",
  });
  const film = filmSeries({ seed: "film bench", pixel: 0.36, shape: [48, 64], half: [95, 30, 8], views: 41, peak: 60 }),
    scores: string[] = [];
  const trace = (rounds: number) =>
    cpu(async () => {
      const { traced } = await filmAtoms(film.series, { pixel: film.pixel, rounds, workers: 1 }),
        { found, rmsdPm } = scoreAtoms(traced.positions, film.inField);
      scores.push(`${(100 * found).toFixed(1)} %, ${rmsdPm.toFixed(1)} pm`);
    });
  const once = await trace(0),
    again = await trace(4);
  report({
    name: "film of 41 × 48 × 64, 60 counts, begun again from its atoms (CPU)",
    ms: again,
    peer: "from nothing only",
    peerMs: once,
    note: `found: ${scores[1]}; from nothing ${scores[0]}`,
  });
}
