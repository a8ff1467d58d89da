import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fftPlan } from "../src/numerics/fft-plan.js";
import { python, type Report, time } from "./harness.js";

/** Probes along one side of the scan; the figure is for 64 (set EWALD_BENCH_SCAN=64 and wait). */
const side = Number(process.env.EWALD_BENCH_SCAN ?? 8);

interface Figures {
  readonly import: number;
  readonly probe: number;
  readonly probeCpu: number;
  readonly first: number;
  readonly wall: number;
  readonly cpu: number;
  readonly rssMB: number;
  readonly mean: number;
}
const here = dirname(fileURLToPath(import.meta.url));
/** abTEM on two threads with single precision and FFTW, the same atoms, grid, slices, probe and detector. */
const script = `
import time, json, resource, sys
t0 = time.perf_counter()
import abtem, numpy as np
from ase.build import bulk
t1 = time.perf_counter()
abtem.config.set({"precision": "float32", "fft": "fftw", "device": "cpu", "fftw.threads": 1, "local_diagnostics.progress_bar": False})
probe = abtem.Probe(energy=200e3, semiangle_cutoff=20, gpts=256, extent=21.724)
np.asarray(probe.build().compute(progress_bar=False).array)
tp, cp = time.perf_counter(), time.process_time()
pot = abtem.Potential(bulk("Si", cubic=True, a=5.431) * (4, 4, 18), gpts=256, slice_thickness=5.431 / 4)
assert len(pot) == 72
def scan(k):
    p = abtem.Probe(energy=200e3, semiangle_cutoff=20)
    m = p.scan(pot, scan=abtem.GridScan((0, 0), (5.431, 5.431), gpts=(k, k)), detectors=abtem.AnnularDetector(60, 98))
    return np.asarray(m.compute(scheduler="threads", num_workers=2, progress_bar=False).array)
scan(1)
t2, c2 = time.perf_counter(), time.process_time()
a = scan(int(sys.argv[1]))
t3, c3 = time.perf_counter(), time.process_time()
print(json.dumps({"import": (t1 - t0) * 1e3, "probe": (tp - t0) * 1e3, "probeCpu": cp * 1e3, "first": (t2 - t0) * 1e3, "wall": (t3 - t2) * 1e3, "cpu": (c3 - c2) * 1e3, "rssMB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "mean": float(a.mean())}))
`;
const ours = (): Figures => {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return JSON.parse(
    execFileSync(process.execPath, ["--import", loader, join(here, "multislice-scan-child.ts"), String(side)], { encoding: "utf8" }),
  ) as Figures;
};
const peer = (): Figures | undefined => {
  if (!python) return undefined;
  const { OPENBLAS_CORETYPE: _, OPENBLAS_L2_SIZE: __, ...env } = process.env;
  try {
    const out = execFileSync(python, ["-c", script, String(side)], {
      encoding: "utf8",
      env: { ...env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return JSON.parse(out.trim().split("\n").at(-1)!) as Figures;
  } catch (e) {
    console.error(`peer not run: ${(e as Error).message.split("\n").slice(-3).join(" ")}`);
    return undefined;
  }
};

/** 72 slices of 256², ADF 60–98 mrad, both on two cores, turn by turn in one run. */
export async function run(report: Report): Promise<void> {
  const a: Figures[] = [],
    b: Figures[] = [];
  for (let turn = 0; turn < (side > 32 ? 1 : 2); turn++) {
    a.push(ours());
    const p = peer();
    if (p) b.push(p);
  }
  const least = (list: readonly Figures[], key: keyof Figures): number | undefined =>
    list.length ? Math.min(...list.map((f) => f[key])) : undefined;
  const n = side * side;
  const row = (name: string, key: keyof Figures, per: number, target: string, note = ""): void => {
    const q = least(b, key);
    report({ name, ms: least(a, key)! / per, ...(q === undefined ? {} : { peer: "abTEM", peerMs: q / per }), target, note });
  };
  row(`scan ${side} × ${side}, wall time of a probe`, "wall", n, "0.77", `${((1000 * n) / least(a, "wall")!).toFixed(1)} probes/s`);
  row("CPU time of a probe", "cpu", n, "0.77");
  row("import and a first probe of 256²", "probe", 1, "1000 ms");
  row("the same, CPU time with the start of Node or Python", "probeCpu", 1, "1000 ms");
  row("import and a first scanned probe", "first", 1, "");
  row("peak memory, MB (not ms)", "rssMB", 1, "0.5");
  if (b.length) console.log(`mean of the images: ours ${a[0]!.mean.toPrecision(6)}, abTEM ${b[0]!.mean.toPrecision(6)}`);
  const plan = fftPlan({ shape: [256, 256], type: "c64" });
  const fft = time(() => {
    plan.inverse();
    plan.forward();
  });
  plan.free();
  report({
    name: "72 pairs of whole 256² FFTs, one core",
    ms: 72 * fft,
    note: `${((100 * 72 * fft * n) / least(a, "cpu")!).toFixed(0)} % of the CPU time of a probe, were the columns not pruned`,
  });
}
