import { fail } from "../core/errors.js";
import { type Arena, defaultArena } from "../kernels/memory.js";
import { irfft2 } from "../numerics/fft.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";
import type { AbsorptiveSource } from "../scattering/absorptive.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import type { AtomModel } from "./atoms.js";
import { goodGridSize, nyquist, signedIndex, type WaveGrid, waveGrid } from "./grid.js";
import { absorptiveFactor, atomGroups, halfWidth, neutral, overHalf, projectedFactor } from "./potential-factors.js";
import { finiteFactors } from "./potential-finite.js";
import { type Slices, sliceOfAtoms, slices } from "./slicing.js";
import { planeSum } from "./structure-plane.js";

/** How atoms become slices of potential. */
export interface PotentialOptions {
  readonly grid: WaveGrid;
  /** Largest thickness of a slice, Å; default 1. */
  readonly sliceThickness?: number | undefined;
  /** Boundaries of the slices instead, Å from 0 to the thickness. */
  readonly bounds?: ArrayLike<number> | undefined;
  /** Form factors by element; default `lobato`. Any values will do (`kirkland`, `peng1996`, or your own). */
  readonly factors?: FormFactorSource | undefined;
  /**
   * `infinite` (default): an atom lies whole in the slice of its nucleus. `finite`: every slice gets the integral of the atom's potential
   * between its boundaries; what reaches out of the box goes to the end slices, or with `periodicZ` to the other side.
   */
  readonly projection?: "infinite" | "finite" | undefined;
  /** The box repeats along c (finite projection alone asks). */
  readonly periodicZ?: boolean | undefined;
  /** Damp by the displacement tensors of the model (Debye–Waller). Default: when `absorption` is given. */
  readonly debyeWaller?: boolean | undefined;
  /** Absorptive factors: the coherent wave loses what thermal diffuse scattering takes. Needs displacements in the model. */
  readonly absorption?: AbsorptiveSource | undefined;
  /** "abtem" divides by the pixel correction that abTEM applies, for comparisons with it; default none: potentials are exact. */
  readonly pixelFactor?: "none" | "abtem" | undefined;
  /**
   * Transmission functions are made on a grid finer by this factor, default 1.5, from a potential that is limited to 2/3 of the finer grid's Nyquist
   * circle: else exp(iσV) folds back and what an atom scatters to high angles depends on where it stands between pixels. See {@link transmissionLimit}.
   */
  readonly oversample?: number | undefined;
  /** Slice of every atom, [n], for infinite projection: default by its z. Vibrating atoms should keep the slice of their rest position. */
  readonly sliceOfAtom?: Int32Array | undefined;
  readonly arena?: Arena | undefined;
}

/** Slices of projected potential, one at a time. Made once for a model; owns scratch in the arena. */
export interface PotentialPlan {
  readonly grid: WaveGrid;
  /** Grid on which `projectedAt` and `lossAt` give the potential. */
  readonly fine: WaveGrid;
  readonly slices: Slices;
  readonly absorbs: boolean;
  readonly arena: Arena;
  /** Thickness of slice i, Å. */
  thickness(i: number): number;
  /** A name that slices with the same potential share; undefined when it is not known. */
  key(i: number): string | undefined;
  /** Projected potential of slice i, V·Å, [ny, nx] of `fine`: address of f64 in the arena, good until the next call. */
  projectedAt(i: number): number;
  /** Projected absorptive potential of slice i (V·Å), like `projectedAt`; only when `absorbs`. */
  lossAt(i: number): number;
  /** The projected potential of slice i, V·Å, [ny, nx] of `grid`. */
  projected(i: number): Float64Array;
  free(): void;
}

/** Terms f_r(q)·Σ_j w_r(z_j)… of one group of atoms; infinite projection has one with weight 1. */
interface Term {
  readonly f: number;
  readonly weight: ((below: number, above: number) => number) | undefined;
}
interface Group {
  readonly terms: readonly Term[];
  readonly loss: number;
  /** Fractional u, v, height z and occupancy. */
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly z: Float64Array;
  readonly w: Float64Array;
  /** Atoms that reach each slice. */
  readonly members: readonly Int32Array[];
  /** Atoms whose nucleus lies in each slice. */
  readonly home: readonly Int32Array[];
}

