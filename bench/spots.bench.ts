import { rng } from "../src/core/rng.js";
import { findSpots } from "../src/integration/spots.js";
import { jsSpotKernels } from "../src/kernels/js/spots.js";
import { type Report, runPython, time } from "./harness.js";

/** A 1k × 1k frame: halo, 150 spots, Poisson-like noise. */
function frame(n: number): { data: Float32Array; shape: readonly [number, number] } {
  const random = rng("bench"),
    data = new Float32Array(n * n);
  for (let i = 0; i < data.length; i++) data[i] = random.poisson(4 + 3000 / (30 + Math.hypot((i % n) - n / 2, Math.floor(i / n) - n / 2)));
  for (let k = 0; k < (150 * n * n) / 1048576; k++) {
    const x = 20 + Math.floor((n - 40) * random.uniform()),
      y = 20 + Math.floor((n - 40) * random.uniform()),
      a = 30 * 1.03 ** k;
    for (let j = -6; j <= 6; j++) for (let i = -6; i <= 6; i++) data[(y + j) * n + x + i]! += a * Math.exp(-(i * i + j * j) / 5);
  }
  return { data, shape: [n, n] };
}

/** The same background and peak criterion through scipy.ndimage. */
const scipy = (file: string): string => `
import json, time, numpy as np
from scipy import ndimage as nd
a = np.fromfile(${JSON.stringify(file)}, '<f4').reshape(1024, 1024)
def run():
    keep = np.ones_like(a); level = None
    for r in range(3):
        m = nd.uniform_filter(a * keep, 21, mode='constant'); w = nd.uniform_filter(keep, 21, mode='constant')
        level = m / np.maximum(w, 1e-6)
        keep = ((a - level) < 3.5 * np.sqrt(2.5 * np.maximum(level, .25) + 1)).astype('f4')
    e = nd.uniform_filter(a - level, 3)
    peaks = (e == nd.maximum_filter(e, 3)) & (e * 3 > 3 * np.sqrt(2.5 * np.maximum(e + level, .25) + 1)) & (keep == 0)
    lab, n = nd.label(peaks)
    return nd.center_of_mass(a - level, lab, range(1, n + 1)), nd.sum(a - level, lab, range(1, n + 1))
run(); best = 1e9
for _ in range(5):
    t = time.perf_counter(); run(); best = min(best, time.perf_counter() - t)
print(json.dumps({"ms": best * 1e3}))
`;

export async function run(report: Report): Promise<void> {
  const noise = { gain: 2.5, psi: 1 },
    one = frame(1024),
    two = frame(2048);
  const ms = time(() => void findSpots(one, { noise })),
    big = time(() => void findSpots(two, { noise }));
  const js = time(() => void findSpots(one, { noise, kernels: jsSpotKernels }));
  report({
    name: "spots of a 1024² frame",
    ms,
    peer: "plain TS",
    peerMs: js,
    target: "<= 50 ms",
    note: `${findSpots(one, { noise }).size} spots`,
  });
  report({ name: "spots of a 2048² frame", ms: big, peer: "4 × the 1024² frame", peerMs: 4 * ms, target: "linear: 1.0" });
  const { mkdtempSync, writeFileSync, rmSync } = await import("node:fs"),
    { tmpdir } = await import("node:os"),
    { join } = await import("node:path");
  const folder = mkdtempSync(join(tmpdir(), "ewald-bench-")),
    file = join(folder, "frame.f32");
  writeFileSync(file, one.data);
  const peer = runPython<{ ms: number }>(scipy(file));
  rmSync(folder, { recursive: true });
  if (peer) report({ name: "spots of a 1024² frame, against scipy.ndimage", ms, peer: "scipy.ndimage", peerMs: peer.ms });
}
