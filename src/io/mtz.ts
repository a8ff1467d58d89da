import { fail } from "../core/errors.js";
import { type Parsed, warningList } from "./text.js";

/** A column of an MTZ file. NaN: missing. */
export interface MtzColumn {
  readonly label: string;
  /** One letter: H index, J intensity, F amplitude, Q s.u., P phase, I integer, … */
  readonly type: string;
  readonly dataset: number;
  readonly values: Float32Array;
}
/** A reflection file of CCP4 (MTZ): https://www.ccp4.ac.uk/html/mtzformat.html. */
export interface Mtz {
  readonly title: string;
  readonly size: number;
  readonly columns: readonly MtzColumn[];
  /** a b c in Å, α β γ in degrees; and the number of batches. */
  readonly cell: readonly number[];
  readonly batches: number;
  readonly spaceGroup: string;
  readonly spaceGroupNumber: number;
  /** Operators as written. */
  readonly symmetry: readonly string[];
  /** 1/d² limits, Å⁻². */
  readonly resolution: readonly number[];
  /** Datasets: number, names of project, crystal and dataset, cell, wavelength in Å (NaN: not given). */
  readonly datasets: readonly MtzDataset[];
  readonly history: readonly string[];
}
export interface MtzDataset {
  readonly number: number;
  readonly project: string;
  readonly crystal: string;
  readonly name: string;
  readonly cell: readonly number[];
  readonly wavelength: number;
}
const recordBytes = 80,
  dataStart = 80;

/** Read an MTZ file. @throws bad-file when it is not one, or is cut; nothing is allocated before the sizes are checked against the file */
export function parseMtz(bytes: Uint8Array): Parsed<Mtz> {
  const warnings = warningList();
  if (bytes.length < 2 * recordBytes || String.fromCharCode(...bytes.subarray(0, 4)) !== "MTZ ")
    fail("bad-file", { firstBytes: [...bytes.subarray(0, 4)] }, "an MTZ file opens with the letters MTZ; this one does not, or is cut");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[8]! >> 4 !== 1; // machine stamp: high half-byte 1 is big-endian IEEE
  let word = view.getInt32(4, little);
  if (word === -1 && bytes.length >= 32) word = Number(view.getBigInt64(24, little)); // files above 2³¹ words
  const headerAt = 4 * (word - 1);
  if (!(headerAt >= dataStart && headerAt < bytes.length))
    fail("bad-file", { headerAt, bytes: bytes.length }, "the header of the MTZ file lies behind its end; the file is cut");
  const records: string[] = [];
  for (let p = headerAt; p + recordBytes <= bytes.length; p += recordBytes)
    records.push(String.fromCharCode(...bytes.subarray(p, p + recordBytes)).replace(/[\0\s]+$/, ""));
  const end = records.findIndex((r) => r.startsWith("END"));
  if (end < 0) fail("bad-file", { records: records.length }, "the header of the MTZ file has no END; the file is cut");
  const header = records.slice(0, end);
  const rest = (key: string): readonly string[] => header.filter((r) => r.startsWith(key)).map((r) => r.slice(key.length).trim());
  const numbersOf = (text: string | undefined): number[] =>
    (text ?? "")
      .split(/\s+/)
      .filter((w) => w !== "")
      .map(Number);
  const [columnCount = 0, size = 0, batches = 0] = numbersOf(rest("NCOL ")[0]);
  const labels = rest("COLUMN ").map((r) => /^(\S+)\s+(\S)\s+\S+\s+\S+\s*(\d*)/.exec(r));
  if (
    !Number.isInteger(columnCount) ||
    !Number.isInteger(size) ||
    columnCount < 1 ||
    size < 0 ||
    labels.length !== columnCount ||
    labels.some((m) => !m)
  )
    fail(
      "bad-file",
      { columns: columnCount, reflections: size, named: labels.length },
      "NCOL and the COLUMN records of the MTZ header contradict each other; the file is damaged",
    );
  if (dataStart + 4 * columnCount * size > headerAt)
    fail(
      "bad-file",
      { columns: columnCount, reflections: size, bytes: bytes.length },
      "the MTZ file is too short for its number of reflections",
    );
  const missing = rest("VALM ")[0],
    missingValue = missing === undefined || /^nan$/i.test(missing) ? Number.NaN : Math.fround(Number(missing));
  const columns = labels.map((m, j): MtzColumn => {
    const values = new Float32Array(size);
    for (let i = 0; i < size; i++) {
      const v = view.getFloat32(dataStart + 4 * (i * columnCount + j), little);
      values[i] = v === missingValue ? Number.NaN : v;
    }
    return { label: m![1]!, type: m![2]!, dataset: Number(m![3] || 0), values };
  });
  const symmetry = rest("SYMINF ")[0] ?? "";
  const group = /'([^']*)'/.exec(symmetry)?.[1] ?? "";
  const groupNumber = Number(/^\s*\d+\s+\d+\s+\S\s+(\d+)/.exec(symmetry)?.[1] ?? Number.NaN);
  const cell = numbersOf(rest("CELL ")[0]).slice(0, 6);
  if (cell.length < 6 || cell.some(Number.isNaN)) warnings.add("the header gives no cell");
  return {
    value: {
      title: rest("TITLE ")[0] ?? "",
      size,
      columns,
      cell,
      batches,
      spaceGroup: group,
      spaceGroupNumber: groupNumber,
      symmetry: rest("SYMM "),
      resolution: numbersOf(rest("RESO ")[0]),
      datasets: datasetsOf(rest),
      history: records.slice(end + 1).filter((r) => r !== "" && !/^MTZ(HIST|ENDOFHEADERS|BATS)/.test(r) && !/^MTZEND/.test(r)),
    },
    warnings: warnings.list(),
  };
}
function datasetsOf(rest: (key: string) => readonly string[]): readonly MtzDataset[] {
  const split = (key: string): Map<number, string> =>
    new Map(rest(key).map((r) => [Number.parseInt(r, 10), r.replace(/^\d+\s*/, "")] as const));
  const [project, crystal, name, cells, waves] = ["PROJECT ", "CRYSTAL ", "DATASET ", "DCELL ", "DWAVEL "].map(split) as [
    Map<number, string>,
    Map<number, string>,
    Map<number, string>,
    Map<number, string>,
    Map<number, string>,
  ];
  return [...name].map(([number, n]) => ({
    number,
    project: project.get(number) ?? "",
    crystal: crystal.get(number) ?? "",
    name: n,
    cell: (cells.get(number) ?? "")
      .split(/\s+/)
      .filter((w) => w !== "")
      .map(Number),
    wavelength: waves.has(number) && waves.get(number) !== "" ? Number(waves.get(number)) : Number.NaN,
  }));
}
/** Values of a column by its label. @throws not-found with the labels that there are */
export function mtzColumn(mtz: Mtz, label: string): Float32Array {
  return (
    mtz.columns.find((c) => c.label === label)?.values ??
    fail("not-found", { label, labels: mtz.columns.map((c) => c.label) }, "the MTZ file has no column of this label")
  );
}
