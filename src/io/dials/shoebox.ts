import { fail } from "../../core/errors.js";
import type { ReflTable } from "./refl.js";

/** The pixels around one spot: box in pixels and frames (upper limits exclusive), data [nz, ny, nx], mask bits and background alike. */
export interface Shoebox {
  readonly panel: number;
  readonly bbox: readonly [x0: number, x1: number, y0: number, y1: number, z0: number, z1: number];
  /** Empty where the file keeps the box without pixels. */
  readonly data: Float32Array;
  readonly mask: Int32Array;
  readonly background: Float32Array;
}

/**
 * Shoeboxes of a reflection table, one at a time, in row order. Layout as found in the files (checked to the last byte): panel, six limits, a byte that
 * says whether pixels follow, then float32 data, int32 mask, float32 background.
 * @throws not-found when the table has none; bad-file when they end too early
 */
export function* reflShoeboxes(table: ReflTable): Generator<Shoebox, void, void> {
  const bytes = table.shoeboxBytes ?? fail("not-found", { column: "shoebox" }, "the reflection file keeps no shoeboxes");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let p = 0;
  for (let row = 0; row < table.size; row++) {
    if (bytes.length - p < 29) fail("bad-file", { row, offset: p }, "the shoeboxes end too early; the file is damaged");
    const panel = view.getUint32(p, true);
    const bbox = [0, 1, 2, 3, 4, 5].map((k) => view.getInt32(p + 4 + 4 * k, true)) as unknown as Shoebox["bbox"];
    const full = bytes[p + 28] !== 0;
    p += 29;
    const sizes = [bbox[1] - bbox[0], bbox[3] - bbox[2], bbox[5] - bbox[4]];
    const n = full ? sizes[0]! * sizes[1]! * sizes[2]! : 0;
    if (sizes.some((v) => v < 0) || 12 * n > bytes.length - p)
      fail("bad-file", { row, bbox }, "a shoebox is larger than the file; the file is damaged");
    const at = p;
    yield {
      panel,
      bbox,
      data: Float32Array.from({ length: n }, (_, i) => view.getFloat32(at + 4 * i, true)),
      mask: Int32Array.from({ length: n }, (_, i) => view.getInt32(at + 4 * (n + i), true)),
      background: Float32Array.from({ length: n }, (_, i) => view.getFloat32(at + 4 * (2 * n + i), true)),
    };
    p += 12 * n;
  }
}
