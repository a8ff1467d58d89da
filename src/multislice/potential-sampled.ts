import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";
import { gaussLegendre } from "../scattering/absorptive.js";
import { type AtomPotential, lobatoPotential } from "../scattering/real-space.js";
import type { AtomModel } from "./atoms.js";
import type { WaveGrid } from "./grid.js";
import { slices } from "./slicing.js";

export interface SampledPotentialOptions {
  readonly grid: WaveGrid;
  readonly sliceThickness?: number | undefined;
  readonly bounds?: ArrayLike<number> | undefined;
  /** V(r) of an element; default `lobatoPotential`. */
  readonly potential?: ((symbol: string) => AtomPotential) | undefined;
  /** The box repeats along c. */
  readonly periodicZ?: boolean | undefined;
  /** Atoms end where V falls below this, volts. Default 1e-4. */
  readonly tolerance?: number | undefined;
}

/** The potential falls to zero over the last part of an atom's radius by a cosine from here. */
const TAPER = 0.85;

/**
 * Slices of potential sampled at the pixels in real space: every pixel gets ∫V dz of every atom between the slice's boundaries, read from a table in the
 * distance in the plane (geometric from half a pixel, linear between), and no pixel is nearer to a nucleus than half a pixel. This is how other programs
 * (abTEM's and Prismatic's finite projections) do it; it folds what the pixels cannot carry into the band, where {@link potentialPlan} is exact. For
 * comparison, and for isolated atoms with potentials known in real space alone.
 * @returns [slices, ny, nx], V·Å
 */
export function sampledPotential(model: AtomModel, options: SampledPotentialOptions): Float64Array {
  const { grid: g, potential = lobatoPotential, periodicZ = false, tolerance = 1e-4 } = options;
  if (!(tolerance > 0 && tolerance < 10)) fail("bad-value", { tolerance }, "the tolerance is a potential in volts, for example 1e-4");
  const { bounds, count } = slices(model, options),
    n = g.nx * g.ny,
    out = new Float64Array(count * n),
    c = model.cell;
  const pixel = Math.min(Math.hypot(...g.a) / g.nx, Math.hypot(...g.b) / g.ny);
  const tables = new Map<number, RadialTables>();
  model.atomicNumbers.forEach((z, atom) => {
    if (!tables.has(z)) tables.set(z, radialTables(potential(element(z)!.symbol), pixel / 2, tolerance));
    const t = tables.get(z)!,
      weight = model.occupancy?.[atom] ?? 1;
    const [x, y, height] = model.positions.subarray(3 * atom, 3 * atom + 3) as unknown as [number, number, number];
    const images = periodicZ ? Math.ceil(t.cutoff / c[8]!) : 0;
    for (let m = -images; m <= images; m++)
      for (let i = 0; i < count; i++) {
        const below = bounds[i]! - height - m * c[8]!,
          above = bounds[i + 1]! - height - m * c[8]!;
        if (below >= t.cutoff || above <= -t.cutoff) continue;
        addDisc(out.subarray(i * n, (i + 1) * n), g, x + m * c[6]!, y + m * c[7]!, t, t.integral(below, above), weight);
      }
  });
  return out;
}

interface RadialTables {
  readonly cutoff: number;
  readonly radii: Float64Array;
  /** ∫V dz from below to above at every radius, tapered. */
  integral(below: number, above: number): Float64Array;
}

function radialTables(v: AtomPotential, inner: number, tolerance: number): RadialTables {
  let lo = 1e-3,
    hi = 1e3;
  for (let k = 0; k < 200; k++) {
    const mid = (lo + hi) / 2;
    if (v(mid) > tolerance) lo = mid;
    else hi = mid;
  }
  const cutoff = (lo + hi) / 2,
    points = Math.ceil(cutoff / inner),
    { x, w } = gaussLegendre(8);
  const radii = Float64Array.from({ length: points }, (_, i) => inner * (cutoff / inner) ** (i / (points - 1)));
  const taper = radii.map((r) => (r > TAPER * cutoff ? (Math.cos((Math.PI * (r - TAPER * cutoff)) / ((1 - TAPER) * cutoff)) + 1) / 2 : 1));
  /** ∫₀^z V(√(r² + z²)) dz with z = r sinh t, which leaves nothing sharp at the nucleus. */
  const half = (r: number, z: number): number => {
    const end = Math.asinh(Math.min(Math.abs(z), 2 * cutoff) / r),
      panels = Math.max(1, Math.ceil(end / 0.5));
    let sum = 0;
    for (let p = 0; p < panels; p++)
      for (let i = 0; i < 8; i++) {
        const t = (end * (p + 0.5 * (1 + x[i]!))) / panels;
        sum += w[i]! * v(r * Math.cosh(t)) * r * Math.cosh(t);
      }
    return Math.sign(z) * ((sum * end) / panels / 2);
  };
  const known = new Map<string, Float64Array>();
  const upTo = (z: number): Float64Array => {
    const key = z.toFixed(6),
      found = known.get(key);
    if (found) return found;
    const made = radii.map((r, i) => taper[i]! * half(r, z));
    if (known.size < 4096) known.set(key, made);
    return made;
  };
  return {
    cutoff,
    radii,
    integral: (below, above) => {
      const a = upTo(below),
        b = upTo(above);
      return b.map((value, i) => value - a[i]!);
    },
  };
}

/** Add a radial function around (x, y) to a periodic image. */
function addDisc(image: Float64Array, g: WaveGrid, x: number, y: number, t: RadialTables, values: Float64Array, weight: number): void {
  const area = g.a[0] * g.b[1] - g.a[1] * g.b[0],
    last = t.radii.length - 1,
    ratio = Math.log(t.radii[last]! / t.radii[0]!) / last;
  const u = ((x * g.b[1] - y * g.b[0]) / area) * g.nx,
    v = ((y * g.a[0] - x * g.a[1]) / area) * g.ny;
  // Half widths of the disc in pixels along both axes.
  const wu = (t.cutoff * Math.hypot(...g.b) * g.nx) / area,
    wv = (t.cutoff * Math.hypot(...g.a) * g.ny) / area;
  for (let k = Math.ceil(v - wv); k <= v + wv; k++) {
    const row = (((k % g.ny) + g.ny) % g.ny) * g.nx;
    for (let h = Math.ceil(u - wu); h <= u + wu; h++) {
      const du = (h - u) / g.nx,
        dv = (k - v) / g.ny,
        r = Math.hypot(du * g.a[0] + dv * g.b[0], du * g.a[1] + dv * g.b[1]);
      if (r > t.cutoff) continue;
      const i = Math.min(last - 1, Math.max(0, Math.floor(Math.log(r / t.radii[0]!) / ratio))),
        r0 = t.radii[i]!,
        s = r <= r0 ? 0 : (r - r0) / (t.radii[i + 1]! - r0);
      image[row + (((h % g.nx) + g.nx) % g.nx)]! += weight * (values[i]! + s * (values[i + 1]! - values[i]!));
    }
  }
}
