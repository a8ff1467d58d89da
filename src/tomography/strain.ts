import { fail } from "../core/errors.js";

/** A displacement field on a grid: axes hold the coordinates of its points. */
export interface DisplacementField {
  readonly axes: readonly [x: Float64Array, y: Float64Array, z: Float64Array];
  /** Displacement, [nx, ny, nz, 3], in the unit of the input; NaN where no atom is within reach. */
  readonly displacement: Float64Array;
  /** Σ of the kernels of atoms, [nx, ny, nz], per unit volume. */
  readonly density: Float64Array;
}

/**
 * Displacements of atoms averaged with a Gaussian kernel: u(r) = Σ K(r − r_a) u_a / Σ K(r − r_a). The kernel is the resolution of the strain.
 * @param sigma - of the kernel, unit of the positions
 * @param reach - atoms further away than this count nothing; default six sigma. The published field of MEA-1 is exp(−r²/s²) up to 2 s, that is
 *   sigma = s/√2 and reach = 2√2 sigma: where few atoms lie around, the tail beyond it changes the mean
 * @see Xu et al. (2015) Nature Mater. 14, 1099
 */
export function displacementField(
  positions: Float64Array,
  displacements: Float64Array,
  axes: DisplacementField["axes"],
  sigma: number,
  { reach = 6 * sigma }: { readonly reach?: number | undefined } = {},
): DisplacementField {
  if (positions.length !== displacements.length)
    fail("bad-shape", { positions: positions.length, displacements: displacements.length }, "one displacement per atom");
  if (!(sigma > 0)) fail("bad-value", { sigma }, "sigma is a length above 0");
  if (!(reach > 0)) fail("bad-value", { reach }, "the reach of the kernel is a length above 0, e.g. 3 sigma");
  const [nx, ny, nz] = axes.map((a) => a.length) as [number, number, number],
    u = new Float64Array(3 * nx * ny * nz),
    density = new Float64Array(nx * ny * nz);
  const norm = 1 / ((2 * Math.PI) ** 1.5 * sigma ** 3),
    kernel = (axis: Float64Array, c: number): Float64Array =>
      axis.map((v) => (Math.abs(v - c) <= reach ? Math.exp(-0.5 * ((v - c) / sigma) ** 2) : 0)),
    // Products of three such factors: what lies in the cube around the sphere is below this.
    least = norm * Math.exp(-0.5 * (reach / sigma) ** 2) * (1 - 1e-12);
  for (let a = 0; a < positions.length; a += 3) {
    const kx = kernel(axes[0], positions[a]!),
      ky = kernel(axes[1], positions[a + 1]!),
      kz = kernel(axes[2], positions[a + 2]!);
    for (let i = 0; i < nx; i++) {
      if (kx[i] === 0) continue;
      for (let j = 0; j < ny; j++) {
        const f = norm * kx[i]! * ky[j]!;
        if (f === 0) continue;
        for (let k = 0, o = (i * ny + j) * nz; k < nz; k++, o++) {
          const w = f * kz[k]!;
          if (w < least) continue;
          density[o]! += w;
          for (let c = 0; c < 3; c++) u[3 * o + c]! += w * displacements[a + c]!;
        }
      }
    }
  }
  for (let o = 0; o < density.length; o++)
    for (let c = 0; c < 3; c++) u[3 * o + c] = density[o]! > 0 ? u[3 * o + c]! / density[o]! : Number.NaN;
  return { axes, displacement: u, density };
}

/** Strain E_ij = (∂u_i/∂x_j + ∂u_j/∂x_i)/2 as xx yy zz yz xz xy, [points, 6], and rotation (∂u_i/∂x_j − ∂u_j/∂x_i)/2 as zy xz yx, [points, 3]. */
export interface StrainField {
  readonly strain: Float64Array;
  readonly rotation: Float64Array;
}

/** Central differences; NaN at the border of the grid, beside points without displacement, and where the density is below `least`. */
export function strainField({ axes, displacement, density }: DisplacementField, least = 0): StrainField {
  const [nx, ny, nz] = axes.map((a) => a.length) as [number, number, number],
    strain = new Float64Array(6 * density.length).fill(Number.NaN),
    rotation = new Float64Array(3 * density.length).fill(Number.NaN);
  const strides = [ny * nz, nz, 1] as const,
    G = new Float64Array(9);
  for (let i = 1; i < nx - 1; i++)
    for (let j = 1; j < ny - 1; j++)
      for (let k = 1; k < nz - 1; k++) {
        const o = (i * ny + j) * nz + k,
          at = [i, j, k];
        if (!(density[o]! > least)) continue;
        for (let d = 0; d < 3; d++) {
          const h = axes[d]![at[d]! + 1]! - axes[d]![at[d]! - 1]!;
          for (let c = 0; c < 3; c++)
            G[3 * c + d] = (displacement[3 * (o + strides[d]!) + c]! - displacement[3 * (o - strides[d]!) + c]!) / h;
        }
        strain.set([G[0]!, G[4]!, G[8]!, 0.5 * (G[5]! + G[7]!), 0.5 * (G[2]! + G[6]!), 0.5 * (G[1]! + G[3]!)], 6 * o);
        rotation.set([0.5 * (G[7]! - G[5]!), 0.5 * (G[2]! - G[6]!), 0.5 * (G[3]! - G[1]!)], 3 * o);
      }
  return { strain, rotation };
}
