import { fail } from "../core/errors.js";
import { determinant } from "../core/frames.js";
import { cellParameters, type UnitCell } from "../geometry/cell.js";
import { distortionFromVector, type FrameGeometry, type Instrument } from "../geometry/index.js";
import { cellFromUB } from "../geometry/metric.js";
import { correlationMatrix, leastSquares, type SolverStatus } from "../numerics/index.js";
import {
  type IndexedPositions,
  type InstrumentParameter,
  instrumentParameters,
  type LatticeParameters,
  positionModel,
} from "./cell-refine-model.js";
import { cellConstraint, cellOf, fixedCell, type LatticeSystem, splitOrientation } from "./constraints.js";
import type { Orientation } from "./index-lattice.js";

export interface CellRefineOptions {
  /** Symmetry imposed on the cell; the orientation matrix must be on the conventional axes of that system. Default triclinic: UB free. */
  readonly system?: LatticeSystem;
  /** A cell known from elsewhere, on the axes of the orientation matrix: only the orientation is refined. Needed to refine the magnification. */
  readonly cell?: UnitCell;
  /** Instrument parameters refined along with the lattice. Default none. */
  readonly refine?: readonly InstrumentParameter[];
  /** Observations further than this many standard deviations are left out. */
  readonly rejectSigma?: number;
  /**
   * `separate` (default): positions and excitation errors each by their own spread, the best estimate when the geometry is right.
   * `equal`: both by the common spread, i.e. plain distances in reciprocal space, as when 3-D vectors are fitted directly; less precise,
   * but less hurt by a distortion that is not modelled.
   */
  readonly weighting?: "separate" | "equal";
  readonly rounds?: number;
}

export interface RefinedLattice {
  readonly status: SolverStatus;
  readonly ub: Orientation;
  readonly cell: UnitCell;
  /** Standard uncertainties of a, b, c (Å), α, β, γ (degrees) and the volume; 0 for what the symmetry fixes. */
  readonly cellSigma: readonly number[];
  /** Correlation coefficients of the six cell parameters, [6, 6]; NaN where a parameter is fixed. */
  readonly cellCorrelation: Float64Array;
  /** Covariance of the nine elements of UB, [9, 9], Å⁻². */
  readonly ubCovariance: Float64Array;
  /** Instrument and frames with the refined ω, centre and distortions applied. */
  readonly instrument: Instrument;
  readonly frames: readonly FrameGeometry[];
  /** Value and s.u. of every refined instrument parameter (ω in degrees, centre in px). */
  readonly parameters: readonly { readonly name: InstrumentParameter; readonly value: number; readonly sigma: number }[];
  /** Correlations of all refined parameters, [n, n], in the order of `names`. */
  readonly names: readonly string[];
  readonly correlation: Float64Array;
  /** Observations kept, and root mean square residuals of those: on the detector (Å⁻¹ and px, per coordinate) and of the excitation error (Å⁻¹). */
  readonly used: Uint8Array;
  readonly count: number;
  readonly rmsPosition: number;
  readonly rmsPx: number;
  readonly rmsExcitation: number;
}

/**
 * Refine the lattice, and if wanted the tilt axis, the centre and the distortions, on positions of indexed spots. Positions on the
 * detector and excitation errors at the rocking centroids are weighted by their own spread, which is estimated robustly from the residuals
 * (1.4826 × median absolute value) and updated in each round; outliers are rejected at `rejectSigma`.
 * The standard uncertainties follow from the spread of the residuals: systematic errors, above all the scale, are not in them.
 * @throws bad-value for fewer than four indexed spots per free parameter triple, or a refinement that the data cannot determine
 */
