import { fail } from "../core/errors.js";
import type { PoolTask } from "../core/pool.js";
import type { Arena } from "../kernels/memory.js";
import { pullKernels, pullPlan } from "../kernels/pull.js";
import { labVectors } from "./filters.js";
import type { SweepProblem } from "./integrate.js";
import { besselOrders, chebyshevTerms, lanczosEnds } from "./integrate-spectrum.js";
import { potentialLayout } from "./potential.js";

/** A sweep whose derivatives are wanted. `turns` and `apart` of the sweep do not count here. */
export interface PullProblem extends SweepProblem {
  /** ∂κ/∂q of every direction for parameters q that move directions (turns, mosaic spread), shape [directions, q, 3]. */
  readonly tangents: Float64Array;
  /** `gradient`: derivatives of Σ c_g I_g, c in `seed`. `rows`: of every wanted I_g, the rows of the Jacobian. `intensities`: none. */
  readonly want: "intensities" | "gradient" | "rows";
  /** Shape [n] of the wanted reflections. */
  readonly seed?: Float64Array | undefined;
  /** Rows are followed in directions with |Sg| < this alone, Å⁻¹ (an approximation). */
  readonly window?: number | undefined;
}
/** Derivatives of one problem, in kernel memory until the next problem is consumed. */
export interface PullResult {
  /** Mean |ψ_g|², shape [n]; of rows, within the window. */
  readonly intensity: Float64Array;
  /** Reflections whose coefficients take part, shape [coefficients, 3]. */
  readonly hkl: Int32Array;
  /** dL = Re Σ conj(u_k) dW_k, interleaved, shape [seeds, coefficients, 2]. */
  readonly u: Float64Array;
  /** dL/dq, then dL/d ln t with W held, shape [seeds, q + 1]. Add Re Σ conj(u_k) W_k to the latter. */
  readonly parameters: Float64Array;
  /** Row of each wanted reflection among the seeds; −1 when it is never excited. */
  readonly rowOf: Int32Array;
  readonly terms: number;
}
export interface PullPlan {
  readonly directions: number;
  readonly scratchBytes: number;
  readonly control: number;
  /** Some of the directions, in this thread. */
  run(first: number, count: number, scratch: number): number;
  /** All of them, as a task of the pool. */
  call(scratch: number): PoolTask[number];
  /** Takes what the kernel returned. */
  collect(norm: number): PullResult | "wider";
  release(): void;
}

/** Checks what only derivatives need; the number of parameters that move directions. @throws bad-value, bad-shape */
export function checkPull(p: PullProblem): number {
  const { directions: d, hkl, depths, sMax } = p;
  if (!(sMax > 0) || d.size === 0 || depths.depth.length === 0 || !p.ub.every(Number.isFinite) || !d.kappa.every(Number.isFinite))
    fail("bad-value", { sMax, directions: d.size, ub: p.ub }, "derivatives need finite directions, depths and an sMax above 0");
  if (p.want === "gradient" && p.seed?.length !== hkl.length / 3)
    fail("bad-shape", { seed: p.seed?.length, reflections: hkl.length / 3 }, "a gradient needs one seed for each wanted reflection");
  const q = p.tangents.length / (3 * d.size);
  if (!Number.isInteger(q))
    fail("bad-shape", { tangents: p.tangents.length, directions: d.size }, "tangents hold [directions, q, 3] numbers");
  return q;
}
export const outOfScratch = (): never =>
  fail("bad-value", {}, "the kernel ran out of its scratch; this is a bug in the library, please report it");
/** Every index of the box, shape [box, 3]. */
export function boxIndices(span: readonly [number, number, number]): Int32Array {
  const [a, b, c] = span,
    out = new Int32Array(3 * (2 * a + 1) * (2 * b + 1) * (2 * c + 1));
  let at = 0;
  for (let h = -a; h <= a; h++)
    for (let k = -b; k <= b; k++)
      for (let l = -c; l <= c; l++) {
        out[at++] = h;
        out[at++] = k;
        out[at++] = l;
      }
  return out;
}
/** Places in the box of a list of indices. */
export function coefficientPlaces(hkl: Int32Array, span: readonly [number, number, number]): Int32Array {
  const { sh, sk, centre } = potentialLayout(span);
  return Int32Array.from({ length: hkl.length / 3 }, (_, i) => centre + hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!);
}

