import type { PoolCall } from "../core/pool.js";
import { type FftTables, fftTables, fractionalTables } from "../kernels/fft.js";
import type { Arena } from "../kernels/memory.js";

/** A quarter of the lines: "x" those nearer the slice's second axis (radial steps along it), "z" those nearer the first. */
export type Sector = "x" | "z";

export interface PseudoPolarOptions {
  readonly arena: Arena;
  /** Size [nz, nx] of a slice. */
  readonly slice: readonly [number, number];
  /** Radial samples of a line, even. */
  readonly radial: number;
  /** Slopes j/steps, j = −steps … steps, in each sector. */
  readonly steps: number;
  readonly type?: "f32" | "f64";
}
export interface PseudoPolarPlan {
  /** Complex numbers of a line of `work`; slope j/steps stands at ⌊width/2⌋ + j. */
  readonly width: number;
  /** Bytes of a work array [radial][pairs][width] and of private scratch. */
  workBytes(pairs: number): number;
  readonly scratchBytes: number;
  /** Calls: `pairs` complex slices [nz][nx] at vol to work. */
  forward(sector: Sector, vol: number, pairs: number, work: number, scratch: number): PoolCall[];
  /** Calls of its adjoint, to (or added to) out; work is overwritten. */
  adjoint(sector: Sector, work: number, out: number, pairs: number, scratch: number, add: boolean): PoolCall[];
}

/**
 * Pseudo-polar Fourier transform of slices f(z, x), centre ⌊n/2⌋: in sector "x" F(l, s) = Σ f exp(−2πi l (x + s z)/P), in "z" with x and z exchanged,
 * l = −P/2 … P/2 − 1 as in an FFT. An FFT of P points along the radial axis, then for each l a fractional FFT (chirp z) across it, whose
 * ratio l/(steps·P) puts the samples on lines of equal slope. Exact on the grid: nothing is interpolated.
 * @see Averbuch, Coifman, Donoho, Israeli & Shkolnisky, SIAM J. Sci. Comput. 30, 764 (2008); Miao, Förster & Levi, Phys. Rev. B 72, 052103 (2005)
 */
export function pseudoPolar({ arena, slice: [nz, nx], radial, steps, type = "f32" }: PseudoPolarOptions): PseudoPolarPlan {
  const width = Math.max(nz, nx, 2 * steps + 1),
    csize = type === "f32" ? 8 : 16,
    along = fftTables(arena, radial, type);
  const across: FftTables[] = Array.from({ length: radial / 2 + 1 }, (_, l) => fractionalTables(arena, width, l / (steps * radial), type));
  const list = arena.alloc(4 * across.length);
  arena.i32(list, across.length).set(across.map((t) => t.d));
  const call = (family: string, name: string, ...args: number[]): PoolCall => ({ family, name: `${name}_${type}`, args });
  // Sizes and strides of the radial axis and of the one across.
  const axes = { x: [nx, nz, 1, nx], z: [nz, nx, nx, 1] } as const;
  const columns = (work: number, pairs: number, scratch: number, inverse: number): PoolCall =>
    call("fft", "cols", along.d, work, pairs * width, 0, Math.ceil((pairs * width * csize) / along.batchBytes), scratch, inverse, 1);
  return {
    width,
    workBytes: (pairs) => radial * pairs * width * csize,
    scratchBytes: Math.max(along.scratchBytes, across[0]!.scratchBytes),
    forward: (sector, vol, pairs, work, scratch) => [
      call("slopes", "spread", vol, pairs, ...axes[sector], nz * nx, work, radial, width),
      columns(work, pairs, scratch, 0),
      call("slopes", "lines", list, work, radial, pairs, width, scratch, 0),
    ],
    adjoint: (sector, work, out, pairs, scratch, add) => [
      call("slopes", "lines", list, work, radial, pairs, width, scratch, 1),
      columns(work, pairs, scratch, 1),
      call("slopes", "collect", work, radial, width, out, pairs, ...axes[sector], nz * nx, add ? 1 : 0),
    ],
  };
}
