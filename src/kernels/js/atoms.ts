/** Plain TypeScript twin of assembly/atoms.ts: same operations in the same order, same bits. See there for the layout. */
import type { AtomKernels } from "../atoms.js";
import type { Arena } from "../memory.js";

const f = Math.fround;
const powers = Float64Array.from({ length: 120 }, (_, k) => 0.5 ** k);
const inverseFactorials = [
  2.08767569878681e-9, 2.505210838544172e-8, 2.755731922398589e-7, 2.7557319223985893e-6, 2.48015873015873e-5, 1.984126984126984e-4,
  1.388888888888889e-3, 8.333333333333333e-3, 4.1666666666666664e-2, 0.16666666666666666, 0.5, 1, 1,
];

/** exp of a number <= 0, accurate to 1e-16. */
export function expNegative(x: number): number {
  if (x < -80) return 0;
  const k = Math.floor(x * Math.LOG2E + 0.5);
  const r = x - k * 0.6931471803691238 - k * 1.9082149292705877e-10;
  let s = 1.6059043836821613e-10;
  for (const c of inverseFactorials) s = s * r + c;
  return s * powers[-k]!;
}

/** Lanes of one SIMD vector of sums. */
const four = (): Float32Array => new Float32Array(4);
const total = (v: Float32Array): number => f(f(v[0]! + v[1]!) + f(v[2]! + v[3]!));
/** Exponents (p, q) of the fifteen moments. */
export const momentPowers: readonly (readonly [number, number])[] = [0, 1, 2, 3, 4].flatMap((p) =>
  [0, 1, 2, 3, 4].filter((q) => p + q <= 4).map((q) => [p, q] as const),
);

function forward(
  n: number,
  W: number,
  stride: number,
  origin: Int32Array,
  g: Float32Array,
  frac: Float32Array,
  c: Float32Array,
  image: Float32Array,
): void {
  const row = new Float32Array(W);
  for (let a = 0; a < n; a++) {
    const gx = 2 * a * W,
      gy = gx + W,
      [c0, c1, c2, c3] = [c[4 * a]!, c[4 * a + 1]!, c[4 * a + 2]!, c[4 * a + 3]!];
    const dx = frac[2 * a]!,
      dy = frac[2 * a + 1]!;
    for (let k = 0; k < W; k++) {
      const kk = f(k - dx);
      row[k] = g[gx + k]! * f(c0 + f(kk * f(c1 + f(kk * c3))));
    }
    for (let l = 0, to = origin[a]!; l < W; l++, to += stride) {
      const h = g[gy + l]!,
        ll = f(l - dy),
        q = f(h * f(ll * f(c2 + f(ll * c3))));
      for (let k = 0; k < W; k++) image[to + k] = image[to + k]! + f(f(row[k]! * h) + f(g[gx + k]! * q));
    }
  }
}

function adjoint(
  n: number,
  W: number,
  stride: number,
  origin: Int32Array,
  g: Float32Array,
  frac: Float32Array,
  image: Float32Array,
  out: Float32Array,
): void {
  for (let a = 0; a < n; a++) {
    const gx = 2 * a * W,
      gy = gx + W,
      dx = frac[2 * a]!,
      dy = frac[2 * a + 1]!;
    const m = [four(), four(), four(), four()] as const;
    for (let l = 0, from = origin[a]!; l < W; l++, from += stride) {
      const x = [four(), four(), four()] as const;
      for (let k = 0; k < W; k++) {
        const kk = f(k - dx),
          i = k & 3,
          v = f(image[from + k]! * g[gx + k]!),
          vk = f(v * kk);
        x[0][i]! += v;
        x[1][i]! += vk;
        x[2][i]! += f(vk * kk);
      }
      const h = g[gy + l]!,
        ll = f(l - dy),
        hl = f(h * ll),
        hll = f(hl * ll);
      for (let i = 0; i < 4; i++) {
        m[0][i]! += f(x[0][i]! * h);
        m[1][i]! += f(x[1][i]! * h);
        m[2][i]! += f(x[0][i]! * hl);
        m[3][i]! += f(f(x[2][i]! * h) + f(x[0][i]! * hll));
      }
    }
    for (let j = 0; j < 4; j++) out[4 * a + j] = total(m[j]!);
  }
}

function weigh(count: number, image: Float32Array, weight: Float32Array): void {
  for (let i = 0; i < count; i++) image[i] = image[i]! * weight[i]!;
}

