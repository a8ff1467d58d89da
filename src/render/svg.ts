/** A piece of SVG or HTML text that is already well formed. */
export type Markup = string;
type Attributes = Readonly<Record<string, string | number | undefined>>;

/** Text with & < > " ' written as entities, and characters that XML forbids left out. */
export function escapeText(text: string): string {
  let out = "";
  for (const c of text) {
    const code = c.codePointAt(0)!;
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 0xd800 && code < 0xe000) || code === 0xfffe || code === 0xffff)
      continue;
    out += ENTITIES[c] ?? c;
  }
  return out;
}
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** A number in an SVG attribute: at most three decimals, never an exponent or NaN. */
export function svgNumber(v: number): string {
  if (!Number.isFinite(v)) return "0";
  const t = Math.abs(v) < 1e15 ? v.toFixed(3) : String(Math.round(v));
  return t.includes(".") ? t.replace(/\.?0+$/, "").replace(/^-0$/, "0") : t;
}

/** An element. Text children must be escaped by the caller. Undefined attributes are left out. */
export function element(name: string, attributes: Attributes = {}, ...children: readonly Markup[]): Markup {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes))
    if (value !== undefined) text += ` ${key}="${typeof value === "number" ? svgNumber(value) : escapeText(value)}"`;
  return children.length === 0 ? `${text}/>` : `${text}>${children.join("")}</${name}>`;
}

/** Fonts of every figure. */
export const FONT = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";

/** Rough width of a text in a proportional font of the given size. */
export function estimateWidth(text: string, size: number): number {
  let w = 0;
  for (const c of text) w += /[ijlI.,:;'|!()[\]⁻¹ ]/.test(c) ? 0.32 : /[mwMW@%]/.test(c) ? 0.86 : /[A-Z]/.test(c) ? 0.68 : 0.56;
  return w * size;
}

/** A whole SVG document with a title for screen readers. */
export function svgDocument(
  width: number,
  height: number,
  title: string,
  body: Markup,
  background: string | undefined = "#ffffff",
): Markup {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${svgNumber(width)} ${svgNumber(height)}`,
      role: "img",
      "font-family": FONT,
    },
    element("title", {}, escapeText(title)),
    background ? element("rect", { width, height, fill: background }) : "",
    body,
  );
}
