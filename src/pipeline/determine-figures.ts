import type { Image, TypedArray } from "../core/image.js";
import type { Fractional } from "../geometry/metric.js";
import { ceramicsBand, regressionAt } from "../refine/amplitude-regression.js";
import type { ThicknessScan } from "../refine/dynamical-scan.js";
import type { MapStatistics } from "../refine/map-statistics.js";
import { voltPerElectronAngstrom } from "../refine/potential-map.js";
import type { ThicknessDistribution } from "../refine/thickness-distribution.js";
import { imagePng, type Markup, type Plot, plotSvg } from "../render/index.js";
import type { Determination } from "./determine.js";
import type { Diagnosis } from "./determine-diagnose.js";

/** √I_calc against √I_obs with the band of the ceramics paper and the cubic regression. */
export function amplitudePlot(g: Diagnosis): Markup {
  const { intensity, calculated } = g.rows,
    k = g.bandScale;
  const o = Float64Array.from(intensity, (v) => k * Math.sqrt(Math.max(0, v))),
    c = Float64Array.from(calculated, (v) => k * Math.sqrt(Math.max(0, v)));
  const most = o.reduce((m, v) => Math.max(m, v), 0);
  const x = Float64Array.from({ length: 60 }, (_, i) => (most * i) / 59);
  const half = x.map((v) => ceramicsBand.constant + ceramicsBand.slope * v);
  const out = new Set(g.outliers.map((w) => w.row)),
    inside = Array.from(o.keys()).filter((i) => !out.has(i)),
    outside = [...out];
  const { regression } = g;
  const plot: Plot = {
    title: "amplitudes, all rows",
    x: { label: "√I_obs (99.5 % of them below 1000)", range: [0, most * 1.02] },
    y: { label: "√I_calc" },
    legend: "top-left",
    marks: [
      {
        kind: "band",
        x,
        low: x.map((v, i) => Math.max(0, v - half[i]!)),
        high: x.map((v, i) => v + half[i]!),
        color: "#b8c8dd",
        label: "15 + 0.1·√I_obs",
      },
      { kind: "points", x: inside.map((i) => o[i]!), y: inside.map((i) => c[i]!), size: 2.4, color: "#33658a" },
      {
        kind: "points",
        x: outside.map((i) => o[i]!),
        y: outside.map((i) => c[i]!),
        size: 3.2,
        color: "#c8553d",
        label: `outside: ${outside.length}`,
      },
      ...(regression
        ? [{ kind: "line" as const, x, y: x.map((v) => k * regressionAt(regression, v / k).value), color: "#222222", label: "cubic" }]
        : []),
    ],
  };
  return plotSvg(plot);
}

/** wR of some frames against the thickness, for every distribution that was tried. */
export function thicknessPlot(scan: ThicknessScan): Markup {
  return plotSvg({
    title: "wR against thickness",
    x: { label: "thickness, of a wedge the largest (Å)" },
    y: { label: "wR (%)" },
    marks: scan.curves.map((c) => ({ kind: "line" as const, x: c.thickness, y: c.wr.map((v) => 100 * v), label: c.model.kind })),
  });
}

/** Share of the crystal that is as thick as each node of a free distribution. */
export function distributionPlot(d: ThicknessDistribution): Markup {
  const half = d.thickness[0]! / 2;
  return plotSvg({
    title: `thickness distribution, wR ${(100 * d.wr).toFixed(1)} % (${(100 * d.wrBefore).toFixed(1)} % with the model)`,
    x: { label: "thickness (Å)" },
    y: { label: "share (%)" },
    legend: "none",
    marks: [
      {
        kind: "steps",
        edges: Float64Array.from({ length: d.thickness.length + 1 }, (_, i) => (2 * i + 1) * half),
        counts: d.weights.map((w) => 100 * w),
        color: "#33658a",
      },
      { kind: "rule", x: d.mean, dash: "4 3", color: "#777777" },
    ],
  });
}

