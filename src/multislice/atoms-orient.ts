import { fail } from "../core/errors.js";
import { compose, determinant, inverse, type Map3, transpose } from "../core/frames.js";
import { identity3, type Mat3 } from "../geometry/metric.js";
import { nearestRotation } from "../geometry/rotation-forms.js";
import { primitiveAxes } from "../geometry/space-groups-identify.js";
import type { Structure } from "../geometry/structure.js";
import { symmetricEigen } from "../numerics/eigen-symmetric.js";
import { matrix } from "../numerics/matrix.js";
import { type AtomModel, model } from "./atoms.js";
import { atomsFromStructure, rotateTensor, takeAtoms } from "./atoms-build.js";
import { type Triple, tripleOf } from "./vectors.js";

/** A crystal to cut from: a structure (its centring makes smaller boxes), or a unit cell of atoms. */
export type Crystal = Structure | AtomModel;

export interface OrientOptions {
  /**
   * What points to the electron source (along −z of the box): a lattice direction [u v w], the zone axis of the pattern, or the normal of
   * the planes (h k l). Planes always give an exact box; directions need a lattice plane normal to them.
   */
  readonly toSource: { readonly uvw: Triple } | { readonly hkl: Triple };
  /** What the box vector a (image +x) runs along: a lattice direction, or a plane normal. Default: the shortest vector. */
  readonly toRight?: { readonly uvw: Triple } | { readonly hkl: Triple } | undefined;
  /** Ask for b ⊥ a; skew boxes need no more work, but other programs want rectangles. Default false. */
  readonly orthogonal?: boolean | undefined;
  /** Largest strain that may be put on the crystal to close the box, e.g. 0.01. Default 1e-6: exact boxes only. */
  readonly maxStrain?: number | undefined;
  /** Longest a and b tried, Å. Default 60. */
  readonly maxLength?: number | undefined;
}
export interface OrientedAtoms {
  /** One period along the beam; `repeatAtoms` makes it thicker. */
  readonly atoms: AtomModel;
  /** Rows: a, b, c of the box on the axes of the crystal's cell (halves and thirds where it is centred). */
  readonly vectors: Mat3;
  /** Proper rotation from the crystal's box axes (`atomsFromStructure`) to this box. */
  readonly rotation: Map3;
  /** Strain put on the crystal, e11 e22 e33 e23 e13 e12 on the axes of the box; zero for an exact box. */
  readonly strain: readonly number[];
  /** Largest principal strain in size. */
  readonly maxStrain: number;
}

/** Atoms of one cell, its rows a b c, and the primitive axes (rows on those). */
export function crystalCell(crystal: Crystal): { readonly atoms: AtomModel; readonly rows: Mat3; readonly primitive: Mat3 } {
  const structure = "spaceGroup" in crystal ? crystal : undefined;
  const atoms = structure ? atomsFromStructure(structure) : (crystal as AtomModel);
  const primitive = structure ? (transpose(primitiveAxes(structure.spaceGroup.centring) as Map3) as unknown as Mat3) : identity3;
  return { atoms, rows: [...atoms.cell] as unknown as Mat3, primitive };
}
const vectorTimes = (v: Triple, m: Mat3): Triple => tripleOf((k) => v[0] * m[k as 0] + v[1] * m[(3 + k) as 3] + v[2] * m[(6 + k) as 6]);
const matTimes = (a: Mat3, b: Mat3): Mat3 => compose(a as Map3, b as Map3) as unknown as Mat3;
const dot = (p: Triple, q: Triple): number => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
const cross = (p: Triple, q: Triple): Triple => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
const length = (p: Triple): number => Math.hypot(p[0], p[1], p[2]);
const unit = (p: Triple): Triple => tripleOf((k) => p[k]! / length(p));

