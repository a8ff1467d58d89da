import { createRequire } from "node:module";
import { arena } from "../src/kernels/memory.js";
import { fftPool, runOnPool } from "../src/numerics/fft-parallel.js";
import { fftPlan } from "../src/numerics/fft-plan.js";
import { rfftPlan } from "../src/numerics/fft-real-plan.js";
import { python, type Report, runPython, time, timeAsync } from "./harness.js";

type Type = "c64" | "c128" | "f32" | "f64";
interface Case {
  readonly shape: readonly number[];
  readonly type: Type;
  readonly target?: string;
}
const square = (n: number): readonly number[] => [n, n];
const cases: readonly Case[] = [
  ...[256, 512, 1024, 2048].map((n) => ({ shape: square(n), type: "c64" as const, target: "<= 1.2 × FFTW, < scipy" })),
  ...[360, 500].map((n) => ({ shape: square(n), type: "c64" as const })),
  ...[256, 512, 1024, 2048].map((n) => ({ shape: square(n), type: "c128" as const, target: "<= 1.4 × FFTW" })),
  ...[360, 500].map((n) => ({ shape: square(n), type: "c128" as const })),
  { shape: [256, 256, 256], type: "c64", target: "<= 1.3 × FFTW" },
  { shape: square(1024), type: "f32" },
  { shape: square(1024), type: "f64" },
  { shape: [1 << 16], type: "c128" },
  { shape: [509, 509], type: "c128" }, // a prime: Bluestein here, Rader there
];
const name = ({ shape, type }: Case): string => `${shape.join("×")} ${type}`;
const quick = { warmMs: 150, forMs: 250 };

/** One forward transform in place on resident data, as the peers below. */
function ours({ shape, type }: Case): number {
  const a = arena();
  if (type === "c64" || type === "c128") {
    const plan = fftPlan({ shape, type, arena: a });
    plan.data().fill(0);
    return time(() => plan.forward(), quick);
  }
  const plan = rfftPlan({ shape, type, arena: a });
  plan.real().fill(0);
  plan.spectrum().fill(0);
  return time(() => plan.forward(), quick);
}
interface Peers {
  readonly fftw?: number[];
  readonly scipy: number[];
  readonly numpy: number[];
}
const script = (list: readonly Case[]): string => `
import json, time, numpy as np, scipy.fft
try:
    import pyfftw
except ImportError:
    pyfftw = None
def best(f, t=0.25):
    f(); b = 1e9; e = time.perf_counter() + t; k = 0
    while k < 3 or time.perf_counter() < e:
        s = time.perf_counter(); f(); b = min(b, time.perf_counter() - s); k += 1
    return 1e3 * b
names = {"c64": "complex64", "c128": "complex128", "f32": "float32", "f64": "float64"}
out = {"fftw": [], "scipy": [], "numpy": []}
for c in json.loads('${JSON.stringify(list)}'):
    shape, real = tuple(c["shape"]), c["type"][0] == "f"
    a = np.zeros(shape, names[c["type"]])
    if pyfftw:
        axes = tuple(range(len(shape)))
        a = pyfftw.zeros_aligned(shape, names[c["type"]])
        half = shape[:-1] + (shape[-1] // 2 + 1,)
        b = pyfftw.zeros_aligned(half, "complex64" if c["type"] == "f32" else "complex128") if real else a
        plan = pyfftw.FFTW(a, b, axes=axes, flags=("FFTW_MEASURE",), threads=1)
        a[:] = 0; b[:] = 0
        out["fftw"].append(best(plan.execute))
    out["scipy"].append(best(lambda: (scipy.fft.rfftn if real else scipy.fft.fftn)(a, workers=1)))
    out["numpy"].append(best(lambda: (np.fft.rfftn if real else np.fft.fftn)(a), 0.05 if a.size < 1e7 else 0))
if not pyfftw: del out["fftw"]
print(json.dumps(out))
`;
const least = (a: number[] | undefined, b: number[] | undefined): number[] | undefined => a?.map((v, i) => Math.min(v, b?.[i] ?? v));

