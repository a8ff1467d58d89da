import type { PoolCall } from "../core/pool.js";
import { fftTables } from "../kernels/fft.js";
import type { Arena } from "../kernels/memory.js";

type Task = PoolCall[];
/** Tasks of one phase. The same for any number of workers, so that sums are the same bits. */
const TASKS = 16;

/**
 * Real 3-D FFT in place on a half-complex grid [gz][gy][gx/2 + 1] of a real volume that fills only the box [nz, ny, nx] in its corner:
 * lines that hold nothing are not transformed (about half the work at threefold padding). The volume is kept as rows of gx values,
 * [nz][ny][gx], zero behind nx. Phases of independent tasks, for a runner.
 */
export function boxedFft(arena: Arena, box: readonly [number, number, number], grid: readonly [number, number, number]) {
  const [nz, ny] = box,
    [gz, gy, gx] = grid,
    half = gx / 2 + 1;
  const volume = arena.alloc(4 * nz * ny * gx),
    spectrum = arena.alloc(8 * gz * gy * half);
  const rows = fftTables(arena, gx, "f32", true),
    y = fftTables(arena, gy, "f32"),
    z = fftTables(arena, gz, "f32");
  const size = Math.max(rows.scratchBytes, y.scratchBytes, z.scratchBytes);
  const scratch = Array.from({ length: TASKS }, () => arena.alloc(size));
  const split = (n: number, make: (lo: number, hi: number, task: number) => Task): Task[] => {
    const count = Math.min(TASKS, n);
    return Array.from({ length: count }, (_, i) => make(Math.floor((i * n) / count), Math.floor(((i + 1) * n) / count), i));
  };
  const call = (name: string, ...args: number[]): PoolCall => ({ family: "fft", name, args });
  const clear = (p: number, bytes: number): PoolCall => ({ family: "fourier", name: "clear", args: [p, bytes] });
  const line = 8 * half,
    plane = line * gy,
    unitsY = Math.ceil(line / y.batchBytes),
    unitsZ = Math.ceil(plane / z.batchBytes);
  const at = (zPlane: number): number => spectrum + zPlane * plane;
  const depth = (inverse: number, scale: number): Task[] =>
    split(unitsZ, (lo, hi, t) => [call("cols_f32", z.d, spectrum, gy * half, lo, hi, scratch[t]!, inverse, scale)]);
  return {
    volume,
    spectrum,
    bytes: 4 * nz * ny * gx + 8 * gz * gy * half,
    /** volume → spectrum, unscaled. */
    forward: (): Task[][] => [
      [
        ...split(nz, (lo, hi, t) =>
          Array.from({ length: hi - lo }, (_, k) => lo + k).flatMap((i) => [
            call("r2c_f32", rows.d, volume + 4 * i * ny * gx, 4 * gx, at(i), line, 0, ny, scratch[t]!, 1),
            clear(at(i) + ny * line, (gy - ny) * line),
            call("cols_f32", y.d, at(i), half, 0, unitsY, scratch[t]!, 0, 1),
          ]),
        ),
        ...split(gz - nz, (lo, hi) => [clear(at(nz + lo), (hi - lo) * plane)]),
      ],
      depth(0, 1),
    ],
    /** spectrum → volume, with 1/N; overwrites the spectrum. */
    inverse: (): Task[][] => [
      depth(1, 1 / (gz * gy * gx)),
      split(nz, (lo, hi, t) =>
        Array.from({ length: hi - lo }, (_, k) => lo + k).flatMap((i) => [
          call("cols_f32", y.d, at(i), half, 0, unitsY, scratch[t]!, 1, 1),
          call("c2r_f32", rows.d, at(i), line, volume + 4 * i * ny * gx, 4 * gx, 0, ny, scratch[t]!, 1),
        ]),
      ),
    ],
    split,
  };
}

/** Bytes of `boxedFft`, without its small tables. */
export const boxedFftBytes = (box: readonly [number, number, number], grid: readonly [number, number, number]): number =>
  4 * box[0] * box[1] * grid[2] + 8 * grid[0] * grid[1] * (grid[2] / 2 + 1);
