import { determinant, inverse, type Map3 } from "../core/frames.js";
import { orderOps } from "./hall.js";
import { type Fractional, identity3, type Mat3, multiply3, quadratic, transformMetric } from "./metric.js";
import { column, fromColumns, primitiveVector } from "./reduction.js";
import { groupFromOps, groupKey, type SpaceGroup, spaceGroupByHallNumber, spaceGroupFromOps, spaceGroupTable } from "./space-groups.js";
import { solveModulo1 } from "./space-groups-origin.js";
import { rotationType } from "./symmetry.js";
import { reducedOp, rotateVector, type SymOp } from "./symop.js";

type V = readonly [number, number, number];
export interface IdentifiedGroup {
  /** The tabulated setting. */
  readonly group: SpaceGroup;
  /** (a b c)tabulated = (a b c)input · basis. */
  readonly basis: Mat3;
  /** x(tabulated) = basis⁻¹ · x(input) + shift. */
  readonly shift: Fractional;
  /** True when the input is the tabulated setting itself: basis 1, shift 0. */
  readonly exact: boolean;
}

/** Operations on new axes and origin: x' = P⁻¹ x + v. Undefined when P does not suit the lattice (translations off the 1/24 grid or rotations not integer). */
export function transformOps(ops: readonly SymOp[], p: Mat3, v: Fractional): readonly SymOp[] | undefined {
  const q = inverse(p as Map3) as Mat3;
  const out: SymOp[] = [];
  for (const op of ops) {
    const rotation = multiply3(multiply3(q, op.rotation), p).map((x) =>
      Math.abs(x - Math.round(x)) < 1e-6 ? Math.round(x) + 0 : Number.NaN,
    ) as unknown as Mat3;
    const w = rotateVector(q, op.shift),
      r = rotateVector(rotation, v);
    const shift = w.map((x, i) => {
      const t = x + 24 * (v[i]! - r[i]!);
      return Math.abs(t - Math.round(t)) < 1e-4 ? Math.round(t) : Number.NaN;
    }) as unknown as V;
    if (rotation.some(Number.isNaN) || shift.some(Number.isNaN)) return undefined;
    out.push(reducedOp({ rotation, shift }));
  }
  // A smaller or larger cell has fewer or more centring translations: add the lattice vectors of the old axes, drop repeats.
  const lattice = ([0, 1, 2] as const).map((k) => column(q, k).map((x) => Math.round(24 * x)) as unknown as V);
  const shifts = new Map<string, V>([["0,0,0", [0, 0, 0]]]);
  const queue: V[] = [[0, 0, 0]];
  for (let s = queue.pop(); s; s = queue.pop())
    for (const l of lattice) {
      const t = [0, 1, 2].map((i) => (((s![i]! + l[i]!) % 24) + 24) % 24) as unknown as V;
      if (!shifts.has(t.join())) {
        shifts.set(t.join(), t);
        queue.push(t);
      }
    }
  const all = [...shifts.values()].flatMap((s) =>
    out.map((op) => reducedOp({ rotation: op.rotation, shift: [op.shift[0] + s[0], op.shift[1] + s[1], op.shift[2] + s[2]] })),
  );
  return orderOps([...new Map(all.map((op) => [groupKey([op]), op])).values()]);
}

/**
 * Type and change of basis for operations in any setting: the tabulated group, axes and origin that turn into it. Axes are read from the
 * rotations (as for lattices), every tabulated setting of the same class and centring is compared, and the origin solves
 * (1 − W) v ≡ w' − w (mod 1) for all operations at once by the Smith normal form.
 * @returns undefined when nothing fits: a supercell list, or an origin so odd that translations leave the 1/24 grid on the new axes
 */
export function identifySpaceGroup(ops: readonly SymOp[]): IdentifiedGroup | undefined {
  const known = spaceGroupFromOps(ops);
  if (known.number > 0) return { group: known, basis: identity3, shift: [0, 0, 0], exact: true };
  const own = groupFromOps(ops);
  const table = spaceGroupTable();
  for (const p of trialAxes(own)) {
    const moved = transformOps(own.ops, p, [0, 0, 0]);
    if (!moved) continue;
    const group = groupFromOps(moved);
    for (const line of table) {
      if (line.hall.replace("-", "")[0] !== group.centring) continue;
      const candidate = spaceGroupByHallNumber(line.hallNumber);
      if (candidate.pointGroup !== group.pointGroup || candidate.ops.length !== group.ops.length) continue;
      const shift = originShift(group, candidate);
      if (!shift) continue;
      const check = transformOps(own.ops, p, shift);
      if (check && groupKey(check) === groupKey(candidate.ops)) return { group: candidate, basis: p, shift, exact: false };
    }
  }
  return undefined;
}

