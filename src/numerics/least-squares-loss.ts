import { fail } from "../core/errors.js";

/**
 * What a residual costs. With z = (r/scale)², the cost is ½ scale² Σ ρ(z):
 * linear ρ = z; huber ρ = z below 1 and 2√z − 1 above; soft-l1 ρ = 2(√(1+z) − 1); cauchy ρ = ln(1+z).
 * `scale` is in units of a weighted residual: where outliers begin (default 1).
 */
export interface Loss {
  readonly kind: "linear" | "huber" | "soft-l1" | "cauchy";
  readonly scale?: number;
}

/** ρ(z), ρ'(z), ρ''(z) into out. */
type Rho = (z: number, out: Float64Array) => void;

const rhos: Record<Loss["kind"], Rho> = {
  linear: (z, o) => {
    o[0] = z;
    o[1] = 1;
    o[2] = 0;
  },
  huber: (z, o) => {
    if (z <= 1) {
      o[0] = z;
      o[1] = 1;
      o[2] = 0;
    } else {
      const s = Math.sqrt(z);
      o[0] = 2 * s - 1;
      o[1] = 1 / s;
      o[2] = -0.5 / (s * z);
    }
  },
  "soft-l1": (z, o) => {
    const t = 1 + z,
      s = Math.sqrt(t);
    o[0] = (2 * z) / (s + 1); // 2(√(1+z) − 1) without cancellation
    o[1] = 1 / s;
    o[2] = -0.5 / (s * t);
  },
  cauchy: (z, o) => {
    const t = 1 + z;
    o[0] = Math.log1p(z);
    o[1] = 1 / t;
    o[2] = -1 / (t * t);
  },
};

export interface LossFunctions {
  readonly linear: boolean;
  /** Cost ½ Σ of weighted residuals. */
  cost(r: Float64Array): number;
  /** Factors [row of the Jacobian, residual] that turn a robust problem into a linear least-squares step (Triggs et al. 2000, §4.3). */
  factorsInto(out: Float64Array, r: number): void;
}

/** @throws bad-value for an unknown kind or a scale that is not positive */
export function lossFunctions({ kind, scale = 1 }: Loss): LossFunctions {
  const rho = rhos[kind];
  if (!rho || !(scale > 0)) fail("bad-value", { kind, scale }, "loss is linear, huber, soft-l1 or cauchy, with a positive scale");
  const o = new Float64Array(3);
  return {
    linear: kind === "linear",
    cost: (r) => {
      let sum = 0;
      if (kind === "linear") {
        for (let i = 0; i < r.length; i++) sum += r[i]! * r[i]!;
        return 0.5 * sum;
      }
      for (let i = 0; i < r.length; i++) {
        const u = r[i]! / scale;
        rho(u * u, o);
        sum += o[0]!;
      }
      return 0.5 * scale * scale * sum;
    },
    factorsInto: (out, r) => {
      const u = r / scale,
        z = u * u;
      rho(z, o);
      // The Gauss–Newton curvature ρ' + 2ρ''z may turn negative for an outlier: keep it a little positive.
      const curvature = Math.sqrt(Math.max(o[1]! + 2 * o[2]! * z, 1e-8 * o[1]!));
      out[0] = curvature;
      out[1] = curvature > 0 ? o[1]! / curvature : 0;
    },
  };
}
