import { fail } from "../../core/errors.js";
import { bytesPer, decodeNumbers } from "../bytes-numbers.js";
import { decodeMsgpack, type MsgpackValue } from "../msgpack.js";
import { type Parsed, warningList } from "../text.js";

/** One column of a reflection table: `values` is [size, components], row-major. `type` is the C++ name the file gives. */
export interface ReflColumn {
  readonly type: string;
  readonly components: number;
  readonly values: Float64Array | Float32Array | Int32Array | Uint8Array | readonly string[];
}
/** A DIALS reflection table. Names of columns are DIALS' own: `xyzobs.px.value`, `miller_index`, `intensity.sum.value`, … */
export interface ReflTable {
  readonly size: number;
  /** Experiment identifiers: the number in column `id`, and the identifier in the `.expt` file. */
  readonly identifiers: readonly (readonly [id: number, identifier: string])[];
  readonly columns: Readonly<Record<string, ReflColumn>>;
  /** Shoeboxes as they are packed, undefined when the file has none; see `reflShoeboxes`. */
  readonly shoeboxBytes: Uint8Array | undefined;
}
export interface ReflOptions {
  /** Decode only these columns. Default: all. */
  readonly columns?: readonly string[];
}
type Element = "f64" | "f32" | "i32" | "u64" | "bool";
/** Element type and number of components of the column types that dxtbx writes (cctbx_project and dials are BSD; the names are facts). */
function layoutOf(type: string): { element: Element; components: number } | undefined {
  switch (type) {
    case "bool":
      return { element: "bool", components: 1 };
    case "int":
      return { element: "i32", components: 1 };
    case "std::size_t":
      return { element: "u64", components: 1 };
    case "double":
      return { element: "f64", components: 1 };
    case "float":
      return { element: "f32", components: 1 };
    case "vec2<double>":
      return { element: "f64", components: 2 };
    case "vec3<double>":
      return { element: "f64", components: 3 };
    case "mat3<double>":
      return { element: "f64", components: 9 };
    case "vec3<int>":
    case "cctbx::miller::index<>":
      return { element: "i32", components: 3 };
    case "int6":
      return { element: "i32", components: 6 };
    default:
      return undefined;
  }
}

/**
 * Read a DIALS `.refl` file (MessagePack). `std::size_t` columns become Float64Array, exact to 2⁵³. Columns of unknown types are left out with
 * a warning.
 * @throws bad-file when the bytes are no reflection table or a column is shorter than its rows; unsupported for the older pickle form
 */
export function parseRefl(bytes: Uint8Array, options: ReflOptions = {}): Parsed<ReflTable> {
  if (bytes[0] === 0x80 && (bytes[1] ?? 9) <= 5)
    fail(
      "unsupported",
      { firstBytes: [...bytes.subarray(0, 4)] },
      "this .refl file is a Python pickle of an old DIALS; write it again with DIALS 2 or later",
    );
  const warnings = warningList();
  const { value, end } = decodeMsgpack(bytes);
  const [kind, version, body] = Array.isArray(value) ? (value as readonly MsgpackValue[]) : [];
  if (kind !== "dials::af::reflection_table" || !(body instanceof Map))
    return fail(
      "bad-file",
      { found: typeof kind === "string" ? kind : typeof value },
      "a .refl file opens with dials::af::reflection_table; is this a DIALS reflection file?",
    );
  if (version !== 1) warnings.add(`reflection table of version ${String(version)}; only version 1 is known`);
  if (end < bytes.length) warnings.add(`${bytes.length - end} bytes follow the reflection table`);
  const size = body.get("nrows"),
    data = body.get("data");
  if (typeof size !== "number" || !Number.isInteger(size) || size < 0 || !(data instanceof Map))
    return fail("bad-file", { nrows: String(size) }, "the reflection table has no nrows or no data; the file is damaged");
  const columns: [string, ReflColumn][] = [];
  let shoeboxBytes: Uint8Array | undefined;
  for (const [key, packed] of data as ReadonlyMap<MsgpackValue, MsgpackValue>) {
    const name = String(key);
    const [type, content] = Array.isArray(packed) ? (packed as readonly MsgpackValue[]) : [];
    if (typeof type !== "string" || !Array.isArray(content)) {
      warnings.add(`column ${name} is packed in a way not known here`);
      continue;
    }
    if (type === "Shoebox<>") {
      if (content[1] instanceof Uint8Array) shoeboxBytes = content[1];
      continue;
    }
    if (options.columns && !options.columns.includes(name)) continue;
    const column = columnOf(name, type, content as readonly MsgpackValue[], size);
    if (column) columns.push([name, column]);
    else warnings.add(`column ${name} of type ${type} is left out: the type is not known`);
  }
  const identifiers = body.get("identifiers");
  const ids = identifiers instanceof Map ? [...(identifiers as ReadonlyMap<MsgpackValue, MsgpackValue>)] : [];
  return {
    value: {
      size,
      identifiers: ids.map(([id, s]) => [Number(id), String(s)] as const),
      columns: Object.fromEntries(columns),
      shoeboxBytes,
    },
    warnings: warnings.list(),
  };
}

function columnOf(name: string, type: string, content: readonly MsgpackValue[], size: number): ReflColumn | undefined {
  if (type === "std::string") {
    const list = content.length === size && content.every((v) => typeof v === "string") ? content : content[1];
    if (!Array.isArray(list) || list.length !== size)
      return fail("bad-file", { column: name, rows: size }, "a text column has another number of rows than the table");
    return { type, components: 1, values: list.map(String) };
  }
  const layout = layoutOf(type),
    [count, bytes] = content;
  if (!layout) return undefined;
  const { element, components } = layout;
  if (!(bytes instanceof Uint8Array) || count !== size || bytes.length !== size * components * bytesPer(element))
    return fail(
      "bad-file",
      { column: name, type, rows: size, bytes: bytes instanceof Uint8Array ? bytes.length : 0 },
      "the column does not hold the number of rows that the table claims",
    );
  return { type, components, values: decodeNumbers(bytes, element) as ReflColumn["values"] };
}
/** Values of a numeric column. @throws not-found with the names that there are; bad-shape when the column has other components */
export function reflNumbers(table: ReflTable, name: string, components?: number): Float64Array | Float32Array | Int32Array | Uint8Array {
  const column = Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;
  if (!column || Array.isArray(column.values))
    return fail("not-found", { column: name, columns: Object.keys(table.columns) }, "the reflection file has no such numeric column");
  if (components !== undefined && column.components !== components)
    fail("bad-shape", { column: name, components: column.components, wanted: components }, "the column has another number of components");
  return column.values as Float64Array;
}
/** Bits of column `flags`, as DIALS numbers them. */
export const dialsFlags = {
  predicted: 1,
  observed: 2,
  indexed: 4,
  usedInRefinement: 8,
  strong: 32,
  referenceSpot: 64,
  dontIntegrate: 128,
  integratedSum: 256,
  integratedPrf: 512,
} as const;
/** For every row, 1 where all bits of `flag` are set in column `flags`. */
export function reflHasFlag(table: ReflTable, flag: number): Uint8Array {
  const flags = reflNumbers(table, "flags", 1);
  return Uint8Array.from(flags, (f) => ((f & flag) === flag ? 1 : 0));
}
