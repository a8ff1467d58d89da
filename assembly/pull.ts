// Adjoint of the integration over directions (sweep.ts): derivatives of a weighted sum of intensities with respect to the potential's coefficients, to small
// changes of the directions and to the thickness. Four directions at a time; everything is f64; see src/kernels/pull.ts.
import { advance, align, capacity, common, int, largestNorm, num, panels, product, ptr, unit } from "./lib/bloch-batch";
import { depth, depthReal, pairs, seeds } from "./lib/bloch-depths";
import { diagonals, historyBytes, historyOf, keep, outer } from "./lib/bloch-outer";

/** Bytes of scratch for at most `beams` common beams and `rows` wanted ones. */
export function pullScratch(beams: i32, rows: i32, terms: i32, nodes: i32, real: bool, absorbing: bool): f64 {
  const n = <f64>capacity(beams), r = <f64>(rows + 1), planes: f64 = real ? 1 : 3, t = <f64>terms;
  return 4096 + n * (4 + 4 * 32) + n * n * 8 * planes * (absorbing ? 2 : 1) + n * 32 * planes * (3 + 2 * t) + r * 8 + <f64>(nodes + 1) * 64 + (<f64>nodes + 9) * t * 8;
}

/** One beam's history as [term] of 64 bytes, odd terms times i; real: of 32 bytes. */
// @ts-ignore: decorator
@inline
function turned(history: usize, terms: i32, out: usize, real: bool): void {
  const plane = <usize>(terms << 7);
  for (let k: i32 = 0; k < terms; k++) {
    const p = history + (<usize>k << 7), a = v128.load(p), b = v128.load(p, 64);
    if (real) {
      const o = out + (<usize>k << 5);
      v128.store(o, a); v128.store(o, b, 16);
      continue;
    }
    const o = out + (<usize>k << 6), c = v128.load(p + plane), d = v128.load(p + plane, 64);
    if (k & 1) {
      v128.store(o, f64x2.neg(c)); v128.store(o, f64x2.neg(d), 16); v128.store(o, a, 32); v128.store(o, b, 48);
    } else {
      v128.store(o, a); v128.store(o, b, 16); v128.store(o, c, 32); v128.store(o, d, 48);
    }
  }
}

/**
 * Derivatives of Σ c·I for `count` directions from `first` (a multiple of four): outU[k] += weight · dI/dW_k, outD[q] += weight · dI/dq, the last q being ln t with W
 * held; outI[slot] += weight · I. Returns the largest norm of a last Chebyshev vector, −1 when the scratch was too small, −2 when it was told to stop.
 */
