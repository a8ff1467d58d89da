import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import type { Edge, ImageKernels } from "./images.js";
import { wasmImageKernels } from "./images-wasm.js";
import { jsImageKernels } from "./js/images.js";
import { arena, wasmAvailable } from "./memory.js";

const g = rng("image kernels");
const image = (n: number, counts = false): Float32Array =>
  Float32Array.from({ length: n }, () => (counts ? g.poisson(20) : 100 * g.normal()));
const maskOf = (n: number, share: number): Uint8Array => Uint8Array.from({ length: n }, () => (g.uniform() < share ? 1 : 0));
const shapes: [number, number][] = [
  [1, 1],
  [1, 7],
  [5, 1],
  [3, 4],
  [16, 16],
  [17, 33],
  [40, 61],
];
const edges: Edge[] = ["zero", "mirror", "nearest"];
const js: ImageKernels = jsImageKernels;

describe.skipIf(!wasmAvailable())("WebAssembly and TypeScript image kernels give the same bits", () => {
  const memory = arena();
  const wasm = wasmImageKernels(memory);
  describe.each(shapes)("%i × %i", (ny, nx) => {
    const a = image(ny * nx),
      counts = image(ny * nx, true),
      mask = maskOf(ny * nx, 0.4);
    test.each(edges)("separable, correlate, median, moments, edge %s", (edge) => {
      for (const [ry, rx] of [
        [0, 0],
        [1, 2],
        [4, 1],
        [9, 20],
      ] as const) {
        const wy = image(2 * ry + 1),
          wx = image(2 * rx + 1);
        expect(wasm.separable(a, ny, nx, wy, wx, edge)).toEqual(js.separable(a, ny, nx, wy, wx, edge));
        for (const m of [undefined, mask])
          for (const want of [
            { variance: true, count: true },
            { variance: false, count: false },
          ])
            expect(wasm.localMoments(a, m, ny, nx, ry, rx, edge, want)).toEqual(js.localMoments(a, m, ny, nx, ry, rx, edge, want));
        if (rx > 3) continue;
        const w = image((2 * ry + 1) * (2 * rx + 1)).map((v) => (v > 100 ? 0 : v));
        expect(wasm.correlate(a, ny, nx, w, ry, rx, edge)).toEqual(js.correlate(a, ny, nx, w, ry, rx, edge));
        expect(wasm.median(a, ny, nx, ry, rx, edge)).toEqual(js.median(a, ny, nx, ry, rx, edge));
        expect(wasm.median(counts, ny, nx, ry, rx, edge)).toEqual(js.median(counts, ny, nx, ry, rx, edge));
      }
    });
    test("extremes, u16 median, bins, totals, sums", () => {
      for (const r of [0, 1, 2, 3, 7, 12]) {
        for (const high of [true, false]) {
          expect(wasm.extreme(a, ny, nx, r, 1, high)).toEqual(js.extreme(a, ny, nx, r, 1, high));
          expect(wasm.extreme(a, ny, nx, 1, r, high)).toEqual(js.extreme(a, ny, nx, 1, r, high));
        }
        const u = Uint16Array.from(counts, (v) => v * 700);
        expect(wasm.medianU16(u, ny, nx, r, 2)).toEqual(js.medianU16(u, ny, nx, r, 2));
      }
      for (const m of [undefined, mask, mask.map(() => 1)])
        for (const factor of [1, 2, 3]) expect(wasm.bin(counts, m, ny, nx, factor, 27)).toEqual(js.bin(counts, m, ny, nx, factor, 27));
      const holed = a.map((v, i) => (i % 5 === 3 ? Number.NaN : v));
      expect(wasm.totals(holed, mask)).toEqual(js.totals(holed, mask));
      const run = (k: ImageKernels): Float64Array[] => {
        const sum = new Float64Array(ny * nx).fill(1),
          squares = new Float64Array(ny * nx);
        k.accumulate(sum, squares, image(0), 0);
        const frames = Float32Array.from({ length: 3 * ny * nx }, (_, i) => Math.sin(i) * 1e3);
        k.accumulate(sum, squares, frames, 3);
        k.accumulate(sum, undefined, frames, 2);
        return [sum, squares];
      };
      expect(run(wasm)).toEqual(run(js));
    });
  });
  test("template match", () => {
    const a = image(30 * 31),
      t = image(7 * 9);
    expect(wasm.match(a, 31, 10, 9, t, 7, 9, 4, 5)).toEqual(js.match(a, 31, 10, 9, t, 7, 9, 4, 5));
  });
  test("nothing stays allocated", () => {
    const p = memory.alloc(64);
    expect(p).toBe(4096);
    memory.free(p);
  });
});
