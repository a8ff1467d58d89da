import type { FrameModel } from "../bloch/frames.js";
import { compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { petsRotation } from "../geometry/goniometer.js";
import { ubMatrix } from "../geometry/orientation.js";
import { type ReflectionList, reflectionList } from "../geometry/reflection-list.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { uniqueReflections } from "../geometry/unique.js";
import { peng1996LowAngle } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { matchStructures } from "../solution/match.js";
import { exactFrames, neutralCrystal } from "./measured-frames.js";

/** Exact intensities with Gaussian errors: `relative` of each and `floor` of the strongest. */
function noisy(s: Structure, hkl: Int32Array, exact: Float64Array, seed: number, relative: number, floor: number): ReflectionList {
  const top = exact.reduce((a, b) => Math.max(a, b), 0),
    r = rng(seed);
  const sigma = exact.map((x) => Math.hypot(relative * x, floor * top));
  return reflectionList(s.cell, { hkl, intensity: exact.map((x, i) => x + sigma[i]! * r.normal()), sigma });
}
/** Half a sphere of kinematical intensities, 5 % and 0.2 % of the strongest in error, from another table than the solution uses. */
export function kinematicalList(s: Structure, dMin: number, seed = 1): ReflectionList {
  const { hkl, size } = uniqueReflections(s.cell, spaceGroup("P 1"), { dMin });
  const f = structureFactors(s, hkl, peng1996LowAngle);
  return noisy(s, hkl, Float64Array.from({ length: size }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2), seed, 0.05, 0.002); // biome-ignore format: one idea
}
/**
 * Dynamical intensities as a rotation from −60 to 60° gives them: Bloch waves of a wedge, summed over frames of 2°, Lorentz factor taken out; 3 % and 0.1 % of the strongest in error.
 */
export async function dynamicalList(s: Structure, dMin: number, thickness: number, seed = 1): Promise<ReflectionList> {
  const ub = ubMatrix(randomRotation<"sample", "crystal">(rng(100 + seed)), s.cell);
  const orientations = Array.from({ length: 61 }, (_, i) => 2 * i - 60).map((alphaDeg) => ({
    alphaDeg,
    ub: compose(petsRotation(alphaDeg, 0, 0), ub),
  }));
  const model: FrameModel = {
    gMax: 1 / dMin,
    sMax: 0.015,
    thickness,
    thicknessModel: { kind: "wedge" },
    mosaicity: { kind: "none" },
    sampling: { sweep: { kind: "midpoint", steps: 40 } },
  };
  const sum = new Map<string, number>();
  for (const f of await exactFrames(neutralCrystal(s, 1 / dMin), model, orientations, { halfWidthDeg: 1, rsgMax: 1.6 }))
    for (let i = 0; i < f.intensity.length; i++) {
      const [h, k, l] = f.hkl.subarray(3 * i, 3 * i + 3);
      const y = Math.abs(f.ub[3] * h! + f.ub[4] * k! + f.ub[5] * l!);
      sum.set(`${h} ${k} ${l}`, (sum.get(`${h} ${k} ${l}`) ?? 0) + f.intensity[i]! * y);
    }
  const hkl = Int32Array.from([...sum.keys()].flatMap((key) => key.split(" ").map(Number)));
  return noisy(
    s,
    hkl,
    Float64Array.from(sum.values(), (v) => 1e4 * v),
    seed,
    0.03,
    0.001,
  );
}

/** What is wrong with a structure: group, number of atoms, places beyond 0.15 Å (lithium: 0.3 Å), elements; empty when it is right. Both on the same axes. */
export function structureProblems(truth: Structure, found: Structure): string[] {
  const out = truth.spaceGroup.number === found.spaceGroup.number ? [] : [`group ${found.spaceGroup.hm}`];
  const [n, m] = [found, truth].map((s) => expandToP1(s).length);
  if (n !== m) out.push(`${n} atoms, not ${m}`);
  const match = matchStructures(truth, found);
  truth.atoms.forEach((a, i) => {
    const d = match.distances[i]!;
    if (!(d < (a.element === "Li" ? 0.3 : 0.15))) out.push(`${a.label} ${d.toFixed(2)} Å away`);
    else if (match.elements[i] !== a.element) out.push(`${a.label} is ${match.elements[i]}`);
  });
  return out;
}
