import type { JacobianKernels } from "../jacobian.js";
import type { Arena } from "../memory.js";
import type { PullKernels } from "../pull.js";
import { type SweepKernels, sweepPlan } from "../sweep.js";

/** A plan as arrays: see src/kernels/sweep.ts. Words that only some kernels have stand in `words`. */
function readPlan(arena: Arena, plan: number) {
  const words = arena.i32(plan, sweepPlan.words),
    numbers = arena.f64(plan + 4 * sweepPlan.words, sweepPlan.numbers);
  const w = (i: number): number => words[i]!;
  const [pool, directions, tangents, terms, nodes] = [w(0), w(1), w(2), w(3), w(4)];
  const f64 = (i: number, length: number): Float64Array => arena.f64(w(i), length);
  return {
    words,
    numbers,
    tangents,
    terms,
    nodes,
    pool,
    linear: arena.i32(w(12), pool),
    g: f64(13, 3 * pool),
    half: f64(14, pool),
    reach: f64(15, pool),
    factor: f64(16, pool),
    slot: arena.i32(w(17), pool),
    kappa: f64(19, 3 * directions),
    dKappa: f64(20, tangents > 0 ? 3 * directions * tangents : 0),
    weight: f64(21, directions),
    coef: f64(22, terms * nodes),
    control: arena.i32(w(28), 1),
    real: w(29) !== 0,
    /** W at the difference of two places. */
    potential: (from: number, to: number): readonly [number, number] => {
      const at = arena.f64(w(18) + 16 * (w(9) + from - to), 2);
      return [at[0]!, at[1]!];
    },
  };
}
type Plan = ReturnType<typeof readPlan>;

/** One direction: its beams, B [n, n] complex, and the Chebyshev vectors [terms][n, 2]. */
function recursion(p: Plan, j: number) {
  const [scale, middle, diagonal, decay] = p.numbers as unknown as [number, number, number, number];
  const sgAt = (i: number): number =>
    -(p.kappa[3 * j]! * p.g[3 * i]! + p.kappa[3 * j + 1]! * p.g[3 * i + 1]! + p.kappa[3 * j + 2]! * p.g[3 * i + 2]!) - p.half[i]!;
  const beams = Array.from({ length: p.pool }, (_, i) => i).filter((i) => Math.abs(sgAt(i)) < p.reach[i]!);
  const n = beams.length,
    sg = beams.map(sgAt),
    f = beams.map((i) => p.factor[i]!);
  const b = new Float64Array(2 * n * n);
  for (let a = 0; a < n; a++)
    for (let c = 0; c < n; c++) {
      const [re, im] = p.potential(p.linear[beams[a]!]!, p.linear[beams[c]!]!),
        q = scale * f[a]! * f[c]!,
        at = 2 * (a * n + c);
      b[at] = q * re + (a === c ? (sg[a]! * f[a]! ** 2 - middle) * diagonal : 0);
      b[at + 1] = p.real ? 0 : q * im - (a === c ? decay : 0);
    }
  /** y = B x, or its adjoint. */
  const times = (x: Float64Array, adjoint = false): Float64Array => {
    const y = new Float64Array(2 * n);
    for (let a = 0; a < n; a++)
      for (let c = 0; c < n; c++) {
        const at = 2 * (adjoint ? c * n + a : a * n + c),
          re = b[at]!,
          im = adjoint ? -b[at + 1]! : b[at + 1]!;
        y[2 * a]! += re * x[2 * c]! - im * x[2 * c + 1]!;
        y[2 * a + 1]! += re * x[2 * c + 1]! + im * x[2 * c]!;
      }
    return y;
  };
  const first = new Float64Array(2 * n);
  first[0] = 1;
  const v = [first, times(first).map((x) => x / 2)];
  for (let k = 2; k < p.terms; k++) v.push(times(v[k - 1]!).map((x, i) => x - v[k - 2]![i]!));
  /** dSg of a beam with a parameter that moves directions, in units of B. */
  const slope = (a: number, t: number): number => {
    const at = 3 * (j * p.tangents + t),
      i = 3 * beams[a]!;
    const ds = -(p.dKappa[at]! * p.g[i]! + p.dKappa[at + 1]! * p.g[i + 1]! + p.dKappa[at + 2]! * p.g[i + 2]!);
    return ds * f[a]! ** 2 * diagonal;
  };
  const norm = v[p.terms - 1]!.reduce((s, x) => s + x * x, 0);
  return { beams, n, sg, f, times, v, slope, norm, diagonal, scale };
}
type Recursion = ReturnType<typeof recursion>;

