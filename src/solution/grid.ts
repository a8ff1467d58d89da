import type { UnitCell } from "../geometry/cell.js";
import type { PhasingData } from "./prepare.js";

export type GridShape = readonly [na: number, nb: number, nc: number];

/** Smallest even number not below n with no prime factor above 5. */
export function goodLength(n: number): number {
  for (let k = Math.max(4, 2 * Math.ceil(n / 2)); ; k += 2) {
    let r = k;
    for (const p of [2, 3, 5]) while (r % p === 0) r /= p;
    if (r === 1) return k;
  }
}

/** Points along a, b, c for a spacing of at most `step` Å along each axis and room for the largest indices. */
export function gridShape(cell: UnitCell, hkl: Int32Array, step: number): GridShape {
  const most = [0, 0, 0];
  for (let i = 0; i < hkl.length; i++) most[i % 3] = Math.max(most[i % 3]!, Math.abs(hkl[i]!));
  return [cell.a, cell.b, cell.c].map((x, k) => goodLength(Math.max(x / step, 2 * most[k]! + 1))) as unknown as GridShape;
}

/**
 * Where reflections live in the half spectrum of a real grid [na, nb, nc] (last index 0 … nc/2): `slot[2i]` holds h, `slot[2i + 1]` its mate −h when that is
 * stored too (on the plane of last index 0), else −1; `mate[i]` is 1 when slot[2i] holds −h, so its value is conj F(h).
 */
export interface Slots {
  readonly slot: Int32Array;
  readonly mate: Uint8Array;
}
export function spectrumSlots(hkl: Int32Array, [na, nb, nc]: GridShape): Slots {
  const n = hkl.length / 3,
    half = nc / 2 + 1;
  const slot = new Int32Array(2 * n).fill(-1),
    mate = new Uint8Array(n);
  const place = (h: number, k: number, l: number): number => ((((h % na) + na) % na) * nb + (((k % nb) + nb) % nb)) * half + l;
  for (let i = 0; i < n; i++) {
    const [h, k, l] = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];
    if (l > 0) slot[2 * i] = place(h, k, l);
    else if (l < 0) {
      slot[2 * i] = place(-h, -k, -l);
      mate[i] = 1;
    } else {
      slot[2 * i] = place(h, k, 0);
      slot[2 * i + 1] = place(-h, -k, 0);
    }
  }
  return { slot, mate };
}

/** Half-spectrum entries inside the sphere of the data that no reflection of the list fills, 000 aside. */
export function unobservedSlots(
  data: PhasingData,
  shape: GridShape,
  slots: Slots,
  quadraticForm: (h: number, k: number, l: number) => number,
): Int32Array {
  const [na, nb, nc] = shape,
    half = nc / 2 + 1;
  const taken = new Uint8Array(na * nb * half);
  taken[0] = 1;
  for (const s of slots.slot) if (s >= 0) taken[s] = 1;
  const limit = 1 / data.dMin ** 2;
  const out: number[] = [];
  for (let x = 0; x < na; x++)
    for (let y = 0; y < nb; y++)
      for (let z = 0; z < half; z++) {
        const at = (x * nb + y) * half + z;
        // The Nyquist planes stand for +n/2 and −n/2 at once and stay empty.
        if (taken[at] || 2 * x === na || 2 * y === nb || 2 * z === nc) continue;
        if (quadraticForm(2 * x > na ? x - na : x, 2 * y > nb ? y - nb : y, z) <= limit) out.push(at);
      }
  return Int32Array.from(out);
}
