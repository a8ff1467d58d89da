import { fail } from "../core/errors.js";
import type { Progress, Steps } from "../core/job.js";
import type { Beam } from "../geometry/beam.js";
import type { Structure } from "../geometry/structure.js";
import { type BeamPool, type BeamSelection, beamPool, selectBeams } from "./beams.js";
import type { Incidence } from "./incidence.js";
import { type CrystalPotential, crystalPotential, type PotentialOptions } from "./potential.js";
import { propagate } from "./propagate.js";
import { structureMatrix } from "./structure-matrix.js";
import { type ThicknessModel, thicknessNodes } from "./thickness.js";
import { blochIntensities } from "./waves.js";

export interface ConvergenceOptions extends Omit<PotentialOptions, "reach"> {
  /** The working set to be judged; gMax is required. */
  readonly selection: BeamSelection & { readonly gMax: number };
  /** Directions whose intensities are averaged: the azimuths of a precession circle, the steps of a tilt. */
  readonly incidences: readonly Incidence[];
  readonly thickness: number;
  readonly model?: ThicknessModel | undefined;
  /** Reflections to compare, [n, 3]; those within sMax of the sphere for every fourth direction when not given. */
  readonly reflections?: Int32Array | undefined;
  /** The enlarged set: gMax and sMax. Default gMax × 1.3 and the larger of 8 sMax and 0.08 Å⁻¹. */
  readonly reference?: { readonly gMax: number; readonly sMax: number } | undefined;
  /** R1 to reach. Default 0.01. */
  readonly target?: number | undefined;
}
export interface ConvergenceTrial {
  readonly name: string;
  readonly selection: BeamSelection & { readonly gMax: number };
  /** Mean number of strong beams. */
  readonly beams: number;
  /** Σ|I − I_ref|/Σ I_ref over the reflections. */
  readonly r1: number;
}
export interface ConvergenceReport {
  readonly working: ConvergenceTrial;
  readonly reference: { readonly beams: number; readonly gMax: number; readonly sMax: number };
  readonly trials: readonly ConvergenceTrial[];
  /** The cheapest trial within the target; the best one when none is. */
  readonly recommended: ConvergenceTrial;
  readonly reached: boolean;
  /** Sampling that resolves the thickness fringes: azimuths of precession with semi-angle φ (rad), and the step of a tilt, rad. */
  readonly azimuths: (semiAngle: number) => number;
  readonly tiltStep: number;
  readonly reflections: number;
}

/** Azimuths after which precession converges spectrally: 2π g t sin φ + 20. */
export const precessionAzimuths = (gMax: number, thickness: number, semiAngle: number): number =>
  Math.ceil(2 * Math.PI * gMax * thickness * Math.sin(semiAngle) + 20);

/**
 * How far a beam selection is from convergence, and what would do better. An R factor against data can be good with a beam set that is 2 %
 * wrong; this compares intensities of the working set with those of an enlarged one, on a few of your own directions.
 * @throws bad-value for empty lists or reflections that no direction excites, and what the parts throw
 */