/**
 * Plan the slices of a model's potential.
 * V(r) = h²/(2πm₀e) · 1/A Σ_q f(q/2) S(q) exp(2πi q·r), S exact: see {@link planeSum}.
 * @throws bad-value, out-of-range for atoms outside the box, unsupported for absorption without displacements, and what the factors throw
 */
export function potentialPlan(model: AtomModel, options: PotentialOptions): PotentialPlan {
  const { grid, factors = lobato, projection = "infinite", absorption, pixelFactor = "none", arena = defaultArena() } = options;
  const damped = options.debyeWaller ?? absorption !== undefined;
  if ((damped || absorption) && !model.displacement)
    fail(
      "bad-value",
      { debyeWaller: damped },
      "the model has no displacements: give U of the atoms (Å²), or leave debyeWaller and absorption out",
    );
  if (projection === "finite" && pixelFactor !== "none")
    fail("unsupported", { projection, pixelFactor }, "abTEM's pixel correction belongs to its infinite projection");
  checkBox(model, grid);
  const oversample = options.oversample ?? (pixelFactor === "abtem" ? 1 : 1.5);
  if (!(oversample >= 1 && oversample <= 8))
    fail("out-of-range", { oversample }, "oversample is a factor from 1 to 8, for example 1.5 or 2");
  const fine = oversample === 1 ? grid : waveGrid(goodGridSize(oversample * grid.nx), goodGridSize(oversample * grid.ny), grid.a, grid.b);
  const limit = pixelFactor === "abtem" ? undefined : transmissionLimit(fine);
  const limited = (f: Float64Array): Float64Array => (limit ? f.map((v, i) => v * limit[i]!) : f);
  const cut = slices(model, options);
  const blocks: number[] = [];
  const put = (values: Float64Array): number => {
    const ptr = arena.alloc(8 * values.length);
    blocks.push(ptr);
    arena.f64(ptr, values.length).set(values);
    return ptr;
  };
  const where = options.sliceOfAtom ?? sliceOfAtoms(model, cut);
  if (where.length !== model.atomicNumbers.length || where.some((i) => !(i >= 0 && i < cut.count)))
    fail(
      "bad-shape",
      { length: where.length, atoms: model.atomicNumbers.length, slices: cut.count },
      "sliceOfAtom names a slice for every atom",
    );
  const groups = atomGroups(model, damped).map((g): Group => {
    const fractions = fractional(model, g.atoms);
    const loss = absorption && g.u ? put(absorptiveFactor(fine, absorption, g.symbol, g.u, limit)) : 0;
    const home = bySlice(g.atoms, where, cut.count);
    if (projection === "infinite") {
      const f = put(limited(projectedFactor(fine, neutral(factors, g.symbol), g.u, pixelFactor)));
      return { ...fractions, loss, terms: [{ f, weight: undefined }], members: home, home };
    }
    const finite = finiteFactors(fine, neutral(factors, g.symbol), g.u);
    const terms = finite.terms.map((t) => ({ f: put(limited(t.f)), weight: t.weight }));
    const spread = options.periodicZ ? withImages(fractions, model, finite.reach) : fractions;
    return { ...spread, loss, terms, home, members: reaching(spread.z, cut, finite.reach, options.periodicZ ?? false) };
  });
  return build(
    arena,
    grid,
    fine,
    cut,
    groups,
    blocks,
    absorption !== undefined,
    projection === "finite" ? (options.periodicZ ? "periodic" : "open") : "",
  );
}

