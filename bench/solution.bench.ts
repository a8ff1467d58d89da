import { runSync } from "../src/core/job.js";
import { rng } from "../src/core/rng.js";
import { unitCell } from "../src/geometry/cell.js";
import { reflectionList } from "../src/geometry/reflection-list.js";
import { siteSymmetry } from "../src/geometry/site-symmetry.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, structure } from "../src/geometry/structure.js";
import { uniqueReflections } from "../src/geometry/unique.js";
import { lobato } from "../src/scattering/lobato.js";
import { structureFactors } from "../src/scattering/structure-factors.js";
import { uniquePeaks } from "../src/solution/asymmetric.js";
import { flipper } from "../src/solution/charge-flipping.js";
import { normalise } from "../src/solution/normalise.js";
import { preparePhasing } from "../src/solution/prepare.js";
import { solveStructureSteps } from "../src/solution/solve.js";
import { type Report, runPython, time } from "./harness.js";

/** 26 atoms at least 1.4 Å apart in P 21/c, 1900 Å³: the size of a small molecule's cell. */
const draw = rng(11);
const cell = unitCell(11.2, 9.7, 17.9, 90, 101, 90);
const group = spaceGroup("P 1 21/c 1");
const kept = uniquePeaks(
  group,
  cell,
  Array.from({ length: 200 }, () => ({ xyz: [draw.uniform(), draw.uniform(), draw.uniform()] as const, height: 1 })).filter(
    (p) => siteSymmetry(group, cell, p.xyz, 1.5).multiplicity === 4,
  ),
  { merge: 1.5, snap: 0.01, limit: 26 },
);
const crystal = structure(
  cell,
  group,
  kept.map((p, i) => atom({ element: ["Zn", "O", "C", "C", "N"][i % 5]!, xyz: p.xyz, uIso: 0.02 })),
);
const set = uniqueReflections(crystal.cell, crystal.spaceGroup, { dMin: 0.8 });
const f = structureFactors(crystal, set.hkl, lobato);
const intensity = Float64Array.from({ length: set.size }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
const list = reflectionList(crystal.cell, { hkl: set.hkl, intensity, sigma: intensity.map((x) => 0.05 * x + 0.01) });
const formula = new Map([["Zn", 6], ["O", 5], ["C", 10], ["N", 5]]); // biome-ignore format: one line

/** What one cycle is in numpy: pocketfft real transforms in float32, boolean masks; the same grid and number of reflections. */
const script = (shape: readonly number[], n: number): string => `
import numpy as np, json, time
try:
    from scipy.fft import rfftn, irfftn
except ImportError:
    from numpy.fft import rfftn, irfftn
shape=${JSON.stringify(shape)}; rng=np.random.default_rng(1)
half=(shape[0],shape[1],shape[2]//2+1)
size=int(np.prod(half)); idx=rng.permutation(size)[:${n}]; amp=rng.random(${n}).astype(np.float32)
weak=amp<np.quantile(amp,.2); F=np.zeros(size,np.complex64); F[idx]=amp*np.exp(2j*np.pi*rng.random(${n}))
inside=rng.random(size)<.3
def cycle(F):
    rho=irfftn(F.reshape(half),s=shape)
    rho=np.where(rho<1.1*rho.std(),-rho,rho)
    G=rfftn(rho).ravel(); out=np.where(inside,G,0); g=G[idx]
    out[idx]=np.where(weak,1j*g,amp*g/np.maximum(np.abs(g),1e-20)); return out.astype(np.complex64)
for _ in range(5): F=cycle(F)
best=1e9
for _ in range(5):
    t=time.perf_counter()
    for _ in range(10): F=cycle(F)
    best=min(best,(time.perf_counter()-t)/10)
print(json.dumps({"ms":best*1e3}))
`;

export async function run(report: Report): Promise<void> {
  const data = preparePhasing(list, crystal.cell);
  const content = new Map([...formula].map(([e, n]) => [e, 4 * n]));
  const norm = normalise(data, content, lobato);
  const cycles = 40;
  const perCycle = (kernels: "wasm" | "js"): number => {
    const engine = flipper(data, norm.e, { kernels });
    const ms =
      time(() => void runSync(engine.trial(rng(1), { maxCycles: cycles, polishCycles: 1 })), { warmMs: 300, forMs: 1500 }) / (cycles + 1);
    engine.free();
    return ms;
  };
  const engine = flipper(data, norm.e);
  const name = `charge-flipping cycle, grid ${engine.shape.join("×")}, ${data.size} reflections in P1`;
  const shape = engine.shape;
  engine.free();
  const wasm = perCycle("wasm");
  report({ name, ms: wasm, peer: "plain TS", peerMs: perCycle("js") });
  const numpy = runPython<{ ms: number }>(script(shape, data.size));
  report({ name, ms: wasm, peer: "numpy + scipy.fft, f32", ...(numpy ? { peerMs: numpy.ms } : {}) });
  const t = performance.now();
  const s = runSync(solveStructureSteps(list, crystal.cell, formula, { seed: 2 }));
  report({
    name: `${crystal.atoms.length} independent atoms in P 1 21/c 1 solved, group unknown`,
    ms: performance.now() - t,
    note: `${s.status}, ${s.structure.spaceGroup.hm}, R1 ${s.r1.toFixed(3)}, trial ${s.trials.length}`,
  });
}
