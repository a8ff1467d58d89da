import { fftPlan } from "../numerics/fft-plan.js";
import { centreIndex } from "./layout.js";

/** Half-width of the interpolation kernel in points of the fine grid, twice oversampled; its exponent; see FINUFFT. */
const HALF = 4;
const BETA = 2.3 * 2 * HALF;
const kernel = (t: number): number => (Math.abs(t) < 1 ? Math.exp(BETA * (Math.sqrt(1 - t * t) - 1)) : 0);
/** Points of the kernel's table per grid step, read linearly: the error of the table is below that of the kernel. */
const TABLE = 4096;

/** Fourier transform of the kernel at a distance of x pixels from the centre, fine grid of m points, by the midpoint rule. */
function kernelTransform(x: number, m: number): number {
  const steps = 400;
  let s = 0;
  for (let i = 0; i < steps; i++) {
    const t = (i + 0.5) / steps;
    s += kernel(t) * Math.cos((2 * Math.PI * x * t * HALF) / m);
  }
  return (2 * s * HALF) / steps;
}

/**
 * The Fourier transform of a real image at any frequencies: F(u, v) = Σ image(x, y)·exp(−2πi(u x + v y)), x and y from the centre (index
 * ⌊n/2⌋), u and v in cycles per pixel, |u|, |v| <= 0.5. Prepared by one FFT of twice the size; each value then costs 8 × 8 products.
 * Error: about 1e-6 of the largest value.
 * @see Barnett, Magland & af Klinteberg, SIAM J. Sci. Comput. 41, C479 (2019)
 */
export function imageTransform(ny: number, nx: number) {
  const even = (n: number): number => 2 * Math.ceil(Math.max(2 * n, 4 * HALF) / 2);
  const [my, mx] = [even(ny), even(nx)],
    [cy, cx] = [centreIndex(ny), centreIndex(nx)];
  const plan = fftPlan({ shape: [my, mx], type: "c64" });
  const weights = (n: number, c: number, m: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => 1 / kernelTransform(i - c, m));
  const [wy, wx] = [weights(ny, cy, my), weights(nx, cx, mx)];
  const table = Float64Array.from({ length: HALF * TABLE + 2 }, (_, i) => kernel(i / (HALF * TABLE)));
  let grid = new Float32Array(0);
  const taps = [new Float64Array(2 * HALF), new Float64Array(2 * HALF)] as const;
  const fill = (to: Float64Array, at: number): number => {
    const first = Math.ceil(at - HALF);
    for (let k = 0; k < 2 * HALF; k++) {
      const d = Math.abs(at - first - k) * TABLE,
        i = Math.floor(d);
      to[k] = i > HALF * TABLE ? 0 : table[i]! + (d - i) * (table[i + 1]! - table[i]!);
    }
    return first;
  };
  return {
    /** Prepare for an image, [ny, nx] from `offset` in `data`. */
    image: (data: ArrayLike<number>, offset = 0): void => {
      const a = plan.data().fill(0);
      for (let y = 0; y < ny; y++)
        for (let x = 0; x < nx; x++)
          a[2 * (((y - cy + my) % my) * mx + ((x - cx + mx) % mx))] = data[offset + y * nx + x]! * wy[y]! * wx[x]!;
      plan.forward();
      grid = plan.data().slice();
    },
    /** F(u, v) into out[at], out[at + 1]. */
    valueInto: (out: Float64Array | Float32Array, at: number, u: number, v: number): void => {
      const [ty, tx] = taps,
        y0 = fill(ty, v * my),
        x0 = fill(tx, u * mx);
      let re = 0,
        im = 0;
      for (let j = 0; j < 2 * HALF; j++) {
        const row = ((((y0 + j) % my) + my) % my) * mx;
        let r = 0,
          i = 0;
        for (let k = 0, x = ((x0 % mx) + mx) % mx; k < 2 * HALF; k++, x = x + 1 === mx ? 0 : x + 1) {
          const w = tx[k]!,
            p = 2 * (row + x);
          r += w * grid[p]!;
          i += w * grid[p + 1]!;
        }
        re += ty[j]! * r;
        im += ty[j]! * i;
      }
      out[at] = re;
      out[at + 1] = im;
    },
    free: plan.free,
  };
}

/** The same by direct summation: slow, exact to rounding; for checks. */
export function directTransform(data: ArrayLike<number>, ny: number, nx: number, u: number, v: number): readonly [re: number, im: number] {
  const [cy, cx] = [centreIndex(ny), centreIndex(nx)];
  let re = 0,
    im = 0;
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const p = -2 * Math.PI * (u * (x - cx) + v * (y - cy)),
        d = data[y * nx + x]!;
      re += d * Math.cos(p);
      im += d * Math.sin(p);
    }
  return [re, im];
}
