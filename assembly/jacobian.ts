// Derivatives of the intensities of one frame with respect to the coefficients W_k of the potential, summed over incident directions:
// the adjoint of the Chebyshev recursion for all wanted beams of a direction as matrix products. Plan: src/kernels/jacobian.ts.
import { align, int, num, ptr } from "./lib/bloch-batch";
import { reverseRows, vectorsComplex, vectorsReal } from "./lib/bloch-vectors";
import { gemm, workBytes } from "./lib/dense-gemm";

/** Bytes of scratch: `beams` and `rows` at most in a direction, `block` rows at a time. */
export function jacobianScratch(beams: i32, rows: i32, terms: i32, nodes: i32, block: i32, real: bool): f64 {
  const n = <f64>((beams + 2) & ~1), p: f64 = real ? 8 : 16, r = <f64>(rows + 1), t = <f64>terms, b = <f64>block;
  return 4096 + n * 36 + r * 32 + n * n * p + t * n * p + 2 * t * r * p + 3 * <f64>nodes * r * p + (t + 1) * n * b * p + n * n * b * p + <f64>workBytes() + n * 64;
}

/**
 * Directions first … first + count − 1: out += their sums. Returns the largest |last Chebyshev vector|², or −1 when the plan's limits are too small.
 * out: u [slots, 2·size], then per slot intensity, t·dI/dt, and one row for each turn.
 */