/** Histogram of a difference map in e/Å with the Gaussian of its noise and ±3σ. */
export function histogramPlot({ histogram: h, gaussian, level }: MapStatistics): Markup {
  const n = h.counts.length,
    width = (h.high - h.low) / n,
    e = voltPerElectronAngstrom;
  const edges = Float64Array.from({ length: n + 1 }, (_, i) => (h.low + i * width) / e);
  const x = Float64Array.from({ length: n }, (_, i) => h.low + (i + 0.5) * width);
  return plotSvg({
    title: "difference map",
    x: { label: "potential (e Å⁻¹)" },
    y: { label: "grid points" },
    legend: "none",
    marks: [
      { kind: "steps", edges, counts: h.counts, color: "#33658a" },
      {
        kind: "line",
        x: x.map((v) => v / e),
        y: x.map((v) => gaussian.height * Math.exp(-0.5 * ((v - gaussian.mean) / gaussian.sigma) ** 2)),
        color: "#c8553d",
      },
      { kind: "rule", x: level / e, dash: "4 3", color: "#777777" },
      { kind: "rule", x: -level / e, dash: "4 3", color: "#777777" },
    ],
  });
}

/** R(obs) of every frame against its tilt. */
export function frameRPlot(d: Determination): Markup | undefined {
  const frames = d.dynamical?.frames.filter((f) => f.status === "refined" && f.residuals);
  if (!frames || frames.length === 0) return undefined;
  return plotSvg({
    title: "R(obs) of the frames",
    x: { label: "tilt (°)" },
    y: { label: "R(obs) (%)" },
    marks: [{ kind: "points", x: frames.map((f) => f.frame.alphaDeg), y: frames.map((f) => 100 * f.residuals!.rObs), size: 4 }],
  });
}

/** Figures of merging by shell. */
export function shellPlot(d: Determination): Markup {
  const shells = d.measured!.merged.statistics.shells,
    x = shells.map((s) => 1 / s.dMin);
  return plotSvg({
    title: "merging, Laue group",
    x: { label: "resolution (Å⁻¹)" },
    y: { label: "%" },
    marks: [
      { kind: "line", x, y: shells.map((s) => 100 * s.rInt), label: "R_int" },
      { kind: "line", x, y: shells.map((s) => 100 * s.completeness), label: "completeness" },
      { kind: "line", x, y: shells.map((s) => 100 * s.ccHalf), label: "CC½" },
    ],
  });
}

/** Where an outlier lies in the frames of a virtual one: the frame nearest to its crossing, and its pixel there. */
export function outlierSpots(
  d: Determination,
  limit = 12,
): { readonly frame: number; readonly x: number; readonly y: number; readonly hkl: string; readonly excess: number }[] {
  const { diagnosis, measured, data } = d;
  if (!diagnosis || !measured || !data || diagnosis.theory !== "dynamical") return [];
  const t = measured.integrated.intensities;
  return diagnosis.outliers.slice(0, limit).flatMap((o) => {
    const h = [0, 1, 2].map((k) => diagnosis.rows.hkl[3 * o.row + k]!);
    // back to the indices of the integration
    const hkl = data.toInput(h as unknown as Fractional);
    const frames = new Set(measured.virtual.frames[diagnosis.rows.frame[o.row]!]!.frames);
    let best = -1;
    for (let i = 0; i < t.size; i++)
      if (
        frames.has(t.frame[i]!) &&
        t.hkl[3 * i] === hkl[0] &&
        t.hkl[3 * i + 1] === hkl[1] &&
        t.hkl[3 * i + 2] === hkl[2] &&
        (best < 0 || Math.abs(t.sg[i]!) < Math.abs(t.sg[best]!))
      )
        best = i;
    return best < 0 ? [] : [{ frame: t.frame[best]!, x: t.px[2 * best]!, y: t.px[2 * best + 1]!, hkl: h.join(" "), excess: o.excess }];
  });
}

/** A cutting of a frame about an outlier, 64 pixels wide. */
export function outlierPicture(frame: Image<TypedArray>, at: { readonly x: number; readonly y: number }, diameter: number): Uint8Array {
  const half = 32,
    [ny, nx] = frame.shape,
    x0 = Math.max(0, Math.min(nx - 2 * half, Math.round(at.x) - half)),
    y0 = Math.max(0, Math.min(ny - 2 * half, Math.round(at.y) - half)),
    w = Math.min(2 * half, nx),
    h = Math.min(2 * half, ny);
  const data = new Float32Array(w * h);
  for (let y = 0; y < h; y++) for (let x = 0; x < w; x++) data[y * w + x] = frame.data[(y0 + y) * nx + x0 + x]!;
  return imagePng(
    { data, shape: [h, w] },
    {
      scale: { kind: "symlog", percentiles: [5, 99.8] },
      reverse: true,
      zoom: 4,
      overlays: [{ kind: "spots", shape: "circle", x: [at.x - x0], y: [at.y - y0], radius: diameter / 2 + 2, color: "#d1495b" }],
    },
  );
}
