/**
 * The rocking curve of one reflection on one frame: a Gaussian of standard deviation σ in the excitation error, averaged over the range
 * s − d … s + d that the frame sweeps while it is exposed (d = 0 for a static frame). Its integral over s is 1, unit Å.
 *
 * Continuous rotation by ±φ sweeps d = |∂s/∂α|·φ, with |∂s/∂α| the distance of g from the tilt axis; σ(g) = RCwidth + |g|·mosaicity.
 */
export function rockingProfile(s: number, sigma: number, halfSweep = 0): number {
  if (halfSweep < 1e-3 * sigma) return gauss(s / sigma) / sigma;
  return (normalCdf((s + halfSweep) / sigma) - normalCdf((s - halfSweep) / sigma)) / (2 * halfSweep);
}

/** ∂/∂s and ∂/∂σ of {@link rockingProfile}. */
export function rockingProfileGradient(s: number, sigma: number, halfSweep = 0): readonly [ds: number, dsigma: number] {
  if (halfSweep < 1e-3 * sigma) {
    const u = s / sigma,
      g = gauss(u) / (sigma * sigma);
    return [-u * g, (u * u - 1) * g];
  }
  const a = (s + halfSweep) / sigma,
    b = (s - halfSweep) / sigma,
    ga = gauss(a),
    gb = gauss(b);
  return [(ga - gb) / (2 * halfSweep * sigma), (b * gb - a * ga) / (2 * halfSweep * sigma)];
}

const gauss = (u: number): number => 0.3989422804014327 * Math.exp(-0.5 * u * u);

/**
 * Φ(u), the normal distribution function: the series ½ + φ(u)·Σ u^(2n+1)/(2n+1)!! below |u| = 5, the continued fraction of the upper tail
 * beyond. Error below 1e-15.
 * @see Marsaglia, J. Stat. Softw. 11 (2004) 4
 */
export function normalCdf(u: number): number {
  const x = Math.abs(u);
  if (x > 38) return u > 0 ? 1 : 0;
  if (x < 5) {
    let term = x,
      sum = x;
    for (let n = 3; term > 1e-17 * sum; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    const half = gauss(x) * sum;
    return u < 0 ? 0.5 - half : 0.5 + half;
  }
  let f = x;
  for (let n = 30; n >= 1; n--) f = x + n / f;
  const tail = gauss(x) / f;
  return u < 0 ? tail : 1 - tail;
}
