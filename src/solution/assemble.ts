import { type Fractional, metricTensor, quadratic } from "../geometry/metric.js";
import { type Atom, expandToP1, type Structure, structure } from "../geometry/structure.js";

/**
 * The same structure with every independent atom represented by the image nearest to those already placed: a molecule comes out in one piece, a framework without
 * scattered atoms. The first atom is placed in [0, 1)³; labels and order stay.
 */
export function assembled(s: Structure): Structure {
  if (s.atoms.length === 0) return s;
  const g = metricTensor(s.cell);
  const images: Fractional[][] = s.atoms.map(() => []);
  for (const i of expandToP1(s)) images[i.atom]!.push(i.xyz);
  const unit = (v: number): number => {
    const w = v - Math.floor(v);
    return w > 1 - 1e-7 ? 0 : w;
  };
  const placed: (Fractional | undefined)[] = s.atoms.map(() => undefined);
  const best = s.atoms.map(() => ({ d2: Number.POSITIVE_INFINITY, xyz: [0, 0, 0] as Fractional }));
  let next = 0;
  placed[0] = s.atoms[0]!.xyz.map(unit) as unknown as Fractional;
  for (let count = 1; count < s.atoms.length; count++) {
    // Only the atom placed last can have brought anything nearer.
    const anchor = placed[next]!;
    for (let k = 0; k < s.atoms.length; k++) {
      if (placed[k]) continue;
      for (const x of images[k]!) {
        const y = x.map((v, i) => v - Math.round(v - anchor[i as 0])) as unknown as Fractional;
        const d2 = quadratic(g, [y[0] - anchor[0], y[1] - anchor[1], y[2] - anchor[2]]);
        if (d2 < best[k]!.d2 - 1e-9) best[k] = { d2, xyz: y };
      }
    }
    next = best.reduce((at, b, k) => (!placed[k] && (at < 0 || b.d2 < best[at]!.d2) ? k : at), -1);
    placed[next] = best[next]!.xyz;
  }
  return structure(
    s.cell,
    s.spaceGroup,
    s.atoms.map((a, k): Atom => ({ ...a, xyz: placed[k]! })),
    s.cellSu,
  );
}