/** Cartesian unit vector of a lattice direction or a plane normal. @throws bad-value */
export function crystalDirection(rows: Mat3, d: { readonly uvw: Triple } | { readonly hkl: Triple }): Triple {
  const given = "uvw" in d ? d.uvw : d.hkl;
  if (given?.length !== 3 || !given.every(Number.isFinite) || !given.some((v) => v !== 0))
    fail("bad-value", { direction: given }, "a direction [u v w] or plane (h k l) is three numbers, not all zero");
  // Rows of cell⁻ᵀ are a*, b*, c*.
  return unit(vectorTimes(given, "uvw" in d ? rows : (transpose(inverse(rows as Map3)) as unknown as Mat3)));
}

/**
 * Rotation of a crystal so that one direction points to the source (−z of the box) and another along +x as far as it can, from the axes
 * of `atomsFromStructure`. For cutting with any orientation; periodic boxes come from {@link orientedAtoms}.
 */
export function crystalRotation(crystal: Crystal, toSource: OrientOptions["toSource"], toRight?: OrientOptions["toRight"]): Map3 {
  const { rows } = crystalCell(crystal);
  const s = crystalDirection(rows, toSource);
  const z: Triple = [-s[0], -s[1], -s[2]];
  const axes = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const; // biome-ignore format: a table
  const right = toRight ? crystalDirection(rows, toRight) : axes.find((x) => Math.abs(dot(x, z)) < 0.8)!;
  const y = cross(z, right);
  if (!(length(y) > 1e-9)) fail("bad-value", { toSource, toRight }, "toRight must not lie along toSource");
  const v = unit(y),
    u = cross(v, z);
  return [u[0], u[1], u[2], v[0], v[1], v[2], z[0], z[1], z[2]];
}

interface LatticeVector {
  readonly r: Triple;
  /** Integers on the primitive axes. */
  readonly m: Triple;
  readonly size: number;
}
/** Lattice vectors up to a length whose slope against the plane normal to n is at most `slope`; one of each ± pair, shortest first. */
function nearPlane(primitive: Mat3, n: Triple, slope: number, maxLength: number): LatticeVector[] {
  const inv = inverse(primitive as Map3); // columns are the reciprocal vectors: |m_i| <= |r|·|a*_i|
  const reach = tripleOf((k) => Math.floor(maxLength * Math.hypot(inv[k as 0], inv[(3 + k) as 3], inv[(6 + k) as 6])));
  const out: LatticeVector[] = [];
  for (let i = 0; i <= reach[0]; i++)
    for (let j = i === 0 ? 0 : -reach[1]; j <= reach[1]; j++)
      for (let k = i === 0 && j === 0 ? 1 : -reach[2]; k <= reach[2]; k++) {
        const m: Triple = [i, j, k],
          r = vectorTimes(m, primitive),
          size = length(r);
        if (size <= maxLength && Math.abs(dot(r, n)) <= slope * size) out.push({ r, m, size });
      }
  return out.sort((p, q) => p.size - q.size || p.m[0] - q.m[0] || p.m[1] - q.m[1] || p.m[2] - q.m[2]);
}

/** Coprime integers along a direction of (nearly) rational components. */
function integers(v: Triple): Triple | undefined {
  for (let scale = 1; scale <= 48; scale++) {
    const w = tripleOf((k) => Math.round(v[k]! * scale));
    if (w.every((x, k) => Math.abs(x - v[k]! * scale) < 1e-6 * scale)) {
      const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
      const d = gcd(gcd(w[0], w[1]), w[2]);
      return d === 0 ? undefined : tripleOf((k) => w[k]! / d + 0);
    }
  }
  return undefined;
}

