import { type Mat3, quadratic } from "../geometry/metric.js";

/** Flat form of the atoms that a sum runs over. */
export interface Scatterers {
  readonly size: number;
  /** How many come first and are isotropic. */
  readonly isotropic: number;
  /** Pairs ±x were joined: only the cosine is needed. */
  readonly real: boolean;
  /** Fractional positions, shape [size, 3]. */
  readonly xyz: Float64Array;
  /** Occupancy times what was joined, shape [size]. */
  readonly weight: Float64Array;
  /** Which amplitude, shape [size]. */
  readonly type: Int32Array;
  /** Which independent atom, shape [size]; those of one atom are neighbours. */
  readonly atom: Int32Array;
  readonly atoms: number;
  /** B of each independent atom, Å². */
  readonly bIso: Float64Array;
  /** β11 β22 β33 2β12 2β13 2β23 of the anisotropic ones, shape [size − isotropic, 6]. */
  readonly beta: Float64Array;
}

/**
 * Σ weight · amplitude · T · exp(−2πi h·x) for each reflection, shape [n, 2].
 * Phases are products of tabulated exp(−2πi h x), exp(−2πi k y), exp(−2πi l z); the product of the first two is kept while h and k stay, so
 * reflections are visited in order of h, k, l. Two complex products and, for anisotropic atoms, one exponential per atom and reflection.
 */
export function directSum(
  a: Scatterers,
  hkl: Int32Array,
  star: Mat3,
  types: number,
  amplitude: (type: number, g: number) => number,
): Float64Array {
  const n = hkl.length / 3,
    m = a.size;
  const out = new Float64Array(2 * n);
  if (n === 0 || m === 0) return out;
  const order = visitingOrder(hkl);
  const tables = [0, 1, 2].map((axis) => phaseTable(a.xyz, hkl, axis));
  const [X, Y, Z] = tables as [PhaseTable, PhaseTable, PhaseTable];
  const pr = new Float64Array(m),
    pi = new Float64Array(m);
  const amp = new Float64Array(types),
    isoAmp = new Float64Array(a.atoms);
  const { weight, type, atom, beta, isotropic, real } = a;
  let lastH = Number.NaN,
    lastK = Number.NaN;
  for (let v = 0; v < n; v++) {
    const i = order[v]!;
    const h = hkl[3 * i]!,
      k = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    if (h !== lastH || k !== lastK) {
      const ox = (h - X.min) * m,
        oy = (k - Y.min) * m;
      for (let j = 0; j < m; j++) {
        const c = X.cos[ox + j]!,
          s = X.sin[ox + j]!,
          d = Y.cos[oy + j]!,
          t = Y.sin[oy + j]!;
        pr[j] = c * d - s * t;
        pi[j] = c * t + s * d;
      }
      lastH = h;
      lastK = k;
    }
    const g2 = quadratic(star, [h, k, l]),
      g = Math.sqrt(Math.max(0, g2));
    for (let t = 0; t < types; t++) amp[t] = amplitude(t, g);
    const oz = (l - Z.min) * m;
    let re = 0,
      im = 0;
    if (isotropic > 0) {
      for (let t = 0; t < isoAmp.length; t++) isoAmp[t] = Math.exp((-a.bIso[t]! * g2) / 4);
      for (let j = 0; j < isotropic; j++) {
        const w = weight[j]! * amp[type[j]!]! * isoAmp[atom[j]!]!;
        const c = Z.cos[oz + j]!,
          s = Z.sin[oz + j]!;
        re += w * (pr[j]! * c - pi[j]! * s);
        im += w * (pr[j]! * s + pi[j]! * c);
      }
    }
    const hh = h * h,
      kk = k * k,
      ll = l * l,
      hk = h * k,
      hl = h * l,
      kl = k * l;
    for (let j = isotropic, q = 0; j < m; j++, q += 6) {
      const e = beta[q]! * hh + beta[q + 1]! * kk + beta[q + 2]! * ll + beta[q + 3]! * hk + beta[q + 4]! * hl + beta[q + 5]! * kl;
      const w = weight[j]! * amp[type[j]!]! * Math.exp(-e);
      const c = Z.cos[oz + j]!,
        s = Z.sin[oz + j]!;
      re += w * (pr[j]! * c - pi[j]! * s);
      im += w * (pr[j]! * s + pi[j]! * c);
    }
    out[2 * i] = re;
    out[2 * i + 1] = real ? 0 : im;
  }
  return out;
}

interface PhaseTable {
  readonly min: number;
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}
/** exp(−2πi h x) for every index in the range of the list and every atom, [index, atom]. */
function phaseTable(xyz: Float64Array, hkl: Int32Array, axis: number): PhaseTable {
  let min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY;
  const used = new Set<number>();
  for (let i = axis; i < hkl.length; i += 3) {
    min = Math.min(min, hkl[i]!);
    max = Math.max(max, hkl[i]!);
    used.add(hkl[i]!);
  }
  const m = xyz.length / 3;
  const cos = new Float64Array((max - min + 1) * m),
    sin = new Float64Array((max - min + 1) * m);
  for (const h of used)
    for (let j = 0; j < m; j++) {
      // Reduce the product modulo 1 first: exact quarter turns stay exact, large indices lose no digits.
      const x = h * xyz[3 * j + axis]!;
      const p = 2 * Math.PI * (x - Math.round(x));
      cos[(h - min) * m + j] = Math.cos(p);
      sin[(h - min) * m + j] = -Math.sin(p);
    }
  return { min, cos, sin };
}

/** Indices of the reflections sorted by h, then k, then l. */
function visitingOrder(hkl: Int32Array): Float64Array | Int32Array {
  const n = hkl.length / 3;
  const small = hkl.every((x) => x >= -512 && x < 512);
  if (!small || n > 2 ** 22) return Int32Array.from({ length: n }, (_, i) => i);
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = (((hkl[3 * i]! + 512) * 1024 + hkl[3 * i + 1]! + 512) * 1024 + hkl[3 * i + 2]! + 512) * 4194304 + i;
  keys.sort();
  for (let i = 0; i < n; i++) keys[i] = keys[i]! % 4194304;
  return keys;
}
