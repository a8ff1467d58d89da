import { gemm, workBytes } from "./lib/dense-gemm";
import { gemv, gemvT } from "./lib/dense-gemv";

export function gemmWork(): i32 { return workBytes(); }
export function zgemm(m: i32, n: i32, k: i32, sign: f64, a: usize, ars: i32, acs: i32, conjA: bool, b: usize, brs: i32, bcs: i32, conjB: bool, c: usize, ldc: i32, work: usize): void {
  gemm<f64>(m, n, k, sign, a, ars, acs, conjA, b, brs, bcs, conjB, c, ldc, work, true);
}
export function cgemm(m: i32, n: i32, k: i32, sign: f32, a: usize, ars: i32, acs: i32, conjA: bool, b: usize, brs: i32, bcs: i32, conjB: bool, c: usize, ldc: i32, work: usize): void {
  gemm<f32>(m, n, k, sign, a, ars, acs, conjA, b, brs, bcs, conjB, c, ldc, work, true);
}
export function dgemm(m: i32, n: i32, k: i32, sign: f64, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, ldc: i32, work: usize): void {
  gemm<f64>(m, n, k, sign, a, ars, acs, false, b, brs, bcs, false, c, ldc, work, false);
}
export function sgemm(m: i32, n: i32, k: i32, sign: f32, a: usize, ars: i32, acs: i32, b: usize, brs: i32, bcs: i32, c: usize, ldc: i32, work: usize): void {
  gemm<f32>(m, n, k, sign, a, ars, acs, false, b, brs, bcs, false, c, ldc, work, false);
}

export function zgemv(m: i32, n: i32, sign: f64, a: usize, lda: i32, conj: bool, x: usize, y: usize, work: usize): void {
  gemv<f64>(m, n, sign, a, lda, conj, x, y, work);
}
export function cgemv(m: i32, n: i32, sign: f32, a: usize, lda: i32, conj: bool, x: usize, y: usize, work: usize): void {
  gemv<f32>(m, n, sign, a, lda, conj, x, y, work);
}
export function zgemvt(m: i32, n: i32, sign: f64, a: usize, lda: i32, conj: bool, x: usize, y: usize): void {
  gemvT<f64>(m, n, sign, a, lda, conj, x, y);
}
export function cgemvt(m: i32, n: i32, sign: f32, a: usize, lda: i32, conj: bool, x: usize, y: usize): void {
  gemvT<f32>(m, n, sign, a, lda, conj, x, y);
}
