import { fail } from "../core/errors.js";
import type { Arena } from "../kernels/memory.js";
import { sweepPlan } from "../kernels/sweep.js";
import { labVectors } from "./filters.js";
import type { SweepProblem } from "./integrate.js";
import { besselOrders, chebyshevTerms, windowMargins } from "./integrate-spectrum.js";
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
  /** Word that stops the kernel when it is not 0. */
  readonly control: number;
  /** Bytes that live until `release`. */
  give(bytes: number): number;
  f64(values: Float64Array): number;
  i32(values: Int32Array): number;
  /** Write words and numbers; the address of the plan. */
  commit(): number;
  release(): void;
}

/** |last Chebyshev vector|² above which the bounds of the spectrum were too narrow; with absorption it grows a little anyway. */
export const largestNorm = (p: CrystalPotential): number => (p.absorbing ? 1e6 : 1 + 1e-6);

/** Directions whose levels are looked at for the bounds of the spectrum; each THOROUGH-th with more care. */
const MARGIN_DIRECTIONS = 96,
  THOROUGH = 32;

/** Beams in the order of the pool that take part in some direction, and what directions have in common. */
function sweepMembers(p: SweepProblem, gAll: Float64Array, uAbs: (i: number) => number) {
  const { pool, directions: d, sMax, strength } = p,
    k = p.potential.beam.k;
  /** Farthest that any direction is from the first one: bounds how far Sg = −κ·g − g²/2K can move. */
  let spread = 0;
  for (let j = 1; j < d.size; j++)
    spread = Math.max(
      spread,
      Math.hypot(d.kappa[3 * j]! - d.kappa[0]!, d.kappa[3 * j + 1]! - d.kappa[1]!, d.kappa[3 * j + 2]! - d.kappa[2]!),
    );
  const sg = (i: number, j: number): number =>
    -(d.kappa[3 * j]! * gAll[3 * i]! + d.kappa[3 * j + 1]! * gAll[3 * i + 1]! + d.kappa[3 * j + 2]! * gAll[3 * i + 2]!) -
    pool.g2[i]! / (2 * k);
  const members: number[] = [],
    reach: number[] = [];
  const together = new Int32Array(Math.ceil(d.size / 4));
  let low = 0,
    high = 0,
    visits = 0;
  for (let i = 0; i < pool.size; i++) {
    const limit = i === 0 ? Number.MAX_VALUE : Math.max(sMax, strength === undefined ? 0 : uAbs(i) / (2 * k * strength));
    if (Math.abs(sg(i, 0)) > limit + spread * Math.sqrt(pool.g2[i]!) * (1 + 1e-9)) continue;
    let any = false,
      group = -1;
    for (let j = 0; j < d.size; j++) {
      const s = sg(i, j);
      if (!(Math.abs(s) < limit)) continue;
      any = true;
      visits++;
      if (s < low) low = s;
      if (s > high) high = s;
      // Groups start anew in each chunk: chunks are multiples of four.
      if (j >> 2 === group) continue;
      group = j >> 2;
      together[group]!++;
    }
    if (!any) continue;
    members.push(i);
    reach.push(limit);
  }
  const beamsOf = (j: number): readonly [hkl: Int32Array, sg: Float64Array] => {
    const here = members.filter((i, m) => Math.abs(sg(i, j)) < reach[m]!);
    return [
      Int32Array.from(here.flatMap((i) => [pool.hkl[3 * i]!, pool.hkl[3 * i + 1]!, pool.hkl[3 * i + 2]!])),
      Float64Array.from(here, (i) => sg(i, j)),
    ];
  };
  // How far the levels reach beyond the window: single pairs of strongly coupled beams near its edge decide, so many directions are asked.
  let below = 0,
    above = 0;
  const step = p.potential.absorbing ? Math.max(1, d.size >> 1) : Math.ceil(d.size / MARGIN_DIRECTIONS);
  for (let j = 0, asked = 0; j < d.size; j += step, asked++) {
    const [a, b] = windowMargins(p.potential, ...beamsOf(j), asked % THOROUGH === 0);
    below = Math.max(below, a);
    above = Math.max(above, b);
  }
  return {
    members,
    reach: Float64Array.from(reach),
    maxBeams: together.reduce((m, x) => Math.max(m, x), 0),
    meanBeams: visits / d.size,
    low,
    high,
    below,
    above,
    /** Of the middle direction, Å⁻¹. */
    absorbed: absorptionCentre({ potential: p.potential, hkl: beamsOf(d.size >> 1)[0] }) / (2 * k),
  };
}

/** @throws bad-value, out-of-range */
function checkSweep(p: SweepProblem): void {
  const { potential, pool, directions: d, depths, sMax, strength, tolerance = 1e-10 } = p;
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
  if (!(tolerance > 0 && tolerance < 1)) fail("out-of-range", { tolerance }, "tolerance is the error of an amplitude, for example 1e-8");
  if (depths.weight.some((w) => !(w >= 0)) && p.apart !== "depths")
    fail("bad-value", { weight: depths.weight }, "weights of a thickness distribution are not negative");
  if (p.normal && !(-p.normal[2] > 0.01))
    fail("out-of-range", { normal: p.normal }, "the normal points to the exit side (its z is negative), and the foil is not seen edge on");
}

