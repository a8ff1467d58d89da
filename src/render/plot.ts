import { fail } from "../core/errors.js";
import { palette } from "./colormap.js";
import { bounds, type Frame, type Mark, markSvg, swatch } from "./plot-marks.js";
import { element, escapeText, estimateWidth, type Markup, svgDocument } from "./svg.js";
import { logTicks, niceTicks, type Ticks } from "./ticks.js";

export interface Axis {
  /** What it shows, with the unit: "resolution (Å⁻¹)". */
  readonly label?: string | undefined;
  readonly range?: readonly [number, number] | undefined;
  readonly kind?: "linear" | "log" | undefined;
  /** Own marks, e.g. names of groups. */
  readonly ticks?: { readonly values: readonly number[]; readonly texts: readonly string[] } | undefined;
  /** Largest value at the bottom or left. */
  readonly reverse?: boolean | undefined;
}
export interface Plot {
  readonly title?: string | undefined;
  readonly x?: Axis | undefined;
  readonly y?: Axis | undefined;
  readonly marks: readonly Mark[];
  /** Size of the picture, pixels, 480 × 320. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /** Where the legend of the labelled marks stands: by default the corner with least in it; "none" leaves it out. */
  readonly legend?: "top-right" | "top-left" | "bottom-right" | "bottom-left" | "right" | "none" | undefined;
  /** One unit is equally long on both axes. */
  readonly equal?: boolean | undefined;
  readonly grid?: boolean | undefined;
}

const INK = "#222222",
  SMALL = 11,
  LABEL = 12.5,
  TITLE = 13.5;

function extent(values: readonly [number, number], axis: Axis | undefined): [number, number] {
  if (axis?.range) {
    const [a, b] = axis.range;
    if (!(a < b && Number.isFinite(b - a)) || (axis.kind === "log" && !(a > 0)))
      fail("out-of-range", { range: axis.range, kind: axis.kind }, "an axis range rises, is finite, and on a log axis is above 0");
    return [a, b];
  }
  let [a, b] = values;
  if (!(a <= b)) return axis?.kind === "log" ? [1, 10] : [0, 1];
  if (axis?.kind === "log") {
    if (a === b) return [a / 2, b * 2];
    const pad = (b / a) ** 0.04;
    return [a / pad, b * pad];
  }
  if (a === b) [a, b] = a === 0 ? [-1, 1] : [a - 0.1 * Math.abs(a), b + 0.1 * Math.abs(b)];
  const pad = 0.04 * (b - a);
  // A range that starts at zero stays there: bars and counts stand on the axis.
  return [a === 0 ? 0 : a - pad, b === 0 ? 0 : b + pad];
}

/** The inside of a plot, without the svg element, for multi-panel figures. */
export function plotBody(plot: Plot, width: number, height: number): Markup {
  return drawPlot(plot, width, height).markup;
}

