import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { arena, defaultArena } from "../kernels/memory.js";
import { maxRelative } from "../testing/close.js";
import { rmsError } from "../testing/exact-dft.js";
import { fc, prop } from "../testing/prop.js";
import { fft, fft2, fftn, ifft, ifft2, ifftn, irfft, irfft2, irfftn, rfft, rfft2, rfftn } from "./fft.js";
import { fftFreq, fftShift, ifftShift, rfftFreq } from "./fft-freq.js";
import { fftPool, runOnPool } from "./fft-parallel.js";
import { fftPlan } from "./fft-plan.js";
import { rfftPlan } from "./fft-real-plan.js";

const random = rng(7);
const values = (n: number): Float64Array => Float64Array.from({ length: n }, () => random.uniform() - 0.5);
const product = (s: readonly number[]): number => s.reduce((p, n) => p * n, 1);
const shapes = fc.array(fc.integer({ min: 1, max: 24 }), { minLength: 1, maxLength: 4 });

test("the sign of the exponent: a wave exp(+2πi·3j/16) is bin 3 of the forward transform", () => {
  const n = 16,
    x = new Float64Array(2 * n);
  for (let j = 0; j < n; j++) {
    x[2 * j] = Math.cos((2 * Math.PI * 3 * j) / n);
    x[2 * j + 1] = Math.sin((2 * Math.PI * 3 * j) / n);
  }
  const expected = new Float64Array(2 * n);
  expected[6] = n;
  expect(rmsError(fft(x), expected)).toBeLessThan(1e-15);
  expect(rmsError(ifft(expected), x)).toBeLessThan(1e-15);
});

prop("wasm and TypeScript twins agree for any shape and axes", [shapes, fc.nat()], (shape, pick) => {
  const axes = shape.map((_, i) => i).filter((i) => (pick >> i) & 1);
  const x = values(2 * product(shape)),
    options = { axes: axes.length ? axes : undefined };
  expect(rmsError(fftn(x, shape, options), fftn(x, shape, { ...options, kernels: "js" }))).toBeLessThan(3e-15);
  expect(rmsError(ifftn(x, shape, options), ifftn(x, shape, { ...options, kernels: "js" }))).toBeLessThan(3e-15);
  const single = Float32Array.from(x);
  expect(rmsError(fftn(single, shape, options), fftn(single, shape, { ...options, kernels: "js" }))).toBeLessThan(5e-7);
});

prop("inverse of forward is the identity, and Parseval's sum holds", [shapes], (shape) => {
  const x = values(2 * product(shape)),
    y = fftn(x, shape);
  expect(rmsError(ifftn(y, shape), x)).toBeLessThan(5e-15);
  const energy = (a: Float64Array): number => a.reduce((s, v) => s + v * v, 0);
  expect(energy(y) / product(shape) / energy(x)).toBeCloseTo(1, 12);
});

prop("axes commute with a loop over the other axes", [fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 40 })], (n, m) => {
  const x = values(2 * n * m);
  const columns = fftn(x, [n, m], { axes: [0] });
  for (const c of new Set([0, m >> 1, m - 1])) {
    const one = new Float64Array(2 * n),
      got = new Float64Array(2 * n);
    for (let j = 0; j < n; j++)
      for (const part of [0, 1]) {
        one[2 * j + part] = x[2 * (j * m + c) + part]!;
        got[2 * j + part] = columns[2 * (j * m + c) + part]!;
      }
    expect(rmsError(got, fft(one))).toBeLessThan(3e-15);
  }
});

test("long columns, where batches are narrower, agree with lines", () => {
  for (const [n, m] of [
    [4099, 7],
    [8192, 21],
    [16384, 3],
    [6000, 34],
    [10007, 5],
  ] as const)
    for (const type of ["c64", "c128"] as const) {
      const all = values(2 * n * m),
        x = type === "c64" ? Float32Array.from(all) : all,
        y = fftn(x, [n, m], { axes: [0] });
      for (const c of [0, m - 1]) {
        const pick = (a: ArrayLike<number>): number[] => Array.from({ length: 2 * n }, (_, i) => a[2 * ((i >> 1) * m + c) + (i & 1)]!);
        expect(rmsError(pick(y), fft(Float64Array.from(pick(x))))).toBeLessThan(type === "c64" ? 4e-7 : 3e-15);
      }
    }
});

