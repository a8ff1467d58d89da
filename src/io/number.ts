/** A number with its standard uncertainty (s.u.), as 1.234(5) states it. NaN: no number, or no s.u. given. */
export interface Measured {
  readonly value: number;
  readonly su: number;
}

const zero = 48;

/** Powers of ten that are exact in binary64: 10^22 = 2^22 · 5^22 and 5^22 < 2^53. */
const exactPowers = 22;

/**
 * A decimal number, or NaN. Takes what CIF calls a number without s.u. (`-12`, `.5`, `1.`, `1.5E-3`, and Fortran's `1.5D-3`);
 * refuses what `Number` would let through (blank, `0x10`, `Infinity`). Correctly rounded: up to 15 digits and powers of ten to 22
 * by exact arithmetic (Clinger 1990), everything else by `Number`.
 */
export function parseNumber(text: string): number {
  const n = text.length;
  let i = 0,
    sign = 1;
  const first = text.charCodeAt(0);
  if (first === 45) {
    sign = -1;
    i = 1;
  } else if (first === 43) i = 1;
  let mantissa = 0,
    digits = 0,
    scale = 0,
    seen = false;
  for (; i < n; i++) {
    const d = text.charCodeAt(i) - zero;
    if (d < 0 || d > 9) break;
    seen = true;
    mantissa = mantissa * 10 + d;
    if (mantissa > 0) digits++;
  }
  if (i < n && text.charCodeAt(i) === 46) {
    for (i++; i < n; i++) {
      const d = text.charCodeAt(i) - zero;
      if (d < 0 || d > 9) break;
      seen = true;
      mantissa = mantissa * 10 + d;
      if (mantissa > 0) digits++;
      scale++;
    }
  }
  if (!seen) return Number.NaN;
  if (i === n && digits <= 15 && scale <= exactPowers) return (sign * mantissa) / 10 ** scale;
  if (i < n) {
    const e = text.charCodeAt(i) | 32;
    if (e !== 101 && e !== 100) return Number.NaN; // neither e nor d
    let j = i + 1;
    const s = text.charCodeAt(j);
    if (s === 43 || s === 45) j++;
    if (j >= n) return Number.NaN;
    for (; j < n; j++) {
      const d = text.charCodeAt(j) - zero;
      if (d < 0 || d > 9) return Number.NaN;
    }
    return Number(e === 100 ? `${text.slice(0, i)}e${text.slice(i + 1)}` : text);
  }
  return Number(text);
}

/** An integer, or NaN when the text is not one. */
export function parseInteger(text: string): number {
  const v = parseNumber(text);
  return Number.isInteger(v) ? v : Number.NaN;
}

/**
 * A number with its s.u. in units of the last digit: `1.234(5)` is 1.234 ± 0.005, `123(4)E2` is 12300 ± 400; `1.234(0.005)`,
 * with the s.u. written out, is taken too. Both are NaN for text that is no number.
 */
export function parseSu(text: string): Measured {
  const open = text.indexOf("(");
  if (open < 0) return { value: parseNumber(text), su: Number.NaN };
  const close = text.indexOf(")", open);
  if (open === 0 || close < 0) return { value: Number.NaN, su: Number.NaN };
  const head = text.slice(0, open),
    tail = text.slice(close + 1),
    digits = text.slice(open + 1, close);
  const value = parseNumber(head + tail),
    raw = parseNumber(digits);
  if (Number.isNaN(value) || Number.isNaN(raw)) return { value: Number.NaN, su: Number.NaN };
  const exponent = tail === "" ? 0 : parseNumber(tail.replace(/^[eEdD]/, ""));
  if (digits.includes(".")) return { value, su: parseNumber(digits + tail) };
  const point = head.search(/[.]/);
  const mantissa = head.search(/[eEdD]/) >= 0 ? Number.NaN : point < 0 ? 0 : head.length - point - 1;
  return { value, su: Number(`${raw}e${exponent - mantissa}`) };
}

/**
 * Write a value with its s.u.: `formatSu(1.23456, 0.0042)` is `1.235(4)`. The s.u. keeps two digits while they are at most `rule` (19,
 * the rule of the IUCr journals), else one. Without an s.u. (NaN or 0) the value is written with `decimals` places, by default as short
 * as it reads back exactly.
 */
export function formatSu(value: number, su: number, { rule = 19, decimals }: { rule?: number; decimals?: number } = {}): string {
  if (!Number.isFinite(value)) return "?";
  if (!(su > 0) || !Number.isFinite(su)) return decimals === undefined ? plainNumber(value) : value.toFixed(Math.min(100, decimals));
  let places = -Math.floor(Math.log10(su)); // the place of the s.u.'s first digit
  if (Math.round(su * 10 ** (places + 1)) <= rule) places++;
  else if (Math.round(su * 10 ** places) >= 10 && rule < 10) places--;
  if (places > 60 || places < -60) return `${plainNumber(value)}`;
  if (places > 0) return `${value.toFixed(places)}(${Math.round(su * 10 ** places)})`;
  const unit = 10 ** -places; // an s.u. of 10 and more is written out in full: 12340(50)
  return `${Math.round(value / unit) * unit}(${Math.round(su / unit) * unit})`;
}

/** Shortest text that reads back as the same number, in the form CIF allows (no `Infinity`, exponent as `e-7`). */
export function plainNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : "?";
}

/** Right-aligned fixed-point field, as printf `%w.df` writes it: wider numbers push the field open rather than lose digits. */
export function fixedField(value: number, width: number, decimals: number): string {
  return value.toFixed(decimals).padStart(width);
}

/**
 * A real number in a field of exactly `width` characters with as many decimals as fit, at most `decimals`, as Fortran writers of
 * fixed columns (JANA, SHELX) do. A number too large even without decimals is written with an exponent where that fits.
 * @returns undefined when nothing fits
 */
export function fittedField(value: number, width: number, decimals: number): string | undefined {
  for (let d = decimals; d >= 0; d--) {
    const text = value.toFixed(d);
    if (text.length <= width && !text.includes("e")) return text.padStart(width);
  }
  for (let d = width - 6; d >= 0; d--) {
    const text = value.toExponential(d);
    if (text.length <= width) return text.padStart(width);
  }
  return undefined;
}
