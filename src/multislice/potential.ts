import { fail } from "../core/errors.js";
import { type Arena, defaultArena } from "../kernels/memory.js";
import { irfft2 } from "../numerics/fft.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";
import type { AbsorptiveSource } from "../scattering/absorptive.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import { lobato } from "../scattering/lobato.js";
import type { AtomModel } from "./atoms.js";
import { goodGridSize, signedIndex, type WaveGrid, waveGrid } from "./grid.js";
import { type AtomPlaces, atomPlaces, bySlice, sliceKey, withImages } from "./potential-atoms.js";
import { checkIons, checkOptions } from "./potential-checks.js";
import { type FaceFlows, faceFlows } from "./potential-faces.js";
import { absorptiveFactor, atomGroups, projectedFactor } from "./potential-factors.js";
import { type FiniteFactors, finiteFactors } from "./potential-finite.js";
import { type Slices, sliceOfAtoms, slices } from "./slicing.js";
import { circleWindow, halfWidth, type SpectrumWindow, wholeWindow } from "./spectrum-window.js";
import { type PlaneSum, planeSum } from "./structure-plane.js";
import { transmissionLimit, transmissionRadius } from "./transmission-limit.js";

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
   * `neutral` (default): atoms without charge, whatever the model says. `model`: the ions that it names, for which `factors` must have them (`mottBethe`, `peng1998` to
   * 1.5 Å⁻¹); infinite projection alone, since a Coulomb tail has no end along the beam. The mean of the box is that of a neutral one.
   */
  readonly ions?: "neutral" | "model" | undefined;
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

/** One kind of atom made ready. */
interface Group {
  readonly places: AtomPlaces;
  /** Addresses of its factor and its absorptive factor (0: none) on the window. */
  readonly factor: number;
  readonly loss: number;
  /** Atoms whose nucleus lies in each slice; for the loss by rest positions. */
  readonly home: readonly Int32Array[];
  readonly rest: readonly Int32Array[];
  readonly finite: FiniteFactors | undefined;
}

/**
 * Plan the slices of a model's potential.
 * V(r) = h²/(2πm₀e) · 1/A Σ_q f(q/2) S(q) exp(2πi q·r), S exact: see {@link planeSum}.
 * @throws bad-value, out-of-range for atoms outside the box, unsupported for absorption without displacements, and what the factors throw
 */
export function potentialPlan(model: AtomModel, options: PotentialOptions): PotentialPlan {
  const { grid, factors = lobato, projection = "infinite", absorption, pixelFactor = "none", arena = defaultArena() } = options;
  const damped = options.debyeWaller ?? absorption !== undefined,
    groupsOf = atomGroups(model, damped, options.ions === "model");
  checkOptions(model, options, damped, groupsOf);
  const oversample = options.oversample ?? (pixelFactor === "abtem" ? 1 : 1.5);
  if (!(oversample >= 1 && oversample <= 8))
    fail("out-of-range", { oversample }, "oversample is a factor from 1 to 8, for example 1.5 or 2");
  const fine = oversample === 1 ? grid : waveGrid(goodGridSize(oversample * grid.nx), goodGridSize(oversample * grid.ny), grid.a, grid.b);
  const radius = pixelFactor === "abtem" ? undefined : transmissionRadius(fine),
    window = radius === undefined ? wholeWindow(fine) : circleWindow(fine, radius);
  const limit = radius === undefined ? undefined : (w: SpectrumWindow) => transmissionLimit(fine, w);
  const limited = (f: Float64Array, w: SpectrumWindow): Float64Array => {
    const part = limit?.(w);
    return part ? f.map((v, i) => v * part[i]!) : f;
  };
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
  checkIons(groupsOf, factors, projection, grid);
  const groups = groupsOf.map((g): Group => {
    const form = factors(g.symbol, g.charge),
      own = atomPlaces(model, g.atoms),
      rest = bySlice(
        Int32Array.from(g.atoms, (a) => where[a]!),
        cut.count,
      );
    const factor = put(limited(projectedFactor(fine, window, form, g.u, pixelFactor), window));
    const loss = absorption && g.u ? put(absorptiveFactor(fine, window, absorption, g.symbol, g.u, limit?.(window))) : 0;
    if (projection === "infinite") return { places: own, factor, loss, home: rest, rest, finite: undefined };
    const whole = finiteFactors(fine, radius!, form, g.u);
    const finite = { ...whole, shells: whole.shells.map((s) => ({ ...s, factors: s.factors.map((f) => limited(f, s.window)) })) };
    const places = options.periodicZ ? withImages(own, model, finite.reach) : own;
    return { places, factor, loss, home: bySlice(sliceOfHeights(places.z, cut, options.periodicZ ?? false), cut.count), rest, finite };
  });
  return build(
    { arena, grid, fine, window, cut, groups, blocks },
    absorption !== undefined,
    projection === "infinite" ? "" : options.periodicZ ? "periodic" : "open",
  );
}

