/** Plain TypeScript twin of assembly/spots.ts: the reference in conformance tests and the fallback without WebAssembly. Same bits. */
import type { SpotKernels } from "../spots.js";

const f = Math.fround;

export const jsSpotKernels: SpotKernels = {
  name: "js",
  background(data, mask, ny, nx, h, rounds, c2gain, c2psi) {
    const n = ny * nx,
      level = new Float32Array(n),
      excluded = new Uint8Array(n),
      kept = new Float32Array(n);
    const columns = new Float64Array(nx),
      counts = new Int32Array(nx),
      cg = f(c2gain),
      cp = f(c2psi);
    const mark = (from: number, to: number, first: boolean): void => {
      for (let i = from; i < to; i++) {
        const v = data[i]!,
          l = level[i]!,
          d = f(v - l);
        const out = (!first && d > 0 && f(d * d) > f(f(cg * Math.max(l, 0.25)) + cp)) || (mask !== undefined && mask[i] !== 0);
        excluded[i] = out ? 1 : 0;
        kept[i] = out ? 0 : v;
      }
    };
    for (let round = 0; round < rounds; round++) {
      columns.fill(0);
      counts.fill(0);
      let entered = 0;
      for (let y = 0; y < ny; y++) {
        for (; entered <= Math.min(y + h, ny - 1); entered++) {
          mark(entered * nx, (entered + 1) * nx, round === 0);
          for (let x = 0, i = entered * nx; x < nx; x++, i++) {
            columns[x]! += kept[i]!;
            counts[x]! += 1 - excluded[i]!;
          }
        }
        if (y - h - 1 >= 0)
          for (let x = 0, i = (y - h - 1) * nx; x < nx; x++, i++) {
            columns[x]! -= kept[i]!;
            counts[x]! -= 1 - excluded[i]!;
          }
        let s = 0,
          c = 0;
        for (let x = 0; x < Math.min(h, nx); x++) {
          s += columns[x]!;
          c += counts[x]!;
        }
        for (let x = 0, row = y * nx; x < nx; x++) {
          if (x + h < nx) {
            s += columns[x + h]!;
            c += counts[x + h]!;
          }
          if (x - h - 1 >= 0) {
            s -= columns[x - h - 1]!;
            c -= counts[x - h - 1]!;
          }
          // A window without a single background pixel keeps the level of the round before.
          if (c > 0) level[row + x] = s / c;
        }
      }
    }
    mark(0, n, false);
    return { level, excluded };
  },
  candidates(data, level, excluded, mask, ny, nx, k2, gain, psi) {
    const excess = new Float32Array(data.length),
      out: number[] = [],
      kk = f(f(k2) * 9),
      g = f(gain),
      p = f(psi);
    for (let i = 0; i < data.length; i++) excess[i] = mask !== undefined && mask[i] !== 0 ? 0 : data[i]! - level[i]!;
    const three = (i: number): number => f(f(excess[i - 1]! + excess[i]!) + excess[i + 1]!);
    const nine = (i: number): number => f(f(three(i - nx) + three(i)) + three(i + nx));
    for (let y = 2; y < ny - 2; y++)
      for (let x = 2; x < nx - 2; x++) {
        const i = y * nx + x;
        if (excluded[i] === 0 || excess[i]! <= 0) continue;
        const sum = nine(i);
        if (sum <= 0) continue;
        const counts = f(f(sum / 9) + level[i]!);
        if (f(sum * sum) < f(kk * f(f(g * Math.max(counts, 0.25)) + p))) continue;
        let top = true;
        for (let dy = -1; dy <= 1 && top; dy++)
          for (let dx = -1; dx <= 1 && top; dx++) {
            if (dx === 0 && dy === 0) continue;
            const m = nine(i + dy * nx + dx);
            if (m > sum || (m === sum && (dy < 0 || (dy === 0 && dx < 0)))) top = false;
          }
        if (top) out.push(i);
      }
    return { excess, indices: Int32Array.from(out) };
  },
};
