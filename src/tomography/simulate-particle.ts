import { fail } from "../core/errors.js";
import type { Rng } from "../core/rng.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { type AtomModel, atomModel } from "./atom-model.js";

/** Ordered domains of a simulated particle. */
export const particleDomains = [
  "L1_0 along z",
  "L1_0 along x with an antiphase boundary",
  "L1_2, species 0 on corners",
  "disordered shell",
] as const;

export interface ParticleOptions {
  readonly rng: Rng;
  /** Wanted number of atoms; the result is within a few per cent (default 1700). */
  readonly atoms?: number;
  /** fcc lattice constant, Å (default 3.86). */
  readonly lattice?: number;
  /** Fraction of atoms on wrong sites of their domain (default 0.03). */
  readonly antisites?: number;
  /** Width of the atoms, Å (default 0.5). */
  readonly width?: number;
  /** Intensities of the two species (default 1 and 2.58: Fe and Pt in an ADF image). */
  readonly weights?: readonly [number, number];
  /** Standard deviation of random displacements, Å (default 0.05). */
  readonly disorder?: number;
  /** Amplitude of the smooth displacement field, Å (default 0.15). */
  readonly strain?: number;
}

export interface SimulatedParticle {
  readonly model: AtomModel;
  /** Index into {@link particleDomains} of every atom. */
  readonly domain: Uint8Array;
  /** Undistorted sites, Å, [n, 3]. */
  readonly ideal: Float64Array;
  /** Smooth displacement of every site, Å, [n, 3]. */
  readonly smooth: Float64Array;
}

/**
 * A two-species fcc nanoparticle like the FePt particles of the AET papers: truncated octahedron in a random orientation, three ordered
 * domains in a disordered shell, antisite defects, a smooth strain field and random displacements. Seeded; no physics of growth.
 */
export function simulateParticle(options: ParticleOptions): SimulatedParticle {
  const {
    rng,
    atoms = 1700,
    lattice: a = 3.86,
    antisites = 0.03,
    width = 0.5,
    weights = [1, 2.58],
    disorder = 0.05,
    strain = 0.15,
  } = options;
  if (!(atoms >= 13)) fail("bad-value", { atoms }, "a particle has at least 13 atoms");
  const volume = (atoms * a ** 3) / 4,
    radius = Math.cbrt((3 * volume) / (4 * Math.PI));
  // Cube faces at 1.02 R and octahedral faces at 1.0 R cut the sphere of 1.08 R: about the volume of the sphere of R.
  const inside = (x: number, y: number, z: number): boolean =>
    x * x + y * y + z * z < (1.08 * radius) ** 2 &&
    Math.max(Math.abs(x), Math.abs(y), Math.abs(z)) < 1.02 * radius &&
    (Math.abs(x) + Math.abs(y) + Math.abs(z)) / Math.sqrt(3) < radius;
  const R = randomRotation(rng.fork("orientation")),
    cells = Math.ceil((1.1 * radius) / a) + 1,
    h = a / 2;
  const sites: number[] = [],
    domain: number[] = [],
    species: number[] = [],
    pick = rng.fork("species");
  for (let k = -2 * cells; k <= 2 * cells; k++)
    for (let j = -2 * cells; j <= 2 * cells; j++)
      for (let i = -2 * cells; i <= 2 * cells; i++) {
        if (((i + j + k) & 1) !== 0) continue;
        const [x, y, z] = [i * h + 0.31, j * h - 0.17, k * h + 0.23];
        if (!inside(x, y, z)) continue;
        const r = Math.hypot(x, y, z),
          d = r > 0.86 * radius ? 3 : x < -0.15 * radius ? 0 : y > 0 ? 1 : 2;
        const odd = (n: number): boolean => (n & 1) !== 0;
        let s = 0;
        if (d === 0) s = odd(k) ? 1 : 0;
        else if (d === 1) s = odd(i) !== z > 0 ? 1 : 0;
        else if (d === 2) s = odd(i) || odd(j) || odd(k) ? 1 : 0;
        else s = pick.uniform() < 0.6 ? 1 : 0;
        if (d !== 3 && pick.uniform() < antisites) s = 1 - s;
        sites.push(x, y, z);
        domain.push(d);
        species.push(s);
      }
  const n = species.length,
    ideal = new Float64Array(3 * n),
    smooth = new Float64Array(3 * n),
    positions = new Float64Array(3 * n),
    move = rng.fork("disorder");
  const q = 1.3 / radius;
  for (let m = 0; m < n; m++) {
    const [x, y, z] = [sites[3 * m]!, sites[3 * m + 1]!, sites[3 * m + 2]!];
    const u = [
      strain * Math.sin(q * y + 0.4) * Math.cos(q * z),
      strain * Math.sin(q * z - 0.7) * Math.cos(q * x),
      strain * Math.sin(q * x + 1.1) * Math.cos(q * y),
    ];
    for (let c = 0; c < 3; c++) {
      const row = (v: readonly number[]): number => R[(3 * c) as 0]! * v[0]! + R[(3 * c + 1) as 0]! * v[1]! + R[(3 * c + 2) as 0]! * v[2]!;
      ideal[3 * m + c] = row([x, y, z]);
      smooth[3 * m + c] = row(u);
      positions[3 * m + c] = ideal[3 * m + c]! + smooth[3 * m + c]! + disorder * move.normal();
    }
  }
  const model = atomModel(
    positions,
    species.map((s) => weights[s as 0 | 1]),
    width,
    species,
  );
  return { model, domain: Uint8Array.from(domain), ideal, smooth };
}
