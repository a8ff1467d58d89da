import type { Aberrations } from "./aberrations.js";

/** The same lens with `d` Å more underfocus, whether it names C10 or defocus. */
export function defocused(a: Aberrations | undefined, d: number): Aberrations {
  if (d === 0) return a ?? {};
  return a?.C10 === undefined ? { ...a, defocus: (a?.defocus ?? 0) + d } : { ...a, C10: a.C10 - d };
}