export function jacobian(plan: usize, first: i32, count: i32, out: usize, scratch: usize): f64 {
  const pool = int(plan, 0), tangents = int(plan, 2), terms = int(plan, 3), nodes = int(plan, 4), slots = int(plan, 5), size = int(plan, 6);
  const real = int(plan, 29) != 0, centre = int(plan, 9), maxBeams = int(plan, 10), maxRows = int(plan, 11), block = int(plan, 24);
  const linear = ptr(plan, 12), g = ptr(plan, 13), half = ptr(plan, 14), reach = ptr(plan, 15), factor = ptr(plan, 16), slot = ptr(plan, 17);
  const grid = ptr(plan, 18), kappa = ptr(plan, 19), dKappa = ptr(plan, 20), weight = ptr(plan, 21), coef = ptr(plan, 22), slope = ptr(plan, 23);
  const map = ptr(plan, 26), control = ptr(plan, 28);
  const scale = num(plan, 0), middle = num(plan, 1), diagonal = num(plan, 2), decay = num(plan, 3), window = num(plan, 4);
  const cap = (maxBeams + 2) & ~1, parts: i32 = real ? 1 : 2, bytes = <usize>(parts << 3);
  let at = align(scratch);
  const index = at; at = align(at + <usize>(cap << 2));
  const rows = at; at = align(at + <usize>((maxRows + 1) << 3));
  const error = at; at = align(at + <usize>(cap << 3)); // Sg of the beams
  const b = at; at = align(at + <usize>cap * <usize>cap * bytes);
  const v = at; at = align(at + <usize>terms * <usize>cap * bytes);
  const phi = at; at = align(at + <usize>terms * <usize>(maxRows + 1) * bytes);
  const seeds = at; at = align(at + <usize>terms * <usize>(maxRows + 1) * bytes);
  const even = at; at = align(at + <usize>nodes * <usize>(maxRows + 1) * bytes);
  const odd = at; at = align(at + <usize>nodes * <usize>(maxRows + 1) * bytes);
  const other = at; at = align(at + <usize>nodes * <usize>(maxRows + 1) * bytes);
  const y = at; at = align(at + <usize>(terms + 1) * <usize>cap * <usize>block * bytes);
  const grad = at; at = align(at + <usize>cap * <usize>cap * <usize>block * bytes);
  const spare = at; at = align(at + <usize>(cap << 6));
  const work = at;
  const intensity = out + (<usize>slots * <usize>size << 4), byT = intensity + <usize>(slots << 3), turned = byT + <usize>(slots << 3);
  const terms0 = (terms + 1) >> 1, terms1 = terms >> 1;
  let worst: f64 = 0;

  for (let dir: i32 = first; dir < first + count; dir++) {
    if (load<i32>(control)) return -2;
    const s = kappa + <usize>(dir * 24), w = load<f64>(weight + <usize>(dir << 3));
    let n: i32 = 0, wanted: i32 = 0;
    for (let j: i32 = 0; j < pool; j++) {
      const gj = g + <usize>(j * 24);
      const sg = -(load<f64>(s) * load<f64>(gj) + load<f64>(s, 8) * load<f64>(gj, 8) + load<f64>(s, 16) * load<f64>(gj, 16)) - load<f64>(half + <usize>(j << 3));
      if (!(Math.abs(sg) < load<f64>(reach + <usize>(j << 3)))) continue;
      if (n >= maxBeams) return -1;
      store<i32>(index + <usize>(n << 2), j);
      store<f64>(error + <usize>(n << 3), sg);
      const where = load<i32>(slot + <usize>(j << 2));
      if (where >= 0 && Math.abs(sg) < window) {
        if (wanted >= maxRows) return -1;
        store<i32>(rows + <usize>(wanted << 3), n);
        store<i32>(rows + <usize>(wanted << 3), where, 4);
        wanted++;
      }
      n++;
    }
    if (wanted == 0) continue;
    // B = 2X
    const ld: i32 = real ? (n + 1) & ~1 : n;
    for (let i: i32 = 0; i < n; i++) {
      const ji = load<i32>(index + <usize>(i << 2)), fi = load<f64>(factor + <usize>(ji << 3));
      const li = load<i32>(linear + <usize>(ji << 2)) + centre;
      let o = b + <usize>i * <usize>ld * bytes;
      for (let k: i32 = 0; k < n; k++) {
        const jk = load<i32>(index + <usize>(k << 2));
        const u = grid + <usize>((li - load<i32>(linear + <usize>(jk << 2))) << 4);
        const f = scale * fi * load<f64>(factor + <usize>(jk << 3));
        store<f64>(o, f * load<f64>(u));
        if (!real) store<f64>(o, f * load<f64>(u, 8), 8);
        o += bytes;
      }
      if (ld > n) store<f64>(o, 0);
      const d = b + (<usize>i * <usize>ld + <usize>i) * bytes;
      store<f64>(d, load<f64>(d) + (load<f64>(error + <usize>(i << 3)) * fi * fi - middle) * diagonal);
      if (!real) store<f64>(d, load<f64>(d, 8) - decay, 8);
    }
    if (real) vectorsReal(n, b, ld, terms, v);
    else vectorsComplex(n, b, terms, v, spare);
    const vRow = <usize>ld * bytes;
    let norm: f64 = 0;
    for (let i: usize = 0; i < <usize>(parts * n); i++) {
      const x = load<f64>(v + <usize>(terms - 1) * vRow + (i << 3));
      norm += x * x;
    }
    worst = max<f64>(worst, norm);
    if (!(worst <= num(plan, 5))) break;

    // ψ at the depths: even and odd terms apart, wanted beams in columns.
    const width = parts * wanted;
    for (let k: i32 = 0; k < terms; k++) {
      const to = phi + <usize>k * <usize>width * 8, from = v + <usize>k * vRow;
      for (let r: i32 = 0; r < wanted; r++) {
        const p = from + <usize>load<i32>(rows + <usize>(r << 3)) * bytes;
        store<f64>(to + <usize>r * bytes, load<f64>(p));
        if (!real) store<f64>(to + <usize>r * bytes, load<f64>(p, 8), 8);
      }
    }
    depths(nodes, width, terms0, terms1, coef, phi, even, odd, work);
    if (!real) wave(nodes * wanted, even, odd);
    for (let r: i32 = 0; r < wanted; r++) {
      let sum: f64 = 0;
      for (let m: i32 = 0; m < nodes; m++) {
        const o = <usize>m * <usize>width * 8 + <usize>r * bytes;
        const re = load<f64>(even + o), im = real ? load<f64>(odd + o) : load<f64>(even + o, 8);
        sum += re * re + im * im;
      }
      const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(load<i32>(rows + <usize>(r << 3)) << 2)) << 3));
      const to = intensity + <usize>(load<i32>(rows + <usize>(r << 3), 4) << 3);
      store<f64>(to, load<f64>(to) + w * f * f * sum);
    }
    // seeds: p_k = 2 Σ_m conj(a_km) ψ_m
    memory.fill(seeds, 0, <usize>terms * <usize>width * 8);
    gemm<f64>(terms0, width, nodes, 1, coef, 2 * nodes, 1, false, even, width, 1, false, seeds, 2 * width, work, false);
    gemm<f64>(terms1, width, nodes, 1, coef + <usize>(nodes << 3), 2 * nodes, 1, false, odd, width, 1, false, seeds + <usize>width * 8, 2 * width, work, false);
    // t dI/dt from the slopes of the coefficients; even and odd (complex: ψ and −iψ) stay, the slopes go to `other` in two steps
    for (let part: i32 = 0; part < 2; part++) {
      memory.fill(other, 0, <usize>nodes * <usize>width * 8);
      const start = <usize>part * <usize>(nodes << 3);
      gemm<f64>(nodes, width, part == 0 ? terms0 : terms1, 1, slope + start, 1, 2 * nodes, false, phi + <usize>part * <usize>width * 8, 2 * width, 1, false, other, width, work, false);
      const held = part == 0 ? even : odd;
      for (let r: i32 = 0; r < wanted; r++) {
        let sum: f64 = 0;
        for (let m: i32 = 0; m < nodes; m++) {
          const o = <usize>m * <usize>width * 8 + <usize>r * bytes;
          sum += load<f64>(held + o) * load<f64>(other + o);
          if (!real) sum += load<f64>(held + o, 8) * load<f64>(other + o, 8);
        }
        const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(load<i32>(rows + <usize>(r << 3)) << 2)) << 3));
        const to = byT + <usize>(load<i32>(rows + <usize>(r << 3), 4) << 3);
        store<f64>(to, load<f64>(to) + 2 * w * f * f * sum);
      }
    }
    store<f64>(v, 0.5);
    for (let from: i32 = 0; from < wanted; from += block) {
      const c = min(block, wanted - from);
      // a single real row is padded as the matrix is
      const yRow: i32 = real && c == 1 ? ld : n * c, stride = <usize>yRow * bytes;
      // r_k stands at y + k·stride, and y_k will
      memory.fill(y, 0, <usize>terms * stride);
      for (let a: i32 = 0; a < c; a++) {
        const r = from + a, beam = load<i32>(rows + <usize>(r << 3));
        const f = load<f64>(factor + <usize>(load<i32>(index + <usize>(beam << 2)) << 3)), t = 2 * w * f * f;
        let to = y + (<usize>beam * <usize>c + <usize>a) * bytes, row = seeds + <usize>r * bytes;
        for (let k: i32 = 0; k < terms; k++) {
          store<f64>(to, t * load<f64>(row));
          if (!real) store<f64>(to, t * load<f64>(row, 8), 8);
          to += stride;
          row += <usize>width * 8;
        }
      }
      reverseRows(n, c, b, ld, real, int(plan, 30) == 0, terms, y, spare, work);
      memory.fill(grad, 0, <usize>n * <usize>n * <usize>c * bytes);
      gemm<f64>(n * c, n, terms - 1, 1, y + stride, 1, yRow, false, v, ld, 1, true, grad, n, work, !real);
      for (let a: i32 = 0; a < c; a++) {
        const where = load<i32>(rows + <usize>((from + a) << 3), 4);
        const u = out + (<usize>where * <usize>size << 4);
        for (let i: i32 = 0; i < n; i++) {
          const ji = load<i32>(index + <usize>(i << 2)), fi = load<f64>(factor + <usize>(ji << 3));
          const li = load<i32>(linear + <usize>(ji << 2)) + centre;
          const row = grad + (<usize>(i * c + a) * <usize>n) * bytes;
          for (let k: i32 = 0; k < n; k++) {
            const jk = load<i32>(index + <usize>(k << 2));
            const to = u + <usize>(load<i32>(map + <usize>((li - load<i32>(linear + <usize>(jk << 2))) << 2)) << 4);
            const f = scale * fi * load<f64>(factor + <usize>(jk << 3)), p = row + <usize>k * bytes;
            store<f64>(to, load<f64>(to) + f * load<f64>(p));
            if (!real) store<f64>(to, load<f64>(to, 8) + f * load<f64>(p, 8), 8);
          }
        }
        // the diagonal moves with the direction
        for (let t: i32 = 0; t < tangents; t++) {
          const e = dKappa + <usize>((dir * tangents + t) * 24);
          let sum: f64 = 0;
          for (let i: i32 = 0; i < n; i++) {
            const ji = load<i32>(index + <usize>(i << 2)), gj = g + <usize>(ji * 24), fi = load<f64>(factor + <usize>(ji << 3));
            const ds = -(load<f64>(e) * load<f64>(gj) + load<f64>(e, 8) * load<f64>(gj, 8) + load<f64>(e, 16) * load<f64>(gj, 16));
            sum += ds * fi * fi * load<f64>(grad + (<usize>(i * c + a) * <usize>n + <usize>i) * bytes);
          }
          const to = turned + <usize>((t * slots + where) << 3);
          store<f64>(to, load<f64>(to) + diagonal * sum);
        }
      }
    }
  }
  store<f64>(out - 8, max<f64>(load<f64>(out - 8), worst));
  return worst;
}

