import { fail } from "../core/errors.js";
import { quadratic, reciprocalMetric } from "../geometry/metric.js";
import { twoKs } from "./beams.js";
import { betheCorrection } from "./bethe.js";
import { type Incidence, refracted } from "./incidence.js";
import { type CrystalPotential, potentialLayout } from "./potential.js";

export interface MatrixOptions {
  /** Divide by 1 + g_n/K_n (flux through the exit surface); off sets all of them to 1 and K_n = K. Default true. */
  readonly surfaceNormal?: boolean | undefined;
  /** Refract the beam by the mean inner potential. Default false: the effect is below 1e-4. */
  readonly innerPotential?: boolean | undefined;
  /** Beams eliminated to second order (Bethe 1928), shape [m, 3]. */
  readonly weak?: Int32Array | undefined;
}

/**
 * The Bloch-wave matrix: ψ(t) = M exp(iπtA/K_n) M⁻¹ e₀ with M = diag(1 + g_n/K_n)^(−1/2),
 * A_gh = W_{g−h}/√((1+g_n/K_n)(1+h_n/K_n)), A_gg = (2Ks_g + iU'₀)/(1+g_n/K_n). Palatinus et al. (2015) Acta Cryst. A71, 235.
 */
export interface StructureMatrix {
  readonly size: number;
  /** Beams, 0 0 0 first, shape [size, 3]. */
  readonly hkl: Int32Array;
  /** A is real and symmetric; `a` then holds one number an entry. */
  readonly real: boolean;
  /** A is not Hermitian. */
  readonly absorbing: boolean;
  /** Row-major, [size, size], interleaved (re, im) unless `real`. */
  readonly a: Float64Array;
  /** K·n, Å⁻¹. */
  readonly kn: number;
  /** 2Ks_g, Å⁻², shape [size]. */
  readonly twoKs: Float64Array;
  /** 1 + g_n/K_n, shape [size]. */
  readonly surface: Float64Array;
  readonly potential: CrystalPotential;
  readonly incidence: Incidence;
}

/** What the matrix needs of each beam, made once for an orientation. */
export function beamFactors(
  p: CrystalPotential,
  hkl: Int32Array,
  inc: Incidence,
  surfaceNormal = true,
): { kn: number; twoKs: Float64Array; surface: Float64Array } {
  const n = hkl.length / 3,
    { k, normal } = inc;
  const size = Math.sqrt(quadratic(reciprocalMetric(p.cell), k));
  const kn = surfaceNormal ? k[0] * normal[0] + k[1] * normal[1] + k[2] * normal[2] : size;
  const surface = new Float64Array(n).fill(1);
  if (surfaceNormal)
    for (let i = 0; i < n; i++) surface[i] = 1 + (hkl[3 * i]! * normal[0] + hkl[3 * i + 1]! * normal[1] + hkl[3 * i + 2]! * normal[2]) / kn;
  for (let i = 0; i < n; i++)
    if (!(surface[i]! > 0.01))
      fail(
        "out-of-range",
        { hkl: Array.from(hkl.subarray(3 * i, 3 * i + 3)), factor: surface[i] },
        "a beam leaves along or against the surface: the foil is inclined too steeply for forward scattering",
      );
  return { kn, twoKs: twoKs(p.cell, hkl, inc), surface };
}

/** @throws bad-shape, bad-value for an empty list, one that does not start with 0 0 0 or names a beam twice, out-of-range when the potential is too short */
export function checkBeams(p: CrystalPotential, hkl: Int32Array): void {
  if (hkl.length % 3 !== 0) fail("bad-shape", { length: hkl.length }, "pass beams as [n, 3] row-major: h0 k0 l0 h1 k1 l1 …");
  if (hkl.length === 0) fail("bad-value", { beams: 0 }, "the beam list is empty: widen sMax or gMax");
  if (hkl[0] !== 0 || hkl[1] !== 0 || hkl[2] !== 0)
    fail("bad-value", { first: Array.from(hkl.subarray(0, 3)) }, "the first beam is the direct one, 0 0 0");
  const star = reciprocalMetric(p.cell),
    limit = (p.reach / 2) ** 2 * (1 + 1e-9);
  const { sh, sk } = potentialLayout(p.span),
    seen = new Set<number>();
  for (let i = 0; i < hkl.length; i += 3) {
    seen.add(hkl[i]! * sh + hkl[i + 1]! * sk + hkl[i + 2]!);
    if (quadratic(star, [hkl[i]!, hkl[i + 1]!, hkl[i + 2]!]) > limit)
      fail(
        "out-of-range",
        { hkl: Array.from(hkl.subarray(i, i + 3)), reach: p.reach },
        "the potential does not reach to differences of these beams: make it with reach = 2·gMax",
      );
  }
  if (seen.size !== hkl.length / 3)
    fail("bad-value", { beams: hkl.length / 3, different: seen.size }, "a beam is listed more than once: its wave would be counted twice");
}

/**
 * The matrix of a list of beams at one orientation.
 * @param hkl - 0 0 0 first, shape [n, 3]
 * @throws bad-shape, bad-value, out-of-range
 */
export function structureMatrix(p: CrystalPotential, hkl: Int32Array, inc: Incidence, options: MatrixOptions = {}): StructureMatrix {
  const { surfaceNormal = true, innerPotential = false, weak } = options;
  checkBeams(p, hkl);
  if (innerPotential && !Number.isFinite(p.w0[0]))
    fail(
      "bad-value",
      { u0: p.w0[0] },
      "a cell with a net charge has no mean inner potential: balance the charges or leave innerPotential off",
    );
  const used = innerPotential ? refracted(p.cell, inc, p.w0[0]) : inc;
  const n = hkl.length / 3;
  const { kn, twoKs: s, surface } = beamFactors(p, hkl, used, surfaceNormal);
  const q = surface.map((x) => 1 / Math.sqrt(x));
  const { sh, sk, centre } = potentialLayout(p.span);
  const key = new Int32Array(n);
  for (let i = 0; i < n; i++) key[i] = hkl[3 * i]! * sh + hkl[3 * i + 1]! * sk + hkl[3 * i + 2]!;
  const parts = p.real ? 1 : 2,
    { table } = p;
  const a = new Float64Array(parts * n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const f = q[i]! * q[j]!,
        from = centre + key[i]! - key[j]!,
        to = i * n + j;
      if (parts === 1) a[to] = f * table[from]!;
      else {
        a[2 * to] = f * table[2 * from]!;
        a[2 * to + 1] = f * table[2 * from + 1]!;
      }
    }
  if (weak && weak.length > 0) betheCorrection(p, hkl, weak, used, q, a);
  for (let i = 0; i < n; i++) {
    a[parts * (i * n + i)]! += s[i]! / surface[i]!;
    if (parts === 2) a[2 * (i * n + i) + 1]! += p.w0[1] / surface[i]!;
  }
  return { size: n, hkl: hkl.slice(), real: p.real, absorbing: p.absorbing, a, kn, twoKs: s, surface, potential: p, incidence: used };
}
