import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { detectorKernels } from "./detectors.js";
import { arena } from "./memory.js";

function run(backend: "wasm" | "js", type: "f32" | "f64", ny: number, nx: number): number[] {
  const a = arena(),
    k = detectorKernels(a, backend),
    n = nx * ny,
    g = rng(`detectors ${ny} ${nx}`);
  const wave = a.alloc(16 * n),
    labels = a.alloc(2 * n),
    sums = a.alloc(8 * 9),
    out = a.alloc(4 * n);
  const w = type === "f32" ? a.f32(wave, 2 * n) : a.f64(wave, 2 * n);
  for (let i = 0; i < 2 * n; i++) w[i] = g.normal();
  for (let i = 0, l = a.u16(labels, n); i < n; i++) l[i] = g.uniform() < 0.2 ? 65535 : g.integer(9);
  k.clear(sums, 72);
  k.clear(out, 4 * n);
  k[`bins_${type}`](wave, n, labels, sums);
  k[`pattern_${type}`](wave, ny, nx, ny - 3, nx - 2, out, 0.3);
  k[`pattern_${type}`](wave, ny, nx, ny - 3, nx - 2, out, 0.7);
  return [...a.f64(sums, 9), ...a.f32(out, (ny - 3) * (nx - 2))];
}

test.each([
  ["f32", 8, 12],
  ["f64", 9, 15],
  ["f32", 17, 6],
  ["f64", 32, 32],
] as const)("both backends give the same bits: %s, %i × %i", (type, ny, nx) => {
  const wasm = run("wasm", type, ny, nx);
  expect(wasm).toEqual(run("js", type, ny, nx));
  expect(wasm.every(Number.isFinite)).toBe(true);
});

test("the direct beam stands at index floor(m/2)", () => {
  const a = arena(),
    k = detectorKernels(a),
    wave = a.alloc(8 * 64),
    out = a.alloc(4 * 64);
  a.f32(wave, 128).fill(0);
  a.f32(wave, 128).set([0, 2], 0); // bin (0, 0)
  a.f32(wave, 128).set([1, 0], 2 * (7 * 8 + 1)); // bin (−1, 1)
  for (const m of [4, 5]) {
    k.clear(out, 256);
    k.pattern_f32(wave, 8, 8, m, m, out, 1);
    const p = a.f32(out, m * m);
    expect(p[2 * m + 2]).toBe(4);
    expect(p[1 * m + 3]).toBe(1);
  }
});
