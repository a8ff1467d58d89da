import { fail } from "../core/errors.js";
import type { Map3 } from "../core/frames.js";
import { inverse, transpose } from "../core/frames.js";
import { equivalents, isCentringAbsent } from "../geometry/extinctions.js";
import { dSpacing, type Mat3 } from "../geometry/metric.js";
import { identity } from "../geometry/rotation.js";
import type { Structure } from "../geometry/structure.js";
import type { AtomModel } from "./atoms.js";
import { cutCrystal } from "./atoms-cut.js";
import { crystalCell, crystalDirection } from "./atoms-orient.js";
import { type Triple, tripleOf } from "./vectors.js";

/** Points r with normal·r <= distance; the normal has unit length, on the crystal's axes (`atomsFromStructure`), Å. */
export interface HalfSpace {
  readonly normal: Triple;
  readonly distance: number;
  readonly hkl: Triple;
}
export interface Facet {
  readonly hkl: Triple;
  /** Å². */
  readonly area: number;
}
export interface Polyhedron {
  /** Planes that bound the body; planes that touch it nowhere are left out. */
  readonly planes: readonly HalfSpace[];
  readonly facets: readonly Facet[];
  readonly volume: number;
  /** Shape [n, 3], Å. */
  readonly vertices: readonly Triple[];
}

/** All planes equivalent to (h k l) under the point group, at one distance. @throws bad-value */
function form(s: Structure, rows: Mat3, hkl: Triple, distance: number): HalfSpace[] {
  if (!hkl.every(Number.isInteger)) fail("bad-value", { hkl }, "(h k l) are whole numbers");
  // Without an inversion, (h k l) and its opposite are different faces.
  return equivalents(s.spaceGroup, hkl).map((h) => ({ normal: crystalDirection(rows, { hkl: h }), distance, hkl: h }));
}

/**
 * Body bounded by planes. Vertices are where three planes meet inside all others.
 * @throws bad-value when the planes do not close a body
 */
export function polyhedron(planes: readonly HalfSpace[]): Polyhedron {
  const size = Math.max(...planes.map((p) => p.distance));
  const eps = 1e-9 * size;
  const vertices: { r: Triple; on: Set<number> }[] = [];
  for (let i = 0; i < planes.length; i++)
    for (let j = i + 1; j < planes.length; j++)
      for (let k = j + 1; k < planes.length; k++) {
        const m = [...planes[i]!.normal, ...planes[j]!.normal, ...planes[k]!.normal] as unknown as Map3;
        const inv = inverse(m);
        const d = [planes[i]!.distance, planes[j]!.distance, planes[k]!.distance] as const;
        const r = tripleOf((q) => inv[(3 * q) as 0] * d[0] + inv[(3 * q + 1) as 1] * d[1] + inv[(3 * q + 2) as 2] * d[2]);
        if (!r.every((v) => Number.isFinite(v) && Math.abs(v) < 1e6 * size)) continue;
        if (planes.some((p) => p.normal[0] * r[0] + p.normal[1] * r[1] + p.normal[2] * r[2] > p.distance + eps)) continue;
        const old = vertices.find((v) => Math.hypot(v.r[0] - r[0], v.r[1] - r[1], v.r[2] - r[2]) < 1e3 * eps);
        const at = old ?? { r, on: new Set<number>() };
        for (const q of [i, j, k]) at.on.add(q);
        if (!old) vertices.push(at);
      }
  const facets: Facet[] = [],
    used: HalfSpace[] = [];
  let volume = 0;
  const closure = [0, 0, 0];
  planes.forEach((p, q) => {
    const corners = vertices.filter((v) => v.on.has(q)).map((v) => v.r);
    if (corners.length < 3) return;
    const area = polygonArea(corners, p.normal);
    if (!(area > eps * size)) return;
    facets.push({ hkl: p.hkl, area });
    used.push(p);
    volume += (p.distance * area) / 3;
    p.normal.forEach((v, k) => {
      closure[k]! += v * area;
    });
  });
  // The facets of a closed body balance: Σ area·normal = 0.
  const surface = facets.reduce((s, f) => s + f.area, 0);
  if (facets.length < 4 || !(Math.hypot(...closure) <= 1e-6 * surface))
    fail(
      "bad-value",
      { planes: planes.map((p) => p.hkl.join(" ")) },
      "these faces do not close a body: add a form, for example (h k l) and (-h -k -l) where there is no inversion",
    );
  return { planes: used, facets, volume, vertices: vertices.map((v) => v.r) };
}
function polygonArea(points: readonly Triple[], n: Triple): number {
  const c = tripleOf((k) => points.reduce((s, p) => s + p[k]!, 0) / points.length);
  const cross = (p: Triple, q: Triple): Triple => [p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0]];
  const dot = (p: Triple, q: Triple): number => p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
  const from = points.map((p) => tripleOf((k) => p[k]! - c[k]!));
  const x = from[0]!,
    y = cross(n, x);
  const sorted = from.map((p) => ({ p, t: Math.atan2(dot(p, y), dot(p, x)) })).sort((a, b) => a.t - b.t);
  return sorted.reduce((s, { p }, i) => s + dot(cross(p, sorted[(i + 1) % sorted.length]!.p), n) / 2, 0);
}

