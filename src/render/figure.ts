import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import { type ColormapName, colorAt, colormap } from "./colormap.js";
import { levels, type Scale } from "./levels.js";
import { type Axis, drawPlot, type Plot, plotBody } from "./plot.js";
import type { Mark } from "./plot-marks.js";
import { element, escapeText, type Markup, svgDocument } from "./svg.js";
import { logTicks, niceTicks } from "./ticks.js";

/** Several plots on a grid, lettered (a), (b), … row by row. */
export function figureSvg(
  plots: readonly Plot[],
  {
    columns = Math.min(2, plots.length),
    panelWidth = 420,
    panelHeight = 300,
    letters = true,
    title = "figure",
  }: {
    readonly columns?: number;
    readonly panelWidth?: number;
    readonly panelHeight?: number;
    readonly letters?: boolean;
    readonly title?: string;
  } = {},
): Markup {
  if (plots.length === 0 || !(columns >= 1))
    fail("bad-value", { plots: plots.length, columns }, "a figure has at least one panel and one column");
  const rows = Math.ceil(plots.length / columns);
  const body = plots.map((p, k) =>
    element(
      "g",
      { transform: `translate(${(k % columns) * panelWidth} ${Math.floor(k / columns) * panelHeight + 12})` },
      plotBody(p, panelWidth, panelHeight - 12),
      letters
        ? element("text", { x: 4, y: 8, "font-size": 14, "font-weight": 700, fill: "#222222" }, `(${String.fromCharCode(97 + (k % 26))})`)
        : "",
    ),
  );
  return svgDocument(columns * panelWidth, rows * panelHeight, title, body.join(""));
}

export interface HeatMap {
  readonly image: Image<TypedArray>;
  /** Axis coordinates of the outer edges; pixels by default. */
  readonly xRange?: readonly [number, number];
  readonly yRange?: readonly [number, number];
  readonly x?: Axis;
  readonly y?: Axis;
  readonly scale?: Scale;
  readonly colormap?: ColormapName;
  readonly reverse?: boolean;
  /** Text along the colour bar, with the unit. */
  readonly valueLabel?: string;
  readonly title?: string;
  /** Further marks in axis coordinates. */
  readonly marks?: readonly Mark[];
  readonly width?: number;
  readonly height?: number;
  readonly equal?: boolean;
}

/** A map of values with axes and a colour bar. Row 0 is at the bottom unless the y axis is reversed, as images are shown: then at the top. */
export function heatMapSvg(map: HeatMap): Markup {
  const [ny, nx] = map.image.shape,
    { width = 480, height = 380 } = map,
    bar = 74;
  const xRange = map.xRange ?? [-0.5, nx - 0.5],
    yRange = map.yRange ?? [-0.5, ny - 0.5];
  // The ends are fixed once, so that picture and bar agree.
  const l = levels(map.image.data, map.scale ?? {});
  const scale: Scale = { ...map.scale, range: [l.low, l.high] };
  const plot: Plot = {
    title: map.title,
    x: { range: xRange, ...map.x },
    y: { range: yRange, ...map.y },
    equal: map.equal ?? false,
    marks: [
      {
        kind: "image",
        image: map.image,
        x: xRange,
        y: yRange,
        scale,
        ...(map.colormap ? { colormap: map.colormap } : {}),
        ...(map.reverse ? { reverse: true } : {}),
      },
      ...(map.marks ?? []),
    ],
  };
  const { markup, frame } = drawPlot(plot, width - bar, height);
  const x = frame.left + frame.width + 14,
    top = frame.top,
    h = frame.height,
    table = colormap(map.colormap ?? "viridis", { reverse: map.reverse ?? false });
  const parts = [markup];
  for (let k = 0; k < 64; k++)
    parts.push(element("rect", { x, y: top + (h * (63 - k)) / 64 - 0.3, width: 14, height: h / 64 + 0.6, fill: colorAt(table, k / 63) }));
  parts.push(element("rect", { x, y: top, width: 14, height: h, fill: "none", stroke: "#222222" }));
  const ticks = l.kind === "log" ? logTicks(l.low, l.high) : niceTicks(l.low, l.high, Math.max(2, Math.round(h / 55)));
  ticks.values.forEach((v, k) => {
    const y = top + h * (1 - l.position(v));
    parts.push(
      element("line", { x1: x + 14, x2: x + 18, y1: y, y2: y, stroke: "#222222" }),
      element("text", { x: x + 21, y: y + 3.8, "font-size": 10.5, fill: "#222222" }, escapeText(ticks.texts[k]!)),
    );
  });
  if (map.valueLabel) {
    const lx = x + 62,
      ly = top + h / 2;
    parts.push(
      element(
        "text",
        { x: lx, y: ly, "font-size": 11.5, "text-anchor": "middle", fill: "#222222", transform: `rotate(-90 ${lx} ${ly})` },
        escapeText(map.valueLabel),
      ),
    );
  }
  return svgDocument(width, height, map.title ?? map.valueLabel ?? "heat map", parts.join(""));
}
