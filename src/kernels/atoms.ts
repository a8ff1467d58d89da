import { atomsWasm } from "./generated/atoms.js";
import { jsAtomKernels } from "./js/atoms.js";
import { type Arena, wasmAvailable } from "./memory.js";

export { atomsWasm } from "./generated/atoms.js";

type N = number;
/**
 * Gaussian atoms on one projection, all arguments addresses in bytes of the arena's memory; nothing checked, same bits in both backends.
 * A padded image is f32 [ny + 2 pad, nx + 2 pad]. Each of n atoms owns a patch of W × W of its pixels, W a multiple of 4 and at most `pad`:
 * origin i32 [n] (index of its first pixel), g f32 [n, 2W] (unit-sum Gaussians along x, then y), frac f32 [n, 2] (centre in the patch).
 */
export interface AtomKernels {
  readonly name?: "js" | "wasm";
  /** Patches from centres f64 [n, 2] (x, y in pixels of the unpadded image) and widths σ f64 [n] in pixels; an atom off the image gets zeros. */
  patches(n: N, centres: N, width: N, W: N, ny: N, nx: N, pad: N, origin: N, g: N, frac: N): void;
  /** image += Σ g_x g_y (c0 + c1 k + c2 l + c3 (k² + l²)) with (k, l) from the centre; c f32 [n, 4]; scratch f32 [W]. */
  forward(n: N, W: N, stride: N, origin: N, g: N, frac: N, c: N, image: N, scratch: N): void;
  /** out f32 [n, 4] = Σ image g_x g_y (1, k, l, k² + l²). */
  adjoint(n: N, W: N, stride: N, origin: N, g: N, frac: N, image: N, out: N): void;
  /** out f32 [n, 15] = Σ image g_x² g_y² k^p l^q for p + q <= 4, p outermost. */
  moments(n: N, W: N, stride: N, origin: N, g: N, frac: N, image: N, out: N): void;
  /** image ×= weight, f32 [count], count a multiple of 4. */
  weigh(count: N, image: N, weight: N): void;
  /** image = b0 + b1 x + b2 y, x and y from −½ to ½ over the unpadded image; b f64 [3]. */
  plane(ny: N, nx: N, pad: N, b: N, image: N): void;
  /** out f64 [3] = Σ image (1, x, y) over the unpadded pixels. */
  planeSums(ny: N, nx: N, pad: N, image: N, out: N): void;
  /** image = weight (data − model) over the unpadded pixels, else 0. Returns Σ weight (data − model)². */
  residual(ny: N, nx: N, pad: N, data: N, model: N, weight: N, image: N): number;
  /** One factor of the normal matrix: image = weight · (plane(b) + forward(c)), out = adjoint(image), sums = planeSums(image). */
  normal(
    n: N,
    W: N,
    ny: N,
    nx: N,
    pad: N,
    count: N,
    origin: N,
    g: N,
    frac: N,
    c: N,
    b: N,
    image: N,
    weight: N,
    out: N,
    sums: N,
    scratch: N,
  ): void;
  /** volume f32 [·, sy, sx], sections z0 … z1 − 1, += image sampled at (u·(x,y,z,1), v·(x,y,z,1)), bilinear, nothing outside. */
  smear(
    volume: N,
    z0: N,
    z1: N,
    sy: N,
    sx: N,
    ux: N,
    uy: N,
    uz: N,
    u0: N,
    vx: N,
    vy: N,
    vz: N,
    v0: N,
    image: N,
    ny: N,
    nx: N,
    pad: N,
  ): void;
}

/** WebAssembly where it can run, else plain TypeScript on the same memory. */
export function atomKernels(arena: Arena): AtomKernels {
  return wasmAvailable() ? arena.family<AtomKernels>(atomsWasm) : jsAtomKernels(arena);
}
