import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { readGolden } from "../testing/golden.js";
import { type CifValue, isCifMissing } from "./cif.js";
import { parseCif } from "./cif-parse.js";
import { parseRefl, reflNumbers } from "./dials/refl.js";

const raw = (v: CifValue): string => (typeof v === "string" ? v : isCifMissing(v) ? v.missing : "");
/** Bytes of all values in the order of the file, as the golden file's command hashes them. */
function digest(bytes: Uint8Array): { blocks: number; values: number; sha256: string } {
  const { value } = parseCif(bytes);
  const h = createHash("sha256");
  let values = 0;
  for (const block of value.blocks) {
    h.update(`data_${block.name}\n`);
    for (const e of block.entries) {
      if (e.kind === "item") {
        h.update(`${e.tag}\0${raw(e.value)}\n`);
        values++;
      } else if (e.kind === "loop") {
        for (const t of e.tags) h.update(`${t}\0`);
        const row: string[] = [];
        for (let i = 0; i < e.size; i++) for (const c of e.columns) row.push(`${raw(c[i]!)}\0`);
        h.update(row.join(""));
        h.update("\n");
        values += row.length;
      }
    }
  }
  return { blocks: value.blocks.length, values, sha256: h.digest("hex") };
}
interface CifRow {
  readonly file: string;
  readonly blocks: number;
  readonly values: number;
  readonly sha256: string;
}
const cifs = readGolden<CifRow>("cif-values");
describeData(
  `every value of every real CIF is the one ${cifs.madeBy} ${cifs.version} reads`,
  cifs.rows.map((r) => r.file),
  () => {
    test.each(cifs.rows)("$file, $values values", ({ file, ...want }) => {
      expect(digest(readData(file))).toEqual(want);
    });
  },
);

interface ReflRow {
  readonly file: string;
  readonly column: string;
  readonly components: number;
  readonly count: number;
  readonly sum: number;
  readonly last: number;
}
const refls = readGolden<ReflRow>("refl-columns");
describeData(`columns of the .refl files are those of ${refls.madeBy}`, ["3ded/quartz_dials/strong.refl"], () => {
  test.each([...new Set(refls.rows.map((r) => r.file))])("%s.refl", (file) => {
    const { value } = parseRefl(readData("3ded", "quartz_dials", `${file}.refl`));
    for (const r of refls.rows.filter((x) => x.file === file)) {
      const v = reflNumbers(value, r.column, r.components);
      expect([r.column, v.length, v.at(-1)]).toEqual([r.column, r.count, r.last]);
      let sum = 0,
        size = 0;
      for (const x of v) {
        sum += x;
        size += Math.abs(x);
      }
      expect(Math.abs(sum - r.sum)).toBeLessThanOrEqual(1e-12 * size);
    }
  });
});
