import { expect } from "vitest";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { type DenseKernels, denseKernels } from "./dense.js";
import { arena } from "./memory.js";

const memory = arena({ maxBytes: 64 << 20 });
const backends: DenseKernels[] = [denseKernels(memory, "wasm"), denseKernels(memory, "js")];
const size = fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 40 }), fc.constantFrom(159, 161, 200));
const flag = fc.boolean();

/** Column-by-column definition of C + sign·op(A)·op(B); complex as [re, im] pairs, real with im = 0. */
function reference(
  c: Float64Array,
  m: number,
  n: number,
  k: number,
  sign: number,
  a: (i: number, l: number) => [number, number],
  b: (l: number, j: number) => [number, number],
): Float64Array {
  const out = c.slice();
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let l = 0; l < k; l++) {
        const [ar, ai] = a(i, l),
          [br, bi] = b(l, j);
        out[2 * (i * n + j)]! += sign * (ar * br - ai * bi);
        out[2 * (i * n + j) + 1]! += sign * (ar * bi + ai * br);
      }
  return out;
}
const worst = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  let d = 0;
  for (let i = 0; i < want.length; i++) d = Math.max(d, Math.abs(got[i]! - want[i]!));
  return Number.isNaN(d) ? Number.POSITIVE_INFINITY : d;
};

for (const [name, single, complex] of [
  ["zgemm", false, true],
  ["cgemm", true, true],
  ["dgemm", false, false],
  ["sgemm", true, false],
] as const)
  prop(
    `${name}: both backends give the definition, for every transpose, conjugation and padding`,
    [size, size, size, flag, flag, flag, flag, fc.integer({ min: 0, max: 3 })],
    (m, n, k, ta, tb, ca, cb, pad) => {
      const r = rng(m * 1e6 + n * 1e3 + k),
        part = complex ? 2 : 1,
        bytes = (single ? 4 : 8) * part;
      const lda = (ta ? m : k) + pad,
        ldb = (tb ? k : n) + pad,
        ldc = n + pad;
      const counts = [(ta ? k : m) * lda, (tb ? n : k) * ldb, m * ldc];
      const ptr = counts.map((x) => memory.alloc(x * bytes + 64));
      const view = (i: number): Float64Array | Float32Array =>
        single ? memory.f32(ptr[i]!, counts[i]! * part) : memory.f64(ptr[i]!, counts[i]! * part);
      const sign = pad % 2 ? -1 : 1;
      const [a, b, c] = [0, 1, 2].map((i) => view(i).map(() => r.uniform() - 0.5)) as [Float64Array, Float64Array, Float64Array];
      const at = (x: Float64Array, p: number, conj: boolean): [number, number] =>
        complex ? [x[2 * p]!, conj ? -x[2 * p + 1]! : x[2 * p + 1]!] : [x[p]!, 0];
      const dense = new Float64Array(2 * m * n);
      for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) dense.set(at(c, i * ldc + j, false), 2 * (i * n + j));
      const want = reference(
        dense,
        m,
        n,
        k,
        sign,
        (i, l) => at(a, ta ? l * lda + i : i * lda + l, ca),
        (l, j) => at(b, tb ? j * ldb + l : l * ldb + j, cb),
      );
      const ars = ta ? 1 : lda,
        acs = ta ? lda : 1,
        brs = tb ? 1 : ldb,
        bcs = tb ? ldb : 1;
      for (const kernels of backends) {
        [a, b, c].forEach((x, i) => {
          view(i).set(x);
        });
        const [pa, pb, pc] = ptr as [number, number, number];
        if (complex) kernels[name as "zgemm"](m, n, k, sign, pa, ars, acs, ca, pb, brs, bcs, cb, pc, ldc);
        else kernels[name as "dgemm"](m, n, k, sign, pa, ars, acs, pb, brs, bcs, pc, ldc);
        const out = view(2) as Float64Array;
        const got = new Float64Array(2 * m * n);
        for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) got.set(at(out, i * ldc + j, false), 2 * (i * n + j));
        expect(worst(got, want)).toBeLessThan((single ? 2e-7 : 1e-15) * (k + 4));
        // padding between rows is left alone
        for (let i = 0; i < m; i++) for (let j = n * part; j < ldc * part; j++) expect(out[i * ldc * part + j]).toBe(c[i * ldc * part + j]);
      }
      ptr.forEach(memory.free);
    },
    { runs: 40 },
  );

for (const [name, single, transposed] of [
  ["zgemv", false, false],
  ["cgemv", true, false],
  ["zgemvt", false, true],
  ["cgemvt", true, true],
] as const)
  prop(
    `${name}: both backends give the definition`,
    [size, size, flag, fc.integer({ min: 0, max: 3 })],
    (m, n, conj, pad) => {
      const r = rng(m * 1e3 + n),
        lda = n + pad,
        nx = transposed ? m : n,
        ny = transposed ? n : m,
        bytes = single ? 8 : 16;
      const counts = [m * lda, nx, ny];
      const ptr = counts.map((x) => memory.alloc(x * bytes + 64));
      const view = (i: number): Float64Array | Float32Array =>
        single ? memory.f32(ptr[i]!, counts[i]! * 2) : memory.f64(ptr[i]!, counts[i]! * 2);
      const [a, x, y] = [0, 1, 2].map((i) => view(i).map(() => r.uniform() - 0.5)) as [Float64Array, Float64Array, Float64Array];
      const sign = pad % 2 ? -1 : 1;
      const want = reference(
        Float64Array.from(y),
        ny,
        1,
        nx,
        sign,
        (i, l) => {
          const p = transposed ? l * lda + i : i * lda + l;
          return [a[2 * p]!, conj ? -a[2 * p + 1]! : a[2 * p + 1]!];
        },
        (l) => [x[2 * l]!, x[2 * l + 1]!],
      );
      for (const kernels of backends) {
        [a, x, y].forEach((v, i) => {
          view(i).set(v);
        });
        kernels[name](m, n, sign, ptr[0]!, lda, conj, ptr[1]!, ptr[2]!);
        expect(worst(view(2), want)).toBeLessThan((single ? 2e-7 : 1e-15) * (nx + 4));
      }
      ptr.forEach(memory.free);
    },
    { runs: 60 },
  );
