import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { beam } from "../geometry/beam.js";
import { aberrationCartesian, aberrationGradient, aberrationPhase, aberrationPolar, aberrationTerms, scherzer } from "./aberrations.js";
import { apertureOn } from "./aperture.js";
import { focalEnsemble, spatialEnvelope, temporalEnvelope, tiltEnsemble } from "./coherence.js";
import { waveGrid } from "./grid.js";
import { probeAmplitude, probeRadius, transferFunction } from "./probe.js";

const b = beam(200),
  grid = waveGrid(128, 128, [20, 0], [0, 20]);
const code = (body: () => unknown): string => {
  try {
    body();
  } catch (e) {
    return isSdkError(e) ? `${e.code}: ${e.hint}` : "other";
  }
  return "none";
};

describe("aberrations", () => {
  const all = aberrationTerms({
    C10: -80,
    C12: 30,
    phi12: 0.4,
    coma: 300,
    comaAngle: -1,
    C23: 200,
    phi23: 0.2,
    Cs: 1e6,
    C34: 2e5,
    phi34: 0.3,
    C45: 1e6,
    C56: 4e7,
    phi56: 1,
  });
  test("names and aliases mean the same", () => {
    expect(aberrationTerms({ defocus: 100, Cs: 5, C5: 2 })).toEqual(aberrationTerms({ C10: -100, C30: 5, C50: 2 }));
    expect(aberrationTerms({ hexafoil: 3, hexafoilAngle: 0.5 })).toEqual([{ n: 5, m: 6, c: 3, phi: 0.5 }]);
  });
  test("the gradient is the derivative of the phase", () => {
    const h = 1e-6,
      [alpha, phi] = [0.018, 0.7];
    const f = (x: number, y: number): number => aberrationPhase(all, b.wavelength, x, y);
    const [r, t] = aberrationGradient(all, b.wavelength, alpha, phi);
    expect(r / ((f(alpha + h, phi) - f(alpha - h, phi)) / (2 * h))).toBeCloseTo(1, 6);
    expect(t / ((f(alpha, phi + h) - f(alpha, phi - h)) / (2 * h * alpha))).toBeCloseTo(1, 6);
  });
  test("Cartesian and polar forms, Scherzer conditions", () => {
    const [x, y] = aberrationCartesian(30, 0.4, 2);
    expect(aberrationPolar(x, y, 2)).toEqual([expect.closeTo(30, 10), expect.closeTo(0.4, 10)]);
    // Cs 1.3 mm at 300 kV: 2.0 Å point resolution (Kirkland 2020, 3.3, to its two digits), defocus 62 nm
    expect(scherzer(1.3e7, beam(300).wavelength)).toEqual({ defocus: expect.closeTo(619.6, 0), resolution: expect.closeTo(2.02, 1) });
  });
  test("bad names and doubles", () => {
    expect(code(() => aberrationTerms({ C11: 3 } as never))).toContain("bad-value: aberrations are named");
    expect(code(() => aberrationTerms({ defocus: 1, C10: 2 }))).toContain("twice");
    expect(code(() => aberrationTerms({ phi10: 2 } as never))).toContain("bad-value");
    expect(code(() => aberrationTerms({ Cs: Number.NaN }))).toContain("bad-value");
  });
});