export function refineLattice(
  data: IndexedPositions,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  options: CellRefineOptions = {},
): RefinedLattice {
  const { system = "triclinic", refine = [], rejectSigma = 4, rounds = 6, weighting = "separate" } = options;
  const lattice = latticeParameters(ub, system, options.cell);
  const model = positionModel(data, lattice, instrument, frames);
  const L = model.start.length - instrumentParameters.length;
  for (const name of refine)
    if (!instrumentParameters.includes(name)) fail("bad-value", { name }, `refine lists any of ${instrumentParameters.join(", ")}`);
  const fixed = instrumentParameters.flatMap((name, i) => (refine.includes(name) ? [] : [L + i]));
  const n = data.size,
    free = model.start.length - fixed.length;
  if (2 * n < free + 6)
    fail("bad-value", { spots: n, parameters: free }, "too few indexed spots for this refinement: index more, or refine less");
  const r = new Float64Array(3 * n),
    weights = new Float64Array(3 * n),
    used = new Uint8Array(n).fill(1);
  let p: Float64Array = model.start,
    status: SolverStatus = "converged",
    fit = undefined as ReturnType<typeof leastSquares> | undefined,
    kept = -1;
  for (let round = 0; round < rounds; round++) {
    model.residuals(p, r);
    const sxy = spread(r, (i) => used[(i / 3) | 0] === 1 && i % 3 < 2 && Number.isFinite(data.px[(i / 3) | 0]!)),
      ss = spread(r, (i) => used[(i / 3) | 0] === 1 && i % 3 === 2 && data.atCondition[(i / 3) | 0] === 1);
    let count = 0;
    const cut = round === 0 ? 3 * rejectSigma : rejectSigma; // the start may be far off: be generous first
    for (let i = 0; i < n; i++) {
      const ok =
        Math.abs(r[3 * i]!) <= cut * sxy &&
        Math.abs(r[3 * i + 1]!) <= cut * sxy &&
        (!data.atCondition[i] || data.excitationWeight !== undefined || Math.abs(r[3 * i + 2]!) <= cut * ss);
      used[i] = ok ? 1 : 0;
      count += used[i]!;
      const [wxy, ws] = weighting === "equal" ? [1 / (sxy * ss), 1 / (sxy * ss)] : [1 / (sxy * sxy), 1 / (ss * ss)];
      weights[3 * i] = weights[3 * i + 1] = ok ? wxy : 0;
      weights[3 * i + 2] = ok && data.atCondition[i] ? (data.excitationWeight?.[i] ?? ws) : 0;
    }
    if (2 * count < free + 6)
      fail("bad-value", { spots: count, parameters: free }, "too few spots agree with the lattice: the indexing is wrong");
    const result = leastSquares({
      residuals: model.residuals,
      jacobian: model.jacobian,
      count: 3 * n,
      start: p,
      weights,
      fixed,
      maxIterations: 50,
      costTolerance: 1e-9, // a step that gains less moves nothing by a hundredth of its s.u.
      covarianceScale: "none",
    });
    status = result.status;
    p = result.x;
    fit = result;
    if (round > 1 && count === kept) break;
    kept = count;
  }
  if (!fit) fail("bad-value", { rounds }, "rounds is at least 1");
  model.residuals(p, r);
  const N = model.start.length;
  const index = (name: string): number => model.names.indexOf(name);
  const open = model.names.filter((_, i) => !fixed.includes(i));
  if (refine.includes("magnification") && !options.cell)
    fail(
      "bad-value",
      { refine: [...refine] },
      "the magnification and the cell scale together: give the cell known from elsewhere, or keep the magnification",
    );
  const bad = open.filter((name) => !Number.isFinite(fit.sigma[index(name)]!));
  if (bad.length) fail("bad-value", { undetermined: bad }, "the data do not determine these parameters together: fix one of them");
  const covariance = fit.covariance;
  const sub = new Float64Array(open.length ** 2);
  open.forEach((a, i) => {
    open.forEach((b, j) => {
      sub[i * open.length + j] = covariance[index(a) * N + index(b)]!;
    });
  });
  const finalUb = model.orientation(p);
  const ubJacobian = differentiate((q) => [...model.orientation(q)], p, L);
  const ubCovariance = propagate(ubJacobian, covariance, N, L);
  const cellFull = propagate(
    differentiate((q) => [...cellParameters(cellAt(q)), cellAt(q).volume], p, L),
    covariance,
    N,
    L,
  );
  function cellAt(q: Float64Array): UnitCell {
    return lattice.kind === "free" ? cellFromUB(model.orientation(q)) : cellOf(lattice.constraint.expand(q.subarray(3, L)));
  }
  const six = new Float64Array(36);
  for (let i = 0; i < 6; i++) for (let j = 0; j < 6; j++) six[6 * i + j] = cellFull[7 * i + j]!;
  const omegaShift = (p[L]! * 180) / Math.PI,
    shiftX = p[L + 1]!,
    shiftY = p[L + 2]!;
  const centre = instrument.detector.centrePx;
  const detector = { ...instrument.detector, centrePx: [centre[0] + shiftX, centre[1] + shiftY] as const };
  const parameters = refine.map((name) => {
    const i = index(name),
      unit = name === "omega" ? 180 / Math.PI : 1;
    const base = name === "omega" ? (frames[0]?.omegaDeg ?? 0) : name === "centreX" ? centre[0] : name === "centreY" ? centre[1] : 0;
    return { name, value: base + p[i]! * unit, sigma: fit.sigma[i]! * unit };
  });
  return {
    status,
    ub: finalUb,
    cell: cellAt(p),
    cellSigma: Array.from({ length: 7 }, (_, i) => Math.sqrt(Math.max(0, cellFull[7 * i + i]!))),
    cellCorrelation: correlationMatrix(six),
    ubCovariance,
    instrument: { ...instrument, detector, distortion: distortionFromVector(p.subarray(L + 3)) },
    frames: frames.map((f) => ({
      ...f,
      omegaDeg: f.omegaDeg + omegaShift,
      ...(f.centrePx ? { centrePx: [f.centrePx[0] + shiftX, f.centrePx[1] + shiftY] as const } : {}),
    })),
    parameters,
    names: open,
    correlation: correlationMatrix(sub),
    used,
    ...statistics(r, used, data, instrument.detector.invAngstromPerPixel),
  };
}

