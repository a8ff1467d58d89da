import { fail } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { leastSquares } from "./least-squares.js";
import type { SolverStatus } from "./outcome.js";
import { centroidPeak } from "./peaks-refine.js";

/** Elliptical Gaussian on a constant level, with standard uncertainties from the fit. */
export interface GaussianPeak {
  readonly status: SolverStatus;
  /** Position in pixels, integer values at pixel centres. */
  readonly x: number;
  readonly y: number;
  readonly height: number;
  readonly background: number;
  /** Standard deviations along the long and the short axis, pixels. */
  readonly sigmaMajor: number;
  readonly sigmaMinor: number;
  /** Angle of the long axis from +x towards +y, radians, in (−π/2, π/2]. */
  readonly angle: number;
  /** Integrated intensity 2π·height·σ₁·σ₂ and its s.u. */
  readonly volume: number;
  readonly volumeSu: number;
  readonly xSu: number;
  readonly ySu: number;
  readonly reducedChi2: number;
}
export interface GaussianFitOptions {
  /** Half side of the fitted square, pixels, 5. */
  readonly half?: number | undefined;
  readonly mask?: Uint8Array | undefined;
  /** Variance of a pixel of value v, for weights; constant when absent (s.u. then come from the scatter). */
  readonly variance?: ((value: number) => number) | undefined;
}

/**
 * Fit height·exp(−½ q) + background, q = a dx² + 2b dx dy + c dy², about (x, y). The inverse covariance is written as LᵀL, so every
 * step keeps it positive.
 */
export function gaussianPeak({ data, shape: [ny, nx] }: Image, x: number, y: number, options: GaussianFitOptions = {}): GaussianPeak {
  const { half = 5, mask, variance } = options;
  const x0 = Math.max(0, Math.round(x) - half),
    x1 = Math.min(nx - 1, Math.round(x) + half),
    y0 = Math.max(0, Math.round(y) - half),
    y1 = Math.min(ny - 1, Math.round(y) + half);
  const px: number[] = [],
    py: number[] = [],
    v: number[] = [];
  for (let j = y0; j <= y1; j++)
    for (let i = x0; i <= x1; i++) {
      const value = data[j * nx + i]!;
      if (mask?.[j * nx + i] || !Number.isFinite(value)) continue;
      px.push(i);
      py.push(j);
      v.push(value);
    }
  if (v.length < 8)
    fail("bad-value", { x, y, good: v.length }, "a Gaussian has seven parameters: fit at least eight good pixels, away from the edge");
  const c = centroidPeak({ data, shape: [ny, nx] }, x, y, { radius: Math.max(1.5, 0.7 * half), mask, maxIterations: 2 });
  const spread = Number.isFinite(c.varX + c.varY) ? Math.min(half / 1.5, Math.max(0.5, Math.sqrt((c.varX + c.varY) / 2))) : half / 3;
  // Parameters: x, y, height, background, and L = [[l1, l2], [0, l3]] with q = |L d|².
  const start = [x, y, Math.max(c.height, 1e-6 * (Math.abs(c.background) || 1)), c.background, 1 / spread, 0, 1 / spread];
  const fit = leastSquares({
    count: v.length,
    start,
    lower: [x - half, y - half, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e-3, -20, 1e-3],
    upper: [x + half, y + half, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 20, 20, 20],
    weights: variance ? v.map((t) => 1 / Math.max(variance(t), 1e-12)) : undefined,
    covarianceScale: variance ? "none" : "reduced-chi2",
    residuals: (p, out) => {
      for (let k = 0; k < out.length; k++) {
        const dx = px[k]! - p[0]!,
          dy = py[k]! - p[1]!,
          u = p[4]! * dx + p[5]! * dy,
          w = p[6]! * dy;
        out[k] = p[2]! * Math.exp(-0.5 * (u * u + w * w)) + p[3]! - v[k]!;
      }
    },
    jacobian: (p, out) => {
      for (let k = 0; k < v.length; k++) {
        const dx = px[k]! - p[0]!,
          dy = py[k]! - p[1]!,
          u = p[4]! * dx + p[5]! * dy,
          w = p[6]! * dy,
          e = Math.exp(-0.5 * (u * u + w * w)),
          g = p[2]! * e;
        out.set([g * u * p[4]!, g * (u * p[5]! + w * p[6]!), e, 1, -g * u * dx, -g * u * dy, -g * w * dy], 7 * k);
      }
    },
  });
  const [fx, fy, height, background, l1, l2, l3] = fit.x as unknown as [number, number, number, number, number, number, number];
  // Covariance matrix of the Gaussian: (LᵀL)⁻¹.
  const a = l1 * l1,
    b = l1 * l2,
    d = l2 * l2 + l3 * l3,
    det = l1 * l1 * l3 * l3;
  const cxx = d / det,
    cxy = -b / det,
    cyy = a / det;
  const mid = (cxx + cyy) / 2,
    off = Math.hypot((cxx - cyy) / 2, cxy);
  // volume = 2π h / (l1 l3); its variance by propagation with the full covariance
  const volume = (2 * Math.PI * height) / (l1 * l3);
  const gradient = [0, 0, volume / height, 0, -volume / l1, 0, -volume / l3];
  let vv = 0;
  for (let i = 0; i < 7; i++) for (let j = 0; j < 7; j++) vv += gradient[i]! * gradient[j]! * fit.covariance[7 * i + j]!;
  return {
    status: fit.status,
    x: fx,
    y: fy,
    height,
    background,
    sigmaMajor: Math.sqrt(mid + off),
    sigmaMinor: Math.sqrt(Math.max(0, mid - off)),
    angle: 0.5 * Math.atan2(2 * cxy, cxx - cyy),
    volume,
    volumeSu: Math.sqrt(vv),
    xSu: fit.sigma[0]!,
    ySu: fit.sigma[1]!,
    reducedChi2: fit.reducedChi2,
  };
}
