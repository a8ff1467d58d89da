import { fail } from "../core/errors.js";
import type { Beam } from "../geometry/beam.js";
import { blurOnGrid, type DetectorBlur, type DetectorFrame, detectorFrame } from "./detector-geometry.js";
import { antialiasCutoff, type WaveGrid } from "./grid.js";

interface Common {
  /** Name in results and files; default the kind with its angles. */
  readonly name?: string | undefined;
  /** Point spread of the detector. */
  readonly blur?: DetectorBlur | undefined;
}
interface Offset {
  /** Where the optic axis of the detector meets the pattern, mrad along x and y of the box. */
  readonly offsetMrad?: readonly [number, number] | undefined;
}
/** Bright field (0 to α), annular bright field, ADF, HAADF: the intensity between two angles; the inner limit belongs to it, the outer does not. */
export interface AnnularDetector extends Common, Offset {
  readonly kind: "annular";
  readonly innerMrad: number;
  readonly outerMrad: number;
}
/** Rings cut into sectors: DPC and segmented detectors. Sector 0 begins at `rotation` (radians from +x towards +y of the box). */
export interface SegmentedDetector extends Common, Offset {
  readonly kind: "segmented";
  readonly innerMrad: number;
  readonly outerMrad: number;
  /** Default 1. */
  readonly rings?: number | undefined;
  /** Default 4. */
  readonly sectors?: number | undefined;
  readonly rotation?: number | undefined;
}
/** Rings of equal width: any annular image can be summed from them afterwards (`sumRings`). */
export interface RadialDetector extends Common, Offset {
  readonly kind: "radial";
  /** Default 1. */
  readonly stepMrad?: number | undefined;
  readonly innerMrad?: number | undefined;
  /** Default: as far as the grid carries. */
  readonly outerMrad?: number | undefined;
}
/** The whole pattern at every probe: 4D-STEM. `maxMrad`: half the width of the cut; "limit" (default): all that can scatter; "full": the grid. */
export interface PixelatedDetector extends Common {
  readonly kind: "pixelated";
  readonly maxMrad?: number | "limit" | "full" | undefined;
}
/** First moment of the pattern, mrad along x and y of the box. */
export interface CenterOfMassDetector extends Common, Offset {
  readonly kind: "centerOfMass";
  /** Default: as far as the grid carries. */
  readonly maxMrad?: number | undefined;
}
export type Detector = AnnularDetector | SegmentedDetector | RadialDetector | PixelatedDetector | CenterOfMassDetector;

/** What an axis of a result counts. */
export interface Axis {
  readonly name: string;
  readonly unit: string;
  /** Value of element 0 and step. */
  readonly origin: number;
  readonly step: number;
}
/** One detector on one grid: where its sums lie and what becomes of them. */
export interface CompiledDetector {
  readonly detector: Detector;
  readonly name: string;
  /** First of its numbers among the sums of a probe; of a pixelated one, index into `patterns`. */
  readonly at: number;
  /** How many sums it takes. */
  readonly sums: number;
  /** Shape of one reading: [] for a number, [sectors], [rings], [my, mx], [2]. */
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  /** From sums or accumulated pattern to a reading: [product of shape]. */
  finish(raw: Float64Array | Float32Array): Float64Array | Float32Array;
}
/** Detectors as weights on a grid, made once for a scan. */
export interface CompiledDetectors {
  readonly grid: WaveGrid;
  readonly wavelength: number;
  readonly list: readonly CompiledDetector[];
  /** Weights f32 [masks, ny, nx]; their sums come first. */
  readonly masks: Float32Array;
  readonly maskCount: number;
  /** Label images u16 [ny, nx] with their number of bins; their sums follow, in order. */
  readonly labels: readonly { readonly labels: Uint16Array; readonly bins: number }[];
  /** Sums of a probe, all detectors. */
  readonly sums: number;
  /** Patterns of a probe, each [my, mx] about the direct beam. */
  readonly patterns: readonly { readonly my: number; readonly mx: number }[];
}

