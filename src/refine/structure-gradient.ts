import { isCentringAbsent } from "../geometry/extinctions.js";
import { reciprocalMetric } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import type { FormFactorSource } from "../scattering/form-factor.js";
import type { RawStructure } from "./structure-parameters.js";

/** Called once for each reflection with F and, in the order of the raw vector, ∂F/∂raw; the arrays are reused. */
export type GradientVisitor = (row: number, re: number, im: number, dRe: Float64Array, dIm: Float64Array) => void;

/** Structure factors of a list as a function of the raw vector of a structure. Made once for a list, used in every cycle. */
export interface StructureFactorKernel {
  readonly size: number;
  /** F = Σ occupancy f T exp(−2πi h·x), Å, interleaved, shape [size, 2]. */
  values(raw: Float64Array): Float64Array;
  /** F and its derivatives with respect to every raw parameter. */
  gradients(raw: Float64Array, visit: GradientVisitor): void;
}

const eight = 8 * Math.PI * Math.PI,
  two = 2 * Math.PI;

/**
 * F and analytic ∂F/∂(x, occupancy, U) from one pass over atoms and operations: h·(Wx + w) = hW·x + h·w, so every operation acts on the
 * indices (once, at the making) instead of on the atoms, and all derivatives refer to the independent atom itself. Phases are products of
 * tabulated exp(−2πi n x); an inversion at the origin halves the operations and leaves real sums.
 * The multiplicity of every site is that of the raw structure: an atom that wanders does not change it.
 * @param hkl - shape [n, 3]
 */
