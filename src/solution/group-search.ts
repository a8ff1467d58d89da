import { inverse, type Map3 } from "../core/frames.js";
import { bravaisCandidates } from "../geometry/bravais.js";
import { type Fractional, identity3, type Mat3 } from "../geometry/metric.js";
import { type SpaceGroup, spaceGroupByHallNumber, spaceGroupTable } from "../geometry/space-groups.js";
import { rotateVector } from "../geometry/symop.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { add, type OperatorScore, type PhasedSet } from "./operators.js";
import { onPrimitiveAxes } from "./prepare.js";

/** A space group in one setting held against the phases. */
export interface GroupCandidate {
  readonly group: SpaceGroup;
  /** (a b c)group = (a b c)primitive · basis. */
  readonly basis: Mat3;
  /** Whether the axes are those of the input cell. */
  readonly inputAxes: boolean;
  /** Origin of the group in the unsymmetrised map, fractions of the primitive axes. */
  readonly origin: Fractional;
  /** ⟨cos Δφ⟩ of the worst operation at the common origin, and the mean over all but the identity (1 for P 1). */
  readonly weakest: number;
  readonly mean: number;
}
export interface GroupOptions {
  /** Least ⟨cos Δφ⟩ of every operation. Default 0.5. */
  readonly minScore?: number | undefined;
  /** Only this space-group number. */
  readonly number?: number | undefined;
}

/**
 * Every tabulated space-group setting that lattice and Laue group admit, with the origin that suits the phases best, most convincing first.
 *
 * With t = w + (1 − W)x₀ the sum over all operations, M(x₀) = Σ_W Σ_h w(h)w(hW) cos(φ(hW) − φ(h) − 2πh·w − 2π(h − hW)·x₀), is one Fourier synthesis with
 * coefficients at h − hW: one transform gives the common origin of all operations at once. Settings with an operation that fits the phases nowhere
 * (`scores`) are passed over. The best candidate is that of highest order all of whose operations reach `minScore`; ties go to the higher mean.
 */
export function groupCandidates(set: PhasedSet, scores: readonly OperatorScore[], options: GroupOptions = {}): GroupCandidate[] {
  const { minScore = 0.5 } = options;
  const index = new Map(set.rotations.map((w, i) => [w.join(), i]));
  const out: GroupCandidate[] = [];
  const [na, nb, nc] = set.grid;
  const plan = fftPlan({ shape: [na, nb, nc], type: "c64" });
  const seen = new Set<string>();
  try {
    for (const axes of axesOptions(set)) {
      for (const line of spaceGroupTable()) {
        if (line.hall.replace("-", "")[0] !== axes.centring || (options.number !== undefined && line.number !== options.number)) continue;
        // Groups with two origin choices are tried once, with the inversion at the origin.
        if (/(^|b|c|a)1$/.test(line.choice) && line.hm.endsWith(":1")) continue;
        const group = spaceGroupByHallNumber(line.hallNumber);
        const ops = group.ops.slice(1, group.primitiveOrder);
        const rows = ops.map((op) => index.get(onPrimitiveAxes(op.rotation, axes.basis).join()) ?? -1);
        if (rows.some((r) => r < 0 || !(scores[r]!.score >= minScore))) continue;
        // The same rotations with the same name on other axes say nothing new.
        const key = `${line.number} ${[...rows].sort((p, q) => p - q).join()}`;
        if (!axes.input && seen.has(key)) continue;
        if (axes.input || axes.last) seen.add(key);
        const shifts = ops.map((op) => rotateVector(axes.basis, [op.shift[0] / 24, op.shift[1] / 24, op.shift[2] / 24]));
        out.push(evaluate(set, plan, group, axes, rows, shifts, minScore));
      }
    }
  } finally {
    plan.free();
  }
  const good = (c: GroupCandidate): boolean => c.weakest >= minScore;
  return out.sort(
    (p, q) =>
      Number(good(q)) - Number(good(p)) ||
      (good(p) ? q.group.primitiveOrder - p.group.primitiveOrder : 0) ||
      (Math.abs(q.mean - p.mean) > 0.005 ? q.mean - p.mean : Number(q.inputAxes) - Number(p.inputAxes)) ||
      p.group.hallNumber - q.group.hallNumber,
  );
}

interface Axes {
  readonly basis: Mat3;
  readonly centring: string;
  readonly input: boolean;
  readonly last: boolean;
}
/** The given axes, then the conventional axes of every lattice that the primitive cell fits. */
function axesOptions(set: PhasedSet): Axes[] {
  const { data } = set;
  const list: Axes[] = [{ basis: data.inputBasis, centring: data.centring, input: true, last: false }];
  for (const c of bravaisCandidates(data.cell, { maxAngleDeg: 1.5, maxLength: 0.015 }))
    if (c.basis.join() !== data.inputBasis.join()) list.push({ basis: c.basis, centring: c.centring, input: false, last: false });
  return list;
}

