import type { Image, TypedArray } from "../core/image.js";
import { latticePoints, predictSpots } from "../geometry/predict.js";
import { rockingFromSpots } from "../integration/frame-orientation-series.js";
import { imagePng, type Markup, type Plot, plotSvg } from "../render/index.js";
import type { ProcessingRecord } from "./process.js";

type V = readonly [number, number, number];
const unit = ([x, y, z]: V): V => {
  const n = Math.hypot(x, y, z);
  return [x / n, y / n, z / n];
};
const crossed = (a: V, b: V): V => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];

/** Columns a*, b*, c* of UB, Å⁻¹, sample frame. */
export function reciprocalAxes({ ub }: ProcessingRecord): readonly [V, V, V] {
  return [
    [ub[0], ub[3], ub[6]],
    [ub[1], ub[4], ub[7]],
    [ub[2], ub[5], ub[8]],
  ];
}

/** A frame with the spots found (circles) and predicted (crosses), the direct beam and resolution rings. */
export function framePicture(record: ProcessingRecord, index: number, frame: Image<TypedArray>): Uint8Array {
  const found = record.frames[index]!.spots,
    geometry = record.geometry[index]!,
    scale = record.instrument.detector.invAngstromPerPixel;
  const centre = geometry.centrePx ?? record.instrument.detector.centrePx;
  const rocking = record.orientations?.rocking ?? rockingFromSpots(record.peaks, record.ub, record.instrument, record.geometry);
  const gMax = Math.max(
    ...Array.from({ length: found.size }, (_, i) => Math.hypot(found.x[i]! - centre[0], found.y[i]! - centre[1]) * scale),
    0.3,
  );
  const spots = predictSpots(latticePoints(record.ub, { gMax }), record.instrument, geometry, { rocking, cut: 2 });
  const rings = [2, 1, 0.8, 0.6].filter((d) => 1 / d < gMax * 1.05);
  return imagePng(frame, {
    scale: { kind: "symlog", percentiles: [5, 99.8] },
    reverse: true,
    zoom: Math.max(1, Math.min(2, Math.round(900 / frame.shape[1]))),
    legend: true,
    scaleBar: { pixelSize: scale, unit: "Å⁻¹" },
    overlays: [
      ...rings.map((d) => ({ kind: "ring" as const, centre, radius: 1 / (d * scale), text: `${d} Å`, color: "#7a9cc6" })),
      {
        kind: "spots",
        shape: "circle",
        x: found.x,
        y: found.y,
        radius: record.settings.diameter / 2 + 1,
        color: "#d1495b",
        label: "found",
      },
      {
        kind: "spots",
        shape: "plus",
        x: Float64Array.from({ length: spots.size }, (_, i) => spots.px[2 * i]!),
        y: Float64Array.from({ length: spots.size }, (_, i) => spots.px[2 * i + 1]!),
        radius: 3,
        color: "#1c7293",
        label: "predicted",
      },
    ],
  });
}

/** The 3-D maxima projected along one reciprocal axis, with the lattice as a grid. */
export function reciprocalProjection(record: ProcessingRecord, along: 0 | 1 | 2): Plot {
  const axes = reciprocalAxes(record),
    names = ["a*", "b*", "c*"],
    first = axes[((along + 1) % 3) as 0],
    second = axes[((along + 2) % 3) as 0];
  // Project along the direct axis of that name: it is normal to the two others, so their rows show as rows.
  const z = unit(crossed(first, second)),
    x = unit(first),
    y = crossed(z, x),
    { vectors, indexed, indexing } = record;
  const put = (keep: (i: number) => boolean): { x: number[]; y: number[] } => {
    const out = { x: [] as number[], y: [] as number[] };
    for (let i = 0; i < indexing.maxima.size; i++) {
      if (!keep(i)) continue;
      const v: V = [vectors[3 * i]!, vectors[3 * i + 1]!, vectors[3 * i + 2]!];
      out.x.push(v[0] * x[0] + v[1] * x[1] + v[2] * x[2]);
      out.y.push(v[0] * y[0] + v[1] * y[1] + v[2] * y[2]);
    }
    return out;
  };
  const dot = (a: V, b: V): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
  const arrow = (v: V, name: string): Plot["marks"][number][] => [
    { kind: "line", x: [0, dot(v, x)], y: [0, dot(v, y)], color: "#222222", width: 1.6 },
    { kind: "text", x: dot(v, x) * 1.25, y: dot(v, y) * 1.25, text: name, anchor: "middle" },
  ];
  return {
    title: `along ${["a", "b", "c"][along]!}`,
    x: { label: "Å⁻¹" },
    y: { label: "Å⁻¹" },
    equal: true,
    width: 420,
    height: 420,
    legend: "top-right",
    marks: [
      { kind: "points", ...put((i) => indexed.indexed[i] === 1), size: 2.2, color: "#1c7293", label: "indexed" },
      { kind: "points", ...put((i) => indexed.indexed[i] !== 1), size: 2.6, color: "#d1495b", label: "not indexed" },
      ...arrow(first, names[(along + 1) % 3]!),
      ...arrow(second, names[(along + 2) % 3]!),
    ],
  };
}

