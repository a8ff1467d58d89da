import type { Exposure } from "../geometry/experiment.js";
import { normalCdf } from "../numerics/erf.js";

/**
 * The rocking curve of one reflection on one frame: a Gaussian of standard deviation σ in the excitation error, averaged over what the exposure
 * sweeps. Its integral over s is 1, unit Å; σ(g) = RCwidth + |g|·mosaicity.
 *
 * Continuous rotation by ±φ sweeps s − d … s + d evenly, d = |∂s/∂α|·φ, with |∂s/∂α| the distance of g from the tilt axis. Precession by φ runs
 * through s + d·cos τ over a full turn of τ, d = |g_xy|·sin φ: a camel with humps near ±d. d = 0 for a static frame.
 * @see Palatinus et al., Acta Cryst. B75 (2019) 512
 */
export function rockingProfile(s: number, sigma: number, halfSweep = 0, kind: Exposure["kind"] = "continuous"): number {
  if (kind === "static" || halfSweep < 1e-3 * sigma) return gauss(s / sigma) / sigma;
  if (kind === "precession") return camelSums(s, sigma, halfSweep)[0];
  return (normalCdf((s + halfSweep) / sigma) - normalCdf((s - halfSweep) / sigma)) / (2 * halfSweep);
}

/** ∂/∂s and ∂/∂σ of {@link rockingProfile}. */
export function rockingProfileGradient(
  s: number,
  sigma: number,
  halfSweep = 0,
  kind: Exposure["kind"] = "continuous",
): readonly [ds: number, dsigma: number] {
  if (kind === "static" || halfSweep < 1e-3 * sigma) {
    const u = s / sigma,
      g = gauss(u) / (sigma * sigma);
    return [-u * g, (u * u - 1) * g];
  }
  if (kind === "precession") {
    const [, ds, dsigma] = camelSums(s, sigma, halfSweep);
    return [ds, dsigma];
  }
  const a = (s + halfSweep) / sigma,
    b = (s - halfSweep) / sigma,
    ga = gauss(a),
    gb = gauss(b);
  return [(ga - gb) / (2 * halfSweep * sigma), (b * gb - a * ga) / (2 * halfSweep * sigma)];
}

/**
 * Camel and its derivatives by s and σ: means over half a turn (cos is even) by the trapezium rule, which converges faster than any power on a
 * smooth periodic function; points enough for the narrowest feature, 12 digits.
 */
function camelSums(s: number, sigma: number, d: number): readonly [value: number, ds: number, dsigma: number] {
  const n = 16 + Math.ceil((5 * d) / sigma);
  let p = 0,
    ds = 0,
    dw = 0;
  for (let i = 0; i <= n; i++) {
    const u = (s - d * Math.cos((Math.PI * i) / n)) / sigma;
    if (u > 9 || u < -9) continue;
    const g = (i === 0 || i === n ? 0.5 : 1) * gauss(u);
    p += g;
    ds -= u * g;
    dw += (u * u - 1) * g;
  }
  return [p / (n * sigma), ds / (n * sigma * sigma), dw / (n * sigma * sigma)];
}

const gauss = (u: number): number => 0.3989422804014327 * Math.exp(-0.5 * u * u);
