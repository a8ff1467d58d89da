/**
 * J_k(x), k < capacity, into out[at …] by Miller's downward recurrence with J₀ + 2 Σ J₂ₖ = 1 (Abramowitz & Stegun 9.12).
 * @returns how many orders are above 1e-15, or −1 when they do not fit
 */
export function besselRow(x: number, capacity: number, out: Float64Array, at: number): number {
  out.fill(0, at, at + capacity);
  if (x < 1e-14) {
    out[at] = 1;
    return 1;
  }
  const start = (Math.floor(x + 16 * Math.cbrt(x) + 40) + 1) & ~1,
    top = Math.min(start, capacity - 1);
  let above = 0,
    here = 1e-280,
    sum = 0,
    needed = 0;
  for (let k = start; k > 0; k--) {
    if (k < capacity) out[at + k] = here;
    if (k % 2 === 0) sum += 2 * here;
    const below = ((2 * k) / x) * here - above;
    above = here;
    here = below;
    if (Math.abs(here) > 1e250) {
      const f = 1e-270;
      here *= f;
      above *= f;
      sum *= f;
      for (let j = k; j <= top; j++) out[at + j]! *= f;
    }
  }
  out[at] = here;
  sum += here;
  for (let k = 0; k <= top; k++) {
    out[at + k]! /= sum;
    if (Math.abs(out[at + k]!) > 1e-15) needed = k;
  }
  return needed + 1 >= capacity ? -1 : needed + 1;
}
