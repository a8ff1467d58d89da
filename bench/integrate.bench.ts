import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rng } from "../src/core/rng.js";
import { integrateSeries } from "../src/integration/integrate-series.js";
import { learnProfiles, type SpotStamp } from "../src/integration/profile-learn.js";
import { gaussianProfiles } from "../src/integration/profiles.js";
import { defaultIntegrateKernels, done, type FitSettings } from "../src/kernels/integrate.js";
import { jsIntegrateKernels } from "../src/kernels/js/integrate.js";
import { jsProfileKernels } from "../src/kernels/js/profiles.js";
import { defaultProfileKernels } from "../src/kernels/profiles.js";
import { simulateSeries } from "../src/pipeline/simulate.js";
import { cubicCase } from "../src/pipeline/simulate-cases.js";
import { simulationSource } from "../src/pipeline/simulate-source.js";
import { type Report, runPython, time } from "./harness.js";

/** A 1k × 1k frame with n spots of all strengths; positions are known. */
function frame(n: number) {
  const r = rng("integrate bench"),
    size = 1024,
    data = new Float32Array(size * size),
    xs = Float64Array.from({ length: n }, () => 20 + 980 * r.uniform()),
    ys = Float64Array.from({ length: n }, () => 20 + 980 * r.uniform());
  for (let i = 0; i < data.length; i++) data[i] = r.poisson(5);
  for (let k = 0; k < n; k++)
    for (let j = -6; j <= 6; j++)
      for (let i = -6; i <= 6; i++) {
        const x = Math.round(xs[k]!) + i,
          y = Math.round(ys[k]!) + j;
        data[y * size + x]! += 8 * 1.01 ** k * Math.exp(-((x - xs[k]!) ** 2 + (y - ys[k]!) ** 2) / 5);
      }
  return { data, xs, ys, size };
}

/** The same with NumPy: for each spot clipped plane from the ring, weighted fit of the profile and box sum, neighbours as pixels left out. */
const numpy = (folder: string): string => `
import json, time, numpy as np
a = np.fromfile(${JSON.stringify(join(folder, "frame.f32"))}, '<f4').reshape(1024, 1024).astype(float)
x = np.fromfile(${JSON.stringify(join(folder, "x.f64"))}); y = np.fromfile(${JSON.stringify(join(folder, "y.f64"))})
def run():
    cover = np.zeros(a.shape, bool); out = []
    for xx, yy in zip(x, y):
        y0, x0 = int(yy), int(xx)
        cover[y0-4:y0+5, x0-4:x0+5] = True
    for xx, yy in zip(x, y):
        y0, y1, x0, x1 = max(0, int(yy)-13), min(1024, int(yy)+14), max(0, int(xx)-13), min(1024, int(xx)+14)
        s = a[y0:y1, x0:x1]; v, u = np.mgrid[y0:y1, x0:x1]; u = u - xx; v = v - yy; d2 = u*u + v*v
        keep = (d2 < 169) & ~cover[y0:y1, x0:x1]
        for k in range(4):
            m = np.column_stack([np.ones(keep.sum()), u[keep], v[keep]])
            p = np.linalg.lstsq(m, s[keep], rcond=None)[0]
            e = s - (p[0] + p[1]*u + p[2]*v)
            keep &= np.abs(e) < 3.5 * np.sqrt(max(p[0], .25))
        box = d2 < 36; prof = np.exp(-d2 / 5) / (5 * np.pi)
        i = 0.0
        for k in range(4):
            w = 1 / np.maximum(p[0] + p[1]*u + p[2]*v + max(i, 0)*prof, .05)
            i = (w*prof*e)[box].sum() / (w*prof*prof)[box].sum()
        out.append((i, e[box].sum()))
    return out
run(); best = 1e9
for _ in range(3):
    t = time.perf_counter(); run(); best = min(best, time.perf_counter() - t)
print(json.dumps({"ms": best * 1e3}))
`;

