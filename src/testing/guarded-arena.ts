import type { Arena } from "../kernels/memory.js";

/** Bytes of pattern behind a block: a kernel that asks for a part of its scratch lands well past the end. */
const guard = (room: number): number => Math.max(1 << 16, 6 * room);

/**
 * An arena whose blocks are followed by several times their size of a known pattern. `overrun` says how many blocks were written past their end: a kernel
 * that asks for less scratch than it uses spoils its neighbours without a word otherwise.
 */
export function guardedArena(inner: Arena): { readonly arena: Arena; overrun(): number } {
  const size = new Map<number, number>();
  let spoilt = 0;
  const whole = (ptr: number): boolean => inner.u8(ptr + size.get(ptr)!, guard(size.get(ptr)!)).every((b) => b === 0xa5);
  const arena: Arena = {
    ...inner,
    alloc: (bytes) => {
      const room = Math.ceil(bytes / 64) * 64,
        ptr = inner.alloc(room + guard(room));
      size.set(ptr, room);
      inner.u8(ptr + room, guard(room)).fill(0xa5);
      return ptr;
    },
    free: (ptr) => {
      if (!whole(ptr)) spoilt++;
      size.delete(ptr);
      inner.free(ptr);
    },
  };
  return { arena, overrun: () => spoilt + [...size.keys()].filter((p) => !whole(p)).length };
}
