import { fail } from "../core/errors.js";
import { linearLeastSquares } from "../numerics/qr.js";
import type { TiltSeries } from "./tilt-series.js";

export interface BackgroundOptions {
  /** "constant" (default) or "plane", fitted to the pixels outside the object; "minimum" subtracts the least value of each view. */
  readonly model?: "constant" | "plane" | "minimum" | undefined;
  /** 1 where the object is, [views, ny, nx]; default: what lies above the rim by three times its scatter, grown by two pixels. */
  readonly object?: Uint8Array | undefined;
  /** Set what is negative afterwards to 0. Default true. */
  readonly clip?: boolean | undefined;
}

const medianOf = (values: number[]): number => {
  values.sort((a, b) => a - b);
  return values.length ? (values[(values.length - 1) >> 1]! + values[values.length >> 1]!) / 2 : 0;
};

/** Subtract the background of every view, estimated where the object is not. */
export function removeBackground(series: TiltSeries, { model = "constant", object, clip = true }: BackgroundOptions = {}): TiltSeries {
  const [views, ny, nx] = series.shape,
    size = ny * nx,
    out = series.projections.slice();
  if (object && object.length !== out.length)
    fail("bad-shape", { object: object.length, shape: series.shape }, "the object mask has one byte for every pixel");
  if (!["constant", "plane", "minimum"].includes(model)) fail("bad-value", { model }, "background models: constant, plane, minimum");
  for (let p = 0; p < views; p++) {
    const view = out.subarray(p * size, (p + 1) * size),
      bad = series.mask?.subarray(p * size, (p + 1) * size);
    if (model === "minimum") {
      let least = Number.POSITIVE_INFINITY;
      view.forEach((v, i) => {
        if (!bad?.[i] && v < least) least = v;
      });
      for (let i = 0; i < size; i++) view[i]! -= least;
    } else {
      const inside = object
        ? object.subarray(p * size, (p + 1) * size)
        : aboveRim(model === "plane" ? withoutRimPlane(view, ny, nx) : view, ny, nx, bad);
      const free: number[] = [];
      for (let i = 0; i < size; i++) if (!inside[i] && !bad?.[i]) free.push(i);
      if (free.length < 8)
        fail(
          "bad-value",
          { view: p, pixels: free.length },
          'no background is visible in this view: give the object mask, or model: "minimum"',
        );
      if (model === "constant") {
        let s = 0;
        for (const i of free) s += view[i]!;
        for (let i = 0; i < size; i++) view[i]! -= s / free.length;
      } else {
        const rows = new Float64Array(3 * free.length),
          values = Float64Array.from(free, (i) => view[i]!);
        free.forEach((i, k) => {
          rows.set([1, (i % nx) / nx - 0.5, Math.floor(i / nx) / ny - 0.5], 3 * k);
        });
        const c = linearLeastSquares({ rows: free.length, cols: 3, data: rows }, values);
        for (let i = 0; i < size; i++) view[i]! -= c[0]! + c[1]! * ((i % nx) / nx - 0.5) + c[2]! * (Math.floor(i / nx) / ny - 0.5);
      }
    }
    if (clip) for (let i = 0; i < size; i++) if (view[i]! < 0) view[i] = 0;
  }
  return { ...series, projections: out };
}

/** Whether a value exceeds its neighbours by more than they differ among themselves three times over, which the top of no atom does. */
function standsAlone(v: number, around: readonly number[], least: number): boolean {
  const [low, high] = [Math.min(...around), Math.max(...around)];
  return v > high + Math.max(least, 3 * (high - low));
}

/** A view less the plane through the medians of its four edges. */
function withoutRimPlane(view: Float32Array, ny: number, nx: number): Float32Array {
  const edge = (n: number, at: (k: number) => number): number =>
    medianOf(Array.from({ length: n }, (_, k) => view[at(k)]!).filter(Number.isFinite));
  const slopeX = (edge(ny, (y) => y * nx + nx - 1) - edge(ny, (y) => y * nx)) / (nx - 1),
    slopeY = (edge(nx, (x) => (ny - 1) * nx + x) - edge(nx, (x) => x)) / (ny - 1);
  return view.map((v, i) => v - slopeX * (i % nx) - slopeY * Math.floor(i / nx));
}

