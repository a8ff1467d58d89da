import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { exactDft, rmsError, splitRoots } from "../testing/exact-dft.js";
import { fftn, ifftn, rfftn } from "./fft.js";
import { type FftKernels, fftPlan } from "./fft-plan.js";

/** The promise: error relative in the rms norm at most 1e-15·log2 N in double, 4e-7 in single precision. */
const limit = { c128: (n: number) => 1e-15 * Math.max(1, Math.log2(n)), c64: () => 4e-7 };
const random = rng(20261120);
const whole = (count: number, top: number): Float64Array =>
  Float64Array.from({ length: count }, () => Math.floor((2 * top + 1) * random.uniform()) - top);
const outer = (u: Float64Array, v: Float64Array): Float64Array => {
  const out = new Float64Array((u.length * v.length) / 2);
  for (let i = 0, at = 0; i < u.length; i += 2)
    for (let j = 0; j < v.length; j += 2, at += 2) {
      out[at] = u[i]! * v[j]! - u[i + 1]! * v[j + 1]!;
      out[at + 1] = u[i]! * v[j + 1]! + u[i + 1]! * v[j]!;
    }
  return out;
};
const rootTable = new Map<number, Float64Array>();
const rootsOf = (n: number): Float64Array => {
  let r = rootTable.get(n);
  r ??= splitRoots(n);
  rootTable.set(n, r);
  return r;
};

/** Largest excess of the error over its limit, with the case that has it. */
class Worst {
  ratio = 0;
  where = "";
  add(error: number, allowed: number, where: string): void {
    const r = error / allowed;
    if (!(r <= this.ratio)) {
      this.ratio = r;
      this.where = `${where}: ${error.toExponential(2)} of ${allowed.toExponential(2)}`;
    }
  }
}
function check(worst: Worst, x: Float64Array, shape: readonly number[], expected: Float64Array, kernels: FftKernels): void {
  const n = x.length / 2,
    label = `${kernels} ${shape.join("×")}`;
  worst.add(rmsError(fftn(x, shape, { kernels }), expected), limit.c128(n), `c128 ${label}`);
  worst.add(rmsError(fftn(Float32Array.from(x), shape, { kernels }), expected), limit.c64(), `c64 ${label}`);
}

for (const kernels of ["wasm", "js"] as const)
  test(`every length 1 to 512, 1-D, ${kernels}`, () => {
    const worst = new Worst();
    for (let n = 1; n <= 512; n++) {
      const x = whole(2 * n, 1000);
      check(worst, x, [n], exactDft(x, rootsOf(n)), kernels);
    }
    expect(worst.ratio, worst.where).toBeLessThanOrEqual(1);
  });

test("every length 1 to 512 along each axis of 2-D and 3-D arrays", () => {
  // A product of lines has the product of their spectra; 1000² and 60³ are exact in single precision.
  const worst = new Worst();
  for (let n = 1; n <= 512; n++) {
    const k = 2 + (n % 15),
      m = 1 + (n % 7);
    const [u, v, w] = [n, k, m].map((size) => ({ size, x: whole(2 * size, 60) }));
    const spectrum = [u!, v!, w!].map(({ size, x }) => exactDft(x, rootsOf(size)));
    const of = (order: readonly number[]): void => {
      const axes = order.map((i) => [u!, v!, w!][i]!);
      check(
        worst,
        axes.map((a) => a.x).reduce((p, x) => outer(p, x)),
        axes.map((a) => a.size),
        order.map((i) => spectrum[i]!).reduce((p, x) => outer(p, x)),
        "wasm",
      );
    };
    for (const order of n % 3
      ? [
          [0, 1],
          [1, 0],
        ]
      : [
          [0, 1, 2],
          [1, 0, 2],
          [1, 2, 0],
        ])
      of(order);
  }
  expect(worst.ratio, worst.where).toBeLessThanOrEqual(1);
}, 60_000);

test("fifty random lengths up to 30000, 1-D, and fifty images", () => {
  const worst = new Worst();
  for (let i = 0; i < 50; i++) {
    const n = 513 + Math.floor(random.uniform() * (i < 25 ? 4000 : 29_500));
    const x = whole(2 * n, 500);
    const bins = Array.from({ length: 24 }, () => Math.floor(n * random.uniform()));
    const roots = splitRoots(n),
      some = exactDft(x, roots, bins);
    // Relative to the whole spectrum, whose rms follows from Parseval's theorem.
    const scale = Math.sqrt(x.reduce((s, v) => s + v * v, 0));
    for (const y of [fftn(x, [n]), fftn(Float32Array.from(x), [n])]) {
      const error = Math.sqrt(
        bins.reduce((s, k, b) => s + (y[2 * k]! - some[2 * b]!) ** 2 + (y[2 * k + 1]! - some[2 * b + 1]!) ** 2, 0) / bins.length,
      );
      const double = y instanceof Float64Array;
      worst.add(error / scale, double ? limit.c128(n) : limit.c64(), `${double ? "c128" : "c64"} ${n}`);
    }
    const a = 100 + Math.floor(random.uniform() * 250),
      b = 100 + Math.floor(random.uniform() * 250);
    const u = whole(2 * a, 60),
      v = whole(2 * b, 60);
    check(worst, outer(u, v), [a, b], outer(exactDft(u, splitRoots(a)), exactDft(v, splitRoots(b))), "wasm");
  }
  expect(worst.ratio, worst.where).toBeLessThanOrEqual(1);
}, 60_000);

test("real transforms and inverses of every length keep the same promise", () => {
  const worst = new Worst();
  for (let n = 1; n <= 512; n++) {
    const x = whole(n, 1000),
      z = new Float64Array(2 * n);
    x.forEach((v, i) => {
      z[2 * i] = v;
    });
    const expected = exactDft(z, rootsOf(n)).subarray(0, 2 * (Math.floor(n / 2) + 1));
    for (const kernels of ["wasm", "js"] as const) {
      worst.add(rmsError(rfftn(x, [n], { kernels }), expected), limit.c128(n), `real f64 ${kernels} ${n}`);
      worst.add(rmsError(rfftn(Float32Array.from(x), [n], { kernels }), expected), limit.c64(), `real f32 ${kernels} ${n}`);
    }
    const y = whole(2 * n, 1000);
    worst.add(rmsError(ifftn(fftn(y, [n]), [n]), y), 2 * limit.c128(n), `round trip ${n}`);
  }
  expect(worst.ratio, worst.where).toBeLessThanOrEqual(1);
});

test("a plan on single rows, groups of rows and tails gives each row the same accuracy", () => {
  const worst = new Worst();
  for (const n of [5, 16, 17, 31, 48, 96, 125, 128, 210])
    for (const rows of [1, 2, 3, 4, 5, 9]) {
      const plan = fftPlan({ shape: [rows, n], type: "c64", axes: [1] });
      const x = whole(2 * n * rows, 1000);
      plan.data().set(x);
      plan.forward();
      for (let r = 0; r < rows; r++) {
        const expected = exactDft(x.subarray(2 * n * r, 2 * n * (r + 1)), rootsOf(n));
        worst.add(rmsError(plan.data().subarray(2 * n * r, 2 * n * (r + 1)), expected), limit.c64(), `row ${r} of ${rows}×${n}`);
      }
      plan.free();
    }
  expect(worst.ratio, worst.where).toBeLessThanOrEqual(1);
});
