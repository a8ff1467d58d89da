import type { Mat3 } from "../geometry/metric.js";
import type { ReflectionList } from "../geometry/reflection-list.js";
import { median } from "../numerics/stats-select.js";

const conditions: readonly (readonly [letter: string, allowed: (h: number, k: number, l: number) => boolean])[] = [
  ["F", (h, k, l) => (h + k) % 2 === 0 && (k + l) % 2 === 0],
  ["I", (h, k, l) => (h + k + l) % 2 === 0],
  ["R", (h, k, l) => (-h + k + l) % 3 === 0],
  ["C", (h, k) => (h + k) % 2 === 0],
  ["A", (_, k, l) => (k + l) % 2 === 0],
  ["B", (h, _, l) => (h + l) % 2 === 0],
];

/**
 * Lattice letter of the axes the reflections are indexed on: the centring whose forbidden reflections are not in the list, or have less than 3 % of the
 * mean intensity of the allowed ones near them in resolution and do not stand out of their noise. Multiple scattering does not break centring absences, so the
 * rule is strict: a heavy atom on a centred lattice leaves few forbidden reflections, but those are strong.
 */
export function detectCentring(list: ReflectionList): string {
  // Intensity falls by orders of magnitude with resolution: compare within ten shells of equal number.
  const order = [...Array(list.size).keys()]
    .filter((i) => Number.isFinite(list.intensity[i]!))
    .sort((p, q) => list.dStar[p]! - list.dStar[q]!);
  const shells = 10;
  for (const [letter, allowed] of conditions) {
    let ratio = 0,
      weight = 0,
      present = 0;
    for (let s = 0; s < shells; s++) {
      const sum = [0, 0],
        n = [0, 0];
      for (let r = Math.floor((s * order.length) / shells); r < Math.floor(((s + 1) * order.length) / shells); r++) {
        const i = order[r]!;
        const kind = allowed(list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!) ? 0 : 1;
        sum[kind]! += list.intensity[i]!;
        n[kind]!++;
      }
      present += n[0]!;
      if (n[0]! < 3 || n[1] === 0 || !(sum[0]! > 0)) continue;
      ratio += n[1]! * (sum[1]! / n[1]! / (sum[0]! / n[0]!));
      weight += n[1]!;
    }
    if (present < 30) continue;
    if (present === order.length || (weight > 0 && ratio / weight < 0.03 && !standOut(list, allowed))) return letter;
  }
  return "P";
}

/**
 * Whether forbidden reflections are above five times their noise, in a share of at least 3 % and a twentieth of that of the allowed ones. The σ of a list may be too
 * small: it counts with the factor that makes the median of |I|/σ of the forbidden ones that of a normal distribution.
 */
function standOut(list: ReflectionList, allowed: (h: number, k: number, l: number) => boolean): boolean {
  const ratios: [number[], number[]] = [[], []];
  for (let i = 0; i < list.size; i++) {
    const r = list.intensity[i]! / list.sigma[i]!;
    if (Number.isFinite(r)) ratios[allowed(list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!) ? 0 : 1].push(r);
  }
  const [kept, forbidden] = ratios;
  if (forbidden.length < 10) return false;
  const noise = Math.max(1, median(Float64Array.from(forbidden, Math.abs)) / 0.6745);
  const share = (x: readonly number[]): number => x.filter((r) => r > 5 * noise).length / x.length;
  return share(forbidden) > Math.max(0.03, 0.05 * share(kept), 5 / forbidden.length);
}

/**
 * Whether reflections that a centred lattice forbids may yet be there: too weak to stand out, but alike in equivalents, as noise is not (a correlation above 0.15 and five times its s.u.). Multiple
 * scattering does not bring them; two elements that differ little, or a small distortion, do.
 * @param rotations - of the Laue group, on the axes of the list
 */
export function centringIsOpen(list: ReflectionList, letter: string, rotations: readonly Mat3[]): boolean {
  const allowed = conditions.find(([l]) => l === letter)?.[1];
  if (!allowed) return false;
  const orbits = new Map<string, number[]>();
  for (let i = 0; i < list.size; i++) {
    const [h, k, l] = [list.hkl[3 * i]!, list.hkl[3 * i + 1]!, list.hkl[3 * i + 2]!];
    if (allowed(h, k, l) || !Number.isFinite(list.intensity[i]!)) continue;
    const images = rotations.map((w) => [h * w[0] + k * w[3] + l * w[6], h * w[1] + k * w[4] + l * w[7], h * w[2] + k * w[5] + l * w[8]]);
    const key = images.flatMap((q) => [q.join(), q.map((x) => -x + 0).join()]).sort()[0]!;
    orbits.set(key, [...(orbits.get(key) ?? []), list.intensity[i]!]);
  }
  const pairs = [...orbits.values()].flatMap((v) => v.slice(1).map((x, i) => [v[i]!, x] as const));
  if (pairs.length < 30) return false;
  const mean = pairs.reduce((s, [x, y]) => s + x + y, 0) / (2 * pairs.length);
  let xy = 0,
    xx = 0;
  for (const [x, y] of pairs) {
    xy += (x - mean) * (y - mean);
    xx += ((x - mean) ** 2 + (y - mean) ** 2) / 2;
  }
  return xy > Math.max(0.15, 5 / Math.sqrt(pairs.length)) * xx;
}
