import { fail } from "../core/errors.js";
import type { Arena } from "../kernels/memory.js";
import { sweepPlan } from "../kernels/sweep.js";
import { labVectors } from "./filters.js";
import type { SweepProblem } from "./integrate.js";
import { besselOrders, chebyshevTerms, couplingBounds } from "./integrate-spectrum.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";
import { directionTangents } from "./rotation.js";
import { absorptionCentre } from "./spectrum.js";

/** One problem laid out in kernel memory: the words of {@link sweepPlan}, and what the caller needs to read the results. */
export interface SweepPlan {
  /** Words 5 to 8, the strides of the output, are for the caller to fill in. */
  readonly words: Int32Array;
  readonly numbers: Float64Array;
  /** Beams of the pool that take part in some direction. */
  readonly members: readonly number[];
  /** Output slot of a wanted reflection by its place in the box, and the rows of `hkl` that want it. */
  readonly slots: ReadonlyMap<number, number>;
  readonly wanted: ReadonlyMap<number, readonly number[]>;
  /** Depths in ascending order. */
  readonly order: readonly number[];
  readonly terms: number;
  readonly maxBeams: number;
  readonly rows: number;
  /** Half width of the spectrum and its imaginary centre, Å⁻¹, and the lengths of the paths along the beam, Å, in the order given. */
  readonly radius: number;
  readonly absorbed: number;
  readonly path: Float64Array;
  /** Beams in a direction, on the average. */
  readonly meanBeams: number;
  /** Bytes that live until `release`. */
  give(bytes: number): number;
  f64(values: Float64Array): number;
  i32(values: Int32Array): number;
  /** Write words and numbers; the address of the plan. */
  commit(): number;
  release(): void;
}

/**
 * What the kernels need of one problem, in the arena. `table` is the potential's box there; `widen` stretches the spectral bounds.
 * @throws bad-value, out-of-range
 */
export function planSweep(p: SweepProblem, arena: Arena, table: number, widen: number): SweepPlan {
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
  // With absorption the polynomials are taken about an imaginary centre, in units of Sg.
  const middleList = members.filter((i) => {
    const j = d.size >> 1;
    const s = -(d.kappa[3 * j]! * gAll[3 * i]! + d.kappa[3 * j + 1]! * gAll[3 * i + 1]! + d.kappa[3 * j + 2]! * gAll[3 * i + 2]!);
    return Math.abs(s - pool.g2[i]! / (2 * k)) < reachOf[i]!;
  });
  const absorbed = potential.absorbing
    ? absorptionCentre({ potential, hkl: Int32Array.from(middleList.flatMap((i) => [...pool.hkl.subarray(3 * i, 3 * i + 3)])) }) / (2 * k)
    : 0;
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
      root = (apart === "depths" ? 1 : Math.sqrt(depths.weight[o]!)) * Math.exp(-2 * Math.PI * path[o]! * absorbed);
    last[m] = Math.min(terms, chebyshevTerms(x, tolerance));
    for (let q = 0; q < terms; q++) coefficients[q * nodes + m] = root * (q === 0 ? 1 : 2) * (q % 4 >= 2 ? -1 : 1) * j[q]!;
  });
  if (depths.weight.some((w) => !(w >= 0)) && apart !== "depths")
    fail("bad-value", { weight: depths.weight }, "weights of a thickness distribution are not negative");
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
  const rows = Math.max(1, Math.min(slots.size, maxBeams));
  const used = Int32Array.of(
    n,
    d.size,
    turns.length,
    terms,
    nodes,
    0,
    0,
    0,
    0,
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
  const words = new Int32Array(sweepPlan.words);
  words.set(used);
  const numbers = Float64Array.of(1 / (k * radius), middle, 2 / radius, (2 * absorbed) / radius, Number.MAX_VALUE);
  const commit = (): number => {
    const plan = give(sweepPlan.bytes);
    arena.i32(plan, words.length).set(words);
    arena.f64(plan + 4 * sweepPlan.words, numbers.length).set(numbers);
    return plan;
  };
  const release = (): void => {
    for (const b of blocks) arena.free(b);
  };
  const meanBeams = visits / d.size;
  return {
    words,
    numbers,
    members,
    slots,
    wanted,
    order,
    terms,
    maxBeams,
    rows,
    radius,
    absorbed,
    path,
    meanBeams,
    give,
    f64,
    i32,
    commit,
    release,
  };
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
