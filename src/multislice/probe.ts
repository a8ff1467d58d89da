import { fail } from "../core/errors.js";
import type { PoolCall } from "../core/pool.js";
import type { Beam } from "../geometry/beam.js";
import { type Aberrations, aberrationGradient, aberrationPhase, aberrationTerms } from "./aberrations.js";
import { type Aperture, apertureOn, outerAngle } from "./aperture.js";
import { spatialEnvelope, temporalEnvelope } from "./coherence.js";
import { antialiasAperture, gridArea, maxAngle, reciprocalGrid, signedIndex, type WaveGrid } from "./grid.js";
import type { MultislicePlan } from "./propagate.js";

/** A focused electron probe. */
export interface ProbeOptions {
  /** Semi-angle of convergence in rad (a soft round aperture), or any {@link Aperture}. */
  readonly aperture: number | Aperture;
  readonly aberrations?: Aberrations | undefined;
  /** Quasi-coherent focal spread, 1/e half width in Å: damps the aperture. For the exact treatment see `focalEnsemble`. */
  readonly focalSpread?: number | undefined;
  /** Quasi-coherent angular spread of the source, 1/e half width in rad. */
  readonly angularSpread?: number | undefined;
  /** "allow" lets a probe overlap its periodic copies in a cell that is too small for it. Default "refuse". */
  readonly overlap?: "refuse" | "allow" | undefined;
}

const apertureOf = (a: number | Aperture): Aperture => (typeof a === "number" ? { kind: "soft", semiangle: a } : a);

/**
 * Lens transfer function in FFT order, complex [ny, nx, 2]: A(q) exp(−iχ) E_t E_s, not normalised. Multiply an exit wave by it to see the image.
 */
export function transferFunction(g: WaveGrid, beam: Pick<Beam, "wavelength">, options: Partial<ProbeOptions>): Float64Array {
  const { qx, qy, q2 } = reciprocalGrid(g),
    terms = aberrationTerms(options.aberrations),
    { wavelength } = beam;
  const open = options.aperture === undefined ? undefined : apertureOn(g, wavelength, apertureOf(options.aperture));
  const out = new Float64Array(2 * q2.length);
  for (let i = 0; i < q2.length; i++) {
    const alpha = wavelength * Math.sqrt(q2[i]!),
      phi = Math.atan2(qy[i]!, qx[i]!);
    let a = open ? open[i]! : 1;
    if (a === 0) continue;
    if (options.focalSpread) a *= temporalEnvelope(wavelength, options.focalSpread, alpha);
    if (options.angularSpread) a *= spatialEnvelope(terms, wavelength, options.angularSpread, alpha, phi);
    const chi = aberrationPhase(terms, wavelength, alpha, phi);
    out[2 * i] = a * Math.cos(chi);
    out[2 * i + 1] = -a * Math.sin(chi);
  }
  return out;
}

/**
 * Probe at the origin in reciprocal space, complex f64 [ny, nx, 2] in FFT order, normalised to Σ|ψ(q)|² = 1: a diffraction pattern |ψ(q)|² counts the
 * part of the beam in each bin.
 * @throws out-of-range when the aperture does not fit the grid's angles, or the cell is smaller than the probe
 */
export function probeAmplitude(g: WaveGrid, beam: Pick<Beam, "wavelength">, options: ProbeOptions): Float64Array {
  checkProbe(g, beam, options);
  const out = transferFunction(g, beam, options),
    mask = antialiasAperture(g);
  let norm = 0;
  for (let i = 0; i < mask.length; i++) {
    out[2 * i]! *= mask[i]!;
    out[2 * i + 1]! *= mask[i]!;
    norm += out[2 * i]! ** 2 + out[2 * i + 1]! ** 2;
  }
  if (!(norm > 0)) fail("bad-value", { aperture: options.aperture }, "this aperture lets nothing through on this grid");
  return out.map((v) => v / Math.sqrt(norm));
}

/** Plane wave of the same normalisation: all in the bin q = 0. */
export function planeWave(g: WaveGrid): Float64Array {
  const out = new Float64Array(2 * g.nx * g.ny);
  out[0] = 1;
  return out;
}

