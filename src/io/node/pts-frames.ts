import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fail } from "../../core/errors.js";
import { naturalCompare } from "../frames.js";
import type { Pts } from "../pets/pts.js";
import { ptsImagePath } from "../pets/pts-images.js";

/**
 * Images that a `.pts` lists for use, found where it names them or beside it, with the `.pts` cut to these rows, so that angles and files agree.
 * They come in the natural order of their names, in which `openFrames` reads them.
 * @throws not-found when none of them is there
 */
export async function ptsFrames(
  path: string,
  pts: Pts,
): Promise<{ readonly files: string[]; readonly pts: Pts; readonly missing: number }> {
  const folder = dirname(path),
    m = pts.images,
    found: { row: number; file: string }[] = [];
  let wanted = 0;
  for (let row = 0; row < m.size; row++) {
    if (m.use[row] !== 1) continue;
    wanted++;
    const name = ptsImagePath(m.file[row]!);
    for (const file of [join(folder, name), join(folder, basename(name))])
      if ((await stat(file).catch(() => undefined))?.isFile()) {
        found.push({ row, file });
        break;
      }
  }
  if (found.length === 0)
    fail("not-found", { pts: path, images: m.size, first: m.file[0] }, "none of the images listed in the .pts is beside it");
  found.sort((a, b) => naturalCompare(a.file, b.file));
  const column = (c: Float64Array): Float64Array => Float64Array.from(found, ({ row }) => c[row]!);
  const images = {
    ...m,
    size: found.length,
    file: found.map(({ row }) => m.file[row]!),
    alphaDeg: column(m.alphaDeg),
    betaDeg: column(m.betaDeg),
    deltaOmegaDeg: column(m.deltaOmegaDeg),
    scale: column(m.scale),
    calibration: column(m.calibration),
    ellipticalAmplitude: column(m.ellipticalAmplitude),
    ellipticalPhase: column(m.ellipticalPhase),
    use: new Uint8Array(found.length).fill(1),
  };
  return { files: found.map((f) => f.file), pts: { ...pts, images }, missing: wanted - found.length };
}
