import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";

/** Atoms of each element, in one formula unit or in the cell; fractions are allowed. */
export type Composition = ReadonlyMap<string, number>;

const cure = 'a composition reads "Na2 Al2 Si3 O12 H4"; charges "Ca2+", brackets "Al2(SO4)3" and hydrates "CuSO4·5H2O" are understood';
const number = /^(?:\d+(?:\.\d+)?|\.\d+)/;

/**
 * Composition from a formula: "Na2 Al2 Si3 O12 H4", "Na2Al2Si3O12H4", "Ca5(PO4)3F", "CuSO4·5H2O". Charges carry no weight: "Si4+" is one ion Si⁴⁺, "O2-3" three ions O²⁻, and
 * only digits right before a sign are a charge.
 * @throws bad-value when the text is empty or a symbol is no element; when a count is zero; when a point may be a hydrate's or a decimal one ("SO4.5H2O")
 */
export function parseComposition(text: string): Composition {
  if (/\d\.\d+H2O/.test(text))
    fail("bad-value", { composition: text }, 'a point before water may be decimal or not: write "CuSO4·5H2O", or "O4.5 H2O" with a blank');
  if (/[([{][^)\]}]*,/.test(text))
    fail("bad-value", { composition: text }, 'a mixed site "(Mg,Fe)2" does not say how much of each: write "Mg1.8 Fe0.2"');
  const plain = text.replace(/[₀-₉]/g, (c) => String(c.charCodeAt(0) - 0x2080)).replace(/["'`]/g, "").trim(); // biome-ignore format: one idea
  const counts = new Map<string, number>();
  for (const part of plain.split(/\s*[·•*∙⋅]\s*|\s+\.\s+|\.(?=[A-Z([])/)) {
    const times = number.exec(part)?.[0] ?? "";
    const { found, rest } = units(part.slice(times.length), text);
    if (rest !== "") fail("bad-value", { composition: text, notRead: rest }, cure);
    for (const [e, n] of found) counts.set(e, (counts.get(e) ?? 0) + n * Number(times || 1));
  }
  if (counts.size === 0 || [...counts.values()].some((n) => !(n > 0)))
    fail("bad-value", { composition: text }, counts.size === 0 ? cure : `every element needs a count above zero; ${cure}`);
  return counts;
}

/** Elements and brackets up to the end of the text or of the bracket. */
function units(text: string, whole: string): { found: Map<string, number>; rest: string } {
  const found = new Map<string, number>();
  let rest = text;
  const take = (pattern: RegExp): string => {
    const t = pattern.exec(rest)?.[0] ?? "";
    rest = rest.slice(t.length);
    return t;
  };
  const count = (): number => {
    const n = take(/^\s*(?:\d+(?:\.\d+)?|\.\d+)(?![\d.]*[+\-−])/);
    return n.trim() === "" ? 1 : Number(n);
  };
  const skip = /^[\s,;_]+/;
  for (;;) {
    take(skip);
    const open = take(/^[([{]/);
    const symbol = open ? "" : take(/^[A-Z][a-z]?/);
    if (!open && !symbol) return { found, rest };
    let inner: ReadonlyMap<string, number>;
    if (open) {
      const within = units(rest, whole);
      rest = within.rest;
      inner = within.found;
      if (!take(/^[)\]}]/)) fail("bad-value", { composition: whole, notRead: open + rest }, `a bracket is not closed; ${cure}`);
    } else {
      const e =
        element(symbol) ??
        fail("bad-value", { composition: whole, symbol }, "the composition names no such element; symbols read Si, not SI");
      inner = new Map([[e.symbol, 1]]);
      take(/^\d*[+\-−]+(?=[\s\d,;)\]}]|[A-Z(]|$)/);
    }
    const n = count();
    for (const [e, k] of inner) found.set(e, (found.get(e) ?? 0) + k * n);
  }
}