interface Parts {
  readonly arena: Arena;
  readonly grid: WaveGrid;
  readonly fine: WaveGrid;
  readonly window: SpectrumWindow;
  readonly cut: Slices;
  readonly groups: readonly Group[];
  readonly blocks: number[];
}

function build(
  { arena, grid, fine, window, cut, groups, blocks }: Parts,
  absorbs: boolean,
  finite: "" | "open" | "periodic",
): PotentialPlan {
  const plane = planeSum(fine, arena, window),
    fft = rfftPlan({ shape: [fine.ny, fine.nx], type: "f64", arena }),
    flows = finite ? faceFlows(plane, arena, cut.bounds, groups as Parameters<typeof faceFlows>[3]) : undefined;
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
  const wholeAtoms = atomAdder(plane, window, groups);
  const potentialInto = (i: number): void => {
    arena.f64(spectrum, 2 * plane.bins).fill(0);
    for (const g of groups) wholeAtoms(spectrum, g, g.factor, g.home[i]!);
    if (flows) addFlows(flows, i);
  };
  /** What enters through the upper face less what leaves through the lower one; the end slices of an open box keep what reaches out. */
  const addFlows = (f: FaceFlows, i: number): void => {
    for (const [face, sign] of [
      [i, 1],
      [i + 1, -1],
    ] as const) {
      if (finite === "open" && (face === 0 || face === cut.count)) continue;
      const flow = arena.f64(f.flow(face), 2 * plane.bins),
        sum = arena.f64(spectrum, 2 * plane.bins);
      for (let k = 0; k < sum.length; k++) sum[k]! += sign * flow[k]!;
    }
  };
  const transformed = (): number => {
    if (apart) fft.spectrum().set(arena.f64(spectrum, 2 * plane.bins));
    fft.inverse({ scale: 1 });
    if (apart) arena.f64(real, points).set(fft.real());
    return real;
  };
  return {
    grid,
    fine,
    slices: cut,
    absorbs,
    arena,
    thickness: (i) => cut.bounds[i + 1]! - cut.bounds[i]!,
    key: (i) => {
      const key = sliceKey(
        groups.map((g) => ({ ...g, reach: g.finite?.reach })),
        i,
        cut,
      );
      // The end slices of an open box are like no other.
      return key && finite === "open" && (i === 0 || i === cut.count - 1) ? `${key}|${i}` : key;
    },
    projectedAt: (i) => {
      potentialInto(i);
      return transformed();
    },
    lossAt: (i) => {
      arena.f64(spectrum, 2 * plane.bins).fill(0);
      for (const g of groups) if (g.loss) wholeAtoms(spectrum, g, g.loss, g.rest[i]!);
      return transformed();
    },
    projected: (i) => {
      if (!(Number.isInteger(i) && i >= 0 && i < cut.count)) fail("out-of-range", { slice: i, slices: cut.count }, "no such slice");
      potentialInto(i);
      return irfft2(cropHalf(arena.f64(spectrum, 2 * plane.bins), fine, grid), [grid.ny, grid.nx], { scale: 1 });
    },
    free: () => {
      plane.free();
      fft.free();
      flows?.free();
      for (const b of blocks.splice(0)) arena.free(b);
    },
  };
}

/** Adds factor · S of some atoms of a group to a spectrum. */
function atomAdder(plane: PlaneSum, window: SpectrumWindow, groups: readonly Group[]) {
  const most = groups.reduce((n, g) => g.home.concat(g.rest).reduce((k, m) => Math.max(k, m.length), n), 1);
  const [u, v, w] = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  return (spectrum: number, { places }: Group, factor: number, members: Int32Array): void => {
    members.forEach((m, j) => {
      u[j] = places.u[m]!;
      v[j] = places.v[m]!;
      w[j] = places.w[m]!;
    });
    if (members.length > 0) plane.addInto(spectrum, factor, window, u, v, w, members.length);
  };
}

/** Slice that holds a height; outside the box the end slices of an open box, none (−1) of one that repeats. */
function sliceOfHeights(z: Float64Array, { bounds, count }: Slices, periodic: boolean): Int32Array {
  return Int32Array.from(z, (height) => {
    if (height < bounds[0]!) return periodic ? -1 : 0;
    if (height >= bounds[count]!) return periodic ? -1 : count - 1;
    let lo = 0,
      hi = count - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (bounds[mid]! <= height) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  });
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
