/**
 * Bessel functions J_k(rho·tau_t), k < capacity, one row a time, by Miller's downward recurrence with J_0 + 2 Σ J_2k = 1 (Abramowitz & Stegun 9.12).
 * Returns how many orders are above 1e-15 at any time, or −1 when they do not fit. tau must be >= 0.
 */
export function besselTable(times: i32, tau: usize, rho: f64, capacity: i32, out: usize): i32 {
  let terms: i32 = 1;
  for (let t: i32 = 0; t < times; t++) {
    const x = rho * load<f64>(tau + (<usize>t << 3)), row = out + <usize>t * <usize>capacity * 8;
    memory.fill(row, 0, <usize>capacity * 8);
    if (x < 1e-14) {
      store<f64>(row, 1);
      continue;
    }
    const start: i32 = (<i32>(x + 16 * Math.cbrt(x) + 40) + 1) & ~1;
    let above: f64 = 0, here: f64 = 1e-280, sum: f64 = 0;
    let needed: i32 = 0;
    // Unnormalised values below capacity are written on the way down and rescaled when they grow too large.
    for (let k: i32 = start; k > 0; k--) {
      if (k < capacity) store<f64>(row + (<usize>k << 3), here);
      if ((k & 1) == 0) sum += 2 * here;
      const below = (2 * <f64>k / x) * here - above;
      above = here;
      here = below;
      if (abs(here) > 1e250) {
        const f: f64 = 1e-270;
        here *= f;
        above *= f;
        sum *= f;
        const top = min(start, capacity - 1);
        for (let j: i32 = k; j <= top; j++) store<f64>(row + (<usize>j << 3), load<f64>(row + (<usize>j << 3)) * f);
      }
    }
    store<f64>(row, here);
    sum += here;
    const f = 1 / sum;
    const top = min(start, capacity - 1);
    for (let k: i32 = 0; k <= top; k++) {
      const p = row + (<usize>k << 3), J = load<f64>(p) * f;
      store<f64>(p, J);
      if (abs(J) > 1e-15) needed = k;
    }
    if (needed + 1 >= capacity) return -1;
    terms = max(terms, needed + 1);
  }
  return terms;
}
