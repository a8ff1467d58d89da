import { spotsWasm } from "./generated/spots.js";
import { jsSpotKernels } from "./js/spots.js";
import { type Arena, defaultArena, wasmAvailable } from "./memory.js";

/** Kernels of the spot search on flat frames [ny, nx]; no checks. Both backends give the same bits. */
export interface SpotKernels {
  readonly name: "js" | "wasm";
  /**
   * Clipped local mean: `rounds` times the mean over (2h+1)² windows of the pixels with (v − level)² <= c2gain·max(level, ¼) + c2psi.
   * Returns the level, counts, and 1 where a pixel stands out or is masked.
   */
  background(
    data: Float32Array,
    mask: Uint8Array | undefined,
    ny: number,
    nx: number,
    h: number,
    rounds: number,
    c2gain: number,
    c2psi: number,
  ): { level: Float32Array; excluded: Uint8Array };
  /** Excess over the level (0 where masked), and the indices of the local maxima of its 3 × 3 sum that exceed √k2 standard deviations. */
  candidates(
    data: Float32Array,
    level: Float32Array,
    excluded: Uint8Array,
    mask: Uint8Array | undefined,
    ny: number,
    nx: number,
    k2: number,
    gain: number,
    psi: number,
  ): { excess: Float32Array; indices: Int32Array };
}

interface Exports {
  background(
    data: number,
    level: number,
    excluded: number,
    kept: number,
    weight: number,
    mask: number,
    columns: number,
    counts: number,
    ny: number,
    nx: number,
    h: number,
    rounds: number,
    c2gain: number,
    c2psi: number,
  ): void;
  candidates(
    data: number,
    level: number,
    excluded: number,
    mask: number,
    excess: number,
    out: number,
    cap: number,
    ny: number,
    nx: number,
    k2: number,
    gain: number,
    psi: number,
  ): number;
}

/** The WebAssembly backend on an arena. Blocks are taken and given back in each call: nothing stays allocated. */
export function wasmSpotKernels(arena: Arena): SpotKernels {
  const scratch = <T>(sizes: readonly number[], body: (p: readonly number[]) => T): T => {
    const p: number[] = [];
    try {
      for (const bytes of sizes) p.push(arena.alloc(bytes));
      return body(p);
    } finally {
      for (const ptr of p) arena.free(ptr);
    }
  };
  return {
    name: "wasm",
    background: (data, mask, ny, nx, h, rounds, c2gain, c2psi) =>
      scratch(
        [4 * data.length, 4 * data.length, data.length, 4 * data.length, 4 * data.length, 8 * nx, 8 * nx, mask ? data.length + 16 : 16],
        (p) => {
          const n = data.length,
            [d, level, excluded, kept, weight, columns, counts, m] = p as [number, number, number, number, number, number, number, number];
          arena.f32(d, n).set(data);
          arena.f32(level, n).fill(0);
          if (mask) arena.u8(m, n).set(mask);
          arena
            .family<Exports>(spotsWasm)
            .background(d, level, excluded, kept, weight, mask ? m : 0, columns, counts, ny, nx, h, rounds, c2gain, c2psi);
          return { level: arena.f32(level, n).slice(), excluded: arena.u8(excluded, n).slice() };
        },
      ),
    candidates: (data, level, excluded, mask, ny, nx, k2, gain, psi) =>
      scratch([4 * data.length, 4 * data.length, data.length, 4 * data.length, 4 * data.length, mask ? data.length : 16], (p) => {
        const n = data.length,
          [d, l, e, excess, out, m] = p as [number, number, number, number, number, number];
        arena.f32(d, n).set(data);
        arena.f32(l, n).set(level);
        arena.u8(e, n).set(excluded);
        if (mask) arena.u8(m, n).set(mask);
        const count = arena.family<Exports>(spotsWasm).candidates(d, l, e, mask ? m : 0, excess, out, n, ny, nx, k2, gain, psi);
        return { excess: arena.f32(excess, n).slice(), indices: arena.i32(out, count).slice() };
      }),
  };
}

/** WebAssembly where it can run, else plain TypeScript. */
export function defaultSpotKernels(): SpotKernels {
  return wasmAvailable() ? wasmSpotKernels(defaultArena()) : jsSpotKernels;
}
