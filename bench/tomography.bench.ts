import { rng } from "../src/core/rng.js";
import { correlation } from "../src/numerics/stats.js";
import { equalSlope } from "../src/tomography/equal-slope.js";
import { fbp } from "../src/tomography/fbp.js";
import { genfire } from "../src/tomography/genfire.js";
import { resire, sirt } from "../src/tomography/iterative.js";
import { type Poses, posesFromTilts } from "../src/tomography/poses.js";
import { equalSlopeAngles } from "../src/tomography/slopes.js";
import { tiltSeries } from "../src/tomography/tilt-series.js";
import { type Report, runPython } from "./harness.js";

/** 1,500 Gaussian atoms in a ball, 128³, 41 views ±70°, Poisson noise at about 150 counts: the size of the reference's peer table. */
const n = 128,
  tilts = Array.from({ length: 41 }, (_, i) => -70 + 3.5 * i);
const draw = rng(6);
const atoms = Array.from({ length: 1500 }, () => {
  for (;;) {
    const r = [0, 0, 0].map(() => 84 * (draw.uniform() - 0.5)) as [number, number, number];
    if (Math.hypot(...r) < 42) return { r, height: draw.uniform() < 0.4 ? 8 : 20 };
  }
});
const WIDTH = 1.35;
function views(tiltsDeg: ArrayLike<number>, poses: Poses) {
  const count = tiltsDeg.length,
    stack = new Float32Array(count * n * n);
  for (let p = 0; p < count; p++) {
    const [c, s] = [Math.cos((tiltsDeg[p]! * Math.PI) / 180), Math.sin((tiltsDeg[p]! * Math.PI) / 180)];
    for (const { r, height } of atoms) {
      const u = 64 + r[0] * c - r[2] * s,
        v = 64 + r[1];
      for (let y = Math.ceil(v - 6); y <= v + 6; y++)
        for (let x = Math.ceil(u - 6); x <= u + 6; x++)
          stack[(p * n + y) * n + x]! += height * Math.exp(-((x - u) ** 2 + (y - v) ** 2) / (2 * WIDTH ** 2));
    }
  }
  for (let i = 0; i < stack.length; i++) stack[i] = draw.poisson(stack[i]!);
  return tiltSeries(stack, [count, n, n], poses);
}
const series = views(tilts, posesFromTilts(tilts));

/** The atoms as a volume whose line integrals are the views. */
function truth(): Float32Array {
  const out = new Float32Array(n ** 3);
  for (const { r, height } of atoms) {
    const [x0, y0, z0] = r.map((c) => 64 + c) as [number, number, number];
    for (let z = Math.ceil(z0 - 6); z <= z0 + 6; z++)
      for (let y = Math.ceil(y0 - 6); y <= y0 + 6; y++)
        for (let x = Math.ceil(x0 - 6); x <= x0 + 6; x++)
          out[(z * n + y) * n + x]! +=
            (height * Math.exp(-((x - x0) ** 2 + (y - y0) ** 2 + (z - z0) ** 2) / (2 * WIDTH ** 2))) / (WIDTH * Math.sqrt(2 * Math.PI));
  }
  return out;
}

/** SIRT of all 128 slices with one scipy sparse matrix (Joseph's weights), ms for an iteration. */
const script = `
import numpy as np, scipy.sparse as sp, time, json
n=128; th=np.deg2rad(np.linspace(-70,70,41)); c=n//2
z,x=np.mgrid[0:n,0:n]; rows=[];cols=[];vals=[]
for p,t in enumerate(th):
    u=(x-c)*np.cos(t)-(z-c)*np.sin(t)+c; s=1/max(abs(np.cos(t)),abs(np.sin(t))); i=np.floor(u).astype(int); f=u-i
    for k,w in ((0,s*np.maximum(0,1-s*f)),(1,s*np.maximum(0,1-s*(1-f)))):
        ok=(i+k>=0)&(i+k<n); rows.append((p*n+i+k)[ok]); cols.append((z*n+x)[ok]); vals.append(w[ok])
A=sp.csr_matrix((np.concatenate(vals),(np.concatenate(rows),np.concatenate(cols))),shape=(41*n,n*n),dtype=np.float32)
AT=A.T.tocsr(); R=1/np.maximum(1e-3,np.asarray(A.sum(1)).ravel()).astype(np.float32)[:,None]; C=1/np.maximum(1e-3,np.asarray(A.sum(0)).ravel()).astype(np.float32)[:,None]
b=np.random.default_rng(1).random((41*n,n),dtype=np.float32); X=np.zeros((n*n,n),np.float32)
t=time.process_time()
for _ in range(5): X=np.maximum(0,X+C*(AT@(R*(b-A@X))))
print(json.dumps({"ms":(time.process_time()-t)/5*1e3}))
`;

