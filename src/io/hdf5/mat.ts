import type { MatValue } from "../mat.js";
import type { ByteInput } from "../source.js";
import { type Hdf5File, type Hdf5Options, openHdf5 } from "./file.js";

/**
 * The numeric and text variables of a MATLAB 7.3 file, in the shape that `readMat` gives: the file stores MATLAB's first axis last already.
 * Structs become records of their numeric fields; cells are named in the warnings.
 * @throws bad-file, too-large, unsupported without the package h5wasm
 */
export async function readHdf5Mat(
  input: ByteInput | string,
  options: Hdf5Options = {},
): Promise<{ value: Readonly<Record<string, MatValue>>; warnings: readonly string[] }> {
  const file = await openHdf5(input, options),
    warnings: string[] = [];
  try {
    const value: Record<string, MatValue> = {};
    for (const name of (await file.members("")).filter((m) => !m.startsWith("#"))) value[name] = await variable(file, name, warnings, 0);
    return { value, warnings };
  } finally {
    await file.close();
  }
}

async function variable(file: Hdf5File, path: string, warnings: string[], depth: number): Promise<MatValue> {
  const className = String((await file.attributes(path)).MATLAB_class ?? ""),
    kind = await file.kind(path);
  if (kind === "group" && depth < 32) {
    const fields: [string, MatValue][] = [];
    for (const m of await file.members(path)) fields.push([m, await variable(file, `${path}/${m}`, warnings, depth + 1)]);
    return { kind: "struct", shape: [1, 1], records: [Object.fromEntries(fields)] };
  }
  const d = kind === "dataset" ? await file.dataset(path) : undefined;
  if (d?.dtype === undefined || d.dtype === "f16" || className === "cell") {
    warnings.push(`${path} is a MATLAB ${className || "value"}, which is not read`);
    return { kind: "opaque", className };
  }
  const data = await d.read();
  // An empty array is stored as its size.
  if (d.attributes.MATLAB_empty) return { kind: "array", shape: Array.from(data).reverse(), data: new Float64Array(0), logical: false };
  if (className === "char") return { kind: "text", text: Array.from(data, (c) => String.fromCharCode(c)).join("") };
  if (d.dtype === "c64" || d.dtype === "c128") {
    const part = (k: number): Float64Array => Float64Array.from({ length: data.length / 2 }, (_, i) => data[2 * i + k]!);
    return { kind: "array", shape: d.shape, data: part(0), imaginary: part(1), logical: false };
  }
  return { kind: "array", shape: d.shape, data, logical: className === "logical" };
}