/** A box for two in-plane vectors and c: the target it is deformed to, and the strain. */
function boxOf(a: Triple, b: Triple, c: Triple, n: Triple, orthogonal: boolean, planes: boolean) {
  const flat = (v: Triple): Triple => tripleOf((k) => v[k]! - dot(v, n) * n[k]!);
  const pa = unit(flat(a)),
    y = cross(n, pa);
  // The lengths stay; a right angle is shared out between a and b.
  const gamma = Math.atan2(dot(flat(b), y), dot(flat(b), pa));
  const angle = orthogonal ? Math.PI / 2 : gamma;
  const la = length(a),
    lb = length(b);
  const source: Mat3 = [
    ...tripleOf((k) => dot(a, [pa, y, n][k]!)),
    ...tripleOf((k) => dot(b, [pa, y, n][k]!)),
    ...tripleOf((k) => dot(c, [pa, y, n][k]!)),
  ];
  const exact = (v: number): number => (Math.abs(v) < 1e-12 * (la + lb) ? 0 : v);
  const target: Mat3 = [
    la,
    0,
    0,
    exact(lb * Math.cos(angle)),
    lb * Math.sin(angle),
    0,
    planes ? exact(source[6]) : 0,
    planes ? exact(source[7]) : 0,
    planes ? source[8] : length(c),
  ];
  // Rows transform as t = s·Fᵀ.
  const f = transpose(compose(inverse(source as Map3), target as Map3)) as unknown as Mat3;
  const r = nearestRotation(f as Map3);
  const v = compose(f as Map3, transpose(r)); // left stretch: F = V R
  const e: Mat3 = v.map((x, i) => (i % 4 === 0 ? x - 1 : x)) as unknown as Mat3;
  const sym = e.map((x, i) => (x + e[(3 * (i % 3) + Math.floor(i / 3)) as 0]) / 2);
  const principal = symmetricEigen(matrix(3, 3, Float64Array.from(sym))).values;
  const frame: Map3 = [...pa, ...y, ...n] as unknown as Map3;
  return { target, e: sym, maxStrain: Math.max(...Array.from(principal, Math.abs)), rotation: compose(r, frame) as Map3 };
}

/**
 * The smallest periodic box of a crystal seen along a direction. Exact where the lattice allows it; else a strain up to `maxStrain` closes
 * it, and is reported. Positions keep their fractional coordinates, displacement tensors turn with the crystal.
 * @throws bad-value for a direction that is no lattice direction; not-found when no box is small enough and close enough, with the numbers to change
 */
export function orientedAtoms(crystal: Crystal, options: OrientOptions): OrientedAtoms {
  const found = tryOrient(crystal, options);
  if (found) return found;
  const { toSource, toRight, orthogonal = false, maxStrain = 1e-6, maxLength = 60 } = options;
  // The strain that would do, to name it.
  const wider = [0.003, 0.01, 0.03, 0.1].filter((v) => v > maxStrain).map((v) => tryOrient(crystal, { ...options, maxStrain: v })).find((b) => b !== undefined); // biome-ignore format: one chain
  return fail(
    "not-found",
    { toSource: JSON.stringify(toSource), toRight: JSON.stringify(toRight), orthogonal, maxStrain, maxLength },
    `no box closes within maxStrain ${maxStrain} and maxLength ${maxLength} Å: ${wider ? `maxStrain ${(1.01 * wider.maxStrain).toPrecision(2)} would do` : "allow more strain"}, or a greater maxLength, a skew box (orthogonal: false), or the view along a plane normal (toSource: { hkl })`,
  );
}

