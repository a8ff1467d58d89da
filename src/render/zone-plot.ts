import { plotSvg } from "./plot.js";
import type { Mark } from "./plot-marks.js";
import type { Markup } from "./svg.js";
import { shortNumber } from "./ticks.js";

export interface ZonePlot {
  /** Positions in the plane, Å⁻¹ (or any unit, see `unit`). */
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** Areas of the disks are proportional to these; equal disks when absent. */
  readonly intensity?: ArrayLike<number>;
  readonly texts?: readonly string[];
  readonly colors?: readonly string[];
  /** Radii of resolution rings, labelled with d = 1/r in Å when the unit is Å⁻¹. */
  readonly rings?: readonly number[];
  /** Directions drawn from the centre, with names such as a*. */
  readonly axes?: readonly { readonly x: number; readonly y: number; readonly name: string }[];
  readonly unit?: string;
  readonly title?: string;
  readonly size?: number;
  /** Largest radius shown. */
  readonly limit?: number;
}

/** Section of a reciprocal lattice: disks by intensity, resolution rings, axes; one unit equally long both ways. */
export function zonePlotSvg(zone: ZonePlot): Markup {
  const { unit = "Å⁻¹", size = 460 } = zone;
  let limit = zone.limit ?? 0,
    most = 0;
  for (let k = 0; k < zone.x.length; k++) {
    if (zone.limit === undefined) limit = Math.max(limit, 1.08 * Math.hypot(zone.x[k]!, zone.y[k]!) || 0);
    most = Math.max(most, zone.intensity?.[k] ?? 1);
  }
  if (!(limit > 0)) limit = 1;
  const marks: Mark[] = [];
  for (const r of zone.rings ?? []) {
    marks.push({ kind: "ring", x: 0, y: 0, radius: r, color: "#9aa5b1", dash: "3 3", width: 0.8 });
    marks.push({
      kind: "text",
      x: r * Math.SQRT1_2,
      y: -r * Math.SQRT1_2,
      text: unit === "Å⁻¹" ? `${shortNumber(Number((1 / r).toPrecision(3)))} Å` : `${shortNumber(r)} ${unit}`,
      color: "#66717d",
      size: 9.5,
      anchor: "middle",
    });
  }
  for (const a of zone.axes ?? []) {
    marks.push({ kind: "line", x: [0, a.x], y: [0, a.y], color: "#d55e00", width: 1.4 });
    marks.push({ kind: "text", x: 1.06 * a.x, y: 1.06 * a.y, text: a.name, color: "#d55e00", anchor: "middle", size: 12 });
  }
  const sizes = Float64Array.from({ length: zone.x.length }, (_, k) =>
    zone.intensity ? Math.max(1.2, 16 * Math.sqrt(Math.max(0, zone.intensity[k]!) / (most || 1))) : 4.5,
  );
  marks.push({ kind: "points", x: zone.x, y: zone.y, size: sizes, color: "#1b2a41", ...(zone.colors ? { colors: zone.colors } : {}) });
  zone.texts?.forEach((text, k) => {
    if (text) marks.push({ kind: "text", x: zone.x[k]! + 0.02 * limit, y: zone.y[k]! + 0.03 * limit, text, color: "#333333", size: 9 });
  });
  marks.push({ kind: "points", x: [0], y: [0], shape: "plus", size: 9, color: "#d55e00" });
  return plotSvg({
    title: zone.title,
    marks,
    width: size + 46,
    height: size + (zone.title ? 60 : 40),
    equal: true,
    legend: "none",
    x: { label: `x (${unit})`, range: [-limit, limit] },
    y: { label: `y (${unit})`, range: [-limit, limit] },
  });
}
