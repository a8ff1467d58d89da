import { elementTable } from "./tables/elements.js";

/** A chemical element. Lengths in Å, mass in u; NaN where the source has no value. */
export interface Element {
  readonly z: number;
  readonly symbol: string;
  readonly name: string;
  readonly mass: number;
  readonly covalentRadius: number;
  readonly vdwRadius: number;
}

/** Element of a symbol ("Si", "SI", "D" for hydrogen) or atomic number; undefined when there is none. */
export function element(of: string | number): Element | undefined {
  const symbol = typeof of === "string" ? canonical(of) : "";
  const i = typeof of === "number" ? of - 1 : elementTable.findIndex((e) => e[0] === symbol);
  const e = elementTable[i];
  return e && { z: i + 1, symbol: e[0], name: e[1], mass: e[2], covalentRadius: e[3], vdwRadius: e[4] };
}
function canonical(symbol: string): string {
  const s = symbol.slice(0, 1).toUpperCase() + symbol.slice(1).toLowerCase();
  return s === "D" || s === "T" ? "H" : s;
}

/** Element and charge of an atom type: "Si", "Fe3+", "O2-", "O-2", "O1-", "Cval", "SI4+". Undefined when no element begins it. */
export function parseAtomType(type: string): { readonly element: string; readonly charge: number } | undefined {
  const m = /^([A-Za-z]+)(?:(\d*\.?\d*)([+-])$|([+-])(\d*\.?\d*)$)?/.exec(type.trim());
  const found = m && elementOfLabel(m[1]!);
  if (!m || !found) return undefined;
  const sign = m[3] ?? m[4],
    size = m[2] ?? m[5];
  return { element: found, charge: sign ? (sign === "-" ? -1 : 1) * Number(size || 1) : 0 };
}
/** Element that an atom label begins with: two letters when they are a symbol ("Si1A", "CA2" is calcium), else one ("Ow", "O12"). */
export function elementOfLabel(label: string): string | undefined {
  const letters = /^[A-Za-z]+/.exec(label.trim())?.[0] ?? "";
  return element(letters.slice(0, 2))?.symbol ?? element(letters.slice(0, 1))?.symbol;
}