prop(
  "a real transform is the half of the complex one, and comes back",
  [shapes, fc.constantFrom("wasm" as const, "js" as const)],
  (shape, kernels) => {
    const x = values(product(shape)),
      n = shape.at(-1)!,
      keep = (n >> 1) + 1;
    const z = Float64Array.from({ length: 2 * x.length }, (_, i) => (i % 2 ? 0 : x[i / 2]!));
    const full = fftn(z, shape),
      half = rfftn(x, shape, { kernels });
    const expected = new Float64Array(half.length);
    for (let r = 0; r < x.length / n; r++) expected.set(full.subarray(2 * r * n, 2 * (r * n + keep)), 2 * r * keep);
    expect(rmsError(half, expected)).toBeLessThan(3e-15);
    expect(rmsError(irfftn(half, shape, { kernels }), x)).toBeLessThan(5e-15);
  },
);

test("real transforms over some axes only, in single precision", () => {
  const x = Float32Array.from(values(6 * 10 * 12));
  for (const axes of [[2], [0, 2], [1, 2], [0, 1, 2]]) {
    const a = rfftn(x, [6, 10, 12], { axes }),
      b = rfftn(x, [6, 10, 12], { axes, kernels: "js" });
    expect(rmsError(a, b)).toBeLessThan(4e-7);
    expect(rmsError(irfftn(a, [6, 10, 12], { axes }), x)).toBeLessThan(4e-7);
  }
});

test("fft.js agrees for powers of two", () => {
  const FFT = createRequire(import.meta.url)("fft.js") as new (
    n: number,
  ) => { transform(out: number[], data: ArrayLike<number>): void; createComplexArray(): number[] };
  for (let n = 2; n <= 8192; n *= 2) {
    const x = values(2 * n),
      oracle = new FFT(n),
      out = oracle.createComplexArray();
    oracle.transform(out, x);
    expect(rmsError(fft(x), out)).toBeLessThan(2e-15);
    expect(rmsError(fft(x, { kernels: "js" }), out)).toBeLessThan(2e-15);
  }
});

test("named shapes: fft2 with a batch, rfft of odd lengths, scales", () => {
  const x = values(2 * 3 * 8 * 10);
  const y = fft2(x, [3, 8, 10]);
  expect(rmsError(y.subarray(2 * 80, 4 * 80), fft2(x.subarray(2 * 80, 4 * 80), [8, 10]))).toBe(0);
  expect(rmsError(ifft2(y, [3, 8, 10]), x)).toBeLessThan(2e-15);
  expect(
    rmsError(
      ifft2(y, [3, 8, 10], { scale: 1 }),
      x.map((v) => 80 * v),
    ),
  ).toBeLessThan(2e-15);
  const r = values(9);
  expect(rmsError(irfft(rfft(r), 9), r)).toBeLessThan(2e-15);
  expect(irfft(rfft(r.subarray(0, 8)))).toHaveLength(8);
  const image = values(7 * 9);
  expect(rmsError(irfft2(rfft2(image, [7, 9]), [7, 9]), image)).toBeLessThan(2e-15);
});

test("a plan keeps its array, works on another of the arena, and gives the memory back", () => {
  const a = arena();
  const before = a.alloc(64);
  a.free(before);
  const plan = fftPlan({ shape: [12, 20], type: "c64", arena: a }),
    other = fftPlan({ shape: [12, 20], type: "c64", arena: a });
  const x = Float32Array.from(values(480));
  plan.data().set(x);
  other.data().set(x);
  plan.forward();
  plan.forward({ at: other.ptr });
  expect(other.data()).toEqual(plan.data());
  expect(plan.data()).toEqual(fftn(x, [12, 20]));
  plan.inverse({ scale: 1 });
  expect(
    maxRelative(
      plan.data(),
      x.map((v) => 240 * v),
    ),
  ).toBeLessThan(1e-6);
  plan.free();
  other.free();
  expect(a.alloc(64)).toBe(before);
});