/** Wall and CPU time of a call, ms. */
async function spent<T>(body: () => Promise<T>): Promise<{ readonly value: T; readonly wall: number; readonly cpu: number }> {
  const cpu = process.cpuUsage(),
    wall = performance.now();
  const value = await body();
  const used = process.cpuUsage(cpu);
  return { value, wall: performance.now() - wall, cpu: (used.user + used.system) / 1e3 };
}

export async function run(report: Report): Promise<void> {
  const peer = runPython<{ ms: number }>(script);
  for (const [name, method] of [
    ["SIRT", sirt],
    ["RESIRE", resire],
  ] as const) {
    const one = await spent(() => method(series, { iterations: 100, workers: 1 }));
    const two = await spent(() => method(series, { iterations: 100, workers: 2 }));
    const note = `CPU time; wall ${(one.wall / 1e3).toFixed(1)} s; two workers ${(two.wall / 1e3).toFixed(1)} s wall; R1 ${one.value.figures.r1!.toFixed(4)}; ${Math.round(one.value.memoryBytes / 2 ** 20)} MB`;
    report({
      name: `${name} 100 iterations, 128³ × 41, one core`,
      ms: one.cpu,
      peer: "scipy.sparse SIRT",
      ...(peer ? { peerMs: 100 * peer.ms } : {}),
      target: "≤ 20 s",
      note,
    });
  }
  await equalSlopes(report);
  const js = await spent(() => sirt(series, { iterations: 2, kernels: "js", workers: 1 })),
    wasm = await spent(() => sirt(series, { iterations: 2, workers: 1 }));
  report({ name: "SIRT 2 iterations, 128³ × 41", ms: wasm.wall, peer: "plain TS", peerMs: js.wall });
  const one = await spent(() => genfire(series, { iterations: 100, workers: 1 })),
    two = await spent(() => genfire(series, { iterations: 100, workers: 2 }));
  const f = one.value.figures;
  report({
    name: "GENFIRE 100 iterations, oversampling 3 (384³), exact gridding, one core",
    ms: one.cpu,
    target: "≤ 60 s, ≤ 1 GB (GENFIRE-Python, FFT gridding: 441 CPU-s, 6.1 GB)",
    note: `CPU time; wall ${(one.wall / 1e3).toFixed(1)} s; two workers ${(two.wall / 1e3).toFixed(1)} s wall; R_K ${f.rkMagnitude!.toFixed(4)}, R_free ${f.rkFree!.toFixed(4)}; kernel memory ${Math.round(one.value.memoryBytes / 2 ** 20)} MB, process ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`,
  });
}

/** 43 views of equal slope to ±70° of the same atoms; WBP and RESIRE of the same views beside. */
async function equalSlopes(report: Report): Promise<void> {
  const angles = equalSlopeAngles(13, { maximumDeg: 70 }),
    slopes = views(angles, posesFromTilts(angles)),
    object = truth();
  const one = await spent(() => equalSlope(slopes, { workers: 1 })),
    two = await spent(() => equalSlope(slopes, { workers: 2 }));
  const wbp = await spent(() => fbp(slopes, { workers: 1 })),
    descent = await spent(() => resire(slopes, { iterations: 100, workers: 1 }));
  const of = (r: typeof one): string => correlation(r.value.volume, object).toFixed(4);
  report({
    name: `equal slopes 30 iterations, 128³ × ${angles.length}, one core`,
    ms: one.cpu,
    peer: "RESIRE 100 iterations",
    peerMs: descent.cpu,
    note: `CPU time; wall ${(one.wall / 1e3).toFixed(1)} s; two workers ${(two.wall / 1e3).toFixed(1)} s wall; R_K ${one.value.figures.rkComplex!.toFixed(4)}; ${Math.round(one.value.memoryBytes / 2 ** 20)} MB; correlation with the truth ${of(one)}, RESIRE ${of(descent)}, WBP ${of(wbp)} in ${(wbp.cpu / 1e3).toFixed(1)} s`,
  });
}
