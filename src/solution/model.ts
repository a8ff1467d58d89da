import { inverse, type Map3 } from "../core/frames.js";
import type { Steps } from "../core/job.js";
import { type Fractional, identity3, type Mat3 } from "../geometry/metric.js";
import { siteSymmetry } from "../geometry/site-symmetry.js";
import { atom, type Structure, structure } from "../geometry/structure.js";
import { rotateVector } from "../geometry/symop.js";
import { cholesky, choleskySolve } from "../numerics/cholesky.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { indexKey, inHalf, onPrimitiveAxes, type PhasingData } from "./prepare.js";

/** A model held against the data. */
export interface ModelFit {
  readonly structure: Structure;
  /** Σ||Fo| − k|Fc|| / Σ|Fo| over reflections above 3σ (all positive ones where σ is not known). */
  readonly r1: number;
  readonly observed: number;
  readonly scale: number;
  /** k·F_calc for every row of the data, complex interleaved, shape [size, 2], with the group's origin. */
  readonly calculated: Float64Array;
}

interface Term {
  readonly atom: number;
  /** Rotation on primitive axes and image position. */
  readonly w: Mat3;
  readonly t: readonly [number, number, number];
  readonly weight: number;
}

/**
 * A short isotropic least-squares refinement on |F| with unit weights: positions and U of all atoms, and the scale; Gauss–Newton with Levenberg–Marquardt damping, which also
 * holds polar origins and special positions (all operations act on an atom, so derivatives off a symmetry element vanish). It judges a solution and mends coordinates;
 * a real refinement follows elsewhere.
 * @param basis - (a b c)group = (a b c)primitive · basis
 */