/** The inside of a plot and where its frame came to lie. */
export function drawPlot(plot: Plot, width: number, height: number): { readonly markup: Markup; readonly frame: Frame } {
  const marks = plot.marks.map((m, k) => ({ ...m, color: m.color ?? palette[k % palette.length]! }));
  const box = bounds(marks, plot.x?.kind === "log", plot.y?.kind === "log");
  let xr = extent([box[0], box[1]], plot.x),
    yr = extent([box[2], box[3]], plot.y);
  const ticksOf = (r: readonly [number, number], axis: Axis | undefined, pixels: number): Ticks =>
    axis?.ticks
      ? { ...axis.ticks, minor: [] }
      : axis?.kind === "log"
        ? logTicks(r[0], r[1])
        : niceTicks(r[0], r[1], Math.max(2, Math.round(pixels / 75)));
  const labelled = marks.filter((m) => m.label),
    aside = plot.legend === "right" && labelled.length > 0 ? Math.max(...labelled.map((m) => estimateWidth(m.label!, SMALL))) + 40 : 0;
  const top = plot.title ? 34 : 14,
    bottom = plot.x?.label ? 48 : 30;
  let yt = ticksOf(yr, plot.y, (height - top - bottom) * 1.3);
  const left = (plot.y?.label ? 24 : 8) + 8 + Math.max(12, ...yt.texts.map((t) => estimateWidth(t, SMALL))),
    right = 14 + aside;
  let w = width - left - right,
    h = height - top - bottom,
    x0 = left,
    y0 = top;
  if (!(w > 20 && h > 20))
    fail("out-of-range", { width, height }, "the plot is too small for its axes; 200 × 150 pixels is a sensible least");
  if (plot.equal) {
    const wide = (xr[1] - xr[0]) / w > (yr[1] - yr[0]) / h,
      per = wide ? (xr[1] - xr[0]) / w : (yr[1] - yr[0]) / h;
    if (plot.x?.range && plot.y?.range) {
      // Both ranges are wanted: the frame gives way.
      const fw = (xr[1] - xr[0]) / per,
        fh = (yr[1] - yr[0]) / per;
      x0 += (w - fw) / 2;
      y0 += (h - fh) / 2;
      w = fw;
      h = fh;
    } else {
      const grow = (r: [number, number], pixels: number): [number, number] => {
        const extra = (per * pixels - (r[1] - r[0])) / 2;
        return [r[0] - extra, r[1] + extra];
      };
      xr = grow(xr, w);
      yr = grow(yr, h);
      yt = ticksOf(yr, plot.y, h * 1.3);
    }
  }
  const map = (axis: Axis | undefined, [a, b]: readonly [number, number], from: number, to: number): ((v: number) => number) => {
    const [p, q] = axis?.reverse ? [to, from] : [from, to];
    if (axis?.kind === "log") return (v) => p + ((Math.log(v) - Math.log(a)) / (Math.log(b) - Math.log(a))) * (q - p);
    return (v) => p + ((v - a) / (b - a)) * (q - p);
  };
  const frame: Frame = {
    x: map(plot.x, xr, x0, x0 + w),
    y: map(plot.y, yr, y0 + h, y0),
    left: x0,
    top: y0,
    width: w,
    height: h,
    xRange: xr,
    yRange: yr,
  };
  const xt = ticksOf(xr, plot.x, w),
    parts: Markup[] = [];
  const inside = (p: number, from: number, size: number): boolean => p >= from - 0.01 && p <= from + size + 0.01;
  if (plot.grid) {
    for (const v of xt.values)
      if (inside(frame.x(v), x0, w))
        parts.push(element("line", { x1: frame.x(v), x2: frame.x(v), y1: y0, y2: y0 + h, stroke: "#e6e6e6", "stroke-width": 0.8 }));
    for (const v of yt.values)
      if (inside(frame.y(v), y0, h))
        parts.push(element("line", { x1: x0, x2: x0 + w, y1: frame.y(v), y2: frame.y(v), stroke: "#e6e6e6", "stroke-width": 0.8 }));
  }
  // A nested svg clips the marks to the frame without an id that could clash in a page with many figures.
  parts.push(
    element(
      "svg",
      {
        x: x0,
        y: y0,
        width: w,
        height: h,
        viewBox: `${x0.toFixed(3)} ${y0.toFixed(3)} ${w.toFixed(3)} ${h.toFixed(3)}`,
        overflow: "hidden",
      },
      ...marks.map((m) => markSvg(m, frame)),
      "",
    ),
  );
  const line = { stroke: INK, "stroke-width": 1 };
  parts.push(element("rect", { x: x0, y: y0, width: w, height: h, fill: "none", ...line }));
  for (const [ticks, alongX] of [
    [xt, true],
    [yt, false],
  ] as const) {
    const mark = (v: number, size: number): void => {
      const p = alongX ? frame.x(v) : frame.y(v);
      if (!(alongX ? inside(p, x0, w) : inside(p, y0, h))) return;
      parts.push(
        alongX
          ? element("line", { x1: p, x2: p, y1: y0 + h, y2: y0 + h + size, ...line })
          : element("line", { x1: x0 - size, x2: x0, y1: p, y2: p, ...line }),
      );
    };
    for (const v of ticks.minor) mark(v, 2.5);
    ticks.values.forEach((v, k) => {
      mark(v, 5);
      const p = alongX ? frame.x(v) : frame.y(v);
      if (!(alongX ? inside(p, x0, w) : inside(p, y0, h))) return;
      parts.push(
        alongX
          ? element("text", { x: p, y: y0 + h + 17, "text-anchor": "middle", "font-size": SMALL, fill: INK }, escapeText(ticks.texts[k]!))
          : element(
              "text",
              { x: x0 - 8, y: p + 0.35 * SMALL, "text-anchor": "end", "font-size": SMALL, fill: INK },
              escapeText(ticks.texts[k]!),
            ),
      );
    });
  }
  if (plot.x?.label)
    parts.push(
      element("text", { x: x0 + w / 2, y: y0 + h + 37, "text-anchor": "middle", "font-size": LABEL, fill: INK }, escapeText(plot.x.label)),
    );
  if (plot.y?.label) {
    const lx = x0 - left + 15,
      ly = y0 + h / 2;
    parts.push(
      element(
        "text",
        {
          x: lx,
          y: ly,
          "text-anchor": "middle",
          "font-size": LABEL,
          fill: INK,
          transform: `rotate(-90 ${lx.toFixed(2)} ${ly.toFixed(2)})`,
        },
        escapeText(plot.y.label),
      ),
    );
  }
  if (plot.title)
    parts.push(
      element(
        "text",
        { x: x0 + w / 2, y: y0 - 12, "text-anchor": "middle", "font-size": TITLE, "font-weight": 600, fill: INK },
        escapeText(plot.title),
      ),
    );
  if (labelled.length > 0 && plot.legend !== "none") {
    const lw = Math.max(...labelled.map((m) => estimateWidth(m.label!, SMALL))) + 38,
      lh = 17 * labelled.length + 8,
      where = plot.legend ?? emptiestCorner(marks, frame, lw + 8, lh + 8);
    const lx = where === "right" ? x0 + w + 4 : where.endsWith("left") ? x0 + 8 : x0 + w - lw - 8,
      ly = where === "right" ? y0 : where.startsWith("top") ? y0 + 8 : y0 + h - lh - 8;
    if (where !== "right")
      parts.push(
        element("rect", {
          x: lx,
          y: ly,
          width: lw,
          height: lh,
          rx: 2,
          fill: "#ffffff",
          "fill-opacity": 0.85,
          stroke: "#bbbbbb",
          "stroke-width": 0.6,
        }),
      );
    labelled.forEach((m, k) => {
      const y = ly + 4 + 17 * (k + 0.5);
      parts.push(
        swatch(m, lx + 16, y),
        element("text", { x: lx + 32, y: y + 0.35 * SMALL, "font-size": SMALL, fill: INK }, escapeText(m.label!)),
      );
    });
  }
  return { markup: parts.join(""), frame };
}

