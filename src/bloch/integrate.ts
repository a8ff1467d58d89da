import { fail } from "../core/errors.js";
import type { Map3, Vec3 } from "../core/frames.js";
import type { Pool } from "../core/pool.js";
import { type Arena, arena as newArena } from "../kernels/memory.js";
import { sweepKernels, sweepPlan } from "../kernels/sweep.js";
import type { BeamPool } from "./beams.js";
import { labVectors } from "./filters.js";
import { besselOrders, chebyshevTerms, couplingBounds } from "./integrate-spectrum.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";
import { type DirectionSet, directionTangents } from "./rotation.js";

/** Depths at which the waves are wanted, ascending, Å, and their weights: a quadrature of a thickness distribution, or a list. */
export interface DepthSet {
  readonly depth: Float64Array;
  readonly weight: Float64Array;
}

/** One crystal orientation and all the directions that its intensities are a mean of. */
export interface SweepProblem {
  readonly potential: CrystalPotential;
  readonly pool: BeamPool;
  /** a*, b*, c* in columns at the middle of the exposure, lab frame, Å⁻¹. */
  readonly ub: Map3<"lab", "hkl">;
  readonly directions: DirectionSet;
  /** Reflections wanted, shape [n, 3]. */
  readonly hkl: Int32Array;
  readonly depths: DepthSet;
  /** A beam takes part in a direction when |Sg| < sMax there, or when |U_g|/(2K|Sg|) > strength. */
  readonly sMax: number;
  readonly strength?: number | undefined;
  /**
   * Unit normal of the foil to the exit side, lab frame: the factors 1 + g_n/K_n enter and depths are counted along it. Without it the
   * factors are 1 and depths are counted along the beam.
   */
  readonly normal?: Vec3<"lab"> | undefined;
  /** Derivatives with respect to small turns of the crystal about these lab axes, per radian. */
  readonly turns?: readonly Vec3<"lab">[] | undefined;
  /** Largest error of an amplitude from cutting off the Chebyshev series. Default 1e-10. */
  readonly tolerance?: number | undefined;
  /** Keep directions or depths apart instead of adding them up. */
  readonly apart?: "directions" | "depths" | undefined;
}
export interface SweepIntensities {
  /** Mean |ψ_g|², shape [n], or [directions, n] or [depths, n] when kept apart. 0 for a beam that is never excited. */
  readonly intensity: Float64Array;
  /** One array for each turn, per radian, shaped like `intensity`. */
  readonly turned: readonly Float64Array[];
  /** Whether the beam takes part in any direction, shape [n]. */
  readonly excited: Uint8Array;
  /** Beams that take part in a direction, on the average. */
  readonly meanBeams: number;
  /** Terms of the Chebyshev series. */
  readonly terms: number;
}

/** Directions per kernel call: fixed, so that sums do not depend on the number of workers. */
const CHUNK = 128;

interface Prepared {
  readonly plan: number;
  readonly chunks: readonly { readonly first: number; readonly count: number; readonly out: number }[];
  readonly scratchBytes: number;
  readonly collect: () => SweepIntensities | "wider";
  readonly release: () => void;
}

