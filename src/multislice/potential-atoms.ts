import type { AtomModel } from "./atoms.js";
import type { Slices } from "./slicing.js";

/** Places of one kind of atom: fractions u, v on a and b, height z (Å) and occupancy w. */
export interface AtomPlaces {
  readonly u: Float64Array;
  readonly v: Float64Array;
  readonly z: Float64Array;
  readonly w: Float64Array;
}

export function atomPlaces(model: AtomModel, atoms: Int32Array): AtomPlaces {
  const c = model.cell,
    area = c[0]! * c[4]! - c[1]! * c[3]!,
    n = atoms.length;
  const u = new Float64Array(n),
    v = new Float64Array(n),
    z = new Float64Array(n),
    w = new Float64Array(n);
  atoms.forEach((a, j) => {
    const x = model.positions[3 * a]!,
      y = model.positions[3 * a + 1]!;
    u[j] = (x * c[4]! - y * c[3]!) / area;
    v[j] = (y * c[0]! - x * c[1]!) / area;
    z[j] = model.positions[3 * a + 2]!;
    w[j] = model.occupancy?.[a] ?? 1;
  });
  return { u, v, z, w };
}

/** Copies shifted by whole c, as far as they reach into the box; the box itself first. */
export function withImages(f: AtomPlaces, model: AtomModel, reach: number): AtomPlaces {
  const c = model.cell,
    height = c[8]!,
    area = c[0]! * c[4]! - c[1]! * c[3]!;
  const du = (c[6]! * c[4]! - c[7]! * c[3]!) / area,
    dv = (c[7]! * c[0]! - c[6]! * c[1]!) / area;
  const n = Math.ceil((reach + 1) / height);
  const out: { u: number[]; v: number[]; z: number[]; w: number[] } = { u: [], v: [], z: [], w: [] };
  for (const k of Array.from({ length: 2 * n + 1 }, (_, i) => (i % 2 ? -(i + 1) / 2 : i / 2)))
    for (let j = 0; j < f.z.length; j++) {
      const z = f.z[j]! + k * height;
      if (k !== 0 && (z < -reach || z > height + reach)) continue;
      out.u.push(f.u[j]! + k * du);
      out.v.push(f.v[j]! + k * dv);
      out.z.push(z);
      out.w.push(f.w[j]!);
    }
  return { u: Float64Array.from(out.u), v: Float64Array.from(out.v), z: Float64Array.from(out.z), w: Float64Array.from(out.w) };
}

/** Indices by slice; what has no slice (−1) is left out. */
export function bySlice(where: ArrayLike<number>, count: number): Int32Array[] {
  const lists = Array.from({ length: count }, (): number[] => []);
  for (let j = 0; j < where.length; j++) if (where[j]! >= 0) lists[where[j]!]!.push(j);
  return lists.map((l) => Int32Array.from(l));
}

/** Above this many atoms in reach a slice gets no key: sorting them costs more than it saves. */
const KEY_ATOMS = 2000;

/**
 * A name that slices with equal potentials share: thickness, and the places of their atoms in the plane to 10⁻⁷ of the cell. With `reach` (finite projection)
 * every atom counts whose potential reaches the slice, with its height to 10⁻⁷ Å.
 */
export function sliceKey(
  groups: readonly { readonly places: AtomPlaces; readonly home: readonly Int32Array[]; readonly reach?: number | undefined }[],
  i: number,
  cut: Slices,
): string | undefined {
  const [below, above] = [cut.bounds[i]!, cut.bounds[i + 1]!],
    text: string[] = [(above - below).toFixed(6)];
  const round = (x: number): number => Math.round((x - Math.floor(x)) * 1e7) % 1e7;
  for (const { places: g, home, reach } of groups) {
    const members: number[] = [];
    if (reach === undefined) members.push(...home[i]!.subarray(0, KEY_ATOMS + 1));
    else
      for (let m = 0; m < g.z.length && members.length <= KEY_ATOMS; m++)
        if (g.z[m]! > below - reach && g.z[m]! < above + reach) members.push(m);
    if (members.length > KEY_ATOMS) return undefined;
    const name = (m: number): string => {
      const flat = `${round(g.u[m]!)},${round(g.v[m]!)},${g.w[m]}`;
      return reach === undefined ? flat : `${flat},${Math.round((g.z[m]! - below) * 1e7)}`;
    };
    text.push(members.map(name).sort().join(";"));
  }
  return text.join("|");
}