const none = 65535;

/**
 * Weights of detectors for a grid and a beam. The angle of a pixel is α = λ|q|.
 * @throws out-of-range when a detector reaches beyond the angle that the grid carries, with the grid that would do
 */
export function compileDetectors(detectors: readonly Detector[], grid: WaveGrid, beam: Pick<Beam, "wavelength">): CompiledDetectors {
  if (detectors.length === 0)
    fail("bad-value", { detectors: 0 }, "name at least one detector, for example { kind: 'annular', innerMrad: 70, outerMrad: 200 }");
  const frame = detectorFrame(grid, beam.wavelength),
    n = grid.nx * grid.ny;
  const masks: Float64Array[] = [],
    labels: { labels: Uint16Array; bins: number }[] = [],
    patterns: { my: number; mx: number }[] = [];
  const list: (Omit<CompiledDetector, "at"> & { at: number; from: "mask" | "label" | "pattern" })[] = [];
  const seen = new Set<string>();
  for (const d of detectors) {
    const base = d.name ?? nameOf(d);
    let name = base;
    for (let i = 2; seen.has(name); i++) name = `${base} ${i}`;
    seen.add(name);
    const common = { detector: d, name };
    const weigh = (w: Float64Array): void => void masks.push(d.blur ? blurOnGrid(w, frame, d.blur) : w);
    switch (d.kind) {
      case "annular": {
        const { alpha } = angles(frame, d, d.innerMrad, d.outerMrad, name);
        list.push({ ...common, from: "mask", at: masks.length, sums: 1, shape: [], axes: [], finish: (raw) => raw });
        weigh(alpha.map((a) => (a >= d.innerMrad && a < d.outerMrad ? 1 : 0)));
        break;
      }
      case "segmented": {
        const { rings = 1, sectors = 4, rotation = 0 } = d;
        counts(name, { rings, sectors });
        const { alpha, phi } = angles(frame, d, d.innerMrad, d.outerMrad, name);
        const width = (d.outerMrad - d.innerMrad) / rings;
        const label = Uint16Array.from({ length: n }, (_, i) => {
          const ring = Math.floor((alpha[i]! - d.innerMrad) / width);
          if (!(alpha[i]! >= d.innerMrad && alpha[i]! < d.outerMrad)) return none;
          const turn = (phi[i]! - rotation) / (2 * Math.PI);
          return Math.min(ring, rings - 1) * sectors + (Math.floor((turn - Math.floor(turn)) * sectors + 1e-9) % sectors);
        });
        const axes = [
          ...(rings > 1 ? [{ name: "ring", unit: "mrad", origin: d.innerMrad + width / 2, step: width }] : []),
          { name: "sector", unit: "rad", origin: rotation + Math.PI / sectors, step: (2 * Math.PI) / sectors },
        ];
        binned(label, rings * sectors, rings > 1 ? [rings, sectors] : [sectors], axes);
        break;
      }
      case "radial": {
        const { stepMrad = 1, innerMrad = 0 } = d;
        const outer =
          d.outerMrad ??
          Math.floor((1e3 * frame.limit - Math.hypot(...(d.offsetMrad ?? [0, 0])) - innerMrad) / stepMrad + 1e-9) * stepMrad + innerMrad;
        if (!(stepMrad > 0)) fail("bad-value", { stepMrad }, "the rings of a radial detector have a width in mrad, for example 1");
        const { alpha } = angles(frame, d, innerMrad, outer, name);
        const rings = Math.ceil((outer - innerMrad) / stepMrad - 1e-9);
        counts(name, { rings, sectors: 1 });
        const label = Uint16Array.from(alpha, (a) =>
          a >= innerMrad && a < outer ? Math.min(rings - 1, Math.floor((a - innerMrad) / stepMrad + 1e-9)) : none,
        );
        binned(label, rings, [rings], [{ name: "scattering angle", unit: "mrad", origin: innerMrad + stepMrad / 2, step: stepMrad }]);
        break;
      }
      case "centerOfMass": {
        const offset = Math.hypot(...(d.offsetMrad ?? [0, 0]));
        const outer = d.maxMrad ?? 1e3 * frame.limit - offset;
        const { alpha, x, y } = angles(frame, d, 0, outer, name);
        list.push({
          ...common,
          from: "mask",
          at: masks.length,
          sums: 3,
          shape: [2],
          axes: [{ name: "component", unit: "mrad", origin: 0, step: 1 }],
          finish: ([total, mx, my]) => (total! > 0 ? Float64Array.of(mx! / total!, my! / total!) : Float64Array.of(Number.NaN, Number.NaN)),
        });
        const inside = (v: Float64Array | undefined): Float64Array => alpha.map((a, i) => (a < outer ? (v ? v[i]! : 1) : 0));
        for (const v of [undefined, x, y]) weigh(inside(v));
        break;
      }
      case "pixelated": {
        const cut = pixels(frame, d.maxMrad ?? "limit", name);
        // A blurred pattern is collected whole: intensity spreads in from beyond the cut.
        const wide = d.blur ? { my: grid.ny, mx: grid.nx } : cut;
        const { my, mx } = cut;
        const blur = d.blur;
        list.push({
          ...common,
          from: "pattern",
          at: patterns.length,
          sums: 0,
          shape: [my, mx],
          axes: frame.axes(my, mx),
          finish: blur ? (raw) => Float32Array.from(centre(blurOnGrid(Float64Array.from(raw), frame, blur), wide, cut)) : (raw) => raw,
        });
        patterns.push(wide);
        break;
      }
      default:
        fail("bad-value", { kind: (d as { kind?: unknown }).kind }, "a detector is annular, segmented, radial, pixelated or centerOfMass");
    }
    function binned(label: Uint16Array, bins: number, shape: readonly number[], axes: readonly Axis[]): void {
      if (d.blur) {
        list.push({ ...common, from: "mask", at: masks.length, sums: bins, shape, axes, finish: (raw) => raw });
        for (let b = 0; b < bins; b++) weigh(Float64Array.from(label, (l) => (l === b ? 1 : 0)));
      } else {
        list.push({ ...common, from: "label", at: labels.reduce((s, l) => s + l.bins, 0), sums: bins, shape, axes, finish: (raw) => raw });
        labels.push({ labels: label, bins });
      }
    }
  }
  if (masks.length * n > 2 ** 28)
    fail(
      "too-large",
      { weights: masks.length, points: n },
      "a blurred detector with many bins needs a weight image for each: fewer rings or sectors, or blur the radial data afterwards",
    );
  const flat = new Float32Array(masks.length * n);
  masks.forEach((m, i) => {
    flat.set(m, i * n);
  });
  return {
    grid,
    wavelength: beam.wavelength,
    list: list.map(({ from, ...d }) => ({ ...d, at: from === "label" ? masks.length + d.at : d.at })),
    masks: flat,
    maskCount: masks.length,
    labels,
    sums: masks.length + labels.reduce((s, l) => s + l.bins, 0),
    patterns,
  };
}

