import { version } from "../core/version.js";
import { type Axis, imagePng, plotSvg } from "../render/index.js";
import type { SeriesReport } from "./inspect-series.js";
import { centreIndex } from "./layout.js";
import type { Reconstruction } from "./reconstruction.js";
import type { ShellCurve } from "./shells.js";

/** The three middle slices (xy, zy turned to zx order, xz) of a volume side by side, as the bytes of a PNG. */
export function slicesPng(volume: ArrayLike<number>, [nz, ny, nx]: readonly [number, number, number]): Uint8Array {
  const gap = 2,
    width = nx + gap + nz + gap + nx,
    height = Math.max(ny, nz);
  const data = new Float32Array(width * height).fill(Number.NaN),
    [cz, cy, cx] = [nz, ny, nx].map(centreIndex) as [number, number, number];
  const at = (z: number, y: number, x: number): number => volume[(z * ny + y) * nx + x]!;
  for (let y = 0; y < ny; y++) {
    for (let x = 0; x < nx; x++) data[y * width + x] = at(cz, y, x);
    for (let z = 0; z < nz; z++) data[y * width + nx + gap + z] = at(z, y, cx);
  }
  for (let z = 0; z < nz; z++) for (let x = 0; x < nx; x++) data[z * width + nx + 2 * gap + nz + x] = at(z, cy, x);
  return imagePng({ data, shape: [height, width] }, { scale: { percentiles: [1, 99.7] }, missingColor: "#30363d" });
}

/** Figures of merit over the iterations, as SVG. */
export function curvesSvg({ curves, method }: Reconstruction): string {
  const names = Object.keys(curves);
  const x: Axis = { label: "iteration" };
  return plotSvg({
    title: method,
    x,
    y: { label: "figure" },
    marks: names.map((label) => ({ kind: "line", x: curves[label]!.map((_, i) => i), y: [...curves[label]!], label })),
  });
}

/** What a reconstruction was made of and what came out, as plain JSON values. */
export function reconstructionRecord(
  r: Reconstruction,
  report: SeriesReport,
  extra: {
    readonly pixelAngstrom?: number | undefined;
    readonly fsc?: ShellCurve | undefined;
    readonly options?: Readonly<Record<string, unknown>>;
  } = {},
): Record<string, unknown> {
  const round = (v: number): number => Number(v.toPrecision(6));
  return {
    version,
    method: r.method,
    status: r.status,
    iterations: r.iterations,
    shape: r.shape,
    pixelAngstrom: extra.pixelAngstrom ?? null,
    figures: Object.fromEntries(Object.entries(r.figures).map(([k, v]) => [k, round(v)])),
    curves: Object.fromEntries(Object.entries(r.curves).map(([k, v]) => [k, v.map(round)])),
    ...(extra.fsc ? { fsc: { frequency: Array.from(extra.fsc.frequency, round), value: Array.from(extra.fsc.value, round) } } : {}),
    series: { ...report, warnings: undefined },
    warnings: [...report.warnings, ...r.warnings],
    memoryMB: Math.round(r.memoryBytes / 2 ** 20),
    options: extra.options ?? {},
  };
}

/** Lines for a terminal. */
export function reconstructionSummary(r: Reconstruction, report: SeriesReport): readonly string[] {
  const named: Readonly<Record<string, string>> = {
    r1: "R1    mean of Σ|PO − b|/Σ|b|",
    r2: "R2    mean of |PO − b|/|b|",
    r1Free: "R1free, withheld pixels",
    rkMagnitude: "R_K   Σ||F| − |M||/Σ|M| (GENFIRE-Python)",
    rkComplex: "R_K   Σ|F − M|/Σ|M| (GENFIRE-MATLAB)",
    rkFree: "R_free, withheld points, as the first R_K",
  };
  return [
    `${r.method}: ${r.shape.join(" × ")} (z, y, x), ${r.iterations} iterations, ${r.status}, ${Math.round(r.memoryBytes / 2 ** 20)} MB`,
    `${report.views} views${report.tiltRangeDeg ? `, tilts ${report.tiltRangeDeg.map((t) => t.toFixed(1)).join(" … ")}°` : ", general poses"}`,
    ...Object.entries(r.figures).map(([k, v]) => `${(named[k] ?? k).padEnd(44)} ${v.toFixed(5)}`),
  ];
}
