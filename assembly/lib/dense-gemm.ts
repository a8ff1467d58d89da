// Matrix products C += ±op(A)·op(B) by packed panels and a register tile, for real and complex (interleaved) f32 and f64.
// op is given by strides (a transpose swaps them) and a conjugation flag that the packing applies.

/** Depth of a packed panel: an A panel (5 KiB) and a B panel (10 KiB) of complex f64 share the level-1 cache. */
export const KC: i32 = 160;
/** Rows of A packed at a time (level 2 cache). */
export const MC: i32 = 128;
/** Columns of B packed at a time. */
export const NC: i32 = 512;

// @ts-ignore: decorator
@inline function ld<T>(p: usize): T { return load<T>(p); }

/**
 * C tile [2, 2L] += A panel · B panel; L = lanes. C interleaved, row stride ldc bytes. One loop over the real parts of B and one over
 * the imaginary parts: each is the real tile's loop (sixteen operations on eight sums), where a single loop ran 30 % slower.
 */
function tileComplex<T>(kc: i32, a: usize, b: usize, c: usize, ldc: usize): void {
  let r00 = i64x2.splat(0), r01 = r00, i00 = r00, i01 = r00, r10 = r00, r11 = r00, i10 = r00, i11 = r00;
  const start = a;
  const size: usize = sizeof<T>();
  for (let k: i32 = 0; k < kc; k++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load_splat<T>(a), a1 = v128.load_splat<T>(a, sizeof<T>()), a2 = v128.load_splat<T>(a, 2 * sizeof<T>()), a3 = v128.load_splat<T>(a, 3 * sizeof<T>());
    r00 = v128.add<T>(r00, v128.mul<T>(a0, b0));
    r01 = v128.add<T>(r01, v128.mul<T>(a0, b1));
    i00 = v128.add<T>(i00, v128.mul<T>(a1, b0));
    i01 = v128.add<T>(i01, v128.mul<T>(a1, b1));
    r10 = v128.add<T>(r10, v128.mul<T>(a2, b0));
    r11 = v128.add<T>(r11, v128.mul<T>(a2, b1));
    i10 = v128.add<T>(i10, v128.mul<T>(a3, b0));
    i11 = v128.add<T>(i11, v128.mul<T>(a3, b1));
    a += 4 * size;
    b += 32;
  }
  a = start;
  for (let k: i32 = 0; k < kc; k++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load_splat<T>(a), a1 = v128.load_splat<T>(a, sizeof<T>()), a2 = v128.load_splat<T>(a, 2 * sizeof<T>()), a3 = v128.load_splat<T>(a, 3 * sizeof<T>());
    i00 = v128.add<T>(i00, v128.mul<T>(a0, b0));
    i01 = v128.add<T>(i01, v128.mul<T>(a0, b1));
    r00 = v128.sub<T>(r00, v128.mul<T>(a1, b0));
    r01 = v128.sub<T>(r01, v128.mul<T>(a1, b1));
    i10 = v128.add<T>(i10, v128.mul<T>(a2, b0));
    i11 = v128.add<T>(i11, v128.mul<T>(a2, b1));
    r10 = v128.sub<T>(r10, v128.mul<T>(a3, b0));
    r11 = v128.sub<T>(r11, v128.mul<T>(a3, b1));
    a += 4 * size;
    b += 32;
  }
  addInterleaved<T>(c, r00, i00);
  addInterleaved<T>(c + 32, r01, i01);
  addInterleaved<T>(c + ldc, r10, i10);
  addInterleaved<T>(c + ldc + 32, r11, i11);
}

// @ts-ignore: decorator
@inline function addInterleaved<T>(c: usize, re: v128, im: v128): void {
  if (sizeof<T>() == 8) {
    v128.store(c, v128.add<T>(v128.load(c), v128.shuffle<f64>(re, im, 0, 2)));
    v128.store(c, v128.add<T>(v128.load(c, 16), v128.shuffle<f64>(re, im, 1, 3)), 16);
  } else {
    v128.store(c, v128.add<T>(v128.load(c), v128.shuffle<f32>(re, im, 0, 4, 1, 5)));
    v128.store(c, v128.add<T>(v128.load(c, 16), v128.shuffle<f32>(re, im, 2, 6, 3, 7)), 16);
  }
}