export function pull(plan: usize, first: i32, count: i32, scratch: usize): f64 {
  const parameters = int(plan, 2), terms = int(plan, 3), nodes = int(plan, 4), centre = int(plan, 9), maxRows = int(plan, 11);
  const linear = ptr(plan, 12), g = ptr(plan, 13), factor = ptr(plan, 16), dKappa = ptr(plan, 20), weight = ptr(plan, 21), coef = ptr(plan, 22), last = ptr(plan, 23);
  const seedOf = ptr(plan, 24), outU = ptr(plan, 25), outD = ptr(plan, 26), outI = ptr(plan, 27), control = ptr(plan, 28);
  const scale = num(plan, 0), diagonal = num(plan, 2);
  const cap = capacity(int(plan, 10)), real = int(plan, 29) != 0, absorbing = int(plan, 30) != 0;
  const planes: i32 = real ? 1 : 3, plane128 = <usize>(terms << 7), history = historyBytes(cap, terms, planes);
  let at = align(scratch);
  const index = at; at = align(at + <usize>(cap << 2));
  const rows = at; at = align(at + <usize>((maxRows + 1) << 3));
  const mask = at; at = align(at + <usize>(cap << 5));
  const d = at; at = align(at + <usize>(cap << 5));
  const sgs = at; at = align(at + <usize>(cap << 5));
  const gd = at; at = align(at + <usize>(cap << 5));
  const matrix = <usize>cap * <usize>cap * <usize>(planes << 3);
  const b = at; at = align(at + matrix);
  const bh = absorbing ? at : b;
  if (absorbing) at = align(at + matrix);
  const size = <usize>(cap << 5) * <usize>planes;
  const vectors = at; at = align(at + 3 * size);
  const V = at; at = align(at + history);
  const Y = at; at = align(at + history);
  const packed = at; at = align(at + <usize>((nodes + 1) * terms << 3));
  const phi = at; at = align(at + <usize>(terms << 6));
  const sums = at; at += 192;
  const psi = at;
  let worst: f64 = 0;
  pairs(coef, nodes, terms, packed);

  for (let group: i32 = first; group < first + count; group += 4) {
    if (load<i32>(control)) return -2;
    const lanes = min<i32>(4, first + count - group);
    const found = common(plan, group, lanes, 0, cap, index, rows, mask, d, 0, sgs);
    if (found < 0) return -1;
    const n = found & 0xffff, wanted = found >> 16, plane = <usize>(((n + 3) & ~3) << 5);
    if (wanted == 0) continue;
    panels(plan, n, index, b, real, false);
    if (absorbing) panels(plan, n, index, bh, false, true);

    // Forward: x0 = e0, x1 = B x0 / 2, x_{k+1} = B x_k − x_{k−1}; every vector is kept.
    let p0 = vectors, p1 = vectors + size, p2 = vectors + 2 * size;
    unit(p0, n, lanes, planes);
    keep(p0, n, V, 0, terms, real, true);
    for (let k: i32 = 1; k < terms; k++) {
      product(b, p0, p1, n, planes);
      advance(p1, p0, 0, k == 1 ? 0 : p2, mask, d, 0, n, k == 1 ? 0.5 : 1.0, real);
      keep(p1, n, V, k, terms, real, true);
      const swap = p2; p2 = p0; p0 = p1; p1 = swap;
    }
    worst = max<f64>(worst, largestNorm(p0, n, real));
    if (!(worst <= num(plan, 5))) break;
    const w = weight + <usize>(group << 3);
    const w0 = f64x2.replace_lane(f64x2.splat(load<f64>(w)), 1, lanes > 1 ? load<f64>(w, 8) : 0);
    const w1 = f64x2.replace_lane(f64x2.splat(lanes > 2 ? load<f64>(w, 16) : 0), 1, lanes > 3 ? load<f64>(w, 24) : 0);

    // Waves at the depths, and what the sum says of the vectors: seeds stand where y_k will, at k − 1 beside v_{k−1}.
    memory.fill(Y, 0, historyBytes(n, terms, planes));
    for (let q: i32 = 0; q < wanted; q++) {
      const beam = load<i32>(rows + <usize>(q << 3)), where = load<i32>(rows + <usize>(q << 3), 4);
      turned(historyOf(V, beam, terms, planes), terms, phi, real);
      for (let m: i32 = 0; m < nodes; m += 2) {
        const stop = load<i32>(last + <usize>(m << 2)), c = packed + <usize>(m * terms << 3), o = psi + <usize>(m << 6);
        if (real) depthReal(phi, c, stop, o);
        else depth(phi, c, stop, o);
      }
      let s0 = f64x2.splat(0), s1 = s0;
      for (let m: i32 = 0; m < nodes; m++) {
        const o = psi + <usize>(m << 6);
        s0 = f64x2.add(s0, f64x2.add(f64x2.mul(v128.load(o), v128.load(o)), f64x2.mul(v128.load(o, 32), v128.load(o, 32))));
        s1 = f64x2.add(s1, f64x2.add(f64x2.mul(v128.load(o, 16), v128.load(o, 16)), f64x2.mul(v128.load(o, 48), v128.load(o, 48))));
      }
      const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3));
      const to = outI + <usize>(where << 3), all = f64x2.add(f64x2.mul(s0, w0), f64x2.mul(s1, w1));
      store<f64>(to, load<f64>(to) + f * f * (f64x2.extract_lane(all, 0) + f64x2.extract_lane(all, 1)));
      const c = f64x2.splat(2 * load<f64>(seedOf + <usize>(where << 3)) * f * f);
      seeds(psi, coef, last, nodes, terms, f64x2.mul(c, w0), f64x2.mul(c, w1), historyOf(Y, beam, terms, planes), real);
    }
    // v0 is halved for the sum G = ½ y1 v0ᴴ + Σ y_{k+1} v_kᴴ.
    for (let l: i32 = 0; l < lanes; l++) {
      const o = <usize>((l & 1) << 3) + (<usize>(l >> 1) << 6);
      store<f64>(V + o, 0.5);
      if (!real) store<f64>(V + 2 * plane128 + o, 0.5);
    }

    // Backward: y_k = r_k + Bᴴ y_{k+1} − y_{k+2}.
    memory.fill(vectors, 0, 3 * size);
    p0 = vectors; p1 = vectors + size; p2 = vectors + 2 * size;
    for (let k = terms - 1; k >= 1; k--) {
      if (k < terms - 1) {
        product(bh, p0, p1, n, planes);
        advance(p1, p0, 0, p2, mask, d, 0, n, 1, real);
      }
      // seeds of four beams at a time
      let r = Y + (<usize>(k - 1) << 7);
      for (let o: usize = 0; o < plane; o += 128) {
        for (let h: usize = 0; h < 128; h += 16) {
          const from = r + (h >> 5 << 4) + ((h & 16) << 2);
          const re = f64x2.add(v128.load(p1 + o + h), v128.load(from));
          v128.store(p1 + o + h, re);
          if (real) continue;
          const im = f64x2.add(v128.load(p1 + plane + o + h), v128.load(from + plane128));
          v128.store(p1 + plane + o + h, im);
          v128.store(p1 + 2 * plane + o + h, f64x2.add(re, im));
        }
        r += plane128 * <usize>planes;
      }
      keep(p1, n, Y, k - 1, terms, real, false);
      const swap = p2; p2 = p0; p0 = p1; p1 = swap;
    }
    outer(Y, V, n, terms, terms - 1, real, index, linear, factor, centre, scale, outU, sums);
    diagonals(Y, V, n, terms, terms - 1, real, gd);
    for (let i: i32 = 0; i < n; i++) {
      const j = load<i32>(index + <usize>(i << 2));
      const f = load<f64>(factor + <usize>(j << 3)), gj = g + <usize>(j * 24);
      for (let l: i32 = 0; l < lanes; l++) {
        const o = <usize>(i << 5) + <usize>(l << 3), by = load<f64>(gd + o) * f * f * diagonal;
        for (let q: i32 = 0; q < parameters; q++) {
          const v = dKappa + <usize>(((group + l) * parameters + q) * 24), t = outD + <usize>(q << 3);
          store<f64>(t, load<f64>(t) - by * (load<f64>(v) * load<f64>(gj) + load<f64>(v, 8) * load<f64>(gj, 8) + load<f64>(v, 16) * load<f64>(gj, 16)));
        }
        const t = outD + <usize>(parameters << 3);
        store<f64>(t, load<f64>(t) + by * load<f64>(sgs + o));
      }
    }
  }
  return worst;
}