/** Radius of the disk that holds a probe, Å: the rays' largest distance from the axis plus the first zero ring of diffraction. */
export function probeRadius(
  beam: Pick<Beam, "wavelength">,
  { aperture, aberrations }: Pick<ProbeOptions, "aperture" | "aberrations">,
): number {
  const terms = aberrationTerms(aberrations),
    outer = outerAngle(apertureOf(aperture));
  let rays = 0;
  for (let k = 0; k < 16; k++)
    for (let j = 1; j <= 16; j++) {
      const [r, t] = aberrationGradient(terms, beam.wavelength, (outer * j) / 16, (2 * Math.PI * k) / 16);
      rays = Math.max(rays, (Math.hypot(r, t) * beam.wavelength) / (2 * Math.PI));
    }
  return rays + (0.61 * beam.wavelength) / outer;
}

function checkProbe(g: WaveGrid, beam: Pick<Beam, "wavelength">, options: ProbeOptions): void {
  const outer = outerAngle(apertureOf(options.aperture)),
    limit = maxAngle(g, beam.wavelength);
  if (outer > limit) {
    const pixel = (0.3333 * beam.wavelength) / outer;
    fail(
      "out-of-range",
      { semiangle: outer, largestAngle: limit, pixels: [g.nx, g.ny] },
      `the sampling is too coarse for this aperture: pixels of ${pixel.toPrecision(3)} Å or less (and finer for what is scattered further)`,
    );
  }
  if (options.overlap === "allow") return;
  const area = gridArea(g),
    room = Math.min(area / Math.hypot(...g.a), area / Math.hypot(...g.b)) / 2,
    radius = probeRadius(beam, options);
  if (radius > room)
    fail(
      "out-of-range",
      { probeRadius: radius, halfCell: room },
      `the cell is smaller than the probe, which would overlap its own copies: repeat the cell to at least ${(2 * radius).toFixed(0)} Å across`,
    );
}

/** A probe in kernel memory that goes to any place of the scan. */
export interface ProbePlan {
  /** Bytes of phases that one probe in flight needs; from `arena.alloc`. */
  readonly slotBytes: number;
  /** Put the probe, centred at (x, y) Å, into a wave at an address (reciprocal space); in this thread. */
  place(wave: number, x: number, y: number): void;
  /** The same for a worker pool: writes the phases into the slot now, the call multiplies them later. */
  call(wave: number, x: number, y: number, slot: number): PoolCall;
  free(): void;
}

/** Place a wave (usually a `probeAmplitude`) anywhere: shifts are separable phases, exact between the pixels, in skew cells too. */
export function probePlan(plan: MultislicePlan, amplitude: ArrayLike<number>): ProbePlan {
  const { arena, grid: g, precision } = plan,
    bytes = precision === "f32" ? 4 : 8,
    slotBytes = 2 * bytes * (g.nx + g.ny);
  const array = (ptr: number, n: number): Float32Array | Float64Array => (precision === "f32" ? arena.f32(ptr, n) : arena.f64(ptr, n));
  const at = arena.alloc(plan.waveBytes),
    own = arena.alloc(slotBytes);
  array(at, 2 * g.nx * g.ny).set(amplitude);
  const area = gridArea(g);
  const fill = (x: number, y: number, slot: number): void => {
    if (!(Number.isFinite(x) && Number.isFinite(y))) fail("bad-value", { x, y }, "the place of a probe is two numbers in Å");
    const u = (x * g.b[1] - y * g.b[0]) / area,
      v = (y * g.a[0] - x * g.a[1]) / area;
    const out = array(slot, 2 * (g.nx + g.ny));
    ramp(out, 0, g.nx, u);
    ramp(out, 2 * g.nx, g.ny, v);
  };
  const call = (wave: number, slot: number): PoolCall => ({
    family: "multislice",
    name: `shifted_${precision}`,
    args: [plan.tables, at, slot, slot + 2 * bytes * g.nx, wave],
  });
  return {
    slotBytes,
    place: (wave, x, y) => {
      fill(x, y, own);
      plan.kernels[`shifted_${precision}`](plan.tables, at, own, own + 2 * bytes * g.nx, wave);
    },
    call: (wave, x, y, slot) => {
      fill(x, y, slot);
      return call(wave, slot);
    },
    free: () => {
      arena.free(at);
      arena.free(own);
    },
  };
}

/** exp(−2πi h u) for every FFT index. */
function ramp(out: Float32Array | Float64Array, at: number, n: number, u: number): void {
  for (let i = 0; i < n; i++) {
    const p = signedIndex(i, n) * (u - Math.round(u)),
      t = 2 * Math.PI * (p - Math.round(p));
    out[at + 2 * i] = Math.cos(t);
    out[at + 2 * i + 1] = -Math.sin(t);
  }
}