test("repeated runs allocate nothing in the arena", () => {
  const a = arena(),
    plan = rfftPlan({ shape: [30, 34], type: "f32", arena: a });
  plan.real().fill(1);
  const size = a.memory.buffer.byteLength,
    mark = a.alloc(64);
  a.free(mark);
  for (let i = 0; i < 50; i++) {
    plan.forward();
    plan.inverse();
  }
  expect([a.memory.buffer.byteLength, a.alloc(64)]).toEqual([size, mark]);
  expect(maxRelative(plan.real(), new Float32Array(30 * 34).fill(1))).toBeLessThan(1e-5);
});

test("on a pool: the bits of one thread, for images, volumes, lines and batches", async () => {
  const a = arena({ shared: true }),
    pool = await fftPool(a, { workers: 2 });
  for (const [shape, axes] of [
    [[64, 48], undefined],
    [[61, 37], undefined],
    [[16, 18, 20], undefined],
    [
      [5, 24, 32],
      [1, 2],
    ],
    [
      [7, 9, 11],
      [0, 1],
    ],
    [[300], undefined],
    [[40, 64], [0]],
    [
      [3, 4, 6, 8],
      [0, 3],
    ],
  ] as const)
    for (const type of ["c64", "c128"] as const) {
      const plan = fftPlan({ shape, type, axes, arena: a, workers: pool.workers });
      const x = values(2 * product(shape));
      plan.data().set(x);
      plan.forward();
      plan.inverse();
      const one = plan.data().slice();
      plan.data().set(x);
      await runOnPool(pool, plan, "forward");
      await runOnPool(pool, plan, "inverse");
      expect(plan.data()).toEqual(one);
      plan.free();
    }
  await pool.close();
});

test("wrong calls say what to do", () => {
  expect(() => fft(new Float64Array(3))).toThrow(/interleaved/);
  expect(() => fft(new Float64Array(0))).toThrow(/interleaved/);
  expect(() => fftn(new Float64Array(8), [2, 3])).toThrow(/bad-shape/);
  expect(() => fftPlan({ shape: [2, 0], type: "c64" })).toThrow(/bad-shape/);
  expect(() => fftPlan({ shape: [2, 2], type: "c64", axes: [0, -2] })).toThrow(/bad-value/);
  expect(() => rfftPlan({ shape: [4, 4], type: "f32", axes: [0] })).toThrow(/halves the last axis/);
  expect(() => irfft(new Float64Array(8), 9)).toThrow(/real result/);
  expect(() => fftPlan({ shape: [1 << 15, 1 << 15], type: "c128" })).toThrow(/too-large/);
  const small = arena({ maxBytes: 1 << 20 }),
    start = small.alloc(64);
  small.free(start);
  expect(() => fftPlan({ shape: [250, 250], type: "c128", arena: small })).toThrow(/too-large/); // the array fits, the scratch does not
  expect(small.alloc(64)).toBe(start);
  expect(() => fftPlan({ shape: [4], type: "c64", kernels: "js" }).phases("forward", 2)).toThrow(/worker pool/);
  const a = defaultArena(),
    mark = a.alloc(64);
  a.free(mark);
  expect(() => fftn(new Float64Array(8), [2, 3])).toThrow();
  expect(a.alloc(64)).toBe(mark);
  a.free(mark);
});

test("frequencies and shifts", () => {
  expect([...fftFreq(5, 0.5)]).toEqual([0, 0.4, 0.8, -0.8, -0.4]);
  expect([...fftFreq(4)]).toEqual([0, 0.25, -0.5, -0.25]);
  expect([...rfftFreq(5, 0.5)]).toEqual([0, 0.4, 0.8]);
  expect([...fftShift(Float64Array.of(0, 1, 2, 3, 4), [5])]).toEqual([3, 4, 0, 1, 2]);
  expect([...fftShift(Float64Array.of(0, 1, 2, 3, 4, 5), [2, 3])]).toEqual([5, 3, 4, 2, 0, 1]);
  expect([...fftShift(Float32Array.of(0, 1, 2, 3, 4, 5), [3], { components: 2 })]).toEqual([4, 5, 0, 1, 2, 3]);
  expect(() => fftFreq(0)).toThrow(/bad-value/);
  expect(() => fftShift(new Float64Array(4), [5])).toThrow(/bad-shape/);
});
prop("ifftShift undoes fftShift", [shapes], (shape) => {
  const x = values(product(shape));
  expect(ifftShift(fftShift(x, shape), shape).every((v, i) => v === x[i])).toBe(true);
});