/** {@link orientedAtoms}, or undefined when no box closes. */
export function tryOrient(crystal: Crystal, options: OrientOptions): OrientedAtoms | undefined {
  const { toSource, toRight, orthogonal = false, maxStrain = 1e-6, maxLength = 60 } = options;
  if (!(maxStrain >= 0 && maxStrain < 0.3)) fail("bad-value", { maxStrain }, "maxStrain is a small number such as 0.01 (1 %)");
  if (!(maxLength > 0 && maxLength <= 500)) fail("bad-value", { maxLength }, "maxLength is a length in Å up to 500");
  const { atoms, rows, primitive: onCell } = crystalCell(crystal);
  const primitive = matTimes(onCell, rows);
  const planes = "hkl" in toSource;
  const s = crystalDirection(rows, toSource);
  const n: Triple = [-s[0], -s[1], -s[2]];
  const inv = inverse(onCell as Map3) as unknown as Mat3;
  const slack = Math.max(maxStrain, 1e-9);
  // Shear strain is half of the slope.
  const candidates = nearPlane(primitive, n, planes ? 1e-9 : 2.2 * slack, maxLength);
  const c = planes ? acrossPlanes(primitive, onCell, toSource.hkl, n, candidates) : alongBeam(primitive, inv, toSource.uvw);
  const right = toRight && crystalDirection(rows, toRight);
  const first = right
    ? candidates.flatMap((v) => {
        const along = dot(v.r, right),
          off = length(cross(v.r, right));
        return off <= (2.2 * slack + 1e-9) * v.size ? [along >= 0 ? v : { ...v, r: minus(v.r), m: minus(v.m) }] : [];
      })
    : candidates;
  const best = search(first, candidates, c, n, { orthogonal, planes, maxStrain, toRight: right !== undefined });
  if (!best) return undefined;
  const source: Mat3 = [...best.a.r, ...best.b.r, ...c.r];
  const vectors = matTimes([...best.a.m, ...best.b.m, ...c.m], onCell);
  return {
    atoms: fill(atoms, rows, source, best.box.target, best.box.rotation),
    vectors,
    rotation: best.box.rotation,
    strain: [0, 4, 8, 5, 2, 1].map((k) => (Math.abs(best.box.e[k]!) < 1e-12 ? 0 : best.box.e[k]!)),
    maxStrain: best.box.maxStrain < 1e-12 ? 0 : best.box.maxStrain,
  };
}
const minus = (v: Triple): Triple => tripleOf((k) => -v[k]! + 0);

/** The shortest lattice vector antiparallel to [u v w]: downstream. */
function alongBeam(primitive: Mat3, inv: Mat3, uvw: Triple): LatticeVector {
  const m = integers(vectorTimes(uvw, inv));
  if (!m)
    return fail(
      "bad-value",
      { uvw },
      "[u v w] must be a lattice direction of whole numbers; for any other, cut a slab with crystalRotation",
    );
  const down = minus(m),
    r = vectorTimes(down, primitive);
  return { r, m: down, size: length(r) };
}

/** A lattice vector to the next plane downstream that leans least. */
function acrossPlanes(primitive: Mat3, onCell: Mat3, hkl: Triple, n: Triple, inPlane: readonly LatticeVector[]): LatticeVector {
  // Indices on the primitive axes: h' = onCell·h.
  const h = integers(
    tripleOf((k) => onCell[(3 * k) as 0] * hkl[0] + onCell[(3 * k + 1) as 1] * hkl[1] + onCell[(3 * k + 2) as 2] * hkl[2]),
  );
  if (!h) return fail("bad-value", { hkl }, "(h k l) must be whole numbers");
  const spacing = 1 / length(vectorTimes(h, transpose(inverse(primitive as Map3)) as unknown as Mat3));
  const reach = spacing + (inPlane[0]?.size ?? 10) + (inPlane[1]?.size ?? 10);
  let best: LatticeVector | undefined;
  for (let limit = reach; !best && limit < 64 * reach; limit *= 2)
    for (const v of nearPlane(primitive, n, 1, limit)) {
      const step = v.m[0] * h[0] + v.m[1] * h[1] + v.m[2] * h[2];
      if (Math.abs(step) !== 1 || (best && v.size >= best.size - 1e-9)) continue;
      best = dot(v.r, n) > 0 ? v : { r: minus(v.r), m: minus(v.m), size: v.size };
    }
  return best ?? fail("not-found", { hkl }, "no lattice vector to the next plane was found; use smaller indices");
}

