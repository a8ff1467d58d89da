import { rng } from "../src/core/rng.js";
import type { ImageKernels } from "../src/kernels/images.js";
import { wasmImageKernels } from "../src/kernels/images-wasm.js";
import { jsImageKernels } from "../src/kernels/js/images.js";
import { defaultArena } from "../src/kernels/memory.js";
import { type Report, runPython, time } from "./harness.js";

const N = 1024;
const g = rng("bench images");
const frame = Float32Array.from({ length: N * N }, () => g.poisson(20));
const u16 = Uint16Array.from(frame);
const gauss = (sigma: number): Float32Array => {
  const r = Math.ceil(4 * sigma);
  return Float32Array.from({ length: 2 * r + 1 }, (_, i) => Math.exp(-((i - r) ** 2) / (2 * sigma * sigma)));
};
const weights = Float32Array.from({ length: 25 }, (_, i) => i + 1);
const w2 = gauss(2),
  w5 = gauss(5);

/** Name, our call, and the scipy.ndimage call on the same 1024² frame (a is f32, u is u16). */
const cases: [name: string, ours: (k: ImageKernels) => void, scipy: string][] = [
  ["Gaussian, sigma 2", (k) => k.separable(frame, N, N, w2, w2, "mirror"), "nd.gaussian_filter(a, 2)"],
  ["Gaussian, sigma 5", (k) => k.separable(frame, N, N, w5, w5, "mirror"), "nd.gaussian_filter(a, 5)"],
  [
    "local mean 31²",
    (k) => k.localMoments(frame, undefined, N, N, 15, 15, "mirror", { variance: false, count: false }),
    "nd.uniform_filter(a, 31)",
  ],
  [
    "local mean and variance 31²",
    (k) => k.localMoments(frame, undefined, N, N, 15, 15, "mirror", { variance: true, count: false }),
    "(nd.uniform_filter(a, 31), nd.uniform_filter(a * a, 31))",
  ],
  ["maximum 3²", (k) => k.extreme(frame, N, N, 1, 1, true), "nd.maximum_filter(a, 3)"],
  ["maximum 21²", (k) => k.extreme(frame, N, N, 10, 10, true), "nd.maximum_filter(a, 21)"],
  ["median 3²", (k) => k.median(frame, N, N, 1, 1, "mirror"), "nd.median_filter(a, 3)"],
  ["median 5²", (k) => k.median(frame, N, N, 2, 2, "mirror"), "nd.median_filter(a, 5)"],
  ["median of u16, 15²", (k) => k.medianU16(u16, N, N, 7, 7), "nd.median_filter(u, 15)"],
  ["correlation with a 5² kernel", (k) => k.correlate(frame, N, N, weights, 2, 2, "mirror"), "nd.correlate(a, w)"],
  ["binning 2 × 2", (k) => k.bin(frame, undefined, N, N, 2, 1e9), "a.reshape(512, 2, 512, 2).sum((1, 3))"],
];

/** Image kernels against scipy.ndimage, and against their TypeScript twins. */
export async function run(report: Report): Promise<void> {
  const peers = runPython<number[]>(`
import numpy as np, scipy.ndimage as nd, time, json
a = np.random.default_rng(1).poisson(20, (${N}, ${N})).astype(np.float32); u = a.astype(np.uint16)
w = np.arange(1, 26, dtype=np.float32).reshape(5, 5)
def best(f):
    f(); t = []
    for _ in range(3):
        s = time.perf_counter(); f(); t.append(time.perf_counter() - s)
    return 1e3 * min(t)
print(json.dumps([best(f) for f in [${cases.map((c) => `lambda: ${c[2]}`).join(", ")}]]))
`);
  const wasm = wasmImageKernels(defaultArena());
  for (const [i, [name, ours]] of cases.entries()) {
    const ms = time(() => ours(wasm), { warmMs: 150, forMs: 250 });
    const peerMs = peers?.[i];
    if (peerMs !== undefined) report({ name: `${name}, ${N}²`, ms, peer: "scipy", peerMs });
    report({ name: `${name}, ${N}²`, ms, peer: "TypeScript twin", peerMs: time(() => ours(jsImageKernels), { warmMs: 0, forMs: 0 }) });
  }
}
