import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { type NdValues, readNpy, writeNpy } from "./npy.js";
import { type ByteInput, type SizeLimit, toSource } from "./source.js";
import { readZipEntry, writeZip, zipEntries } from "./zip.js";

/** Names of the arrays of an NPZ archive. */
export async function npzNames(input: ByteInput): Promise<string[]> {
  return (await zipEntries(toSource(input))).filter((e) => e.name.endsWith(".npy")).map((e) => e.name.slice(0, -4));
}

/**
 * Arrays of an NPZ archive by name, stored or deflated.
 * @param only - names to read; default all
 * @throws bad-file, unsupported, too-large; not-found for a name that is not there
 */
export async function readNpz(
  input: ByteInput,
  { only, maxBytes }: { only?: readonly string[] } & SizeLimit = {},
): Promise<Record<string, NdValues>> {
  const source = toSource(input);
  const out: Record<string, NdValues> = {};
  const entries = (await zipEntries(source)).filter((e) => e.name.endsWith(".npy"));
  for (const name of only ?? entries.map((e) => e.name.slice(0, -4))) {
    const entry = entries.find((e) => e.name === `${name}.npy`);
    if (!entry) fail("not-found", { name, there: entries.map((e) => e.name) }, "no array of this name in the archive");
    out[name] = await readNpy(await readZipEntry(source, entry!, { maxBytes }), { maxBytes });
  }
  return out;
}

/** Write arrays as NPZ; `level` 0 stores them as `numpy.savez` does. */
export function writeNpz(
  arrays: Readonly<Record<string, { readonly data: TypedArray; readonly shape: readonly number[]; readonly complex?: boolean }>>,
  { level = 6 }: { level?: number } = {},
): Uint8Array<ArrayBuffer> {
  return writeZip(
    Object.entries(arrays).map(([name, a]) => ({ name: `${name}.npy`, bytes: writeNpy(a.data, a.shape, { complex: a.complex }) })),
    { level },
  );
}
