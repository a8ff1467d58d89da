import { fail } from "../core/errors.js";
import { isAbsent, isCentringAbsent, reflectionConditions } from "../geometry/extinctions.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import { type SpaceGroup, spaceGroupByHallNumber, spaceGroupTable } from "../geometry/space-groups.js";

/** How well a set of extinct reflections agrees with the intensities. */
export interface AbsenceScore {
  /** Groups that share the set of extinct reflections among those measured, lowest number first. */
  readonly groups: readonly SpaceGroup[];
  /** Conditions beyond the centring, as in International Tables; none for a symmorphic set. */
  readonly conditions: readonly string[];
  /** Reflections that should be extinct, and their mean intensity over that of their shell. */
  readonly count: number;
  readonly meanRatio: number;
  /** Strongest of them, as a ratio, with its I/σ. */
  readonly strongest: number;
  readonly strongestSnr: number;
  /**
   * ln of the likelihood that they are extinct but for multiple scattering, over that of ordinary reflections. Positive speaks for the conditions; the
   * set without conditions has 0.
   */
  readonly logLikelihood: number;
}

export interface AbsenceOptions {
  /** Mean intensity that multiple scattering gives to extinct reflections, over that of their shell: at least and at most. Default 0.01 and 0.3. */
  readonly umweg?: readonly [number, number] | undefined;
}

/**
 * Extinction symbols ranked by merged intensities, with multiple scattering allowed for: forbidden reflections are really there in electron
 * diffraction, only weak. z = I/⟨I⟩shell is taken as exponential with mean 1 when a class is present, and with mean m + noise when it is extinct; m is
 * found from the class itself within `umweg`. Every measured extinct reflection votes, so one strong umweg reflection does not decide.
 * @param laue - a group of the Laue class on the axes of the list, e.g. the choice of `laueByIntensity`
 * @param centring - lattice letter; reflections that it forbids are not looked at
 * @throws bad-value with fewer than 30 measured reflections
 */
export function absenceScores(
  laue: Pick<SpaceGroup, "ops">,
  centring: string,
  list: ReflectionList,
  { umweg = [0.01, 0.3] }: AbsenceOptions = {},
): readonly AbsenceScore[] {
  const rows = [...Array(list.size).keys()]
    .filter((i) => Number.isFinite(list.intensity[i]!) && list.sigma[i]! > 0)
    .sort((a, b) => list.dStar[a]! - list.dStar[b]! || a - b);
  if (rows.length < 30) fail("bad-value", { reflections: rows.length }, "systematic absences need 30 measured reflections and more");
  if (!(umweg[0] > 0 && umweg[1] >= umweg[0] && umweg[1] < 1))
    fail("out-of-range", { umweg }, "umweg is [least, most] mean intensity of extinct reflections, between 0 and 1");
  const { ratio, noise } = normalised(list, rows);
  const rotations = new Set(laue.ops.flatMap((op) => [op.rotation.join(), op.rotation.map((v) => -v + 0).join()]));
  const found = new Map<string, { groups: SpaceGroup[]; extinct: number[] }>();
  for (const { hallNumber, choice } of spaceGroupTable()) {
    if (choice.includes("R")) continue; // rhombohedral axes
    const group = spaceGroupByHallNumber(hallNumber);
    if (group.centring !== centring) continue;
    // The group has the rotations of the Laue group, up to inversion.
    const own = new Set(group.ops.flatMap((op) => [op.rotation.join(), op.rotation.map((v) => -v + 0).join()]));
    if (own.size !== rotations.size || ![...own].every((r) => rotations.has(r))) continue;
    const extinct = rows.filter((i) => {
      const h = [list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!] as const;
      return isAbsent(group, h) && !isCentringAbsent(group, h);
    });
    const key = extinct.join(),
      entry = found.get(key);
    if (entry) entry.groups.push(group);
    else found.set(key, { groups: [group], extinct });
  }
  return [...found.values()]
    .map(({ groups, extinct }): AbsenceScore => {
      groups.sort((a, b) => a.number - b.number || a.hallNumber - b.hallNumber);
      const z = extinct.map((i) => ratio[i]!),
        n = z.length,
        mean = n > 0 ? z.reduce((s, v) => s + v, 0) / n : 0,
        m = Math.min(umweg[1], Math.max(umweg[0], mean));
      let log = 0,
        strongest = -1;
      for (const i of extinct) {
        // Noise adds to both; a negative intensity says no more than 0.
        const v = Math.max(0, ratio[i]!),
          low = m + noise[i]!,
          high = 1 + noise[i]!;
        log += Math.log(high / low) - v * (1 / low - 1 / high);
        if (strongest < 0 || ratio[i]! > ratio[strongest]!) strongest = i;
      }
      const general = reflectionConditions(groups[0]!).filter((c) => c.zone !== "hkl");
      return {
        groups,
        conditions: general.map((c) => `${c.zone}: ${c.text}`),
        count: n,
        meanRatio: n > 0 ? mean : Number.NaN,
        strongest: strongest < 0 ? Number.NaN : ratio[strongest]!,
        strongestSnr: strongest < 0 ? Number.NaN : list.intensity[strongest]! / list.sigma[strongest]!,
        logLikelihood: log,
      };
    })
    .sort((a, b) => b.logLikelihood - a.logLikelihood || a.count - b.count);
}

/** I/⟨I⟩ of the shell (60 neighbours in resolution), and its s.u. on the same scale. */
function normalised(list: ReflectionList, rows: readonly number[]): { ratio: Float64Array; noise: Float64Array } {
  const ratio = new Float64Array(list.size).fill(Number.NaN),
    noise = new Float64Array(list.size);
  const half = Math.min(40, Math.floor(rows.length / 4));
  const sums = new Float64Array(rows.length + 1);
  rows.forEach((r, k) => {
    sums[k + 1] = sums[k]! + list.intensity[r]!;
  });
  rows.forEach((r, k) => {
    const a = Math.max(0, Math.min(k - half, rows.length - 2 * half)),
      b = Math.min(rows.length, a + 2 * half),
      mean = (sums[b]! - sums[a]!) / (b - a);
    if (!(mean > 0)) {
      ratio[r] = 0;
      noise[r] = 1e3; // a shell without signal says nothing
      return;
    }
    ratio[r] = list.intensity[r]! / mean;
    noise[r] = list.sigma[r]! / mean;
  });
  return { ratio, noise };
}