/** v with w + v − W v ≡ w' modulo the lattice, for groups with the same rotations; undefined when there is none. */
function originShift(from: SpaceGroup, to: SpaceGroup): Fractional | undefined {
  const primitive = primitiveAxes(to.centring);
  const q = inverse(primitive as Map3) as Mat3;
  const target = new Map(to.ops.slice(0, to.primitiveOrder).map((op) => [op.rotation.join(), op]));
  const rows: number[][] = [],
    right: number[] = [];
  for (const op of from.ops.slice(0, from.primitiveOrder)) {
    const twin = target.get(op.rotation.join());
    if (!twin) return undefined;
    const w = multiply3(multiply3(q, op.rotation), primitive).map((x) => Math.round(x));
    const d = rotateVector(q, [twin.shift[0] - op.shift[0], twin.shift[1] - op.shift[1], twin.shift[2] - op.shift[2]]);
    for (let i = 0; i < 3; i++) {
      rows.push([
        identity3[(3 * i) as 0] - w[3 * i]!,
        identity3[(3 * i + 1) as 0] - w[3 * i + 1]!,
        identity3[(3 * i + 2) as 0] - w[3 * i + 2]!,
      ]);
      right.push(d[i]! / 24);
    }
  }
  const v = solveModulo1(rows, right);
  return v && rotateVector(primitive, v as unknown as V);
}

/** Primitive axes of a lattice letter, columns on the conventional axes. */
export function primitiveAxes(letter: string): Mat3 {
  const half = 0.5,
    third = 1 / 3;
  switch (letter) {
    case "A":
      return [1, 0, 0, 0, half, -half, 0, half, half];
    case "B":
      return [half, 0, -half, 0, 1, 0, half, 0, half];
    case "C":
      return [half, -half, 0, half, half, 0, 0, 0, 1];
    case "I":
      return [-half, half, half, half, -half, half, half, half, -half];
    case "F":
      return [0, half, half, half, 0, half, half, half, 0];
    case "R":
      return [2 * third, -third, -third, third, third, -2 * third, third, third, third];
    default:
      return identity3;
  }
}

