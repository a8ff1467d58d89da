import { fail } from "../core/errors.js";
import type { UnitCell } from "../geometry/cell.js";
import {
  type Distortion,
  type DistortionParameter,
  distortionFromVector,
  distortionParameters,
  distortionVector,
  type FrameGeometry,
  type Instrument,
} from "../geometry/index.js";
import { type RefinedLattice, refineLattice } from "./cell-refine.js";
import { type IndexedPositions, type InstrumentParameter, positionModel } from "./cell-refine-model.js";
import type { LatticeSystem } from "./constraints.js";
import type { Orientation } from "./index-lattice.js";

/** Distortions that can be refined with the cell. */
export const distortionTerms = ["magnification", "elliptical", "barrel", "spiral", "parabolic"] as const;
export type DistortionTerm = (typeof distortionTerms)[number];

export interface DistortionRefineOptions {
  /** Default: barrel, spiral and parabolic, which no lattice imitates; elliptical too when `system` is given, magnification when `cell` is. */
  readonly terms?: readonly DistortionTerm[];
  /** Lattice system that the Laue class imposes; UB must be on conventional axes. Needed for the elliptical term. */
  readonly system?: LatticeSystem;
  /** Cell known from elsewhere; needed for the magnification. */
  readonly cell?: UnitCell;
  readonly rejectSigma?: number;
  /** Distortion of the fit to compare with, for `rmsPxBefore`. Default that of the instrument given. */
  readonly before?: Distortion;
  /** Make that fit; default true. Without it `rmsPxBefore` is NaN. */
  readonly compare?: boolean;
}

export interface DistortionResult {
  readonly distortion: Distortion;
  /** Values and s.u. of the linear parameters that were refined. */
  readonly parameters: readonly { readonly name: DistortionParameter; readonly value: number; readonly sigma: number }[];
  /** The lattice, tilt axis and centre refined in the same fit. */
  readonly lattice: RefinedLattice;
  /** Root mean square position error without (lattice, tilt axis and centre refined) and with the distortions, px per coordinate, on the same spots. */
  readonly rmsPxBefore: number;
  readonly rmsPxAfter: number;
  /** Of the positions left over, mean radial and tangential error in rings of |g|, Å⁻¹: what no term describes. */
  readonly rings: {
    readonly g: Float64Array;
    readonly radial: Float64Array;
    readonly tangential: Float64Array;
    readonly count: Int32Array;
  };
  readonly warnings: readonly string[];
}

const names: Record<DistortionTerm, readonly DistortionParameter[]> = {
  magnification: ["magnification"],
  elliptical: ["ellipticalCos", "ellipticalSin"],
  barrel: ["barrel"],
  spiral: ["spiral"],
  parabolic: ["parabolicX", "parabolicY"],
};

/**
 * Refine the geometrical distortions of the diffraction patterns together with the cell, the tilt axis and the centre. Barrel, spiral and
 * parabolic terms bend straight rows, which no lattice does, so they come out of any data set. An elliptical pattern looks like a strained
 * cell: without a Laue class that forbids the strain the term is left out, with a warning. The magnification scales the cell and needs a known one.
 * @see Brázda, Klementová, Krysiak & Palatinus, IUCrJ 9 (2022) 735
 */