/** even, odd [nodes, width] = Σ over even and odd terms of coef [terms, nodes] · phi [terms, width]. */
function depths(nodes: i32, width: i32, terms0: i32, terms1: i32, coef: usize, phi: usize, even: usize, odd: usize, work: usize): void {
  memory.fill(even, 0, <usize>nodes * <usize>width * 8);
  memory.fill(odd, 0, <usize>nodes * <usize>width * 8);
  gemm<f64>(nodes, width, terms0, 1, coef, 1, 2 * nodes, false, phi, 2 * width, 1, false, even, width, work, false);
  gemm<f64>(nodes, width, terms1, 1, coef + <usize>(nodes << 3), 1, 2 * nodes, false, phi + <usize>width * 8, 2 * width, 1, false, odd, width, work, false);
}

/** Complex: even := ψ = even + i·odd, odd := −iψ. */
function wave(count: i32, even: usize, odd: usize): void {
  for (let i: i32 = 0; i < count; i++) {
    const o = <usize>i << 4;
    const re = load<f64>(even + o) - load<f64>(odd + o, 8), im = load<f64>(even + o, 8) + load<f64>(odd + o);
    store<f64>(even + o, re);
    store<f64>(even + o, im, 8);
    store<f64>(odd + o, im);
    store<f64>(odd + o, -re, 8);
  }
}
