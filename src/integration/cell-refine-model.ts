import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { distortionParameters, distortionVector, type FrameGeometry, type Instrument, petsRotation } from "../geometry/index.js";
import { reciprocalBasis } from "../geometry/metric.js";
import { type CellConstraint, cellOf } from "./constraints.js";
import type { Orientation } from "./index-lattice.js";

/**
 * Indexed positions to refine against: spots of single frames, or 3-D maxima with a rocking centroid. A row without a position (NaN) counts with
 * its excitation error alone.
 */
export interface IndexedPositions {
  readonly size: number;
  readonly px: Float64Array;
  readonly py: Float64Array;
  /** Frame, fractional for a rocking centroid. */
  readonly frame: ArrayLike<number>;
  /** Miller indices, [n, 3]. */
  readonly hkl: Int32Array;
  /** 1 where the position was recorded at the reflection condition, so that the excitation error must vanish. */
  readonly atCondition: Uint8Array;
  /** Excitation error that is observed instead of 0, Å⁻¹, and its weight 1/σ² (Å²), which then replaces the spread of the residuals. */
  readonly excitation?: Float64Array;
  readonly excitationWeight?: Float64Array;
}

/** The lattice as the fit sees it: nine free numbers, or a rotation and the cell parameters that the symmetry leaves. */
export type LatticeParameters =
  | { readonly kind: "free"; readonly ub: Orientation }
  | {
      readonly kind: "constrained";
      readonly u: Map3<"sample", "crystal">;
      readonly constraint: CellConstraint;
      readonly cell: readonly number[];
    };

/** Names of the parameters that follow the lattice: turn of the tilt axis (rad), shift of the centre (px), and the seven distortions. */
export const instrumentParameters = ["omega", "centreX", "centreY", ...distortionParameters] as const;
export type InstrumentParameter = (typeof instrumentParameters)[number];

export interface PositionModel {
  /** Names in the order of the parameter vector. */
  readonly names: readonly string[];
  readonly start: Float64Array;
  /** Three residuals an observation: x and y on the detector and the excitation error, all in Å⁻¹ (calculated − observed). */
  residuals(p: Float64Array, out: Float64Array): void;
  /** ∂residual/∂p, [3·size, parameters]. */
  jacobian(p: Float64Array, out: Float64Array): void;
  /** UB at a parameter vector. */
  orientation(p: ArrayLike<number>): Orientation;
}

/** Frame geometry at a fractional frame number, linear between frames: [α, β, ω, cx, cy, magnification] (degrees, px). */
export function poseAt(frames: readonly FrameGeometry[], instrument: Instrument, frame: number): readonly number[] {
  const n = frames.length;
  if (n === 0 || !(frame > -1 && frame < n)) fail("out-of-range", { frame, frames: n }, "every spot lies on a frame of the list");
  const i = Math.min(n - 1, Math.max(0, Math.floor(frame))),
    j = Math.min(n - 1, i + 1),
    t = Math.min(1, Math.max(0, frame - i));
  const numbers = (f: FrameGeometry): number[] => {
    const c = f.centrePx ?? instrument.detector.centrePx;
    return [f.alphaDeg, f.betaDeg, f.omegaDeg, c[0], c[1], f.magnification ?? 0];
  };
  const a = numbers(frames[i]!),
    b = numbers(frames[j]!);
  return a.map((v, k) => v + t * (b[k]! - v));
}

/**
 * Positions of spots on a lattice as a function of everything that can be refined, with analytic derivatives.
 *
 * g = R·UB·h with R = Rz(ω)·Rx(α)·Ry(β); the detector position is D(f·(g_x, g_y)) with the projection factor f and the distortion D,
 * plus the centre shift; the excitation residual is g_z − (k − √(k² − g_x² − g_y²)), the height above the Ewald sphere along the beam.
 */