function nameOf(d: Detector): string {
  const mrad = (v: number | string | undefined): string => (typeof v === "number" ? String(Number(v.toFixed(2))) : (v ?? "limit"));
  if (d.kind === "annular") return d.innerMrad === 0 ? `BF 0-${mrad(d.outerMrad)}` : `ADF ${mrad(d.innerMrad)}-${mrad(d.outerMrad)}`;
  if (d.kind === "segmented") return `segments ${mrad(d.innerMrad)}-${mrad(d.outerMrad)}`;
  if (d.kind === "radial") return `radial ${mrad(d.innerMrad ?? 0)}-${mrad(d.outerMrad)}`;
  return d.kind === "pixelated" ? "patterns" : "center of mass";
}
function counts(name: string, { rings, sectors }: { rings: number; sectors: number }): void {
  if (!(Number.isInteger(rings) && Number.isInteger(sectors) && rings >= 1 && sectors >= 1 && rings * sectors < none))
    fail(
      "bad-value",
      { detector: name, rings, sectors },
      "rings and sectors are whole numbers of at least 1, fewer than 65535 bins in all",
    );
}

/** Angles of all pixels from the detector's axis, mrad, after the check that the grid carries them. */
function angles(frame: DetectorFrame, d: Offset, inner: number, outer: number, name: string) {
  if (!(inner >= 0 && outer > inner && Number.isFinite(outer)))
    fail(
      "bad-value",
      { detector: name, innerMrad: inner, outerMrad: outer },
      "angles are in mrad, 0 <= inner < outer; a grid that carries less than inner is too coarse",
    );
  const offset = d.offsetMrad ?? [0, 0];
  if (!offset.every(Number.isFinite)) fail("bad-value", { detector: name, offsetMrad: offset }, "offsetMrad is x and y in mrad");
  const reach = outer + Math.hypot(...offset);
  if (reach > 1e3 * frame.limit * (1 + 1e-9)) tooCoarse(frame, name, reach);
  if (reach > 1000 * Math.PI) fail("out-of-range", { detector: name, outerMrad: outer }, "angles are in mrad, not µrad");
  return frame.from(offset);
}
/** The grid does not carry the angle: say which would. */
function tooCoarse(frame: DetectorFrame, name: string, mrad: number): never {
  const { grid, wavelength } = frame,
    factor = (mrad / 1e3 / wavelength / antialiasCutoff(grid)) * (1 + 1e-6);
  const most = Math.min(grid.nx / Math.hypot(...grid.a), grid.ny / Math.hypot(...grid.b));
  const need = (length: number): number => Math.ceil(length * most * factor);
  return fail(
    "out-of-range",
    { detector: name, wantedMrad: Number(mrad.toFixed(3)), carriedMrad: Number((1e3 * frame.limit).toFixed(3)), nx: grid.nx, ny: grid.ny },
    `the sampling is too coarse for this detector: take a grid of at least ${need(Math.hypot(...grid.a))} × ${need(Math.hypot(...grid.b))} pixels (sampling ${(1 / (most * factor)).toFixed(4)} Å), or end the detector at ${(1e3 * frame.limit).toFixed(1)} mrad`,
  );
}
/** Pixels of a cut about the direct beam that holds a circle. */
function pixels(frame: DetectorFrame, max: number | "limit" | "full", name: string): { my: number; mx: number } {
  const { grid } = frame;
  if (max === "full") return { my: grid.ny, mx: grid.nx };
  const q = (max === "limit" ? frame.limit : max / 1e3) / frame.wavelength;
  if (max !== "limit" && !(max > 0)) fail("bad-value", { detector: name, maxMrad: max }, "maxMrad is a positive angle, 'limit' or 'full'");
  if (max !== "limit" && max > 1e3 * frame.limit * (1 + 1e-9)) tooCoarse(frame, name, max);
  // |h| <= |q||a| for every q of the circle.
  const half = (length: number, count: number): number => Math.min(count, 2 * Math.floor(q * length + 1e-9) + 1);
  return { my: half(Math.hypot(...grid.b), grid.ny), mx: half(Math.hypot(...grid.a), grid.nx) };
}
/** The middle of a centred image. */
function centre(data: Float64Array, from: { my: number; mx: number }, to: { my: number; mx: number }): Float64Array {
  const out = new Float64Array(to.my * to.mx),
    top = (from.my >> 1) - (to.my >> 1),
    left = (from.mx >> 1) - (to.mx >> 1);
  for (let r = 0; r < to.my; r++) out.set(data.subarray((r + top) * from.mx + left, (r + top) * from.mx + left + to.mx), r * to.mx);
  return out;
}
