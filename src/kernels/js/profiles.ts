/** Plain TypeScript twin of assembly/profiles.ts: the reference in conformance tests and the fallback without WebAssembly. Same bits. */
import type { ProfileEquations, ProfileKernels, SpotStack } from "../profiles.js";
import { splineWeights, stamp } from "./integrate-stamps.js";

const limit = (d: number): number => Math.max(-0.5, Math.min(0.5, d));

export const jsProfileKernels: ProfileKernels = {
  name: "js",
  stack(given, size, modelError) {
    const spots: SpotStack = { ...given, x: given.x.slice(), y: given.y.slice(), intensity: given.intensity.slice() },
      error2 = modelError * modelError;
    return {
      recentre: (coefficients, steps) => recentre(spots, coefficients, size, steps, error2),
      shift(dx, dy) {
        for (let i = 0; i < spots.x.length; i++) {
          spots.x[i]! += dx;
          spots.y[i]! += dy;
        }
      },
      equations: (coefficients) => equations(spots, coefficients, size, error2),
      close: () => undefined,
    };
  },
  solve,
};

/** Pixels that the stamp of a profile at (x, y) and the cut-out of spot i have in common and that are used. */
function each(t: SpotStack, i: number, s: number, f: (k: number, counts: number, variance: number) => void): void {
  const reach = (s - 4) / 2 + 1,
    { edge } = t,
    dx = t.corners[2 * i]! - (Math.floor(t.x[i]!) - reach),
    dy = t.corners[2 * i + 1]! - (Math.floor(t.y[i]!) - reach);
  for (let m = Math.max(0, dy); m < Math.min(s, dy + edge); m++)
    for (let k = Math.max(0, dx); k < Math.min(s, dx + edge); k++) {
      const at = i * edge * edge + (m - dy) * edge + k - dx;
      if (t.variance[at]! > 0) f(m * s + k, t.counts[at]!, t.variance[at]!);
    }
}

function recentre(t: SpotStack, c: Float64Array, size: number, steps: number, error2: number): void {
  const s = size - 3,
    p = new Float32Array(s * s),
    px = new Float32Array(s * s),
    py = new Float32Array(s * s);
  for (let i = 0; i < t.x.length; i++)
    for (let step = 0; step < steps; step++) {
      const x = t.x[i]!,
        y = t.y[i]!,
        fx = x - Math.floor(x),
        fy = y - Math.floor(y),
        I = t.intensity[i]!;
      stamp(c, 0, size, fx, fy, false, false, p, 0);
      stamp(c, 0, size, fx, fy, true, false, px, 0);
      stamp(c, 0, size, fx, fy, false, true, py, 0);
      let a11 = 0,
        a12 = 0,
        a13 = 0,
        a22 = 0,
        a23 = 0,
        a33 = 0,
        g1 = 0,
        g2 = 0,
        g3 = 0;
      each(t, i, s, (k, counts, variance) => {
        const P = p[k]!,
          e = I * P,
          w = 1 / (variance + error2 * e * e),
          r = counts - e,
          jx = -I * px[k]!,
          jy = -I * py[k]!;
        a11 += w * P * P;
        a12 += w * P * jx;
        a13 += w * P * jy;
        a22 += w * jx * jx;
        a23 += w * jx * jy;
        a33 += w * jy * jy;
        g1 += w * P * r;
        g2 += w * jx * r;
        g3 += w * jy * r;
      });
      if (!(a11 > 0)) break;
      const h22 = a22 - (a12 * a12) / a11,
        h23 = a23 - (a12 * a13) / a11,
        h33 = a33 - (a13 * a13) / a11,
        u = g2 - (a12 * g1) / a11,
        v = g3 - (a13 * g1) / a11,
        det = h22 * h33 - h23 * h23;
      if (!(det > 1e-6 * h22 * h33)) break;
      const dx = limit((u * h33 - v * h23) / det),
        dy = limit((v * h22 - u * h23) / det);
      t.x[i] = x + dx;
      t.y[i] = y + dy;
      t.intensity[i] = Math.max(0.2 * I, I + (g1 - a12 * dx - a13 * dy) / a11);
    }
}

function equations(t: SpotStack, c: Float64Array, size: number, error2: number): ProfileEquations {
  const s = size - 3,
    n = s - 3,
    plane = n * (n + 1),
    a = new Float64Array(25 * plane),
    b = new Float64Array(plane);
  const p = new Float32Array(s * s),
    weights = new Float64Array(s * s),
    weighted = new Float64Array(s * s),
    v = new Float64Array(s * s + 4);
  for (let i = 0; i < t.x.length; i++) {
    const fx = t.x[i]! - Math.floor(t.x[i]!),
      fy = t.y[i]! - Math.floor(t.y[i]!),
      I = t.intensity[i]!;
    stamp(c, 0, size, fx, fy, false, false, p, 0);
    weights.fill(0);
    weighted.fill(0);
    each(t, i, s, (k, counts, variance) => {
      const e = I * p[k]!,
        w = I / (variance + error2 * e * e);
      weights[k] = w * I;
      weighted[k] = w * counts;
    });
    const wx = splineWeights(fx),
      [y0, y1, y2, y3] = splineWeights(fy);
    filter(weights, v, n, y0 * y0, y1 * y1, y2 * y2, y3 * y3);
    spread(v, a, 0, n, true, wx);
    filter(weights, v, n, y0 * y1, y1 * y2, y2 * y3, 0);
    spread(v, a, 4 * plane, n, false, wx);
    filter(weights, v, n, y0 * y2, y1 * y3, 0, 0);
    spread(v, a, 11 * plane, n, false, wx);
    filter(weights, v, n, y0 * y3, 0, 0, 0);
    spread(v, a, 18 * plane, n, false, wx);
    filter(weighted, v, n, y0, y1, y2, y3);
    const [x0, x1, x2, x3] = wx;
    for (let ky = 0; ky < n; ky++)
      for (let kx = 0; kx < n; kx++) {
        const q = ky * s + kx;
        b[ky * (n + 1) + kx]! += x0 * v[q + 3]! + x1 * v[q + 2]! + x2 * v[q + 1]! + x3 * v[q]!;
      }
  }
  return { a, b };
}

