import type { Mat3 } from "../geometry/metric.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { type GridShape, gridShape } from "./grid.js";
import { type Images, imageRows } from "./phased.js";
import type { PhasingData } from "./prepare.js";

/** How well the phases obey one rotation with its best translation. */
export interface OperatorScore {
  /** On primitive axes. */
  readonly rotation: Mat3;
  /** x' = W x + t in fractions of the primitive axes, in the frame of the unsymmetrised map; on the grid of the search. */
  readonly translation: readonly [number, number, number];
  /** Weighted ⟨cos Δφ⟩ at that translation: 1 perfect, near 0 random. */
  readonly score: number;
  /** 100·(1 − score): 0 perfect, 100 random, as an agreement factor. */
  readonly agreement: number;
}

/** Strong reflections with weights and phases, and their images under the Laue group: what all symmetry tests read. */
export interface PhasedSet {
  readonly data: PhasingData;
  readonly weight: Float64Array;
  readonly phase: Float64Array;
  readonly rotations: readonly Mat3[];
  readonly images: readonly Images[];
  readonly grid: GridShape;
  /** Rows that the tests sum over: the 3000 of greatest weight. */
  readonly strongest: Int32Array;
}

/** Prepare phases for the symmetry tests; the weight of a reflection is its amplitude. */
export function phasedSet(data: PhasingData, amplitude: Float64Array, phase: Float64Array): PhasedSet {
  // h(1 − W) reaches twice the index range; a grid of d_min/3 samples its peaks well, and wrapping changes nothing on grid points.
  const grid = gridShape(data.cell, data.hkl, data.dMin / 3);
  const strongest = Int32Array.from([...amplitude.keys()].sort((p, q) => amplitude[q]! - amplitude[p]! || p - q).slice(0, 3000));
  return { data, weight: amplitude, phase, rotations: data.rotations, images: imageRows(data, data.rotations), grid, strongest };
}

/**
 * Translation and agreement of every rotation of the Laue group. For ρ(Wx + t) = ρ(x), φ(hW) − φ(h) = 2π h·t; the sum
 * C(t) = Σ w(h) w(hW) cos(φ(hW) − φ(h) − 2πh·t) is one transform, and its maximum gives t (the phase-shift method of Palatinus & van der Lee (2008) J. Appl. Cryst. 41, 975).
 */
export function operatorScores(set: PhasedSet): OperatorScore[] {
  const { data, weight, phase, grid } = set,
    [na, nb, nc] = grid;
  const plan = fftPlan({ shape: [na, nb, nc], type: "c64" });
  try {
    const buffer = plan.data();
    return set.rotations.map((rotation, r) => {
      const { row, friedel } = set.images[r]!;
      buffer.fill(0);
      let total = 0;
      for (const i of set.strongest) {
        const j = row[i]!;
        if (j < 0) continue;
        const w = weight[i]! * weight[j]!,
          d = (friedel[i] ? -phase[j]! : phase[j]!) - phase[i]!;
        total += w;
        add(buffer, grid, data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!, w * Math.cos(d), w * Math.sin(d));
      }
      plan.forward();
      let best = 0;
      for (let p = 1; p < na * nb * nc; p++) if (buffer[2 * p]! > buffer[2 * best]!) best = p;
      const score = total > 0 ? buffer[2 * best]! / total : 0;
      const translation = [Math.floor(best / (nb * nc)) / na, (Math.floor(best / nc) % nb) / nb, (best % nc) / nc] as const;
      return { rotation, translation, score, agreement: 100 * (1 - score) };
    });
  } finally {
    plan.free();
  }
}

/** Add to element (h, k, l) modulo the grid. */
export function add(
  buffer: Float32Array | Float64Array,
  [na, nb, nc]: GridShape,
  h: number,
  k: number,
  l: number,
  re: number,
  im: number,
): void {
  const at = 2 * (((((h % na) + na) % na) * nb + (((k % nb) + nb) % nb)) * nc + (((l % nc) + nc) % nc));
  buffer[at]! += re;
  buffer[at + 1]! += im;
}
