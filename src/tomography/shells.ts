import { fail } from "../core/errors.js";
import { rfftPlan } from "../numerics/fft-real-plan.js";

/** A quantity by shells of spatial frequency. */
export interface ShellCurve {
  /** Middle of each shell, in cycles per pixel. */
  readonly frequency: Float64Array;
  readonly value: Float64Array;
  /** Fourier points in each shell. */
  readonly count: Uint32Array;
}
type Shape = readonly [nz: number, ny: number, nx: number];

function shells<T>(
  volumes: readonly ArrayLike<number>[],
  shape: Shape,
  bins: number,
  each: (shell: number, f: readonly Float32Array[], at: number, twice: number) => T,
): Uint32Array {
  const [nz, ny, nx] = shape,
    n = nz * ny * nx;
  if (volumes.some((v) => v.length !== n))
    fail("bad-shape", { shape, lengths: volumes.map((v) => v.length) }, "the volumes have the shape that is given");
  if (!(Number.isInteger(bins) && bins >= 1)) fail("bad-value", { bins }, "the number of shells is a whole number of at least 1");
  const plan = rfftPlan({ shape: [...shape], type: "f32" });
  const spectra = volumes.map((v) => {
    plan.real().set(v);
    plan.forward();
    return plan.spectrum().slice();
  });
  plan.free();
  const count = new Uint32Array(bins),
    half = Math.floor(nx / 2) + 1;
  for (let z = 0, i = 0; z < nz; z++)
    for (let y = 0; y < ny; y++)
      for (let x = 0; x < half; x++, i++) {
        const k = Math.hypot((z <= nz / 2 ? z : z - nz) / nz, (y <= ny / 2 ? y : y - ny) / ny, x / nx);
        const shell = Math.floor(2 * k * bins);
        if (shell >= bins) continue;
        // Points off the planes x = 0 and x = n/2 stand for their Friedel mates too.
        const twice = x === 0 || 2 * x === nx ? 1 : 2;
        count[shell]! += twice;
        each(shell, spectra, 2 * i, twice);
      }
  return count;
}
const middles = (bins: number): Float64Array => Float64Array.from({ length: bins }, (_, i) => (i + 0.5) / (2 * bins));

/**
 * Fourier shell correlation of two volumes [nz, ny, nx]: Re Σ F₁F₂* / √(Σ|F₁|² Σ|F₂|²) up to the Nyquist frequency.
 * @see Harauz & van Heel, Optik 73, 146 (1986)
 */
export function fourierShellCorrelation(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  shape: Shape,
  bins = Math.floor(Math.min(...shape) / 2),
): ShellCurve {
  const cross = new Float64Array(bins),
    aa = new Float64Array(bins),
    bb = new Float64Array(bins);
  const count = shells([a, b], shape, bins, (s, [f, g], i, w) => {
    cross[s]! += w * (f![i]! * g![i]! + f![i + 1]! * g![i + 1]!);
    aa[s]! += w * (f![i]! ** 2 + f![i + 1]! ** 2);
    bb[s]! += w * (g![i]! ** 2 + g![i + 1]! ** 2);
  });
  return { frequency: middles(bins), value: cross.map((c, s) => c / Math.sqrt(aa[s]! * bb[s]!) || 0), count };
}

/** Mean of |F|² by shells: where it levels off, noise begins. */
export function powerSpectrum(volume: ArrayLike<number>, shape: Shape, bins = Math.floor(Math.min(...shape) / 2)): ShellCurve {
  const power = new Float64Array(bins);
  const count = shells([volume], shape, bins, (s, [f], i, w) => {
    power[s]! += w * (f![i]! ** 2 + f![i + 1]! ** 2);
  });
  return { frequency: middles(bins), value: power.map((p, s) => p / Math.max(1, count[s]!)), count };
}

/** First frequency (cycles per pixel, linear between shells) at which a curve falls below a threshold; undefined when it never does. */
export function crossing({ frequency, value }: ShellCurve, threshold: number): number | undefined {
  for (let i = 1; i < value.length; i++)
    if (value[i]! < threshold && value[i - 1]! >= threshold)
      return frequency[i - 1]! + ((value[i - 1]! - threshold) / (value[i - 1]! - value[i]!)) * (frequency[i]! - frequency[i - 1]!);
  return undefined;
}
