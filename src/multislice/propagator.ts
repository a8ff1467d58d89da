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
 * exp(2πi K_t·r), K_t = k_z·tan θ, is left out of the wave, and what remains of |q + K_t|² shears the propagator:
 *   P(q) = exp(−iπΔz q²/k_z − 2πiΔz q·tan θ), k_z = cos θ/λ.
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
  const [tx, ty] = [Math.tan(tilt[0]), Math.tan(tilt[1])],
    kz = tiltCosine(tilt) / beam.wavelength;
  for (let i = 0; i < q2.length; i++) {
    if (mask[i] === 0) continue;
    const shear = qx[i]! * tx + qy[i]! * ty;
    // √(k² − |q + K_t|²) − k_z = −d/(√(k_z² − d) + k_z), and −d/2k_z for small angles
    const d = q2[i]! + 2 * kz * shear;
    const phase = (-2 * Math.PI * dz * d) / (kind === "fresnel" ? 2 * kz : Math.sqrt(Math.max(0, kz * kz - d)) + kz);
    out[2 * i] = mask[i]! * Math.cos(phase);
    out[2 * i + 1] = mask[i]! * Math.sin(phase);
  }
  return out;
}

/** k_z/k of a tilted beam: cos θ of the whole tilt. Path lengths, and with them the phases of the potential, grow by its inverse. */
export const tiltCosine = (tilt: readonly [number, number] = [0, 0]): number => 1 / Math.hypot(1, Math.tan(tilt[0]), Math.tan(tilt[1]));

/** Directions of a precessing beam: `count` tilts on a cone of semi-angle `angle` (rad), each of equal weight. */
export function precessionTilts(angle: number, count: number): readonly (readonly [number, number])[] {
  if (!(angle >= 0 && angle < 0.35 && Number.isInteger(count) && count >= 1))
    fail("bad-value", { angle, count }, "the precession angle is in radians (1° = 0.01745) and the number of azimuths a whole number");
  return Array.from({ length: count }, (_, i) => {
    const phi = (2 * Math.PI * i) / count;
    return [Math.atan(Math.tan(angle) * Math.cos(phi)), Math.atan(Math.tan(angle) * Math.sin(phi))] as const;
  });
}
