import type { AtomEngine, ViewInput } from "./refine-atoms-engine.js";
import type { AtomLayout } from "./refine-atoms-layout.js";

/** What is refined, all of it: atoms, poses, backgrounds and scales. */
export interface AtomState {
  readonly positions: Float64Array;
  readonly intensities: Float64Array;
  readonly widths: Float64Array;
  readonly poses: Float64Array;
  readonly shifts: Float64Array;
  readonly background: Float64Array;
  readonly scales: Float64Array;
}

export const copyState = (s: AtomState): AtomState => ({
  positions: s.positions.slice(),
  intensities: s.intensities.slice(),
  widths: s.widths.slice(),
  poses: s.poses.slice(),
  shifts: s.shifts.slice(),
  background: s.background.slice(),
  scales: s.scales.slice(),
});

/**
 * The linearised model p_i(u, v) = b_i + s_i Σ_a I_a G(u − u_a; σ_a) G(v − v_a; σ_a) with (u, v, w) = Rᵀ r / pixel + n//2 + shift, and
 * R → exp([ω]×) R. Products with J and Jᵀ go through four local coefficients per atom and view (I, u, v, σ), so that the kernels
 * know no parameters; the rest is bookkeeping on [n, views].
 */
export class AtomSystem {
  constructor(
    readonly engine: AtomEngine,
    readonly layout: AtomLayout,
    readonly species: Uint8Array,
    readonly pixel: number,
    public state: AtomState,
  ) {}

  /** Patches at the present positions. */
  async place(): Promise<void> {
    const { positions, poses, shifts, widths } = this.state,
      { n } = this.layout,
      { nx, ny } = this.engine,
      f = 1 / this.pixel;
    await this.engine.place(
      (i, into) => {
        const R = poses.subarray(9 * i, 9 * i + 9),
          u0 = Math.floor(nx / 2) + shifts[2 * i]!,
          v0 = Math.floor(ny / 2) + shifts[2 * i + 1]!;
        for (let a = 0; a < n; a++) {
          const x = positions[3 * a]!,
            y = positions[3 * a + 1]!,
            z = positions[3 * a + 2]!;
          into[2 * a] = u0 + f * (R[0]! * x + R[3]! * y + R[6]! * z);
          into[2 * a + 1] = v0 + f * (R[1]! * x + R[4]! * y + R[7]! * z);
        }
      },
      widths.map((s) => s * f),
    );
  }

  /** χ² of the present state, per view; leaves weighted residuals in the engine. */
  async chi2(): Promise<number[]> {
    const { intensities, background, scales } = this.state,
      { n, terms } = this.layout;
    return this.engine.residuals((i, { c, b }) => {
      c.fill(0);
      for (let a = 0; a < n; a++) c[4 * a] = scales[i]! * intensities[a]!;
      b.fill(0);
      if (terms) b.set(background.subarray(3 * i, 3 * i + 3));
    });
  }

