import type { Map3 } from "../core/frames.js";
import type { Rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import {
  beamFromWavelength,
  type Distortion,
  detector,
  type FrameGeometry,
  type Instrument,
  noDistortion,
  petsRotation,
  rotationAbout,
} from "../geometry/index.js";
import { labToPixel } from "../geometry/pixels.js";
import { joinOrientation } from "../integration/constraints.js";
import type { Orientation } from "../integration/index-lattice.js";
import { type PeakTable, peakTable } from "../integration/peak-table.js";
import { rockingProfile } from "../integration/rocking-width-profile.js";

/** A tilt series at the level of spots: what a perfect peak search would list, with every source of error under control. */
export interface SimulatedSeriesOptions {
  readonly cell: readonly [number, number, number, number, number, number];
  /** Orientation: rotation vector of U, degrees. */
  readonly turnDeg?: readonly [number, number, number];
  /** A second crystal of the same cell, turned by this rotation vector (degrees), with this share of the intensity. */
  readonly twin?: { readonly turnDeg: readonly [number, number, number]; readonly share: number };
  readonly wavelength?: number;
  readonly aperpixel?: number;
  readonly size?: number;
  readonly centrePx?: readonly [number, number];
  readonly omegaDeg?: number;
  readonly fromDeg?: number;
  readonly toDeg?: number;
  readonly stepDeg?: number;
  /** Part of the step that is exposed; the rest is read-out gap. */
  readonly exposed?: number;
  readonly rcWidth?: number;
  readonly mosaicityDeg?: number;
  readonly gMax?: number;
  readonly distortion?: Partial<Distortion>;
  /** Standard deviations of the errors of each frame: angles in degrees, magnification relative, scale relative, centre in px. */
  readonly frameErrors?: {
    readonly alphaDeg?: number;
    readonly betaDeg?: number;
    readonly omegaDeg?: number;
    readonly magnification?: number;
    readonly scale?: number;
    readonly centrePx?: number;
  };
  /** Linear centre drift over the series, px. */
  readonly driftPx?: readonly [number, number];
  /** Standard deviation of a spot position, px. */
  readonly positionPx?: number;
  /** Mean summed intensity of a reflection at g = 0 in counts, and variance of the background under a spot. */
  readonly meanIntensity?: number;
  readonly backgroundVariance?: number;
  /** Least I/σ of a spot that is listed. */
  readonly minSnr?: number;
  /** False spots, as a fraction of the real ones, anywhere on the frames. */
  readonly outliers?: number;
  readonly rng: Rng;
}

export interface SimulatedSeries {
  readonly peaks: PeakTable;
  readonly instrument: Instrument;
  /** True geometry, and the nominal angles that the program would be given. */
  readonly frames: readonly FrameGeometry[];
  readonly nominalDeg: Float64Array;
  readonly halfWidthDeg: number;
  readonly ub: Orientation;
  readonly twinUb: Orientation | undefined;
  /** Miller indices [n, 3] and crystal (0, 1; −1 for a false spot) of every spot. */
  readonly hkl: Int32Array;
  readonly crystal: Int8Array;
}

const turn = (v: readonly [number, number, number]): Map3<"sample", "crystal"> => {
  const angle = (Math.hypot(...v) * Math.PI) / 180;
  return angle === 0 ? rotationAbout([0, 0, 1], 0) : rotationAbout([v[0], v[1], v[2]], angle);
};

/** Seeded simulation of a continuous-rotation series. */
export function simulatePeaks(o: SimulatedSeriesOptions): SimulatedSeries {
  const {
    wavelength = 0.02508,
    aperpixel = 0.005,
    size = 512,
    omegaDeg = 38,
    fromDeg = -45,
    toDeg = 45,
    stepDeg = 0.5,
    exposed = 0.95,
  } = o;
  const {
    rcWidth = 0.0012,
    mosaicityDeg = 0.1,
    gMax = 1.2,
    positionPx = 0.15,
    meanIntensity = 4000,
    backgroundVariance = 60,
    minSnr = 5,
  } = o;
  const centre = o.centrePx ?? [size / 2 - 3.3, size / 2 + 2.2];
  const instrument: Instrument = {
    beam: beamFromWavelength(wavelength),
    detector: detector({ nx: size, ny: size, invAngstromPerPixel: aperpixel, centrePx: centre }),
    distortion: { ...noDistortion, ...o.distortion },
    exposure: { kind: "continuous", halfWidthDeg: (stepDeg * exposed) / 2 },
  };
  const count = Math.round((toDeg - fromDeg) / stepDeg) + 1,
    e = o.frameErrors ?? {};
  const frames: FrameGeometry[] = [],
    nominalDeg = new Float64Array(count);
  for (let f = 0; f < count; f++) {
    const r = o.rng.fork("frame").fork(f),
      t = f / Math.max(1, count - 1) - 0.5;
    nominalDeg[f] = fromDeg + f * stepDeg;
    frames.push({
      alphaDeg: nominalDeg[f]! + (e.alphaDeg ?? 0) * r.normal(),
      betaDeg: (e.betaDeg ?? 0) * r.normal(),
      omegaDeg: omegaDeg + (e.omegaDeg ?? 0) * r.normal(),
      magnification: (e.magnification ?? 0) * r.normal(),
      scale: Math.max(0.1, 1 + (e.scale ?? 0) * r.normal()),
      centrePx: [
        centre[0] + (o.driftPx?.[0] ?? 0) * t + (e.centrePx ?? 0) * r.normal(),
        centre[1] + (o.driftPx?.[1] ?? 0) * t + (e.centrePx ?? 0) * r.normal(),
      ],
    });
  }
  const cell = unitCell(...o.cell);
  const u = turn(o.turnDeg ?? [20, -35, 50]);
  const ub = joinOrientation(u, cell);
  const twinUb = o.twin ? joinOrientation(times(turn(o.twin.turnDeg), u), cell) : undefined;
  const rows: number[][] = [],
    hkls: number[] = [],
    crystals: number[] = [];
  const crystals2 = twinUb ? [ub, twinUb] : [ub];
  const k = 1 / wavelength,
    mosaic = (mosaicityDeg * Math.PI) / 180,
    phi = (stepDeg * exposed * Math.PI) / 360;
  const top = [cell.a, cell.b, cell.c].map((a) => Math.ceil(a * gMax));
  crystals2.forEach((m, crystal) => {
    const share = crystal === 0 ? 1 : o.twin!.share;
    for (let h = -top[0]!; h <= top[0]!; h++)
      for (let kk = -top[1]!; kk <= top[1]!; kk++)
        for (let l = -top[2]!; l <= top[2]!; l++) {
          const gx = m[0] * h + m[1] * kk + m[2] * l,
            gy = m[3] * h + m[4] * kk + m[5] * l,
            gz = m[6] * h + m[7] * kk + m[8] * l;
          const g = Math.hypot(gx, gy, gz);
          if (g > gMax || g === 0) continue;
          const sigma = rcWidth + g * mosaic;
          const full = share * intensityOf(o.rng, h, kk, l, g, meanIntensity);
          for (let f = 0; f < count; f++) {
            const fr = frames[f]!;
            const r = petsRotation(fr.alphaDeg, fr.betaDeg, fr.omegaDeg);
            const z = r[6] * gx + r[7] * gy + r[8] * gz;
            if (Math.abs(z) > 0.05 + 0.05 * g * g) continue;
            const x = r[0] * gx + r[1] * gy + r[2] * gz,
              y = r[3] * gx + r[4] * gy + r[5] * gz,
              q2 = x * x + y * y;
            const s = z - q2 / (k + Math.sqrt(k * k - q2));
            const w = (fr.omegaDeg * Math.PI) / 180,
              sweep = Math.abs(Math.cos(w) * y - Math.sin(w) * x) * phi;
            if (Math.abs(s) > 5 * sigma + sweep) continue;
            // Counts of a frame: what a still of unit width would give, so that slow and fast reflections differ as they do in life.
            const signal = full * (fr.scale ?? 1) * rockingProfile(s, sigma, sweep) * (rcWidth + 0.5 * mosaic);
            const noise = o.rng
              .fork("spot")
              .fork(crystal * 1e6 + f)
              .fork(`${h},${kk},${l}`);
            const sd = Math.sqrt(signal + backgroundVariance);
            const seen = signal + sd * noise.normal();
            if (seen < minSnr * sd) continue;
            const [px, py] = labToPixel(x, y, instrument, fr);
            if (px < 1 || py < 1 || px > size - 2 || py > size - 2) continue;
            const jitter = positionPx * Math.sqrt(1 + 20 * (sd / seen) ** 2);
            rows.push([f, px + jitter * noise.normal(), py + jitter * noise.normal(), seen, sd]);
            hkls.push(h, kk, l);
            crystals.push(crystal);
          }
        }
  });
  const r = o.rng.fork("outliers"),
    extra = Math.round((o.outliers ?? 0) * rows.length);
  for (let i = 0; i < extra; i++) {
    rows.push([r.integer(count), size * r.uniform(), size * r.uniform(), 50 + 300 * r.uniform(), 15]);
    hkls.push(0, 0, 0);
    crystals.push(-1);
  }
  const order = rows.map((_, i) => i).sort((a, b) => rows[a]![0]! - rows[b]![0]! || a - b);
  return {
    peaks: peakTable({
      frame: order.map((i) => rows[i]![0]!),
      px: order.map((i) => rows[i]![1]!),
      py: order.map((i) => rows[i]![2]!),
      intensity: order.map((i) => rows[i]![3]!),
      sigma: order.map((i) => rows[i]![4]!),
      alphaDeg: order.map((i) => nominalDeg[rows[i]![0]!]!),
    }),
    instrument,
    frames,
    nominalDeg,
    ub,
    twinUb,
    halfWidthDeg: (stepDeg * exposed) / 2,
    hkl: Int32Array.from(order.flatMap((i) => hkls.slice(3 * i, 3 * i + 3))),
    crystal: Int8Array.from(order, (i) => crystals[i]!),
  }; // prettier-ignore
}

/** Exponentially distributed (Wilson) intensity, the same for h and −h, falling as exp(−g²). */
function intensityOf(rng: Rng, h: number, k: number, l: number, g: number, mean: number): number {
  const positive = h > 0 || (h === 0 && (k > 0 || (k === 0 && l >= 0)));
  const key = positive ? `${h},${k},${l}` : `${-h},${-k},${-l}`;
  return -Math.log(1 - rng.fork("F2").fork(key).uniform()) * mean * Math.exp(-1.2 * g * g);
}

function times(a: Map3, b: Map3): Map3<"sample", "crystal"> {
  const e = (i: number, j: number): number =>
    a[(3 * i) as 0]! * b[j as 0]! + a[(3 * i + 1) as 1]! * b[(3 + j) as 3]! + a[(3 * i + 2) as 2]! * b[(6 + j) as 6]!;
  return [e(0, 0), e(0, 1), e(0, 2), e(1, 0), e(1, 1), e(1, 2), e(2, 0), e(2, 1), e(2, 2)];
}

/** Five crystals, cubic to triclinic, for tests of known truth. */
export const testCells = {
  cubic: [5.64, 5.64, 5.64, 90, 90, 90],
  hexagonal: [4.913, 4.913, 5.405, 90, 90, 120],
  orthorhombic: [5.784, 6.032, 12.33, 90, 90, 90],
  monoclinic: [5.105, 11.972, 5.463, 90, 111.74, 90],
  triclinic: [8.14, 12.79, 7.16, 94.3, 116.6, 87.7],
} as const satisfies Record<string, readonly [number, number, number, number, number, number]>;
