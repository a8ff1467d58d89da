import { expect } from "vitest";
import { apply, determinant } from "../core/frames.js";
import { fc, prop } from "../testing/prop.js";
import { beam } from "./beam.js";
import { abtemFromLab, py4dstemFromLab } from "./conventions-frames.js";
import { excitationErrors, sgErrors } from "./ewald.js";

const u = fc.double({ min: -1.5, max: 1.5, noNaN: true });
prop(
  "excitation errors by the formulas of abTEM and py4DSTEM in their own axes are ours",
  [u, u, fc.double({ min: -0.1, max: 0.1, noNaN: true })],
  (x, y, z) => {
    const b = beam(200),
      g = Float64Array.of(x, y, z),
      ours = sgErrors(g, b)[0]!;
    expect(determinant(abtemFromLab)).toBe(1);
    expect(determinant(py4dstemFromLab)).toBe(1);
    const a = apply(abtemFromLab, [x, y, z]),
      p = apply(py4dstemFromLab, [x, y, z]),
      g2 = x * x + y * y + z * z;
    // abTEM: (−2g_z − λg²)/2, beam along +z
    expect((-2 * a[2] - b.wavelength * g2) / 2).toBeCloseTo(ours, 13);
    // py4DSTEM: (2g_z − λg²)/(2 − 2λg_z), K along −z: the distance along the foil normal to first order
    const foil = (2 * p[2] - b.wavelength * g2) / (2 - 2 * b.wavelength * p[2]);
    const exact = excitationErrors(g, [0, 0, -b.k], [0, 0, -1])[0]!;
    expect(Math.abs(foil - exact)).toBeLessThanOrEqual((ours * ours) / b.k + 1e-13);
  },
);