/** Conventional axes suggested by the rotations, on the input axes; several where the choice is free. */
function trialAxes(group: SpaceGroup): Mat3[] {
  const proper = group.ops
    .slice(0, group.primitiveOrder)
    .map((op) => (determinant(op.rotation) < 0 ? (op.rotation.map((x) => -x) as unknown as Mat3) : op.rotation));
  const rotations = [...new Map(proper.map((w) => [w.join(), w])).values()];
  // Any metric that the group keeps will do to compare lengths inside one symmetry direction.
  const metric = rotations.map((w) => transformMetric(identity3, w)).reduce((s, m) => s.map((x, i) => x + m[i]!) as unknown as Mat3);
  const lattice = latticeVectors(group);
  const along = (w: Mat3): V[] =>
    shortest(
      lattice.filter((v) => rotateVector(w, v).every((x, i) => Math.abs(x - v[i]!) < 1e-6)),
      metric,
    );
  const across = (w: Mat3): V[] => {
    const order = Math.abs(rotationType(w));
    let sum: Mat3 = identity3,
      p = w;
    for (let k = 1; k < order; k++) {
      sum = sum.map((x, i) => x + p[i]!) as unknown as Mat3;
      p = multiply3(p, w);
    }
    return shortest(
      lattice.filter((v) => rotateVector(sum, v).every((x) => Math.abs(x) < 1e-6)),
      metric,
    );
  };
  const axis = (n: number): V[] => {
    const list = rotations.filter((w) => Math.abs(rotationType(w)) === n).map((w) => along(w)[0]!);
    return [...new Map(list.map((v) => [primitiveVector(v.map((x) => Math.round(24 * x)) as unknown as V).join(), v])).values()];
  };
  const hand = (a: V, b: V, c: V): Mat3 => {
    const m = fromColumns(a, b, c);
    return determinant(m) < 0 ? fromColumns(a, b, [-c[0], -c[1], -c[2]]) : m;
  };
  const permutations = (a: V, b: V, c: V): Mat3[] => [
    hand(a, b, c),
    hand(b, c, a),
    hand(c, a, b),
    hand(b, a, c),
    hand(a, c, b),
    hand(c, b, a),
  ];
  const find = (n: number): Mat3 => rotations.find((w) => Math.abs(rotationType(w)) === n)!;
  switch (group.system) {
    case "triclinic": {
      const [a, b, c] = basisOf(lattice, metric);
      return [hand(a, b, c)];
    }
    case "monoclinic": {
      const w = find(2),
        b = along(w)[0]!;
      const plane = across(w);
      const e1 = plane[0]!,
        e2 = plane.find((v) => Math.abs(determinant(fromColumns(e1, b, v))) > 1e-6)!;
      const e3 = [-e1[0] - e2[0], -e1[1] - e2[1], -e1[2] - e2[2]] as const;
      return [
        [e1, e2],
        [e2, e3],
        [e3, e1],
        [e2, e1],
        [e3, e2],
        [e1, e3],
      ].map(([a, c]) => {
        const m = fromColumns(a!, b, c!);
        return determinant(m) < 0 ? fromColumns(a!, [-b[0], -b[1], -b[2]], c!) : m;
      });
    }
    case "orthorhombic": {
      const [a, b, c] = axis(2) as [V, V, V];
      return permutations(a, b, c);
    }
    case "cubic": {
      const list = axis(4).length === 3 ? axis(4) : axis(2);
      return permutations(list[0]!, list[1]!, list[2]!);
    }
    default: {
      const n = group.system === "tetragonal" ? 4 : 3;
      const w = find(n),
        c = along(w)[0]!;
      const plane = across(w);
      const out: Mat3[] = [];
      for (const a of plane.slice(0, 18)) {
        const b = rotateVector(w, a);
        const b2 = n === 3 && determinant(fromColumns(a, b, c)) < 0 ? rotateVector(w, b) : b;
        const m =
          n === 3
            ? fromColumns(a, b2, c)
            : determinant(fromColumns(a, b, c)) < 0
              ? fromColumns(a, [-b[0], -b[1], -b[2]], c)
              : fromColumns(a, b, c);
        // The same axes with c reversed, and the obverse/reverse turn of a rhombohedral lattice.
        out.push(m, multiply3(m, [0, 1, 0, 1, 0, 0, 0, 0, -1]), multiply3(m, [-1, 0, 0, 0, -1, 0, 0, 0, 1]));
      }
      return out;
    }
  }
}

const shortest = (vs: readonly V[], g: Mat3): V[] =>
  [...vs].sort((p, q) => Math.round((quadratic(g, p) - quadratic(g, q)) * 1e6) || (p.join() < q.join() ? 1 : -1));
/** Lattice vectors of a group, centring included, in a few cells. */
function latticeVectors(group: SpaceGroup): V[] {
  const out: V[] = [];
  const cell = group.ops.filter((op) => op.rotation.every((x, i) => x === identity3[i])).map((op) => op.shift);
  for (let i = -3; i <= 3; i++)
    for (let j = -3; j <= 3; j++)
      for (let k = -3; k <= 3; k++)
        for (const s of cell) if (i || j || k || s.some((x) => x !== 0)) out.push([i + s[0] / 24, j + s[1] / 24, k + s[2] / 24]);
  return out;
}
/** Three short vectors that span the lattice. */
function basisOf(lattice: readonly V[], metric: Mat3): [V, V, V] {
  const sorted = shortest(lattice, metric).slice(0, 120);
  const volumes = sorted.flatMap((a, i) =>
    sorted.slice(i + 1, i + 12).flatMap((b) => sorted.slice(0, 40).map((c) => Math.abs(determinant(fromColumns(a, b, c))))),
  );
  const least = Math.min(...volumes.filter((v) => v > 1e-6));
  for (const a of sorted)
    for (const b of sorted)
      for (const c of sorted) if (Math.abs(Math.abs(determinant(fromColumns(a, b, c))) - least) < 1e-6) return [a, b, c];
  return [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
}