export function* fitModelSteps(
  start: Structure,
  basis: Mat3,
  data: PhasingData,
  factors: FormFactorSource,
  { cycles = 8, uMin = 0.001, uMax = 0.2 } = {},
): Steps<ModelFit> {
  const n = start.atoms.length,
    np = 4 * n;
  const q = inverse(basis as Map3) as Mat3;
  const ops = start.spaceGroup.ops.slice(0, start.spaceGroup.primitiveOrder).map((op) => ({
    w: onPrimitiveAxes(op.rotation, basis),
    t: rotateVector(basis, [op.shift[0] / 24, op.shift[1] / 24, op.shift[2] / 24]),
  }));
  const rows = representatives(
    data,
    ops.map((o) => o.w),
  );
  const fo = Float64Array.from(rows, (i) => Math.sqrt(Math.max(0, data.intensity[i]!)));
  const forms = [...new Set(start.atoms.map((a) => a.element))].map((e) => [e, factors(e)] as const);
  const table = new Map(forms.map(([e, f]) => [e, Float64Array.from(rows, (i) => f.f(data.dStar[i]! / 2))]));
  const sites = start.atoms.map((a) => siteSymmetry(start.spaceGroup, start.cell, a.xyz));
  const stabiliser = sites.map((s) => s.stabiliser.length);
  /** Mean rotation of the stabiliser on primitive axes: takes a shift to its allowed part (damping is not symmetric on oblique axes). */
  const allowed = sites.map((s) => {
    const w = s.stabiliser.map((op) => onPrimitiveAxes(op.rotation, basis));
    return identity3.map((_, e) => w.reduce((t, m) => t + m[e]!, 0) / w.length) as unknown as Mat3;
  });
  const terms: Term[] = start.atoms.flatMap((_, k) => ops.map((o) => ({ atom: k, w: o.w, t: o.t, weight: 1 / stabiliser[k]! })));
  let x = start.atoms.map((a) => [...rotateVector(basis, a.xyz)]);
  let u = start.atoms.map((a) => Math.max(uMin, Math.min(uMax, a.uIso || 0.02)));
  const evaluate = (xs: readonly number[][], us: readonly number[], jacobian?: Float64Array) =>
    calculate(data, rows, terms, xs, us, start, table, jacobian);
  const cost = (f: Float64Array, k: number): number => fo.reduce((s, v, i) => s + (v - k * f[i]!) ** 2, 0);
  const bestScale = (f: Float64Array): number => fo.reduce((s, v, i) => s + v * f[i]!, 0) / f.reduce((s, v) => s + v * v, 1e-30);
  // Beyond a hundred atoms only the parameters of one atom are coupled: a few more cycles, each of them short.
  const coupled = n <= 100;
  let lambda = 1e-3;
  const jac = new Float64Array(rows.length * np);
  let amp = evaluate(x, u, jac),
    k = bestScale(amp),
    now = cost(amp, k);
  for (let cycle = 0; cycle < cycles && n > 0; cycle++) {
    // Normal equations of r = Fo − k|Fc| with the scale projected out of each derivative.
    const a = new Float64Array(np * np),
      b = new Float64Array(np);
    const ff = amp.reduce((s, v) => s + v * v, 0);
    const along = new Float64Array(np);
    for (let i = 0; i < rows.length; i++) for (let p = 0; p < np; p++) along[p]! += jac[i * np + p]! * amp[i]!;
    const row = new Float64Array(np);
    for (let i = 0; i < rows.length; i++) {
      const r = fo[i]! - k * amp[i]!;
      for (let p = 0; p < np; p++) row[p] = k * (jac[i * np + p]! - (along[p]! / ff) * amp[i]!);
      for (let p = 0; p < np; p++) {
        const d = row[p]!;
        b[p]! += d * r;
        for (let s = coupled ? 0 : p - (p % 4); s <= p; s++) a[p * np + s]! += d * row[s]!;
      }
    }
    let done = false;
    for (let attempt = 0; attempt < 6; attempt++) {
      const m = new Float64Array(np * np);
      const floor = Math.max(...Array.from({ length: np }, (_, p) => a[p * np + p]!)) * 1e-9;
      for (let p = 0; p < np; p++)
        for (let s = 0; s <= p; s++) m[p * np + s] = m[s * np + p] = a[p * np + s]! + (p === s ? lambda * a[p * np + p]! + floor : 0);
      const step = solveNormal(m, b, np);
      if (!step) {
        lambda *= 10;
        continue;
      }
      const xs = x.map((v, i) => {
        const d = rotateVector(allowed[i]!, [0, 1, 2].map((p) => limit(step[4 * i + p]!, 0.02)) as unknown as Fractional);
        return v.map((c, p) => c + d[p as 0]);
      });
      const us = u.map((v, i) => Math.max(uMin, Math.min(uMax, v + limit(step[4 * i + 3]!, 0.02))));
      const f = evaluate(xs, us),
        kk = bestScale(f),
        c = cost(f, kk);
      if (c < now) {
        done = now - c < 1e-4 * now;
        [x, u, k, now] = [xs, us, kk, c];
        lambda = Math.max(1e-6, lambda / 5);
        break;
      }
      lambda *= 8;
      if (attempt === 5) done = true;
    }
    yield { done: cycle + 1, total: cycles, note: `model, Σ(Fo − Fc)² ${now.toExponential(3)}` };
    if (done) break;
    amp = evaluate(x, u, jac);
  }
  amp = evaluate(x, u);
  k = bestScale(amp);
  const known = rows.some((i) => data.sigma[i]! > 0);
  let num = 0,
    den = 0,
    observed = 0;
  rows.forEach((i, r) => {
    if (!(data.intensity[i]! > (known ? 3 * data.sigma[i]! : 0))) return;
    num += Math.abs(fo[r]! - k * amp[r]!);
    den += fo[r]!;
    observed++;
  });
  const refined = structure(
    start.cell,
    start.spaceGroup,
    start.atoms.map((a, i) => {
      const xyz = rotateVector(q, x[i] as unknown as Fractional) as Fractional;
      return atom({ ...a, xyz: stabiliser[i]! > 1 ? siteSymmetry(start.spaceGroup, start.cell, xyz, 0.2).xyz : xyz, uIso: u[i]! });
    }),
  );
  return {
    structure: refined,
    r1: den > 0 ? num / den : 1,
    observed,
    scale: k,
    calculated: allFactors(data, terms, x, u, start, factors, k),
  };
}
const limit = (v: number, most: number): number => Math.max(-most, Math.min(most, v));

function solveNormal(m: Float64Array, b: Float64Array, n: number): Float64Array | undefined {
  try {
    return choleskySolve(cholesky({ rows: n, cols: n, data: m }), { rows: n, cols: 1, data: b }).data;
  } catch {
    return undefined;
  }
}

/** One row of every set of reflections that the group's operations (and Friedel's law) relate: a low group must explain equivalents one by one. */
function representatives(data: PhasingData, rotations: readonly Mat3[]): Int32Array {
  const seen = new Set<number>();
  const rows: number[] = [];
  for (let i = 0; i < data.size; i++) {
    const [h, k, l] = [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!];
    let key = 0;
    for (const w of rotations) {
      const p = h * w[0] + k * w[3] + l * w[6],
        q = h * w[1] + k * w[4] + l * w[7],
        r = h * w[2] + k * w[5] + l * w[8];
      key = Math.max(key, inHalf(p, q, r) ? indexKey(p, q, r) : indexKey(-p, -q, -r));
    }
    if (seen.has(key)) continue;
    seen.add(key);
    rows.push(i);
  }
  return Int32Array.from(rows);
}