function build(
  arena: Arena,
  grid: WaveGrid,
  fine: WaveGrid,
  cut: Slices,
  groups: readonly Group[],
  blocks: number[],
  absorbs: boolean,
  finite: "" | "open" | "periodic",
): PotentialPlan {
  const plane = planeSum(fine, arena),
    fft = rfftPlan({ shape: [fine.ny, fine.nx], type: "f64", arena });
  // The TypeScript transform has arrays of its own: without WebAssembly they are copied from and to the arena.
  const apart = fft.kernels === "js",
    points = fine.nx * fine.ny;
  const own = (bytes: number): number => {
    const ptr = arena.alloc(bytes);
    blocks.push(ptr);
    return ptr;
  };
  const spectrum = apart ? own(16 * plane.bins) : fft.spectrumPtr,
    real = apart ? own(8 * points) : fft.realPtr;
  const most = groups.reduce((n, g) => g.members.concat(g.home).reduce((k, m) => Math.max(k, m.length), n), 1);
  const u = new Float64Array(most),
    v = new Float64Array(most),
    w = new Float64Array(most);
  /** Bounds of a slice; the end slices of an open box take what reaches out. */
  const from = (i: number): number => (finite === "open" && i === 0 ? Number.NEGATIVE_INFINITY : cut.bounds[i]!);
  const to = (i: number): number => (finite === "open" && i === cut.count - 1 ? Number.POSITIVE_INFINITY : cut.bounds[i + 1]!);
  const sumUp = (i: number, of: (g: Group) => { readonly members: Int32Array; readonly terms: readonly Term[] }): void => {
    arena.f64(spectrum, 2 * plane.bins).fill(0);
    for (const g of groups) {
      const { members, terms } = of(g);
      if (members.length === 0) continue;
      members.forEach((m, j) => {
        u[j] = g.u[m]!;
        v[j] = g.v[m]!;
      });
      for (const { f, weight } of terms) {
        members.forEach((m, j) => {
          w[j] = g.w[m]! * (weight ? weight(from(i) - g.z[m]!, to(i) - g.z[m]!) : 1);
        });
        plane.addInto(spectrum, f, plane.sum(u, v, w, members.length));
      }
    }
  };
  const fill = (i: number, of: (g: Group) => { readonly members: Int32Array; readonly terms: readonly Term[] }): number => {
    sumUp(i, of);
    if (apart) fft.spectrum().set(arena.f64(spectrum, 2 * plane.bins));
    fft.inverse({ scale: 1 });
    if (apart) arena.f64(real, points).set(fft.real());
    return real;
  };
  const projectedAt = (i: number): number => fill(i, (g) => ({ members: g.members[i]!, terms: g.terms }));
  return {
    grid,
    fine,
    slices: cut,
    absorbs,
    arena,
    thickness: (i) => cut.bounds[i + 1]! - cut.bounds[i]!,
    key: (i) => (finite ? undefined : keyOf(groups, i, cut)),
    projectedAt,
    lossAt: (i) => fill(i, (g) => ({ members: g.home[i]!, terms: g.loss ? [{ f: g.loss, weight: undefined }] : [] })),
    projected: (i) => {
      if (!(Number.isInteger(i) && i >= 0 && i < cut.count)) fail("out-of-range", { slice: i, slices: cut.count }, "no such slice");
      sumUp(i, (g) => ({ members: g.members[i]!, terms: g.terms }));
      return irfft2(cropHalf(arena.f64(spectrum, 2 * plane.bins), fine, grid), [grid.ny, grid.nx], { scale: 1 });
    },
    free: () => {
      plane.free();
      fft.free();
      for (const b of blocks.splice(0)) arena.free(b);
    },
  };
}

/**
 * Limit of the potential before the exponential, on the half spectrum: a circle of 2/3 of the Nyquist radius with a cosine edge over its last fifth. V²
 * then folds back outside 2/3, and higher powers are small. Measured on a gold atom at 0.05 Å, 200 kV: intensity between 0.5 and 0.95 of the
 * antialias angle varies by 25 % with the atom's place without the limit, by less than 0.1 % with it.
 */
export function transmissionLimit(g: WaveGrid): Float64Array {
  const out = new Float64Array(g.ny * halfWidth(g)),
    cutoff = (2 / 3) * nyquist(g),
    width = 0.2 * cutoff;
  overHalf(g, (p, qx, qy) => {
    const q = Math.hypot(qx, qy);
    out[p] = q > cutoff ? 0 : q > cutoff - width ? 0.5 * (1 + Math.cos((Math.PI * (q - cutoff + width)) / width)) : 1;
  });
  return out;
}

/** The bins of a half spectrum that a coarser grid holds. */
function cropHalf(from: Float64Array, fine: WaveGrid, g: WaveGrid): Float64Array {
  const width = halfWidth(g),
    wide = halfWidth(fine),
    out = new Float64Array(2 * g.ny * width);
  for (let i = 0; i < g.ny; i++) {
    const row = (signedIndex(i, g.ny) + fine.ny) % fine.ny;
    out.set(from.subarray(2 * row * wide, 2 * (row * wide + width)), 2 * i * width);
  }
  return out;
}

