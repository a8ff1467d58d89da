import { fail } from "../core/errors.js";
import { element } from "../geometry/elements.js";
import { gaussLegendre } from "../scattering/absorptive.js";
import { type AtomPotential, lobatoPotential } from "../scattering/real-space.js";
import type { AtomModel } from "./atoms.js";
import type { WaveGrid } from "./grid.js";
import { lagrangeStencil } from "./lagrange.js";
import { checkArray } from "./memory.js";
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
  /** Largest array, MB. Default 2048. */
  readonly maxMemoryMB?: number | undefined;
}

/** The potential falls to zero over the last part of an atom's radius by a cosine from here. */
const TAPER = 0.85;

/**
 * Slices of potential sampled at the pixels in real space: every pixel gets ∫V dz of every atom between the slice's boundaries, read from a table in the
 * distance in the plane (geometric from half a pixel, linear between), and no pixel is nearer to a nucleus than half a pixel. This is how other programs
 * (abTEM's and Prismatic's finite projections) do it; it folds what the pixels cannot carry into the band, where {@link potentialPlan} is exact. For
 * comparison, and for isolated atoms with potentials known in real space alone.
 * @returns [slices, ny, nx], V·Å
 * @throws too-large above `maxMemoryMB`
 */
export function sampledPotential(model: AtomModel, options: SampledPotentialOptions): Float64Array {
  const { grid: g, potential = lobatoPotential, periodicZ = false, tolerance = 1e-4, maxMemoryMB = 2048 } = options;
  if (!(tolerance > 0 && tolerance < 10)) fail("bad-value", { tolerance }, "the tolerance is a potential in volts, for example 1e-4");
  const { bounds, count } = slices(model, options),
    n = g.nx * g.ny;
  checkArray(8 * count * n, maxMemoryMB, { shape: [count, g.ny, g.nx] }, "thicker slices, coarser pixels or a smaller box");
  const out = new Float64Array(count * n),
    c = model.cell;
  const pixel = Math.min(Math.hypot(...g.a) / g.nx, Math.hypot(...g.b) / g.ny);
  const tables = new Map<number, RadialTables>();
  const disc = discOf(g);
  model.atomicNumbers.forEach((z, atom) => {
    if (!tables.has(z)) tables.set(z, radialTables(potential(element(z)!.symbol), pixel / 2, tolerance));
    const t = tables.get(z)!,
      weight = model.occupancy?.[atom] ?? 1;
    const [x, y, height] = model.positions.subarray(3 * atom, 3 * atom + 3) as unknown as [number, number, number];
    const images = periodicZ ? Math.ceil(t.cutoff / c[8]!) : 0;
    for (let m = -images; m <= images; m++) {
      const at = height + m * c[8]!;
      if (at - bounds[count]! >= t.cutoff || bounds[0]! - at >= t.cutoff) continue;
      disc.place(x + m * c[6]!, y + m * c[7]!, t);
      let above = t.upTo(bounds[0]! - at);
      for (let i = 0; i < count; i++) {
        const below = above;
        above = t.upTo(bounds[i + 1]! - at);
        if (bounds[i]! - at >= t.cutoff || bounds[i + 1]! - at <= -t.cutoff) continue;
        disc.addInto(out, i * n, below, above, weight);
      }
    }
  });
  return out;
}

interface RadialTables {
  readonly cutoff: number;
  readonly radii: Float64Array;
  /** ∫V dz from the nucleus to z at every radius, tapered. */
  upTo(z: number): Float64Array;
}

/** Nodes along the beam, on asinh(z/radius of the first node): between them six-point interpolation is good to 10⁻⁸. */
const NODES = 128;

