import { fail } from "../core/errors.js";
import { apply, inverse, type Map3, norm, transpose, type Vec3 } from "../core/frames.js";
import { type Beam, incidentWaveVector } from "../geometry/beam.js";
import type { UnitCell } from "../geometry/cell.js";
import { type Fractional, metricTensor, quadratic, reciprocalMetric } from "../geometry/metric.js";

/** How the beam meets the crystal, in lattice components, so that no frame is needed: g·n = h·n, K·g = kᵀG*h. */
export interface Incidence {
  /** Incident wave vector K on a*, b*, c* (no unit: components times Å⁻¹ vectors); electrons travel along +K. */
  readonly k: Vec3<"hkl">;
  /** Unit normal of the foil on a, b, c, to the exit side: K·n > 0. */
  readonly normal: Fractional;
}

/**
 * Checked incidence from lattice components.
 * @throws bad-value for numbers that are not finite, a zero wave vector, a normal that is not of unit length or K·n <= 0
 */
export function incidence(cell: UnitCell, k: Vec3<"hkl">, normal?: Fractional): Incidence {
  if (![...k, ...(normal ?? [])].every(Number.isFinite))
    fail("bad-value", { k, normal }, "the wave vector and the normal must be finite numbers; look for NaN angles upstream");
  const star = reciprocalMetric(cell);
  const length = Math.sqrt(quadratic(star, k));
  if (!(length > 0)) fail("bad-value", { k }, "the wave vector is zero");
  // direct components of a vector given on a*, b*, c*: G* k
  const n: Fractional = normal ?? (star3(cell, k).map((x) => x / length) as unknown as Fractional);
  const size = Math.sqrt(quadratic(metricTensor(cell), n));
  if (Math.abs(size - 1) > 1e-6) fail("bad-value", { normal: n, length: size }, "the foil normal needs unit length, components on a, b, c");
  const kn = k[0] * n[0] + k[1] * n[1] + k[2] * n[2];
  if (!(kn > 0)) fail("bad-value", { kn }, "the normal points to the exit side of the foil: K·n must be positive");
  return { k, normal: n };
}

/** G* h: the direct components of the vector with reciprocal components h; its product with another set of indices is g·h. */
export function star3(cell: UnitCell, h: Vec3<"hkl">): Fractional {
  const s = reciprocalMetric(cell);
  return [s[0] * h[0] + s[1] * h[1] + s[2] * h[2], s[3] * h[0] + s[4] * h[1] + s[5] * h[2], s[6] * h[0] + s[7] * h[1] + s[8] * h[2]];
}

/**
 * Incidence from an orientation in the lab frame, where the beam travels along −z.
 * @param ub - a*, b*, c* in columns, lab frame, Å⁻¹
 * @param normal - foil normal in the lab frame, to the exit side; along the beam when not given
 * @throws bad-value
 */
export function incidenceFromLab(
  cell: UnitCell,
  ub: Map3<"lab", "hkl">,
  beam: Pick<Beam, "k">,
  normal: Vec3<"lab"> = [0, 0, -1],
): Incidence {
  const size = norm(normal);
  const unit: Vec3<"lab"> = [normal[0] / size, normal[1] / size, normal[2] / size];
  const n = apply(transpose(ub), unit) as unknown as Fractional; // components on a, b, c are products with a*, b*, c*
  return incidence(cell, apply(inverse(ub), incidentWaveVector(beam)), n);
}

/**
 * Beam along a zone axis: [u v w] points to the electron source (as PETS2 writes zones), so K = −|K| [u v w]/|uvw|, plus a tangential
 * part, the centre of the Laue circle.
 * @param tangential - on a*, b*, c*; its part along the axis is taken away
 * @throws bad-value
 */
export function incidenceOnZone(
  cell: UnitCell,
  beam: Pick<Beam, "k">,
  uvw: Fractional,
  tangential: Vec3<"hkl"> = [0, 0, 0],
  normal: Fractional | "zone" | "beam" = "zone",
): Incidence {
  const g = metricTensor(cell),
    length = Math.sqrt(quadratic(g, uvw));
  if (!(length > 0)) fail("bad-value", { uvw }, "the zone axis is a direction [u v w] other than 0 0 0");
  const axis = uvw.map((x) => x / length) as unknown as Fractional; // direct components, unit length
  const onStar = [0, 3, 6].map((r) => g[r as 0] * axis[0] + g[(r + 1) as 1] * axis[1] + g[(r + 2) as 2] * axis[2]);
  const along = tangential[0] * axis[0] + tangential[1] * axis[1] + tangential[2] * axis[2];
  const t = tangential.map((x, i) => x - along * onStar[i]!) as unknown as Vec3<"hkl">;
  const rest = beam.k ** 2 - quadratic(reciprocalMetric(cell), t);
  if (!(rest > 0)) fail("bad-value", { tangential }, "the tangential part is longer than the wave vector");
  const k = t.map((x, i) => x - Math.sqrt(rest) * onStar[i]!) as unknown as Vec3<"hkl">;
  if (normal === "beam") return incidence(cell, k);
  return incidence(cell, k, normal === "zone" ? (axis.map((x) => -x) as unknown as Fractional) : normal);
}

/**
 * Refraction by the mean inner potential: |K|² = k₀² + U₀, the tangential components conserved. The effect on intensities is of the
 * order of 1e-5 in the wavelength.
 * @param u0 - Re U₀, Å⁻²
 */
export function refracted(cell: UnitCell, inc: Incidence, u0: number): Incidence {
  const { k, normal } = inc;
  const kn = k[0] * normal[0] + k[1] * normal[1] + k[2] * normal[2];
  const change = u0 / (kn + Math.sqrt(kn * kn + u0)); // root of 2 K_n δ + δ² = U₀ nearest to 0
  const g = metricTensor(cell);
  const onStar = [0, 3, 6].map((r) => g[r as 0] * normal[0] + g[(r + 1) as 1] * normal[1] + g[(r + 2) as 2] * normal[2]);
  return incidence(cell, k.map((x, i) => x + change * onStar[i]!) as unknown as Vec3<"hkl">, normal);
}
