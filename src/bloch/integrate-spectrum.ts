import type { CrystalPotential } from "./potential.js";
import { potentialLayout } from "./potential.js";
import { spectralMargins } from "./spectrum.js";

/** J_0(x) … J_{count−1}(x) for x >= 0 by Miller's downward recurrence, normalised with J_0 + 2ΣJ_{2k} = 1. */
export function besselOrders(x: number, count: number): Float64Array {
  const out = new Float64Array(count);
  if (x === 0) {
    if (count > 0) out[0] = 1;
    return out;
  }
  const start = 2 * Math.ceil((Math.max(count, x) + 14 * Math.cbrt(x + 4) + 12) / 2);
  let above = 0,
    here = 1e-280,
    sum = 0;
  for (let k = start; k >= 0; k--) {
    // here is J_k up to the common factor
    if (k < count) out[k] = here;
    if (k % 2 === 0) sum += (k === 0 ? 1 : 2) * here;
    const below = k > 0 ? ((2 * k) / x) * here - above : 0;
    above = here;
    here = below;
    if (Math.abs(here) > 1e200) {
      here *= 1e-200;
      above *= 1e-200;
      sum *= 1e-200;
      for (let j = k; j < count; j++) out[j]! *= 1e-200;
    }
  }
  return out.map((v) => v / sum);
}

/** Terms of the Chebyshev series of exp(ixÂ), |Â| <= 1, for an error below `tolerance`: the order from which J_k(x) stays below it. */
export function chebyshevTerms(x: number, tolerance = 1e-10): number {
  const most = Math.ceil(x + 14 * Math.cbrt(x + 4) + 14);
  const j = besselOrders(x, most);
  let k = most;
  while (k > 1 && Math.abs(j[k - 1]!) < tolerance) k--;
  return k + 1;
}

/** Ends of the spectrum by a few Lanczos steps (they lie within it), and the size of the last residual, which bounds how far it reaches beyond. Å⁻². */
export interface LanczosEnds {
  readonly low: number;
  readonly high: number;
  readonly spare: number;
}

/**
 * Ends of the spectrum of W_{g−h} of the given beams, with 2Ks on the diagonal when it is given. Not a proof: what uses it watches the norm of its vectors.
 * @param hkl - shape [n, 3]
 * @param diagonal - Å⁻², shape [n]
 */
export function lanczosEnds(p: CrystalPotential, hkl: Int32Array, diagonal?: Float64Array, steps = 14): LanczosEnds {
  const n = hkl.length / 3;
  if (n < 2) return { low: diagonal?.[0] ?? 0, high: diagonal?.[0] ?? 0, spare: 0 };
  const { sh, sk, centre } = potentialLayout(p.span);
  const key = Int32Array.from({ length: n }, (_, i) => hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!);
  let v = new Float64Array(2 * n),
    before = new Float64Array(2 * n);
  // e₀ and an even part: every eigenvector has some of one of them
  for (let i = 0; i < n; i++) v[2 * i] = 1 / Math.sqrt(n);
  const alpha: number[] = [],
    beta: number[] = [];
  for (let step = 0; step < Math.min(steps, n); step++) {
    const w = new Float64Array(2 * n);
    for (let i = 0; i < n; i++) {
      const d = diagonal?.[i] ?? 0;
      let re = d * v[2 * i]!,
        im = d * v[2 * i + 1]!;
      const from = centre + key[i]!;
      for (let j = 0; j < n; j++) {
        const at = from - key[j]!,
          x = v[2 * j]!,
          y = v[2 * j + 1]!;
        if (p.real) {
          re += p.table[at]! * x;
          im += p.table[at]! * y;
        } else {
          const a = p.table[2 * at]!,
            b = p.table[2 * at + 1]!;
          re += a * x - b * y;
          im += a * y + b * x;
        }
      }
      w[2 * i] = re;
      w[2 * i + 1] = im;
    }
    const b = beta.at(-1) ?? 0;
    let a = 0;
    for (let i = 0; i < 2 * n; i++) {
      w[i]! -= b * before[i]!;
      a += w[i]! * v[i]!;
    }
    let norm = 0;
    for (let i = 0; i < 2 * n; i++) {
      w[i]! -= a * v[i]!;
      norm += w[i]! * w[i]!;
    }
    norm = Math.sqrt(norm);
    alpha.push(a);
    beta.push(norm);
    if (norm < 1e-14) break;
    before = v;
    v = w.map((x) => x / norm);
  }
  const rest = beta.at(-1)!;
  // Gershgorin would be loose; the ends of a small tridiagonal matrix by bisection on Sturm counts
  const m = alpha.length;
  const below = (x: number): number => {
    let count = 0,
      d = 1;
    for (let i = 0; i < m; i++) {
      d = alpha[i]! - x - (i > 0 ? beta[i - 1]! ** 2 / d : 0);
      if (Math.abs(d) < 1e-300) d = -1e-300;
      if (d < 0) count++;
    }
    return count;
  };
  const bound = Math.max(...alpha.map((a, i) => Math.abs(a) + beta[i]! + (i > 0 ? beta[i - 1]! : 0)));
  const end = (wanted: number): number => {
    let low = -bound,
      high = bound;
    for (let i = 0; i < 60; i++) {
      const middle = (low + high) / 2;
      if (below(middle) >= wanted) high = middle;
      else low = middle;
    }
    return (low + high) / 2;
  };
  return { low: end(1), high: end(m), spare: Math.min(rest, 0.1 * bound) };
}

/**
 * How far the levels of one direction reach beyond the window of excitation errors. Levels near its ends by perturbation; with `thorough` also those that
 * stand apart from it, by Lanczos. An estimate, a few per cent of the window: the norm of the waves is checked. With absorption, where it cannot be, the
 * whole coupling.
 * @param sg - excitation errors of the beams, Å⁻¹, shape [n]
 * @returns Å⁻¹
 */
export function windowMargins(
  p: CrystalPotential,
  hkl: Int32Array,
  sg: Float64Array,
  thorough: boolean,
): readonly [below: number, above: number] {
  const k2 = 2 * p.beam.k;
  if (p.absorbing) {
    const { low, high, spare } = lanczosEnds(p, hkl);
    return [Math.max(0, spare - low) / k2, Math.max(0, high + spare) / k2];
  }
  const twoKs = sg.map((s) => k2 * s);
  const { below, above } = spectralMargins({ size: sg.length, hkl, twoKs, surface: new Float64Array(sg.length).fill(1), potential: p });
  if (!thorough) return [below / k2, above / k2];
  const { low, high } = lanczosEnds(p, hkl, twoKs);
  const bottom = twoKs.reduce((m, x) => Math.min(m, x), 0),
    top = twoKs.reduce((m, x) => Math.max(m, x), 0);
  return [Math.max(below, 1.1 * (bottom - low)) / k2, Math.max(above, 1.1 * (high - top)) / k2];
}
