import type { Mat3 } from "../geometry/metric.js";
import { indexKey, inHalf, type PhasingData } from "./prepare.js";

/** Where the image hW of every reflection stands in the list, for one rotation. */
export interface Images {
  /** Row of hW or of −hW, −1 when not in the list, shape [size]. */
  readonly row: Int32Array;
  /** 1 where the row holds −hW, so that the phase changes its sign, shape [size]. */
  readonly friedel: Uint8Array;
}

/** Rows of the images of all reflections under each rotation (row vectors, h' = hW). */
export function imageRows(data: PhasingData, rotations: readonly Mat3[]): Images[] {
  const at = new Map<number, number>();
  for (let i = 0; i < data.size; i++) at.set(indexKey(data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!), i);
  return rotations.map((w) => {
    const row = new Int32Array(data.size),
      friedel = new Uint8Array(data.size);
    for (let i = 0; i < data.size; i++) {
      const [h, k, l] = [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!];
      const p = h * w[0] + k * w[3] + l * w[6],
        q = h * w[1] + k * w[4] + l * w[7],
        r = h * w[2] + k * w[5] + l * w[8];
      const s = inHalf(p, q, r) ? 1 : -1;
      friedel[i] = s < 0 ? 1 : 0;
      row[i] = at.get(indexKey(s * p, s * q, s * r)) ?? -1;
    }
    return { row, friedel };
  });
}