export function positionModel(
  data: IndexedPositions,
  lattice: LatticeParameters,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
): PositionModel {
  const n = data.size,
    d = instrument.detector,
    k = instrument.beam.k,
    scale = d.invAngstromPerPixel;
  const latticeNames =
    lattice.kind === "free"
      ? ["ub11", "ub12", "ub13", "ub21", "ub22", "ub23", "ub31", "ub32", "ub33"]
      : ["turnX", "turnY", "turnZ", ...lattice.constraint.names];
  const L = latticeNames.length,
    P = L + instrumentParameters.length;
  // Per observation: rotation matrix and the measured position about its own centre, Å⁻¹ in lab x, y.
  const rot: Map3<"lab", "sample">[] = [],
    meas = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const [alpha, beta, omega, cx, cy, mag] = poseAt(frames, instrument, data.frame[i]!);
    rot.push(petsRotation(alpha!, beta!, omega!));
    const s = scale / (1 + mag!),
      dx = (data.px[i]! - cx!) * s,
      dy = (data.py[i]! - cy!) * s;
    meas[2 * i] = dx * d.fast[0] + dy * d.slow[0];
    meas[2 * i + 1] = dx * d.fast[1] + dy * d.slow[1];
  }
  const start = new Float64Array(P);
  if (lattice.kind === "free")
    lattice.ub.forEach((v, i) => {
      start[i] = v;
    });
  else
    lattice.cell.forEach((v, i) => {
      start[3 + i] = v;
    });
  distortionVector(instrument.distortion).forEach((v, i) => {
    start[L + 3 + i] = v;
  });

  const orientation = (p: ArrayLike<number>): Orientation => {
    if (lattice.kind === "free") return Array.from({ length: 9 }, (_, i) => p[i]!) as unknown as Orientation;
    const b = reciprocalBasis(cellOf(lattice.constraint.expand(Array.from({ length: L - 3 }, (_, i) => p[3 + i]!))));
    return mul(mul(rotationVector(p[0]!, p[1]!, p[2]!), lattice.u), b) as unknown as Orientation;
  };
  /** ∂UB/∂p for each lattice parameter, as matrices. */
  const orientationDerivatives = (p: Float64Array, ub: Orientation): number[][] => {
    if (lattice.kind === "free") return Array.from({ length: 9 }, (_, i) => Array.from({ length: 9 }, (_, j) => (i === j ? 1 : 0)));
    return Array.from({ length: L }, (_, m) => {
      const h = m < 3 ? 1e-6 : 1e-5 * Math.max(1, Math.abs(p[m]!));
      const up = p.slice(),
        down = p.slice();
      up[m]! += h;
      down[m]! -= h;
      const a = orientation(up),
        b = orientation(down);
      return ub.map((_, i) => (a[i as 0]! - b[i as 0]!) / (2 * h));
    });
  };

  /** Calls `each` with g (lab, after the ω shift) of every observation. */
  const walk = (p: Float64Array, each: (i: number, x: number, y: number, z: number, r: Map3<"lab", "sample">) => void): void => {
    const ub = orientation(p),
      c = Math.cos(p[L]!),
      s = Math.sin(p[L]!);
    for (let i = 0; i < n; i++) {
      const h = data.hkl[3 * i]!,
        kk = data.hkl[3 * i + 1]!,
        l = data.hkl[3 * i + 2]!;
      const a = ub[0] * h + ub[1] * kk + ub[2] * l,
        b = ub[3] * h + ub[4] * kk + ub[5] * l,
        e = ub[6] * h + ub[7] * kk + ub[8] * l;
      const r = rot[i]!;
      const x = r[0] * a + r[1] * b + r[2] * e,
        y = r[3] * a + r[4] * b + r[5] * e;
      each(i, c * x - s * y, s * x + c * y, r[6] * a + r[7] * b + r[8] * e, r);
    }
  };
  const gnomonic = d.projection === "gnomonic";
  /** px shift of the centre as lab x, y in Å⁻¹. */
  const shift = (p: Float64Array): readonly [number, number] => {
    const cx = p[L + 1]! * scale,
      cy = p[L + 2]! * scale;
    return [cx * d.fast[0] + cy * d.slow[0], cx * d.fast[1] + cy * d.slow[1]];
  };
  const residuals = (p: Float64Array, out: Float64Array): void => {
    const v = p.subarray(L + 3),
      [ox, oy] = shift(p);
    walk(p, (i, gx, gy, gz) => {
      const q2 = gx * gx + gy * gy,
        root = Math.sqrt(Math.max(1e-9, k * k - q2)),
        f = gnomonic ? k / root : 1;
      const x = f * gx,
        y = f * gy,
        r2 = x * x + y * y;
      const radial = 1 + v[0]! + v[3]! * r2,
        turn = v[4]! * r2;
      out[3 * i] = radial * x + v[1]! * x + v[2]! * y - turn * y + v[5]! * r2 + ox - meas[2 * i]!;
      out[3 * i + 1] = radial * y + v[2]! * x - v[1]! * y + turn * x + v[6]! * r2 + oy - meas[2 * i + 1]!;
      out[3 * i + 2] = data.atCondition[i] ? gz - q2 / (k + root) - (data.excitation ? data.excitation[i]! : 0) : 0;
      if (!Number.isFinite(meas[2 * i]!)) out[3 * i] = out[3 * i + 1] = 0;
    });
  };
  const jacobian = (p: Float64Array, out: Float64Array): void => {
    out.fill(0);
    const v = p.subarray(L + 3),
      ub = orientation(p),
      dub = orientationDerivatives(p, ub),
      c = Math.cos(p[L]!),
      s = Math.sin(p[L]!);
    walk(p, (i, gx, gy, _gz, r) => {
      const q2 = gx * gx + gy * gy,
        root = Math.sqrt(Math.max(1e-9, k * k - q2)),
        f = gnomonic ? k / root : 1,
        df = gnomonic ? k / root ** 3 : 0; // df/d(q²)·2
      const x = f * gx,
        y = f * gy,
        r2 = x * x + y * y;
      const jxx = 1 + v[0]! + v[1]! + v[3]! * (r2 + 2 * x * x) - 2 * v[4]! * x * y + 2 * v[5]! * x,
        jxy = v[2]! + 2 * v[3]! * x * y - v[4]! * (r2 + 2 * y * y) + 2 * v[5]! * y,
        jyx = v[2]! + 2 * v[3]! * x * y + v[4]! * (r2 + 2 * x * x) + 2 * v[6]! * x,
        jyy = 1 + v[0]! - v[1]! + v[3]! * (r2 + 2 * y * y) + 2 * v[4]! * x * y + 2 * v[6]! * y;
      const put = (column: number, dx: number, dy: number, dz: number): void => {
        const along = (gx * dx + gy * dy) * df,
          ex = f * dx + along * gx,
          ey = f * dy + along * gy,
          at = 3 * i * P + column;
        out[at] = jxx * ex + jxy * ey;
        out[at + P] = jyx * ex + jyy * ey;
        if (data.atCondition[i]) out[at + 2 * P] = dz - (gx * dx + gy * dy) / root;
      };
      const h = data.hkl[3 * i]!,
        kk = data.hkl[3 * i + 1]!,
        l = data.hkl[3 * i + 2]!;
      for (let m = 0; m < L; m++) {
        const w = dub[m]!;
        const a = w[0]! * h + w[1]! * kk + w[2]! * l,
          b = w[3]! * h + w[4]! * kk + w[5]! * l,
          e = w[6]! * h + w[7]! * kk + w[8]! * l;
        const dx = r[0] * a + r[1] * b + r[2] * e,
          dy = r[3] * a + r[4] * b + r[5] * e;
        put(m, c * dx - s * dy, s * dx + c * dy, r[6] * a + r[7] * b + r[8] * e);
      }
      put(L, -gy, gx, 0);
      const at = 3 * i * P;
      out[at + L + 1] = scale * d.fast[0];
      out[at + P + L + 1] = scale * d.fast[1];
      out[at + L + 2] = scale * d.slow[0];
      out[at + P + L + 2] = scale * d.slow[1];
      if (!Number.isFinite(meas[2 * i]!)) {
        out.fill(0, at, at + 2 * P);
        return;
      }
      const gradient = [x, y, x, -y, y, x, r2 * x, r2 * y, -r2 * y, r2 * x, r2, 0, 0, r2];
      for (let m = 0; m < 7; m++) {
        out[at + L + 3 + m] = gradient[2 * m]!;
        out[at + P + L + 3 + m] = gradient[2 * m + 1]!;
      }
    });
  };
  return { names: [...latticeNames, ...instrumentParameters], start, residuals, jacobian, orientation };
}

/** exp([w]×), Rodrigues' formula, accurate at w → 0. */
function rotationVector(x: number, y: number, z: number): Map3 {
  const t2 = x * x + y * y + z * z,
    t = Math.sqrt(t2);
  const a = t < 1e-4 ? 1 - t2 / 6 : Math.sin(t) / t,
    b = t < 1e-4 ? 0.5 - t2 / 24 : (1 - Math.cos(t)) / t2;
  return [
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  ]; // prettier-ignore
}
function mul(a: Map3, b: Map3): Map3 {
  const e = (i: number, j: number): number =>
    a[(3 * i) as 0]! * b[j as 0]! + a[(3 * i + 1) as 1]! * b[(3 + j) as 3]! + a[(3 * i + 2) as 2]! * b[(6 + j) as 6]!;
  return [e(0, 0), e(0, 1), e(0, 2), e(1, 0), e(1, 1), e(1, 2), e(2, 0), e(2, 1), e(2, 2)];
}
