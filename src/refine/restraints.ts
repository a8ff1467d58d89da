import { fail } from "../core/errors.js";
import { type Adp, cartesianAdp } from "../geometry/adp.js";
import { metricTensor } from "../geometry/metric.js";
import { identityOp, parseOp, type SymOp } from "../geometry/symop.js";
import { atomIndex, type RawStructure } from "./structure-parameters.js";

/** An atom, or its image under an operation ("-x,y,z+1/2"). */
export type AtomRef = string | { readonly atom: string; readonly op: string };
/** Knowledge that enters as an observation, (value − target)/sigma. */
export type Restraint =
  | { readonly kind: "distance"; readonly atoms: readonly [AtomRef, AtomRef]; readonly target: number; readonly sigma: number }
  /** Angle at the second atom, degrees. */
  | { readonly kind: "angle"; readonly atoms: readonly [AtomRef, AtomRef, AtomRef]; readonly targetDeg: number; readonly sigmaDeg: number }
  /** Two atoms vibrate alike: every Cartesian component of U1 − U2 is 0 ± sigma (Å²). */
  | { readonly kind: "similar-displacements"; readonly atoms: readonly [string, string]; readonly sigma: number };

/** Restraints as extra residuals of a raw vector. */
export interface RestraintSet {
  readonly count: number;
  /** Residual and ∂residual/∂raw of each row: entries [raw index, derivative]. */
  rows(raw: Float64Array): readonly { readonly residual: number; readonly terms: readonly (readonly [number, number])[] }[];
}

/** @throws not-found for unknown labels, bad-value for a σ that is not positive */
export function restraintSet(raw: RawStructure, list: readonly Restraint[]): RestraintSet {
  const { cell } = raw.structure;
  const g = metricTensor(cell);
  interface End {
    readonly offset: number;
    readonly op: SymOp;
  }
  const end = (r: AtomRef): End => {
    const [label, op] = typeof r === "string" ? [r, identityOp] : [r.atom, parseOp(r.op)];
    return { offset: raw.offset[atomIndex(raw, label)]!, op };
  };
  const at = (x: Float64Array, { offset: o, op: { rotation: w, shift: t } }: End): number[] =>
    [0, 1, 2].map((i) => w[(3 * i) as 0] * x[o]! + w[(3 * i + 1) as 0] * x[o + 1]! + w[(3 * i + 2) as 0] * x[o + 2]! + t[i as 0] / 24);
  const lower = (v: readonly number[]): number[] => [0, 1, 2].map((i) => [0, 1, 2].reduce((s, j) => s + g[(3 * i + j) as 0] * v[j]!, 0));
  const dot = (a: readonly number[], b: readonly number[]): number => a[0]! * b[0]! + a[1]! * b[1]! + a[2]! * b[2]!;
  /** ∂/∂x of the independent atom from the covariant gradient at its image. */
  const pull = ({ offset, op: { rotation: w } }: End, grad: readonly number[], factor: number): [number, number][] =>
    [0, 1, 2].map((j) => [offset + j, factor * [0, 1, 2].reduce((s, i) => s + w[(3 * i + j) as 0] * grad[i]!, 0)]);
  const positive = (sigma: number): number =>
    sigma > 0 ? sigma : fail("bad-value", { sigma }, "the σ of a restraint is a positive number");
  type Row = { residual: number; terms: (readonly [number, number])[] };
  const makers = list.map((r): { count: number; make: (x: Float64Array) => Row[] } => {
    if (r.kind === "distance") {
      const [a, b] = r.atoms.map(end) as [End, End],
        s = positive(r.sigma);
      return {
        count: 1,
        make: (x) => {
          const p = at(x, a),
            q = at(x, b),
            d = q.map((v, i) => v - p[i]!);
          const cov = lower(d),
            length = Math.sqrt(dot(d, cov));
          const grad = cov.map((v) => v / length);
          return [{ residual: (length - r.target) / s, terms: [...pull(b, grad, 1 / s), ...pull(a, grad, -1 / s)] }];
        },
      };
    }
    if (r.kind === "angle") {
      const [a, b, c] = r.atoms.map(end) as [End, End, End],
        s = (positive(r.sigmaDeg) * Math.PI) / 180;
      return {
        count: 1,
        make: (x) => {
          const o = at(x, b),
            u = at(x, a).map((v, i) => v - o[i]!),
            v = at(x, c).map((w, i) => w - o[i]!);
          const cu = lower(u),
            cv = lower(v),
            lu = Math.sqrt(dot(u, cu)),
            lv = Math.sqrt(dot(v, cv));
          const cos = Math.max(-1, Math.min(1, dot(u, cv) / (lu * lv)));
          const sin = Math.max(1e-6, Math.sqrt(1 - cos * cos));
          // θ = arccos(û·v̂): ∂θ/∂u = −(v̂ − cosθ û)/(|u| sinθ).
          const du = cu.map((w, i) => -(cv[i]! / lv - (cos * w) / lu) / (lu * sin)),
            dv = cv.map((w, i) => -(cu[i]! / lu - (cos * w) / lv) / (lv * sin));
          const mid = du.map((w, i) => -w - dv[i]!);
          return [
            {
              residual: (Math.acos(cos) - (r.targetDeg * Math.PI) / 180) / s,
              terms: [...pull(a, du, 1 / s), ...pull(c, dv, 1 / s), ...pull(b, mid, 1 / s)],
            },
          ];
        },
      };
    }
    const s = positive(r.sigma);
    const forms = r.atoms.map((label) => tensorForm(raw, atomIndex(raw, label)));
    return {
      count: 6,
      make: (x) =>
        [0, 1, 2, 3, 4, 5].map((k) => {
          const terms = [...forms[0]![k]!.map(([i, c]) => [i, c / s] as const), ...forms[1]![k]!.map(([i, c]) => [i, -c / s] as const)];
          return { residual: terms.reduce((sum, [i, c]) => sum + c * x[i]!, 0), terms };
        }),
    };
  });
  return { count: makers.reduce((n, m) => n + m.count, 0), rows: (x) => makers.flatMap((m) => m.make(x)) };
}

const places = [0, 4, 8, 1, 2, 5] as const;
/** Cartesian 11 22 33 12 13 23 of an atom's tensor as linear forms of the raw vector. */
function tensorForm(raw: RawStructure, atom: number): (readonly [number, number])[][] {
  const o = raw.offset[atom]! + 4,
    { cell, atoms } = raw.structure;
  if (!atoms[atom]!.uAniso) return places.map((p) => (p === 0 || p === 4 || p === 8 ? [[o, 1] as const] : []));
  const unit = [0, 1, 2, 3, 4, 5].map((k) => cartesianAdp(cell, [0, 1, 2, 3, 4, 5].map((i) => Number(i === k)) as unknown as Adp));
  return places.map((p) => unit.map((m, k) => [o + k, m[p]] as const).filter(([, c]) => Math.abs(c) > 1e-14));
}
