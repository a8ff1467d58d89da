/** Plain TypeScript twin of assembly/fourier.ts. Same bits. */
import type { FourierKernels } from "../fourier.js";
import type { Arena } from "../memory.js";

export function jsFourierKernels(arena: Arena): FourierKernels {
  const buffer = (): ArrayBufferLike => arena.memory.buffer;
  return {
    constrain(vol, support, lo, hi, nx, width, positive) {
      const a = new Float32Array(buffer()),
        inside = new Uint8Array(buffer());
      for (let r = lo; r < hi; r++) {
        const row = vol / 4 + r * width;
        for (let x = 0; x < nx; x++) if ((positive && !(a[row + x]! > 0)) || (support && !inside[support + r * nx + x])) a[row + x] = 0;
        a.fill(0, row + nx, row + width);
      }
    },
    enforce(grid, index, value, radius, flags, lo, hi, limit, sums) {
      const a = new Float32Array(buffer()),
        u = new Uint32Array(buffer()),
        b = new Uint8Array(buffer()),
        s = new Float64Array(buffer()),
        at = sums / 8,
        most = Math.fround(limit);
      let magnitude = 0,
        complex = 0,
        total = 0;
      for (let i = lo; i < hi; i++) {
        const g = grid / 4 + 2 * u[index / 4 + i]!,
          m = value / 4 + 2 * i;
        const [re, im, mr, mi] = [a[g]!, a[g + 1]!, a[m]!, a[m + 1]!];
        const f = Math.sqrt(re * re + im * im),
          size = Math.sqrt(mr * mr + mi * mi),
          flag = b[flags + i]!;
        if (flag & 128) {
          s[at + 3 + 2 * (flag & 127)]! += Math.abs(f - size);
          s[at + 4 + 2 * (flag & 127)]! += size;
          continue;
        }
        magnitude += Math.abs(f - size);
        complex += Math.sqrt((re - mr) * (re - mr) + (im - mi) * (im - mi));
        total += size;
        if (a[radius / 4 + i]! < most) {
          a[g] = mr;
          a[g + 1] = mi;
        }
      }
      s[at]! += magnitude;
      s[at + 1]! += complex;
      s[at + 2]! += total;
    },
    clear: (p, bytes) => void new Uint8Array(buffer(), p, bytes).fill(0),
  };
}
