import { runSync, type Steps } from "../core/job.js";
import { splineWeights, stamp } from "../kernels/js/integrate-stamps.js";
import { gaussianCoefficients, paddedSize, padInto, type SpotProfiles } from "./profiles.js";

/** A strong spot cut out of a frame: counts above background and neighbours with their variances, where the pixels are good. */
export interface SpotStamp {
  /** Profile it belongs to. */
  readonly cell: number;
  /** Edge, px, and pixel (x, y) of the frame at the corner. */
  readonly size: number;
  readonly corner: readonly [number, number];
  /** [size, size]; variance 0 where a pixel is not used. */
  readonly counts: Float32Array;
  readonly variance: Float32Array;
  /** Centre, px of the frame. */
  readonly x: number;
  readonly y: number;
  readonly intensity: number;
}

/** Error of a profile, as a fraction: keeps one very strong spot from being the profile. */
const MODEL_ERROR = 0.04;
/** Weight of the mean profile in that of a sector and shell, in spots. */
const MEAN_SPOTS = 12;

/**
 * Profiles from strong spots by least squares: counts = I·Σ c_k β(pixel − centre − k), which knows no interpolation and so no broadening. Spots are
 * recentred on the profile between the rounds and their centroid is the centre. A sector and shell with few spots leans on the mean of all.
 */
export function learnProfiles(stamps: readonly SpotStamp[], start: SpotProfiles, sigma: number, rounds = 3): SpotProfiles {
  return runSync(learnProfilesSteps(stamps, start, sigma, rounds));
}

/** {@link learnProfiles} in steps of one sector and shell. */
export function* learnProfilesSteps(stamps: readonly SpotStamp[], start: SpotProfiles, sigma: number, rounds = 3): Steps<SpotProfiles> {
  const { radius } = start,
    n = 2 * radius + 1,
    size = paddedSize(radius),
    cells = start.spots.length;
  if (stamps.length === 0) return start;
  const prior = gaussianCoefficients(radius, sigma);
  let coefficients = start.coefficients;
  const x = Float64Array.from(stamps, (s) => s.x),
    y = Float64Array.from(stamps, (s) => s.y),
    intensity = Float64Array.from(stamps, (s) => s.intensity);
  const byCell: number[][] = Array.from({ length: cells }, () => []);
  stamps.forEach((s, i) => {
    byCell[s.cell]!.push(i);
  });
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < stamps.length; i++) recentre(stamps[i]!, coefficients, size, i, x, y, intensity, round === 0 ? 1 : 2);
    // Twice: the first solution shows where its centroid lies, the second has it at the centre.
    for (const last of [false, true]) {
      const owns: Normal[] = [];
      for (const list of byCell) {
        const own = normalEquations(n);
        for (const i of list) accumulate(own, stamps[i]!, radius, x[i]!, y[i]!, intensity[i]!, coefficients, size);
        owns.push(own);
        yield { done: round, total: rounds, note: "profiles" };
      }
      const all = normalEquations(n);
      for (const own of owns) addInto(all, own, 1);
      const mean = solved(all, prior, 0.3 / stamps.length);
      const next = new Float64Array(cells * size * size);
      const perSpot = { ...all, b: times(all, mean) };
      for (let c = 0; c < cells; c++) {
        const own = owns[c]!;
        addInto(own, perSpot, MEAN_SPOTS / stamps.length);
        const profile = byCell[c]!.length === 0 ? mean : solved(own, mean, 0.3 / (MEAN_SPOTS + byCell[c]!.length));
        padInto(next, c * size * size, profile, radius);
        yield { done: round, total: rounds, note: "profiles" };
        if (last) continue;
        const [cx, cy] = centroid(profile, radius);
        for (const i of byCell[c]!) {
          x[i]! += cx;
          y[i]! += cy;
        }
      }
      coefficients = next;
    }
  }
  return { ...start, coefficients, spots: Int32Array.from(byCell, (b) => b.length) };
}