function radialTables(v: AtomPotential, inner: number, tolerance: number): RadialTables {
  let lo = 1e-3,
    hi = 1e3;
  for (let k = 0; k < 200; k++) {
    const mid = (lo + hi) / 2;
    if (v(mid) > tolerance) lo = mid;
    else hi = mid;
  }
  const cutoff = (lo + hi) / 2,
    points = Math.max(2, Math.ceil(cutoff / inner)),
    { x, w } = gaussLegendre(8);
  const radii = Float64Array.from({ length: points }, (_, i) => inner * (cutoff / inner) ** (i / (points - 1)));
  const taper = radii.map((r) => (r > TAPER * cutoff ? (Math.cos((Math.PI * (r - TAPER * cutoff)) / ((1 - TAPER) * cutoff)) + 1) / 2 : 1));
  const end = 2 * cutoff,
    step = Math.asinh(end / inner) / (NODES - 1);
  /** ∫V dz at every node and radius, [NODES, points]: eight Gauss points between nodes, in t with z = r sinh t, which leaves nothing sharp at the nucleus. */
  const table = new Float64Array(NODES * points);
  radii.forEach((r, i) => {
    let from = 0;
    for (let k = 1; k < NODES; k++) {
      const to = Math.asinh((inner * Math.sinh(k * step)) / r);
      let sum = 0;
      for (let j = 0; j < 8; j++) {
        const cosh = Math.cosh(from + 0.5 * (to - from) * (1 + x[j]!));
        sum += w[j]! * v(r * cosh) * r * cosh;
      }
      table[k * points + i] = table[(k - 1) * points + i]! + (taper[i]! * sum * (to - from)) / 2;
      from = to;
    }
  });
  const six = new Float64Array(6);
  return {
    cutoff,
    radii,
    upTo: (z) => {
      const first = lagrangeStencil(six, NODES, Math.asinh(Math.min(Math.abs(z), end) / inner) / step, true),
        out = new Float64Array(points);
      for (let k = 0; k < 6; k++) {
        // The integral is odd in z.
        const row = Math.abs(first + k) * points,
          f = Math.sign(z) * Math.sign(first + k) * six[k]!;
        for (let i = 0; i < points; i++) out[i]! += f * table[row + i]!;
      }
      return out;
    },
  };
}

/** The pixels of a disc around an atom with their places in the radial table: found once an atom, used for every slice. */
function discOf(g: WaveGrid) {
  let pixels = new Int32Array(0),
    nodes = new Int32Array(0),
    parts = new Float64Array(0),
    used = 0;
  const area = g.a[0] * g.b[1] - g.a[1] * g.b[0];
  return {
    place: (x: number, y: number, { cutoff, radii }: RadialTables): void => {
      const last = radii.length - 1,
        ratio = Math.log(radii[last]! / radii[0]!) / last;
      const u = ((x * g.b[1] - y * g.b[0]) / area) * g.nx,
        v = ((y * g.a[0] - x * g.a[1]) / area) * g.ny;
      // Half widths of the disc in pixels along both axes.
      const wu = (cutoff * Math.hypot(...g.b) * g.nx) / area,
        wv = (cutoff * Math.hypot(...g.a) * g.ny) / area,
        most = Math.ceil(2 * wu + 2) * Math.ceil(2 * wv + 2);
      if (most > pixels.length) {
        pixels = new Int32Array(most);
        nodes = new Int32Array(most);
        parts = new Float64Array(most);
      }
      used = 0;
      for (let k = Math.ceil(v - wv); k <= v + wv; k++) {
        const row = (((k % g.ny) + g.ny) % g.ny) * g.nx;
        for (let h = Math.ceil(u - wu); h <= u + wu; h++) {
          const du = (h - u) / g.nx,
            dv = (k - v) / g.ny,
            dx = du * g.a[0] + dv * g.b[0],
            dy = du * g.a[1] + dv * g.b[1],
            r = Math.sqrt(dx * dx + dy * dy);
          if (r > cutoff) continue;
          const i = r <= radii[0]! ? 0 : Math.min(last - 1, Math.floor(Math.log(r / radii[0]!) / ratio)),
            r0 = radii[i]!;
          pixels[used] = row + (((h % g.nx) + g.nx) % g.nx);
          nodes[used] = i;
          parts[used++] = r <= r0 ? 0 : (r - r0) / (radii[i + 1]! - r0);
        }
      }
    },
    /** image += weight · (above − below) at the distance of every pixel. */
    addInto: (image: Float64Array, from: number, below: Float64Array, above: Float64Array, weight: number): void => {
      const values = above.map((v, i) => weight * (v - below[i]!));
      for (let p = 0; p < used; p++) {
        const i = nodes[p]!,
          value = values[i]!;
        image[from + pixels[p]!]! += value + parts[p]! * (values[i + 1]! - value);
      }
    },
  };
}
