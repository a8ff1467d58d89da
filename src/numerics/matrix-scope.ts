import type { Arena } from "../kernels/memory.js";

/** Run `body` with blocks of the given sizes (bytes), which are freed afterwards, also when it throws. Take views inside. */
export function scoped<T>(arena: Arena, bytes: readonly number[], body: (pointers: readonly number[]) => T): T {
  const pointers: number[] = [];
  try {
    for (const b of bytes) pointers.push(arena.alloc(b));
    return body(pointers);
  } finally {
    for (const p of pointers) arena.free(p);
  }
}

/** Blocks that are taken one by one and freed together. */
export function blocks(arena: Arena): { readonly alloc: (bytes: number) => number; readonly free: () => void } {
  const pointers: number[] = [];
  return {
    alloc: (bytes) => {
      const p = arena.alloc(bytes);
      pointers.push(p);
      return p;
    },
    free: () => {
      for (const p of pointers.splice(0)) arena.free(p);
    },
  };
}