/** Slices of a perfect crystal repeat: their atoms stand at the same places in the plane (to 10⁻⁷ of the cell). */
function keyOf(groups: readonly Group[], i: number, cut: Slices): string | undefined {
  const text: string[] = [(cut.bounds[i + 1]! - cut.bounds[i]!).toFixed(6)];
  const round = (x: number): number => Math.round((x - Math.floor(x)) * 1e7) % 1e7;
  for (const g of groups) {
    const members = g.members[i]!;
    if (members.length > 2000) return undefined;
    text.push(
      [...members]
        .map((m) => `${round(g.u[m]!)},${round(g.v[m]!)},${g.w[m]}`)
        .sort()
        .join(";"),
    );
  }
  return text.join("|");
}

function bySlice(atoms: Int32Array, where: Int32Array, count: number): Int32Array[] {
  const lists = Array.from({ length: count }, (): number[] => []);
  atoms.forEach((a, j) => {
    lists[where[a]!]!.push(j);
  });
  return lists.map((l) => Int32Array.from(l));
}
/** Atoms whose potential reaches into a slice. */
function reaching(z: Float64Array, { bounds, count }: Slices, reach: number, periodic: boolean): Int32Array[] {
  return Array.from({ length: count }, (_, i) => {
    const lo = !periodic && i === 0 ? Number.NEGATIVE_INFINITY : bounds[i]! - reach,
      hi = !periodic && i === count - 1 ? Number.POSITIVE_INFINITY : bounds[i + 1]! + reach;
    const list: number[] = [];
    for (let j = 0; j < z.length; j++) if (z[j]! > lo && z[j]! < hi) list.push(j);
    return Int32Array.from(list);
  });
}
interface Fractions {
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly z: Float64Array;
  readonly w: Float64Array;
}
function fractional(model: AtomModel, atoms: Int32Array): Fractions {
  const c = model.cell,
    area = c[0]! * c[4]! - c[1]! * c[3]!;
  const u = new Float64Array(atoms.length),
    v = new Float64Array(atoms.length),
    z = new Float64Array(atoms.length),
    w = new Float64Array(atoms.length);
  atoms.forEach((a, j) => {
    const x = model.positions[3 * a]!,
      y = model.positions[3 * a + 1]!;
    u[j] = (x * c[4]! - y * c[3]!) / area;
    v[j] = (y * c[0]! - x * c[1]!) / area;
    z[j] = model.positions[3 * a + 2]!;
    w[j] = model.occupancy?.[a] ?? 1;
  });
  return { u, v, z, w };
}
/** Copies shifted by whole c, as far as they reach into the box. */
function withImages(f: Fractions, model: AtomModel, reach: number): Fractions {
  const c = model.cell,
    height = c[8]!,
    area = c[0]! * c[4]! - c[1]! * c[3]!;
  const du = (c[6]! * c[4]! - c[7]! * c[3]!) / area,
    dv = (c[7]! * c[0]! - c[6]! * c[1]!) / area;
  const n = Math.ceil((reach + 1) / height);
  const out: { u: number[]; v: number[]; z: number[]; w: number[] } = { u: [], v: [], z: [], w: [] };
  // The box itself first: `home` counts from its atoms.
  for (const k of Array.from({ length: 2 * n + 1 }, (_, i) => (i % 2 ? -(i + 1) / 2 : i / 2)))
    for (let j = 0; j < f.z.length; j++) {
      const z = f.z[j]! + k * height;
      if (k !== 0 && (z < -reach || z > height + reach)) continue;
      out.u.push(f.u[j]! + k * du);
      out.v.push(f.v[j]! + k * dv);
      out.z.push(z);
      out.w.push(f.w[j]!);
    }
  return { u: Float64Array.from(out.u), v: Float64Array.from(out.v), z: Float64Array.from(out.z), w: Float64Array.from(out.w) };
}
function checkBox(model: AtomModel, g: WaveGrid): void {
  const c = model.cell,
    size = Math.hypot(c[0]!, c[1]!, c[3]!, c[4]!);
  const off = Math.max(Math.abs(g.a[0] - c[0]!), Math.abs(g.a[1] - c[1]!), Math.abs(g.b[0] - c[3]!), Math.abs(g.b[1] - c[4]!));
  if (off > 1e-6 * size)
    fail("bad-value", { a: g.a, b: g.b, box: [c[0], c[1], c[3], c[4]] }, "the grid must have the in-plane vectors of the box: see gridFor");
}