/** 1 where a view stands out of its rim: above median + 3σ (from the deviations below the median), grown by two pixels. */
function aboveRim(view: Float32Array, ny: number, nx: number, bad: Uint8Array | undefined): Uint8Array {
  const rim: number[] = [],
    width = Math.max(2, Math.round(0.04 * Math.min(ny, nx)));
  for (let y = 0, i = 0; y < ny; y++)
    for (let x = 0; x < nx; x++, i++) if (!bad?.[i] && (y < width || x < width || y >= ny - width || x >= nx - width)) rim.push(view[i]!);
  const middle = medianOf(rim),
    sigma = 1.4826 * medianOf(rim.filter((v) => v <= middle).map((v) => middle - v));
  let top = middle;
  view.forEach((v, i) => {
    if (!bad?.[i] && v > top) top = v;
  });
  const limit = middle + Math.max(1.2 * sigma, 0.01 * (top - middle));
  // Smoothed over 3 × 3, so that single noisy pixels do not count.
  const high = new Uint8Array(view.length);
  for (let y = 1; y < ny - 1; y++)
    for (let x = 1; x < nx - 1; x++) {
      let s = 0;
      for (let dy = -1; dy <= 1; dy++) for (let dx = -1; dx <= 1; dx++) s += view[(y + dy) * nx + x + dx]!;
      if (s / 9 > limit) high[y * nx + x] = 1;
    }
  const grown = high.slice();
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      if (!high[y * nx + x]) continue;
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) if (y + dy >= 0 && y + dy < ny && x + dx >= 0 && x + dx < nx) grown[(y + dy) * nx + x + dx] = 1;
    }
  return grown;
}

/** Scale every view to the mean total: the total of an object that stays in the field does not depend on the tilt. */
export function normaliseDose(series: TiltSeries): TiltSeries & { readonly factors: Float64Array } {
  const [views, ny, nx] = series.shape,
    size = ny * nx,
    out = series.projections.slice();
  const totals = Float64Array.from({ length: views }, (_, p) => {
    let s = 0;
    for (let i = p * size; i < (p + 1) * size; i++) if (!series.mask?.[i]) s += out[i]!;
    return s > 0
      ? s
      : fail(
          "bad-value",
          { view: p, total: s },
          "the total of a view must be positive: remove the background with clip, or leave the view out",
        );
  });
  const mean = totals.reduce((a, b) => a + b, 0) / views,
    factors = totals.map((t) => mean / t);
  for (let p = 0; p < views; p++) for (let i = p * size; i < (p + 1) * size; i++) out[i]! *= factors[p]!;
  return { ...series, projections: out, factors };
}

/** Masked pixels, pixels that are not finite, and hot ones (more than `sigmas` robust deviations above the median of their eight neighbours) replaced by that median. */
export function repairPixels(
  projections: ArrayLike<number>,
  shape: readonly [number, number, number],
  { mask, sigmas = 8 }: { readonly mask?: Uint8Array | undefined; readonly sigmas?: number | undefined } = {},
): { readonly projections: Float32Array; readonly repaired: number } {
  const [views, ny, nx] = shape,
    size = ny * nx,
    data = Float32Array.from(projections),
    out = data.slice();
  let repaired = 0;
  for (let p = 0; p < views; p++) {
    const base = p * size,
      around = (y: number, x: number, reach: number): number[] => {
        const list: number[] = [];
        for (let dy = -reach; dy <= reach; dy++)
          for (let dx = -reach; dx <= reach; dx++) {
            if ((dy === 0 && dx === 0) || y + dy < 0 || x + dx < 0 || y + dy >= ny || x + dx >= nx) continue;
            const i = base + (y + dy) * nx + x + dx;
            if (!mask?.[i] && Number.isFinite(data[i]!)) list.push(data[i]!);
          }
        return list;
      };
    const spread: number[] = [];
    for (let y = 0; y < ny; y += 3)
      for (let x = 0; x < nx; x += 3) {
        const v = data[base + y * nx + x]!;
        if (Number.isFinite(v)) spread.push(Math.abs(v - medianOf(around(y, x, 1))));
      }
    const sigma = 1.4826 * medianOf(spread);
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < nx; x++) {
        const i = base + y * nx + x,
          v = data[i]!,
          wrong = mask?.[i] || !Number.isFinite(v);
        if (!wrong && sigma === 0) continue;
        let list = around(y, x, 1);
        if (!wrong && !(v > medianOf(list) + sigmas * sigma && standsAlone(v, list, 0.5 * sigmas * sigma))) continue;
        for (let reach = 2; list.length < 3 && reach < 16; reach++) list = around(y, x, reach);
        out[i] = medianOf(list);
        repaired++;
      }
  }
  return { projections: out, repaired };
}