/** Σ_k coef[k, m] i^(k mod 2) v_k of one beam. */
function depth(p: Plan, coef: Float64Array, v: readonly Float64Array[], beam: number, m: number): readonly [re: number, im: number] {
  let re = 0,
    im = 0;
  for (let k = 0; k < p.terms; k++) {
    const c = coef[k * p.nodes + m]!,
      x = v[k]![2 * beam]!,
      y = v[k]![2 * beam + 1]!;
    re += c * (k & 1 ? -y : x);
    im += c * (k & 1 ? x : y);
  }
  return [re, im];
}

/** G = Σ y v^H of the adjoint recursion whose seeds are 2 s Σ_m coef conj(i^k) ψ_m at some beams; [n, n] complex. */
function adjoint(p: Plan, r: Recursion, at: readonly (readonly [beam: number, s: number])[]): Float64Array {
  const { n, v, times } = r;
  const y = Array.from({ length: p.terms + 2 }, () => new Float64Array(2 * n));
  for (const [beam, s] of at)
    for (let m = 0; m < p.nodes; m++) {
      const [re, im] = depth(p, p.coef, v, beam, m);
      for (let k = 1; k < p.terms; k++) {
        const c = 2 * s * p.coef[k * p.nodes + m]!;
        y[k]![2 * beam]! += c * (k & 1 ? im : re);
        y[k]![2 * beam + 1]! += c * (k & 1 ? -re : im);
      }
    }
  for (let k = p.terms - 2; k >= 1; k--) {
    const next = times(y[k + 1]!, true);
    for (let i = 0; i < 2 * n; i++) y[k]![i]! += next[i]! - y[k + 2]![i]!;
  }
  const g = new Float64Array(2 * n * n);
  for (let k = 1; k < p.terms; k++) {
    const half = k === 1 ? 0.5 : 1;
    for (let a = 0; a < n; a++)
      for (let c = 0; c < n; c++) {
        const yr = y[k]![2 * a]!,
          yi = y[k]![2 * a + 1]!,
          vr = half * v[k - 1]![2 * c]!,
          vi = half * v[k - 1]![2 * c + 1]!;
        g[2 * (a * n + c)]! += yr * vr + yi * vi;
        g[2 * (a * n + c) + 1]! += yi * vr - yr * vi;
      }
  }
  return g;
}
/** G times f_a f_c, added at the places that `place` names for pairs of beams. */
function scatter(p: Plan, r: Recursion, g: Float64Array, out: Float64Array, place: (difference: number) => number): void {
  r.beams.forEach((ia, a) => {
    r.beams.forEach((ic, c) => {
      const to = 2 * place(p.words[9]! + p.linear[ia]! - p.linear[ic]!),
        q = r.scale * r.f[a]! * r.f[c]!;
      out[to]! += q * g[2 * (a * r.n + c)]!;
      if (!p.real) out[to + 1]! += q * g[2 * (a * r.n + c) + 1]!;
    });
  });
}
const wantedOf = (p: Plan, r: Recursion): number[] => Array.from({ length: r.n }, (_, a) => a).filter((a) => p.slot[r.beams[a]!]! >= 0);

/** Plain TypeScript twin of assembly/sweep.ts, one direction at a time: the reference of the conformance test, and the fallback without WebAssembly. */
export const jsSweep = (arena: Arena): SweepKernels => ({
  sweepScratch: () => 64,
  sweep: (plan, first, count, out) => {
    const p = readPlan(arena, plan),
      [s0, s1, s2, s3] = [p.words[5]!, p.words[6]!, p.words[7]!, p.words[8]!];
    let worst = 0;
    const add = (at: number, x: number): void => {
      arena.f64(out + 8 * at, 1)[0]! += x;
    };
    for (let j = first; j < first + count; j++) {
      if (p.control[0]) return -2;
      const r = recursion(p, j);
      worst = Math.max(worst, r.norm);
      if (!(worst <= p.numbers[5]!)) break;
      const sets = [r.v];
      for (let t = 0; t < p.tangents; t++) {
        const slope = r.beams.flatMap((_, a) => [r.slope(a, t), r.slope(a, t)]);
        const d = [new Float64Array(2 * r.n), r.v[0]!.map((x, i) => (slope[i]! * x) / 2)];
        for (let k = 2; k < p.terms; k++) d.push(r.times(d[k - 1]!).map((x, i) => x + slope[i]! * r.v[k - 1]![i]! - d[k - 2]![i]!));
        sets.push(d);
      }
      for (const a of wantedOf(p, r)) {
        const w = p.weight[j]! * r.f[a]! ** 2;
        for (let m = 0; m < p.nodes; m++) {
          const [re, im] = depth(p, p.coef, r.v, a, m);
          sets.forEach((set, t) => {
            const [x, y] = depth(p, p.coef, set, a, m);
            add(p.slot[r.beams[a]!]! * s0 + j * s1 + m * s2 + t * s3, (t > 0 ? 2 : 1) * w * (re * x + im * y));
          });
        }
      }
    }
    const norm = arena.f64(out - 8, 1);
    norm[0] = Math.max(norm[0]!, worst);
    return worst;
  },
});

