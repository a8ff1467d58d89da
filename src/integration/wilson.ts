import { fail } from "../core/errors.js";
import { epsilonFactor, isAbsent, isCentric } from "../geometry/extinctions.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { type LineFit, robustLine } from "../numerics/robust-line.js";
import type { FormFactorSource } from "../scattering/form-factor.js";

/** ln(⟨I/ε⟩/Σf²) = ln k − 2B s², s = 1/(2d). */
export interface WilsonPlot {
  /** Mean displacement parameter B, Å², and its s.u. */
  readonly b: number;
  readonly bSu: number;
  /** Scale: I = k |F|² with F in Å. */
  readonly scale: number;
  /** Points of the plot: s², Å⁻²; the logarithm; reflections of the shell. Shells with a mean that is not positive are left out. */
  readonly s2: Float64Array;
  readonly logRatio: Float64Array;
  readonly count: Int32Array;
  readonly line: LineFit;
}

/**
 * Wilson plot of merged intensities; means of shells of equal counts (negative intensities kept), fitted robustly.
 * @param composition - atoms of each element in the unit cell
 * @throws bad-value when fewer than three shells have a positive mean
 * @see Wilson, Nature 150 (1942) 152
 */
export function wilsonPlot(
  group: SpaceGroup,
  list: ReflectionList,
  composition: ReadonlyMap<string, number>,
  factors: FormFactorSource,
  shells = 20,
): WilsonPlot {
  const { rows, g2 } = ordered(group, list);
  const each = [...composition].map(([e, n]) => ({ f: factors(e, 0), n }));
  const per = Math.max(10, Math.ceil(rows.length / shells));
  const s2: number[] = [],
    log: number[] = [],
    count: number[] = [];
  for (let i = 0; i < rows.length; i += per) {
    const part = rows.slice(i, i + per);
    if (part.length < per / 2) break;
    let mean = 0,
      x = 0;
    for (const r of part) {
      const g = Math.sqrt(g2[r]!);
      mean += list.intensity[r]! / epsilonOf(group, list, r) / each.reduce((s, { f, n }) => s + n * f.f(g / 2) ** 2, 0);
      x += g2[r]! / 4;
    }
    if (!(mean > 0)) continue;
    s2.push(x / part.length);
    log.push(Math.log(mean / part.length));
    count.push(part.length);
  }
  if (s2.length < 3)
    fail("bad-value", { shells: s2.length, reflections: rows.length }, "a Wilson plot needs three shells with positive mean intensity");
  const line = robustLine(s2, log);
  return {
    b: -line.slope / 2,
    bSu: line.sigmaSlope / 2,
    scale: Math.exp(line.intercept),
    s2: Float64Array.from(s2),
    logRatio: Float64Array.from(log),
    count: Int32Array.from(count),
    line,
  };
}

/** Statistics of normalised amplitudes. */
export interface NormalisedStatistics {
  /** E² = I/(ε⟨I/ε⟩) of every row of the list; NaN for absences and what was not measured. */
  readonly e2: Float64Array;
  /** ⟨|E² − 1|⟩: 0.968 for centric, 0.736 for acentric distributions; all, and the two classes of reflections apart (NaN if empty). */
  readonly meanE2Minus1: number;
  readonly acentric: number;
  readonly centric: number;
  /** ⟨E⁴⟩: 3 centric, 2 acentric, 1.5 for a perfect merohedral twin. */
  readonly meanE4: number;
  /** What the values suggest. */
  readonly suggests: "centric" | "acentric" | "between";
}

