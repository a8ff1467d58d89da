import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { maxRelative } from "../testing/close.js";
import { arena } from "./memory.js";
import { multisliceKernels, multisliceTables } from "./multislice.js";

/** The same calls on both backends; grids with primes, odd sizes and more columns than a batch. */
const grids = [
  [16, 16],
  [30, 36],
  [25, 27],
  [14, 22],
  [64, 256],
  [17, 13],
] as const;

function run(backend: "wasm" | "js", type: "f32" | "f64", ny: number, nx: number): number[][] {
  const a = arena(),
    k = multisliceKernels(a, backend),
    bytes = type === "f32" ? 4 : 8,
    n = nx * ny;
  const left = Math.floor(nx / 3) + 1,
    right = Math.floor(nx / 3);
  const t = multisliceTables(a, ny, nx, type, left, right, backend);
  const view = (ptr: number, length: number) => (type === "f32" ? a.f32(ptr, length) : a.f64(ptr, length));
  const g = rng(`multislice ${ny} ${nx}`);
  const block = (length: number): number => {
    const ptr = a.alloc(length * bytes);
    for (let i = 0, v = view(ptr, length); i < length; i++) v[i] = g.normal();
    return ptr;
  };
  const wave = block(4 * n),
    transmission = block(2 * n),
    propagator = block(2 * n),
    potential = block(n),
    x = block(2 * nx),
    y = block(2 * ny),
    out = block(2 * n),
    scratch = a.alloc(t.scratchBytes),
    slices = a.alloc(32),
    sums = a.alloc(64),
    masks = a.alloc(8 * n);
  a.i32(slices, 6).set([transmission, propagator, propagator, transmission, transmission, propagator]);
  for (let i = 0, m = a.f32(masks, 2 * n); i < 2 * n; i++) m[i] = g.uniform() < 0.5 ? 0 : g.uniform();
  const results: number[][] = [];
  const save = (ptr: number, length: number): void => void results.push([...view(ptr, length)]);
  // waves come in without anything outside the kept columns
  for (let w = 0; w < 2; w++) k[`filter_${type}`](t.ptr, wave + 2 * n * bytes * w, w ? propagator : 0, false, scratch);
  save(wave, 4 * n);
  k[`advance_${type}`](t.ptr, slices, 0, 2, wave, 2, scratch);
  k[`advance_${type}`](t.ptr, slices, 2, 3, wave, 2, scratch);
  save(wave, 4 * n);
  k[`detect_${type}`](wave, n, masks, 2, sums);
  results.push([...a.f64(sums, 2)]);
  k[`toReal_${type}`](t.ptr, wave, scratch);
  save(wave, 2 * n);
  k[`filter_${type}`](t.ptr, wave, propagator, true, scratch);
  save(wave, 2 * n);
  k[`shifted_${type}`](t.ptr, propagator, x, y, out);
  save(out, 2 * n);
  k[`spread_${type}`](wave, ny - 5, nx - 3, out, ny, nx);
  save(out, 2 * n);
  k[`intensity_${type}`](wave, n, out, 0.5, false);
  k[`intensity_${type}`](propagator, n, out, 2, true);
  save(out, n);
  k[`transmit_${type}`](potential, 0, 30, n, out);
  save(out, 2 * n);
  k[`transmit_${type}`](potential, potential, 3, n, out);
  save(out, 2 * n);
  const [steps, weights, rows, f] = [a.alloc(64), a.alloc(64), a.alloc(16 * 5 * 80), a.alloc(8 * 400)] as const;
  a.f64(steps, 5).set([0.1, 0.25, -1.7, 1e3 + 1 / 3, 0]);
  a.f64(weights, 5).set([1, 2, 3, 0.5, 1]);
  for (let i = 0; i < 400; i++) a.f64(f, 400)[i] = g.normal();
  k.phases(steps, weights, 5, -40, 40, rows);
  k.weigh(rows, f, rows, 400);
  results.push([...a.f64(rows, 800)]);
  return results;
}

describe.each(["f32", "f64"] as const)("both backends, %s", (type) => {
  test.each(grids)("grid %i × %i", (ny, nx) => {
    const wasm = run("wasm", type, ny, nx),
      js = run("js", type, ny, nx);
    wasm.forEach((w, i) => {
      expect(maxRelative(w, js[i]!), `result ${i}`).toBeLessThan(type === "f32" ? 2e-6 : 2e-14);
    });
  });
});