function search(
  first: readonly LatticeVector[],
  second: readonly LatticeVector[],
  c: LatticeVector,
  n: Triple,
  o: { readonly orthogonal: boolean; readonly planes: boolean; readonly maxStrain: number; readonly toRight: boolean },
) {
  let best: { a: LatticeVector; b: LatticeVector; box: ReturnType<typeof boxOf>; area: number } | undefined;
  const least = second[0]?.size ?? 0;
  for (const a of first) {
    if (best && a.size * least * 0.5 > best.area * (1 + 1e-9)) break;
    for (const v of second) {
      if (!o.toRight && v.size < a.size - 1e-9) continue; // a is the shorter
      // A reduced pair has sin γ >= √3/2, up to the strain.
      if (best && a.size * v.size * (o.orthogonal ? 0.9 : o.toRight ? 0.2 : 0.8) > best.area * (1 + 1e-9)) break;
      const normal = dot(cross(a.r, v.r), n);
      const area = Math.abs(normal);
      if (area < 1e-6 * a.size * v.size || (best && area >= best.area * (1 - 1e-9))) {
        // Equal areas: the squarer angle wins.
        if (!best || area > best.area * (1 + 1e-9) || area < 1e-6 * a.size * v.size) continue;
        const now = Math.abs(dot(a.r, v.r)) + a.size + v.size,
          was = Math.abs(dot(best.a.r, best.b.r)) + best.a.size + best.b.size;
        if (now >= was - 1e-9) continue;
      }
      if (o.orthogonal && Math.abs(dot(a.r, v.r)) > (2.2 * o.maxStrain + 1e-9) * a.size * v.size) continue;
      const b = normal > 0 ? v : { r: minus(v.r), m: minus(v.m), size: v.size };
      const box = boxOf(a.r, b.r, c.r, n, o.orthogonal, o.planes);
      if (box.maxStrain > o.maxStrain + 1e-9) continue;
      best = { a, b, box, area };
    }
  }
  return best;
}

/** Atoms of the crystal whose fractional coordinates in the supercell lie in [0, 1)³, put into the target box. */
function fill(unitCell: AtomModel, rows: Mat3, source: Mat3, target: Mat3, rotation: Map3): AtomModel {
  const toFraction = inverse(source as Map3) as unknown as Mat3;
  const onRows = matTimes(source, inverse(rows as Map3) as unknown as Mat3);
  const low = [0, 0, 0],
    high = [0, 0, 0];
  for (let corner = 0; corner < 8; corner++)
    for (let k = 0; k < 3; k++) {
      const v = (corner & 1) * onRows[k as 0] + ((corner >> 1) & 1) * onRows[(3 + k) as 3] + ((corner >> 2) & 1) * onRows[(6 + k) as 6];
      low[k] = Math.min(low[k]!, v);
      high[k] = Math.max(high[k]!, v);
    }
  const n = unitCell.atomicNumbers.length;
  const base = Array.from({ length: n }, (_, i) =>
    vectorTimes([...unitCell.positions.subarray(3 * i, 3 * i + 3)] as unknown as Triple, inverse(rows as Map3) as unknown as Mat3),
  );
  const index: number[] = [],
    place: number[] = [];
  const eps = 1e-7;
  for (let i = Math.floor(low[0]!) - 1; i <= Math.ceil(high[0]!); i++)
    for (let j = Math.floor(low[1]!) - 1; j <= Math.ceil(high[1]!); j++)
      for (let k = Math.floor(low[2]!) - 1; k <= Math.ceil(high[2]!); k++)
        for (let atom = 0; atom < n; atom++) {
          const x = base[atom]!;
          // The unit cell's atoms folded into it first, so that the range above reaches them all.
          const r = vectorTimes([x[0] - Math.floor(x[0]) + i, x[1] - Math.floor(x[1]) + j, x[2] - Math.floor(x[2]) + k], rows);
          const f = vectorTimes(r, toFraction);
          if (f.every((v) => v >= -eps && v < 1 - eps)) {
            index.push(atom);
            place.push(
              ...vectorTimes(
                tripleOf((q) => Math.max(0, f[q]!)),
                target,
              ),
            );
          }
        }
  const expected = n * Math.abs(determinant(onRows as Map3));
  if (Math.abs(index.length - expected) > 1e-3)
    fail("bad-value", { found: index.length, expected }, "atoms lie on each other or the cell is not the crystal's: check the positions");
  const taken = takeAtoms({ ...unitCell, cell: Float64Array.from(target) }, index);
  const displacement = taken.displacement?.slice();
  if (displacement) for (let i = 0; i < index.length; i++) rotateTensor(taken.displacement!, 6 * i, rotation, displacement, 6 * i);
  return model({ ...taken, cell: Float64Array.from(target), positions: Float64Array.from(place), displacement });
}