export function refineDistortions(
  data: IndexedPositions,
  ub: Orientation,
  instrument: Instrument,
  frames: readonly FrameGeometry[],
  options: DistortionRefineOptions = {},
): DistortionResult {
  const { system = "triclinic", cell } = options;
  const symmetric = system !== "triclinic" || cell !== undefined;
  const wanted =
    options.terms ?? distortionTerms.filter((t) => (t === "elliptical" ? symmetric : t === "magnification" ? cell !== undefined : true));
  for (const t of wanted) if (!distortionTerms.includes(t)) fail("bad-value", { term: t }, `terms are ${distortionTerms.join(", ")}`);
  const warnings: string[] = [];
  const terms = wanted.filter((t) => {
    if (t === "elliptical" && !symmetric) {
      warnings.push(
        "elliptical-needs-laue-class: an elliptical distortion cannot be told from the cell of an unknown Laue class; the term is left out",
      );
      return false;
    }
    if (t === "magnification" && !cell) {
      warnings.push(
        "magnification-needs-cell: the magnification scales the cell; give the cell known from elsewhere; the term is left out",
      );
      return false;
    }
    return true;
  });
  const linear = terms.flatMap((t) => names[t]);
  const refine: InstrumentParameter[] = ["omega", "centreX", "centreY", ...linear];
  const rejectSigma = options.rejectSigma ?? 5;
  // Two passes: the rejection of the first is made before the distortions are known.
  const first = refineLattice(data, ub, instrument, frames, { system, cell, refine, rejectSigma: 2 * rejectSigma });
  const lattice = refineLattice(data, first.ub, first.instrument, first.frames, { system, cell, refine, rejectSigma });
  const plain =
    (options.compare ?? true)
      ? refineLattice(
          keepRows(data, lattice.used),
          ub,
          { ...lattice.instrument, distortion: options.before ?? instrument.distortion },
          lattice.frames,
          { system, cell, refine: ["omega", "centreX", "centreY"], rejectSigma: 1e6 },
        )
      : undefined;
  const v = distortionVector(lattice.instrument.distortion);
  return {
    distortion: distortionFromVector(v),
    parameters: linear.map((name) => ({
      name,
      value: v[distortionParameters.indexOf(name)]!,
      sigma: lattice.parameters.find((p) => p.name === name)!.sigma,
    })),
    lattice,
    rmsPxBefore: plain?.rmsPx ?? Number.NaN,
    rmsPxAfter: lattice.rmsPx,
    rings: ringErrors(data, lattice),
    warnings,
  };
}

/** The observations that are marked. */
function keepRows(data: IndexedPositions, used: Uint8Array): IndexedPositions {
  const rows = Array.from(used.keys()).filter((i) => used[i]);
  const pick = (c: ArrayLike<number>): Float64Array => Float64Array.from(rows, (i) => c[i]!);
  return {
    size: rows.length,
    px: pick(data.px),
    py: pick(data.py),
    frame: pick(data.frame),
    hkl: Int32Array.from(rows.flatMap((i) => [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!])),
    atCondition: Uint8Array.from(rows, (i) => data.atCondition[i]!),
    ...(data.excitation ? { excitation: pick(data.excitation) } : {}),
    ...(data.excitationWeight ? { excitationWeight: pick(data.excitationWeight) } : {}),
  };
}

function ringErrors(data: IndexedPositions, lattice: RefinedLattice): DistortionResult["rings"] {
  const model = positionModel(data, { kind: "free", ub: lattice.ub }, lattice.instrument, lattice.frames);
  const r = new Float64Array(3 * data.size);
  model.residuals(model.start, r);
  const d = lattice.instrument.detector,
    step = 0.1;
  const bins = 40,
    radial = new Float64Array(bins),
    tangential = new Float64Array(bins),
    count = new Int32Array(bins);
  for (let i = 0; i < data.size; i++) {
    if (!lattice.used[i]) continue;
    const dx = (data.px[i]! - d.centrePx[0]) * d.invAngstromPerPixel,
      dy = (data.py[i]! - d.centrePx[1]) * d.invAngstromPerPixel;
    const x = dx * d.fast[0] + dy * d.slow[0],
      y = dx * d.fast[1] + dy * d.slow[1],
      q = Math.hypot(x, y),
      b = Math.min(bins - 1, Math.floor(q / step));
    if (q === 0) continue;
    radial[b]! -= (r[3 * i]! * x + r[3 * i + 1]! * y) / q;
    tangential[b]! -= (r[3 * i + 1]! * x - r[3 * i]! * y) / q;
    count[b]!++;
  }
  const filled = Array.from(count.keys()).filter((b) => count[b]! > 0);
  const mean = (sum: Float64Array): Float64Array => Float64Array.from(filled, (b) => sum[b]! / count[b]!);
  return {
    g: Float64Array.from(filled, (b) => (b + 0.5) * step),
    radial: mean(radial),
    tangential: mean(tangential),
    count: Int32Array.from(filled, (b) => count[b]!),
  };
}
