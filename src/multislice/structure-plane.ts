import { denseKernels } from "../kernels/dense.js";
import type { Arena } from "../kernels/memory.js";
import { type MultisliceKernels, multisliceKernels } from "../kernels/multislice.js";
import type { WaveGrid } from "./grid.js";
import { halfWidth } from "./potential-factors.js";

/** Atoms of one pass through the matrix product. */
const BLOCK = 256;

/**
 * Structure factors of a plane of atoms at their exact positions,
 *   S(h, k) = Σ_j w_j exp(−2πi(h u_j + k v_j)),  u, v fractional on a and b,
 * by separable phases: two rows of phases an atom and one complex matrix product [ny, atoms]·[atoms, nx/2 + 1] for all of them. Nothing is
 * interpolated, so the potential of an atom does not depend on where it stands between the pixels. At the Nyquist bins, where +n/2 and −n/2 are
 * one, the mean of both (a cosine) is taken.
 */
export interface PlaneSum {
  /** S of `count` atoms; fractional positions and weights as given; the address of complex f64 [ny, nx/2 + 1], good until the next call. */
  sum(u: Float64Array, v: Float64Array, weight: Float64Array, count: number): number;
  /** spectrum += factor · S, addresses of f64 arrays on the half spectrum. */
  addInto(spectrum: number, factor: number, s: number): void;
  readonly bins: number;
  free(): void;
}

export function planeSum(g: WaveGrid, arena: Arena): PlaneSum {
  const width = halfWidth(g),
    bins = g.ny * width,
    low = -Math.floor(g.ny / 2),
    positive = Math.ceil(g.ny / 2);
  const k: MultisliceKernels = multisliceKernels(arena),
    dense = denseKernels(arena);
  const blocks = [8 * BLOCK, 8 * BLOCK, 8 * BLOCK, 16 * BLOCK * g.ny, 16 * BLOCK * width, 16 * bins].map((bytes) => arena.alloc(bytes));
  const [pu, pv, pw, py, px, out] = blocks as [number, number, number, number, number, number];
  return {
    bins,
    sum: (u, v, weight, count) => {
      arena.f64(out, 2 * bins).fill(0);
      for (let at = 0; at < count; at += BLOCK) {
        const n = Math.min(BLOCK, count - at);
        arena.f64(pu, n).set(u.subarray(at, at + n));
        arena.f64(pv, n).set(v.subarray(at, at + n));
        arena.f64(pw, n).set(weight.subarray(at, at + n));
        k.phases(pu, pw, n, 0, width, px);
        k.phases(pv, 0, n, low, low + g.ny, py);
        if (g.nx % 2 === 0) for (let j = 0, x = arena.f64(px, 2 * n * width); j < n; j++) x[2 * (j * width + width - 1) + 1] = 0;
        if (g.ny % 2 === 0) for (let j = 0, y = arena.f64(py, 2 * n * g.ny); j < n; j++) y[2 * j * g.ny + 1] = 0;
        // Rows k = 0 … go to the top of the spectrum, negative ones below, as the FFT wants them.
        dense.zgemm(positive, width, n, 1, py + 16 * -low, 1, g.ny, false, px, width, 1, false, out, width);
        dense.zgemm(-low, width, n, 1, py, 1, g.ny, false, px, width, 1, false, out + 16 * positive * width, width);
      }
      return out;
    },
    addInto: (spectrum, factor, s) => k.weigh(spectrum, factor, s, bins),
    free: () => {
      for (const b of blocks) arena.free(b);
    },
  };
}
