import { fail } from "../core/errors.js";
import { controlPoints } from "./colormap-tables.js";

/** viridis, magma, inferno: perceptually even. gray: linear in sRGB. diverging: about a middle. phase: cyclic. */
export type ColormapName = keyof typeof controlPoints;

/** 256 colours, shape [256, 3], sRGB bytes. */
export type Colormap = Uint8Array;

/** Names of the colour maps. */
export const colormapNames = Object.keys(controlPoints) as readonly ColormapName[];

/** Lookup table of a colour map; `reverse` exchanges the ends (gray reversed: black spots on white). */
export function colormap(name: ColormapName, { reverse = false }: { readonly reverse?: boolean } = {}): Colormap {
  const text = controlPoints[name] ?? fail("not-found", { name }, `the colour maps are ${colormapNames.join(", ")}`);
  const n = text.length / 6,
    out = new Uint8Array(768);
  const byte = (k: number, c: number): number => Number.parseInt(text.slice(6 * k + 2 * c, 6 * k + 2 * c + 2), 16);
  for (let i = 0; i < 256; i++) {
    const t = ((reverse ? 255 - i : i) / 255) * (n - 1),
      k = Math.min(n - 2, Math.floor(t));
    for (let c = 0; c < 3; c++) out[3 * i + c] = Math.round(byte(k, c) + (t - k) * (byte(k + 1, c) - byte(k, c)));
  }
  return out;
}

/** Colour at t in [0, 1] as #rrggbb. */
export function colorAt(map: Colormap, t: number): string {
  const i = 3 * Math.round(255 * Math.min(1, Math.max(0, t)));
  return `#${[0, 1, 2].map((c) => map[i + c]!.toString(16).padStart(2, "0")).join("")}`;
}

/** Eight colours that people with any colour vision tell apart. @see Okabe & Ito (2008), https://jfly.uni-koeln.de/color */
export const palette: readonly string[] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#b8a900"];

/** Red, green, blue, alpha in 0…255 of #rgb, #rrggbb or #rrggbbaa. @throws bad-value */
export function parseColor(text: string): readonly [number, number, number, number] {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/i.exec(text);
  const t = short ? `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}` : text;
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})?$/i.exec(t);
  if (!m) return fail("bad-value", { color: text }, "colours are written #rgb, #rrggbb or #rrggbbaa");
  return [1, 2, 3, 4].map((k) => (m[k] === undefined ? 255 : Number.parseInt(m[k], 16))) as unknown as [number, number, number, number];
}
