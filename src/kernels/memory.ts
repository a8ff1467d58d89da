import { fail } from "../core/errors.js";

/** Bytes per cache line and alignment of every block. */
const LINE = 64;
const PAGE = 65536;
const MAX_PAGES = 65536;

/**
 * A WebAssembly memory with a first-fit allocator. Kernel families of one arena share the memory, so arrays pass between them
 * without a copy. Views detach when an unshared memory grows: take them from the arena each time, never keep one across an `alloc`.
 */
export interface Arena {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Address of a fresh block of `bytes`, 64-byte aligned, contents undefined. @throws too-large */
  alloc(bytes: number): number;
  /** Return a block got from `alloc`. */
  free(ptr: number): void;
  f64(ptr: number, length: number): Float64Array;
  f32(ptr: number, length: number): Float32Array;
  i32(ptr: number, length: number): Int32Array;
  u16(ptr: number, length: number): Uint16Array;
  u8(ptr: number, length: number): Uint8Array;
  /** Exports of an embedded family, instantiated on first use against this memory. */
  family<E>(base64: string): E;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Set the limits flag of the imported memory to "shared"; the two builds differ in this byte alone. */
function patchShared(bytes: Uint8Array): Uint8Array {
  const leb = (at: number): [value: number, next: number] => {
    let value = 0,
      shift = 0,
      i = at;
    for (;;) {
      const b = bytes[i++]!;
      value |= (b & 0x7f) << shift;
      if (b < 0x80) return [value >>> 0, i];
      shift += 7;
    }
  };
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at]!;
    const [size, body] = leb(at + 1);
    if (id === 2) {
      let [count, i] = leb(body);
      for (; count > 0; count--) {
        for (let name = 0; name < 2; name++) {
          const [length, next] = leb(i);
          i = next + length;
        }
        const kind = bytes[i++]!;
        if (kind === 2) {
          bytes[i] = 3;
          return bytes;
        }
        if (kind === 0) i = leb(i)[1];
        else return fail("unsupported", { kind }, "a kernel module may import functions and one memory only");
      }
    }
    at = body + size;
  }
  return fail("unsupported", {}, "the kernel module imports no memory; build it with --importMemory");
}

/** Compile an embedded family for unshared or shared memory. Synchronous: the modules are small. */
export function compileFamily(base64: string, shared: boolean): WebAssembly.Module {
  const bytes = decode(base64);
  if (shared) patchShared(bytes);
  return new WebAssembly.Module(bytes);
}

/** Imports every family may ask for. */
export function kernelImports(memory: WebAssembly.Memory): WebAssembly.Imports {
  return { env: { memory, abort: () => fail("bad-value", {}, "a kernel stopped; this is a bug in the library, please report it") } };
}

/**
 * A new arena.
 * @param shared - ask for shared memory (needed for workers; in a browser it needs cross-origin isolation)
 * @param maxBytes - largest size the memory may grow to; at most 4 GiB
 */
export function arena({ shared = false, maxBytes = MAX_PAGES * PAGE }: { shared?: boolean; maxBytes?: number } = {}): Arena {
  const maximum = Math.min(MAX_PAGES, Math.ceil(maxBytes / PAGE));
  const memory = new WebAssembly.Memory({ initial: 1, maximum, shared });
  const used = new Map<number, number>();
  /** Free blocks [start, size], sorted by address, never adjacent. */
  let holes: [number, number][] = [];
  /** Address 0 is never handed out. Families hold no static data (the build refuses it): they all share this memory. */
  let top = 4096;
  const exports = new Map<string, unknown>();

  const alloc = (bytes: number): number => {
    if (!(bytes >= 0) || bytes > MAX_PAGES * PAGE) fail("too-large", { bytes }, "a kernel block is between 0 and 4 GiB");
    const size = Math.max(LINE, Math.ceil(bytes / LINE) * LINE);
    const k = holes.findIndex((h) => h[1] >= size);
    if (k >= 0) {
      const hole = holes[k]!;
      const ptr = hole[0];
      if (hole[1] === size) holes.splice(k, 1);
      else {
        hole[0] += size;
        hole[1] -= size;
      }
      used.set(ptr, size);
      return ptr;
    }
    const ptr = top;
    const pages = Math.ceil((ptr + size) / PAGE) - memory.buffer.byteLength / PAGE;
    if (pages > 0) {
      const room = maximum - memory.buffer.byteLength / PAGE;
      try {
        if (pages > room) throw new RangeError("over the maximum");
        memory.grow(Math.min(room, Math.max(pages, 16)));
      } catch (cause) {
        fail(
          "too-large",
          { bytes, inUse: top, maxBytes: maximum * PAGE },
          "the kernel memory is full: work on smaller pieces or free plans that are no longer used",
          cause,
        );
      }
    }
    top = ptr + size;
    used.set(ptr, size);
    return ptr;
  };
  const free = (ptr: number): void => {
    const size = used.get(ptr);
    if (size === undefined) return fail("bad-value", { ptr }, "free takes an address got from alloc, once");
    used.delete(ptr);
    holes.push([ptr, size]);
    holes.sort((a, b) => a[0] - b[0]);
    const merged: [number, number][] = [];
    for (const h of holes) {
      const last = merged[merged.length - 1];
      if (last && last[0] + last[1] === h[0]) last[1] += h[1];
      else merged.push(h);
    }
    const end = merged[merged.length - 1];
    if (end && end[0] + end[1] === top) {
      top = end[0];
      merged.pop();
    }
    holes = merged;
  };
  return {
    memory,
    shared,
    alloc,
    free,
    f64: (ptr, length) => new Float64Array(memory.buffer, ptr, length),
    f32: (ptr, length) => new Float32Array(memory.buffer, ptr, length),
    i32: (ptr, length) => new Int32Array(memory.buffer, ptr, length),
    u16: (ptr, length) => new Uint16Array(memory.buffer, ptr, length),
    u8: (ptr, length) => new Uint8Array(memory.buffer, ptr, length),
    family: <E>(base64: string): E => {
      let e = exports.get(base64);
      if (!e) {
        e = new WebAssembly.Instance(compileFamily(base64, shared), kernelImports(memory)).exports;
        exports.set(base64, e);
      }
      return e as E;
    },
  };
}

let lazy: Arena | undefined;
/** The arena that plans use when none is given: one per thread, made on first use. */
export function defaultArena(): Arena {
  lazy ??= arena();
  return lazy;
}

/** True where WebAssembly with SIMD can be compiled here and now (a strict content-security policy can forbid it). */
export function wasmAvailable(): boolean {
  try {
    // A module whose one function uses v128: (func (result v128) i32.const 0 i8x16.splat)
    return WebAssembly.validate(
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11),
    );
  } catch {
    return false;
  }
}
