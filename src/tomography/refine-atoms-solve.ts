import { cholesky } from "../numerics/cholesky.js";
import { matrix, multiply, transposeMatrix } from "../numerics/matrix.js";
import type { AtomSystem } from "./refine-atoms-system.js";

/** Beyond this many numbers the coupling of atoms and poses is left to the iterations: 400 MB. */
const MOST_COUPLINGS = 5e7;
/** Least part of its diagonal that the Schur complement must keep. */
const MARGIN = 0.02;

/** Normal matrix of atoms (blocks) and poses (dense), with the coupling between them. */
export interface ArrowMatrix {
  /** f64 [n, q, q]. */
  readonly blocks: Float64Array;
  /** f64 [n q, p]; undefined when too large. */
  readonly coupling: Float64Array | undefined;
  /** f64 [p, p]. */
  readonly poses: Float64Array;
  readonly p: number;
}

/** Two normal products per number of a view and per global number give all that couples to them. */
export async function arrowMatrix(system: AtomSystem): Promise<ArrowMatrix> {
  const L = system.layout,
    { n, q, m, views, globals } = L,
    p = views * m + globals,
    rows = n * q;
  const blocks = await system.blocks();
  const coupling = rows * p <= MOST_COUPLINGS ? new Float64Array(rows * p) : undefined,
    poses = new Float64Array(p * p);
  const x = new Float64Array(L.size),
    y = new Float64Array(L.size);
  const probe = async (mark: (x: Float64Array) => void, column: (view: number) => number): Promise<void> => {
    x.fill(0);
    mark(x);
    await system.engine.normal(
      (i, into) => system.coefficients(x, i, into),
      (i, out, sums) => {
        y.fill(0);
        system.gather(y, i, out, sums);
        const c = column(i);
        if (coupling) for (let r = 0; r < rows; r++) coupling[r * p + c]! += y[r]!;
        for (let r = 0; r < p; r++) poses[r * p + c]! += y[rows + r]!;
      },
    );
  };
  for (let j = 0; j < m; j++)
    await probe(
      (v) => {
        for (let i = 0; i < views; i++) v[L.viewsAt + i * m + j] = 1;
      },
      (i) => i * m + j,
    );
  for (let k = 0; k < globals; k++)
    await probe(
      (v) => {
        v[L.globalsAt + k] = 1;
      },
      () => views * m + k,
    );
  return { blocks, coupling, poses, p };
}

/** Rows that fix what the data cannot: a common rotation and a common translation of atoms and poses. f64 [k, p], unit rows. */
export function gaugeRows(system: AtomSystem): Float64Array[] {
  const L = system.layout,
    { m, views } = L,
    p = views * m + L.globals,
    rows: Float64Array[] = [];
  const row = (fill: (r: Float64Array) => void): void => {
    const r = new Float64Array(p);
    fill(r);
    const norm = Math.hypot(...r);
    rows.push(r.map((v) => v / norm));
  };
  for (let k = 0; k < 3; k++) {
    if (L.shift >= 0)
      row((r) => {
        for (let i = 0; i < views; i++) {
          r[i * m + L.shift] = system.state.poses[9 * i + 3 * k]!;
          r[i * m + L.shift + 1] = system.state.poses[9 * i + 3 * k + 1]!;
        }
      });
    if (L.rotation >= 0)
      row((r) => {
        for (let i = 0; i < views; i++) r[i * m + L.rotation + k] = 1;
      });
  }
  // The common scale of all views is that of the intensities.
  if (L.scale >= 0 && (L.intensity >= 0 || L.speciesIntensity >= 0))
    row((r) => {
      for (let i = 0; i < views; i++) r[i * m + L.scale] = 1;
    });
  return rows;
}

export interface ArrowSolver {
  /** Approximate inverse: exact for the arrow matrix. */
  solve(r: Float64Array): Float64Array;
  /** (Jᵀ W J + damping + gauge) x. */
  product(x: Float64Array): Promise<Float64Array>;
  /** Diagonal blocks of that approximate inverse, f64 [n, q, q]. */
  blocks(): Float64Array;
  /** The matrix's own block of the poses, damping and gauge included, f64 [p, p]. */
  readonly poses: Float64Array;
}

