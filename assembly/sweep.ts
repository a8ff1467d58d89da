// Bloch waves of one frame on many incident directions: one Chebyshev recursion for four directions at a time. Everything is f64; see
// src/kernels/sweep.ts for the plan and lib/bloch-batch.ts for the layout.
import { depth, depthReal, pairs } from "./lib/bloch-depths";
import { advance, align, capacity, common, int, largestNorm, num, panels, product, ptr, unit } from "./lib/bloch-batch";

/** Bytes of scratch for `beams` common beams, `rows` of them wanted, `terms` Chebyshev terms, `nodes` depths, `tangents` derivatives. */
export function sweepScratch(beams: i32, rows: i32, terms: i32, nodes: i32, tangents: i32): f64 {
  const n = <f64>capacity(beams);
  return 2048 + <f64>(nodes + 1) * <f64>terms * 8 + n * (4 + 32 + 32 + 32 * tangents) + n * n * 24 + n * 96 * 3 * (1 + tangents) + <f64>(rows + 1) * (8 + <f64>terms * 64 * (1 + tangents));
}

/** Keep the wanted rows of the k-th Chebyshev vector; complex ones times i^(k mod 2). The signs of i^k are in the coefficients. */
// @ts-ignore: decorator
@inline
function keep(x: usize, phi: usize, rows: usize, count: i32, terms: i32, k: i32, real: bool, plane: usize): void {
  for (let r: i32 = 0; r < count; r++) {
    const from = x + (<usize>load<i32>(rows + <usize>(r << 3)) << 5);
    if (real) {
      const to = phi + <usize>(r * terms + k) * 32;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      continue;
    }
    const to = phi + <usize>(r * terms + k) * 64;
    const a = v128.load(from), b = v128.load(from, 16), c = v128.load(from + plane), d = v128.load(from + plane, 16);
    if (k & 1) {
      v128.store(to, f64x2.neg(c)); v128.store(to, f64x2.neg(d), 16); v128.store(to, a, 32); v128.store(to, b, 48);
    } else {
      v128.store(to, a); v128.store(to, b, 16); v128.store(to, c, 32); v128.store(to, d, 48);
    }
  }
}

/**
 * Intensities of the wanted beams for `count` incident directions from `first`.
 * out[slot·s0 + direction·s1 + node·s2 + tangent·s3] += weight · |ψ(t_node)|², tangent 0 being the intensity itself.
 * Returns the largest norm of a last Chebyshev vector, and keeps it 8 bytes below `out`: above 1 the spectral bounds were too narrow; −1 when the
 * scratch was too small, −2 when told to stop.
 */