/** Real C tile [4, 2L] += A panel · B panel. */
function tileReal<T>(kc: i32, a: usize, b: usize, c: usize, ldc: usize): void {
  let c00 = i64x2.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  const size: usize = sizeof<T>();
  for (let k: i32 = 0; k < kc; k++) {
    const b0 = v128.load(b), b1 = v128.load(b, 16);
    const a0 = v128.load_splat<T>(a), a1 = v128.load_splat<T>(a, sizeof<T>()), a2 = v128.load_splat<T>(a, 2 * sizeof<T>()), a3 = v128.load_splat<T>(a, 3 * sizeof<T>());
    c00 = v128.add<T>(c00, v128.mul<T>(a0, b0));
    c01 = v128.add<T>(c01, v128.mul<T>(a0, b1));
    c10 = v128.add<T>(c10, v128.mul<T>(a1, b0));
    c11 = v128.add<T>(c11, v128.mul<T>(a1, b1));
    c20 = v128.add<T>(c20, v128.mul<T>(a2, b0));
    c21 = v128.add<T>(c21, v128.mul<T>(a2, b1));
    c30 = v128.add<T>(c30, v128.mul<T>(a3, b0));
    c31 = v128.add<T>(c31, v128.mul<T>(a3, b1));
    a += 4 * size;
    b += 32;
  }
  addRow<T>(c, c00, c01);
  addRow<T>(c + ldc, c10, c11);
  addRow<T>(c + 2 * ldc, c20, c21);
  addRow<T>(c + 3 * ldc, c30, c31);
}

// @ts-ignore: decorator
@inline function addRow<T>(c: usize, x: v128, y: v128): void {
  v128.store(c, v128.add<T>(v128.load(c), x));
  v128.store(c, v128.add<T>(v128.load(c, 16), y), 16);
}

/** Pack mr rows × kc of A (element strides rs, cs) as [k][row]{re im}, missing rows 0; sign and conjugation applied. */
// @ts-ignore: decorator
@inline function packA<T>(to: usize, a: usize, rs: usize, cs: usize, mr: i32, kc: i32, sign: T, conj: bool, complex: bool): void {
  const size: usize = sizeof<T>();
  const rows: i32 = complex ? 2 : 4;
  const im: T = conj ? -sign : sign;
  for (let i: i32 = 0; i < rows; i++) {
    let t = to + <usize>i * (complex ? 2 * size : size);
    const step = <usize>rows * (complex ? 2 * size : size);
    if (i < mr) {
      let p = a + <usize>i * rs;
      for (let k: i32 = 0; k < kc; k++) {
        store<T>(t, sign * ld<T>(p));
        if (complex) store<T>(t + size, im * ld<T>(p + size));
        p += cs;
        t += step;
      }
    } else {
      for (let k: i32 = 0; k < kc; k++) {
        store<T>(t, <T>0);
        if (complex) store<T>(t + size, <T>0);
        t += step;
      }
    }
  }
}

/** Pack kc × nr of B as [k][2L], for complex B first all real parts and then all imaginary ones; missing columns 0. */
// @ts-ignore: decorator
@inline function packB<T>(to: usize, b: usize, rs: usize, cs: usize, nr: i32, kc: i32, conj: bool, complex: bool): void {
  const size: usize = sizeof<T>();
  const cols: i32 = <i32>(32 / size);
  const flip: T = conj ? <T>-1 : <T>1;
  const element: usize = complex ? 2 * size : size;
  let ti = to + <usize>kc * 32;
  if (nr == cols && cs == element) {
    const s = v128.splat<T>(flip);
    for (let k: i32 = 0; k < kc; k++) {
      const x0 = v128.load(b), x1 = v128.load(b, 16);
      if (complex) {
        const x2 = v128.load(b, 32), x3 = v128.load(b, 48);
        if (sizeof<T>() == 8) {
          v128.store(to, v128.shuffle<f64>(x0, x1, 0, 2));
          v128.store(to, v128.shuffle<f64>(x2, x3, 0, 2), 16);
          v128.store(ti, v128.mul<T>(s, v128.shuffle<f64>(x0, x1, 1, 3)));
          v128.store(ti, v128.mul<T>(s, v128.shuffle<f64>(x2, x3, 1, 3)), 16);
        } else {
          v128.store(to, v128.shuffle<f32>(x0, x1, 0, 2, 4, 6));
          v128.store(to, v128.shuffle<f32>(x2, x3, 0, 2, 4, 6), 16);
          v128.store(ti, v128.mul<T>(s, v128.shuffle<f32>(x0, x1, 1, 3, 5, 7)));
          v128.store(ti, v128.mul<T>(s, v128.shuffle<f32>(x2, x3, 1, 3, 5, 7)), 16);
        }
        ti += 32;
      } else {
        v128.store(to, x0);
        v128.store(to, x1, 16);
      }
      to += 32;
      b += rs;
    }
    return;
  }
  for (let k: i32 = 0; k < kc; k++) {
    let p = b;
    for (let j: i32 = 0; j < cols; j++) {
      const inside = j < nr;
      store<T>(to + <usize>j * size, inside ? ld<T>(p) : <T>0);
      if (complex) store<T>(ti + <usize>j * size, inside ? flip * ld<T>(p + size) : <T>0);
      p += cs;
    }
    to += 32;
    ti += 32;
    b += rs;
  }
}

