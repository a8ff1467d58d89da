/**
 * One solution v of M v ≡ d (mod 1) for an integer matrix M, shape [m, n], or undefined when there is none.
 * M is brought to diagonal form by unimodular row and column operations (Smith): U M V = D; then D y ≡ U d and v = V y. Free components are 0.
 */
export function solveModulo1(matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined {
  const m = matrix.map((r) => [...r]),
    d = [...right];
  const n = m[0]?.length ?? 0;
  const v: number[][] = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  let rank = 0;
  for (; rank < Math.min(m.length, n); rank++) {
    for (;;) {
      const at = smallest(m, rank);
      if (!at) break;
      swap(m, at[0], rank);
      [d[at[0]], d[rank]] = [d[rank]!, d[at[0]]!];
      for (const row of m) swap(row, at[1], rank);
      for (const row of v) swap(row, at[1], rank);
      const p = m[rank]![rank]!;
      let clean = true;
      for (let i = 0; i < m.length; i++) {
        if (i === rank) continue;
        const f = Math.round(m[i]![rank]! / p);
        if (f !== 0) {
          for (let j = 0; j < n; j++) m[i]![j]! -= f * m[rank]![j]!;
          d[i]! -= f * d[rank]!;
        }
        if (m[i]![rank] !== 0) clean = false;
      }
      for (let j = 0; j < n; j++) {
        if (j === rank) continue;
        const f = Math.round(m[rank]![j]! / p);
        if (f !== 0) {
          for (let i = 0; i < m.length; i++) m[i]![j]! -= f * m[i]![rank]!;
          for (let i = 0; i < n; i++) v[i]![j]! -= f * v[i]![rank]!;
        }
        if (m[rank]![j] !== 0) clean = false;
      }
      if (clean) break;
    }
    if (m[rank]![rank] === 0) break;
  }
  const integer = (x: number): boolean => Math.abs(x - Math.round(x)) < 1e-6;
  for (let i = rank; i < m.length; i++) if (!integer(d[i]!)) return undefined;
  const y = Array.from({ length: n }, (_, i) => (i < rank ? d[i]! / m[i]![i]! : 0));
  return v.map((row) => {
    const x = row.reduce((s, a, j) => s + a * y[j]!, 0);
    return x - Math.floor(x + 1e-9);
  });
}

function swap<T>(list: T[], i: number, j: number): void {
  [list[i], list[j]] = [list[j]!, list[i]!];
}
/** Position of the smallest nonzero entry at or beyond `from` in both directions; undefined when all are zero. */
function smallest(m: readonly (readonly number[])[], from: number): [number, number] | undefined {
  let best: [number, number] | undefined,
    size = Number.POSITIVE_INFINITY;
  for (let i = from; i < m.length; i++)
    for (let j = from; j < m[i]!.length; j++) {
      const x = Math.abs(m[i]![j]!);
      if (x > 0 && x < size) [best, size] = [[i, j], x];
    }
  return best;
}
