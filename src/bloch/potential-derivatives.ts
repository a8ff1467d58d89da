import { fail } from "../core/errors.js";
import { bFromU } from "../geometry/adp.js";
import { quadratic, reciprocalMetric } from "../geometry/metric.js";
import { expandToP1, type Structure } from "../geometry/structure.js";
import { lobato } from "../scattering/lobato.js";
import type { CrystalPotential, PotentialOptions } from "./potential.js";

/** A parameter of the crystal. Positions are fractional; displacement parameters in Å²; `form` changes f_e of one atom or of an element by df(s). */
export type CrystalParameter =
  | { readonly kind: "x" | "y" | "z" | "occupancy" | "uIso" | "u11" | "u22" | "u33" | "u12" | "u13" | "u23"; readonly atom: number }
  | { readonly kind: "form"; readonly atom: number; readonly derivative: (s: number) => number }
  | { readonly kind: "form"; readonly element: string; readonly derivative: (s: number) => number };

const adpPair: Readonly<Record<string, readonly [number, number]>> = {
  u11: [0, 0],
  u22: [1, 1],
  u33: [2, 2],
  u12: [0, 1],
  u13: [0, 2],
  u23: [1, 2],
};

/**
 * dW_k/dp for a list of coefficients, Å⁻² per unit of the parameter, interleaved, shape [parameters, coefficients, 2], about the origin of
 * the potential. Symmetry images move along with their atom; on a special position a parameter is meant along what the site allows (combine
 * them by `positionConstraint` and `adpConstraint`). The absorptive factor of an anisotropic atom is held fixed.
 * @param options - as the potential was made
 * @throws bad-value for a parameter the atom does not have, or when the potential took real coefficients from an inversion that the
 *   parameters can break (a structure listed in P1): make it with useInversion: false
 */