/** |Fc| per representative row, and d|Fc|/d(x y z U) of every atom, row-major [rows, 4·atoms]. */
function calculate(
  data: PhasingData,
  rows: Int32Array,
  terms: readonly Term[],
  x: readonly (readonly number[])[],
  u: readonly number[],
  s: Structure,
  table: ReadonlyMap<string, Float64Array>,
  jacobian?: Float64Array,
): Float64Array {
  const n = s.atoms.length,
    out = new Float64Array(rows.length);
  const forms = s.atoms.map((a) => table.get(a.element)!);
  // Per atom: F, and the three position derivatives, real and imaginary.
  const part = new Float64Array(8 * n);
  const images = terms.map((o) => {
    const v = x[o.atom]!;
    return [
      o.w[0] * v[0]! + o.w[1] * v[1]! + o.w[2] * v[2]! + o.t[0],
      o.w[3] * v[0]! + o.w[4] * v[1]! + o.w[5] * v[2]! + o.t[1],
      o.w[6] * v[0]! + o.w[7] * v[1]! + o.w[8] * v[2]! + o.t[2],
    ] as const;
  });
  for (let i = 0; i < rows.length; i++) {
    const r = rows[i]!,
      h = data.hkl[3 * r]!,
      kk = data.hkl[3 * r + 1]!,
      l = data.hkl[3 * r + 2]!;
    const s2 = data.dStar[r]! ** 2 / 4;
    part.fill(0);
    for (let j = 0; j < terms.length; j++) {
      const o = terms[j]!,
        y = images[j]!;
      const phi = -2 * Math.PI * (h * y[0] + kk * y[1] + l * y[2]);
      const c = o.weight * Math.cos(phi),
        d = o.weight * Math.sin(phi),
        at = 8 * o.atom;
      part[at]! += c;
      part[at + 1]! += d;
      if (!jacobian) continue;
      // d/dx of exp(−2πi h·(Wx + t)) = −2πi (hW) exp(…).
      for (let a = 0; a < 3; a++) {
        const g = -2 * Math.PI * (h * o.w[a as 0]! + kk * o.w[(3 + a) as 0]! + l * o.w[(6 + a) as 0]!);
        part[at + 2 + 2 * a]! -= g * d;
        part[at + 3 + 2 * a]! += g * c;
      }
    }
    let re = 0,
      im = 0;
    for (let a = 0; a < n; a++) {
      const f = s.atoms[a]!.occupancy * forms[a]![i]! * Math.exp(-8 * Math.PI * Math.PI * u[a]! * s2);
      for (let p = 0; p < 8; p++) part[8 * a + p]! *= f;
      re += part[8 * a]!;
      im += part[8 * a + 1]!;
    }
    const modulus = Math.hypot(re, im);
    out[i] = modulus;
    if (!jacobian) continue;
    const [cr, ci] = modulus > 1e-12 ? [re / modulus, im / modulus] : [0, 0];
    for (let a = 0; a < n; a++) {
      const base = i * 4 * n + 4 * a;
      for (let p = 0; p < 3; p++) jacobian[base + p] = cr * part[8 * a + 2 + 2 * p]! + ci * part[8 * a + 3 + 2 * p]!;
      jacobian[base + 3] = -8 * Math.PI * Math.PI * s2 * (cr * part[8 * a]! + ci * part[8 * a + 1]!);
    }
  }
  return out;
}

/** Complex k·Fc of every row. */
function allFactors(
  data: PhasingData,
  terms: readonly Term[],
  x: readonly (readonly number[])[],
  u: readonly number[],
  s: Structure,
  factors: FormFactorSource,
  k: number,
): Float64Array {
  const out = new Float64Array(2 * data.size);
  const forms = s.atoms.map((a) => factors(a.element));
  const images = terms.map((o) => rotateVector(o.w, x[o.atom] as unknown as Fractional).map((v, i) => v + o.t[i as 0]));
  for (let r = 0; r < data.size; r++) {
    const g = data.dStar[r]!,
      s2 = (g * g) / 4;
    const f = forms.map((form, a) => k * s.atoms[a]!.occupancy * form.f(g / 2) * Math.exp(-8 * Math.PI * Math.PI * u[a]! * s2));
    for (let j = 0; j < terms.length; j++) {
      const y = images[j]!,
        o = terms[j]!;
      const phi = -2 * Math.PI * (data.hkl[3 * r]! * y[0]! + data.hkl[3 * r + 1]! * y[1]! + data.hkl[3 * r + 2]! * y[2]!);
      out[2 * r]! += o.weight * f[o.atom]! * Math.cos(phi);
      out[2 * r + 1]! += o.weight * f[o.atom]! * Math.sin(phi);
    }
  }
  return out;
}