describe("apertures", () => {
  const area = (a: Float64Array): number => a.reduce((s, v) => s + v, 0);
  const bins = (alpha: number): number => (Math.PI * alpha ** 2) / (b.wavelength / 20) ** 2;
  test("a soft edge has the area of the disk", () => {
    expect(area(apertureOn(grid, b.wavelength, { kind: "soft", semiangle: 0.021 })) / bins(0.021)).toBeCloseTo(1, 1);
    const skew = waveGrid(128, 128, [20, 0], [-10, 17.320508]);
    expect((area(apertureOn(skew, b.wavelength, { kind: "soft", semiangle: 0.021 })) / bins(0.021)) * (20 / 17.320508)).toBeCloseTo(1, 1);
  });
  test("rings, sectors and masks", () => {
    const [r1, r2] = [0.01, 0.02];
    expect(area(apertureOn(grid, b.wavelength, { kind: "annular", inner: r1, outer: r2 })) / (bins(r2) - bins(r1))).toBeCloseTo(1, 1);
    const quarter = apertureOn(grid, b.wavelength, { kind: "segmented", inner: 0, outer: r2, segments: 4, open: [0] });
    expect(area(quarter) / (bins(r2) / 4)).toBeCloseTo(1, 1);
    expect(quarter[1 * 128 + 3]).toBe(1);
    expect(quarter[127 * 128 + 3]).toBe(0);
    const whole = apertureOn(grid, b.wavelength, { kind: "bullseye", semiangle: r2, rings: 1, open: 1 });
    expect(area(whole)).toBeCloseTo(area(apertureOn(grid, b.wavelength, { kind: "soft", semiangle: r2 })), 8);
    const eye = apertureOn(grid, b.wavelength, { kind: "bullseye", semiangle: r2, rings: 3, spokes: 4, spokeWidth: 0.5 });
    expect(area(eye)).toBeLessThan(0.7 * bins(r2));
    expect(eye[0]).toBe(1);
    expect(apertureOn(grid, b.wavelength, { kind: "mask", values: eye, semiangle: r2 })).toEqual(eye);
  });
  test("milliradians are noticed", () => {
    expect(code(() => apertureOn(grid, b.wavelength, { kind: "soft", semiangle: 20 }))).toContain("try 0.02");
  });
});

describe("probes", () => {
  test("normalised", () => {
    expect(probeAmplitude(grid, b, { aperture: 0.02, aberrations: { defocus: 50 } }).reduce((s, v) => s + v * v, 0)).toBeCloseTo(1, 12);
  });
  test("too coarse a sampling and too small a cell are told with the numbers to change", () => {
    expect(code(() => probeAmplitude(waveGrid(32, 32, [20, 0], [0, 20]), b, { aperture: 0.02 }))).toMatch(/too coarse.*0\.418 Å/);
    expect(code(() => probeAmplitude(grid, b, { aperture: 0.02, aberrations: { defocus: 600 } }))).toMatch(/smaller than the probe.*26 Å/);
    expect(code(() => probeAmplitude(grid, b, { aperture: 0.02, aberrations: { defocus: 600 }, overlap: "allow" }))).toBe("none");
    expect(probeRadius(b, { aperture: 0.02, aberrations: { defocus: 600 } })).toBeCloseTo(12 + 0.765, 2);
  });
});

describe("partial coherence", () => {
  test("the temporal envelope is the average of the phase over the focal spread", () => {
    const alpha = 0.012,
      { value, weight } = focalEnsemble(60, 24);
    const mean = value.reduce(
      (s, c, i) => s + weight[i]! * Math.cos(aberrationPhase(aberrationTerms({ C10: c }), b.wavelength, alpha, 0)),
      0,
    );
    expect(mean).toBeCloseTo(temporalEnvelope(b.wavelength, 60, alpha), 10);
    expect(weight.reduce((s, w) => s + w, 0)).toBeCloseTo(1, 12);
  });
  test("the spatial envelope is the average over source tilts, to first order", () => {
    const terms = aberrationTerms({ defocus: 700, Cs: 1e7 }),
      spread = 2e-4,
      alpha = 0.006;
    const { tilt, weight } = tiltEnsemble(spread, 12);
    let re = 0;
    const chi0 = aberrationPhase(terms, b.wavelength, alpha, 0);
    tilt.forEach(([x, y], i) => {
      const c =
        aberrationPhase(terms, b.wavelength, Math.hypot(alpha + x, y), Math.atan2(y, alpha + x)) -
        aberrationPhase(terms, b.wavelength, Math.hypot(x, y), Math.atan2(y, x));
      re += weight[i]! * Math.cos(c - chi0);
    });
    expect(re).toBeCloseTo(spatialEnvelope(terms, b.wavelength, spread, alpha, 0), 2);
  });
  test("envelopes damp the transfer function", () => {
    const sum = (t: Float64Array): number => t.reduce((s, v) => s + v * v, 0);
    expect(sum(transferFunction(grid, b, { focalSpread: 50 }))).toBeLessThan(sum(transferFunction(grid, b, {})));
  });
});