/** One seed, or intensities alone, of a Hermitian matrix, in the arena. `widen` stretches the spectral bounds. @throws as `sweepIntensities` */
export function planPull(p: PullProblem, arena: Arena, table: number, widen: number): PullPlan {
  const { potential, pool, directions: d, hkl, depths, sMax, strength } = p;
  const k = potential.beam.k,
    { span } = potential;
  const q = checkPull(p);
  const { sh, sk, centre, size: box } = potentialLayout(span);
  const place = (h: Int32Array, i: number): number => h[3 * i]! * sh + h[3 * i + 1]! * sk + h[3 * i + 2]!;
  const inside = (h: Int32Array, i: number): boolean =>
    Math.abs(h[3 * i]!) <= span[0] && Math.abs(h[3 * i + 1]!) <= span[1] && Math.abs(h[3 * i + 2]!) <= span[2];
  const uAbs = (i: number): number => {
    if (!inside(pool.hkl, i)) return 0;
    const at = centre + place(pool.hkl, i);
    return potential.real ? Math.abs(potential.table[at]!) : Math.hypot(potential.table[2 * at]!, potential.table[2 * at + 1]!);
  };
  // Members, the most that four directions share, and pairs that ever meet (by blocks of directions).
  const gAll = labVectors(p.ub, pool.hkl);
  const members: number[] = [],
    reaches: number[] = [];
  const groups = Math.ceil(d.size / 4);
  const together = new Int32Array(groups);
  let sMin = 0,
    sTop = 0,
    spread = 0;
  for (let j = 1; j < d.size; j++)
    spread = Math.max(
      spread,
      Math.hypot(d.kappa[3 * j]! - d.kappa[0]!, d.kappa[3 * j + 1]! - d.kappa[1]!, d.kappa[3 * j + 2]! - d.kappa[2]!),
    );
  for (let i = 0; i < pool.size; i++) {
    const gx = gAll[3 * i]!,
      gy = gAll[3 * i + 1]!,
      gz = gAll[3 * i + 2]!,
      half = pool.g2[i]! / (2 * k);
    const reach = i === 0 ? Number.MAX_VALUE : Math.max(sMax, strength === undefined ? 0 : uAbs(i) / (2 * k * strength));
    const s0 = -(d.kappa[0]! * gx + d.kappa[1]! * gy + d.kappa[2]! * gz) - half;
    if (Math.abs(s0) > reach + spread * Math.sqrt(pool.g2[i]!) * (1 + 1e-9)) continue;
    let any = false,
      group = -1;
    for (let j = 0; j < d.size; j++) {
      const s = -(d.kappa[3 * j]! * gx + d.kappa[3 * j + 1]! * gy + d.kappa[3 * j + 2]! * gz) - half;
      if (!(Math.abs(s) < reach)) continue;
      any = true;
      if (s < sMin) sMin = s;
      if (s > sTop) sTop = s;
      if (j >> 2 === group) continue;
      group = j >> 2;
      together[group]!++;
    }
    if (!any) continue;
    members.push(i);
    reaches.push(reach);
  }
  const n = members.length;
  const maxBeams = together.reduce((m, x) => Math.max(m, x), 0);
  const normal = p.normal,
    slant = normal ? -normal[2] : 1;
  const count = hkl.length / 3;
  const slotOf = new Map<number, number>();
  const wanted = new Set<number>();
  for (let i = 0; i < count; i++) if (inside(hkl, i)) wanted.add(place(hkl, i));
  const where = Int32Array.from(members, (b) => {
    const key = place(pool.hkl, b);
    if (!wanted.has(key)) return -1;
    slotOf.set(key, slotOf.size);
    return slotOf.size - 1;
  });
  const slots = slotOf.size;
  const rowOf = Int32Array.from({ length: count }, (_, i) => (inside(hkl, i) ? (slotOf.get(place(hkl, i)) ?? -1) : -1));
  // Spectrum and series, as in the sweep.
  let low = 0,
    high = 0;
  for (const j of new Set([0, d.size >> 1, d.size - 1])) {
    const here = members.filter((i, m) => {
      const s = -(d.kappa[3 * j]! * gAll[3 * i]! + d.kappa[3 * j + 1]! * gAll[3 * i + 1]! + d.kappa[3 * j + 2]! * gAll[3 * i + 2]!);
      return Math.abs(s - pool.g2[i]! / (2 * k)) < reaches[m]!;
    });
    const { low: a, high: b } = lanczosEnds(potential, Int32Array.from(here.flatMap((i) => [...pool.hkl.subarray(3 * i, 3 * i + 3)])));
    low = Math.min(low, a);
    high = Math.max(high, b);
  }
  const bottom = sMin + (widen * low) / (2 * k),
    top = sTop + (widen * high) / (2 * k);
  const radius = Math.max((top - bottom) / 2, 1e-9),
    middle = (top + bottom) / 2;
  const path = depths.depth.map((t) => t / slant),
    longest = path.reduce((m, t) => Math.max(m, t), 0);
  const { tolerance = 1e-7 } = p;
  const terms = Math.max(3, chebyshevTerms(2 * Math.PI * longest * radius, tolerance));
  const order = Array.from(depths.depth.keys()).sort((a, b) => depths.depth[a]! - depths.depth[b]!);
  const nodes = order.length;
  const coefficients = new Float64Array(terms * nodes),
    last = new Int32Array(nodes);
  order.forEach((o, m) => {
    const x = 2 * Math.PI * path[o]! * radius;
    const j = besselOrders(x, terms),
      root = Math.sqrt(depths.weight[o]!);
    last[m] = Math.min(terms, chebyshevTerms(x, tolerance));
    for (let t = 0; t < terms; t++) coefficients[t * nodes + m] = root * (t === 0 ? 1 : 2) * (t % 4 >= 2 ? -1 : 1) * j[t]!;
  });
  const rows = Math.max(1, Math.min(slots, maxBeams));
  const coefs = Int32Array.from({ length: p.want === "gradient" ? box : 0 }, (_, i) => i);
  const seeds = p.want === "gradient" ? 1 : 0;
  const blocks: number[] = [];
  const give = (bytes: number): number => {
    const at = arena.alloc(bytes);
    blocks.push(at);
    return at;
  };
  const f64 = (values: Float64Array): number => {
    const at = give(8 * Math.max(1, values.length));
    arena.f64(at, values.length).set(values);
    return at;
  };
  const i32 = (values: Int32Array): number => {
    const at = give(4 * Math.max(1, values.length));
    arena.i32(at, values.length).set(values);
    return at;
  };
  const zeros = (length: number): number => {
    const at = give(8 * Math.max(1, length));
    arena.f64(at, Math.max(1, length)).fill(0);
    return at;
  };
  const surface = (i: number): number => {
    if (!normal) return 1;
    const gn = gAll[3 * i]! * normal[0] + gAll[3 * i + 1]! * normal[1] + gAll[3 * i + 2]! * normal[2];
    return 1 / Math.sqrt(1 + gn / (k * slant));
  };
  const release = (): void => {
    for (const b of blocks.splice(0)) arena.free(b);
  };
  try {
    const c = new Float64Array(Math.max(1, slots));
    if (p.seed) for (let i = 0; i < count; i++) if (rowOf[i]! >= 0) c[rowOf[i]!]! += p.seed[i]!;
    const control = give(8);
    arena.i32(control, 2).fill(0);
    const outU = zeros(2 * seeds * coefs.length),
      outD = zeros(seeds * (q + 1)),
      outI = zeros(slots);
    const words = Int32Array.of(
      n,
      d.size,
      q,
      terms,
      nodes,
      p.want === "gradient" ? 0 : 2,
      slots,
      centre,
      maxBeams,
      rows,
      coefs.length,
      i32(Int32Array.from(members, (i) => place(pool.hkl, i))),
      f64(Float64Array.from(members.flatMap((i) => [gAll[3 * i]!, gAll[3 * i + 1]!, gAll[3 * i + 2]!]))),
      f64(Float64Array.from(members, (i) => pool.g2[i]! / (2 * k))),
      f64(Float64Array.from(reaches)),
      f64(Float64Array.from(members, surface)),
      i32(where),
      table,
      f64(d.kappa),
      f64(p.tangents),
      f64(d.weight),
      f64(coefficients),
      i32(last),
      0,
      f64(c),
      outU,
      outD,
      control,
      outI,
    );
    const plan = give(pullPlan.bytes);
    arena.i32(plan, words.length).set(words);
    arena.f64(plan + 4 * pullPlan.words, 3).set([1 / (k * radius), middle, 2 / radius]);
    const kernels = pullKernels(arena);
    return {
      directions: d.size,
      control,
      scratchBytes: kernels.pullScratch(maxBeams, rows, terms, nodes),
      run: (first, some, scratch) => kernels.pull(plan, first, some, scratch),
      call: (scratch) => ({ family: "pull", name: "pull", args: [plan, 0, d.size, scratch] }),
      collect: (norm) => {
        if (norm === -1) return outOfScratch();
        if (!(norm <= 1 + 1e-6)) return "wider";
        let list: Int32Array | undefined;
        const all = arena.f64(outI, Math.max(1, slots));
        return {
          intensity: Float64Array.from(rowOf, (r) => (r < 0 ? 0 : all[r]!)),
          get hkl() {
            list ??= p.want === "gradient" ? boxIndices(span) : new Int32Array(0);
            return list;
          },
          u: arena.f64(outU, 2 * seeds * coefs.length),
          parameters: arena.f64(outD, seeds * (q + 1)).slice(),
          rowOf,
          terms,
        };
      },
      release,
    };
  } catch (e) {
    release();
    throw e;
  }
}