/**
 * C [m, n] (contiguous columns, row stride ldc elements) += sign · op(A) [m, k] · op(B) [k, n]. Strides in elements.
 * `work` holds workBytes() bytes.
 */
// @ts-ignore: decorator
@inline export function gemm<T>(
  m: i32, n: i32, k: i32, sign: T,
  a: usize, ars: i32, acs: i32, conjA: bool,
  b: usize, brs: i32, bcs: i32, conjB: bool,
  c: usize, ldc: i32, work: usize, complex: bool,
): void {
  const size: usize = complex ? 2 * sizeof<T>() : sizeof<T>();
  const mr: i32 = complex ? 2 : 4;
  const nr: i32 = <i32>(32 / sizeof<T>());
  const as_ = <usize>ars * size, ac = <usize>acs * size, bs = <usize>brs * size, bc = <usize>bcs * size, cs = <usize>ldc * size;
  const packedA = work + 512;
  const packedB = packedA + <usize>(MC * KC) * size;
  const tileRow: usize = 32 * (complex ? 2 : 1);
  for (let jc: i32 = 0; jc < n; jc += NC) {
    const nc = min(NC, n - jc);
    for (let pc: i32 = 0; pc < k; pc += KC) {
      const kc = min(KC, k - pc);
      const bPanel = <usize>(nr * kc) * size;
      const aPanel = <usize>(mr * kc) * size;
      for (let j: i32 = 0; j < nc; j += nr)
        packB<T>(packedB + <usize>(j / nr) * bPanel, b + <usize>pc * bs + <usize>(jc + j) * bc, bs, bc, min(nr, nc - j), kc, conjB, complex);
      for (let ic: i32 = 0; ic < m; ic += MC) {
        const mc = min(MC, m - ic);
        for (let i: i32 = 0; i < mc; i += mr)
          packA<T>(packedA + <usize>(i / mr) * aPanel, a + <usize>(ic + i) * as_ + <usize>pc * ac, as_, ac, min(mr, mc - i), kc, sign, conjA, complex);
        for (let j: i32 = 0; j < nc; j += nr) {
          const cols = min(nr, nc - j);
          const bp = packedB + <usize>(j / nr) * bPanel;
          for (let i: i32 = 0; i < mc; i += mr) {
            const rows = min(mr, mc - i);
            const ap = packedA + <usize>(i / mr) * aPanel;
            const cp = c + <usize>(ic + i) * cs + <usize>(jc + j) * size;
            if (rows == mr && cols == nr) {
              if (complex) tileComplex<T>(kc, ap, bp, cp, cs);
              else tileReal<T>(kc, ap, bp, cp, cs);
            } else {
              memory.fill(work, 0, <usize>mr * tileRow);
              if (complex) tileComplex<T>(kc, ap, bp, work, tileRow);
              else tileReal<T>(kc, ap, bp, work, tileRow);
              const scalars: i32 = complex ? 2 * cols : cols;
              for (let r: i32 = 0; r < rows; r++)
                for (let s: i32 = 0; s < scalars; s++) {
                  const at = cp + <usize>r * cs + <usize>s * sizeof<T>();
                  store<T>(at, load<T>(at) + load<T>(work + <usize>r * tileRow + <usize>s * sizeof<T>()));
                }
            }
          }
        }
      }
    }
  }
}

/** Scratch of a product, bytes: the tile, a packed block of A, a packed block of B. */
export function workBytes(): i32 { return 512 + (MC * KC + NC * KC) * 16; }
