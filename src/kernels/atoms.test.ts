import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { type AtomKernels, atomsWasm } from "./atoms.js";
import { expNegative, jsAtomKernels } from "./js/atoms.js";
import { type Arena, arena } from "./memory.js";

const [n, W, ny, nx, pad] = [40, 12, 37, 45, 12],
  stride = nx + 2 * pad,
  count = Math.ceil((stride * (ny + 2 * pad)) / 4) * 4;

/** Everything one backend computes from the same seeded atoms, some of them off the image. */
function run(make: (a: Arena) => AtomKernels): { [name: string]: Float32Array | Float64Array } {
  const a = arena(),
    k = make(a),
    random = rng("atoms kernel");
  const f32 = (length: number, value?: () => number): number => {
    const p = a.alloc(4 * length);
    a.f32(p, length).set(Float32Array.from({ length }, value ?? (() => 0)));
    return p;
  };
  const centres = a.alloc(16 * n),
    width = a.alloc(8 * n),
    origin = a.alloc(4 * n);
  for (let i = 0; i < n; i++) {
    a.f64(centres, 2 * n).set([60 * random.uniform() - 8, 50 * random.uniform() - 6], 2 * i);
    a.f64(width, n)[i] = 0.9 + random.uniform();
  }
  const g = f32(2 * n * W),
    frac = f32(2 * n),
    c = f32(4 * n, random.normal),
    image = f32(count),
    data = f32(count, random.normal),
    weight = f32(count, random.uniform),
    scratch = f32(W),
    scratch2 = f32(count),
    out = f32(4 * n),
    high = f32(15 * n),
    normal = f32(4 * n),
    volume = f32(20 * 21 * 22),
    b = a.alloc(24),
    sums = a.alloc(32);
  a.f64(b, 3).set([0.3, -1.2, 0.7]);
  k.patches(n, centres, width, W, ny, nx, pad, origin, g, frac);
  k.forward(n, W, stride, origin, g, frac, c, image, scratch);
  k.adjoint(n, W, stride, origin, g, frac, data, out);
  k.moments(n, W, stride, origin, g, frac, weight, high);
  const model = a.f32(image, count).slice();
  k.normal(n, W, ny, nx, pad, count, origin, g, frac, c, b, image, weight, normal, sums, scratch);
  const weighted = a.f32(image, count).slice();
  const chi2 = k.residual(ny, nx, pad, data, image, weight, scratch2);
  a.f64(sums, 4)[3] = chi2;
  k.smear(volume, 2, 19, 21, 22, 1.3, 0.4, 0.3, -3, -0.2, 1.4, 0.5, -2, data, ny, nx, pad);
  const copy = (p: number, length: number): Float32Array => a.f32(p, length).slice();
  return {
    g: copy(g, 2 * n * W),
    c: copy(c, 4 * n),
    data: copy(data, count),
    model,
    weighted,
    residual: copy(scratch2, count),
    sums: a.f64(sums, 4).slice(),
    out: copy(out, 4 * n),
    high: copy(high, 15 * n),
    normal: copy(normal, 4 * n),
    volume: copy(volume, 20 * 21 * 22),
  };
}

describe("kernels of Gaussian atoms", () => {
  const js = run(jsAtomKernels),
    wasm = run((a) => a.family<AtomKernels>(atomsWasm));
  test.each(Object.keys(js))("%s has the same bits in both backends", (name) => {
    expect(wasm[name]).toEqual(js[name]);
    expect(js[name]!.some((v) => v !== 0)).toBe(true);
    expect(js[name]!.every(Number.isFinite)).toBe(true);
  });
  test("adjoint is the transpose of forward", () => {
    let left = 0,
      right = 0,
      size = 0;
    for (let i = 0; i < count; i++) left += js.model![i]! * js.data![i]!;
    for (let i = 0; i < 4 * n; i++) {
      right += js.c![i]! * js.out![i]!;
      size += Math.abs(js.c![i]! * js.out![i]!);
    }
    expect(Math.abs(left - right) / size).toBeLessThan(1e-6);
  });
  test("exp", () => {
    for (let x = 0; x > -75; x -= 0.37) expect(Math.abs(expNegative(x) / Math.exp(x) - 1)).toBeLessThan(4e-16);
  });
});