const CORNERS = ["top-right", "top-left", "bottom-right", "bottom-left"] as const;

/** The corner whose box of the given size holds the fewest points of the marks; the earlier of equals. */
function emptiestCorner(marks: readonly Mark[], f: Frame, w: number, h: number): (typeof CORNERS)[number] {
  const counts = CORNERS.map((corner) => {
    const x0 = corner.endsWith("left") ? f.left : f.left + f.width - w,
      y0 = corner.startsWith("top") ? f.top : f.top + f.height - h;
    let n = 0;
    const hit = (px: number, py: number): void => {
      if (px >= x0 && px <= x0 + w && py >= y0 && py <= y0 + h) n++;
    };
    for (const m of marks) {
      if (m.kind === "line" || m.kind === "points" || m.kind === "errors")
        for (let k = 0; k < m.x.length; k++) hit(f.x(m.x[k]!), f.y(m.y[k]!));
      else if (m.kind === "bars" || m.kind === "steps") {
        // Bars fill down to the axis: what counts is whether their top reaches into or above the box.
        const values = m.kind === "bars" ? m.y : m.counts;
        for (let k = 0; k < values.length; k++) {
          const px = f.x(m.kind === "bars" ? m.x[k]! : (m.edges[k]! + m.edges[k + 1]!) / 2),
            py = f.y(values[k]!);
          if (px >= x0 && px <= x0 + w && py <= y0 + h) n++;
        }
      }
    }
    return n;
  });
  return CORNERS[counts.indexOf(Math.min(...counts))]!;
}

/** A plot as an SVG document. */
export function plotSvg(plot: Plot): Markup {
  const { width = 480, height = 320 } = plot;
  return svgDocument(
    width,
    height,
    plot.title ?? [plot.y?.label, plot.x?.label].filter(Boolean).join(" against ") ?? "plot",
    plotBody(plot, width, height),
  );
}