/** FFT against pyFFTW, scipy and numpy (one thread each, alternating twice), fft.js, the TypeScript twin, and two workers against one. */
export async function run(report: Report): Promise<void> {
  let mine = cases.map(ours);
  let peers = python ? runPython<Peers>(script(cases)) : undefined;
  if (peers) {
    mine = least(mine, cases.map(ours))!;
    const again = runPython<Peers>(script(cases));
    peers = { fftw: least(peers.fftw, again?.fftw), scipy: least(peers.scipy, again?.scipy)!, numpy: least(peers.numpy, again?.numpy)! };
  }
  for (const [i, c] of cases.entries()) {
    const ms = mine[i]!,
      ratio = (t: number | undefined): string => (t === undefined ? "" : (ms / t).toFixed(2));
    const others = peers ? `${ratio(peers.scipy[i])} × scipy, ${ratio(peers.numpy[i])} × numpy` : "";
    report({ name: name(c), ms, peer: "FFTW", peerMs: peers?.fftw?.[i], target: c.target, note: others });
  }
  for (const [real, complex] of [
    ["f32", "c64"],
    ["f64", "c128"],
  ] as const) {
    const at = (type: Type): number => mine[cases.findIndex((c) => c.type === type && c.shape[0] === 1024)]!;
    report({ name: `1024×1024 ${real} real`, ms: at(real), peer: `our ${complex}`, peerMs: at(complex), target: "about 0.5" });
  }
  scalar(report);
  await workers(report);
}

/** Plain TypeScript and fft.js, rows and gathered columns of 512² in double precision. */
function scalar(report: Report): void {
  const n = 512,
    wasm = fftPlan({ shape: [n, n], type: "c128", arena: arena() }),
    js = fftPlan({ shape: [n, n], type: "c128", kernels: "js" });
  const ms = time(() => wasm.forward(), quick);
  report({ name: "512×512 c128", ms, peer: "TypeScript twin", peerMs: time(() => js.forward(), quick) });
  type Fft = { transform(out: Float64Array, data: Float64Array): void };
  const FFT = createRequire(import.meta.url)("fft.js") as new (n: number) => Fft;
  const f = new FFT(n),
    data = new Float64Array(2 * n * n),
    line = new Float64Array(2 * n),
    out = new Float64Array(2 * n);
  const peerMs = time(() => {
    for (let r = 0; r < n; r++) {
      f.transform(out, data.subarray(2 * n * r, 2 * n * (r + 1)));
      data.set(out, 2 * n * r);
    }
    for (let c = 0; c < n; c++) {
      for (let j = 0; j < n; j++) {
        line[2 * j] = data[2 * (j * n + c)]!;
        line[2 * j + 1] = data[2 * (j * n + c) + 1]!;
      }
      f.transform(out, line);
      for (let j = 0; j < n; j++) {
        data[2 * (j * n + c)] = out[2 * j]!;
        data[2 * (j * n + c) + 1] = out[2 * j + 1]!;
      }
    }
  }, quick);
  report({ name: "512×512 c128", ms, peer: "fft.js", peerMs });
}

async function workers(report: Report): Promise<void> {
  const a = arena({ shared: true }),
    pool = await fftPool(a, { workers: 2 });
  for (const [n, type] of [
    [512, "c64"],
    [1024, "c64"],
    [2048, "c64"],
    [1024, "c128"],
    [2048, "c128"],
  ] as const) {
    const plan = fftPlan({ shape: [n, n], type, arena: a, workers: pool.workers });
    plan.data().fill(0);
    let one = Number.POSITIVE_INFINITY,
      two = one;
    for (let round = 0; round < 3; round++) {
      one = Math.min(
        one,
        time(() => plan.forward(), quick),
      );
      two = Math.min(two, await timeAsync(() => runOnPool(pool, plan, "forward"), quick));
    }
    const target = n >= 1024 ? "speed-up >= 1.8" : undefined;
    report({
      name: `${n}×${n} ${type}, ${pool.workers} workers`,
      ms: two,
      peer: "one worker",
      peerMs: one,
      target,
      note: `speed-up ${(one / two).toFixed(2)}`,
    });
    plan.free();
  }
  await pool.close();
}