/** One crystal form and what its surface costs, J/m² or any other unit: only ratios matter. */
export interface FacetEnergy {
  readonly hkl: Triple;
  readonly energy: number;
}
/**
 * Equilibrium shape of a crystal: every face at a distance proportional to its surface energy.
 * @param diameter - of the sphere with the same volume, Å
 * @see Wulff, Z. Kristallogr. 34, 449 (1901)
 */
export function wulffShape(s: Structure, energies: readonly FacetEnergy[], diameter: number): Polyhedron {
  if (!(diameter > 0 && Number.isFinite(diameter))) fail("bad-value", { diameter }, "diameter is a length in Å");
  const bad = energies.find((e) => !(e.energy > 0 && Number.isFinite(e.energy)));
  if (bad || energies.length === 0) fail("bad-value", { hkl: bad?.hkl, energy: bad?.energy }, "every form needs a positive surface energy");
  const { rows } = crystalCell(s);
  const body = polyhedron(energies.flatMap((e) => form(s, rows, e.hkl, e.energy)));
  const scale = (diameter / 2) * ((4 * Math.PI) / (3 * body.volume)) ** (1 / 3);
  return polyhedron(body.planes.map((p) => ({ ...p, distance: p.distance * scale })));
}

/** A form and how many of its lattice planes lie between the centre and the face. */
export interface FacetLayers {
  readonly hkl: Triple;
  readonly layers: number;
}
/** Faces at whole numbers of lattice planes from the centre: every plane up to the last is kept. */
export function layeredShape(s: Structure, forms: readonly FacetLayers[]): Polyhedron {
  const { rows } = crystalCell(s);
  return polyhedron(
    forms.flatMap(({ hkl, layers }) => {
      if (!(layers > 0 && Number.isFinite(layers))) fail("bad-value", { hkl, layers }, "layers is a positive number");
      let n = 1;
      while (n < 12 && isCentringAbsent(s.spaceGroup, [n * hkl[0], n * hkl[1], n * hkl[2]])) n++;
      return form(s, rows, hkl, (layers * dSpacing(s.cell, hkl)) / n + 1e-6);
    }),
  );
}

export interface ParticleOptions {
  /** Orientation, from the crystal's axes to the box: `crystalRotation`. */
  readonly rotation?: Map3 | undefined;
  /** Point of the crystal at the centre of the body, fractional; default an atom or whatever lies at the origin. */
  readonly centre?: Triple | undefined;
  /** Vacuum about the particle on every side in the plane, and above and below, Å. Default 5. */
  readonly vacuum?: number | undefined;
}
/** A particle of a given shape, in the middle of a rectangular box with vacuum about it. `shape`: a body of planes, or the diameter of a sphere in Å. */
export function nanoparticle(s: Structure, shape: Polyhedron | { readonly sphere: number }, options: ParticleOptions = {}): AtomModel {
  const { rotation = identity(), centre, vacuum = 5 } = options;
  if (!(vacuum >= 0 && Number.isFinite(vacuum))) fail("bad-value", { vacuum }, "vacuum is a length in Å");
  const back = transpose(rotation);
  if ("sphere" in shape) {
    const d = shape.sphere;
    if (!(d > 0 && Number.isFinite(d))) fail("bad-value", { sphere: d }, "sphere is a diameter in Å");
    const limit = (d / 2 + 1e-9) ** 2;
    const side = d + 2 * vacuum + 1e-6;
    return cutCrystal(s, { box: [side, side, side], rotation, centre, inside: (x, y, z) => x * x + y * y + z * z <= limit });
  }
  const turned = shape.vertices.map((v) =>
    tripleOf((k) => rotation[(3 * k) as 0] * v[0] + rotation[(3 * k + 1) as 1] * v[1] + rotation[(3 * k + 2) as 2] * v[2]),
  );
  // Symmetric about the centre, so that the centre of the crystal is that of the box.
  const box = tripleOf((k) => 2 * Math.max(...turned.map((v) => Math.abs(v[k]!))) + 2 * vacuum + 1e-6);
  return cutCrystal(s, {
    box,
    rotation,
    centre,
    inside: (x, y, z) => {
      const r = tripleOf((k) => back[(3 * k) as 0] * x + back[(3 * k + 1) as 1] * y + back[(3 * k + 2) as 2] * z);
      return shape.planes.every((p) => p.normal[0] * r[0] + p.normal[1] * r[1] + p.normal[2] * r[2] <= p.distance + 1e-9);
    },
  });
}
