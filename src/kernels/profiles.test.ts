import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { splineWeights, stamp } from "./js/integrate-stamps.js";
import { jsProfileKernels } from "./js/profiles.js";
import { arena } from "./memory.js";
import { type ProfileKernels, type SpotStack, wasmProfileKernels } from "./profiles.js";

const radius = 4,
  n = 2 * radius + 1,
  size = n + 6,
  edge = size - 3,
  modelError = 0.04;

/** Spots of a Gaussian profile off their places, with unused pixels, one cut-out askew; and the profile, padded. */
function scene(): { readonly spots: SpotStack; readonly coefficients: Float64Array } {
  const r = rng("profiles"),
    count = 7,
    coefficients = new Float64Array(size * size);
  for (let y = -radius; y <= radius; y++)
    for (let x = -radius; x <= radius; x++)
      coefficients[(y + radius + 3) * size + x + radius + 3] = Math.exp(-(x * x + 1.3 * y * y) / 3.1) / 8.5;
  const x = Float64Array.from({ length: count }, () => 30 + 40 * r.uniform()),
    y = Float64Array.from({ length: count }, () => 30 + 40 * r.uniform()),
    intensity = Float64Array.from({ length: count }, (_, i) => 400 * 1.5 ** i),
    corners = new Int32Array(2 * count),
    counts = new Float32Array(count * edge * edge),
    variance = new Float32Array(count * edge * edge);
  for (let i = 0; i < count; i++) {
    const p = new Float32Array(edge * edge);
    stamp(coefficients, 0, size, x[i]! % 1, y[i]! % 1, false, false, p, 0);
    corners[2 * i] = Math.floor(x[i]!) - radius - 1 + (i === 3 ? 2 : 0);
    corners[2 * i + 1] = Math.floor(y[i]!) - radius - 1 - (i === 3 ? 1 : 0);
    for (let k = 0; k < edge * edge; k++) {
      variance[i * edge * edge + k] = r.uniform() < 0.05 ? 0 : 2 + intensity[i]! * p[k]!;
      counts[i * edge * edge + k] = intensity[i]! * p[k]! + Math.sqrt(variance[i * edge * edge + k]!) * r.normal();
    }
    x[i]! += 0.3 * r.normal();
    y[i]! += 0.3 * r.normal();
  }
  return { spots: { edge, corners, counts, variance, x, y, intensity }, coefficients };
}

test("WebAssembly and plain TypeScript give the same bits", () => {
  const { spots, coefficients } = scene(),
    prior = Float64Array.from({ length: n * n }, (_, i) => 1 / (n * n) + 1e-4 * (i % 5));
  const [a, b] = [wasmProfileKernels(arena()), jsProfileKernels].map((k: ProfileKernels) => {
    const stack = k.stack(spots, size, modelError),
      first = stack.equations(coefficients);
    stack.recentre(coefficients, 2);
    stack.shift(0.07, -0.11);
    const second = stack.equations(coefficients);
    stack.close();
    // The last of n + 1 numbers of a row means nothing, but is the same too.
    return [first.a, first.b, second.a, second.b, k.solve(second, n, 0.02, prior), k.solve(first, n, 0.3, prior)];
  });
  const bytes = (v: ArrayBufferView): string => Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("base64");
  a!.forEach((v, i) => {
    expect(bytes(v) === bytes(b![i]!), `array ${i}`).toBe(true);
  });
});

test("normal equations are the sums over pixels, their solution solves them", () => {
  const { spots, coefficients } = scene(),
    A = new Float64Array(n ** 4),
    B = new Float64Array(n * n);
  for (let i = 0; i < spots.x.length; i++) {
    const [x, y, I] = [spots.x[i]!, spots.y[i]!, spots.intensity[i]!],
      p = new Float32Array(edge * edge),
      wx = splineWeights(x % 1),
      wy = splineWeights(y % 1);
    stamp(coefficients, 0, size, x % 1, y % 1, false, false, p, 0);
    for (let row = 0; row < edge; row++)
      for (let col = 0; col < edge; col++) {
        const u = Math.floor(x) - radius - 1 + col - spots.corners[2 * i]!,
          v = Math.floor(y) - radius - 1 + row - spots.corners[2 * i + 1]!;
        if (u < 0 || v < 0 || u >= edge || v >= edge) continue;
        const at = i * edge * edge + v * edge + u,
          phi: [number, number][] = [];
        if (spots.variance[at] === 0) continue;
        for (let q = 0; q < 4; q++)
          for (let r = 0; r < 4; r++) {
            const [ky, kx] = [row - 3 + q, col - 3 + r];
            if (ky >= 0 && kx >= 0 && ky < n && kx < n) phi.push([ky * n + kx, I * wy[q]! * wx[r]!]);
          }
        const w = 1 / (spots.variance[at]! + (modelError * I * p[row * edge + col]!) ** 2);
        for (const [j, f] of phi) {
          B[j]! += w * f * spots.counts[at]!;
          for (const [k, g] of phi) A[j * n * n + k]! += w * f * g;
        }
      }
  }
  const found = jsProfileKernels.stack(spots, size, modelError).equations(coefficients),
    plane = n * (n + 1),
    top = Math.max(...A);
  for (let ky = 0; ky < n; ky++)
    for (let kx = 0; kx < n; kx++) {
      const at = ky * (n + 1) + kx,
        j = ky * n + kx;
      expect(Math.abs(found.b[at]! - B[j]!)).toBeLessThan(1e-12 * Math.max(...B));
      for (let dy = 0; dy < Math.min(4, n - ky); dy++)
        for (let dx = Math.max(dy ? -3 : 0, -kx); dx <= Math.min(3, n - 1 - kx); dx++)
          expect(Math.abs(found.a[(dy ? 7 * dy + dx : dx) * plane + at]! - A[j * n * n + j + dy * n + dx]!)).toBeLessThan(1e-12 * top);
    }
  // (A + D)c = s(b + D·prior) with D the pull and s what brings the sum to 1.
  const prior = new Float64Array(n * n).fill(1 / n ** 2),
    pull = 0.05,
    c = jsProfileKernels.solve(found, n, pull, prior);
  let most = 0;
  for (let j = 0; j < n * n; j++) most = Math.max(most, A[j * n * n + j]!);
  const left = Array.from({ length: n * n }, (_, j) => {
      let v = (pull * A[j * n * n + j]! + 1e-9 * most) * c[j]!;
      for (let k = 0; k < n * n; k++) v += A[j * n * n + k]! * c[k]!;
      return v;
    }),
    right = Array.from({ length: n * n }, (_, j) => B[j]! + (pull * A[j * n * n + j]! + 1e-9 * most) * prior[j]!);
  const s = left.reduce((v, l, j) => v + l * right[j]!, 0) / right.reduce((v, r) => v + r * r, 0);
  expect(c.reduce((v, k) => v + k, 0)).toBeCloseTo(1, 12);
  for (let j = 0; j < n * n; j++) expect(Math.abs(left[j]! - s * right[j]!)).toBeLessThan(1e-9 * Math.max(...right) * s);
});
