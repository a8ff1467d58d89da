import { fail } from "../core/errors.js";
import type { KinematicData } from "./kinematic-types.js";

/** Squares of what is larger have no place in a double of sums. */
const ABSURD = 1e30;

/**
 * Rows that can be refined against: without repeats of the very same measurement (they would count twice, and make the s.u. too small) and
 * without numbers beyond measuring. Each kind is noted.
 * @throws bad-value when no intensity is above zero
 */
export function measuredRows(data: KinematicData, notes: string[]): KinematicData {
  const { hkl, intensity, sigma } = data;
  const seen = new Set<string>(),
    rows: number[] = [];
  let absurd = 0,
    repeated = 0;
  for (let i = 0; i < intensity.length; i++) {
    if (Math.abs(intensity[i]!) > ABSURD || sigma[i]! > ABSURD) {
      absurd++;
      continue;
    }
    // Zeros may well be alike.
    const key = [hkl[3 * i], hkl[3 * i + 1], hkl[3 * i + 2], intensity[i], sigma[i]].join();
    if (intensity[i] !== 0 && sigma[i]! > 0 && seen.has(key)) {
      repeated++;
      continue;
    }
    seen.add(key);
    rows.push(i);
  }
  if (absurd > 0) notes.push(`${absurd} reflections have intensities or sigmas beyond ${ABSURD.toExponential(0)} and are left out`);
  if (repeated > 0) notes.push(`${repeated} rows repeat another one in indices, intensity and sigma and are left out`);
  const positive = rows.reduce((n, i) => n + Number(intensity[i]! > 0), 0);
  if (rows.length > 0 && positive === 0)
    fail("bad-value", { reflections: rows.length, positive }, "no intensity is above zero: is this the column of the intensities?");
  if (rows.length === intensity.length) return data;
  const take = (x: Float64Array): Float64Array => Float64Array.from(rows, (i) => x[i]!);
  return {
    ...data,
    hkl: Int32Array.from(rows.flatMap((i) => [...hkl.subarray(3 * i, 3 * i + 3)])),
    intensity: take(intensity),
    sigma: take(sigma),
  };
}
