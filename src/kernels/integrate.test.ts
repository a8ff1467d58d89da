import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { done, type FitSettings, fitColumn, wasmIntegrateKernels } from "./integrate.js";
import { COLUMNS, jsIntegrateKernels } from "./js/integrate.js";
import { arena } from "./memory.js";

/** A frame of Gaussian spots on a sloping background with some bad pixels, and padded B-spline profiles. */
function scene(seed: string) {
  const r = rng(seed),
    ny = 61,
    nx = 83,
    radius = 7,
    size = 2 * radius + 7,
    coef = new Float64Array(2 * size * size);
  for (let c = 0; c < 2; c++) {
    let sum = 0;
    for (let y = -radius; y <= radius; y++)
      for (let x = -radius; x <= radius; x++) {
        const v = Math.exp(-(x * x + y * y) / (2 * (1.2 + c)));
        coef[c * size * size + (y + radius + 3) * size + x + radius + 3] = v;
        sum += v;
      }
    for (let k = 0; k < size * size; k++) coef[c * size * size + k]! /= sum;
  }
  // A grid with jitter, some beyond the edge; every third spot stands 5 px from the one before.
  const xs = Float64Array.from(
      { length: 24 },
      (_, i) => (i % 3 === 2 ? 5 : 0) + 17 * ((i - (i % 3 === 2 ? 1 : 0)) % 6) + 3 * r.uniform() - 1,
    ),
    ys = Float64Array.from({ length: 24 }, (_, i) => 18 * Math.floor((i - (i % 3 === 2 ? 1 : 0)) / 6) + 3 * r.uniform() - 1),
    which = Int32Array.from({ length: 24 }, (_, i) => i % 2),
    counts = Float64Array.from({ length: 24 }, (_, i) => 40 * 1.4 ** i),
    st = done(jsIntegrateKernels, jsIntegrateKernels.stamps(coef, size, xs, ys, which)),
    s = size - 3,
    expected = new Float64Array(ny * nx);
  for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) expected[y * nx + x] = 60 + 0.2 * x - 0.3 * y;
  for (let i = 0; i < 24; i++)
    for (let m = 0; m < s; m++)
      for (let k = 0; k < s; k++) {
        const px = Math.floor(xs[i]!) - radius - 1 + k,
          py = Math.floor(ys[i]!) - radius - 1 + m;
        if (px >= 0 && py >= 0 && px < nx && py < ny) expected[py * nx + px]! += counts[i]! * st[i * s * s + m * s + k]!;
      }
  const data = Float32Array.from(expected, (v) => r.poisson(v)),
    mask = Uint8Array.from({ length: ny * nx }, () => (r.uniform() < 0.01 ? 1 : 0));
  return { ny, nx, size, coef, xs, ys, which, counts, data, mask, expected };
}
const settings: FitSettings = { gain: 1, psi: 0.2, box: 6, core: 4, background: 11, clip: 3.5, modelError: 0.05, reject: 6 };

test.each([true, false])("WebAssembly and plain TypeScript give the same bits (mask: %s)", (masked) => {
  const c = scene("twins"),
    mask = masked ? c.mask : undefined;
  const list = Int32Array.from([23, 22, 20, 17, 3]);
  const [a, b] = [wasmIntegrateKernels(arena()), jsIntegrateKernels].map((k) => {
    const f = k.frame(c.data, mask, c.ny, c.nx, settings),
      fit = done(k, f.fit(c.coef, c.size, c.xs, c.ys, c.which, 4)),
      model = fit.model(),
      moved = done(k, f.shifts(c.coef, c.size, c.xs, c.ys, c.which, list, fit.out));
    f.close();
    return [fit.out, fit.flags, model, moved, done(k, k.stamps(c.coef, c.size, c.xs, c.ys, c.which))];
  });
  // Bytes, not numbers: −0 and NaN count.
  const bytes = (v: ArrayBufferView): string => Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("base64");
  a!.forEach((v, i) => {
    expect(bytes(v) === bytes(b![i]!)).toBe(true);
  });
});

test("pixels of a stamp add up to the profile's sum at any sub-pixel position", () => {
  const c = scene("sums"),
    s = c.size - 3,
    st = done(jsIntegrateKernels, jsIntegrateKernels.stamps(c.coef, c.size, c.xs, c.ys, c.which));
  for (let i = 0; i < 24; i++) {
    let sum = 0;
    for (let k = 0; k < s * s; k++) sum += st[i * s * s + k]!;
    expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
  }
});

test("noise-free spots, overlapping ones too, come back exactly, and shifts find a displaced spot", () => {
  const c = scene("exact"),
    k = jsIntegrateKernels,
    f = k.frame(Float32Array.from(c.expected), undefined, c.ny, c.nx, settings),
    { out } = done(k, f.fit(c.coef, c.size, c.xs, c.ys, c.which, 60));
  for (let i = 0; i < 24; i++) {
    const inside = c.xs[i]! > 4 && c.xs[i]! < c.nx - 5 && c.ys[i]! > 4 && c.ys[i]! < c.ny - 5;
    if (inside) expect(Math.abs(out[COLUMNS * i]! / c.counts[i]! - 1)).toBeLessThan(0.01);
    if (inside) expect(out[COLUMNS * i + fitColumn.correlation]!).toBeGreaterThan(0.9);
  }
  const xs = c.xs.slice(),
    at = c.counts.reduce((b, v, i) => (c.xs[i]! > 10 && c.xs[i]! < 73 && c.ys[i]! > 10 && c.ys[i]! < 51 && v > c.counts[b]! ? i : b), 0);
  xs[at]! += 0.15;
  const again = done(k, f.fit(c.coef, c.size, xs, c.ys, c.which, 8)),
    [dx, dy, vx] = done(k, f.shifts(c.coef, c.size, xs, c.ys, c.which, Int32Array.of(at), again.out));
  expect(Math.abs(dx! + 0.15)).toBeLessThan(0.03);
  expect(Math.abs(dy!)).toBeLessThan(0.03);
  expect(vx!).toBeGreaterThan(0);
});