/** Intensity and centre of a spot on its profile: Gauss–Newton steps of at most half a pixel. */
function recentre(
  s: SpotStamp,
  coefficients: Float64Array,
  size: number,
  i: number,
  xs: Float64Array,
  ys: Float64Array,
  intensity: Float64Array,
  steps: number,
): void {
  const m = size - 3,
    reach = (m - 4) / 2 + 1,
    p = new Float32Array(m * m),
    px = new Float32Array(m * m),
    py = new Float32Array(m * m),
    c = s.cell * size * size;
  for (let step = 0; step < steps; step++) {
    const x = xs[i]!,
      y = ys[i]!,
      fx = x - Math.floor(x),
      fy = y - Math.floor(y);
    stamp(coefficients, c, size, fx, fy, false, false, p, 0);
    stamp(coefficients, c, size, fx, fy, true, false, px, 0);
    stamp(coefficients, c, size, fx, fy, false, true, py, 0);
    const I = intensity[i]!;
    const h = new Float64Array(9),
      g = new Float64Array(3);
    each(s, Math.floor(x) - reach, Math.floor(y) - reach, m, (k, counts, variance) => {
      const P = p[k]!,
        w = 1 / (variance + (MODEL_ERROR * I * P) ** 2),
        j = [P, -I * px[k]!, -I * py[k]!],
        r = counts - I * P;
      for (let a = 0; a < 3; a++) {
        g[a]! += w * j[a]! * r;
        for (let b = 0; b < 3; b++) h[3 * a + b]! += w * j[a]! * j[b]!;
      }
    });
    const [h11, h12, h13, , h22, h23, , , h33] = h as unknown as number[];
    if (!(h11! > 0)) return;
    const a = h22! - (h12! * h12!) / h11!,
      b = h23! - (h12! * h13!) / h11!,
      d = h33! - (h13! * h13!) / h11!,
      u = g[1]! - (h12! * g[0]!) / h11!,
      v = g[2]! - (h13! * g[0]!) / h11!,
      det = a * d - b * b;
    if (!(det > 1e-6 * a * d)) return;
    const dx = limit((u * d - v * b) / det),
      dy = limit((v * a - u * b) / det);
    xs[i] = x + dx;
    ys[i] = y + dy;
    intensity[i] = Math.max(0.2 * I, I + (g[0]! - h12! * dx - h13! * dy) / h11!);
  }
}
const limit = (d: number): number => Math.max(-0.5, Math.min(0.5, d));

/** Pixels that a stamp of a profile (corner ox, oy; edge m) and a cut-out have in common. */
function each(s: SpotStamp, ox: number, oy: number, m: number, f: (k: number, counts: number, variance: number) => void): void {
  const [cx, cy] = s.corner;
  for (let row = Math.max(0, cy - oy); row < Math.min(m, cy + s.size - oy); row++)
    for (let col = Math.max(0, cx - ox); col < Math.min(m, cx + s.size - ox); col++) {
      const at = (oy + row - cy) * s.size + ox + col - cx;
      if (s.variance[at]! > 0) f(row * m + col, s.counts[at]!, s.variance[at]!);
    }
}

/** Symmetric band matrix of the n² coefficients: row i holds a[i, i … i + 3n + 3]. */
interface Normal {
  readonly n: number;
  readonly band: number;
  readonly a: Float64Array;
  readonly b: Float64Array;
}
function normalEquations(n: number): Normal {
  const band = 3 * n + 4;
  return { n, band, a: new Float64Array(n * n * band), b: new Float64Array(n * n) };
}

function addInto(to: Normal, from: Normal, weight: number): void {
  for (let k = 0; k < to.a.length; k++) to.a[k]! += weight * from.a[k]!;
  for (let k = 0; k < to.b.length; k++) to.b[k]! += weight * from.b[k]!;
}

