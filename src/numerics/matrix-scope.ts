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
