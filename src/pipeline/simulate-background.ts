import type { Vec2 } from "../geometry/detector.js";

/** What lies under the spots. Radii in Å⁻¹ from the direct beam, levels in electrons per pixel and frame. */
export interface BackgroundModel {
  /** Constant level. */
  readonly constant: number;
  /** Inelastic scattering: level·(1 + (q/width)²)^(−3/2). */
  readonly inelastic: number;
  readonly inelasticWidth: number;
  /** Direct beam: total electrons of a frame, and Gaussian σ in pixels. */
  readonly directBeam: number;
  readonly directBeamSigmaPx: number;
  /** Rings of ice or of a carbon film: position 1/d, level at the crest, Gaussian σ. */
  readonly rings: readonly { readonly q: number; readonly level: number; readonly width: number }[];
  /** Shadow of a bar from the image's edge to the direct beam, or none. */
  readonly beamStop?: { readonly directionDeg: number; readonly halfWidthPx: number; readonly transmission: number } | undefined;
}

export const defaultBackground: BackgroundModel = {
  constant: 0.3,
  inelastic: 12,
  inelasticWidth: 0.25,
  directBeam: 4e5,
  directBeamSigmaPx: 2.2,
  rings: [],
};

/** The six innermost rings of hexagonal ice, d = 3.90 to 2.07 Å, with the given level at the strongest. */
export function iceRings(level: number, width = 0.004): BackgroundModel["rings"] {
  const rings: readonly (readonly [d: number, relative: number])[] = [
    [3.897, 0.9],
    [3.669, 1],
    [3.441, 0.7],
    [2.671, 0.25],
    [2.249, 0.5],
    [2.072, 0.35],
  ];
  return rings.map(([d, relative]) => ({ q: 1 / d, level: level * relative, width }));
}

/** Expected electrons of all pixels without spots, [ny, nx]. The radial part is tabulated in steps of 1/16 pixel. */
export function backgroundImage(
  model: BackgroundModel,
  ny: number,
  nx: number,
  centre: Vec2,
  invAngstromPerPixel: number,
  scale: number,
): Float32Array {
  const out = new Float32Array(ny * nx);
  const [cx, cy] = centre;
  const reach = Math.hypot(Math.max(cx, nx - cx), Math.max(cy, ny - cy)) + 2;
  const fine = 16;
  const table = new Float64Array(Math.ceil(reach * fine) + 2);
  for (let i = 0; i < table.length; i++) table[i] = scale * radialLevel(model, i / fine, invAngstromPerPixel);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const t = Math.sqrt((x - cx) ** 2 + (y - cy) ** 2) * fine,
        i = t | 0;
      out[y * nx + x] = table[i]! + (t - i) * (table[i + 1]! - table[i]!);
    }
  return out;
}

function radialLevel(m: BackgroundModel, rPx: number, perPixel: number): number {
  const q = rPx * perPixel;
  const s2 = m.directBeamSigmaPx ** 2;
  let level = m.constant + m.inelastic * (1 + (q / m.inelasticWidth) ** 2) ** -1.5;
  level += (m.directBeam * Math.exp((-0.5 * rPx * rPx) / s2)) / (2 * Math.PI * s2);
  for (const ring of m.rings) level += ring.level * Math.exp(-0.5 * ((q - ring.q) / ring.width) ** 2);
  return level;
}

/** Multiply the image by the shadow of the beam stop: a bar with a round end at the direct beam and soft edges. */
export function shadowInto(image: Float32Array, model: BackgroundModel, ny: number, nx: number, [cx, cy]: Vec2): void {
  const stop = model.beamStop;
  if (stop === undefined) return;
  const ux = Math.cos((stop.directionDeg * Math.PI) / 180),
    uy = -Math.sin((stop.directionDeg * Math.PI) / 180);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const dx = x - cx,
        dy = y - cy,
        along = dx * ux + dy * uy;
      const off = along < 0 ? Math.hypot(dx, dy) : Math.abs(dx * uy - dy * ux);
      if (off > stop.halfWidthPx + 3) continue;
      const open = 1 / (1 + Math.exp(-(off - stop.halfWidthPx) * 3));
      image[y * nx + x]! *= stop.transmission + (1 - stop.transmission) * open;
    }
}
