import { fail } from "../core/errors.js";
import type { UnitCell } from "../geometry/cell.js";
import { constants } from "../geometry/constants.js";
import { dStar, type Fractional } from "../geometry/metric.js";
import type { SpaceGroup } from "../geometry/space-groups.js";
import { applyOpToHkl } from "../geometry/symop.js";
import { fftPlan } from "../numerics/fft-plan.js";
import { voltPerStructureFactor } from "../scattering/units.js";

/** 1 e/Å = 14.3996 V: the potential of one elementary charge at 1 Å, e/(4πε₀) = ħ²/(m₀ a₀ e). */
export const voltPerElectronAngstrom: number = voltPerStructureFactor / (2 * Math.PI * constants.bohrAngstrom);

/** A real periodic function on a grid over one cell: value [iz, iy, ix] at x = ix/nx, y = iy/ny, z = iz/nz. */
export interface PotentialMap {
  readonly cell: UnitCell;
  readonly spaceGroup: SpaceGroup;
  /** [nz, ny, nx]. */
  readonly shape: readonly [number, number, number];
  /** Volts. */
  readonly data: Float64Array;
  /** Resolution of the coefficients, Å. */
  readonly dMin: number;
  /** Coefficients of the full sphere that entered. */
  readonly coefficients: number;
}
export interface MapOptions {
  /** Largest distance of grid points, Å; dMin/4 by default. */
  readonly spacing?: number | undefined;
}

/**
 * φ(r) = (47.878 V Å²/V_cell) Σ F(h) exp(+2πi h·r) over all reflections equivalent to the given ones and their Friedel mates, with
 * F(hW) = F(h) exp(2πi h·w). A reflection given twice (or with its equivalent) is averaged. F(000) enters only where it is given.
 * @param f - coefficients, Å, interleaved, shape [n, 2]; of the convention exp(−2πi h·x) of `structureFactors`
 * @throws bad-shape, bad-value without coefficients, too-large beyond 2²⁶ grid points
 */
export function potentialMap(cell: UnitCell, group: SpaceGroup, hkl: Int32Array, f: Float64Array, options: MapOptions = {}): PotentialMap {
  const n = hkl.length / 3;
  if (f.length !== 2 * n) fail("bad-shape", { hkl: hkl.length, f: f.length }, "one complex coefficient per reflection");
  const sums = new Map<string, { h: readonly [number, number, number]; re: number; im: number; n: number }>();
  let gMax = 0;
  const ops = group.ops.slice(0, group.primitiveOrder);
  for (let i = 0; i < n; i++) {
    const h = [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!] as const;
    const a = f[2 * i]!,
      b = f[2 * i + 1]!;
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    gMax = Math.max(gMax, dStar(cell, h));
    for (const op of ops) {
      const q = applyOpToHkl(op, h);
      const turn = ((h[0] * op.shift[0] + h[1] * op.shift[1] + h[2] * op.shift[2]) % 24) / 24;
      const c = Math.cos(2 * Math.PI * turn),
        s = Math.sin(2 * Math.PI * turn);
      const re = a * c - b * s,
        im = a * s + b * c;
      for (const sign of [1, -1]) {
        const k = [sign * q[0] + 0, sign * q[1] + 0, sign * q[2] + 0] as const;
        const key = k.join();
        const sum = sums.get(key);
        if (sum) {
          sum.re += re;
          sum.im += sign * im;
          sum.n++;
        } else sums.set(key, { h: k, re, im: sign * im, n: 1 });
      }
    }
  }
  if (sums.size === 0) fail("bad-value", { reflections: n }, "a map needs coefficients that are finite numbers");
  const spacing = options.spacing ?? 1 / (4 * gMax);
  const sides = [cell.a, cell.b, cell.c].map((len, i) => {
    let most = 0;
    for (const { h } of sums.values()) most = Math.max(most, Math.abs(h[i as 0]));
    return smooth(Math.max(Math.ceil(len / spacing), 2 * most + 1));
  }) as [number, number, number];
  const [nx, ny, nz] = sides;
  if (nx * ny * nz > 2 ** 26) fail("too-large", { nx, ny, nz }, "the grid has more than 67 million points; raise the spacing");
  const plan = fftPlan({ shape: [nz, ny, nx], type: "c128" });
  try {
    const grid = plan.data();
    grid.fill(0);
    const scale = voltPerStructureFactor / cell.volume;
    for (const { h, re, im, n: times } of sums.values()) {
      const at = 2 * ((wrap(h[2], nz) * ny + wrap(h[1], ny)) * nx + wrap(h[0], nx));
      grid[at] = (scale * re) / times;
      grid[at + 1] = (scale * im) / times;
    }
    plan.inverse({ scale: 1 });
    const out = plan.data(),
      data = new Float64Array(nx * ny * nz);
    for (let i = 0; i < data.length; i++) data[i] = out[2 * i]!;
    return { cell, spaceGroup: group, shape: [nz, ny, nx], data, dMin: 1 / gMax, coefficients: sums.size };
  } finally {
    plan.free();
  }
}
const wrap = (h: number, n: number): number => ((h % n) + n) % n;
/** The next even number whose factors are 2, 3 and 5. */
function smooth(n: number): number {
  for (let m = n + (n % 2); ; m += 2) {
    let r = m;
    for (const p of [2, 3, 5]) while (r % p === 0) r /= p;
    if (r === 1) return m;
  }
}