/**
 * What the kernels need of one problem, in the arena. `table` is the potential's box there; `widen` stretches the spectral bounds.
 * @throws bad-value, out-of-range
 */
export function planSweep(p: SweepProblem, arena: Arena, table: number, widen: number): SweepPlan {
  checkSweep(p);
  const { potential, pool, directions: d, hkl, depths, turns = [], apart, normal, tolerance = 1e-10 } = p;
  const k = potential.beam.k,
    { span } = potential;
  const { sh, sk, centre } = potentialLayout(span);
  const place = (h: Int32Array, i: number): number => h[3 * i]! * sh + h[3 * i + 1]! * sk + h[3 * i + 2]!;
  const inBox = (h: Int32Array, i: number): boolean =>
    Math.abs(h[3 * i]!) <= span[0] && Math.abs(h[3 * i + 1]!) <= span[1] && Math.abs(h[3 * i + 2]!) <= span[2];
  const uAbs = (i: number): number => {
    if (!inBox(pool.hkl, i)) return 0;
    const at = centre + place(pool.hkl, i);
    return potential.real ? Math.abs(potential.table[at]!) : Math.hypot(potential.table[2 * at]!, potential.table[2 * at + 1]!);
  };
  const gAll = labVectors(p.ub, pool.hkl);
  const { members, reach, maxBeams, meanBeams, low, high, below, above, absorbed } = sweepMembers(p, gAll, uAbs);
  // Wanted reflections that take part.
  const slots = new Map<number, number>();
  const where = new Int32Array(members.length).fill(-1);
  const wanted = new Map<number, number[]>();
  for (let i = 0; i < hkl.length / 3; i++) {
    if (!inBox(hkl, i)) continue;
    const key = place(hkl, i),
      rows = wanted.get(key);
    if (rows) rows.push(i);
    else wanted.set(key, [i]);
  }
  members.forEach((b, i) => {
    const key = place(pool.hkl, b);
    if (!wanted.has(key)) return;
    where[i] = slots.size;
    slots.set(key, slots.size);
  });
  // With absorption the polynomials are taken about an imaginary centre, in units of Sg.
  const stretch = (widen - 1) * 0.02 * (high - low);
  const bottom = low - widen * below - stretch,
    top = high + widen * above + stretch;
  const radius = Math.max((top - bottom) / 2, 1e-9),
    middle = (top + bottom) / 2;
  const slant = normal ? -normal[2] : 1;
  const path = depths.depth.map((t) => t / slant);
  const longest = path.reduce((m, t) => Math.max(m, t), 0);
  const terms = Math.max(3, chebyshevTerms(2 * Math.PI * longest * radius, tolerance));
  // Coefficients (2 − δ_k0) i^k J_k(2πt·radius); the kernel multiplies odd vectors by i, the sign of i² is here.
  const order = Array.from(depths.depth.keys()).sort((a, b) => depths.depth[a]! - depths.depth[b]!);
  const nodes = order.length;
  const coefficients = new Float64Array(terms * nodes),
    last = new Int32Array(nodes);
  order.forEach((o, m) => {
    const x = 2 * Math.PI * path[o]! * radius;
    const j = besselOrders(x, terms),
      root = (apart === "depths" ? 1 : Math.sqrt(depths.weight[o]!)) * Math.exp(-2 * Math.PI * path[o]! * absorbed);
    const stop = chebyshevTerms(x, tolerance);
    last[m] = Math.min(terms, stop + (stop & 1));
    for (let q = 0; q < terms; q++) coefficients[q * nodes + m] = root * (q === 0 ? 1 : 2) * (q % 4 >= 2 ? -1 : 1) * j[q]!;
  });
  // The kernels take two depths and two terms at a time.
  for (let m = 0; m + 1 < nodes; m += 2) last[m] = last[m + 1]!;
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
  const surface = (i: number): number => {
    if (!normal) return 1;
    const gn = gAll[3 * i]! * normal[0] + gAll[3 * i + 1]! * normal[1] + gAll[3 * i + 2]! * normal[2];
    return 1 / Math.sqrt(1 + gn / (k * slant));
  };
  const rows = Math.max(1, Math.min(slots.size, maxBeams));
  const used = Int32Array.of(
    members.length,
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
    f64(Float64Array.from(members, (i) => pool.g2[i]! / (2 * k))),
    f64(reach),
    f64(Float64Array.from(members, surface)),
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
  const control = i32(Int32Array.of(0));
  words[28] = control;
  words[29] = potential.real ? 1 : 0;
  words[30] = potential.absorbing ? 1 : 0;
  const numbers = Float64Array.of(1 / (k * radius), middle, 2 / radius, (2 * absorbed) / radius, Number.MAX_VALUE, largestNorm(potential));
  const commit = (): number => {
    const plan = give(sweepPlan.bytes);
    arena.i32(plan, words.length).set(words);
    arena.f64(plan + 4 * sweepPlan.words, numbers.length).set(numbers);
    return plan;
  };
  const release = (): void => {
    for (const b of blocks.splice(0)) arena.free(b);
  };
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
    control,
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
