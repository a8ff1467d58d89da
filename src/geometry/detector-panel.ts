import { fail } from "../core/errors.js";
import { cross, dot, inverse, type Vec3 } from "../core/frames.js";
import type { Vec2 } from "./detector.js";

/** One flat detector panel in space, as DIALS describes it: lengths in mm, lab frame. */
export interface Panel {
  /** Corner of the first pixel. */
  readonly origin: Vec3<"lab">;
  /** Unit vectors along the rows and along the columns. */
  readonly fast: Vec3<"lab">;
  readonly slow: Vec3<"lab">;
  readonly pixelMm: Vec2;
  /** Numbers of pixels along fast and slow. */
  readonly size: Vec2;
}

/**
 * Where a ray from the sample meets the panel, in pixels from its corner (DIALS convention: the centre of the first pixel is ½, ½).
 * @param ray - direction of the diffracted wave, lab frame, any length
 * @returns [x, y]; NaN when the ray travels away from the panel
 */
export function panelPixel(panel: Panel, ray: Vec3<"lab">): Vec2 {
  const [f, s, o] = [panel.fast, panel.slow, panel.origin];
  // ray·t = o + x f + y s
  const m = inverse<"lab", "lab">([f[0], s[0], -ray[0], f[1], s[1], -ray[1], f[2], s[2], -ray[2]]);
  const x = -(m[0] * o[0] + m[1] * o[1] + m[2] * o[2]),
    y = -(m[3] * o[0] + m[4] * o[1] + m[5] * o[2]),
    t = -(m[6] * o[0] + m[7] * o[1] + m[8] * o[2]);
  return t > 0 ? [x / panel.pixelMm[0], y / panel.pixelMm[1]] : [Number.NaN, Number.NaN];
}

/** Point of the panel, lab frame, mm, of a position in pixels from its corner. */
export function panelPoint(panel: Panel, [x, y]: Vec2): Vec3<"lab"> {
  const u = x * panel.pixelMm[0],
    v = y * panel.pixelMm[1];
  return [0, 1, 2].map((i) => panel.origin[i as 0] + u * panel.fast[i as 0] + v * panel.slow[i as 0]) as unknown as Vec3<"lab">;
}

/** Distance of the panel's plane from the sample, mm, always positive. @throws bad-value when fast and slow are parallel */
export function panelDistanceMm(panel: Panel): number {
  const n = cross(panel.fast, panel.slow);
  const length = Math.hypot(...n);
  if (!(length > 1e-9)) fail("bad-value", { fast: panel.fast, slow: panel.slow }, "the fast and slow axes of a panel span a plane");
  return Math.abs(dot(n, panel.origin)) / length;
}