export async function run(report: Report): Promise<void> {
  const n = 400,
    { data, xs, ys, size } = frame(n),
    settings: FitSettings = { gain: 1, psi: 0, box: 6, core: 4, background: 12.8, clip: 3.5, modelError: 0.05, reject: 6 },
    { coefficients, radius } = gaussianProfiles(11, 1.6),
    which = new Int32Array(n),
    padded = 2 * radius + 7;
  const body = (kernels: typeof jsIntegrateKernels) => (): void => {
    const f = kernels.frame(data, undefined, size, size, settings);
    done(kernels, f.fit(coefficients, padded, xs, ys, which, 4));
    f.close();
  };
  const ms = time(body(defaultIntegrateKernels())),
    js = time(body(jsIntegrateKernels));
  report({ name: `${n} spots of a 1024² frame, four turns`, ms, peer: "plain TS", peerMs: js });
  const folder = mkdtempSync(join(tmpdir(), "ewald-bench-"));
  writeFileSync(join(folder, "frame.f32"), data);
  writeFileSync(join(folder, "x.f64"), xs);
  writeFileSync(join(folder, "y.f64"), ys);
  const peer = runPython<{ ms: number }>(numpy(folder));
  rmSync(folder, { recursive: true });
  if (peer) report({ name: `${n} spots of a 1024² frame, against NumPy spot by spot`, ms, peer: "NumPy", peerMs: peer.ms });
  learning(report);
  await series(report);
}

/** Eighteen profiles of radius 13 from 20 noisy Gaussian spots each. */
function learning(report: Report): void {
  const r = rng("learn bench"),
    radius = 13,
    edge = 2 * radius + 4,
    start = gaussianProfiles(radius, 1.8, 6, Float64Array.of(100, 180, 250));
  const stamps = Array.from({ length: 360 }, (_, i): SpotStamp => {
    const [x, y, intensity] = [200 + r.uniform(), 200 + r.uniform(), 500 + 2500 * r.uniform()],
      corner = [200 - edge / 2, 200 - edge / 2] as const;
    const counts = Float32Array.from({ length: edge * edge }, (_, k) => {
      const d2 = (corner[0] + (k % edge) - x) ** 2 + (corner[1] + Math.floor(k / edge) - y) ** 2;
      return (intensity * Math.exp(-d2 / 4.4)) / (4.4 * Math.PI) + 1.7 * r.normal();
    });
    return { cell: i % 18, size: edge, corner, counts, variance: new Float32Array(edge * edge).fill(3), x, y, intensity };
  });
  const [ms, js] = [defaultProfileKernels(), jsProfileKernels].map((k) => time(() => learnProfiles(stamps, start, 1.8, 3, k)));
  report({ name: "18 profiles learnt from 360 spots", ms: ms!, peer: "plain TS", peerMs: js! });
}

/** A series from memory with known profiles, one and two threads by turns: the clock, since threads share no processor time. */
async function series(report: Report): Promise<void> {
  const { options, seed } = cubicCase(),
    n = 24,
    s = simulateSeries({ ...options, frames: n }, rng(seed)),
    frames = Array.from({ length: n }, (_, i) => s.frame(i)),
    source = { ...simulationSource(s), read: async (i: number) => frames[i]! },
    settings = { noise: { gain: 2.5, psi: 1 }, diameter: 6, saturation: 65535, mask: undefined, minRadius: 16, maxRadius: 1e9 },
    experiment = {
      ub: options.crystals[0]!.ub,
      instrument: s.instrument,
      geometry: s.truth,
      rocking: options.rocking,
      centring: "I",
      settings,
    } as const;
  const { profiles } = await integrateSeries(source, experiment, { dMin: 0.8 });
  const best = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < 4; round++)
    for (const workers of [1, 2]) {
      const start = performance.now();
      await integrateSeries(source, experiment, { dMin: 0.8, profiles, workers });
      best[workers - 1] = Math.min(best[workers - 1]!, performance.now() - start);
    }
  report({ name: `${n} frames of 512² with two workers`, ms: best[1]!, peer: "one worker", peerMs: best[0]! });
}
