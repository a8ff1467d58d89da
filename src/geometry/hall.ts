import { fail } from "../core/errors.js";
import { identity3, type Mat3 } from "./metric.js";
import { identityOp, inverseOp, multiplyOps, opKey, parseOp, reducedOp, type SymOp } from "./symop.js";

type V = readonly [number, number, number];

/** Centring vectors of a lattice letter, in 24ths, zero first. */
export const centringVectors: Readonly<Record<string, readonly V[]>> = {
  P: [[0, 0, 0]],
  A: [
    [0, 0, 0],
    [0, 12, 12],
  ],
  B: [
    [0, 0, 0],
    [12, 0, 12],
  ],
  C: [
    [0, 0, 0],
    [12, 12, 0],
  ],
  I: [
    [0, 0, 0],
    [12, 12, 12],
  ],
  F: [
    [0, 0, 0],
    [0, 12, 12],
    [12, 0, 12],
    [12, 12, 0],
  ],
  R: [
    [0, 0, 0],
    [16, 8, 8],
    [8, 16, 16],
  ],
  H: [
    [0, 0, 0],
    [16, 8, 0],
    [8, 16, 0],
  ],
  S: [
    [0, 0, 0],
    [8, 8, 16],
    [16, 16, 8],
  ],
  T: [
    [0, 0, 0],
    [8, 16, 8],
    [16, 8, 16],
  ],
};
const translations: Readonly<Record<string, V>> = {
  a: [12, 0, 0],
  b: [0, 12, 0],
  c: [0, 0, 12],
  n: [12, 12, 12],
  u: [6, 0, 0],
  v: [0, 6, 0],
  w: [0, 0, 6],
  d: [6, 6, 6],
};
const aboutZ: Readonly<Record<string, Mat3>> = {
  1: identity3,
  2: [-1, 0, 0, 0, -1, 0, 0, 0, 1],
  3: [0, -1, 0, 1, -1, 0, 0, 0, 1],
  4: [0, -1, 0, 1, 0, 0, 0, 0, 1],
  6: [1, -1, 0, 1, 0, 0, 0, 0, 1],
  "2'": [0, -1, 0, -1, 0, 0, 0, 0, -1],
  '2"': [0, 1, 0, 1, 0, 0, 0, 0, -1],
  "3*": [0, 0, 1, 1, 0, 0, 0, 1, 0],
};
/** The same matrix about x or y: the axes renamed cyclically. */
function turnAxes(m: Mat3, axis: number): Mat3 {
  const out = new Array<number>(9).fill(0);
  const to = (i: number): number => (i + axis + 1) % 3;
  for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) out[3 * to(i) + to(j)] = m[(3 * i + j) as 0];
  return out as unknown as Mat3;
}

/**
 * All operations of a space group from its Hall symbol, modulo lattice translations: identity first, then the coset representatives,
 * then their copies at each centring vector.
 * Grammar: S. R. Hall (1981) Acta Cryst. A37, 517; International Tables B, A1.4.2.3. JANA's ";" between the parts is accepted.
 * @throws bad-file with the part that cannot be read
 */
export function opsFromHall(symbol: string): readonly SymOp[] {
  const { lattice, generators, change } = parseHall(symbol);
  const shifts: SymOp[] = centringVectors[lattice]!.map((shift) => ({ rotation: identity3, shift }));
  const moved = [...shifts, ...generators].map((g) => (change ? multiplyOps(multiplyOps(change, g), inverseOp(change)) : g));
  return orderOps(closeGroup(moved));
}

