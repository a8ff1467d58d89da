import { fail } from "../core/errors.js";
import { gaussLegendre } from "../scattering/absorptive.js";

/**
 * Thickness distribution of the illuminated crystal, by its largest thickness t_max (Å): plate (t_max everywhere), wedge (uniform on
 * [0, t_max]; also a thin paraboloid lens), cylinder across the beam (diameter t_max), sphere (diameter t_max), lens of two spherical caps
 * (`sagitta` of each cap over its radius of aperture: 0 is the thin lens = wedge, 1 the full sphere), or free nodes with weights.
 * @see Palatinus et al. (2015) Acta Cryst. A71, 235
 */
export type ThicknessModel =
  | { readonly kind: "plate" | "wedge" | "cylinder" | "sphere" }
  | { readonly kind: "lens"; readonly sagitta: number }
  | {
      readonly kind: "free";
      /** As fractions of t_max, and their weights (normalised to sum 1). */ readonly fractions: readonly number[];
      readonly weights: readonly number[];
    };

/** Nodes t (Å) and weights w (sum 1): ⟨I⟩ = Σ w I(t). */
export interface ThicknessNodes {
  readonly t: Float64Array;
  readonly weights: Float64Array;
}

/** t/t_max at cumulative probability 1 − u or u, whichever is smooth: Gauss nodes in u integrate analytic functions of t spectrally. */
function fraction(model: ThicknessModel, u: number): number {
  switch (model.kind) {
    case "wedge":
      return u;
    case "cylinder":
      return Math.sqrt(1 - u * u);
    case "sphere":
      return u; // with weight 2u
    default:
      return 1;
  }
}

/**
 * Quadrature nodes of a distribution.
 * @param bandwidth - largest phase π t_max (λ_max − λ_min)/K_n that ψ goes through (rad); I oscillates as fast. Nodes: bandwidth/2 + 14
 * @throws out-of-range, bad-value
 */
export function thicknessNodes(model: ThicknessModel, tMax: number, bandwidth: number, nodes?: number): ThicknessNodes {
  if (!(tMax > 0 && Number.isFinite(tMax))) fail("out-of-range", { thickness: tMax }, "the thickness is a positive number, in Å");
  if (model.kind === "plate") return { t: Float64Array.of(tMax), weights: Float64Array.of(1) };
  if (model.kind === "free") return freeNodes(model.fractions, model.weights, tMax);
  const count = nodes ?? Math.ceil(bandwidth / 2 + 14);
  const { x, w } = gaussLegendre(count);
  const t = new Float64Array(count),
    weights = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const u = 0.5 * (1 + x[i]!);
    if (model.kind === "cylinder") {
      // u = cos θ: t = sin θ is analytic in θ, where √(1 − u²) is not at u = 1
      const theta = (Math.PI / 2) * u;
      t[i] = tMax * Math.sin(theta);
      weights[i] = 0.5 * w[i]! * (Math.PI / 2) * Math.sin(theta);
    } else if (model.kind === "lens") {
      const [f, density] = lensNode(model.sagitta, u);
      t[i] = tMax * f;
      weights[i] = 0.5 * w[i]! * density;
    } else {
      t[i] = tMax * fraction(model, u);
      weights[i] = 0.5 * w[i]! * (model.kind === "sphere" ? 2 * u : 1);
    }
  }
  return { t, weights };
}

/**
 * A symmetric lens of two spherical caps of height s and aperture radius 1 (R = (1 + s²)/2s): t(ρ)/t_max = (√(R² − ρ²) − (R − s))/s, area
 * weight 2ρ dρ. As a function of f = t/t_max: ρ² = R² − (sf + R − s)², so the density is 2s(sf + R − s) df.
 */
function lensNode(s: number, f: number): [number, number] {
  if (!(s >= 0 && s <= 1)) fail("out-of-range", { sagitta: s }, "sagitta over aperture radius runs from 0 (thin) to 1 (sphere)");
  if (s < 1e-9) return [f, 1];
  const R = (1 + s * s) / (2 * s);
  return [f, 2 * s * (s * f + R - s)];
}

function freeNodes(fractions: readonly number[], weights: readonly number[], tMax: number): ThicknessNodes {
  const sum = weights.reduce((s, w) => s + w, 0);
  const bad = fractions.length === 0 || fractions.length !== weights.length || !(sum > 0);
  if (bad || !weights.every((w) => w >= 0) || !fractions.every((f) => f >= 0))
    fail(
      "bad-value",
      { fractions: fractions.length, weights: weights.length },
      "fractions and weights are lists of one length, none negative, not all weights zero",
    );
  return { t: Float64Array.from(fractions, (f) => f * tMax), weights: Float64Array.from(weights, (w) => w / sum) };
}

/** Mean thickness over t_max: 1, 1/2, π/4, 2/3; for the lens (s² + 3)/6, hence 1/2 to 2/3. */
export function meanThickness(model: ThicknessModel): number {
  if (model.kind === "plate") return 1;
  if (model.kind === "wedge") return 0.5;
  if (model.kind === "cylinder") return Math.PI / 4;
  if (model.kind === "sphere") return 2 / 3;
  const { t, weights } = thicknessNodes(model, 1, 0, 8);
  return t.reduce((s, x, i) => s + x * weights[i]!, 0);
}