function evaluate(
  set: PhasedSet,
  plan: ReturnType<typeof fftPlan<"c64">>,
  group: SpaceGroup,
  axes: Axes,
  rows: readonly number[],
  shifts: readonly (readonly [number, number, number])[],
  minScore: number,
): GroupCandidate {
  const base = { group, basis: axes.basis, inputAxes: axes.input };
  if (rows.length === 0) return { ...base, origin: [0, 0, 0], weakest: 1, mean: 1 };
  const { data, weight, phase, grid } = set,
    [na, nb, nc] = grid;
  const buffer = plan.data().fill(0);
  rows.forEach((r, o) => {
    const { row, friedel } = set.images[r]!,
      m = set.rotations[r]!,
      t = shifts[o]!;
    for (const i of set.strongest) {
      const j = row[i]!;
      if (j < 0) continue;
      const [h, k, l] = [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!];
      const w = weight[i]! * weight[j]!;
      const d = (friedel[i] ? -phase[j]! : phase[j]!) - phase[i]! - 2 * Math.PI * (h * t[0] + k * t[1] + l * t[2]);
      const p = h - (h * m[0] + k * m[3] + l * m[6]),
        q = k - (h * m[1] + k * m[4] + l * m[7]),
        s = l - (h * m[2] + k * m[5] + l * m[8]);
      add(buffer, grid, p, q, s, w * Math.cos(d), w * Math.sin(d));
    }
  });
  plan.forward();
  let best = 0;
  for (let p = 1; p < na * nb * nc; p++) if (buffer[2 * p]! > buffer[2 * best]! * (1 + 1e-6)) best = p;
  const at = (p: number): Fractional => [Math.floor(p / (nb * nc)) / na, (Math.floor(p / nc) % nb) / nb, (p % nc) / nc];
  const agreements = (x0: Fractional, of: Int32Array): number[] => rows.map((r, o) => agreementAt(set, of, r, shifts[o]!, x0));
  let origin = at(best),
    each = agreements(origin, set.strongest.subarray(0, 800));
  // A step of the grid costs at most some 0.15: what is further off needs no better origin.
  if (Math.min(...each) > minScore - 0.25) {
    origin = refineOrigin(set, rows, shifts, origin);
    each = agreements(origin, set.strongest);
  }
  return { ...base, origin, weakest: Math.min(...each), mean: each.reduce((a, b) => a + b, 0) / each.length };
}

/** ⟨cos Δφ⟩ of one operation with the origin at x₀. */
function agreementAt(set: PhasedSet, reflections: Int32Array, r: number, t: readonly [number, number, number], x0: Fractional): number {
  const { data, weight, phase } = set,
    { row, friedel } = set.images[r]!,
    m = set.rotations[r]!;
  const u = [0, 1, 2].map((i) => t[i as 0] + x0[i as 0] - rotateVector(m, x0)[i as 0]);
  let sum = 0,
    total = 0;
  for (const i of reflections) {
    const j = row[i]!;
    if (j < 0) continue;
    const w = weight[i]! * weight[j]!;
    const d = (friedel[i] ? -phase[j]! : phase[j]!) - phase[i]!;
    sum += w * Math.cos(d - 2 * Math.PI * (data.hkl[3 * i]! * u[0]! + data.hkl[3 * i + 1]! * u[1]! + data.hkl[3 * i + 2]! * u[2]!));
    total += w;
  }
  return total > 0 ? sum / total : 0;
}

/** From the best grid point by halving steps along the axes, on the strongest eight hundred: the maximum is smooth on the scale of the grid. */
function refineOrigin(
  set: PhasedSet,
  rows: readonly number[],
  shifts: readonly (readonly [number, number, number])[],
  start: Fractional,
): Fractional {
  const few = set.strongest.subarray(0, 800);
  const value = (x: Fractional): number => rows.reduce((s, r, o) => s + agreementAt(set, few, r, shifts[o]!, x), 0);
  let x = start,
    v = value(x);
  for (let step = 0.5; step > 0.02; step /= 2)
    for (let axis = 0; axis < 3; axis++)
      for (const sign of [1, -1]) {
        const y = x.map((c, k) => (k === axis ? c + (sign * step) / set.grid[axis as 0] : c)) as unknown as Fractional;
        const w = value(y);
        if (w > v + 1e-9) [x, v] = [y, w];
      }
  return x;
}

/** P 1 in the input axes: what remains when nothing else fits. */
export function trivialGroup(set: PhasedSet): GroupCandidate {
  const q = set.data.centring === "P" ? set.data.inputBasis : identity3;
  return { group: spaceGroupByHallNumber(1), basis: q, inputAxes: set.data.centring === "P", origin: [0, 0, 0], weakest: 1, mean: 1 };
}
export const toGroupAxes = (basis: Mat3, x: Fractional): Fractional => rotateVector(inverse(basis as Map3) as Mat3, x) as Fractional;
