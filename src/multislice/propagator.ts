import { fail } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import { antialiasAperture, reciprocalGrid, type WaveGrid } from "./grid.js";

/** What free space does between two slices. */
export interface PropagatorOptions {
  /** Tilt of the beam about the box's axes, rad, as the change of direction: (0.01, 0) leans the beam towards +x. Default none. */
  readonly tilt?: readonly [number, number] | undefined;
  /** `fresnel` (default): exp(−iπλΔz q²). `exact`: the Ewald sphere, exp(2πiΔz(√(k² − q²) − k)). */
  readonly propagator?: "fresnel" | "exact" | undefined;
}

/**
 * Propagator over Δz in FFT order, complex f64 [ny, nx, 2], times the antialias aperture. A tilted beam is described in its own frame: the carrier
 * exp(2πi K_t·r), λK_t = tan of the tilt, is left out of the wave, and what remains of |q + K_t|² shears the propagator:
 *   P(q) = exp(−iπλΔz q² − 2πiΔz q·tan θ).
 * @throws out-of-range for a tilt that is no small angle in radians
 * @see Kirkland, Advanced Computing in Electron Microscopy (2020), 6.5 and eq. 6.99
 */
export function propagator(g: WaveGrid, beam: Pick<Beam, "wavelength">, dz: number, options: PropagatorOptions = {}): Float64Array {
  const { tilt = [0, 0], propagator: kind = "fresnel" } = options;
  if (!tilt.every((t) => Math.abs(t) < 0.35))
    fail("out-of-range", { tilt }, "the tilt is in radians, at most 0.35; larger ones need a rotated model, and mrad divide by 1000");
  const { qx, qy, q2 } = reciprocalGrid(g),
    mask = antialiasAperture(g),
    out = new Float64Array(2 * q2.length);
  const k = 1 / beam.wavelength,
    [tx, ty] = [Math.tan(tilt[0]), Math.tan(tilt[1])];
  const kt2 = (tx * tx + ty * ty) * k * k,
    kz0 = Math.sqrt(k * k - kt2);
  for (let i = 0; i < q2.length; i++) {
    if (mask[i] === 0) continue;
    const shear = qx[i]! * tx + qy[i]! * ty;
    // √(k² − |q + K_t|²) − √(k² − K_t²) in the form that does not cancel
    const d = q2[i]! + 2 * k * shear;
    const phase =
      kind === "fresnel"
        ? -Math.PI * beam.wavelength * dz * q2[i]! - 2 * Math.PI * dz * shear
        : (-2 * Math.PI * dz * d) / (Math.sqrt(Math.max(0, kz0 * kz0 - d)) + kz0);
    out[2 * i] = mask[i]! * Math.cos(phase);
    out[2 * i + 1] = mask[i]! * Math.sin(phase);
  }
  return out;
}

/** Directions of a precessing beam: `count` tilts on a cone of semi-angle `angle` (rad), each of equal weight. */
export function precessionTilts(angle: number, count: number): readonly (readonly [number, number])[] {
  if (!(angle >= 0 && angle < 0.35 && Number.isInteger(count) && count >= 1))
    fail("bad-value", { angle, count }, "the precession angle is in radians (1° = 0.01745) and the number of azimuths a whole number");
  return Array.from({ length: count }, (_, i) => {
    const phi = (2 * Math.PI * i) / count;
    return [Math.atan(Math.tan(angle) * Math.cos(phi)), Math.atan(Math.tan(angle) * Math.sin(phi))] as const;
  });
}
