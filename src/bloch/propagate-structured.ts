import { fail } from "../core/errors.js";
import type { BlochKernels } from "../kernels/bloch.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { scoped } from "../numerics/matrix-scope.js";
import type { VectorWriter } from "./chebyshev-series.js";
import type { BeamGrid } from "./grid.js";
import { potentialLayout } from "./potential.js";
import { chebyshevColumns } from "./propagate-chebyshev.js";
import type { StructureMatrix } from "./structure-matrix.js";

/** Operations of one structured product, in the units of a dense one (8 n² complex, 2 n² real). */
export const structuredCost = (grid: BeamGrid): number => 14 * grid.points * Math.log2(grid.points + 1);

/**
 * Chebyshev propagation where W·x is a convolution on the grid of the beams: two FFTs instead of n² products. Without absorption the
 * transform of W is the projected potential, a real function. Exact: the grid has room for every difference of two beams.
 */
export function structuredChebyshev(
  m: StructureMatrix,
  tau: Float64Array,
  kernels: BlochKernels,
  grid: BeamGrid | undefined,
): Float64Array {
  if (!grid) return fail("bad-value", { beams: m.size }, "a single beam has no grid: use another solver");
  const { arena } = kernels,
    n = m.size,
    { shape, points, coordinates } = grid,
    rank = shape.length,
    { absorbing, real } = m;
  const plan = fftPlan({ shape: [...shape], type: "c128", arena, ...(kernels.name === "wasm" ? {} : { kernels: "wasm" as const }) });
  try {
    fillGrid(m, grid, plan.data());
    plan.forward();
    const spectrum = plan.data().slice();
    const pairs = !real,
      factorSize = absorbing ? 16 * points : 8 * points;
    return scoped(arena, [factorSize, 4 * n, 8 * n, 8 * n], ([pFactor, pPlace, pQ, pD]) => {
      if (absorbing) arena.f64(pFactor!, 2 * points).set(spectrum);
      else {
        const f = arena.f64(pFactor!, points);
        for (let i = 0; i < points; i++) f[i] = spectrum[2 * i]!;
      }
      const place = arena.i32(pPlace!, n);
      for (let i = 0; i < n; i++) {
        let at = 0;
        for (let k = 0; k < rank; k++) at = at * shape[k]! + wrap(coordinates[i * rank + k]!, shape[k]!);
        place[i] = at;
      }
      arena.f64(pQ!, n).set(m.surface.map((x) => 1 / Math.sqrt(x)));
      arena.f64(pD!, n).set(m.twoKs.map((x, i) => x / m.surface[i]!));
      const row = pairs ? 16 * n : 8 * ((n + 1) & ~1);
      const write: VectorWriter = (shift, decay, rho, terms, v) => {
        const V = arena.f64(v, (terms * row) / 8);
        V.fill(0);
        V[0] = 1;
        for (let k = 1; k < terms; k++) {
          const x = v + (k - 1) * row;
          kernels.scatter(n, x, pairs ? 1 : 0, pQ!, pPlace!, plan.ptr, points);
          plan.forward();
          kernels.multiplyGrid(points, plan.ptr, pFactor!, absorbing ? 0 : 1);
          plan.inverse({ scale: 1 });
          const factor = (k === 1 ? 1 : 2) / rho;
          kernels.gatherStep(
            n,
            pairs ? 1 : 0,
            plan.ptr,
            pPlace!,
            pQ!,
            pD!,
            absorbing ? m.potential.w0[1] : 0,
            decay,
            factor,
            1 / points,
            shift,
            x,
            k === 1 ? 0 : x - row,
            x + row,
          );
        }
      };
      return chebyshevColumns(m, tau, kernels, write, pairs);
    });
  } finally {
    plan.free();
  }
}

const wrap = (x: number, n: number): number => ((x % n) + n) % n;

/** W at every difference of grid coordinates that two beams can have. */
function fillGrid(m: StructureMatrix, { shape, basis, points }: BeamGrid, data: Float64Array): void {
  const { span, table, real } = m.potential,
    { sh, sk, centre } = potentialLayout(span);
  const index = new Array<number>(shape.length).fill(0);
  data.fill(0);
  for (let at = 0; at < points; at++) {
    let rest = at;
    for (let k = shape.length - 1; k >= 0; k--) {
      const x = rest % shape[k]!;
      index[k] = x > shape[k]! / 2 ? x - shape[k]! : x;
      rest = (rest - x) / shape[k]!;
    }
    let h = 0,
      kk = 0,
      l = 0;
    basis.forEach((b, i) => {
      h += index[i]! * b[0]!;
      kk += index[i]! * b[1]!;
      l += index[i]! * b[2]!;
    });
    if (Math.abs(h) > span[0] || Math.abs(kk) > span[1] || Math.abs(l) > span[2]) continue;
    const from = centre + h * sh + kk * sk + l;
    data[2 * at] = real ? table[from]! : table[2 * from]!;
    data[2 * at + 1] = real ? 0 : table[2 * from + 1]!;
  }
}