/** out[ky] = a·in[ky + 3] + b·in[ky + 2] + c·in[ky + 1] + d·in[ky] over rows of n + 3 numbers. */
function filter(image: Float64Array, out: Float64Array, n: number, a: number, b: number, c: number, d: number): void {
  const s = n + 3;
  for (let o = 0; o < n * s; o++) out[o] = a * image[o + 3 * s]! + b * image[o + 2 * s]! + c * image[o + s]! + d * image[o]!;
}

/** Onto the seven (dx −3 … 3) or last four planes from `at`: products of the weights of x at two coefficients, times the filtered picture. */
function spread(
  v: Float64Array,
  a: Float64Array,
  at: number,
  n: number,
  half: boolean,
  [w0, w1, w2, w3]: readonly [number, number, number, number],
): void {
  const s = n + 3,
    plane = n * (n + 1),
    [p00, p11, p22, p33] = [w0 * w0, w1 * w1, w2 * w2, w3 * w3],
    [p01, p12, p23, p02, p13, p03] = [w0 * w1, w1 * w2, w2 * w3, w0 * w2, w1 * w3, w0 * w3];
  for (let ky = 0; ky < n; ky++)
    for (let kx = 0; kx <= n; kx++) {
      const q = ky * s + kx,
        v0 = v[q]!,
        v1 = v[q + 1]!,
        v2 = v[q + 2]!,
        v3 = v[q + 3]!;
      let o = at + ky * (n + 1) + kx;
      if (!half) {
        a[o]! += p03 * v0;
        a[o + plane]! += p02 * v1 + p13 * v0;
        a[o + 2 * plane]! += p01 * v2 + p12 * v1 + p23 * v0;
        o += 3 * plane;
      }
      a[o]! += p00 * v3 + p11 * v2 + p22 * v1 + p33 * v0;
      a[o + plane]! += p01 * v3 + p12 * v2 + p23 * v1;
      a[o + 2 * plane]! += p02 * v3 + p13 * v2;
      a[o + 3 * plane]! += p03 * v3;
    }
}

function solve({ a: planes, b }: ProfileEquations, n: number, pull: number, prior: Float64Array): Float64Array {
  const band = 3 * n + 4,
    width = band + 1,
    size = n * n,
    plane = n * (n + 1),
    a = new Float64Array(size * width),
    c = new Float64Array(size);
  for (let ky = 0; ky < n; ky++)
    for (let kx = 0; kx < n; kx++) {
      const i = ky * n + kx,
        at = ky * (n + 1) + kx;
      c[i] = b[at]!;
      for (let dy = 0; dy < Math.min(4, n - ky); dy++)
        for (let dx = Math.max(dy === 0 ? 0 : -3, -kx); dx <= Math.min(3, n - 1 - kx); dx++)
          a[i * width + dy * n + dx] = planes[(dy === 0 ? dx : 7 * dy + dx) * plane + at]!;
    }
  let most = 0;
  for (let i = 0; i < size; i++) most = Math.max(most, a[i * width]!);
  for (let i = 0; i < size; i++) {
    const extra = pull * a[i * width]! + 1e-9 * most;
    a[i * width]! += extra;
    c[i]! += extra * prior[i]!;
  }
  for (let i = 0; i < size; i++) {
    const row = i * width,
      d = Math.sqrt(Math.max(a[row]!, 1e-300)),
      end = Math.min(band, size - i);
    for (let k = 0; k < end; k++) a[row + k]! /= d;
    const here = c[i]! / d;
    c[i] = here;
    for (let k = 1; k < end; k++) {
      const v = a[row + k]!,
        to = (i + k) * width,
        count = (band - k + 1) & ~1;
      for (let q = 0; q < count; q++) a[to + q]! -= v * a[row + k + q]!;
      c[i + k]! -= v * here;
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    let v = c[i]!;
    for (let k = 1; k < Math.min(band, size - i); k++) v -= a[i * width + k]! * c[i + k]!;
    c[i] = v / a[i * width]!;
  }
  let sum = 0;
  for (let i = 0; i < size; i++) sum += c[i]!;
  for (let i = 0; i < size; i++) c[i]! /= sum;
  return c;
}
