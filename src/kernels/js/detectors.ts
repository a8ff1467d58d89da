import type { DetectorKernels } from "../detectors.js";
import type { Arena } from "../memory.js";

/** Plain TypeScript twin of assembly/detectors.ts: the reference of the conformance test and the fallback without WebAssembly. Same bits. */
export function jsDetectors(arena: Arena): DetectorKernels {
  const view = (bytes: 4 | 8, at: number, length: number) => (bytes === 4 ? arena.f32(at, length) : arena.f64(at, length));
  const bins =
    (bytes: 4 | 8) =>
    (wave: number, n: number, labels: number, out: number): void => {
      const w = view(bytes, wave, 2 * n),
        label = arena.u16(labels, n),
        sums = new Float64Array(arena.memory.buffer, out);
      for (let i = 0; i < n; i++) {
        const l = label[i]!;
        if (l !== 65535) sums[l]! += w[2 * i]! * w[2 * i]! + w[2 * i + 1]! * w[2 * i + 1]!;
      }
    };
  const pattern =
    (bytes: 4 | 8) =>
    (wave: number, ny: number, nx: number, my: number, mx: number, out: number, weight: number): void => {
      const w = view(bytes, wave, 2 * nx * ny),
        o = arena.f32(out, my * mx),
        left = mx >> 1,
        top = my >> 1;
      for (let r = 0, k = 0; r < my; r++)
        for (let c = 0; c < mx; c++, k++) {
          const p = 2 * (((r - top + ny) % ny) * nx + ((c - left + nx) % nx));
          o[k]! += weight * (w[p]! * w[p]! + w[p + 1]! * w[p + 1]!);
        }
    };
  return {
    bins_f32: bins(4),
    bins_f64: bins(8),
    pattern_f32: pattern(4),
    pattern_f64: pattern(8),
    clear: (at, n) => void arena.u8(at, n).fill(0),
  };
}
