/** Frames of reference, as types. Named here and nowhere else; docs/conventions.md has the pictures and signs. */
export type Frame = "hkl" | "crystal" | "sample" | "lab" | "detector" | "scan";
declare const tag: unique symbol;
type N = number;
/** Column vector in frame F. A literal fits any frame; a vector of one frame never fits another. */
export type Vec3<F extends Frame = Frame> = readonly [N, N, N] & { readonly [tag]?: F };
/** Row-major 3×3 taking From-coordinates to To-coordinates: to = M · from. */
export type Map3<To extends Frame = Frame, From extends Frame = Frame> = readonly [N, N, N, N, N, N, N, N, N] & {
  readonly [tag]?: readonly [To, From];
};

/** M · v. `NoInfer` lets the map alone decide the frame; without it TypeScript widens to a union and accepts anything. */
export function apply<To extends Frame, From extends Frame>(m: Map3<To, From>, v: Vec3<NoInfer<From>>): Vec3<To> {
  const [x, y, z] = v;
  return [m[0] * x + m[1] * y + m[2] * z, m[3] * x + m[4] * y + m[5] * z, m[6] * x + m[7] * y + m[8] * z];
}

/** A · B, first B then A. */
export function compose<To extends Frame, Mid extends Frame, From extends Frame>(
  a: Map3<To, Mid>,
  b: Map3<NoInfer<Mid>, From>,
): Map3<To, From> {
  const row = (i: 0 | 3 | 6, j: 0 | 1 | 2): number => a[i] * b[j] + a[(i + 1) as 1] * b[(j + 3) as 3] + a[(i + 2) as 2] * b[(j + 6) as 6];
  return [row(0, 0), row(0, 1), row(0, 2), row(3, 0), row(3, 1), row(3, 2), row(6, 0), row(6, 1), row(6, 2)];
}

/** Mᵀ; for a rotation, its inverse. */
export function transpose<To extends Frame, From extends Frame>(m: Map3<To, From>): Map3<From, To> {
  return [m[0], m[3], m[6], m[1], m[4], m[7], m[2], m[5], m[8]];
}

/** Determinant of a 3×3 map. */
export function determinant(m: Map3): number {
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) + m[2] * (m[3] * m[7] - m[4] * m[6]);
}

/** M⁻¹ by cofactors; entries are infinite or NaN for a singular map, so callers check `determinant` where that can happen. */
export function inverse<To extends Frame, From extends Frame>(m: Map3<To, From>): Map3<From, To> {
  const [a, b, c, d, e, f, g, h, i] = m;
  const s = 1 / determinant(m);
  return [
    (e * i - f * h) * s,
    (c * h - b * i) * s,
    (b * f - c * e) * s,
    (f * g - d * i) * s,
    (a * i - c * g) * s,
    (c * d - a * f) * s,
    (d * h - e * g) * s,
    (b * g - a * h) * s,
    (a * e - b * d) * s,
  ];
}

export function dot<F extends Frame>(a: Vec3<F>, b: Vec3<NoInfer<F>>): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
export function cross<F extends Frame>(a: Vec3<F>, b: Vec3<NoInfer<F>>): Vec3<F> {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}
export function norm(v: Vec3): number {
  return Math.hypot(v[0], v[1], v[2]);
}