function accumulate(
  to: Normal,
  s: SpotStamp,
  radius: number,
  x: number,
  y: number,
  I: number,
  coefficients: Float64Array,
  size: number,
): void {
  const m = size - 3,
    reach = (m - 4) / 2 + 1,
    { n, band, a, b } = to,
    fx = x - Math.floor(x),
    fy = y - Math.floor(y),
    wx = splineWeights(fx),
    wy = splineWeights(fy);
  const p = new Float32Array(m * m),
    index = new Int32Array(16),
    phi = new Float64Array(16);
  stamp(coefficients, s.cell * size * size, size, fx, fy, false, false, p, 0);
  each(s, Math.floor(x) - reach, Math.floor(y) - reach, m, (k, counts, variance) => {
    const row = Math.floor(k / m),
      col = k - row * m;
    let used = 0;
    for (let q = 0; q < 4; q++) {
      const ky = row - 3 + q; // in 0 … n − 1
      if (ky < 0 || ky >= n) continue;
      for (let r = 0; r < 4; r++) {
        const kx = col - 3 + r;
        if (kx < 0 || kx >= n) continue;
        index[used] = ky * n + kx;
        phi[used++] = wy[q]! * wx[r]!;
      }
    }
    const w = I / (variance + (MODEL_ERROR * I * p[k]!) ** 2);
    for (let i = 0; i < used; i++) {
      const wi = w * phi[i]!;
      b[index[i]!]! += wi * counts;
      const base = index[i]! * band - index[i]!;
      for (let j = i; j < used; j++) a[base + index[j]!]! += wi * I * phi[j]!;
    }
  });
  void radius;
}

/** A·c of a band matrix. */
function times({ n, band, a }: Normal, c: Float64Array): Float64Array {
  const size = n * n,
    out = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    out[i]! += a[i * band]! * c[i]!;
    for (let d = 1; d < band && i + d < size; d++) {
      out[i]! += a[i * band + d]! * c[i + d]!;
      out[i + d]! += a[i * band + d]! * c[i]!;
    }
  }
  return out;
}

/** Solution with a pull of relative strength `pull` towards `prior`, scaled to the sum 1. Band Cholesky, in place on a copy. */
function solved(eq: Normal, prior: Float64Array, pull: number): Float64Array {
  const { n, band } = eq,
    size = n * n,
    a = eq.a.slice(),
    b = eq.b.slice();
  let most = 0;
  for (let i = 0; i < size; i++) most = Math.max(most, a[i * band]!);
  for (let i = 0; i < size; i++) {
    const extra = pull * a[i * band]! + 1e-9 * most;
    a[i * band]! += extra;
    b[i]! += extra * prior[i]!;
  }
  for (let i = 0; i < size; i++) {
    const d = Math.sqrt(Math.max(a[i * band]!, 1e-300)),
      end = Math.min(band, size - i);
    for (let k = 0; k < end; k++) a[i * band + k]! /= d;
    b[i]! /= d;
    for (let k = 1; k < end; k++) {
      const v = a[i * band + k]!;
      if (v === 0) continue;
      const row = (i + k) * band;
      for (let q = k; q < end; q++) a[row + q - k]! -= v * a[i * band + q]!;
      b[i + k]! -= v * b[i]!;
    }
  }
  for (let i = size - 1; i >= 0; i--) {
    let v = b[i]!;
    for (let k = 1; k < band && i + k < size; k++) v -= a[i * band + k]! * b[i + k]!;
    b[i] = v / a[i * band]!;
  }
  const sum = b.reduce((s, v) => s + v, 0);
  return b.map((v) => v / sum);
}

/** Centroid of the inner half of a profile, px. */
function centroid(c: Float64Array, radius: number): readonly [number, number] {
  const n = 2 * radius + 1,
    inner = (radius / 2) ** 2;
  let w = 0,
    x = 0,
    y = 0;
  for (let v = -radius; v <= radius; v++)
    for (let u = -radius; u <= radius; u++) {
      if (u * u + v * v > inner) continue;
      const k = c[(v + radius) * n + u + radius]!;
      w += k;
      x += k * u;
      y += k * v;
    }
  return [x / w, y / w];
}
