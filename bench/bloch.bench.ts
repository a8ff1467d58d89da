import { adjointSolution } from "../src/bloch/adjoint.js";
import { beamPool, twoKs } from "../src/bloch/beams.js";
import { chainParameters, jacobianSum } from "../src/bloch/derivatives.js";
import { type Incidence, incidenceOnZone } from "../src/bloch/incidence.js";
import { orientationSolverSync } from "../src/bloch/orientations.js";
import { type CrystalPotential, crystalPotential } from "../src/bloch/potential.js";
import { type CrystalParameter, potentialDerivatives } from "../src/bloch/potential-derivatives.js";
import { propagate } from "../src/bloch/propagate.js";
import { structureMatrix } from "../src/bloch/structure-matrix.js";
import { thicknessNodes } from "../src/bloch/thickness.js";
import { blochIntensities, type SolverName } from "../src/bloch/waves.js";
import { rng } from "../src/core/rng.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, type Structure, structure } from "../src/geometry/structure.js";
import { type Report, runPython } from "./harness.js";

/** Least processor time of one call, ms: on a shared machine wall-clock times of two programs compare the neighbours. */
function time(body: () => void, forMs = 700): number {
  const warm = performance.now() + Math.min(forMs, 400);
  do body();
  while (performance.now() < warm);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + forMs;
  for (let k = 0; k < 3 || performance.now() < end; k++) {
    const from = process.cpuUsage();
    let calls = 0;
    const start = performance.now();
    do {
      body();
      calls++;
    } while (performance.now() < start + 4);
    const { user, system } = process.cpuUsage(from);
    best = Math.min(best, (user + system) / 1000 / calls);
  }
  return best;
}

/** Twenty light atoms in general positions, or pairs of them about the origin. */
function crystal(name: string, group: string, a: number, b: number, c: number): Structure {
  const g = rng(name);
  const elements = ["C", "C", "N", "O", "Si", "C", "O", "N", "C", "O"];
  const copies = group === "P -1" ? 1 : 2;
  return structure(
    unitCell(a, b, c, 90, 90, 90),
    spaceGroup(group),
    Array.from({ length: 10 * copies }, (_, i) =>
      atom({ element: elements[i % 10]!, xyz: [g.uniform(), g.uniform(), g.uniform()], uIso: 0.01 + 0.01 * g.uniform() }),
    ),
  );
}

/** The n beams of smallest |s| with |g| <= gMax. */
function closest(s: Structure, inc: Incidence, gMax: number, n: number): Int32Array {
  const { hkl } = beamPool(s.cell, s.spaceGroup, gMax),
    e = twoKs(s.cell, hkl, inc);
  const order = Array.from(e.keys()).sort((i, j) => Math.abs(e[i]!) - Math.abs(e[j]!));
  const first = order.slice(0, n).sort((i, j) => i - j);
  return Int32Array.from(first.flatMap((i) => [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]));
}

const beam200 = beam(200);
const series = (most: number): number[] => Array.from({ length: 20 }, (_, i) => ((i + 1) * most) / 20);

interface EighTimes {
  readonly complex: Readonly<Record<string, number>>;
  readonly real: Readonly<Record<string, number>>;
}
/** numpy.linalg.eigh of matrices of the same size, processor time on one thread; the waves of the peer are not even counted. */
function eigh(sizes: readonly number[]): EighTimes | undefined {
  return runPython<EighTimes>(`
import json, time
import numpy as np
r = np.random.default_rng(1)
def best(f, seconds=0.8):
    f(); b = 1e9; end = time.perf_counter() + seconds; k = 0
    while k < 3 or time.perf_counter() < end:
        t = time.process_time(); f(); b = min(b, time.process_time() - t); k += 1
    return b * 1e3
out = {"complex": {}, "real": {}}
for n in ${JSON.stringify(sizes)}:
    d = np.diag(r.uniform(-1.6, 1.6, n))
    h = 0.02 * (r.normal(size=(n, n)) + 1j * r.normal(size=(n, n))); h = h + h.conj().T + d
    out["complex"][n] = best(lambda: np.linalg.eigh(h))
    s = 0.02 * r.normal(size=(n, n)); s = s + s.T + d
    out["real"][n] = best(lambda: np.linalg.eigh(s))
print(json.dumps(out))
`);
}