export function* convergenceSteps(s: Structure, beam: Beam, options: ConvergenceOptions): Steps<ConvergenceReport> {
  const { selection, incidences, thickness, model = { kind: "wedge" }, target = 0.01 } = options;
  if (incidences.length === 0) fail("bad-value", { incidences: 0 }, "give at least one direction");
  const { gMax, sMax = 0.01 } = selection;
  const reference = options.reference ?? { gMax: 1.3 * gMax, sMax: Math.max(8 * sMax, 0.08) };
  if (!(reference.gMax >= gMax)) fail("out-of-range", { gMax: reference.gMax }, "the reference needs at least the gMax of the working set");
  const pool = beamPool(s.cell, s.spaceGroup, reference.gMax);
  const potential = crystalPotential(s, beam, { ...options, reach: 2 * reference.gMax + 1e-9 });
  const hkl = options.reflections ?? near(pool, incidences, gMax, sMax);
  if (hkl.length === 0) fail("bad-value", { reflections: 0 }, "no reflection comes near the sphere: widen sMax or give the reflections");
  const wide: BeamSelection & { gMax: number } = { gMax: reference.gMax, sMax: reference.sMax };
  const weak = { sMax: reference.sMax, gMax: reference.gMax };
  const candidates: [string, BeamSelection & { gMax: number }][] = [
    ["working set", selection],
    ["twice sMax", { gMax, sMax: 2 * sMax }],
    ["four times sMax", { gMax, sMax: 4 * sMax }],
    ["larger gMax", { gMax: Math.min(1.2 * gMax, reference.gMax), sMax }],
    ...[0.01, 0.005, 0.0025].map((strength): [string, BeamSelection & { gMax: number }] => [
      `strength ${strength} and Bethe`,
      { gMax: Math.min(1.2 * gMax, reference.gMax), sMax, strength, bethe: weak },
    ]),
  ];
  const total = candidates.length + 1;
  let done = 0;
  const progress = (note: string): Progress => ({ done: ++done, total, note });
  const exact = average(potential, pool, wide, incidences, hkl, thickness, model);
  yield progress(`reference of ${exact.beams.toFixed(0)} beams`);
  const sum = exact.intensity.reduce((t, x) => t + x, 0);
  if (!(sum > 0)) fail("bad-value", { reflections: hkl.length / 3 }, "the reflections have no intensity at these directions");
  const trials: ConvergenceTrial[] = [];
  for (const [name, choice] of candidates) {
    const got = average(potential, pool, choice, incidences, hkl, thickness, model);
    const r1 = got.intensity.reduce((t, x, i) => t + Math.abs(x - exact.intensity[i]!), 0) / sum;
    trials.push({ name, selection: choice, beams: got.beams, r1 });
    yield progress(`${name}: ${got.beams.toFixed(0)} beams, R1 ${(100 * r1).toFixed(2)} %`);
  }
  const good = trials.filter((t) => t.r1 <= target).sort((p, q) => p.beams - q.beams);
  const recommended = good[0] ?? [...trials].sort((p, q) => p.r1 - q.r1)[0]!;
  return {
    working: trials[0]!,
    reference: { beams: exact.beams, ...reference },
    trials,
    recommended,
    reached: good.length > 0,
    azimuths: (semiAngle) => precessionAzimuths(gMax, thickness, semiAngle),
    tiltStep: 1 / (4 * gMax * thickness),
    reflections: hkl.length / 3,
  };
}

/** Reflections other than 0 0 0 within sMax of the sphere at some of the directions. */
function near(pool: BeamPool, incidences: readonly Incidence[], gMax: number, sMax: number): Int32Array {
  const found = new Map<string, readonly [number, number, number]>();
  for (let i = 0; i < incidences.length; i += 4) {
    const { strong } = selectBeams(pool, incidences[i]!, { sMax: sMax / 2, gMax });
    for (let j = 3; j < strong.length; j += 3) found.set(`${strong.subarray(j, j + 3)}`, [strong[j]!, strong[j + 1]!, strong[j + 2]!]);
  }
  return Int32Array.from([...found.values()].flat());
}

function average(
  potential: CrystalPotential,
  pool: BeamPool,
  selection: BeamSelection,
  incidences: readonly Incidence[],
  hkl: Int32Array,
  thickness: number,
  model: ThicknessModel,
): { intensity: Float64Array; beams: number } {
  const places = new Map<string, number>();
  for (let i = 0; i < hkl.length; i += 3) places.set(`${hkl.subarray(i, i + 3)}`, i / 3);
  const intensity = new Float64Array(hkl.length / 3);
  let beams = 0;
  for (const inc of incidences) {
    const { strong, weak } = selectBeams(pool, inc, selection, potential);
    const m = structureMatrix(potential, strong, inc, { weak });
    const widest = m.twoKs.reduce((t, x) => Math.max(t, Math.abs(x)), 0);
    const { t, weights } = thicknessNodes(model, thickness, Math.min(120, (2 * Math.PI * thickness * widest) / m.kn));
    const I = blochIntensities(propagate(m, t));
    for (let i = 0; i < m.size; i++) {
      const at = places.get(`${strong.subarray(3 * i, 3 * i + 3)}`);
      if (at === undefined) continue;
      for (let k = 0; k < t.length; k++) intensity[at]! += (weights[k]! * I[k * m.size + i]!) / incidences.length;
    }
    beams += m.size / incidences.length;
  }
  return { intensity, beams };
}