/** Value at a fractional position by trilinear interpolation, volts. */
export function mapValue(map: PotentialMap, x: Fractional): number {
  const [nz, ny, nx] = map.shape;
  const at = (v: number, n: number): [number, number, number] => {
    const t = (v - Math.floor(v)) * n,
      i = Math.floor(t);
    return [i % n, (i + 1) % n, t - i];
  };
  const [x0, x1, fx] = at(x[0], nx),
    [y0, y1, fy] = at(x[1], ny),
    [z0, z1, fz] = at(x[2], nz);
  const v = (z: number, y: number, i: number): number => map.data[(z * ny + y) * nx + i]!;
  const row = (z: number, y: number): number => v(z, y, x0) * (1 - fx) + v(z, y, x1) * fx;
  const plane = (z: number): number => row(z, y0) * (1 - fy) + row(z, y1) * fy;
  return plane(z0) * (1 - fz) + plane(z1) * fz;
}

/**
 * Coefficients (Fo − |Fc|) exp(iφc) of a difference map, Å, interleaved. `scale` turns |F| (Å) into the amplitude of the data: k·y of a
 * kinematical refinement. After a dynamical one, where data are no function of one F, pass for `scale` √I_calc/|F| of each measurement.
 * Rows with σ ≤ 0 or F = 0 are NaN, which {@link potentialMap} leaves out.
 */
export function differenceCoefficients(
  structureFactors: Float64Array,
  measured: Float64Array,
  sigma: Float64Array,
  scale: Float64Array,
  kind: "difference" | "observed" | "2Fo-Fc" = "difference",
): Float64Array {
  const n = measured.length;
  if (structureFactors.length !== 2 * n || sigma.length !== n || scale.length !== n)
    fail(
      "bad-shape",
      { measured: n, sigma: sigma.length, scale: scale.length, f: structureFactors.length },
      "one row per measured intensity",
    );
  const out = new Float64Array(2 * n);
  const [o, c] = kind === "difference" ? [1, 1] : kind === "observed" ? [1, 0] : [2, 1];
  for (let i = 0; i < n; i++) {
    const re = structureFactors[2 * i]!,
      im = structureFactors[2 * i + 1]!,
      f = Math.hypot(re, im);
    const fo = Math.sqrt(Math.max(0, measured[i]!)) / scale[i]!;
    const d = sigma[i]! > 0 && f > 0 ? (o * fo - c * f) / f : Number.NaN;
    out[2 * i] = d * re;
    out[2 * i + 1] = d * im;
  }
  return out;
}
