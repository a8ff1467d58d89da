/** A least-squares cycle against a numerical Jacobian; structure factors of the kernel against gemmi; difference map. */

import { rng } from "../src/core/rng.js";
import { unitCell } from "../src/geometry/cell.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, type Structure, structure } from "../src/geometry/structure.js";
import { structureToCif } from "../src/geometry/to-cif.js";
import { uniqueReflections } from "../src/geometry/unique.js";
import { writeCif } from "../src/io/cif-write.js";
import { refineKinematic } from "../src/refine/kinematic.js";
import { structureModel } from "../src/refine/model.js";
import { perturbStructure } from "../src/refine/perturb.js";
import { potentialMap } from "../src/refine/potential-map.js";
import { structureFactorKernel } from "../src/refine/structure-gradient.js";
import { peng1996LowAngle } from "../src/scattering/peng.js";
import { structureFactors } from "../src/scattering/structure-factors.js";
import { type Report, runPython, time } from "./harness.js";

/** Size and symmetry of natrolite: 12 atoms in Fdd2, ten of them anisotropic. */
function framework(): Structure {
  const g = rng("refine");
  return structure(
    unitCell(18.27, 18.64, 6.61),
    spaceGroup("F d d 2"),
    Array.from({ length: 12 }, (_, i) =>
      atom({
        label: `A${i}`,
        element: ["Si", "O", "O", "Al", "O", "Na"][i % 6]!,
        xyz: [g.uniform(), g.uniform(), g.uniform()],
        uIso: 0.015,
        uAniso: i < 10 ? [0.012, 0.015, 0.018, 0.001, -0.001, 0.002] : undefined,
      }),
    ),
  );
}

export async function run(report: Report): Promise<void> {
  const s = framework();
  const { hkl, size } = uniqueReflections(s.cell, s.spaceGroup, { dMin: 0.63 });
  const model = structureModel(s),
    kernel = structureFactorKernel(model.raw, hkl, peng1996LowAngle),
    q = model.start;
  const n = q.length;
  const jacobian = new Float64Array(2 * size * n);
  const analytic = (): void => {
    const d = model.derivatives(q);
    jacobian.fill(0);
    kernel.gradients(model.rawAt(q), (i, _re, _im, dRe, dIm) => {
      const base = 2 * i * n;
      for (let j = 0; j < dRe.length; j++)
        for (let e = d.start[j]!; e < d.start[j + 1]!; e++) {
          const c = d.column[e]!;
          jacobian[base + c]! += dRe[j]! * d.value[e]!;
          jacobian[base + n + c]! += dIm[j]! * d.value[e]!;
        }
    });
  };
  const numerical = (): void => {
    for (let k = 0; k < n; k++) {
      const at = (h: number) => structureFactors(model.structureAt(q.map((v, i) => (i === k ? v + h : v))), hkl, peng1996LowAngle);
      const up = at(1e-5),
        down = at(-1e-5);
      for (let i = 0; i < up.length; i++) jacobian[i * n + k] = (up[i]! - down[i]!) / 2e-5;
    }
  };
  report({
    name: `F and ∂F, ${size} reflections × ${n} parameters`,
    ms: time(analytic),
    peer: "central differences",
    peerMs: time(numerical, { warmMs: 1, forMs: 1 }),
  });

  const raw = model.rawAt(q);
  const text = JSON.stringify(writeCif({ version: "1.1", comments: [], blocks: [structureToCif(s)] }));
  const list = JSON.stringify([...hkl].map(Number));
  const gemmi = runPython<{ ms: number; f: number[] }>(`
import gemmi, json, time
small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(${text}).sole_block())
h = json.loads(${JSON.stringify(list)})
h = [h[i:i+3] for i in range(0, len(h), 3)]
calc = gemmi.StructureFactorCalculatorE(small.cell)
best = 1e9
for _ in range(3):
    t = time.perf_counter()
    f = [calc.calculate_sf_from_small_structure(small, x) for x in h]
    best = min(best, time.perf_counter() - t)
print(json.dumps({"ms": 1000 * best, "f": [abs(v) for v in f[:200]]}))`);
  const own = kernel.values(raw);
  const worst = gemmi ? Math.max(...gemmi.f.map((v, i) => Math.abs(v - Math.hypot(own[2 * i]!, own[2 * i + 1]!)) / (1 + v))) : Number.NaN;
  report({
    name: `F alone, ${size} reflections`,
    ms: time(() => void kernel.values(raw)),
    peer: gemmi ? "gemmi" : undefined,
    peerMs: gemmi?.ms,
    note: gemmi ? `largest difference ${worst.toExponential(1)}` : "no peer",
  });

  const f = structureFactors(s, hkl, peng1996LowAngle),
    g = rng(3);
  const intensity = Float64Array.from({ length: size }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
  const sigma = intensity.map((v) => 0.05 * v + 0.2);
  const noisy = intensity.map((v, i) => v + sigma[i]! * g.normal());
  const start = perturbStructure(s, 0.1, rng(1));
  let cycles = 0;
  const ms = time(
    () => {
      cycles = refineKinematic(start, { hkl, intensity: noisy, sigma }, { factors: peng1996LowAngle }).cycles;
    },
    { warmMs: 1, forMs: 1 },
  );
  report({ name: "kinematical refinement from 0.1 Å", ms, note: `${cycles} cycles, ${(ms / cycles).toFixed(0)} ms each` });
  report({ name: "potential map, 0.16 Å grid", ms: time(() => void potentialMap(s.cell, s.spaceGroup, hkl, f)) });
}
