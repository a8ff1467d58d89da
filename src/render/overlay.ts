/** How a mark is drawn; colours are #rrggbb or #rrggbbaa, widths in pixels of the finished picture. */
export interface Stroke {
  readonly color?: string | undefined;
  readonly width?: number | undefined;
  /** Name in the legend; marks without one are not listed. */
  readonly label?: string | undefined;
}
export type SpotShape = "circle" | "cross" | "plus" | "square" | "dot";

/** Things drawn over an image. Positions are image pixels, integer values at pixel centres, x along the rows. */
export type Overlay =
  | (Stroke & {
      readonly kind: "spots";
      readonly x: ArrayLike<number>;
      readonly y: ArrayLike<number>;
      readonly shape?: SpotShape | undefined;
      /** Image pixels, 5; one for all or one each. */
      readonly radius?: number | ArrayLike<number> | undefined;
      /** A text beside each spot, e.g. its indices. */
      readonly texts?: readonly string[] | undefined;
    })
  | (Stroke & { readonly kind: "line"; readonly from: readonly [x: number, y: number]; readonly to: readonly [x: number, y: number] })
  | (Stroke & {
      readonly kind: "polygon";
      /** x0, y0, x1, y1, … */
      readonly points: ArrayLike<number>;
      readonly closed?: boolean | undefined;
      readonly fill?: string | undefined;
    })
  | (Stroke & {
      readonly kind: "ring";
      readonly centre: readonly [x: number, y: number];
      readonly radius: number;
      /** A text at the top of the ring, e.g. its resolution. */
      readonly text?: string | undefined;
    })
  | (Stroke & {
      readonly kind: "text";
      readonly x: number;
      readonly y: number;
      readonly text: string;
      readonly anchor?: "start" | "middle" | "end" | undefined;
    });

/** Length of one image pixel in a unit (nm, Å, Å⁻¹ …), from which a scale bar is made. */
export interface ScaleBar {
  readonly pixelSize: number;
  readonly unit: string;
  /** Wanted length in the unit; by default the 1-2-5 number nearest to a fifth of the width. */
  readonly length?: number | undefined;
}

/** 1, 2 or 5 times a power of ten, at most `limit`. */
export function roundLength(limit: number): number {
  const power = 10 ** Math.floor(Math.log10(limit));
  for (const m of [5, 2]) if (m * power <= limit * (1 + 1e-9)) return m * power;
  return power;
}

/** Length of a scale bar in its unit and in image pixels. */
export function scaleBarLength(
  { pixelSize, unit, length }: ScaleBar,
  imageWidth: number,
): { readonly pixels: number; readonly text: string } {
  const l = length ?? roundLength(0.25 * imageWidth * pixelSize);
  return { pixels: l / pixelSize, text: `${Number(l.toPrecision(6))} ${unit}` };
}