  /** Coefficients of J x in one view. */
  coefficients(x: Float64Array, i: number, { c, b }: ViewInput): void {
    const L = this.layout,
      { positions, intensities, widths, poses, scales } = this.state;
    const { n, q, m } = L,
      f = 1 / this.pixel,
      s = scales[i]!,
      R = poses.subarray(9 * i, 9 * i + 9),
      at = L.viewsAt + m * i;
    const [ux, uy, uz, vx, vy, vz] = [f * R[0]!, f * R[3]!, f * R[6]!, f * R[1]!, f * R[4]!, f * R[7]!];
    const dScale = L.scale < 0 ? 0 : x[at + L.scale]!,
      [du0, dv0] = L.shift < 0 ? [0, 0] : [x[at + L.shift]!, x[at + L.shift + 1]!];
    const [wx, wy, wz] = L.rotation < 0 ? [0, 0, 0] : [x[at + L.rotation]!, x[at + L.rotation + 1]!, x[at + L.rotation + 2]!];
    for (let a = 0, o = 0; a < n; a++, o += q) {
      const px = positions[3 * a]!,
        py = positions[3 * a + 1]!,
        pz = positions[3 * a + 2]!;
      // r × ω is how the rotation moves the atom in the frame of the view
      const dx = x[o]! + py * wz - pz * wy,
        dy = x[o + 1]! + pz * wx - px * wz,
        dz = x[o + 2]! + px * wy - py * wx;
      const du = ux * dx + uy * dy + uz * dz + du0,
        dv = vx * dx + vy * dy + vz * dz + dv0;
      const k = this.species[a]!,
        I = intensities[a]!;
      const dI = L.intensity >= 0 ? x[o + L.intensity]! : L.speciesIntensity >= 0 ? x[L.globalsAt + L.speciesIntensity + k]! : 0;
      const dW =
        f * (L.width >= 0 ? x[o + L.width]! : L.speciesWidth >= 0 ? x[L.globalsAt + L.speciesWidth + (L.widthClasses > 1 ? k : 0)]! : 0);
      const sigma = f * widths[a]!,
        e = s * I,
        e2 = e / (sigma * sigma);
      c[4 * a] = s * dI + I * dScale - (2 * e * dW) / sigma;
      c[4 * a + 1] = e2 * du;
      c[4 * a + 2] = e2 * dv;
      c[4 * a + 3] = (e2 * dW) / sigma;
    }
    b.fill(0);
    for (let t = 0; t < L.terms; t++) b[t] = x[at + t]!;
  }

  /** y += Jᵀ of what one view gave: the transpose of `coefficients`. */
  gather(y: Float64Array, i: number, out: Float32Array, sums: Float64Array): void {
    const L = this.layout,
      { positions, intensities, widths, poses, scales } = this.state;
    const { n, q, m } = L,
      f = 1 / this.pixel,
      s = scales[i]!,
      R = poses.subarray(9 * i, 9 * i + 9),
      at = L.viewsAt + m * i;
    const [ux, uy, uz, vx, vy, vz] = [f * R[0]!, f * R[3]!, f * R[6]!, f * R[1]!, f * R[4]!, f * R[7]!];
    let dScale = 0,
      du0 = 0,
      dv0 = 0,
      wx = 0,
      wy = 0,
      wz = 0;
    for (let a = 0, o = 0; a < n; a++, o += q) {
      const m0 = out[4 * a]!,
        sigma = f * widths[a]!,
        I = intensities[a]!,
        e = s * I,
        e2 = e / (sigma * sigma);
      const gu = e2 * out[4 * a + 1]!,
        gv = e2 * out[4 * a + 2]!;
      const gx = ux * gu + vx * gv,
        gy = uy * gu + vy * gv,
        gz = uz * gu + vz * gv;
      y[o]! += gx;
      y[o + 1]! += gy;
      y[o + 2]! += gz;
      du0 += gu;
      dv0 += gv;
      dScale += I * m0;
      const px = positions[3 * a]!,
        py = positions[3 * a + 1]!,
        pz = positions[3 * a + 2]!;
      // (r × ω)·g = ω·(g × r)
      wx += gy * pz - gz * py;
      wy += gz * px - gx * pz;
      wz += gx * py - gy * px;
      const k = this.species[a]!;
      if (L.intensity >= 0) y[o + L.intensity]! += s * m0;
      else if (L.speciesIntensity >= 0) y[L.globalsAt + L.speciesIntensity + k]! += s * m0;
      const gW = f * ((e2 * out[4 * a + 3]!) / sigma - (2 * e * m0) / sigma);
      if (L.width >= 0) y[o + L.width]! += gW;
      else if (L.speciesWidth >= 0) y[L.globalsAt + L.speciesWidth + (L.widthClasses > 1 ? k : 0)]! += gW;
    }
    if (L.scale >= 0) y[at + L.scale]! += dScale;
    if (L.shift >= 0) {
      y[at + L.shift]! += du0;
      y[at + L.shift + 1]! += dv0;
    }
    if (L.rotation >= 0) {
      y[at + L.rotation]! += wx;
      y[at + L.rotation + 1]! += wy;
      y[at + L.rotation + 2]! += wz;
    }
    for (let t = 0; t < L.terms; t++) y[at + t]! += sums[t]!;
  }

