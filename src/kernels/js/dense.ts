import type { ComplexGemm, ComplexGemv, DenseKernels, RealGemm } from "../dense.js";
import type { Arena } from "../memory.js";

type Heap = Float64Array | Float32Array;

/** Plain TypeScript twin of assembly/dense.ts: the reference of the conformance tests, and the fallback without WebAssembly. */
export function jsDense(arena: Arena): DenseKernels {
  let f64 = arena.f64(0, 0),
    f32 = arena.f32(0, 0);
  const heap64 = (): Float64Array => {
    if (f64.buffer !== arena.memory.buffer || f64.length === 0) f64 = arena.f64(0, arena.memory.buffer.byteLength / 8);
    return f64;
  };
  const heap32 = (): Float32Array => {
    if (f32.buffer !== arena.memory.buffer || f32.length === 0) f32 = arena.f32(0, arena.memory.buffer.byteLength / 4);
    return f32;
  };
  return {
    name: "js",
    arena,
    zgemm: complexGemm(heap64, 8),
    cgemm: complexGemm(heap32, 4),
    dgemm: realGemm(heap64, 8),
    sgemm: realGemm(heap32, 4),
    zgemv: complexGemv(heap64, 8),
    cgemv: complexGemv(heap32, 4),
    zgemvt: complexGemvT(heap64, 8),
    cgemvt: complexGemvT(heap32, 4),
  };
}

/** Rows of op(A) and columns of op(B) are copied to split, contiguous arrays; then 2×2 tiles of dot products. */
function complexGemm(heap: () => Heap, size: number): ComplexGemm {
  return (m, n, k, sign, a, aRow, aColumn, conjA, b, bRow, bColumn, conjB, c, ldc) => {
    const h = heap();
    const ar = new Float64Array(m * k),
      ai = new Float64Array(m * k),
      br = new Float64Array(n * k),
      bi = new Float64Array(n * k);
    const a0 = a / size,
      b0 = b / size,
      c0 = c / size;
    for (let i = 0; i < m; i++)
      for (let l = 0; l < k; l++) {
        const p = a0 + 2 * (i * aRow + l * aColumn);
        ar[i * k + l] = sign * h[p]!;
        ai[i * k + l] = (conjA ? -sign : sign) * h[p + 1]!;
      }
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++) {
        const p = b0 + 2 * (l * bRow + j * bColumn);
        br[j * k + l] = h[p]!;
        bi[j * k + l] = conjB ? -h[p + 1]! : h[p + 1]!;
      }
    for (let i = 0; i < m; i += 2) {
      const u = i * k,
        v = i + 1 < m ? u + k : u;
      for (let j = 0; j < n; j += 2) {
        const x = j * k,
          y = j + 1 < n ? x + k : x;
        let r00 = 0,
          i00 = 0,
          r01 = 0,
          i01 = 0,
          r10 = 0,
          i10 = 0,
          r11 = 0,
          i11 = 0;
        for (let l = 0; l < k; l++) {
          const pr = ar[u + l]!,
            pi = ai[u + l]!,
            qr = ar[v + l]!,
            qi = ai[v + l]!;
          const xr = br[x + l]!,
            xi = bi[x + l]!,
            yr = br[y + l]!,
            yi = bi[y + l]!;
          r00 += pr * xr - pi * xi;
          i00 += pr * xi + pi * xr;
          r01 += pr * yr - pi * yi;
          i01 += pr * yi + pi * yr;
          r10 += qr * xr - qi * xi;
          i10 += qr * xi + qi * xr;
          r11 += qr * yr - qi * yi;
          i11 += qr * yi + qi * yr;
        }
        const p = c0 + 2 * (i * ldc + j);
        h[p]! += r00;
        h[p + 1]! += i00;
        if (j + 1 < n) {
          h[p + 2]! += r01;
          h[p + 3]! += i01;
        }
        if (i + 1 < m) {
          const q = p + 2 * ldc;
          h[q]! += r10;
          h[q + 1]! += i10;
          if (j + 1 < n) {
            h[q + 2]! += r11;
            h[q + 3]! += i11;
          }
        }
      }
    }
  };
}

function realGemm(heap: () => Heap, size: number): RealGemm {
  return (m, n, k, sign, a, aRow, aColumn, b, bRow, bColumn, c, ldc) => {
    const h = heap();
    const as = new Float64Array(m * k),
      bs = new Float64Array(n * k);
    for (let i = 0; i < m; i++) for (let l = 0; l < k; l++) as[i * k + l] = sign * h[a / size + i * aRow + l * aColumn]!;
    for (let j = 0; j < n; j++) for (let l = 0; l < k; l++) bs[j * k + l] = h[b / size + l * bRow + j * bColumn]!;
    for (let i = 0; i < m; i += 2) {
      const u = i * k,
        v = i + 1 < m ? u + k : u;
      for (let j = 0; j < n; j += 2) {
        const x = j * k,
          y = j + 1 < n ? x + k : x;
        let s00 = 0,
          s01 = 0,
          s10 = 0,
          s11 = 0;
        for (let l = 0; l < k; l++) {
          const p = as[u + l]!,
            q = as[v + l]!,
            r = bs[x + l]!,
            s = bs[y + l]!;
          s00 += p * r;
          s01 += p * s;
          s10 += q * r;
          s11 += q * s;
        }
        const at = c / size + i * ldc + j;
        h[at]! += s00;
        if (j + 1 < n) h[at + 1]! += s01;
        if (i + 1 < m) {
          h[at + ldc]! += s10;
          if (j + 1 < n) h[at + ldc + 1]! += s11;
        }
      }
    }
  };
}

function complexGemv(heap: () => Heap, size: number): ComplexGemv {
  return (m, n, sign, a, lda, conj, x, y) => {
    const h = heap(),
      s = conj ? -1 : 1;
    for (let i = 0; i < m; i++) {
      let re = 0,
        im = 0,
        p = a / size + 2 * i * lda,
        q = x / size;
      for (let j = 0; j < n; j++, p += 2, q += 2) {
        const ar = h[p]!,
          ai = s * h[p + 1]!,
          xr = h[q]!,
          xi = h[q + 1]!;
        re += ar * xr - ai * xi;
        im += ar * xi + ai * xr;
      }
      h[y / size + 2 * i]! += sign * re;
      h[y / size + 2 * i + 1]! += sign * im;
    }
  };
}

function complexGemvT(heap: () => Heap, size: number): ComplexGemv {
  return (m, n, sign, a, lda, conj, x, y) => {
    const h = heap(),
      s = conj ? -1 : 1;
    for (let i = 0; i < m; i++) {
      const xr = sign * h[x / size + 2 * i]!,
        xi = sign * h[x / size + 2 * i + 1]!;
      for (let j = 0, p = a / size + 2 * i * lda, q = y / size; j < n; j++, p += 2, q += 2) {
        const ar = h[p]!,
          ai = s * h[p + 1]!;
        h[q]! += ar * xr - ai * xi;
        h[q + 1]! += ar * xi + ai * xr;
      }
    }
  };
}