/** The parts of a Hall symbol. */
function parseHall(symbol: string): { lattice: string; generators: SymOp[]; change: SymOp | undefined } {
  const bad = (part: string): never =>
    fail("bad-file", { hall: symbol, part }, 'a Hall symbol reads like "-P 2ybc" or "P 4 2 3 -1n" or "R 3 (0 0 1)"');
  const m = /^\s*(-?)([PABCIFRHST])([^()]*)(?:\(([^()]*)\))?\s*$/i.exec(symbol.replaceAll("_", " "));
  if (!m || symbol.length > 100) return bad(symbol);
  const generators: SymOp[] = [];
  if (m[1]) generators.push({ rotation: identity3.map((x) => -x + 0) as unknown as Mat3, shift: [0, 0, 0] });
  let firstOrder = 0,
    lastAxis = 2;
  const parts = m[3]!.split(/[\s;]+/).filter((p) => p !== "");
  for (const [index, part] of parts.entries()) {
    const g = /^(-?)([12346])(.*)$/.exec(part);
    if (!g) return bad(part);
    const order = Number(g[2]);
    let rest = g[3]!;
    const named = /[xyz'"*=]/.exec(rest)?.[0];
    if (named) rest = rest.replace(named, "");
    let axis: string = named === "=" ? '"' : (named ?? "");
    if (axis === "" && order > 1) {
      if (index === 0) axis = "z";
      else if (order === 2) axis = firstOrder === 3 || firstOrder === 6 ? "'" : "x";
      else if (order === 3) axis = "*";
      else axis = "z";
    }
    let rotation: Mat3;
    let along = 2;
    if (axis === "'" || axis === '"') rotation = turnAxes((order === 2 ? aboutZ[`2${axis}`] : undefined) ?? bad(part), lastAxis);
    else if (axis === "*") rotation = (order === 3 ? aboutZ["3*"] : undefined) ?? bad(part);
    else {
      along = axis === "" ? lastAxis : "xyz".indexOf(axis);
      rotation = turnAxes(aboutZ[order]!, along);
      if (order > 1) lastAxis = along;
    }
    if (g[1]) rotation = rotation.map((x) => -x + 0) as unknown as Mat3;
    const shift = [0, 0, 0];
    for (const ch of rest) {
      const t = translations[ch];
      if (t)
        t.forEach((x, i) => {
          shift[i]! += x;
        });
      else if (/[1-5]/.test(ch) && Number(ch) < order && "xyz".includes(axis)) shift[along]! += (24 * Number(ch)) / order;
      else bad(part);
    }
    if (index === 0) firstOrder = order;
    generators.push({ rotation, shift: shift as unknown as V });
  }
  let change: SymOp | undefined;
  if (m[4] !== undefined) {
    const numbers = m[4].trim().split(/\s+/).map(Number);
    if (m[4].includes(",")) change = parseOp(m[4]);
    else if (numbers.length === 3 && numbers.every(Number.isInteger))
      change = { rotation: identity3, shift: numbers.map((x) => 2 * x) as unknown as V };
    else bad(m[4]);
  }
  return { lattice: m[2]!.toUpperCase(), generators, change };
}

/** All products of the generators modulo lattice translations. @throws bad-file when they make more than 192 operations. */
export function closeGroup(generators: readonly SymOp[]): SymOp[] {
  const group: SymOp[] = [identityOp];
  const seen = new Set([opKey(identityOp)]);
  const useful = generators.map(reducedOp).filter((g) => opKey(g) !== opKey(identityOp));
  for (let i = 0; i < group.length; i++)
    for (const g of useful) {
      const p = reducedOp(multiplyOps(g, group[i]!));
      const key = opKey(p);
      if (seen.has(key)) continue;
      if (group.length >= 192 || p.rotation.some((x) => Math.abs(x) > 4))
        fail("bad-file", { operations: group.length }, "the operators do not form a space group (more than 192 operations)");
      seen.add(key);
      group.push(p);
    }
  return group;
}

/** Identity first; one representative per rotation (the least translation), then the copies at each centring vector. @throws bad-file without the identity */
export function orderOps(ops: readonly SymOp[]): readonly SymOp[] {
  const byRotation = new Map<string, SymOp[]>();
  for (const op of ops.map(reducedOp)) {
    const key = op.rotation.join();
    const list = byRotation.get(key);
    if (list) list.push(op);
    else byRotation.set(key, [op]);
  }
  const size = (s: V): number => s[0] * s[0] + s[1] * s[1] + s[2] * s[2] + (s[0] * 1e-3 + s[1] * 1e-6);
  const least = (list: SymOp[]): SymOp => [...list].sort((p, q) => size(p.shift) - size(q.shift))[0]!;
  const representatives = [...byRotation.values()].map(least);
  const translations = byRotation.get(identity3.join()) ?? fail("bad-file", { operations: ops.length }, "the identity x,y,z is missing");
  const shifts = [...translations].sort((p, q) => size(p.shift) - size(q.shift));
  return shifts.flatMap((s) => representatives.map((op) => reducedOp(multiplyOps(s, op))));
}
