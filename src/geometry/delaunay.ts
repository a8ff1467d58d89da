import { fail } from "../core/errors.js";
import { determinant } from "../core/frames.js";
import type { UnitCell } from "./cell.js";
import { bilinear, cellFromMetric, type Mat3, metricTensor, quadratic, transformMetric } from "./metric.js";
import { fromColumns, type Reduction } from "./reduction.js";

type V = readonly [number, number, number];
const add = (p: V, q: V): V => [p[0] + q[0], p[1] + q[1], p[2] + q[2]];
const neg = (p: V): V => [-p[0], -p[1], -p[2]];

export interface DelaunayReduction extends Reduction {
  /** Four vectors on the input axes, sum zero, all pairwise products <= 0 (Selling's obtuse superbase). */
  readonly superbase: readonly [V, V, V, V];
  /** Selling parameters −bᵢ·bⱼ, Å², in the order 23 13 12 14 24 34; all >= 0. */
  readonly selling: readonly [number, number, number, number, number, number];
}

/**
 * Selling–Delaunay reduction: while some product bᵢ·bⱼ is positive, bᵢ → −bᵢ and the two others gain bᵢ (Delaunay 1933, Z. Krist. 84, 109).
 * The cell is made of the three shortest non-coplanar vectors among b₁…b₄, b₁+b₂, b₂+b₃, b₁+b₃, right-handed.
 */
export function delaunayCell(cell: UnitCell, { relativeTolerance = 1e-9, maxSteps = 1000 } = {}): DelaunayReduction {
  const g = metricTensor(cell);
  const eps = relativeTolerance * cell.volume ** (2 / 3);
  let base: [V, V, V, V] = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [-1, -1, -1],
  ];
  let steps = 0;
  for (;;) {
    let worst = eps,
      at: readonly [number, number] | undefined;
    for (let i = 0; i < 4; i++)
      for (let j = i + 1; j < 4; j++) {
        const d = bilinear(g, base[i]!, base[j]!);
        if (d > worst) [worst, at] = [d, [i, j]];
      }
    if (!at) break;
    if (++steps > maxSteps)
      fail("no-convergence", { cell: cell.toString(), maxSteps }, "the cell is too oblique to reduce; check that a, b, c are not coplanar");
    const [i, j] = at;
    base = base.map((v, k) => (k === i ? neg(v) : k === j ? v : add(v, base[i]!))) as [V, V, V, V];
  }
  const [b1, b2, b3, b4] = base;
  const p = shortest(g, [b1, b2, b3, b4, add(b1, b2), add(b2, b3), add(b1, b3)]);
  const s = (u: V, v: V): number => Math.max(0, -bilinear(g, u, v));
  return {
    cell: cellFromMetric(transformMetric(g, p)),
    basis: p,
    steps,
    superbase: base,
    selling: [s(b2, b3), s(b1, b3), s(b1, b2), s(b1, b4), s(b2, b4), s(b3, b4)],
  };
}

/** Basis of determinant +1 from the shortest of the candidates; angles all acute or all obtuse by choice of signs. */
function shortest(g: Mat3, candidates: readonly V[]): Mat3 {
  const sorted = [...candidates].sort((u, v) => quadratic(g, u) - quadratic(g, v));
  const [a, b] = [sorted[0]!, sorted[1]!];
  const c = sorted.slice(2).find((v) => Math.abs(determinant(fromColumns(a, b, v))) === 1)!;
  const ab = bilinear(g, a, b),
    bc = bilinear(g, b, c),
    ac = bilinear(g, a, c);
  // Signs: make ab and bc non-positive, then fix the hand by inverting all three.
  const sb = ab > 0 ? -1 : 1,
    sc = bc * sb > 0 ? -1 : 1;
  let signed: [V, V, V] = [a, sb < 0 ? neg(b) : b, sc < 0 ? neg(c) : c];
  if (ac * sc > 0 && ab === 0) signed = [neg(signed[0]), signed[1], signed[2]];
  if (determinant(fromColumns(...signed)) < 0) signed = signed.map(neg) as [V, V, V];
  return fromColumns(...signed);
}