export function structureFactorKernel(raw: RawStructure, hkl: Int32Array, factors: FormFactorSource): StructureFactorKernel {
  const { cell, spaceGroup: group, atoms } = raw.structure;
  const n = hkl.length / 3,
    count = raw.parameters.length;
  const star = reciprocalMetric(cell);
  const as = [Math.sqrt(star[0]), Math.sqrt(star[4]), Math.sqrt(star[8])];
  // T = exp(−Σ c_m q_m U_m), q = (hh kk ll hk hl kl) of the transformed indices.
  const c6 = [as[0]! * as[0]!, as[1]! * as[1]!, as[2]! * as[2]!, 2 * as[0]! * as[1]!, 2 * as[0]! * as[2]!, 2 * as[1]! * as[2]!].map(
    (v) => 2 * Math.PI * Math.PI * v,
  );
  const ops = halfOfPairs(group);
  const real = group.originAtInversion;
  const m = ops.length;
  const turned = new Int32Array(3 * n * m),
    cosShift = new Float64Array(n * m),
    sinShift = new Float64Array(n * m);
  const g2 = new Float64Array(n),
    absent = new Uint8Array(n);
  let max = 0;
  for (let i = 0; i < n; i++) {
    const h = hkl[3 * i]!,
      k = hkl[3 * i + 1]!,
      l = hkl[3 * i + 2]!;
    g2[i] = star[0] * h * h + star[4] * k * k + star[8] * l * l + 2 * (star[1] * h * k + star[2] * h * l + star[5] * k * l);
    absent[i] = isCentringAbsent(group, [h, k, l]) ? 1 : 0;
    ops.forEach(({ rotation: w, shift: t }, o) => {
      const at = i * m + o;
      turned[3 * at] = h * w[0] + k * w[3] + l * w[6];
      turned[3 * at + 1] = h * w[1] + k * w[4] + l * w[7];
      turned[3 * at + 2] = h * w[2] + k * w[5] + l * w[8];
      for (let j = 0; j < 3; j++) max = Math.max(max, Math.abs(turned[3 * at + j]!));
      const turns = (((h * t[0] + k * t[1] + l * t[2]) % 24) + 24) % 24;
      cosShift[at] = Math.cos((turns * Math.PI) / 12);
      sinShift[at] = -Math.sin((turns * Math.PI) / 12);
    });
  }
  const kinds = [...new Set(atoms.map((a) => `${a.element} ${a.charge}`))];
  const type = atoms.map((a) => kinds.indexOf(`${a.element} ${a.charge}`));
  const amplitude = kinds.map((_, t) => {
    const a = atoms[type.indexOf(t)]!,
      f = factors(a.element, a.charge);
    return Float64Array.from(g2, (v) => f.f(Math.sqrt(v) / 2));
  });
  // Every operation of the group visits the site; mates ±x are joined (factor 2), centring copies too.
  const share = raw.sites.map((s) => (s.multiplicity * (real ? 2 : 1)) / group.primitiveOrder);
  const width = 2 * max + 1;
  const tables = new Float64Array(atoms.length * 3 * width * 2);

  const fillTables = (x: Float64Array): void => {
    for (let a = 0; a < atoms.length; a++)
      for (let axis = 0; axis < 3; axis++) {
        const v = x[raw.offset[a]! + axis]!;
        const base = 2 * ((3 * a + axis) * width + max);
        for (let k = 0; k <= max; k++) {
          const t = k * v,
            p = two * (t - Math.round(t));
          const c = Math.cos(p),
            s = -Math.sin(p);
          tables[base + 2 * k] = c;
          tables[base + 2 * k + 1] = s;
          tables[base - 2 * k] = c;
          tables[base - 2 * k + 1] = -s;
        }
      }
  };

  function sum(x: Float64Array, visit: GradientVisitor, dRe: Float64Array | undefined, dIm: Float64Array | undefined): void {
    fillTables(x);
    const beta = new Float64Array(6);
    for (let i = 0; i < n; i++) {
      let re = 0,
        im = 0;
      if (absent[i]) {
        dRe?.fill(0);
        dIm?.fill(0);
        visit(i, 0, 0, dRe!, dIm!);
        continue;
      }
      for (let a = 0; a < atoms.length; a++) {
        const o = raw.offset[a]!;
        const aniso = atoms[a]!.uAniso !== undefined;
        const occupancy = x[o + 3]!;
        let w = share[a]! * amplitude[type[a]!]![i]!;
        if (aniso) for (let k = 0; k < 6; k++) beta[k] = c6[k]! * x[o + 4 + k]!;
        else w *= Math.exp((-eight * x[o + 4]! * g2[i]!) / 4);
        const b0 = beta[0]!,
          b1 = beta[1]!,
          b2 = beta[2]!,
          b3 = beta[3]!,
          b4 = beta[4]!,
          b5 = beta[5]!;
        const tx = 2 * (3 * a * width + max),
          ty = tx + 2 * width,
          tz = ty + 2 * width;
        let cr = 0,
          ci = 0;
        // Sums of index times (s, −c) for the coordinates, and of index products times (c, s) for the tensor.
        let xr = 0,
          xi = 0,
          yr = 0,
          yi = 0,
          zr = 0,
          zi = 0;
        let u0 = 0,
          u1 = 0,
          u2 = 0,
          u3 = 0,
          u4 = 0,
          u5 = 0,
          v0 = 0,
          v1 = 0,
          v2 = 0,
          v3 = 0,
          v4 = 0,
          v5 = 0;
        for (let k = 0, at = i * m; k < m; k++, at++) {
          const h1 = turned[3 * at]!,
            h2 = turned[3 * at + 1]!,
            h3 = turned[3 * at + 2]!;
          const xc = tables[tx + 2 * h1]!,
            xs = tables[tx + 2 * h1 + 1]!,
            yc = tables[ty + 2 * h2]!,
            ys = tables[ty + 2 * h2 + 1]!,
            zc = tables[tz + 2 * h3]!,
            zs = tables[tz + 2 * h3 + 1]!;
          const pc = xc * yc - xs * ys,
            ps = xc * ys + xs * yc;
          const qc = pc * zc - ps * zs,
            qs = pc * zs + ps * zc;
          let c = qc * cosShift[at]! - qs * sinShift[at]!,
            s = qc * sinShift[at]! + qs * cosShift[at]!;
          if (aniso) {
            const t = Math.exp(-(b0 * h1 * h1 + b1 * h2 * h2 + b2 * h3 * h3 + b3 * h1 * h2 + b4 * h1 * h3 + b5 * h2 * h3));
            c *= t;
            s *= t;
          }
          cr += c;
          ci += s;
          if (!dRe) continue;
          xr += h1 * s;
          xi -= h1 * c;
          yr += h2 * s;
          yi -= h2 * c;
          zr += h3 * s;
          zi -= h3 * c;
          if (!aniso) continue;
          const h11 = h1 * h1,
            h22 = h2 * h2,
            h33 = h3 * h3,
            h12 = h1 * h2,
            h13 = h1 * h3,
            h23 = h2 * h3;
          u0 += h11 * c;
          u1 += h22 * c;
          u2 += h33 * c;
          u3 += h12 * c;
          u4 += h13 * c;
          u5 += h23 * c;
          if (real) continue;
          v0 += h11 * s;
          v1 += h22 * s;
          v2 += h33 * s;
          v3 += h12 * s;
          v4 += h13 * s;
          v5 += h23 * s;
        }
        const wo = w * occupancy;
        re += wo * cr;
        if (!real) im += wo * ci;
        if (!dRe || !dIm) continue;
        const wx = two * wo;
        dRe[o] = wx * xr;
        dRe[o + 1] = wx * yr;
        dRe[o + 2] = wx * zr;
        dRe[o + 3] = w * cr;
        dIm[o] = real ? 0 : wx * xi;
        dIm[o + 1] = real ? 0 : wx * yi;
        dIm[o + 2] = real ? 0 : wx * zi;
        dIm[o + 3] = real ? 0 : w * ci;
        if (aniso) {
          dRe[o + 4] = -wo * c6[0]! * u0;
          dRe[o + 5] = -wo * c6[1]! * u1;
          dRe[o + 6] = -wo * c6[2]! * u2;
          dRe[o + 7] = -wo * c6[3]! * u3;
          dRe[o + 8] = -wo * c6[4]! * u4;
          dRe[o + 9] = -wo * c6[5]! * u5;
          dIm[o + 4] = -wo * c6[0]! * v0;
          dIm[o + 5] = -wo * c6[1]! * v1;
          dIm[o + 6] = -wo * c6[2]! * v2;
          dIm[o + 7] = -wo * c6[3]! * v3;
          dIm[o + 8] = -wo * c6[4]! * v4;
          dIm[o + 9] = -wo * c6[5]! * v5;
        } else {
          const q = (-eight * g2[i]!) / 4;
          dRe[o + 4] = q * wo * cr;
          dIm[o + 4] = real ? 0 : q * wo * ci;
        }
      }
      visit(i, re, im, dRe!, dIm!);
    }
  }
  return {
    size: n,
    values: (x) => {
      const out = new Float64Array(2 * n);
      sum(
        x,
        (i, re, im) => {
          out[2 * i] = re;
          out[2 * i + 1] = im;
        },
        undefined,
        undefined,
      );
      return out;
    },
    gradients: (x, visit) => sum(x, visit, new Float64Array(count), new Float64Array(count)),
  };
}

/** The operations of the primitive cell; of each pair (W, w), (−W, −w) one where the origin is an inversion. */
function halfOfPairs(group: SpaceGroup): SpaceGroup["ops"] {
  const ops = group.ops.slice(0, group.primitiveOrder);
  if (!group.originAtInversion) return ops;
  const taken = new Set<string>();
  return ops.filter((o) => {
    if (taken.has(o.rotation.map((v) => -v + 0).join())) return false;
    taken.add(o.rotation.map((v) => v + 0).join());
    return true;
  });
}
