import { type MultisliceKernels, multisliceTables } from "../kernels/multislice.js";
import { antialiasCutoff, signedIndex } from "./grid.js";
import type { PotentialPlan } from "./potential.js";

/**
 * Makes transmission functions t = exp(iσV − σV') on the potential's fine grid, keeps of them what lies inside the antialias circle of the wave's grid,
 * and writes them into kernel memory in real space. Owns its scratch.
 */
export interface TransmissionMaker {
  /** Transmission function of slice i to an address, complex [ny, nx] of the wave's grid. */
  into(i: number, out: number): void;
  free(): void;
}

export function transmissionMaker(
  potential: PotentialPlan,
  sigma: number,
  precision: "f32" | "f64",
  kernels: MultisliceKernels & { readonly backend: "wasm" | "js" },
  tables: number,
  scratch: number,
  mask: Float64Array,
): TransmissionMaker {
  const { arena, grid: g, fine } = potential,
    bytes = precision === "f32" ? 4 : 8,
    n = fine.nx * fine.ny;
  const reach = Math.floor(antialiasCutoff(g) * Math.hypot(...g.a)) + 1;
  const fineTables = multisliceTables(
    arena,
    fine.ny,
    fine.nx,
    precision,
    Math.min(reach, fine.nx),
    Math.min(reach, fine.nx),
    kernels.backend,
  );
  const v = arena.alloc(bytes * n),
    loss = potential.absorbs ? arena.alloc(bytes * n) : 0,
    wave = arena.alloc(2 * bytes * n),
    own = arena.alloc(fineTables.scratchBytes);
  const array = (ptr: number, length: number): Float32Array | Float64Array =>
    precision === "f32" ? arena.f32(ptr, length) : arena.f64(ptr, length);
  const scale = (g.nx * g.ny) / n,
    rows = Int32Array.from({ length: g.ny }, (_, y) => (signedIndex(y, g.ny) + fine.ny) % fine.ny),
    columns = Int32Array.from({ length: g.nx }, (_, x) => (signedIndex(x, g.nx) + fine.nx) % fine.nx);
  return {
    into: (i, out) => {
      array(v, n).set(arena.f64(potential.projectedAt(i), n));
      if (loss) array(loss, n).set(arena.f64(potential.lossAt(i), n));
      kernels[`transmit_${precision}`](v, loss, sigma, n, wave);
      kernels[`filter_${precision}`](fineTables.ptr, wave, 0, false, own);
      const from = array(wave, 2 * n),
        to = array(out, 2 * g.nx * g.ny);
      for (let y = 0, p = 0; y < g.ny; y++) {
        const row = rows[y]! * fine.nx;
        for (let x = 0; x < g.nx; x++, p++) {
          const m = mask[p]! * scale,
            f = 2 * (row + columns[x]!);
          to[2 * p] = m === 0 ? 0 : m * from[f]!;
          to[2 * p + 1] = m === 0 ? 0 : m * from[f + 1]!;
        }
      }
      kernels[`toReal_${precision}`](tables, out, scratch);
    },
    free: () => {
      for (const ptr of [v, wave, own, ...(loss ? [loss] : [])]) arena.free(ptr);
      fineTables.free();
    },
  };
}