/** Twin of assembly/pull.ts. */
export const jsPull = (arena: Arena): PullKernels => ({
  pullScratch: () => 64,
  pull: (plan, first, count) => {
    const p = readPlan(arena, plan),
      address = (i: number): number => p.words[i]!;
    let worst = 0;
    for (let j = first; j < first + count; j++) {
      if (p.control[0]) return -2;
      const r = recursion(p, j),
        wanted = wantedOf(p, r),
        slots = wanted.map((a) => p.slot[r.beams[a]!]!);
      worst = Math.max(worst, r.norm);
      if (!(worst <= p.numbers[5]!)) break;
      const w = wanted.map((a) => p.weight[j]! * r.f[a]! ** 2);
      wanted.forEach((a, i) => {
        for (let m = 0; m < p.nodes; m++) {
          const [re, im] = depth(p, p.coef, r.v, a, m);
          arena.f64(address(27) + 8 * slots[i]!, 1)[0]! += w[i]! * (re * re + im * im);
        }
      });
      const g = adjoint(
        p,
        r,
        wanted.map((a, i) => [a, w[i]! * arena.f64(address(24) + 8 * slots[i]!, 1)[0]!] as const),
      );
      scatter(p, r, g, arena.f64(address(25), 2 * (2 * p.words[9]! + 1)), (at) => at);
      const out = arena.f64(address(26), p.tangents + 1);
      for (let a = 0; a < r.n; a++) {
        const by = g[2 * (a * r.n + a)]!;
        for (let t = 0; t < p.tangents; t++) out[t]! += by * r.slope(a, t);
        out[p.tangents]! += by * r.f[a]! ** 2 * r.diagonal * r.sg[a]!;
      }
    }
    return worst;
  },
});

/** Twin of assembly/jacobian.ts. */
export const jsJacobian = (arena: Arena): JacobianKernels => ({
  jacobianScratch: () => 64,
  jacobian: (plan, first, count, out) => {
    const p = readPlan(arena, plan),
      slots = p.words[5]!,
      size = p.words[6]!,
      slopes = arena.f64(p.words[23]!, p.terms * p.nodes);
    const rows = arena.f64(out, slots * (2 * size + 2 + p.tangents)),
      tail = rows.subarray(2 * slots * size);
    let worst = 0;
    for (let j = first; j < first + count; j++) {
      if (p.control[0]) return -2;
      const r = recursion(p, j);
      worst = Math.max(worst, r.norm);
      if (!(worst <= p.numbers[5]!)) break;
      for (const a of wantedOf(p, r)) {
        if (!(Math.abs(r.sg[a]!) < p.numbers[4]!)) continue;
        const slot = p.slot[r.beams[a]!]!,
          w = p.weight[j]! * r.f[a]! ** 2;
        for (let m = 0; m < p.nodes; m++) {
          const [re, im] = depth(p, p.coef, r.v, a, m),
            [x, y] = depth(p, slopes, r.v, a, m);
          tail[slot]! += w * (re * re + im * im);
          tail[slots + slot]! += 2 * w * (re * x + im * y);
        }
        const g = adjoint(p, r, [[a, w]]);
        scatter(p, r, g, rows.subarray(2 * slot * size, 2 * (slot + 1) * size), (at) => arena.i32(p.words[26]! + 4 * at, 1)[0]!);
        for (let t = 0; t < p.tangents; t++)
          for (let c = 0; c < r.n; c++) tail[(2 + t) * slots + slot]! += g[2 * (c * r.n + c)]! * r.slope(c, t);
      }
    }
    const norm = arena.f64(out - 8, 1);
    norm[0] = Math.max(norm[0]!, worst);
    return worst;
  },
});
