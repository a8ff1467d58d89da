import { element } from "./elements.js";
import { bilinear, type Fractional, metricTensor, quadratic } from "./metric.js";
import { siteSymmetry } from "./site-symmetry.js";
import type { Structure } from "./structure.js";
import { applyOp, reducedOp, type SymOp } from "./symop.js";

/** A neighbour of an independent atom. */
export interface Contact {
  /** The independent atom, index into `atoms`. */
  readonly from: number;
  /** Its neighbour is the image of this atom … */
  readonly to: number;
  /** … under this operation, lattice translation included. */
  readonly op: SymOp;
  readonly xyz: Fractional;
  /** Å. */
  readonly distance: number;
}
export interface ContactOptions {
  /** Longest distance, Å; by default the sum of the covalent radii plus `slack`. */
  readonly maxDistance?: number;
  /** Added to the sum of covalent radii, Å; 0.4 is customary. */
  readonly slack?: number;
  /** Bonds between disorder groups of one assembly are left out unless this is set. */
  readonly acrossDisorder?: boolean;
}

/** Contacts of every independent atom, in the order of the atoms and of distance. */
export function contacts(s: Structure, { maxDistance, slack = 0.4, acrossDisorder = false }: ContactOptions = {}): readonly Contact[] {
  const g = metricTensor(s.cell);
  const sites = s.atoms.map((a) => siteSymmetry(s.spaceGroup, s.cell, a.xyz));
  const radius = s.atoms.map((a) => element(a.element)?.covalentRadius ?? Number.NaN).map((r) => (Number.isNaN(r) ? 1.5 : r));
  const out: Contact[] = [];
  s.atoms.forEach((a, from) => {
    const x = sites[from]!.xyz;
    const found: Contact[] = [];
    s.atoms.forEach((b, to) => {
      const limit = maxDistance ?? radius[from]! + radius[to]! + slack;
      const exclusive = a.disorder && b.disorder && a.disorder.assembly === b.disorder.assembly && a.disorder.group !== b.disorder.group;
      if (exclusive && !acrossDisorder) return;
      // Cells within the limit: |Δxᵢ| <= limit · a*ᵢ, and a*ᵢ = √(G⁻¹)ᵢᵢ.
      for (const index of sites[to]!.ops) {
        const op = reducedOp(s.spaceGroup.ops[index]!);
        const y = applyOp(op, sites[to]!.xyz);
        for (const t of translations(s, x, y, limit)) {
          const d = [y[0] + t[0] - x[0], y[1] + t[1] - x[1], y[2] + t[2] - x[2]] as const;
          const distance = Math.sqrt(quadratic(g, d));
          if (distance > limit || distance < 1e-3) continue;
          const shift = [op.shift[0] + 24 * t[0], op.shift[1] + 24 * t[1], op.shift[2] + 24 * t[2]] as const;
          found.push({ from, to, op: { rotation: op.rotation, shift }, xyz: [y[0] + t[0], y[1] + t[1], y[2] + t[2]], distance });
        }
      }
    });
    out.push(...found.sort((p, q) => p.distance - q.distance));
  });
  return out;
}

function translations(s: Structure, x: Fractional, y: Fractional, limit: number): [number, number, number][] {
  const { a, b, c, volume } = s.cell;
  const sin = (deg: number): number => Math.sin((deg * Math.PI) / 180);
  const star = [(b * c * sin(s.cell.alphaDeg)) / volume, (a * c * sin(s.cell.betaDeg)) / volume, (a * b * sin(s.cell.gammaDeg)) / volume];
  const range = [0, 1, 2].map((i) => {
    const reach = limit * star[i]!,
      d = x[i]! - y[i]!;
    return [Math.ceil(d - reach), Math.floor(d + reach)] as const;
  });
  const out: [number, number, number][] = [];
  for (let i = range[0]![0]; i <= range[0]![1]; i++)
    for (let j = range[1]![0]; j <= range[1]![1]; j++) for (let k = range[2]![0]; k <= range[2]![1]; k++) out.push([i, j, k]);
  return out;
}

/** Angle at the first atom of two of its contacts, degrees. */
export function contactAngleDeg(s: Structure, p: Contact, q: Contact): number {
  const g = metricTensor(s.cell);
  const x = siteSymmetry(s.spaceGroup, s.cell, s.atoms[p.from]!.xyz).xyz;
  const u = [p.xyz[0] - x[0], p.xyz[1] - x[1], p.xyz[2] - x[2]] as const,
    v = [q.xyz[0] - x[0], q.xyz[1] - x[1], q.xyz[2] - x[2]] as const;
  return (Math.acos(Math.max(-1, Math.min(1, bilinear(g, u, v) / (p.distance * q.distance)))) * 180) / Math.PI;
}