/** Factor the arrow matrix: blocks of atoms, then the Schur complement of the poses. */
export function arrowSolver(system: AtomSystem, arrow: ArrowMatrix, damping: Float64Array): ArrowSolver {
  const { n, q } = system.layout,
    { p, coupling } = arrow,
    rows = n * q;
  const inverse = new Float64Array(n * q * q); // L⁻¹ of every block, lower triangular
  for (let a = 0; a < n; a++) {
    const block = arrow.blocks.slice(a * q * q, (a + 1) * q * q);
    for (let k = 0; k < q; k++) block[k * q + k]! += damping[a * q + k]! + 1e-12 * (block[k * q + k]! + 1e-300);
    invertLower(cholesky(matrix(q, q, block)).data, q, inverse.subarray(a * q * q, (a + 1) * q * q));
  }
  const lower = (r: Float64Array, columns: number): void => {
    const t = new Float64Array(q * columns);
    for (let a = 0; a < n; a++) {
      const l = a * q * q,
        o = a * q * columns;
      for (let i = 0; i < q; i++)
        for (let c = 0; c < columns; c++) {
          let v = 0;
          for (let k = 0; k <= i; k++) v += inverse[l + i * q + k]! * r[o + k * columns + c]!;
          t[i * columns + c] = v;
        }
      r.set(t, o);
    }
  };
  const upper = (r: Float64Array): void => {
    const t = new Float64Array(q);
    for (let a = 0; a < n; a++) {
      const l = a * q * q,
        o = a * q;
      for (let i = 0; i < q; i++) {
        let v = 0;
        for (let k = i; k < q; k++) v += inverse[l + k * q + i]! * r[o + k]!;
        t[i] = v;
      }
      r.set(t, o);
    }
  };
  const gauge = gaugeRows(system),
    S = arrow.poses.slice();
  for (let i = 0; i < p; i++) for (let j = 0; j < i; j++) S[i * p + j] = S[j * p + i] = 0.5 * (S[i * p + j]! + S[j * p + i]!);
  // Strong enough to hold, weak enough to keep the digits: the size of what the rows touch.
  const strength = gauge.map((g) => {
    let s = 0;
    for (let i = 0; i < p; i++) s += g[i]! * g[i]! * S[i * p + i]!;
    return s;
  });
  gauge.forEach((g, k) => {
    for (let i = 0; i < p; i++) if (g[i] !== 0) for (let j = 0; j < p; j++) S[i * p + j]! += strength[k]! * g[i]! * g[j]!;
  });
  for (let i = 0; i < p; i++) S[i * p + i]! += damping[rows + i]!;
  const T = new Float64Array(p * p);
  let E: Float64Array | undefined;
  // Atoms that overlap share what couples to a pose or a background. With blocks of single atoms that is counted twice, and the complement
  // may lose its sign: then the couplings are weakened, those of backgrounds and scales first, until it is safely positive.
  const attempts: readonly (readonly [number, number])[] =
    coupling && p > 0
      ? [
          [1, 1],
          [1, 0.5],
          [1, 0],
          [0.7, 0],
          [0.5, 0],
          [0, 0],
        ]
      : [[0, 0]];
  for (const [strong, weak] of attempts) {
    const C = S.slice();
    if (strong > 0) {
      E = scaled(coupling!, system, p, strong, weak);
      lower(E, p);
      const chunk = 4096;
      for (let r = 0; r < rows; r += chunk) {
        const part = matrix(Math.min(chunk, rows - r), p, E.subarray(r * p, Math.min(rows, r + chunk) * p));
        const square = multiply(transposeMatrix(part), part).data;
        for (let i = 0; i < p * p; i++) C[i]! -= square[i]!;
      }
    } else E = undefined;
    const factor = positive(C, arrow.poses, damping.subarray(rows), p, strong > 0 ? MARGIN : 0);
    if (!factor) continue;
    invertLower(factor, p, T);
    break;
  }
  return {
    poses: S,
    solve(r) {
      const x = r.slice(),
        atoms = x.subarray(0, rows),
        poses = x.subarray(rows);
      lower(atoms, 1);
      if (p > 0) {
        if (E)
          for (let i = 0; i < rows; i++) {
            const v = atoms[i]!;
            if (v !== 0) for (let c = 0; c < p; c++) poses[c]! -= E[i * p + c]! * v;
          }
        const t = new Float64Array(p);
        for (let i = 0; i < p; i++) for (let k = 0; k <= i; k++) t[i]! += T[i * p + k]! * poses[k]!;
        poses.fill(0);
        for (let i = 0; i < p; i++) for (let k = 0; k <= i; k++) poses[k]! += T[i * p + k]! * t[i]!;
        if (E)
          for (let i = 0; i < rows; i++) {
            let v = 0;
            for (let c = 0; c < p; c++) v += E[i * p + c]! * poses[c]!;
            atoms[i]! -= v;
          }
      }
      upper(atoms);
      return x;
    },
    blocks() {
      // D⁻¹ + D⁻¹ B S⁻¹ Bᵀ D⁻¹: rows of L⁻ᵀ (1 + F Fᵀ) L⁻¹ with F = E Tᵀ
      const out = new Float64Array(n * q * q),
        F = new Float64Array(q * Math.max(1, p)),
        G = new Float64Array(q * q);
      for (let a = 0; a < n; a++) {
        G.fill(0);
        for (let i = 0; i < q; i++) G[i * q + i] = 1;
        if (E) {
          F.fill(0);
          for (let i = 0; i < q; i++) {
            const e = E.subarray((a * q + i) * p, (a * q + i + 1) * p);
            for (let r = 0; r < p; r++) {
              let v = 0;
              for (let c = 0; c <= r; c++) v += T[r * p + c]! * e[c]!;
              F[i * p + r] = v;
            }
          }
          for (let i = 0; i < q; i++)
            for (let j = 0; j < q; j++) for (let c = 0; c < p; c++) G[i * q + j]! += F[i * p + c]! * F[j * p + c]!;
        }
        const l = inverse.subarray(a * q * q, (a + 1) * q * q);
        for (let i = 0; i < q; i++)
          for (let j = 0; j < q; j++) {
            let v = 0;
            for (let k = i; k < q; k++) for (let h = j; h < q; h++) v += l[k * q + i]! * G[k * q + h]! * l[h * q + j]!;
            out[a * q * q + i * q + j] = v;
          }
      }
      return out;
    },
    async product(x) {
      const y = await system.product(x);
      for (let i = 0; i < y.length; i++) y[i]! += damping[i]! * x[i]!;
      gauge.forEach((g, k) => {
        let d = 0;
        for (let i = 0; i < p; i++) d += g[i]! * x[rows + i]!;
        for (let i = 0; i < p; i++) y[rows + i]! += strength[k]! * d * g[i]!;
      });
      return y;
    },
  };
}