  /** −½ ∂χ²/∂x at the state of the last `chi2`. */
  async gradient(): Promise<Float64Array> {
    const y = new Float64Array(this.layout.size);
    await this.engine.gradient((i, out, sums) => this.gather(y, i, out, sums));
    return y;
  }

  /** Jᵀ W J x. */
  async product(x: Float64Array): Promise<Float64Array> {
    const y = new Float64Array(this.layout.size);
    await this.engine.normal(
      (i, into) => this.coefficients(x, i, into),
      (i, out, sums) => this.gather(y, i, out, sums),
    );
    return y;
  }

  /** Diagonal blocks of the atoms, f64 [n, q, q]. */
  async blocks(): Promise<Float64Array> {
    const L = this.layout,
      { q, n } = L,
      D = new Float64Array(n * q * q),
      { intensities, widths, poses, scales } = this.state,
      f = 1 / this.pixel;
    const J = new Float64Array(4 * q),
      F = new Float64Array(16),
      FJ = new Float64Array(4 * q);
    await this.engine.moments((i, out) => {
      const R = poses.subarray(9 * i, 9 * i + 9),
        s = scales[i]!;
      J.fill(0);
      for (let k = 0; k < 3; k++) {
        J[q + k] = f * R[3 * k]!;
        J[2 * q + k] = f * R[3 * k + 1]!;
      }
      if (L.intensity >= 0) J[L.intensity] = s;
      if (L.width >= 0) J[3 * q + L.width] = f;
      for (let a = 0; a < n; a++) {
        fisher(out.subarray(15 * a, 15 * a + 15), s * intensities[a]!, f * widths[a]!, F);
        for (let r = 0; r < 4; r++)
          for (let k = 0; k < q; k++) {
            let v = 0;
            for (let t = 0; t < 4; t++) v += F[4 * r + t]! * J[t * q + k]!;
            FJ[r * q + k] = v;
          }
        const o = a * q * q;
        for (let r = 0; r < q; r++)
          for (let k = 0; k < q; k++) {
            let v = 0;
            for (let t = 0; t < 4; t++) v += J[t * q + r]! * FJ[t * q + k]!;
            D[o + r * q + k]! += v;
          }
      }
    });
    return D;
  }
}

/**
 * Normal matrix of (I, u, v, σ) of one atom in one view from the moments M_pq = Σ w G² k^p l^q: the derivatives are G times
 * 1, e k/σ², e l/σ², e ((k² + l²)/σ³ − 2/σ) with e the intensity.
 */
function fisher(M: Float32Array, e: number, sigma: number, F: Float64Array): void {
  const [m00, m01, m02, m03, m04, m10, m11, m12, , m20, m21, m22, m30, , m40] = M as unknown as number[];
  const a = e / sigma ** 2,
    b = e / sigma ** 3,
    c = (2 * e) / sigma;
  const r2 = m20! + m02!,
    r4 = m40! + 2 * m22! + m04!,
    r2k = m30! + m12!,
    r2l = m21! + m03!;
  const set = (i: number, j: number, v: number): void => {
    F[4 * i + j] = F[4 * j + i] = v;
  };
  set(0, 0, m00!);
  set(0, 1, a * m10!);
  set(0, 2, a * m01!);
  set(0, 3, b * r2 - c * m00!);
  set(1, 1, a * a * m20!);
  set(1, 2, a * a * m11!);
  set(1, 3, a * (b * r2k - c * m10!));
  set(2, 2, a * a * m02!);
  set(2, 3, a * (b * r2l - c * m01!));
  set(3, 3, b * b * r4 - 2 * b * c * r2 + c * c * m00!);
}
