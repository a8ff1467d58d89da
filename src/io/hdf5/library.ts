import { fail } from "../../core/errors.js";

/** The part of h5wasm's dataset object that is used here. */
export interface RawDataset {
  readonly shape: number[] | null;
  readonly metadata: {
    readonly size: number;
    readonly signed: boolean;
    readonly type: number;
    readonly chunks: number[] | null;
    readonly total_size: number;
    readonly vlen?: boolean;
  };
  readonly dtype: unknown;
  readonly filters: readonly { readonly id: number; readonly name: string }[];
  readonly value: unknown;
  readonly attrs: Readonly<Record<string, { readonly value: unknown }>>;
  slice(ranges: (readonly [number, number])[]): unknown;
}
export interface RawGroup {
  readonly attrs: Readonly<Record<string, { readonly value: unknown }>>;
  keys(): string[];
  get(path: string): unknown;
}
export interface RawFile extends RawGroup {
  close(): unknown;
}
interface FileSystem {
  writeFile(path: string, data: Uint8Array): void;
  mkdirTree(path: string): void;
  unlink(path: string): void;
  rmdir(path: string): void;
}
interface Module {
  readonly FS: FileSystem;
  insert_plugin_search_path(path: string, index: number): void;
  get_plugin_search_paths(): string[];
}
export interface Library {
  readonly inNode: boolean;
  readonly module: Module;
  open(path: string): RawFile;
  readonly Dataset: new (...args: never[]) => RawDataset;
  readonly Group: new (...args: never[]) => RawGroup;
  /** Identifiers of the filters that can be decoded. */
  readonly filters: ReadonlySet<number>;
}

interface Imported {
  readonly ready: Promise<Module>;
  readonly File: new (path: string, mode: string) => RawFile;
  readonly Dataset: new (...args: never[]) => RawDataset;
  readonly Group: new (...args: never[]) => RawGroup;
}

/** Decoded by HDF5 itself: deflate, shuffle, fletcher32, n-bit, scale-offset. */
const builtIn = [1, 2, 3, 5, 6];
/** Decoded by the optional package h5wasm-plugins: LZF, blosc, LZ4, bitshuffle, zstd, bzip2, blosc2. */
const withPlugins = [32000, 32001, 32004, 32008, 32015, 307, 32026];

let loading: Promise<Library> | undefined;

/** Load h5wasm, once, when the first file is opened: a megabyte that nobody else has to carry. @throws unsupported when it is not installed */
export function hdf5Library(): Promise<Library> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Library> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  const inNode = process?.versions?.node !== undefined;
  let h5: Imported;
  try {
    h5 = (inNode ? await import("h5wasm/node") : await import("h5wasm")) as unknown as Imported;
  } catch (cause) {
    return fail("unsupported", { package: "h5wasm" }, "reading HDF5 needs the package h5wasm: npm install h5wasm", cause);
  }
  const module = await h5.ready;
  let plugins = false;
  if (inNode) {
    try {
      const name = "h5wasm-plugins";
      const helper = (await import(name)) as { install_local_plugins(m: Module): void };
      helper.install_local_plugins(module);
      plugins = true;
    } catch {
      // Optional: without it the missing filter is named when a dataset asks for it.
    }
  }
  return {
    inNode,
    module,
    open: (path) => new h5.File(path, "r"),
    Dataset: h5.Dataset,
    Group: h5.Group,
    filters: new Set(plugins ? [...builtIn, ...withPlugins] : builtIn),
  };
}
