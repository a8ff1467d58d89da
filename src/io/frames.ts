import { fail } from "../core/errors.js";
import type { Image, TypedArray } from "../core/image.js";
import type { NumberType } from "./bytes-numbers.js";

/** Header fields as the format names them; values are text, numbers, arrays or nested records. */
export type Metadata = Readonly<Record<string, unknown>>;

/** What a header says about the experiment, in one set of names and units. Absent where the format does not say. */
export interface FrameFacts {
  readonly voltageKv?: number;
  /** Å. */
  readonly wavelength?: number;
  /** Physical pixel of the detector (fast, slow), mm. */
  readonly pixelMm?: readonly [x: number, y: number];
  /** Sampling of the image, Å per pixel. */
  readonly pixelAngstrom?: number;
  /** Sampling of the diffraction pattern, Å⁻¹ per pixel. */
  readonly reciprocalPixel?: number;
  /** Detector (camera) distance, mm. */
  readonly distanceMm?: number;
  /** Tilt at the start of the exposure, degrees. */
  readonly tiltDeg?: number;
  /** Rotation during the exposure, degrees. */
  readonly tiltStepDeg?: number;
  readonly exposureS?: number;
  /** Primary beam, pixels, 0-based pixel centres. */
  readonly beamCentre?: readonly [x: number, y: number];
  /** Counts at and above which a pixel is saturated. */
  readonly saturation?: number;
  /** Constant that the writer added to the counts; `read` has subtracted it already. */
  readonly pedestal?: number;
  /** Scan grid of a 4D measurement, slow axis first. */
  readonly scanShape?: readonly [sy: number, sx: number];
  /** Time of the exposure as the file writes it. */
  readonly time?: string;
}

/**
 * A stack of frames of one shape that is read one frame at a time: nothing but the frame asked for is in memory.
 * Complex data reads as moduli; 64-bit integers read as f64.
 */
export interface FrameSource {
  /** Format name, e.g. "tiff". */
  readonly format: string;
  /** Number of frames, rows, columns. */
  readonly shape: readonly [n: number, ny: number, nx: number];
  /** How a pixel is stored in the file. */
  readonly dtype: NumberType;
  /** Header of the file (of the first one, in a series). */
  readonly metadata: Metadata;
  /** The same for all frames, or the first frame's. */
  readonly facts: FrameFacts;
  readonly warnings: readonly string[];
  /** Frame i, 0-based. @throws out-of-range, bad-file, too-large; rejects with the signal's reason on abort */
  read(i: number, signal?: AbortSignal): Promise<Image<TypedArray>>;
  /** Header of frame i, where frames have their own. */
  frame?(i: number): Promise<{ readonly metadata: Metadata; readonly facts: FrameFacts }>;
  close?(): Promise<void>;
}

/** @throws out-of-range when i is no frame of the source */
export function checkFrame(i: number, n: number): void {
  if (!(Number.isInteger(i) && i >= 0 && i < n)) fail("out-of-range", { frame: i, frames: n }, "frames are counted from 0 to n − 1");
}

/** A frame as f32, the type of the frame pipeline; a Float32 frame is returned as it is. */
export function toFloat32(image: Image<TypedArray>): Image<Float32Array> {
  return image.data instanceof Float32Array ? (image as Image<Float32Array>) : { data: Float32Array.from(image.data), shape: image.shape };
}

/** Text order with runs of digits as numbers: "f2" before "f10". Equal numbers of different length and the rest by code unit. */
export function naturalCompare(a: string, b: string): number {
  const pa = a.match(/\d+|\D+/g) ?? [],
    pb = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < pa.length && i < pb.length; i++) {
    const x = pa[i]!,
      y = pb[i]!;
    if (x === y) continue;
    if (/^\d/.test(x) && /^\d/.test(y)) {
      const p = x.replace(/^0+/, ""),
        q = y.replace(/^0+/, "");
      if (p.length !== q.length) return p.length - q.length;
      if (p !== q) return p < q ? -1 : 1;
      return x.length - y.length;
    }
    return x < y ? -1 : 1;
  }
  return pa.length - pb.length;
}

/** Frames that are in memory, as a source. @throws bad-shape when the shapes differ or there is none */
export function framesOf(
  images: readonly Image<TypedArray>[],
  dtype: NumberType,
  rest: Partial<FrameSource> & { format: string },
): FrameSource {
  const first = images[0] ?? fail("bad-shape", { frames: 0 }, "a stack has at least one frame");
  const [ny, nx] = first.shape;
  for (const { shape } of images)
    if (shape[0] !== ny || shape[1] !== nx) fail("bad-shape", { first: first.shape, other: shape }, "all frames of a stack have one shape");
  return {
    metadata: {},
    facts: {},
    warnings: [],
    ...rest,
    shape: [images.length, ny, nx],
    dtype,
    read: async (i, signal) => {
      signal?.throwIfAborted();
      checkFrame(i, images.length);
      return images[i]!;
    },
  };
}