/** What the kernel needs of one problem, in the arena. `widen` stretches the spectral bounds. */
function prepare(p: SweepProblem, arena: Arena, table: number, widen: number): Prepared {
  const { potential, pool, directions: d, hkl, depths, sMax, strength, turns = [], apart } = p;
  const k = potential.beam.k,
    { span } = potential;
  if (!(sMax > 0 && Number.isFinite(sMax)))
    fail("bad-value", { sMax }, "sMax is the largest |Sg| of a beam in the matrix, Å⁻¹, for example 0.01");
  if (strength !== undefined && !(strength > 0))
    fail("bad-value", { strength }, "strength is a positive ratio |U|/(2K|S|), for example 0.0025");
  if (d.size === 0) fail("bad-value", { directions: 0 }, "there is no direction to integrate over");
  if (!p.ub.every(Number.isFinite) || !d.kappa.every(Number.isFinite))
    fail("bad-value", { ub: p.ub }, "orientation and directions must be finite: look for NaN angles");
  if (depths.depth.length === 0 || depths.depth.some((t) => !(t > 0)))
    fail("out-of-range", { depths: depths.depth }, "thicknesses are positive numbers, in Å");
  if (potential.reach < 2 * pool.gMax * (1 - 1e-9))
    fail("out-of-range", { reach: potential.reach, gMax: pool.gMax }, "make the potential with reach = 2·gMax");
  const { sh, sk, centre } = potentialLayout(span);
  const place = (h: Int32Array, i: number): number => h[3 * i]! * sh + h[3 * i + 1]! * sk + h[3 * i + 2]!;
  const uAbs = (i: number): number => {
    const h = pool.hkl;
    if (Math.abs(h[3 * i]!) > span[0] || Math.abs(h[3 * i + 1]!) > span[1] || Math.abs(h[3 * i + 2]!) > span[2]) return 0;
    const at = centre + place(h, i);
    return potential.real ? Math.abs(potential.table[at]!) : Math.hypot(potential.table[2 * at]!, potential.table[2 * at + 1]!);
  };
  // Which beams take part at all, and how many at once.
  const gAll = labVectors(p.ub, pool.hkl);
  const members: number[] = [];
  const together = new Int32Array(Math.ceil(d.size / 4));
  let sMin = 0,
    sTop = 0,
    visits = 0;
  const reachOf = new Float64Array(pool.size);
  /** Farthest that any direction is from the first one: bounds how far Sg = −κ·g − g²/2K can move. */
  let spread = 0;
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
    reachOf[i] = reach;
    const s0 = -(d.kappa[0]! * gx + d.kappa[1]! * gy + d.kappa[2]! * gz) - half;
    if (Math.abs(s0) > reach + spread * Math.sqrt(pool.g2[i]!) * (1 + 1e-9)) continue;
    let any = false,
      group = -1;
    for (let j = 0; j < d.size; j++) {
      const s = -(d.kappa[3 * j]! * gx + d.kappa[3 * j + 1]! * gy + d.kappa[3 * j + 2]! * gz) - half;
      if (!(Math.abs(s) < reach)) continue;
      any = true;
      visits++;
      if (s < sMin) sMin = s;
      if (s > sTop) sTop = s;
      // Groups start anew in each chunk: CHUNK is a multiple of four.
      if (j >> 2 !== group) {
        group = j >> 2;
        together[group]!++;
      }
    }
    if (any) members.push(i);
  }
  const n = members.length;
  const normal = p.normal;
  const slant = normal ? -normal[2] : 1;
  if (!(slant > 0.01))
    fail("out-of-range", { normal }, "the normal points to the exit side (its z is negative), and the foil is not seen edge on");
  const maxBeams = together.reduce((m, x) => Math.max(m, x), 0);
  // Wanted reflections that take part.
  const slots = new Map<number, number>();
  const where = new Int32Array(n).fill(-1);
  const wanted = new Map<number, number[]>();
  for (let i = 0; i < hkl.length / 3; i++) {
    if (Math.abs(hkl[3 * i]!) > span[0] || Math.abs(hkl[3 * i + 1]!) > span[1] || Math.abs(hkl[3 * i + 2]!) > span[2]) continue;
    const key = place(hkl, i);
    wanted.set(key, [...(wanted.get(key) ?? []), i]);
  }
  members.forEach((b, i) => {
    const key = place(pool.hkl, b);
    if (!wanted.has(key)) return;
    where[i] = slots.size;
    slots.set(key, slots.size);
  });
  // Spectrum: Sg of the members, and the coupling of the beams of three directions.
  let low = 0,
    high = 0;
  for (const j of new Set([0, d.size >> 1, d.size - 1])) {
    const here = members.filter((i) => {
      const s = -(d.kappa[3 * j]! * gAll[3 * i]! + d.kappa[3 * j + 1]! * gAll[3 * i + 1]! + d.kappa[3 * j + 2]! * gAll[3 * i + 2]!);
      return Math.abs(s - pool.g2[i]! / (2 * k)) < reachOf[i]!;
    });
    const [a, b] = couplingBounds(potential, Int32Array.from(here.flatMap((i) => [...pool.hkl.subarray(3 * i, 3 * i + 3)])));
    low = Math.min(low, a);
    high = Math.max(high, b);
  }
  const bottom = sMin + (widen * low) / (2 * k),
    top = sTop + (widen * high) / (2 * k);
  const radius = Math.max((top - bottom) / 2, 1e-9),
    middle = (top + bottom) / 2;
  const path = depths.depth.map((t) => t / slant);
  const longest = path.reduce((m, t) => Math.max(m, t), 0);
  const { tolerance = 1e-10 } = p;
  if (!(tolerance > 0 && tolerance < 1)) fail("out-of-range", { tolerance }, "tolerance is the error of an amplitude, for example 1e-8");
  const terms = chebyshevTerms(2 * Math.PI * longest * radius, tolerance);
  // Coefficients (2 − δ_k0) i^k J_k(2πt·radius); the kernel multiplies odd vectors by i, the sign of i² is here.
  const order = Array.from(depths.depth.keys()).sort((a, b) => depths.depth[a]! - depths.depth[b]!);
  const nodes = order.length;
  const coefficients = new Float64Array(terms * nodes),
    last = new Int32Array(nodes);
  order.forEach((o, m) => {
    const x = 2 * Math.PI * path[o]! * radius;
    const j = besselOrders(x, terms),
      root = apart === "depths" ? 1 : Math.sqrt(depths.weight[o]!);
    last[m] = Math.min(terms, chebyshevTerms(x, tolerance));
    for (let q = 0; q < terms; q++) coefficients[q * nodes + m] = root * (q === 0 ? 1 : 2) * (q % 4 >= 2 ? -1 : 1) * j[q]!;
  });
  if (depths.weight.some((w) => !(w >= 0)) && apart !== "depths")
    fail("bad-value", { weight: depths.weight }, "weights of a thickness distribution are not negative");
  const rows = Math.max(1, Math.min(slots.size, maxBeams));
  const sizes = { slot: slots.size, direction: apart === "directions" ? d.size : 1, depth: apart === "depths" ? nodes : 1 };
  const outLength = Math.max(1, sizes.slot * sizes.direction * sizes.depth * (1 + turns.length));
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
  const pick = (from: (i: number) => number): Float64Array => Float64Array.from(members, from);
  const surface = (i: number): number => {
    if (!normal) return 1;
    const gn = gAll[3 * i]! * normal[0] + gAll[3 * i + 1]! * normal[1] + gAll[3 * i + 2]! * normal[2];
    return 1 / Math.sqrt(1 + gn / (k * slant));
  };
  const words = Int32Array.of(
    n,
    d.size,
    turns.length,
    terms,
    nodes,
    1,
    apart === "directions" ? sizes.slot : 0,
    apart === "depths" ? sizes.slot : 0,
    sizes.slot * sizes.direction * sizes.depth,
    centre,
    maxBeams,
    rows,
    i32(Int32Array.from(members, (i) => place(pool.hkl, i))),
    f64(Float64Array.from(members.flatMap((i) => [gAll[3 * i]!, gAll[3 * i + 1]!, gAll[3 * i + 2]!]))),
    f64(pick((i) => pool.g2[i]! / (2 * k))),
    f64(pick((i) => reachOf[i]!)),
    f64(pick(surface)),
    i32(where),
    table,
    f64(d.kappa),
    turns.length > 0 ? f64(directionTangents(d, turns)) : 0,
    f64(apart === "directions" ? new Float64Array(d.size).fill(1) : d.weight),
    f64(coefficients),
    i32(last),
  );
  const plan = give(sweepPlan.bytes);
  arena.i32(plan, words.length).set(words);
  arena.f64(plan + 4 * sweepPlan.words, 3).set([1 / (k * radius), middle, 2 / radius]);
  const chunks = Array.from({ length: Math.ceil(d.size / CHUNK) }, (_, i) => {
    const out = apart === "directions" && i > 0 ? -1 : give(8 * outLength + 64) + 64;
    if (out >= 0) arena.f64(out - 64, outLength + 8).fill(0);
    return { first: i * CHUNK, count: Math.min(CHUNK, d.size - i * CHUNK), out };
  }).map((c, _, all) => (c.out < 0 ? { ...c, out: all[0]!.out } : c));
  const collect = (): SweepIntensities | "wider" => {
    const norms = chunks.map((c) => arena.f64(c.out - 8, 1)[0]!);
    const worst = Math.max(...norms);
    if (!norms.every((x) => x > 0))
      fail("bad-value", { worst }, "the kernel ran out of its scratch; this is a bug in the library, please report it");
    if (!(worst <= (potential.absorbing ? 1e6 : 1 + 1e-6))) return "wider";
    const sum = new Float64Array(outLength);
    for (const out of new Set(chunks.map((c) => c.out))) {
      const part = arena.f64(out, outLength);
      for (let i = 0; i < outLength; i++) sum[i]! += part[i]!;
    }
    const count = hkl.length / 3,
      planes = sizes.direction * sizes.depth;
    const excited = new Uint8Array(count);
    const spread = (tangent: number): Float64Array => {
      const out = new Float64Array(planes * count);
      for (const [key, slot] of slots)
        for (const i of wanted.get(key)!) {
          excited[i] = 1;
          for (let q = 0; q < planes; q++) {
            const to = apart === "depths" ? order[q]! : q;
            out[to * count + i] = sum[tangent * planes * sizes.slot + q * sizes.slot + slot]!;
          }
        }
      return out;
    };
    return { intensity: spread(0), turned: turns.map((_, t) => spread(t + 1)), excited, meanBeams: visits / d.size, terms };
  };
  const release = (): void => {
    for (const b of blocks) arena.free(b);
  };
  const scratchBytes = sweepKernels(arena).sweepScratch(n, maxBeams, rows, terms, turns.length);
  return { plan, chunks, scratchBytes, collect, release };
}

