import { fftPlan } from "../numerics/fft-plan.js";
import type { TiltSeries } from "./tilt-series.js";

/** How unlike views are, over the mean of any two of them. */
export interface ViewNeighbours {
  /** Each view and the one next to it by its pose. */
  readonly byPose: number;
  /** Each view and the one before it in the stack. */
  readonly inStack: number;
  /** Each view and the one most like it: what the noise and the steps between views allow. */
  readonly mostAlike: number;
  /**
   * "order": views that follow each other in the stack are much more alike than those next to each other by pose; "none": each view has others it is
   * like, but these are not next to it by pose.
   */
  readonly doubt?: "order" | "none" | undefined;
}

/** Waves across each edge of the image that are compared, from −12 to 12: the shape of the object more than its noise. */
const WAVES = 12;

/**
 * Whether the poses belong to the views, before any reconstruction: views from like directions look alike. Compared are moduli of the lowest Fourier
 * coefficients, scaled to one length: they know neither shift, nor dose, nor background. Views that are all alike (a ball) or all unlike (noise, steps of
 * many degrees) raise no doubt; a reversed list of even steps cannot, for it has the same neighbours.
 */
export function viewNeighbours(series: TiltSeries): ViewNeighbours {
  const views = series.shape[0],
    marks = coarseModuli(series);
  const unlike = (p: number, q: number): number => marks[p]!.reduce((s, v, k) => s + (v - marks[q]![k]!) ** 2, 0);
  let [all, pose, stack, alike] = [0, 0, 0, 0];
  for (let p = 0; p < views; p++) {
    let least = Number.POSITIVE_INFINITY,
      trace = Number.NEGATIVE_INFINITY,
      next = 0;
    for (let q = 0; q < views; q++) {
      if (q === p) continue;
      const d = unlike(p, q);
      all += d / (views - 1);
      least = Math.min(least, d);
      // tr(R_pᵀ R_q) = 1 + 2 cos of the angle between the two.
      let t = 0;
      for (let k = 0; k < 9; k++) t += series.poses[9 * p + k]! * series.poses[9 * q + k]!;
      if (t > trace) {
        trace = t;
        next = d;
      }
    }
    alike += least;
    pose += next;
    if (p > 0) stack += (unlike(p, p - 1) * views) / (views - 1);
  }
  const [byPose, inStack, mostAlike] = [pose / (all || 1), stack / (all || 1), alike / (all || 1)];
  const lost = byPose > 0.5 * (1 + mostAlike),
    doubt =
      views < 8 || mostAlike > 0.5 ? undefined : inStack < 0.65 * byPose && byPose > 2 * mostAlike ? "order" : lost ? "none" : undefined;
  return { byPose, inStack, mostAlike, ...(doubt ? { doubt } : {}) };
}

/** Moduli of the lowest waves of every view but the constant, scaled to a length of one. */
function coarseModuli({ projections, shape: [views, ny, nx], mask }: TiltSeries): Float64Array[] {
  const plan = fftPlan({ shape: [ny, nx], type: "c64" }),
    size = ny * nx,
    [my, mx] = [Math.min(WAVES, (ny - 1) >> 1), Math.min(WAVES, (nx - 1) >> 1)];
  const out = Array.from({ length: views }, (_, p) => {
    const a = plan.data().fill(0);
    let [sum, count] = [0, 0];
    for (let i = 0; i < size; i++)
      if (!mask?.[p * size + i]) {
        sum += projections[p * size + i]!;
        count++;
      }
    for (let i = 0; i < size; i++) a[2 * i] = mask?.[p * size + i] ? 0 : projections[p * size + i]! - sum / Math.max(1, count);
    plan.forward();
    const f = plan.data(),
      moduli: number[] = [];
    for (let y = -my; y <= my; y++)
      for (let x = 0; x <= mx; x++) {
        if (x === 0 && y <= 0) continue;
        const i = 2 * (((y + ny) % ny) * nx + x);
        moduli.push(Math.hypot(f[i]!, f[i + 1]!));
      }
    const length = Math.hypot(...moduli) || 1;
    return Float64Array.from(moduli, (v) => v / length);
  });
  plan.free();
  return out;
}
