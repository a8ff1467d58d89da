import { rotateVector } from "../geometry/symop.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";
import { type GridShape, gridShape, spectrumSlots } from "./grid.js";
import type { GroupCandidate } from "./group-search.js";
import type { PhasedSet } from "./operators.js";
import { onPrimitiveAxes, type PhasingData } from "./prepare.js";

/** Phases that obey a space group exactly. */
export interface SymmetricPhases {
  /** Radians, with the group's origin, reflections on primitive axes, shape [data.size]. */
  readonly phase: Float64Array;
  /** |mean of the equivalents' phase vectors|: 1 when all agreed before averaging, shape [data.size]. 0 for systematic absences. */
  readonly merit: Float64Array;
}

/**
 * Phases moved to the group's origin and averaged over its operations: F(hW) = F(h) exp(2πi h·w), so F(h) is the mean of F(hW) exp(−2πi h·w); the same as averaging
 * the map over the group.
 */
export function symmetricPhases(set: PhasedSet, candidate: GroupCandidate): SymmetricPhases {
  const { data } = set,
    n = data.size;
  const [x0, y0, z0] = candidate.origin;
  const index = new Map<string, number>(set.rotations.map((w, i) => [w.join(), i]));
  const ops = candidate.group.ops.slice(0, candidate.group.primitiveOrder).map((op) => ({
    row: index.get(onPrimitiveAxes(op.rotation, candidate.basis).join())!,
    t: rotateVector(candidate.basis, [op.shift[0] / 24, op.shift[1] / 24, op.shift[2] / 24]),
  }));
  const moved = new Float64Array(n);
  for (let i = 0; i < n; i++)
    moved[i] = set.phase[i]! + 2 * Math.PI * (data.hkl[3 * i]! * x0 + data.hkl[3 * i + 1]! * y0 + data.hkl[3 * i + 2]! * z0);
  const phase = new Float64Array(n),
    merit = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let re = 0,
      im = 0,
      count = 0;
    for (const { row, t } of ops) {
      const images = set.images[row]!,
        j = images.row[i]!;
      if (j < 0) continue;
      const phi =
        (images.friedel[i] ? -moved[j]! : moved[j]!) -
        2 * Math.PI * (data.hkl[3 * i]! * t[0] + data.hkl[3 * i + 1]! * t[1] + data.hkl[3 * i + 2]! * t[2]);
      re += Math.cos(phi);
      im += Math.sin(phi);
      count++;
    }
    phase[i] = Math.atan2(im, re);
    merit[i] = Math.hypot(re, im) / Math.max(1, count);
  }
  return { phase, merit };
}

/** A real function on the grid of a cell: value at (x, y, z) = (i/na, j/nb, k/nc) is data[(i·nb + j)·nc + k]. */
export interface DensityMap {
  readonly shape: GridShape;
  readonly data: Float32Array;
  /** Root mean square about the mean. */
  readonly sigma: number;
}

/**
 * ρ(x) = Σ A cos(φ − 2π…)/V over the full sphere of the list, on primitive axes: Σ_h A(h) exp(iφ(h)) exp(+2πi h·x)/V with F(000) left out. With amplitudes in Å the map is in Å⁻².
 * @param step - grid spacing, Å; default d_min/4
 */
export function densityMap(data: PhasingData, amplitude: Float64Array, phase: Float64Array, step = data.dMin / 4): DensityMap {
  const shape = gridShape(data.cell, data.hkl, step);
  const { slot, mate } = spectrumSlots(data.hkl, shape);
  const plan = rfftPlan({ shape, type: "f32" });
  try {
    const f = plan.spectrum().fill(0);
    for (let i = 0; i < data.size; i++) {
      const re = amplitude[i]! * Math.cos(phase[i]!),
        im = amplitude[i]! * Math.sin(phase[i]!);
      f[2 * slot[2 * i]!] = re;
      f[2 * slot[2 * i]! + 1] = mate[i] ? -im : im;
      const b = slot[2 * i + 1]!;
      if (b >= 0) {
        f[2 * b] = re;
        f[2 * b + 1] = -im;
      }
    }
    plan.inverse({ scale: 1 / data.cell.volume });
    const rho = plan.real().slice();
    let s2 = 0;
    for (const v of rho) s2 += v * v;
    return { shape, data: rho, sigma: Math.sqrt(s2 / rho.length) };
  } finally {
    plan.free();
  }
}