/** The coupling with the columns of backgrounds, scales and global numbers times `weak`, the rest times `strong`. */
function scaled(coupling: Float64Array, system: AtomSystem, p: number, strong: number, weak: number): Float64Array {
  const { m, views, terms, scale } = system.layout;
  const f = Float64Array.from({ length: p }, (_, c) => (c >= views * m || c % m < terms || c % m === scale ? weak : strong));
  return coupling.map((v, i) => v * f[i % p]!);
}

/** Cholesky factor, or undefined unless C less `margin` of the diagonal is positive. */
function positive(C: Float64Array, diagonal: Float64Array, damping: Float64Array, p: number, margin: number): Float64Array | undefined {
  const shift = (f: number): Float64Array => {
    const out = C.slice();
    for (let i = 0; i < p; i++) out[i * p + i]! += f * (diagonal[i * p + i]! + damping[i]!) + 1e-300;
    return out;
  };
  try {
    if (margin > 0) cholesky(matrix(p, p, shift(-margin)));
    return cholesky(matrix(p, p, shift(1e-10))).data;
  } catch {
    return undefined;
  }
}

/** Inverse of a lower triangle. */
export function invertLower(l: Float64Array, n: number, out: Float64Array): void {
  for (let j = 0; j < n; j++) {
    out[j * n + j] = 1 / l[j * n + j]!;
    for (let i = j + 1; i < n; i++) {
      let v = 0;
      for (let k = j; k < i; k++) v -= l[i * n + k]! * out[k * n + j]!;
      out[i * n + j] = v / l[i * n + i]!;
    }
  }
}

export interface ConjugateGradients {
  readonly x: Float64Array;
  /** b − A x. */
  readonly rest: Float64Array;
  readonly iterations: number;
  /** Last residual over the first, in the norm of the preconditioner. */
  readonly residual: number;
}

/** Preconditioned conjugate gradients (Hestenes & Stiefel 1952). */
export async function conjugateGradients(
  solver: ArrowSolver,
  b: Float64Array,
  { tolerance = 1e-3, most = 60 }: { readonly tolerance?: number; readonly most?: number } = {},
): Promise<ConjugateGradients> {
  const x = new Float64Array(b.length),
    r = b.slice();
  let z = solver.solve(r),
    rz = dot(r, z);
  const first = rz,
    d = z.slice();
  if (!(first > 0)) return { x, rest: r, iterations: 0, residual: 0 };
  for (let k = 1; k <= most; k++) {
    const Ad = await solver.product(d),
      alpha = rz / dot(d, Ad);
    for (let i = 0; i < x.length; i++) {
      x[i]! += alpha * d[i]!;
      r[i]! -= alpha * Ad[i]!;
    }
    z = solver.solve(r);
    const next = dot(r, z);
    if (!(next > tolerance * tolerance * first) || k === most)
      return { x, rest: r, iterations: k, residual: Math.sqrt(Math.max(0, next) / first) };
    for (let i = 0; i < x.length; i++) d[i] = z[i]! + (next / rz) * d[i]!;
    rz = next;
  }
  return { x, rest: r, iterations: most, residual: Math.sqrt(rz / first) };
}

function dot(a: Float64Array, b: Float64Array): number {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i]! * b[i]!;
  return s;
}
