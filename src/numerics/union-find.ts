/** Disjoint sets over 0…n−1, with path halving and union by size. */
export interface UnionFind {
  readonly size: number;
  /** Representative of i's set. */
  find(i: number): number;
  /** Join the sets of i and j; false when they were one already. */
  union(i: number, j: number): boolean;
  /** Number of elements in i's set. */
  count(i: number): number;
  /** Labels 0, 1, … in order of each set's first element. */
  labels(): { readonly labels: Int32Array; readonly count: number };
}

/** @see Tarjan (1975) J. ACM 22, 215, doi:10.1145/321879.321884 */
export function unionFind(size: number): UnionFind {
  const parent = Int32Array.from({ length: size }, (_, i) => i),
    counts = new Int32Array(size).fill(1);
  const find = (start: number): number => {
    let i = start;
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  };
  return {
    size,
    find,
    count: (i) => counts[find(i)]!,
    union(i, j) {
      let a = find(i),
        b = find(j);
      if (a === b) return false;
      if (counts[a]! < counts[b]!) [a, b] = [b, a];
      parent[b] = a;
      counts[a]! += counts[b]!;
      return true;
    },
    labels() {
      const labels = new Int32Array(size),
        of = new Int32Array(size).fill(-1);
      let count = 0;
      for (let i = 0; i < size; i++) {
        const r = find(i);
        if (of[r]! < 0) of[r] = count++;
        labels[i] = of[r]!;
      }
      return { labels, count };
    },
  };
}
