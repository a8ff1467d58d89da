import { fftPlan } from "../numerics/fft-plan.js";

/** Move images [views, ny, nx] by (dx, dy) pixels each, to the right and down, by a phase ramp: exact for band-limited images; what leaves on one side comes in on the other. */
export function shiftViews(
  projections: Float32Array,
  [views, ny, nx]: readonly [number, number, number],
  shifts: ArrayLike<number>,
): Float32Array {
  const plan = fftPlan({ shape: [ny, nx], type: "c64" }),
    out = new Float32Array(projections.length),
    size = ny * nx;
  for (let p = 0; p < views; p++) {
    const [dx, dy] = [shifts[2 * p]!, shifts[2 * p + 1]!];
    const view = projections.subarray(p * size, (p + 1) * size);
    if (Number.isInteger(dx) && Number.isInteger(dy)) {
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++) out[p * size + y * nx + x] = view[((((y - dy) % ny) + ny) % ny) * nx + ((((x - dx) % nx) + nx) % nx)]!;
      continue;
    }
    const a = plan.data().fill(0);
    for (let i = 0; i < size; i++) a[2 * i] = view[i]!;
    plan.forward();
    for (let y = 0, i = 0; y < ny; y++)
      for (let x = 0; x < nx; x++, i += 2) {
        const fx = (x <= (nx - 1) / 2 ? x : x - nx) / nx,
          fy = (y <= (ny - 1) / 2 ? y : y - ny) / ny;
        // The Nyquist wave has no sign: its real part alone keeps the image real.
        const cx = 2 * x === nx ? Math.cos(Math.PI * dx) : undefined,
          cy = 2 * y === ny ? Math.cos(Math.PI * dy) : undefined;
        const phase = -2 * Math.PI * ((cx === undefined ? fx * dx : 0) + (cy === undefined ? fy * dy : 0));
        const size1 = (cx ?? 1) * (cy ?? 1),
          c = size1 * Math.cos(phase),
          s = size1 * Math.sin(phase),
          re = a[i]!;
        a[i] = re * c - a[i + 1]! * s;
        a[i + 1] = re * s + a[i + 1]! * c;
      }
    plan.inverse();
    const back = plan.data();
    for (let i = 0; i < size; i++) out[p * size + i] = back[2 * i]!;
  }
  plan.free();
  return out;
}

/**
 * Shift (x, y) that takes image `b` onto image `a`, sub-pixel: the highest point of their correlation within `most` pixels, then the top of a
 * parabola through three points of the correlation evaluated at a tenth of a pixel by direct summation (Guizar-Sicairos, Thurman & Fienup,
 * Opt. Lett. 33, 156 (2008)), twice finer.
 */
export function registrar(ny: number, nx: number) {
  const plan = fftPlan({ shape: [ny, nx], type: "c64" });
  const transform = (image: ArrayLike<number>): Float32Array => {
    const a = plan.data().fill(0);
    for (let i = 0; i < ny * nx; i++) a[2 * i] = image[i]!;
    plan.forward();
    return plan.data().slice();
  };
  /** a, b: transforms. */
  const shift = (fa: Float32Array, fb: Float32Array, most: number, axes: "both" | "x" | "y" = "both"): readonly [number, number] => {
    const c = plan.data();
    for (let i = 0; i < c.length; i += 2) {
      c[i] = fa[i]! * fb[i]! + fa[i + 1]! * fb[i + 1]!;
      c[i + 1] = fa[i + 1]! * fb[i]! - fa[i]! * fb[i + 1]!;
    }
    const cross = c.slice();
    plan.inverse();
    let [sx, sy] = [0, 0],
      top = Number.NEGATIVE_INFINITY;
    const [mx, my] = [
      axes === "y" ? 0 : Math.min(most, Math.floor((nx - 1) / 2)),
      axes === "x" ? 0 : Math.min(most, Math.floor((ny - 1) / 2)),
    ];
    const values = plan.data();
    for (let dy = -my; dy <= my; dy++)
      for (let dx = -mx; dx <= mx; dx++) {
        const v = values[2 * (((dy + ny) % ny) * nx + ((dx + nx) % nx))]!;
        if (v > top) [top, sx, sy] = [v, dx, dy];
      }
    for (const step of [0.25, 0.05, 0.02]) {
      if (axes !== "y") sx += parabola((d) => correlationAt(cross, ny, nx, sx + d, sy), step);
      if (axes !== "x") sy += parabola((d) => correlationAt(cross, ny, nx, sx, sy + d), step);
    }
    return [sx, sy];
  };
  return { transform, shift, free: plan.free };
}

/** Top of the parabola through three points, within two steps. */
function parabola(f: (d: number) => number, step: number): number {
  let at = 0;
  for (let i = 0; i < 6; i++) {
    const [a, b, c] = [f(at - step), f(at), f(at + step)];
    const curve = a - 2 * b + c;
    const move = curve < 0 ? Math.max(-2, Math.min(2, (a - c) / (2 * curve))) * step : a > c ? -step : step;
    at += move;
    if (Math.abs(move) < step / 2) break;
  }
  return at;
}

/** Re Σ C exp(2πi(f·d)) at any displacement. */
function correlationAt(cross: Float32Array, ny: number, nx: number, dx: number, dy: number): number {
  let sum = 0;
  const wx = new Float64Array(2 * nx);
  for (let x = 0; x < nx; x++) {
    const p = (2 * Math.PI * (x <= nx / 2 ? x : x - nx) * dx) / nx;
    wx[2 * x] = Math.cos(p);
    wx[2 * x + 1] = Math.sin(p);
  }
  for (let y = 0; y < ny; y++) {
    let re = 0,
      im = 0;
    for (let x = 0, i = 2 * y * nx; x < nx; x++, i += 2) {
      re += cross[i]! * wx[2 * x]! - cross[i + 1]! * wx[2 * x + 1]!;
      im += cross[i]! * wx[2 * x + 1]! + cross[i + 1]! * wx[2 * x]!;
    }
    const p = (2 * Math.PI * (y <= ny / 2 ? y : y - ny) * dy) / ny;
    sum += re * Math.cos(p) - im * Math.sin(p);
  }
  return sum;
}