/** E² by the mean of the shell, linearly interpolated between shells in s²; systematic absences left out. */
export function normalisedStatistics(group: SpaceGroup, list: ReflectionList, perShell = 60): NormalisedStatistics {
  const { rows, g2 } = ordered(group, list);
  if (rows.length < 20) fail("bad-value", { reflections: rows.length }, "statistics of E need at least 20 reflections");
  const shells = Math.max(1, Math.floor(rows.length / perShell));
  const x: number[] = [],
    y: number[] = [];
  for (let k = 0; k < shells; k++) {
    const part = rows.slice(Math.floor((k * rows.length) / shells), Math.floor(((k + 1) * rows.length) / shells));
    const mean = part.reduce((s, r) => s + list.intensity[r]! / epsilonOf(group, list, r), 0) / part.length;
    x.push(part.reduce((s, r) => s + g2[r]!, 0) / part.length);
    y.push(mean);
  }
  const level = (v: number): number => {
    if (v <= x[0]! || x.length === 1) return y[0]!;
    let k = 1;
    while (k < x.length - 1 && x[k]! < v) k++;
    const t = Math.min(1, (v - x[k - 1]!) / (x[k]! - x[k - 1]!));
    return y[k - 1]! + t * (y[k]! - y[k - 1]!);
  };
  const e2 = new Float64Array(list.size).fill(Number.NaN);
  const sums = { all: [0, 0], acentric: [0, 0], centric: [0, 0] };
  let e4 = 0;
  for (const r of rows) {
    const mean = level(g2[r]!);
    if (!(mean > 0)) continue;
    const v = list.intensity[r]! / epsilonOf(group, list, r) / mean;
    e2[r] = v;
    e4 += v * v;
    for (const s of [sums.all, isCentric(group, indices(list, r)) ? sums.centric : sums.acentric]) {
      s[0]! += Math.abs(v - 1);
      s[1]!++;
    }
  }
  const of = (s: number[]): number => (s[1]! > 0 ? s[0]! / s[1]! : Number.NaN);
  const all = of(sums.all);
  return {
    e2,
    meanE2Minus1: all,
    acentric: of(sums.acentric),
    centric: of(sums.centric),
    meanE4: e4 / sums.all[1]!,
    suggests: all > 0.9 ? "centric" : all < 0.8 ? "acentric" : "between",
  };
}

/** Local intensity differences. */
export interface LTest {
  /** ⟨|L|⟩: 1/2 for an untwinned acentric crystal, 3/8 for a perfect merohedral twin, 2/π centric. */
  readonly meanAbsL: number;
  /** ⟨L²⟩: 1/3 untwinned, 1/5 twinned, 1/2 centric. */
  readonly meanL2: number;
  readonly pairs: number;
}

/**
 * L = (I₁ − I₂)/(I₁ + I₂) of pairs of acentric reflections whose indices differ by even numbers, |Δh| + |Δk| + |Δl| ≤ 4: neighbours that no
 * (pseudo-)centring sets apart. Insensitive to anisotropy and scaling; the sum of a pair must be positive.
 * @see Padilla & Yeates, Acta Cryst. D59 (2003) 1124
 */
export function lTest(group: SpaceGroup, list: ReflectionList): LTest {
  const { rows } = ordered(group, list);
  const at = new Map<string, number>();
  for (const r of rows) if (!isCentric(group, indices(list, r))) at.set(indices(list, r).join(), r);
  let sum = 0,
    square = 0,
    pairs = 0;
  for (const r of at.values()) {
    const [h, k, l] = indices(list, r);
    for (let i = -4; i <= 4; i += 2)
      for (let j = -4; j <= 4; j += 2)
        for (let m = -4; m <= 4; m += 2) {
          if (Math.abs(i) + Math.abs(j) + Math.abs(m) > 4) continue;
          // Each pair once.
          if (i < 0 || (i === 0 && (j < 0 || (j === 0 && m <= 0)))) continue;
          const s = at.get(`${h + i},${k + j},${l + m}`);
          if (s === undefined) continue;
          const a = list.intensity[r]!,
            b = list.intensity[s]!;
          if (!(a + b > 0)) continue;
          // Noise may take a weak pair beyond ±1.
          const v = Math.max(-1, Math.min(1, (a - b) / (a + b)));
          sum += Math.abs(v);
          square += v * v;
          pairs++;
        }
  }
  return { meanAbsL: sum / pairs, meanL2: square / pairs, pairs };
}

const indices = (list: ReflectionList, r: number): readonly [number, number, number] => [
  list.hkl[3 * r]!,
  list.hkl[3 * r + 1]!,
  list.hkl[3 * r + 2]!,
];
/** Centring copies scatter in phase everywhere: their number multiplies every intensity alike, and ε counts the rest. */
const epsilonOf = (group: SpaceGroup, list: ReflectionList, r: number): number => epsilonFactor(group, indices(list, r));
/** Measured rows that are no absences, from low to high resolution. */
function ordered(group: SpaceGroup, list: ReflectionList): { readonly rows: number[]; readonly g2: Float64Array } {
  const g2 = list.dStar.map((g) => g * g);
  const rows: number[] = [];
  for (let i = 0; i < list.size; i++) {
    if (!Number.isFinite(list.intensity[i]!) || !(list.dStar[i]! > 0) || isAbsent(group, indices(list, i))) continue;
    rows.push(i);
  }
  rows.sort((p, q) => g2[p]! - g2[q]! || p - q);
  return { rows, g2 };
}
