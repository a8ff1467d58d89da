/** Index i outside 0…n−1 by the edge rule: 0 zero (−1), 1 mirrored about the edge (b a | a b), 2 nearest. */
export function edgeIndex(i: number, n: number, rule: number): number {
  if (i >= 0 && i < n) return i;
  if (rule === 0) return -1;
  if (rule === 2) return i < 0 ? 0 : n - 1;
  const period = 2 * n,
    j = ((i % period) + period) % period;
  return j < n ? j : period - 1 - j;
}

/** Copy of [ny, nx] with a border of ry rows and rx columns by the edge rule (`fill` for rule 0). */
export function padded(data: Float32Array, ny: number, nx: number, ry: number, rx: number, rule: number, fill: number): Float32Array {
  const px = nx + 2 * rx,
    out = new Float32Array((ny + 2 * ry) * px);
  for (let y = 0; y < ny + 2 * ry; y++) {
    const s = edgeIndex(y - ry, ny, rule);
    for (let x = 0; x < px; x++) {
      const c = edgeIndex(x - rx, nx, rule);
      out[y * px + x] = s < 0 || c < 0 ? fill : data[s * nx + c]!;
    }
  }
  return out;
}
