import type { Arena } from "../kernels/memory.js";
import type { AtomPlaces } from "./potential-atoms.js";
import type { FiniteFactors } from "./potential-finite.js";
import type { SpectrumWindow } from "./spectrum-window.js";
import type { PlaneSum } from "./structure-plane.js";

/**
 * Finite projection by what crosses the faces of the slices. With N_i the whole potential of the atoms in slice i and
 *   D_b = Σ_(z_j < b) T(q, b − z_j) e_j(q) − Σ_(z_j >= b) T(q, z_j − b) e_j(q),   e_j = w_j exp(−2πi q·r_j),
 * the slice between faces b and b' is N_i + D_b − D_b'. Faces far from an atom see small q alone, so that an atom costs some five whole planes instead of
 * one for every slice it reaches and every term of its shape along the beam.
 */
export interface FaceFlows {
  /** D of face b (index): address of complex f64 [ny, nx/2 + 1]; two are kept, so that slices made in order need each face once. */
  flow(face: number): number;
  free(): void;
}

interface Shell {
  readonly from: number;
  readonly to: number;
  readonly window: SpectrumWindow;
  readonly factors: readonly number[];
  weightsInto(out: Float64Array, d: number): void;
}

export function faceFlows(
  plane: PlaneSum,
  arena: Arena,
  bounds: Float64Array,
  groups: readonly { readonly places: AtomPlaces; readonly finite: FiniteFactors }[],
): FaceFlows {
  const blocks: number[] = [];
  const put = (values: Float64Array): number => {
    const ptr = arena.alloc(8 * values.length);
    blocks.push(ptr);
    arena.f64(ptr, values.length).set(values);
    return ptr;
  };
  const kinds = groups.map(({ places, finite }) => {
    const order = Uint32Array.from(places.z, (_, j) => j).sort((p, q) => places.z[p]! - places.z[q]! || p - q);
    return {
      places,
      order,
      heights: Float64Array.from(order, (j) => places.z[j]!),
      shells: finite.shells.map((s): Shell => ({ ...s, factors: s.factors.map(put) })),
    };
  });
  const slots = [0, 1].map(() => ({ face: -1, at: 0 }));
  for (const s of slots) {
    s.at = arena.alloc(16 * plane.bins);
    blocks.push(s.at);
  }
  let oldest = 0;

  /** Atoms of one shell on both sides of a face, and their weights in every term. */
  const crossing = (kind: (typeof kinds)[number], shell: Shell, z: number) => {
    const { heights, order, places } = kind;
    const span = (lo: number, hi: number): Uint32Array => order.subarray(lowerBound(heights, lo), lowerBound(heights, hi));
    // Distances from < d <= to upstream, from <= d < to downstream: every atom once.
    const up = span(z - shell.to, z - shell.from),
      down = span(z + shell.from, z + shell.to),
      n = up.length + down.length;
    const u = new Float64Array(n),
      v = new Float64Array(n),
      weights = shell.factors.map(() => new Float64Array(n)),
      w = new Float64Array(shell.factors.length);
    for (let j = 0; j < n; j++) {
      const m = j < up.length ? up[j]! : down[j - up.length]!,
        sign = j < up.length ? places.w[m]! : -places.w[m]!;
      u[j] = places.u[m]!;
      v[j] = places.v[m]!;
      shell.weightsInto(w, Math.abs(z - places.z[m]!));
      for (let r = 0; r < w.length; r++) weights[r]![j] = sign * w[r]!;
    }
    return { u, v, n, weights };
  };
  return {
    flow: (face) => {
      const known = slots.find((s) => s.face === face);
      if (known) return known.at;
      const slot = slots[oldest]!;
      oldest = 1 - oldest;
      slot.face = face;
      arena.f64(slot.at, 2 * plane.bins).fill(0);
      for (const kind of kinds)
        for (const shell of kind.shells) {
          const { u, v, n, weights } = crossing(kind, shell, bounds[face]!);
          if (n > 0) for (const [r, f] of shell.factors.entries()) plane.addInto(slot.at, f, shell.window, u, v, weights[r]!, n);
        }
      return slot.at;
    },
    free: () => {
      for (const b of blocks.splice(0)) arena.free(b);
    },
  };
}

/** Index of the first value that is not below x. */
function lowerBound(sorted: Float64Array, x: number): number {
  let lo = 0,
    hi = sorted.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    if (sorted[mid]! < x) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}
