import { imagesWasm } from "./generated/images.js";
import { edgeRule, type ImageKernels } from "./images.js";
import type { Arena } from "./memory.js";

type N = number;
interface Exports {
  separable(data: N, out: N, wy: N, ry: N, wx: N, rx: N, ny: N, nx: N, rule: N, row: N, rows: N, zeros: N): void;
  pad(data: N, padded: N, ny: N, nx: N, ry: N, rx: N, rule: N, fill: N): void;
  correlate(padded: N, out: N, w: N, ny: N, nx: N, ry: N, rx: N): void;
  extreme(padded: N, out: N, ny: N, nx: N, ry: N, rx: N, high: N): void;
  median(padded: N, out: N, ny: N, nx: N, ry: N, rx: N, keep: N): void;
  medianU16(data: N, out: N, ny: N, nx: N, ry: N, rx: N, fine: N, coarse: N): void;
  localMoments(data: N, mask: N, mean: N, variance: N, count: N, ny: N, nx: N, ry: N, rx: N, rule: N, sums: N, squares: N, counts: N): void;
  accumulate(sum: N, squares: N, frames: N, n: N, size: N): void;
  bin(data: N, mask: N, out: N, bad: N, ny: N, nx: N, factor: N, saturation: N): void;
  totals(data: N, mask: N, n: N, out: N): void;
  match(data: N, nx: N, y0: N, x0: N, template: N, ty: N, tx: N, ry: N, rx: N, out: N): void;
}
/** Rows are handled in blocks of 16 f32: room behind every buffer for the end of the last block. */
const SLACK = 64;

/** The WebAssembly backend on an arena. Blocks are taken and given back in each call: nothing stays allocated. */
export function wasmImageKernels(arena: Arena): ImageKernels {
  const k = (): Exports => arena.family<Exports>(imagesWasm);
  const scratch = <T>(body: (take: (bytes: number) => number) => T): T => {
    const blocks: number[] = [];
    try {
      return body((bytes) => {
        const p = arena.alloc(bytes + SLACK);
        blocks.push(p);
        return p;
      });
    } finally {
      for (const p of blocks) arena.free(p);
    }
  };
  type Take = (bytes: number) => number;
  const put = (take: Take, a: Float32Array): number => {
    const p = take(4 * a.length);
    arena.f32(p, a.length).set(a);
    return p;
  };
  const putMask = (take: Take, a: Uint8Array | undefined): number => {
    if (!a) return 0;
    const p = take(a.length);
    arena.u8(p, a.length).set(a);
    return p;
  };
  /** Copy and padded copy; returns the address of the padded one. */
  const putPadded = (take: Take, data: Float32Array, ny: N, nx: N, ry: N, rx: N, rule: N, fill: N): number => {
    const padded = take(4 * (ny + 2 * ry) * (nx + 2 * rx));
    const d = put(take, data);
    k().pad(d, padded, ny, nx, ry, rx, rule, fill);
    return padded;
  };
  return {
    name: "wasm",
    separable: (data, ny, nx, wy, wx, edge) =>
      scratch((take) => {
        const ry = (wy.length - 1) / 2,
          rx = (wx.length - 1) / 2;
        const out = take(4 * data.length),
          row = take(4 * (nx + 2 * rx)),
          rows = take(4 * wy.length),
          zeros = take(4 * nx);
        arena.f32(zeros, nx + 16).fill(0);
        k().separable(put(take, data), out, put(take, wy), ry, put(take, wx), rx, ny, nx, edgeRule[edge], row, rows, zeros);
        return arena.f32(out, data.length).slice();
      }),
    correlate: (data, ny, nx, weights, ry, rx, edge) =>
      scratch((take) => {
        const out = take(4 * data.length);
        k().correlate(putPadded(take, data, ny, nx, ry, rx, edgeRule[edge], 0), out, put(take, weights), ny, nx, ry, rx);
        return arena.f32(out, data.length).slice();
      }),
    extreme: (data, ny, nx, ry, rx, high) =>
      scratch((take) => {
        const out = take(4 * data.length);
        const fill = high ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
        k().extreme(putPadded(take, data, ny, nx, ry, rx, 0, fill), out, ny, nx, ry, rx, high ? 1 : 0);
        return arena.f32(out, data.length).slice();
      }),
    median: (data, ny, nx, ry, rx, edge) =>
      scratch((take) => {
        const out = take(4 * data.length),
          keep = take(16 * ((2 * ry + 1) * (2 * rx + 1) + 2));
        k().median(putPadded(take, data, ny, nx, ry, rx, edgeRule[edge], 0), out, ny, nx, ry, rx, keep);
        return arena.f32(out, data.length).slice();
      }),
    medianU16: (data, ny, nx, ry, rx) =>
      scratch((take) => {
        const d = take(2 * data.length),
          out = take(2 * data.length);
        arena.u16(d, data.length).set(data);
        k().medianU16(d, out, ny, nx, ry, rx, take(4 * 65536), take(4 * 256));
        return arena.u16(out, data.length).slice();
      }),
    localMoments: (data, mask, ny, nx, ry, rx, edge, want) =>
      scratch((take) => {
        const n = data.length,
          d = put(take, data),
          m = putMask(take, mask),
          mean = take(4 * n);
        const variance = want.variance ? take(4 * n) : 0,
          count = want.count ? take(4 * n) : 0;
        k().localMoments(d, m, mean, variance, count, ny, nx, ry, rx, edgeRule[edge], take(8 * nx), take(8 * nx), take(8 * nx));
        return {
          mean: arena.f32(mean, n).slice(),
          variance: variance ? arena.f32(variance, n).slice() : undefined,
          count: count ? arena.f32(count, n).slice() : undefined,
        };
      }),
    accumulate: (sum, squares, frames, n) =>
      scratch((take) => {
        const size = sum.length,
          s = take(8 * size),
          q = squares ? take(8 * size) : 0,
          f = take(4 * size);
        arena.f64(s, size).set(sum);
        if (squares) arena.f64(q, size).set(squares);
        // One frame at a time: memory stays bounded however long the stack is.
        for (let i = 0; i < n; i++) {
          arena.f32(f, size).set(frames.subarray(i * size, (i + 1) * size));
          k().accumulate(s, q, f, 1, size);
        }
        sum.set(arena.f64(s, size));
        squares?.set(arena.f64(q, size));
      }),
    bin: (data, mask, ny, nx, factor, saturation) =>
      scratch((take) => {
        const n = Math.floor(ny / factor) * Math.floor(nx / factor),
          out = take(4 * n),
          bad = take(n);
        k().bin(put(take, data), putMask(take, mask), out, bad, ny, nx, factor, saturation);
        return { data: arena.f32(out, n).slice(), bad: arena.u8(bad, n).slice() };
      }),
    totals: (data, mask) =>
      scratch((take) => {
        const out = take(40);
        k().totals(put(take, data), putMask(take, mask), data.length, out);
        return arena.f64(out, 5).slice();
      }),
    match: (data, nx, y0, x0, template, ty, tx, ry, rx) =>
      scratch((take) => {
        const n = (2 * ry + 1) * (2 * rx + 1),
          out = take(8 * n);
        k().match(put(take, data), nx, y0, x0, put(take, template), ty, tx, ry, rx, out);
        return arena.f64(out, n).slice();
      }),
  };
}