/** Sharpness of the cylindrical projection against the position of the tilt axis. */
export function axisPlot({ indexing, omegaDeg }: ProcessingRecord): Markup | undefined {
  const axis = indexing.axis;
  if (!axis) return undefined;
  return plotSvg({
    title: "tilt-axis search",
    x: { label: "ω (°)" },
    y: { label: "sharpness" },
    width: 560,
    height: 260,
    legend: "top-right",
    marks: [
      { kind: "line", x: axis.coarse.omegaDeg, y: axis.coarse.sharpness, color: "#1c7293" },
      { kind: "rule", x: omegaDeg, color: "#d1495b", dash: "5 3", label: `refined ${omegaDeg.toFixed(2)}°` },
    ],
  });
}

/** Corrections of every frame: the tilt-correction plot, with the scale below it. */
export function correctionPlots(record: ProcessingRecord): readonly Plot[] {
  const c = record.orientations?.corrections;
  if (!c) return [];
  const frame = Float64Array.from(c.alphaDeg.keys()),
    lines = (y: Float64Array, sigma: Float64Array, color: string, label: string): Plot["marks"] => [
      { kind: "errors", x: frame, y, sigmaY: sigma, color, opacity: 0.35 },
      { kind: "points", x: frame, y, size: 3, color, label },
    ];
  return [
    {
      title: "tilt correction",
      x: { label: "frame" },
      y: { label: "correction (°)" },
      legend: "top-right",
      marks: [
        { kind: "rule", y: 0, color: "#999999" },
        ...lines(c.deltaAlphaDeg, c.sigmaAlphaDeg, "#1c7293", "Δα"),
        ...lines(c.deltaBetaDeg, c.sigmaBetaDeg, "#e09f3e", "Δβ"),
        ...lines(c.deltaOmegaDeg, c.sigmaOmegaDeg, "#7b2d59", "Δω"),
      ],
    },
    {
      title: "frame scale",
      x: { label: "frame" },
      y: { label: "scale" },
      marks: [{ kind: "line", x: frame, y: c.scale, color: "#1c7293" }],
    },
  ];
}

/** Spots per frame, and where the direct beam was. */
export function seriesPlots(record: ProcessingRecord): readonly Plot[] {
  const frame = Float64Array.from(record.frames.keys()),
    shift = (v: Float64Array): Float64Array => {
      const mean = v.reduce((a, b) => a + b, 0) / v.length;
      return v.map((x) => x - mean);
    };
  return [
    {
      title: "spots found",
      x: { label: "frame" },
      y: { label: "spots" },
      marks: [{ kind: "line", x: frame, y: record.frames.map((f) => f.spots.size), color: "#1c7293" }],
    },
    {
      title: "centre drift",
      x: { label: "frame" },
      y: { label: "shift from the mean (px)" },
      legend: "top-right",
      marks: [
        { kind: "line", x: frame, y: shift(record.centres.x), color: "#1c7293", label: "x" },
        { kind: "line", x: frame, y: shift(record.centres.y), color: "#d1495b", label: "y" },
      ],
    },
  ];
}

/** Distance of the maxima from the nearest lattice point, in indices. */
export function indexingHistogram({ indexed }: ProcessingRecord): Plot {
  const bins = 40,
    top = 0.5,
    counts = new Float64Array(bins);
  for (let i = 0; i < indexed.size; i++) {
    const d = Math.max(
      Math.abs(indexed.deviation[3 * i]!),
      Math.abs(indexed.deviation[3 * i + 1]!),
      Math.abs(indexed.deviation[3 * i + 2]!),
    );
    if (d <= top) counts[Math.min(bins - 1, Math.floor((d / top) * bins))]!++;
  }
  return {
    title: "distance from whole indices",
    x: { label: "largest of |Δh|, |Δk|, |Δl|" },
    y: { label: "3-D maxima" },
    marks: [{ kind: "steps", edges: Float64Array.from({ length: bins + 1 }, (_, k) => (k * top) / bins), counts, color: "#1c7293" }],
  };
}
