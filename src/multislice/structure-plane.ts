import { denseKernels } from "../kernels/dense.js";
import type { Arena } from "../kernels/memory.js";
import { type MultisliceKernels, multisliceKernels } from "../kernels/multislice.js";
import type { WaveGrid } from "./grid.js";
import { halfWidth, type SpectrumWindow } from "./spectrum-window.js";

/** Atoms of one pass through the matrix product. */
const BLOCK = 256;

/**
 * Structure factors of a plane of atoms at their exact positions,
 *   S(h, k) = Σ_j w_j exp(−2πi(h u_j + k v_j)),  u, v fractional on a and b,
 * by separable phases: two rows of phases an atom and one complex matrix product [rows, atoms]·[atoms, columns] for all of them. Nothing is
 * interpolated, so the potential of an atom does not depend on where it stands between the pixels. At the Nyquist bins, where +n/2 and −n/2 are
 * one, the mean of both (a cosine) is taken.
 */
export interface PlaneSum {
  /**
   * spectrum += factor · S of `count` atoms (fractional positions, weights). `spectrum`: address of complex f64 [ny, nx/2 + 1] in FFT order; `factor`:
   * address of f64 on the window.
   */
  addInto(spectrum: number, factor: number, window: SpectrumWindow, u: Float64Array, v: Float64Array, w: Float64Array, count: number): void;
  /** Complex numbers of a spectrum. */
  readonly bins: number;
  free(): void;
}

/** @param largest - no window reaches beyond this one */
export function planeSum(g: WaveGrid, arena: Arena, largest: SpectrumWindow): PlaneSum {
  const stride = halfWidth(g),
    most = largest.high - largest.low;
  const k: MultisliceKernels = multisliceKernels(arena),
    dense = denseKernels(arena);
  const sizes = [8 * BLOCK, 8 * BLOCK, 8 * BLOCK, 16 * BLOCK * most, 16 * BLOCK * largest.width, 16 * most * largest.width];
  const blocks = sizes.map((bytes) => arena.alloc(bytes));
  const [pu, pv, pw, py, px, out] = blocks as [number, number, number, number, number, number];
  return {
    bins: g.ny * stride,
    addInto: (spectrum, factor, { low, high, width }, u, v, w, count) => {
      const rows = high - low;
      arena.f64(out, 2 * rows * width).fill(0);
      for (let at = 0; at < count; at += BLOCK) {
        const n = Math.min(BLOCK, count - at);
        arena.f64(pu, n).set(u.subarray(at, at + n));
        arena.f64(pv, n).set(v.subarray(at, at + n));
        arena.f64(pw, n).set(w.subarray(at, at + n));
        k.phases(pu, pw, n, 0, width, px);
        k.phases(pv, 0, n, low, high, py);
        if (2 * (width - 1) === g.nx) for (let j = 0, x = arena.f64(px, 2 * n * width); j < n; j++) x[2 * (j * width + width - 1) + 1] = 0;
        if (2 * low === -g.ny) for (let j = 0, y = arena.f64(py, 2 * n * rows); j < n; j++) y[2 * j * rows + 1] = 0;
        dense.zgemm(rows, width, n, 1, py, 1, rows, false, px, width, 1, false, out, width);
      }
      for (let r = 0; r < rows; r++)
        k.weigh(spectrum + 16 * ((low + r + g.ny) % g.ny) * stride, factor + 8 * r * width, out + 16 * r * width, width);
    },
    free: () => {
      for (const b of blocks) arena.free(b);
    },
  };
}