/** Atoms of flat arrays; {@link jsAtomKernels} gives them the addresses of an arena. */
const plain = {
  patches(
    n: number,
    centres: Float64Array,
    width: Float64Array,
    W: number,
    ny: number,
    nx: number,
    pad: number,
    origin: Int32Array,
    g: Float32Array,
    frac: Float32Array,
  ): void {
    const px = nx + 2 * pad,
      py = ny + 2 * pad;
    for (let a = 0; a < n; a++) {
      const cx = centres[2 * a]!,
        cy = centres[2 * a + 1]!,
        s = width[a]!,
        e = -0.5 / (s * s),
        norm = 0.3989422804014327 / s;
      const x0 = Math.floor(cx) - (W / 2 - 1),
        y0 = Math.floor(cy) - (W / 2 - 1);
      if (!(x0 >= -pad && y0 >= -pad && x0 + W + pad <= px && y0 + W + pad <= py)) {
        g.fill(0, 2 * a * W, 2 * (a + 1) * W);
        origin[a] = frac[2 * a] = frac[2 * a + 1] = 0;
        continue;
      }
      const dx = cx - x0,
        dy = cy - y0;
      origin[a] = (y0 + pad) * px + x0 + pad;
      frac[2 * a] = dx;
      frac[2 * a + 1] = dy;
      for (let k = 0; k < W; k++) {
        g[2 * a * W + k] = norm * expNegative(e * (k - dx) * (k - dx));
        g[(2 * a + 1) * W + k] = norm * expNegative(e * (k - dy) * (k - dy));
      }
    }
  },
  moments(
    n: number,
    W: number,
    stride: number,
    origin: Int32Array,
    g: Float32Array,
    frac: Float32Array,
    image: Float32Array,
    out: Float32Array,
  ): void {
    for (let a = 0; a < n; a++) {
      const gx = 2 * a * W,
        gy = gx + W,
        dx = frac[2 * a]!,
        dy = frac[2 * a + 1]!;
      const sums = momentPowers.map(four);
      for (let l = 0, from = origin[a]!; l < W; l++, from += stride) {
        const s = [four(), four(), four(), four(), four()];
        for (let k = 0; k < W; k++) {
          const kk = f(k - dx),
            e = g[gx + k]!;
          let y = f(image[from + k]! * f(e * e));
          for (let p = 0; p < 5; p++) {
            s[p]![k & 3]! += y;
            y = f(y * kk);
          }
        }
        const h = g[gy + l]!,
          ll = f(l - dy),
          q = [f(h * h)];
        for (let j = 1; j < 5; j++) q.push(f(q[j - 1]! * ll));
        momentPowers.forEach(([p, j], m) => {
          for (let i = 0; i < 4; i++) sums[m]![i]! += f(s[p]![i]! * q[j]!);
        });
      }
      for (let m = 0; m < 15; m++) out[15 * a + m] = total(sums[m]!);
    }
  },
  plane(ny: number, nx: number, pad: number, b: Float64Array, image: Float32Array): void {
    for (let y = -pad, to = 0; y < ny + pad; y++) {
      const row = b[0]! + b[2]! * (y * (1 / ny) - 0.5);
      for (let x = -pad; x < nx + pad; x++, to++) image[to] = row + b[1]! * (x * (1 / nx) - 0.5);
    }
  },
  planeSums(ny: number, nx: number, pad: number, image: Float32Array, out: Float64Array): void {
    out.fill(0);
    for (let y = 0; y < ny; y++) {
      let r0 = 0,
        r1 = 0;
      for (let x = 0, from = (y + pad) * (nx + 2 * pad) + pad; x < nx; x++, from++) {
        r0 += image[from]!;
        r1 += image[from]! * (x * (1 / nx) - 0.5);
      }
      out[0]! += r0;
      out[1]! += r1;
      out[2]! += r0 * (y * (1 / ny) - 0.5);
    }
  },
  residual(
    ny: number,
    nx: number,
    pad: number,
    data: Float32Array,
    model: Float32Array,
    weight: Float32Array,
    image: Float32Array,
  ): number {
    const stride = nx + 2 * pad;
    image.fill(0, 0, stride * (ny + 2 * pad));
    let sum = 0;
    for (let y = 0; y < ny; y++) {
      let row = 0;
      for (let x = 0, o = (y + pad) * stride + pad; x < nx; x++, o++) {
        const d = f(data[o]! - model[o]!),
          w = f(weight[o]! * d);
        image[o] = w;
        row += w * d;
      }
      sum += row;
    }
    return sum;
  },
  smear(
    volume: Float32Array,
    z0: number,
    z1: number,
    sy: number,
    sx: number,
    u: readonly [number, number, number, number],
    v: readonly [number, number, number, number],
    image: Float32Array,
    ny: number,
    nx: number,
    pad: number,
  ): void {
    const stride = nx + 2 * pad;
    for (let z = z0; z < z1; z++)
      for (let y = 0; y < sy; y++) {
        const ub = u[1] * y + u[2] * z + u[3],
          vb = v[1] * y + v[2] * z + v[3];
        for (let x = 0, to = (z * sy + y) * sx; x < sx; x++, to++) {
          const p = u[0] * x + ub,
            q = v[0] * x + vb;
          if (!(p >= 0 && q >= 0 && p <= nx - 1 && q <= ny - 1)) continue;
          const iu = Math.trunc(p),
            iv = Math.trunc(q),
            fu = f(p - iu),
            fv = f(q - iv),
            i = (iv + pad) * stride + iu + pad;
          const a = image[i]!,
            b = image[i + stride]!;
          const r = f(a + f(fu * f(image[i + 1]! - a))),
            s = f(b + f(fu * f(image[i + stride + 1]! - b)));
          volume[to] = volume[to]! + f(r + f(fv * f(s - r)));
        }
      }
  },
};

