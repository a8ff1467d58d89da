/**
 * One-sided Jacobi SVD of the columns stored as rows: `a` [n, m] holds n vectors of length m and is overwritten by U·diag(s), one
 * vector per row; `v` [n, n] gets the rotations. Small singular values are found to high relative accuracy, whatever the column
 * scaling (Demmel & Veselić 1992). Rows of `a` and `v` and the returned s come out sorted, largest first.
 */
export function jacobiSvdRows(a: Float64Array, v: Float64Array, n: number, m: number): Float64Array {
  v.fill(0);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  const eps = 2.220446049250313e-16 * Math.sqrt(m);
  const norms = new Float64Array(n);
  for (let sweep = 0; sweep < 60; sweep++) {
    for (let i = 0; i < n; i++) norms[i] = dotRows(a, i * m, i * m, m);
    let rotated = 0;
    for (let p = 0; p < n - 1; p++) {
      for (let q = p + 1; q < n; q++) {
        const app = norms[p]!,
          aqq = norms[q]!;
        if (app === 0 && aqq === 0) continue;
        const apq = dotRows(a, p * m, q * m, m);
        if (!(Math.abs(apq) > eps * Math.sqrt(app) * Math.sqrt(aqq))) continue;
        rotated++;
        const zeta = (aqq - app) / (2 * apq);
        const t = zeta >= 0 ? 1 / (zeta + Math.sqrt(1 + zeta * zeta)) : -1 / (-zeta + Math.sqrt(1 + zeta * zeta));
        const c = 1 / Math.sqrt(1 + t * t),
          s = c * t;
        rotateRows(a, p * m, q * m, m, c, s);
        rotateRows(v, p * n, q * n, n, c, s);
        norms[p] = Math.max(0, app - t * apq);
        norms[q] = aqq + t * apq;
      }
    }
    if (rotated === 0) break;
  }
  const s = new Float64Array(n);
  for (let i = 0; i < n; i++) s[i] = Math.sqrt(dotRows(a, i * m, i * m, m));
  // selection sort: n swaps of whole rows at most
  for (let i = 0; i < n - 1; i++) {
    let k = i;
    for (let j = i + 1; j < n; j++) if (s[j]! > s[k]!) k = j;
    if (k === i) continue;
    [s[i], s[k]] = [s[k]!, s[i]!];
    swapRows(a, i * m, k * m, m);
    swapRows(v, i * n, k * n, n);
  }
  return s;
}

function dotRows(a: Float64Array, p: number, q: number, m: number): number {
  let s = 0;
  for (let k = 0; k < m; k++) s += a[p + k]! * a[q + k]!;
  return s;
}
function rotateRows(a: Float64Array, p: number, q: number, m: number, c: number, s: number): void {
  for (let k = 0; k < m; k++) {
    const x = a[p + k]!,
      y = a[q + k]!;
    a[p + k] = c * x - s * y;
    a[q + k] = s * x + c * y;
  }
}
function swapRows(a: Float64Array, p: number, q: number, m: number): void {
  for (let k = 0; k < m; k++) {
    const x = a[p + k]!;
    a[p + k] = a[q + k]!;
    a[q + k] = x;
  }
}
