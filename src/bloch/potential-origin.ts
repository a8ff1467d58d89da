import type { Fractional } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";

/**
 * A centre of inversion of the structure, or undefined. Known to the space group where it has one; a structure listed atom by atom in P1 is
 * searched: the centre maps the rarest kind of atom onto itself, so it lies half-way between two of them (or on one).
 */
export function inversionCentre(s: Structure, tolerance = 1e-7): Fractional | undefined {
  const { spaceGroup } = s;
  if (spaceGroup.originAtInversion) return [0, 0, 0];
  const inversion = spaceGroup.ops.find(({ rotation: w }) => w.every((v, i) => v === (i % 4 === 0 ? -1 : 0)));
  if (inversion) return inversion.shift.map((t) => t / 48) as unknown as Fractional;
  const images = expandToP1(s, 1e-4);
  const kind = images.map(({ atom: i, uAniso }) => {
    const a = s.atoms[i]!;
    return [a.element, a.charge, a.occupancy, ...(uAniso ?? [a.uIso]).map((u) => u.toPrecision(9))].join(" ");
  });
  const groups = new Map<string, number[]>();
  kind.forEach((k, i) => {
    groups.set(k, [...(groups.get(k) ?? []), i]);
  });
  const rarest = [...groups.values()].sort((p, q) => p.length - q.length)[0];
  if (!rarest) return undefined;
  const first = images[rarest[0]!]!.xyz;
  for (const partner of rarest) {
    const mid = first.map((x, i) => (x + images[partner]!.xyz[i]!) / 2);
    for (let half = 0; half < 8; half++) {
      const c = mid.map((x, i) => x + ((half >> i) & 1) / 2);
      const maps = [...groups.values()].every((list) =>
        list.every((p) =>
          list.some((q) =>
            images[p]!.xyz.every((x, i) => {
              const d = 2 * c[i]! - x - images[q]!.xyz[i]!;
              return Math.abs(d - Math.round(d)) < tolerance;
            }),
          ),
        ),
      );
      if (maps) return c.map((x) => x - Math.floor(x)) as unknown as Fractional;
    }
  }
  return undefined;
}
