import { fail } from "../core/errors.js";
import { determinant } from "../core/frames.js";
import { type Fractional, type Hkl, identity3, type Mat3, multiply3 } from "./metric.js";

type V = readonly [number, number, number];
/** Translations are integers in this fraction of a cell edge: every space-group translation is a multiple of 1/24. */
export const translationDenominator = 24;
const D = translationDenominator;

/** Symmetry operation x' = W x + w: W integer, w in 24ths of the cell edges. On indices h' = h W with phase exp(−2πi h·w). */
export interface SymOp {
  readonly rotation: Mat3;
  /** Translation in 24ths; not reduced unless a function says so. */
  readonly shift: V;
}

export const identityOp: SymOp = { rotation: identity3, shift: [0, 0, 0] };

const wrap = (n: number): number => ((n % D) + D) % D;
/** W·v. */
export function rotateVector(w: Mat3, v: V): V {
  return [w[0] * v[0] + w[1] * v[1] + w[2] * v[2], w[3] * v[0] + w[4] * v[1] + w[5] * v[2], w[6] * v[0] + w[7] * v[1] + w[8] * v[2]];
}
/** The operation with its translation in [0, 1). */
export function reducedOp(op: SymOp): SymOp {
  return { rotation: op.rotation, shift: [wrap(op.shift[0]), wrap(op.shift[1]), wrap(op.shift[2])] };
}
/** a ∘ b: first b, then a. */
export function multiplyOps(a: SymOp, b: SymOp): SymOp {
  const s = rotateVector(a.rotation, b.shift);
  return { rotation: multiply3(a.rotation, b.rotation), shift: [s[0] + a.shift[0], s[1] + a.shift[1], s[2] + a.shift[2]] };
}
export function inverseOp(op: SymOp): SymOp {
  const m = op.rotation,
    det = determinant(m);
  const cof = (i: number, j: number, k: number, l: number): number => (m[i as 0] * m[l as 0] - m[j as 0] * m[k as 0]) * det + 0;
  const rotation: Mat3 = [
    cof(4, 5, 7, 8),
    -cof(1, 2, 7, 8) + 0,
    cof(1, 2, 4, 5),
    -cof(3, 5, 6, 8) + 0,
    cof(0, 2, 6, 8),
    -cof(0, 2, 3, 5) + 0,
    cof(3, 4, 6, 7),
    -cof(0, 1, 6, 7) + 0,
    cof(0, 1, 3, 4),
  ];
  const s = rotateVector(rotation, op.shift);
  return { rotation, shift: [-s[0] + 0, -s[1] + 0, -s[2] + 0] };
}
/** x' = W x + w. */
export function applyOp(op: SymOp, x: Fractional): Fractional {
  const r = rotateVector(op.rotation, x);
  return [r[0] + op.shift[0] / D, r[1] + op.shift[1] / D, r[2] + op.shift[2] / D];
}
/** h' = h W (row vector): the index equivalent to h under the operation. */
export function applyOpToHkl(op: SymOp, h: Hkl): Hkl {
  const w = op.rotation;
  return [
    h[0] * w[0] + h[1] * w[3] + h[2] * w[6] + 0,
    h[0] * w[1] + h[1] * w[4] + h[2] * w[7] + 0,
    h[0] * w[2] + h[1] * w[5] + h[2] * w[8] + 0,
  ]; // + 0: no −0
}
/** One string per operation, equal exactly when the operations are equal modulo lattice translations. */
export function opKey(op: SymOp): string {
  return `${op.rotation.join()};${wrap(op.shift[0])},${wrap(op.shift[1])},${wrap(op.shift[2])}`;
}

/** Rational 24ths of a decimal or fraction; NaN when it is no multiple of 1/24 within 0.002. */
function shift24(value: number): number {
  const n = Math.round(value * D);
  return Math.abs(value * D - n) < 0.05 ? n : Number.NaN;
}

/**
 * Parse "x,y,z" notation: "-x+1/2, y, 1/2-z", "X-Y,X,Z+1/6", decimals, and any order of terms.
 * @throws bad-file for anything else; unsupported for translations that are not multiples of 1/24
 */
export function parseOp(text: string): SymOp {
  const parts = text
    .replace(/['"\s]/g, "")
    .toLowerCase()
    .split(",");
  const bad = (): never => fail("bad-file", { operator: text }, 'a symmetry operator reads like "-x,y+1/2,-z+1/2"');
  if (parts.length !== 3 || text.length > 200) bad();
  const rotation = new Array<number>(9).fill(0);
  const shift = [0, 0, 0];
  for (const [row, part] of parts.entries()) {
    const term = /([+-]?)(?:(\d+)\*?(?=[xyz]))?([xyz])|([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:\/(\d+))?/gy;
    let at = 0;
    while (at < part.length) {
      term.lastIndex = at;
      const m = term.exec(part);
      if (!m) return bad();
      at = term.lastIndex;
      if (m[3]) rotation[3 * row + "xyz".indexOf(m[3])]! += (m[1] === "-" ? -1 : 1) * Number(m[2] ?? 1);
      else shift[row]! += ((m[4] === "-" ? -1 : 1) * Number(m[5])) / Number(m[6] ?? 1);
    }
    if (part === "") bad();
  }
  const op: SymOp = { rotation: rotation as unknown as Mat3, shift: shift.map(shift24) as unknown as V };
  if (op.shift.some(Number.isNaN)) fail("unsupported", { operator: text }, "translations must be multiples of 1/24");
  if (Math.abs(determinant(op.rotation)) !== 1) bad();
  return op;
}

/** "-x+1/2,y,-z" with the translation as given (call {@link reducedOp} first to bring it into [0, 1)). */
export function formatOp(op: SymOp): string {
  return [0, 1, 2]
    .map((row) => {
      let s = "";
      for (let k = 0; k < 3; k++) {
        const n = op.rotation[(3 * row + k) as 0];
        if (n !== 0) s += `${n < 0 ? "-" : s ? "+" : ""}${Math.abs(n) === 1 ? "" : `${Math.abs(n)}*`}${"xyz"[k]}`;
      }
      const t = op.shift[row as 0];
      return t === 0 ? s || "0" : s + (t < 0 ? "-" : s ? "+" : "") + fraction(Math.abs(t), D);
    })
    .join(",");
}

/** p/q in lowest terms; integers without a denominator. */
export function fraction(p: number, q: number): string {
  let a = p,
    b = q;
  while (b) [a, b] = [b, a % b];
  return q / a === 1 ? String(p / a) : `${p / a}/${q / a}`;
}

/** Products of operations with their lattice translations kept; undefined when there are more than `limit` (no finite stabiliser). */
export function closeGroupExact(generators: readonly SymOp[], limit: number): SymOp[] | undefined {
  const key = (op: SymOp): string => `${op.rotation.join()};${op.shift.join()}`;
  const group: SymOp[] = [identityOp];
  const seen = new Set([key(identityOp)]);
  for (let i = 0; i < group.length; i++)
    for (const g of generators) {
      const p = multiplyOps(g, group[i]!);
      if (seen.has(key(p))) continue;
      if (group.length >= limit) return undefined;
      seen.add(key(p));
      group.push(p);
    }
  return group;
}