/** The potential's box in the arena, complex. */
export function placeTable(p: CrystalPotential, arena: Arena): number {
  const { size, centre } = potentialLayout(p.span);
  const at = arena.alloc(16 * size);
  const out = arena.f64(at, 2 * size);
  if (p.real) for (let i = 0; i < size; i++) out.set([p.table[i]!, 0], 2 * i);
  else out.set(p.table);
  out[2 * centre + 1] = p.w0[1];
  return at;
}

/** Where sweeps run. */
export interface SweepRun {
  /** Made by `sweepPool`; without one the sweeps run in this thread. */
  readonly on?: { readonly pool: Pool; readonly arena: Arena } | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

function sameTable(problems: readonly SweepProblem[]): CrystalPotential {
  const first = problems[0]!.potential;
  if (problems.some((p) => p.potential !== first))
    fail("unsupported", {}, "the problems of one call share one potential: call once for each crystal");
  return first;
}

/** Intensities of one problem, in this thread. @throws bad-value, out-of-range, unsupported, too-large */
export function sweepIntensities(problem: SweepProblem, arena: Arena = newArena()): SweepIntensities {
  const kernels = sweepKernels(arena);
  const table = placeTable(problem.potential, arena);
  try {
    for (let widen = 1; widen < 20; widen *= 1.5) {
      const p = prepare(problem, arena, table, widen);
      const scratch = arena.alloc(p.scratchBytes);
      try {
        for (const c of p.chunks) kernels.sweep(p.plan, c.first, c.count, c.out, scratch);
        const r = p.collect();
        if (r !== "wider") return r;
      } finally {
        arena.free(scratch);
        p.release();
      }
    }
  } finally {
    arena.free(table);
  }
  return fail("no-convergence", {}, "the spectrum of the Bloch matrix could not be bounded: is the potential finite?");
}

/**
 * Intensities of many problems of one crystal on workers. The same bits for any number of workers, and as {@link sweepIntensities} gives.
 * Problems are taken in batches, so that memory stays bounded.
 */
export async function sweepAll(problems: readonly SweepProblem[], run: SweepRun = {}): Promise<SweepIntensities[]> {
  if (problems.length === 0) return [];
  const potential = sameTable(problems);
  const { on, signal, onProgress } = run;
  const results: SweepIntensities[] = [];
  if (!on) {
    const own = newArena();
    for (const p of problems) {
      signal?.throwIfAborted();
      results.push(sweepIntensities(p, own));
      onProgress?.(results.length, problems.length);
    }
    return results;
  }
  const { pool, arena } = on;
  const table = placeTable(potential, arena);
  try {
    // While one batch runs, the next one is made ready.
    const batch = 4 * pool.workers;
    const start = (from: number) => {
      const part = problems.slice(from, from + batch);
      const ready = part.map((p) => prepare(p, arena, table, 1));
      const calls = ready.flatMap((r) => r.chunks.map((c) => ({ plan: r.plan, c })));
      const bytes = ready.reduce((m, r) => Math.max(m, r.scratchBytes), 0);
      const scratch = Array.from({ length: pool.workers }, () => arena.alloc(bytes));
      const tasks = scratch.map((s, w) =>
        calls
          .filter((_, i) => i % pool.workers === w)
          .map(({ plan, c }) => ({ family: "sweep", name: "sweep", args: [plan, c.first, c.count, c.out, s] })),
      );
      const free = (): void => {
        for (const s of scratch) arena.free(s);
        for (const r of ready) r.release();
      };
      return {
        part,
        ready,
        free,
        done: pool.run(
          tasks.filter((t) => t.length > 0),
          { signal },
        ),
      };
    };
    let now = start(0);
    for (let from = 0; from < problems.length; from += batch) {
      let next: ReturnType<typeof start> | undefined;
      try {
        next = from + batch < problems.length ? start(from + batch) : undefined;
        await now.done;
        now.ready.forEach((r, i) => {
          const got = r.collect();
          results.push(got === "wider" ? sweepIntensities(now.part[i]!) : got);
        });
      } catch (e) {
        await Promise.allSettled([now.done, next?.done]);
        next?.free();
        throw e;
      } finally {
        now.free();
      }
      onProgress?.(results.length, problems.length);
      if (next) now = next;
    }
  } finally {
    arena.free(table);
  }
  return results;
}