/** The twin on the memory of an arena. */
export function jsAtomKernels(arena: Arena): AtomKernels {
  const rest = (ptr: number): number => Math.floor((arena.memory.buffer.byteLength - ptr) / 4);
  const image = (ptr: number): Float32Array => arena.f32(ptr, rest(ptr));
  return {
    name: "js",
    patches: (n, centres, width, W, ny, nx, pad, origin, g, frac) =>
      plain.patches(
        n,
        arena.f64(centres, 2 * n),
        arena.f64(width, n),
        W,
        ny,
        nx,
        pad,
        arena.i32(origin, n),
        arena.f32(g, 2 * n * W),
        arena.f32(frac, 2 * n),
      ),
    forward: (n, W, stride, origin, g, frac, c, img) =>
      forward(n, W, stride, arena.i32(origin, n), arena.f32(g, 2 * n * W), arena.f32(frac, 2 * n), arena.f32(c, 4 * n), image(img)),
    adjoint: (n, W, stride, origin, g, frac, img, out) =>
      adjoint(n, W, stride, arena.i32(origin, n), arena.f32(g, 2 * n * W), arena.f32(frac, 2 * n), image(img), arena.f32(out, 4 * n)),
    moments: (n, W, stride, origin, g, frac, img, out) =>
      plain.moments(
        n,
        W,
        stride,
        arena.i32(origin, n),
        arena.f32(g, 2 * n * W),
        arena.f32(frac, 2 * n),
        image(img),
        arena.f32(out, 15 * n),
      ),
    weigh: (count, img, weight) => weigh(count, arena.f32(img, count), arena.f32(weight, count)),
    plane: (ny, nx, pad, b, img) => plain.plane(ny, nx, pad, arena.f64(b, 3), image(img)),
    planeSums: (ny, nx, pad, img, out) => plain.planeSums(ny, nx, pad, image(img), arena.f64(out, 3)),
    residual: (ny, nx, pad, data, model, weight, img) => plain.residual(ny, nx, pad, image(data), image(model), image(weight), image(img)),
    normal(n, W, ny, nx, pad, count, origin, g, frac, c, b, img, weight, out, sums) {
      this.plane(ny, nx, pad, b, img);
      this.forward(n, W, nx + 2 * pad, origin, g, frac, c, img, 0);
      this.weigh(count, img, weight);
      this.adjoint(n, W, nx + 2 * pad, origin, g, frac, img, out);
      this.planeSums(ny, nx, pad, img, sums);
    },
    smear: (volume, z0, z1, sy, sx, ux, uy, uz, u0, vx, vy, vz, v0, img, ny, nx, pad) =>
      plain.smear(arena.f32(volume, z1 * sy * sx), z0, z1, sy, sx, [ux, uy, uz, u0], [vx, vy, vz, v0], image(img), ny, nx, pad),
  };
}
