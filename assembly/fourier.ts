// Constraints of a Fourier reconstruction: in real space on rows [lo … hi) of `width` values of which the first nx belong to the volume, and in
// Fourier space on a list of measured points.

/** Clip at 0 when positive, clear outside the support (u8 [rows][nx], or 0), zeros behind nx. */
export function constrain(vol: usize, support: usize, lo: i32, hi: i32, nx: i32, width: i32, positive: i32): void {
  for (let r = lo; r < hi; r++) {
    const row = vol + (<usize>(r * width) << 2), inside = support + <usize>(r * nx);
    for (let x: i32 = 0; x < nx; x++) {
      const p = row + <usize>(x << 2);
      const v = load<f32>(p);
      if ((positive && !(v > 0)) || (support && !load<u8>(inside + <usize>x))) store<f32>(p, 0);
    }
    memory.fill(row + <usize>(nx << 2), 0, <usize>((width - nx) << 2));
  }
}

/**
 * Measured points lo … hi − 1: index u32, value f32 [2], radius f32 and flags u8 (bit 7: withheld; the rest: shell). Those with radius < limit that
 * are not withheld overwrite the grid. sums, f64: Σ||F| − |M||, Σ|F − M|, Σ|M| of the points that are not withheld; then for each shell
 * Σ||F| − |M|| and Σ|M| of the withheld ones.
 */
export function enforce(grid: usize, index: usize, value: usize, radius: usize, flags: usize, lo: i32, hi: i32, limit: f32, sums: usize): void {
  let magnitude: f64 = 0, complex: f64 = 0, total: f64 = 0;
  for (let i = lo; i < hi; i++) {
    const g = grid + (<usize>load<u32>(index + (<usize>i << 2)) << 3), m = value + (<usize>i << 3);
    const re = load<f32>(g), im = load<f32>(g, 4), mr = load<f32>(m), mi = load<f32>(m, 4);
    const f = Math.sqrt(<f64>re * <f64>re + <f64>im * <f64>im), a = Math.sqrt(<f64>mr * <f64>mr + <f64>mi * <f64>mi);
    const flag = load<u8>(flags + <usize>i);
    if (flag & 128) {
      const s = sums + 24 + (<usize>(flag & 127) << 4);
      store<f64>(s, load<f64>(s) + Math.abs(f - a));
      store<f64>(s, load<f64>(s, 8) + a, 8);
      continue;
    }
    const dr = <f64>re - <f64>mr, di = <f64>im - <f64>mi;
    magnitude += Math.abs(f - a);
    complex += Math.sqrt(dr * dr + di * di);
    total += a;
    if (load<f32>(radius + (<usize>i << 2)) < limit) {
      store<f32>(g, mr);
      store<f32>(g, mi, 4);
    }
  }
  store<f64>(sums, load<f64>(sums) + magnitude);
  store<f64>(sums, load<f64>(sums, 8) + complex, 8);
  store<f64>(sums, load<f64>(sums, 16) + total, 16);
}

/** Zeros. */
export function clear(p: usize, bytes: usize): void {
  memory.fill(p, 0, bytes);
}
