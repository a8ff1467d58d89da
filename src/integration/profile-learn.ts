import { fail } from "../core/errors.js";
import { runSync, type Steps } from "../core/job.js";
import {
  defaultProfileKernels,
  type ProfileEquations,
  type ProfileKernels,
  type SpotStack,
  type StackFitter,
} from "../kernels/profiles.js";
import { gaussianCoefficients, paddedSize, padInto, type SpotProfiles } from "./profiles.js";

/** A strong spot cut out of a frame: counts above background and neighbours with their variances, where the pixels are good. */
export interface SpotStamp {
  /** Profile it belongs to. */
  readonly cell: number;
  /** Edge, px, and pixel (x, y) of the frame at the corner. */
  readonly size: number;
  readonly corner: readonly [number, number];
  /** [size, size]; variance 0 where a pixel is not used. */
  readonly counts: Float32Array;
  readonly variance: Float32Array;
  /** Centre, px of the frame. */
  readonly x: number;
  readonly y: number;
  readonly intensity: number;
}

/** Error of a profile, as a fraction: keeps one very strong spot from being the profile. */
const MODEL_ERROR = 0.04;
/** Weight of the mean profile in that of a sector and shell, in spots. */
const MEAN_SPOTS = 12;

/**
 * Profiles from strong spots by least squares: counts = I·Σ c_k β(pixel − centre − k), which knows no interpolation and so no broadening. Spots are
 * recentred on the profile between the rounds and their centroid is the centre. A sector and shell with few spots leans on the mean of all.
 * @throws bad-shape when the cut-outs are not all of one size
 */
export function learnProfiles(
  stamps: readonly SpotStamp[],
  start: SpotProfiles,
  sigma: number,
  rounds = 3,
  kernels?: ProfileKernels,
): SpotProfiles {
  return runSync(learnProfilesSteps(stamps, start, sigma, rounds, kernels));
}

/** {@link learnProfiles} in steps of one sector and shell. */
export function* learnProfilesSteps(
  stamps: readonly SpotStamp[],
  start: SpotProfiles,
  sigma: number,
  rounds = 3,
  kernels: ProfileKernels = defaultProfileKernels(),
): Steps<SpotProfiles> {
  const { radius } = start,
    n = 2 * radius + 1,
    size = paddedSize(radius),
    cells = start.spots.length;
  if (stamps.length === 0) return start;
  const other = stamps.find((s) => s.size !== stamps[0]!.size);
  if (other) fail("bad-shape", { size: other.size, expected: stamps[0]!.size }, "spots to learn profiles from are cut out with one edge");
  const prior = gaussianCoefficients(radius, sigma),
    spots = Int32Array.from({ length: cells }, (_, c) => stamps.filter((s) => s.cell === c).length),
    ofCell = (all: Float64Array, c: number): Float64Array => all.subarray(c * size * size, (c + 1) * size * size);
  const stacks: StackFitter[] = [];
  try {
    for (let c = 0; c < cells; c++)
      stacks.push(
        kernels.stack(
          stackOf(
            stamps.filter((s) => s.cell === c),
            stamps[0]!.size,
          ),
          size,
          MODEL_ERROR,
        ),
      );
    let coefficients = start.coefficients;
    for (let round = 0; round < rounds; round++) {
      for (let c = 0; c < cells; c++) {
        stacks[c]!.recentre(ofCell(coefficients, c), round === 0 ? 1 : 2);
        yield { done: round, total: rounds, note: "profiles" };
      }
      // In the last round twice: the first solution shows where its centroid lies, the second has it at the centre. Before, spots and profile move together.
      for (const last of round < rounds - 1 ? [true] : [false, true]) {
        const owns: ProfileEquations[] = [];
        for (let c = 0; c < cells; c++) {
          owns.push(stacks[c]!.equations(ofCell(coefficients, c)));
          yield { done: round, total: rounds, note: "profiles" };
        }
        const all: ProfileEquations = { a: new Float64Array(owns[0]!.a.length), b: new Float64Array(owns[0]!.b.length) };
        for (const own of owns) addInto(all, own, 1);
        const mean = kernels.solve(all, n, 0.3 / stamps.length, prior),
          perSpot = { a: all.a, b: times(all, n, mean) },
          next = new Float64Array(cells * size * size);
        for (let c = 0; c < cells; c++) {
          const own = owns[c]!;
          addInto(own, perSpot, MEAN_SPOTS / stamps.length);
          const profile = spots[c] === 0 ? mean : kernels.solve(own, n, 0.3 / (MEAN_SPOTS + spots[c]!), mean);
          padInto(next, c * size * size, profile, radius);
          if (!last) stacks[c]!.shift(...centroid(profile, radius));
          yield { done: round, total: rounds, note: "profiles" };
        }
        coefficients = next;
      }
    }
    return { ...start, coefficients, spots };
  } finally {
    for (const s of stacks) s.close();
  }
}

function stackOf(stamps: readonly SpotStamp[], edge: number): SpotStack {
  const pixels = edge * edge,
    counts = new Float32Array(stamps.length * pixels),
    variance = new Float32Array(stamps.length * pixels);
  stamps.forEach((s, i) => {
    counts.set(s.counts, i * pixels);
    variance.set(s.variance, i * pixels);
  });
  return {
    edge,
    corners: Int32Array.from(stamps.flatMap((s) => s.corner)),
    counts,
    variance,
    x: Float64Array.from(stamps, (s) => s.x),
    y: Float64Array.from(stamps, (s) => s.y),
    intensity: Float64Array.from(stamps, (s) => s.intensity),
  };
}

function addInto(to: ProfileEquations, from: ProfileEquations, weight: number): void {
  for (let k = 0; k < to.a.length; k++) to.a[k]! += weight * from.a[k]!;
  for (let k = 0; k < to.b.length; k++) to.b[k]! += weight * from.b[k]!;
}

/** A·c, in the layout of b. */
function times({ a, b }: ProfileEquations, n: number, c: Float64Array): Float64Array {
  const out = new Float64Array(b.length),
    plane = n * (n + 1);
  for (let dy = 0; dy < 4; dy++)
    for (let dx = dy === 0 ? 0 : -3; dx <= 3; dx++)
      for (let ky = 0; ky < n - dy; ky++)
        for (let kx = Math.max(0, -dx); kx < Math.min(n, n - dx); kx++) {
          const v = a[(dy === 0 ? dx : 7 * dy + dx) * plane + ky * (n + 1) + kx]!,
            [i, j] = [ky * n + kx, (ky + dy) * n + kx + dx];
          out[ky * (n + 1) + kx]! += v * c[j]!;
          if (i !== j) out[(ky + dy) * (n + 1) + kx + dx]! += v * c[i]!;
        }
  return out;
}

/** Centroid of the inner half of a profile, px. */
function centroid(c: Float64Array, radius: number): readonly [number, number] {
  const n = 2 * radius + 1,
    inner = (radius / 2) ** 2;
  let w = 0,
    x = 0,
    y = 0;
  for (let v = -radius; v <= radius; v++)
    for (let u = -radius; u <= radius; u++) {
      if (u * u + v * v > inner) continue;
      const k = c[(v + radius) * n + u + radius]!;
      w += k;
      x += k * u;
      y += k * v;
    }
  return [x / w, y / w];
}
