import { fail } from "../core/errors.js";
import type { Fractional, Hkl } from "./metric.js";
import type { SpaceGroup } from "./space-groups.js";
import { applyOp } from "./symop.js";

/** A reflection's representative: hkl(asu) = ± hkl · W of `op`, minus when `friedel`. */
export interface AsuReflection {
  readonly hkl: Hkl;
  /** Index into `group.ops` (below `primitiveOrder`). */
  readonly op: number;
  readonly friedel: boolean;
}

/**
 * The representative of equivalent reflections: of all ±hW, the one with the largest l, then h, then k. Works in every setting; for the
 * standard ones it is a wedge such as h, k, l >= 0 (mmm) or h >= k >= 0, l >= 0 (4/mmm).
 * @param friedel - take −h as equivalent to h (default); with false, only the point group's own operations count
 */
export function asuReflection(group: SpaceGroup, hkl: Hkl, friedel = true): AsuReflection {
  let best: Hkl = hkl,
    op = 0,
    flipped = false,
    first = true;
  const [h, k, l] = hkl;
  for (let i = 0; i < group.primitiveOrder; i++) {
    const w = group.ops[i]!.rotation;
    // + 0: no negative zeros
    const q: Hkl = [h * w[0] + k * w[3] + l * w[6] + 0, h * w[1] + k * w[4] + l * w[7] + 0, h * w[2] + k * w[5] + l * w[8] + 0];
    if (first || after(q, best)) [best, op, flipped, first] = [q, i, false, false];
    if (!friedel) continue;
    const m: Hkl = [-q[0] + 0, -q[1] + 0, -q[2] + 0];
    if (after(m, best)) [best, op, flipped] = [m, i, true];
  }
  return { hkl: best, op, friedel: flipped };
}
const after = (p: Hkl, q: Hkl): boolean => (p[2] !== q[2] ? p[2] > q[2] : p[0] !== q[0] ? p[0] > q[0] : p[1] > q[1]);

/** Representatives of many reflections. */
export interface AsuMap {
  /** Shape [n, 3]. */
  readonly hkl: Int32Array;
  /** Operation used, shape [n]. */
  readonly op: Uint8Array;
  /** 1 where the Friedel mate was taken, shape [n]. */
  readonly friedel: Uint8Array;
}

/** {@link asuReflection} for indices of shape [n, 3]. @throws bad-shape */
export function asuReflections(group: SpaceGroup, hkl: Int32Array, friedel = true): AsuMap {
  if (hkl.length % 3 !== 0) fail("bad-shape", { length: hkl.length }, "pass indices as [n, 3] row-major: h0 k0 l0 h1 k1 l1 …");
  const n = hkl.length / 3;
  const out = { hkl: new Int32Array(hkl.length), op: new Uint8Array(n), friedel: new Uint8Array(n) };
  const rot = Int32Array.from(group.ops.slice(0, group.primitiveOrder).flatMap((o) => [...o.rotation]));
  for (let i = 0; i < n; i++) {
    const h = hkl[3 * i]!,
      k = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    let bh = 0,
      bk = 0,
      bl = 0,
      bop = -1,
      bf = 0;
    for (let o = 0; o < group.primitiveOrder; o++) {
      const r = 9 * o;
      let p = h * rot[r]! + k * rot[r + 3]! + l * rot[r + 6]!,
        q = h * rot[r + 1]! + k * rot[r + 4]! + l * rot[r + 7]!,
        s = h * rot[r + 2]! + k * rot[r + 5]! + l * rot[r + 8]!;
      for (let f = 0; f < (friedel ? 2 : 1); f++) {
        if (f === 1) [p, q, s] = [-p, -q, -s];
        if (bop < 0 || s > bl || (s === bl && (p > bh || (p === bh && q > bk)))) [bh, bk, bl, bop, bf] = [p, q, s, o, f];
      }
    }
    out.hkl.set([bh, bk, bl], 3 * i);
    out.op[i] = bop;
    out.friedel[i] = bf;
  }
  return out;
}

/**
 * The representative of equivalent positions: of all images in [0, 1)³, the one with least z, then x, then y (compared on a 10⁻⁶ grid, so
 * that rounding does not decide), with the operation index that leads to it.
 */
export function asuPosition(group: SpaceGroup, x: Fractional): { readonly xyz: Fractional; readonly op: number } {
  let best: Fractional = x,
    op = -1,
    bestKey: Fractional = [2, 2, 2];
  group.ops.forEach((o, i) => {
    const y = applyOp(o, x).map((v) => v - Math.floor(v + 1e-9)) as unknown as Fractional;
    const key = y.map((v) => Math.round(v * 1e6) % 1e6) as unknown as Fractional;
    const less = key[2] !== bestKey[2] ? key[2] < bestKey[2] : key[0] !== bestKey[0] ? key[0] < bestKey[0] : key[1] < bestKey[1];
    if (op < 0 || less) [best, op, bestKey] = [y, i, key];
  });
  return { xyz: best, op };
}