export function sweep(plan: usize, first: i32, count: i32, out: usize, scratch: usize): f64 {
  const tangents = int(plan, 2), terms = int(plan, 3), nodes = int(plan, 4);
  const s0 = int(plan, 5), s1 = int(plan, 6), s2 = int(plan, 7), s3 = int(plan, 8), maxRows = int(plan, 11);
  const factor = ptr(plan, 16), weight = ptr(plan, 21), coef = ptr(plan, 22), last = ptr(plan, 23), control = ptr(plan, 28);

  const cap = capacity(int(plan, 10)), real = int(plan, 29) != 0;
  const planes: i32 = real ? 1 : 3, row: usize = real ? 32 : 64;
  let at = align(scratch);
  const index = at; at = align(at + <usize>(cap << 2));
  const rows = at; at = align(at + <usize>((maxRows + 1) << 3));
  const mask = at; at = align(at + <usize>(cap << 5));
  const d = at; at = align(at + <usize>(cap << 5));
  const e = at; at = align(at + <usize>((cap << 5) * tangents));
  const b = at; at = align(at + <usize>cap * <usize>cap * <usize>(planes << 3));
  const size = <usize>(cap << 5) * <usize>planes;
  const vectors = at; at = align(at + 3 * size * <usize>(1 + tangents));
  const wave = at; at += 256;
  const packed = at; at = align(at + <usize>((nodes + 1) * terms << 3));
  const phi = at;
  const phiBytes = <usize>(maxRows * terms) * row;
  let worst: f64 = 0;
  pairs(coef, nodes, terms, packed);

  for (let group: i32 = first; group < first + count; group += 4) {
    if (load<i32>(control)) return -2;
    const lanes = min<i32>(4, first + count - group);
    const found = common(plan, group, lanes, tangents, cap, index, rows, mask, d, e, 0);
    if (found < 0) return -1;
    const n = found & 0xffff, wanted = found >> 16, plane = <usize>(((n + 3) & ~3) << 5);
    panels(plan, n, index, b, real, false);

    // x0 = e0, x1 = B x0 / 2, x_{k+1} = B x_k − x_{k−1}; tangents dx_{k+1} = B dx_k + dB x_k − dx_{k−1}.
    let p0 = vectors, p1 = vectors + size, p2 = vectors + 2 * size;
    const set = 3 * size;
    unit(p0, n, lanes, planes);
    keep(p0, phi, rows, wanted, terms, 0, real, plane);
    for (let t: i32 = 1; t <= tangents; t++) {
      memory.fill(p0 + <usize>t * set, 0, size);
      keep(p0 + <usize>t * set, phi + <usize>t * phiBytes, rows, wanted, terms, 0, real, plane);
    }
    for (let k: i32 = 1; k < terms; k++) {
      const half = k == 1 ? 0.5 : 1.0;
      for (let t: i32 = 0; t <= tangents; t++) {
        const o = <usize>t * set;
        product(b, p0 + o, p1 + o, n, planes);
        advance(p1 + o, p0 + o, t ? p0 : 0, k == 1 ? 0 : p2 + o, mask, d, t ? e + <usize>((t - 1) * cap << 5) : 0, n, half, real);
        keep(p1 + o, phi + <usize>t * phiBytes, rows, wanted, terms, k, real, plane);
      }
      const swap = p2; p2 = p0; p0 = p1; p1 = swap;
    }
    worst = max<f64>(worst, largestNorm(p0, n, real));
    if (!(worst <= num(plan, 5))) break;

    const w = weight + <usize>(group << 3);
    const w0 = f64x2.replace_lane(f64x2.splat(load<f64>(w)), 1, lanes > 1 ? load<f64>(w, 8) : 0);
    const w1 = f64x2.replace_lane(f64x2.splat(lanes > 2 ? load<f64>(w, 16) : 0), 1, lanes > 3 ? load<f64>(w, 24) : 0);
    // ψ(t_m) = Σ_k coef[k, m] φ_k, two depths at a time.
    for (let r: i32 = 0; r < wanted; r++) {
      const beam = load<i32>(rows + <usize>(r << 3)), where = load<i32>(rows + <usize>(r << 3), 4);
      const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3));
      for (let m: i32 = 0; m < nodes; m += 2) {
        const pair = min<i32>(2, nodes - m);
        const stop = load<i32>(last + <usize>(m << 2));
        const waves = phi + <usize>(r * terms) * row, c = packed + <usize>(m * terms << 3);
        if (real) depthReal(waves, c, stop, wave);
        else depth(waves, c, stop, wave);
        for (let t: i32 = 0; t <= tangents; t++) {
          if (t > 0) {
            if (real) depthReal(waves + <usize>t * phiBytes, c, stop, wave + 128);
            else depth(waves + <usize>t * phiBytes, c, stop, wave + 128);
          }
          const other = t > 0 ? wave + 128 : wave;
          const times = t > 0 ? 2 * f * f : f * f;
          if (s1 == 0) {
            for (let q: i32 = 0; q < pair; q++) {
              const a = wave + <usize>(q << 6), c = other + <usize>(q << 6);
              const v = f64x2.add(
                f64x2.mul(w0, f64x2.add(f64x2.mul(v128.load(a), v128.load(c)), f64x2.mul(v128.load(a, 32), v128.load(c, 32)))),
                f64x2.mul(w1, f64x2.add(f64x2.mul(v128.load(a, 16), v128.load(c, 16)), f64x2.mul(v128.load(a, 48), v128.load(c, 48)))),
              );
              const to = out + <usize>((where * s0 + (m + q) * s2 + t * s3) << 3);
              store<f64>(to, load<f64>(to) + times * (f64x2.extract_lane(v, 0) + f64x2.extract_lane(v, 1)));
            }
            continue;
          }
          for (let q: i32 = 0; q < pair; q++)
            for (let l: i32 = 0; l < lanes; l++) {
              const o = <usize>(q << 6) + <usize>(l << 3);
              const v = load<f64>(wave + o) * load<f64>(other + o) + load<f64>(wave + o, 32) * load<f64>(other + o, 32);
              const to = out + <usize>((where * s0 + (group + l) * s1 + (m + q) * s2 + t * s3) << 3);
              store<f64>(to, load<f64>(to) + times * load<f64>(weight + <usize>((group + l) << 3)) * v);
            }
        }
      }
    }
  }
  store<f64>(out - 8, max<f64>(load<f64>(out - 8), worst));
  return worst;
}
