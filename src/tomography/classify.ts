import { fail } from "../core/errors.js";

/** Classes of atoms, 0 the weakest. */
export interface AtomClasses {
  readonly species: Uint8Array;
  /** Probability of every class for every atom, [n, k], rows add up to 1. */
  readonly probability: Float64Array;
  readonly means: Float64Array;
  readonly sigmas: Float64Array;
}

/**
 * Classes by one number per atom (integrated intensity): the best split into k groups, found exactly by dynamic programming (so there
 * is no start to depend on), then normal populations by expectation–maximisation for the probabilities.
 * @throws bad-value when there are fewer different values than classes
 * @see Wang & Song (2011) The R Journal 3, 29 (optimal k-means in one dimension)
 */
export function classifyIntensities(values: ArrayLike<number>, k: number): AtomClasses {
  const n = values.length;
  if (!(Number.isInteger(k) && k >= 1 && k <= 8)) fail("bad-value", { classes: k }, "the number of species is a whole number from 1 to 8");
  if (n < k) fail("bad-value", { atoms: n, classes: k }, "fewer atoms than species");
  const order = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a]! - values[b]! || a - b),
    x = Float64Array.from(order, (i) => values[i]!);
  const ends = optimalSplit(x, k);
  let weights = new Float64Array(k),
    means = new Float64Array(k),
    sigmas = new Float64Array(k);
  for (let c = 0, from = 0; c < k; c++) {
    const part = x.subarray(from, ends[c]!);
    weights[c] = part.length / n;
    means[c] = part.reduce((s, v) => s + v, 0) / part.length;
    sigmas[c] = Math.sqrt(part.reduce((s, v) => s + (v - means[c]!) ** 2, 0) / part.length);
    from = ends[c]!;
  }
  const least = 1e-6 * Math.max(Math.abs(x[0]!), Math.abs(x[n - 1]!), 1e-300);
  sigmas = sigmas.map((s) => Math.max(s, least));
  const probability = new Float64Array(n * k);
  for (let round = 0; round < 100; round++) {
    let change = 0;
    const [w, m, v] = [new Float64Array(k), new Float64Array(k), new Float64Array(k)];
    for (let i = 0; i < n; i++) posterior(values[i]!, weights, means, sigmas, probability.subarray(i * k, (i + 1) * k));
    for (let i = 0; i < n; i++)
      for (let c = 0; c < k; c++) {
        w[c]! += probability[i * k + c]!;
        m[c]! += probability[i * k + c]! * values[i]!;
      }
    for (let c = 0; c < k; c++) m[c]! /= Math.max(w[c]!, 1e-300);
    for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) v[c]! += probability[i * k + c]! * (values[i]! - m[c]!) ** 2;
    for (let c = 0; c < k; c++) {
      change = Math.max(change, Math.abs(m[c]! - means[c]!) / sigmas[c]!);
      v[c] = Math.max(least, Math.sqrt(v[c]! / Math.max(w[c]!, 1e-300)));
      w[c]! /= n;
    }
    // A population that shrinks to a few atoms, or crosses another, is no species: keep the exact split.
    if (w.some((s) => s * n < 2) || m.some((s, c) => c > 0 && s <= m[c - 1]!)) break;
    [weights, means, sigmas] = [w, m, v];
    if (change < 1e-6) break;
  }
  const species = new Uint8Array(n);
  for (let i = 0; i < n; i++) {
    const p = probability.subarray(i * k, (i + 1) * k);
    posterior(values[i]!, weights, means, sigmas, p);
    for (let c = 1; c < k; c++) if (p[c]! > p[species[i]!]!) species[i] = c;
  }
  return { species, probability, means, sigmas };
}

function posterior(v: number, weights: Float64Array, means: Float64Array, sigmas: Float64Array, out: Float64Array): void {
  const k = out.length;
  let top = Number.NEGATIVE_INFINITY;
  for (let c = 0; c < k; c++) {
    // Outside all populations the nearest mean decides: a broad neighbour would claim the far side of a narrow one.
    const d = (v - means[c]!) / sigmas[c]!,
      outside = (c === 0 && d < 0) || (c === k - 1 && d > 0);
    out[c] = Math.log(weights[c]! / sigmas[c]!) - 0.5 * (outside ? Math.min(d * d, 4) : d * d);
    top = Math.max(top, out[c]!);
  }
  let sum = 0;
  for (let c = 0; c < k; c++) sum += out[c] = Math.exp(out[c]! - top);
  for (let c = 0; c < k; c++) out[c]! /= sum;
}

/** Ends of k groups of sorted numbers with the least sum of squares. O(k n²) in blocks that divide and conquer to O(k n log n). */
function optimalSplit(x: Float64Array, k: number): Int32Array {
  const n = x.length,
    s1 = new Float64Array(n + 1),
    s2 = new Float64Array(n + 1),
    origin = x[n >> 1]!;
  for (let i = 0; i < n; i++) {
    const v = x[i]! - origin;
    s1[i + 1] = s1[i]! + v;
    s2[i + 1] = s2[i]! + v * v;
  }
  const cost = (i: number, j: number): number => s2[j]! - s2[i]! - (s1[j]! - s1[i]!) ** 2 / (j - i);
  let last = Float64Array.from({ length: n + 1 }, (_, j) => (j ? cost(0, j) : 0));
  const cuts: Int32Array[] = [];
  for (let c = 1; c < k; c++) {
    const now = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY),
      cut = new Int32Array(n + 1),
      before = last;
    const solve = (lo: number, hi: number, from: number, to: number): void => {
      if (lo > hi) return;
      const j = (lo + hi) >> 1;
      for (let i = Math.max(c, from); i <= Math.min(j - 1, to); i++) {
        const v = before[i]! + cost(i, j);
        if (v < now[j]!) {
          now[j] = v;
          cut[j] = i;
        }
      }
      solve(lo, j - 1, from, cut[j]!);
      solve(j + 1, hi, cut[j]!, to);
    };
    solve(c + 1, n, c, n - 1);
    last = now;
    cuts.push(cut);
  }
  const ends = new Int32Array(k);
  ends[k - 1] = n;
  for (let c = k - 1; c > 0; c--) ends[c - 1] = cuts[c - 1]![ends[c]!]!;
  return ends;
}

/** Number of classes of one number per atom with the best Bayesian information criterion, 1 to `most`; a class holds at least 3 % of the atoms. */
export function countClasses(values: ArrayLike<number>, most = 3): number {
  let best = 1,
    least = Number.POSITIVE_INFINITY;
  for (let k = 1; k <= most && values.length >= 10 * k; k++) {
    const { means, sigmas, species } = classifyIntensities(values, k),
      count = new Float64Array(k);
    for (const s of species) count[s]!++;
    if (count.some((c) => c < 0.03 * values.length)) continue;
    let log = 0;
    for (let i = 0; i < values.length; i++) {
      let p = 0;
      for (let c = 0; c < k; c++)
        p += (count[c]! / values.length / sigmas[c]!) * Math.exp(-0.5 * ((values[i]! - means[c]!) / sigmas[c]!) ** 2);
      log += Math.log(Math.max(p, 1e-300));
    }
    // Two shoulders of one population are not two species: neighbours must lie two widths apart.
    if (means.some((m, c) => c > 0 && m - means[c - 1]! < 2 * (sigmas[c]! + sigmas[c - 1]!) * 0.75)) continue;
    const bic = -2 * log + (3 * k - 1) * Math.log(values.length);
    if (bic < least) [best, least] = [k, bic];
  }
  return best;
}
