// The Chebyshev recurrence of one orientation, x_{k+1} = 2X x_k − x_{k−1}, from e0 and backwards; a holds 2X.
import { symv } from "./bloch-symv";
import { gemm } from "./dense-gemm";
import { gemv, gemvT } from "./dense-gemv";

/**
 * Chebyshev vectors v_k = T_k(X) e0 for k < terms, where a holds 2X. Real: rows of ld numbers (even, the tail zero); complex: rows of n pairs.
 * work: 32 n bytes.
 */
export function vectorsReal(n: i32, a: usize, ld: i32, terms: i32, v: usize): void {
  const row = <usize>ld * 8;
  memory.fill(v, 0, row);
  store<f64>(v, 1);
  for (let k: i32 = 1; k < terms; k++) {
    const y = v + <usize>k * row;
    if (k == 1) {
      for (let i: i32 = 0; i < n; i++) store<f64>(y + (<usize>i << 3), 0.5 * load<f64>(a + <usize>i * row));
      if (ld > n) store<f64>(y + (<usize>n << 3), 0);
    } else symv(n, a, ld, y - row, y - 2 * row, y);
  }
}
export function vectorsComplex(n: i32, a: usize, terms: i32, v: usize, work: usize): void {
  const row = <usize>n * 16;
  memory.fill(v, 0, row);
  store<f64>(v, 1);
  for (let k: i32 = 1; k < terms; k++) {
    const y = v + <usize>k * row;
    if (k == 1) {
      for (let i: i32 = 0; i < n; i++) {
        store<f64>(y + (<usize>i << 4), 0.5 * load<f64>(a + <usize>i * row));
        store<f64>(y + (<usize>i << 4), 0.5 * load<f64>(a + <usize>i * row, 8), 8);
      }
    } else {
      const z = y - 2 * row;
      for (let i: usize = 0; i < row; i += 16) v128.store(y + i, f64x2.neg(v128.load(z + i)));
      gemv<f64>(n, n, 1, a, n, false, y - row, y, work);
    }
  }
}

/**
 * Adjoint of the recurrence for c vectors at once, in place: y_k = r_k + (2X)ᴴ y_{k+1} − y_{k+2} from k = terms − 1 down to 1, where y holds r at first, rows [n, c] (a
 * single real one as the vectors: ld numbers). spare: 8 ld bytes (real), 32 n bytes (complex); work: that of gemm, for c > 1.
 */
export function reverseRows(n: i32, c: i32, a: usize, ld: i32, real: bool, hermitian: bool, terms: i32, y: usize, spare: usize, work: usize): void {
  const one = c == 1, row: usize = real ? <usize>(one ? ld : n * c) * 8 : <usize>(n * c) * 16;
  for (let k: i32 = terms - 2; k >= 1; k--) {
    const p = y + <usize>k * row, next = p + row, last = k + 2 == terms;
    if (real && one) {
      for (let o: usize = 0; o < row; o += 16) {
        const z = last ? f64x2.splat(0) : v128.load(next + row + o);
        v128.store(spare + o, f64x2.sub(z, v128.load(p + o)));
      }
      symv(n, a, ld, next, spare, p);
      continue;
    }
    if (!last) for (let o: usize = 0; o < row; o += 8) store<f64>(p + o, load<f64>(p + o) - load<f64>(next + row + o));
    if (real) gemm<f64>(n, c, n, 1, a, ld, 1, false, next, c, 1, false, p, c, work, false);
    else if (!one) gemm<f64>(n, c, n, 1, a, 1, n, true, next, c, 1, false, p, c, work, true);
    else if (hermitian) gemv<f64>(n, n, 1, a, n, false, next, p, spare);
    else gemvT<f64>(n, n, 1, a, n, true, next, p);
  }
}
