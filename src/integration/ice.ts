/** Spacings of hexagonal and cubic ice that show as rings in 3D ED, Å (the list widely used in data reduction of macromolecules). */
export const iceSpacings: readonly number[] = [3.897, 3.669, 3.441, 2.671, 2.249, 2.072, 1.948, 1.918, 1.883, 1.721];

/** A ring of the frame plane, in |g| = 1/d, Å⁻¹. */
export interface Ring {
  readonly inner: number;
  readonly outer: number;
}

/** Rings of ice, `width` wide (Å⁻¹ in 1/d). */
export function iceRings(width = 0.006): Ring[] {
  return iceSpacings.map((d) => ({ inner: 1 / d - width / 2, outer: 1 / d + width / 2 }));
}

/** Set `bit` in the mask inside the rings. The centre is in px (x, y), an integer is the centre of a pixel. */
export function maskRings(
  mask: Uint8Array,
  shape: readonly [ny: number, nx: number],
  centre: readonly [x: number, y: number],
  angstromInvPerPixel: number,
  rings: readonly Ring[],
  bit: number,
): void {
  const [ny, nx] = shape;
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const g = Math.hypot(x - centre[0], y - centre[1]) * angstromInvPerPixel;
      if (rings.some((r) => g >= r.inner && g <= r.outer)) mask[y * nx + x]! |= bit;
    }
}

/** A ring found in a radial background. */
export interface FoundRing {
  /** Radius, px. */
  readonly radius: number;
  /** Height above the smooth halo, counts, and that over the scatter of neighbouring rings. */
  readonly height: number;
  readonly significance: number;
  /** Spacing of ice that it matches within 1 %, Å; undefined when none does. */
  readonly iceSpacing: number | undefined;
}

/**
 * Powder rings in a radial median (see `radialMedian`): narrow rises above the halo, which is the running median of ± `halfWindow` rings.
 * @param radial - counts per ring of one pixel
 */
export function findRings(
  radial: Float64Array,
  angstromInvPerPixel: number,
  { halfWindow = 12, minSignificance = 6, from = 20 }: { halfWindow?: number; minSignificance?: number; from?: number } = {},
): FoundRing[] {
  const excess = radial.map((v, r) => {
    const around = [...radial.subarray(Math.max(0, r - halfWindow), r + halfWindow + 1)].filter(Number.isFinite).sort((a, b) => a - b);
    return v - (around[around.length >> 1] ?? Number.NaN);
  });
  const size = [...excess.subarray(from)]
    .filter(Number.isFinite)
    .map(Math.abs)
    .sort((a, b) => a - b);
  const scatter = Math.max(1.4826 * (size[size.length >> 1] ?? 0), 0.05);
  const rings: FoundRing[] = [];
  for (let r = Math.max(from, 1); r + 1 < radial.length; r++) {
    const e = excess[r]!;
    if (!(e > minSignificance * scatter && e >= excess[r - 1]! && e > excess[r + 1]!)) continue;
    const d = 1 / (r * angstromInvPerPixel);
    rings.push({ radius: r, height: e, significance: e / scatter, iceSpacing: iceSpacings.find((s) => Math.abs(s / d - 1) < 0.01) });
  }
  return rings;
}