function latticeParameters(ub: Orientation, system: LatticeSystem, known?: UnitCell): LatticeParameters {
  if (!(Math.abs(determinant(ub)) > 0)) fail("bad-value", { ub: [...ub] }, "the columns of the orientation matrix lie in one plane");
  if (system === "triclinic" && !known) return { kind: "free", ub };
  const constraint = known ? fixedCell(known) : cellConstraint(system);
  const free = constraint.free(cellFromUB(ub));
  return { kind: "constrained", constraint, cell: free, u: splitOrientation(ub, cellOf(constraint.expand(free))) };
}

/** 1.4826 × median of |r| over the chosen residuals; a small positive number when all vanish. */
function spread(r: Float64Array, keep: (i: number) => boolean): number {
  const v: number[] = [];
  for (let i = 0; i < r.length; i++) if (keep(i)) v.push(Math.abs(r[i]!));
  if (v.length === 0) return 1;
  v.sort((a, b) => a - b);
  return Math.max(1e-9, 1.4826 * v[v.length >> 1]!);
}

function statistics(
  r: Float64Array,
  used: Uint8Array,
  data: IndexedPositions,
  scale: number,
): Pick<RefinedLattice, "count" | "rmsPosition" | "rmsPx" | "rmsExcitation"> {
  let count = 0,
    placed = 0,
    xy = 0,
    s = 0,
    ws = 0;
  for (let i = 0; i < used.length; i++) {
    if (!used[i]) continue;
    count++;
    if (Number.isFinite(data.px[i]!)) {
      placed++;
      xy += r[3 * i]! ** 2 + r[3 * i + 1]! ** 2;
    }
    if (!data.atCondition[i]) continue;
    const w = data.excitationWeight?.[i] ?? 1;
    s += w * r[3 * i + 2]! ** 2;
    ws += w;
  }
  const rmsPosition = Math.sqrt(xy / (2 * placed));
  return { count, rmsPosition, rmsPx: rmsPosition / scale, rmsExcitation: ws > 0 ? Math.sqrt(s / ws) : Number.NaN };
}

/** Central differences of f with respect to the first `count` parameters, [f.length, count]. */
function differentiate(f: (p: Float64Array) => number[], p: Float64Array, count: number): Float64Array {
  const m = f(p).length,
    out = new Float64Array(m * count);
  for (let j = 0; j < count; j++) {
    const h = 1e-6 * Math.max(0.1, Math.abs(p[j]!));
    const up = p.slice(),
      down = p.slice();
    up[j]! += h;
    down[j]! -= h;
    const a = f(up),
      b = f(down);
    for (let i = 0; i < m; i++) out[i * count + j] = (a[i]! - b[i]!) / (2 * h);
  }
  return out;
}

/** J C Jᵀ of the leading `count` parameters of a covariance [size, size]. */
function propagate(j: Float64Array, c: Float64Array, size: number, count: number): Float64Array {
  const m = j.length / count,
    out = new Float64Array(m * m);
  for (let a = 0; a < m; a++)
    for (let b = 0; b < m; b++) {
      let s = 0;
      for (let k = 0; k < count; k++) for (let l = 0; l < count; l++) s += j[a * count + k]! * c[k * size + l]! * j[b * count + l]!;
      out[a * m + b] = s;
    }
  return out;
}
