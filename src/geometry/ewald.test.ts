import { expect, test } from "vitest";
import { apply, compose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { alanine, alanineFile } from "../testing/alanine.js";
import { describeData } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";

import { beam, beamFromWavelength } from "./beam.js";
import { excitationErrors, sgErrors } from "./ewald.js";
import { excitationHalfRange, sgFilter } from "./excitation.js";
import { petsRotation, tiltAxisDirection } from "./goniometer.js";
import { radians } from "./rotation.js";

const component = fc.double({ min: -2, max: 2, noNaN: true });
prop("k + g + s·n lies on the Ewald sphere", [component, component, component], (x, y, z) => {
  const k = 1 / 0.0251,
    s = excitationErrors(Float64Array.of(x, y, z), [0, 0, k], [0, 0, 1])[0]!;
  expect(Math.hypot(x, y, k + z + s) / k).toBeCloseTo(1, 13);
});

prop(
  "Sg of PETS2 is the exact excitation error to first order, with the sign + inside the sphere",
  [component, component, fc.double({ min: -0.02, max: 0.02, noNaN: true })],
  (x, y, s0) => {
    const b = beam(200),
      q2 = x * x + y * y;
    const z = q2 / (b.k + Math.sqrt(b.k * b.k - q2)) + s0; // s0 above the sphere along the beam: inside
    const g = Float64Array.of(x, y, z);
    const exact = excitationErrors(g, [0, 0, -b.k], [0, 0, -1])[0]!;
    expect(exact).toBeCloseTo(s0, 12);
    expect(Math.abs(sgErrors(g, b)[0]! - exact)).toBeLessThan(Math.abs(s0) * (q2 / (b.k * b.k) + Math.abs(s0) / b.k) + 1e-12);
    const length = Math.hypot(x, y, z - b.k);
    expect(sgErrors(g, b)[0]).toBeCloseTo((b.k * b.k - length * length) / (2 * b.k), 10);
  },
);

prop(
  "the half range is what a finite rotation sweeps",
  [component, component, component, fc.double({ min: 0.05, max: 2, noNaN: true }), fc.integer()],
  (x, y, z, phi, seed) => {
    const b = beam(200),
      omega = 360 * rng(seed).uniform(),
      alpha = 100 * rng(seed).fork(1).uniform() - 50;
    const at = (a: number): number => sgErrors(Float64Array.from(apply(petsRotation(a, 0, omega), [x, y, z])), b)[0]!;
    const g = apply(petsRotation(alpha, 0, omega), [x, y, z]);
    const half = excitationHalfRange(g[0], g[1], { kind: "continuous", halfWidthDeg: phi }, tiltAxisDirection(omega));
    expect(half).toBeCloseTo(Math.abs(at(alpha + phi) - at(alpha - phi)) / 2, 10);
    // precession: the extremes of Sg over beam azimuths; the beam turns about its own direction, the crystal stands still
    let low = Number.POSITIVE_INFINITY,
      high = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < 720; i++) {
      const w = (Math.PI * i) / 360,
        p = radians(phi);
      const s = g[2] * Math.cos(p) + Math.sin(p) * (g[0] * Math.cos(w) + g[1] * Math.sin(w)) - (x * x + y * y + z * z) / (2 * b.k);
      low = Math.min(low, s);
      high = Math.max(high, s);
    }
    const cone = excitationHalfRange(g[0], g[1], { kind: "precession", semiAngleDeg: phi }, tiltAxisDirection(omega));
    expect(cone).toBeCloseTo((high - low) / 2, 5);
  },
);

test("shapes are checked; a static frame has an infinite RSg", () => {
  expect(() => sgErrors(Float64Array.of(1, 2), beam(200))).toThrow(/bad-shape/);
  expect(() => excitationErrors(Float64Array.of(1, 2), [0, 0, 1], [0, 0, 1])).toThrow(/bad-shape/);
  expect(sgFilter(Float64Array.of(1, 0, 0), Float64Array.of(0.1), { kind: "static" }, [1, 0, 0]).rsg[0]).toBe(Number.POSITIVE_INFINITY);
});

describeData("RSg of the alanine refinement", [alanineFile], () => {
  test("all 10 640 reflections of the list pass the limit 0.66; the other sense of the beam fails", () => {
    const { ub, zones, reflections, wavelength } = alanine();
    const b = beamFromWavelength(wavelength);
    let most = 0,
      wrong = 0;
    for (const { zone, hkl } of reflections) {
      const z = zones[zone - 1]!;
      const g = apply(compose(petsRotation(z.alphaDeg, z.betaDeg, 0), ub), hkl);
      const list = Float64Array.from(g);
      const exposure = { kind: "continuous", halfWidthDeg: z.halfWidthDeg } as const;
      most = Math.max(most, sgFilter(list, sgErrors(list, b), exposure, [1, 0, 0]).rsg[0]!);
      wrong = Math.max(wrong, sgFilter(list, sgErrors(list, { k: -b.k }), exposure, [1, 0, 0]).rsg[0]!);
    }
    console.log(`alanine: ${reflections.length} reflections, largest RSg ${most.toFixed(5)}; with K = (0, 0, +1/λ) ${wrong.toFixed(1)}`);
    expect(reflections.length).toBe(10640);
    expect(most).toBeLessThan(0.6602);
    expect(most).toBeGreaterThan(0.655);
    expect(wrong).toBeGreaterThan(30);
  });
});