export function potentialDerivatives(
  p: CrystalPotential,
  s: Structure,
  hkl: Int32Array,
  parameters: readonly CrystalParameter[],
  options: Pick<PotentialOptions, "factors" | "absorption"> = {},
): Float64Array {
  const { factors = lobato, absorption = { kind: "none" } } = options;
  if (p.real && !s.spaceGroup.centrosymmetric)
    fail(
      "bad-value",
      { spaceGroup: s.spaceGroup.hm },
      "one atom of a list in P1 can break the inversion: make the potential with useInversion: false for derivatives",
    );
  const count = hkl.length / 3,
    star = reciprocalMetric(s.cell),
    axes = [Math.sqrt(star[0]), Math.sqrt(star[4]), Math.sqrt(star[8])];
  const images = expandToP1(s);
  const g2 = Float64Array.from({ length: count }, (_, i) => quadratic(star, [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]));
  const turn = phases(p, hkl);
  const out = new Float64Array(2 * count * parameters.length);
  const byAtom = new Map<number, number[]>();
  parameters.forEach((q, j) => {
    const atoms =
      q.kind === "form" && "element" in q
        ? s.atoms.flatMap((a, i) => (a.element === q.element ? [i] : []))
        : [(q as { atom: number }).atom];
    for (const a of atoms) {
      const at =
        s.atoms[a] ?? fail("bad-value", { atom: a, atoms: s.atoms.length }, "the parameter names an atom that the structure does not have");
      if (q.kind in adpPair && !at.uAniso)
        fail("bad-value", { atom: at.label, parameter: q.kind }, "this atom is isotropic: its parameter is uIso");
      if (q.kind === "uIso" && at.uAniso) fail("bad-value", { atom: at.label }, "this atom is anisotropic: its parameters are u11 … u23");
      byAtom.set(a, [...(byAtom.get(a) ?? []), j]);
    }
  });
  const ratio = absorption.kind === "ratio" ? absorption.ratio : 0;
  for (const [a, list] of byAtom) {
    const at = s.atoms[a]!,
      form = factors(at.element, at.charge),
      own = images.filter((i) => i.atom === a);
    const b = bFromU(at.uIso),
      db = Math.max(1e-4, 1e-4 * b);
    const absorptive = absorption.kind === "factors" ? absorption.source(at.element, b) : undefined;
    const needsB = absorptive && list.some((j) => parameters[j]!.kind === "uIso");
    const up = needsB && absorption.kind === "factors" ? absorption.source(at.element, b + db) : undefined,
      down = needsB && absorption.kind === "factors" ? absorption.source(at.element, Math.max(0, b - db)) : undefined;
    for (let i = 0; i < count; i++) {
      const h = hkl[3 * i]!,
        k = hkl[3 * i + 1]!,
        l = hkl[3 * i + 2]!;
      if (h === 0 && k === 0 && l === 0) {
        const slope = up && down ? slopeU(up.damped(0), down.damped(0), b, db) : 0;
        for (const j of list) {
          // iU'₀ alone: the elastic mean does not enter the matrix
          const q = parameters[j]!;
          const change =
            q.kind === "occupancy"
              ? (absorptive?.damped(0) ?? 0) + ratio * form.regular(0)
              : q.kind === "uIso"
                ? at.occupancy * slope
                : q.kind === "form"
                  ? ratio * at.occupancy * q.derivative(0)
                  : 0;
          out[2 * (j * count + i) + 1]! += p.scale * own.length * change;
        }
        continue;
      }
      const half = Math.sqrt(g2[i]!) / 2;
      const elastic = form.f(half),
        f2 = absorptive?.damped(half) ?? 0;
      const slope = up && down ? slopeU(up.damped(half), down.damped(half), b, db) : 0;
      for (const { op, xyz } of own) {
        const w = s.spaceGroup.ops[op]!.rotation;
        const hw = [h * w[0] + k * w[3] + l * w[6], h * w[1] + k * w[4] + l * w[7], h * w[2] + k * w[5] + l * w[8]];
        const angle = -2 * Math.PI * (h * xyz[0] + k * xyz[1] + l * xyz[2]);
        const pr = p.scale * Math.cos(angle),
          pi = p.scale * Math.sin(angle);
        let damping: number;
        if (at.uAniso) {
          const u = at.uAniso,
            v = hw.map((x, axis) => x * axes[axis]!) as [number, number, number];
          damping = Math.exp(
            -2 *
              Math.PI ** 2 *
              (u[0] * v[0] ** 2 + u[1] * v[1] ** 2 + u[2] * v[2] ** 2 + 2 * (u[3] * v[0] * v[1] + u[4] * v[0] * v[2] + u[5] * v[1] * v[2])),
          );
        } else damping = Math.exp((-b * g2[i]!) / 4);
        // Complex factor of the phase: f T (1 + i·ratio) + i f'
        const fr = elastic * damping,
          fi = ratio * fr + f2;
        for (const j of list) {
          const q = parameters[j]!;
          let re = 0,
            im = 0;
          if (q.kind === "x" || q.kind === "y" || q.kind === "z") {
            // −2πi (hW)_axis · occupancy · (fr + i fi)
            const c = -2 * Math.PI * hw[q.kind === "x" ? 0 : q.kind === "y" ? 1 : 2]! * at.occupancy;
            re = -c * fi;
            im = c * fr;
          } else if (q.kind === "occupancy") {
            re = fr;
            im = fi;
          } else if (q.kind === "uIso") {
            const c = -2 * Math.PI ** 2 * g2[i]! * at.occupancy * fr;
            re = c;
            im = ratio * c + at.occupancy * slope;
          } else if (q.kind === "form") {
            re = at.occupancy * q.derivative(half) * damping;
            im = ratio * re;
          } else {
            const [m, n] = adpPair[q.kind]!;
            const c = -2 * Math.PI ** 2 * (m === n ? 1 : 2) * axes[m]! * axes[n]! * hw[m]! * hw[n]! * at.occupancy * fr;
            re = c;
            im = ratio * c;
          }
          const to = 2 * (j * count + i);
          out[to]! += re * pr - im * pi;
          out[to + 1]! += re * pi + im * pr;
        }
      }
    }
  }
  // To the origin of the potential.
  for (let j = 0; j < parameters.length; j++)
    for (let i = 0; i < count; i++) {
      const to = 2 * (j * count + i),
        re = out[to]!,
        im = out[to + 1]!;
      out[to] = re * turn[2 * i]! - im * turn[2 * i + 1]!;
      out[to + 1] = re * turn[2 * i + 1]! + im * turn[2 * i]!;
    }
  return out;
}

/** d(f' exp(−Bs²))/dU = 8π² d/dB, by a central difference of the tabulated factor (one-sided at B = 0). */
const slopeU = (up: number, down: number, b: number, db: number): number => ((up - down) / (db + Math.min(b, db))) * 8 * Math.PI ** 2;

function phases(p: CrystalPotential, hkl: Int32Array): Float64Array {
  const out = new Float64Array((2 * hkl.length) / 3);
  for (let i = 0; i < hkl.length / 3; i++) {
    const t = hkl[3 * i]! * p.origin[0] + hkl[3 * i + 1]! * p.origin[1] + hkl[3 * i + 2]! * p.origin[2];
    out[2 * i] = Math.cos(2 * Math.PI * (t - Math.round(t)));
    out[2 * i + 1] = Math.sin(2 * Math.PI * (t - Math.round(t)));
  }
  return out;
}