export async function run(report: Report): Promise<void> {
  const sizes = [100, 300, 600, 1000, 1009];
  const peer = eigh(sizes);
  const against = (kind: "complex" | "real", n: number) => (peer ? { peer: `numpy ${kind} eigh`, peerMs: peer[kind][n]! } : {});

  for (const [title, group, kind, targets] of [
    ["complex", "P 1", "complex", ["<= 0.20", "<= 0.50"]],
    ["centrosymmetric", "P -1", "real", ["<= 0.33", ""]],
  ] as const) {
    const s = crystal("bloch bench", group, 9.1, 9.9, 11.2);
    const inc = incidenceOnZone(s.cell, beam200, [3, 5, 7], [0.4, 0.3, -0.2]);
    const potential = crystalPotential(s, beam200, { reach: 4.2 });
    for (const n of [100, 300, 600, 1000]) {
      const hkl = closest(s, inc, 2.1, n),
        m = structureMatrix(potential, hkl, inc);
      const half = (Math.max(...m.twoKs) - Math.min(...m.twoKs)) / 4 / beam200.k;
      [500, 2000].forEach((thickness, i) => {
        let solver: SolverName = "chebyshev";
        const ms = time(() => {
          solver = propagate(m, series(thickness)).solver;
        });
        report({
          name: `${title} N = ${n}, 20 thicknesses to ${thickness} Å`,
          ms,
          ...against(kind, n),
          ...(targets[i] ? { target: targets[i] } : {}),
          note: `${solver}, |s| <= ${half.toFixed(4)}`,
        });
      });
    }
  }

  zoneAxis(report, against("complex", 1009));
  derivatives(report);
}

function zoneAxis(report: Report, peer: { peer?: string; peerMs?: number }): void {
  const s = crystal("bloch zone", "P 1", 10, 10, 10.5);
  const inc = incidenceOnZone(s.cell, beam200, [0, 0, 1]);
  const list: number[] = [0, 0, 0];
  for (let h = -18; h <= 18; h++) for (let k = -18; k <= 18; k++) if ((h || k) && h * h + k * k <= 18 * 18 - 3) list.push(h, k, 0);
  const hkl = Int32Array.from(list),
    m = structureMatrix(crystalPotential(s, beam200, { reach: 3.62 }), hkl, inc);
  [
    [500, "<= 0.025"],
    [2000, "<= 0.067"],
  ].forEach(([thickness, target]) => {
    let solver: SolverName = "structured";
    const ms = time(() => {
      solver = propagate(m, series(thickness as number)).solver;
    });
    report({ name: `zone axis N = ${m.size}, to ${thickness} Å`, ms, ...peer, target: target as string, note: solver });
  });
}

/** One orientation of a refinement: wedge of 900 Å, N = 165; averages, gradient, Jacobian of 100 rows in 250 parameters. */
function derivatives(report: Report): void {
  const s = crystal("bloch derivatives", "P 1", 6, 12.2, 5.8);
  const inc = incidenceOnZone(s.cell, beam200, [2, 1, 3], [0.3, 0.2, -0.1]);
  const potential: CrystalPotential = crystalPotential(s, beam200, { reach: 4.8 });
  const hkl = closest(s, inc, 2.4, 165),
    nodes = thicknessNodes({ kind: "wedge" }, 900, 2 * Math.PI * 900 * 0.02);
  const solver = orientationSolverSync(potential);
  const forward = time(() => {
    solver.intensitiesSync([{ hkl, incidence: inc, nodes }]);
  });
  report({
    name: "one orientation, N = 165, wedge 900 Å",
    ms: forward,
    note: `${nodes.t.length} thickness nodes; 58 × 600 of them ${((forward * 34.8) / 2).toFixed(0)} s on 2 cores`,
  });
  const m = structureMatrix(potential, hkl, inc);
  const parameters: CrystalParameter[] = s.atoms
    .flatMap((_, i): CrystalParameter[] => [
      ...(["x", "y", "z", "occupancy", "uIso"] as const).map((kind) => ({ kind, atom: i })),
      ...Array.from({ length: 8 }, (_, k): CrystalParameter => ({ kind: "form", atom: i, derivative: (x) => Math.exp(-k * x * x) })),
    ])
    .slice(0, 250);
  const rows = 100,
    sum = jacobianSum(m, [hkl], rows),
    width = 2 * sum.index.size;
  const c = new Float64Array(m.size).fill(1);
  const gradient = time(() => {
    const a = adjointSolution(m, nodes, sum.index);
    a.pull(c, sum.u.subarray(0, width));
    a.free();
  });
  report({
    name: "adjoint gradient, one orientation",
    ms: gradient,
    peer: "forward",
    peerMs: forward,
    target: "<= 3",
    note: "any number of parameters",
  });
  const jacobian = time(() => {
    const a = adjointSolution(m, nodes, sum.index);
    for (let r = 0; r < rows; r++) {
      c.fill(0);
      c[r] = 1;
      a.pull(c, sum.u.subarray(r * width, (r + 1) * width));
    }
    a.free();
  }, 1500);
  report({
    name: `Jacobian of ${rows} rows, one orientation`,
    ms: jacobian,
    peer: "forward",
    peerMs: forward,
    target: "<= 3",
    note: "finite differences in 250 parameters: 251",
  });
  const dW = potentialDerivatives(potential, s, sum.index.hkl, parameters);
  const chain = time(() => void chainParameters(sum, dW), 400);
  report({
    name: `chain to ${parameters.length} parameters, once for all orientations`,
    ms: chain,
    note: `${sum.index.size} coefficients`,
  });
  const direct = time(() => void blochIntensities(propagate(m, nodes.t)));
  report({ name: "the same waves by propagate()", ms: direct, peer: "forward", peerMs: forward });
}
