/** Rows taken into the triangle at a time: they stay in cache while every column is eliminated. */
export const QR_CHUNK = 48;

/**
 * Take `rows` more equations into a triangular least-squares problem: on entry R (n×n upper, row-major) and z (n) hold what is left
 * of the equations seen so far, on return those of all. The rows `a` [rows, n] and right-hand sides `b` [rows] are overwritten.
 * Householder reflections of [R_jj; a_·j], so memory is n² whatever the number of equations (Golub & Van Loan §5.2, §6.5.3).
 */
export function qrAddRowsInto(r: Float64Array, z: Float64Array, a: Float64Array, b: Float64Array, rows: number, n: number): void {
  const w = new Float64Array(n);
  for (let j = 0; j < n; j++) {
    let sum = 0;
    for (let i = 0; i < rows; i++) {
      const x = a[i * n + j]!;
      sum += x * x;
    }
    if (sum < 1e-290) continue; // entries below 1e-145 count as zero: their squares underflow
    const rjj = r[j * n + j]!;
    const norm = Math.sqrt(rjj * rjj + sum);
    const v0 = rjj >= 0 ? rjj + norm : rjj - norm;
    const tau = 2 / (v0 * v0 + sum);
    const row = j * n;
    for (let l = j + 1; l < n; l++) w[l] = v0 * r[row + l]!;
    let wb = v0 * z[j]!;
    for (let i = 0; i < rows; i++) {
      const x = a[i * n + j]!;
      if (x === 0) continue;
      for (let l = j + 1, at = i * n + l; l < n; l++, at++) w[l]! += x * a[at]!;
      wb += x * b[i]!;
    }
    r[row + j] = rjj >= 0 ? -norm : norm;
    for (let l = j + 1; l < n; l++) {
      const t = tau * w[l]!;
      w[l] = t;
      r[row + l]! -= v0 * t;
    }
    wb *= tau;
    z[j]! -= v0 * wb;
    for (let i = 0; i < rows; i++) {
      const x = a[i * n + j]!;
      if (x === 0) continue;
      for (let l = j + 1, at = i * n + l; l < n; l++, at++) a[at]! -= x * w[l]!;
      b[i]! -= x * wb;
    }
  }
}

/** Solve R x = z for upper-triangular R (n×n, row-major); components with a zero pivot are set to 0. */
export function backSubstitute(r: Float64Array, z: Float64Array, n: number): Float64Array {
  const x = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let v = z[i]!;
    for (let l = i + 1; l < n; l++) v -= r[i * n + l]! * x[l]!;
    const d = r[i * n + i]!;
    x[i] = d === 0 ? 0 : v / d;
  }
  return x;
}
