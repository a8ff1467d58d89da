import { expect, test } from "vitest";
import { apply, compose, type Map3 } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { beam, beamFromWavelength, incidentWaveVector } from "./beam.js";
import { unitCell } from "./cell.js";
import { detector } from "./detector.js";
import { distortionFromVector, distortionParameters, distortionVector } from "./distortion.js";
import { sgErrors } from "./ewald.js";
import type { Exposure, FrameGeometry, Instrument } from "./experiment.js";
import { petsRotation, tiltAxisDirection } from "./goniometer.js";
import { cellFromUB, reciprocalBasis } from "./metric.js";
import { type OrientationMatrix, ubMatrix } from "./orientation.js";
import { pixelsToReciprocal, reciprocalToPixels } from "./pixels.js";
import { latticePoints, predictSpots } from "./predict.js";
import { type PredictionParameter, predictionJacobian } from "./predict-derivatives.js";
import { crossingAngles, diffractedVector } from "./predict-rotation.js";
import { randomRotation, rotationFromVector } from "./rotation-forms.js";

const cell = unitCell(6.1, 7.4, 9.3, 82, 97, 104);
const warped = distortionFromVector([0.004, 0.006, -0.003, -0.008, 0.005, 0.002, -0.001]);
const make = (exposure: Exposure, gnomonic = false): Instrument => ({
  beam: beam(200),
  detector: detector({
    nx: 512,
    ny: 500,
    invAngstromPerPixel: 0.006,
    centrePx: [250, 258],
    flipX: gnomonic,
    projection: gnomonic ? "gnomonic" : "linear",
  }),
  distortion: warped,
  exposure,
});
const frame: FrameGeometry = { alphaDeg: 23.4, betaDeg: -3.1, omegaDeg: 77, centrePx: [251.2, 257.1], magnification: 0.002, scale: 1.1 };

test("lattice points are those of a plain triple loop", () => {
  const ub = ubMatrix(randomRotation(rng(3)), cell);
  const { hkl, g, g2, size } = latticePoints(ub, { gMax: 1.2, allowed: (h, k, l) => (h + k + l) % 2 === 0 });
  const found = new Set<string>();
  for (let i = 0; i < size; i++) {
    found.add(hkl.slice(3 * i, 3 * i + 3).join());
    const direct = apply(ub, [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!]);
    direct.forEach((x, c) => {
      expect(g[3 * i + c]).toBeCloseTo(x, 13);
    });
    expect(g2[i]).toBeCloseTo(direct[0] ** 2 + direct[1] ** 2 + direct[2] ** 2, 12);
  }
  let expected = 0;
  for (let h = -20; h <= 20; h++)
    for (let k = -20; k <= 20; k++)
      for (let l = -20; l <= 20; l++)
        if ((h || k || l) && (h + k + l) % 2 === 0 && Math.hypot(...apply(ub, [h, k, l])) <= 1.2) {
          expected++;
          expect(found.has(`${h},${k},${l}`)).toBe(true);
        }
  expect(size).toBe(expected);
  expect(() => latticePoints(ub, { gMax: 300 })).toThrow(/too-large/);
  expect(() => latticePoints(ub, { gMax: Number.NaN })).toThrow(/out-of-range/);
});

test.each<Exposure>([{ kind: "static" }, { kind: "continuous", halfWidthDeg: 0.25 }, { kind: "precession", semiAngleDeg: 0.8 }])(
  "prediction agrees with the slow route: excitation errors, pixel mapping, selection ($kind)",
  (exposure) => {
    const instrument = make(exposure);
    const ub = ubMatrix(randomRotation(rng(8)), cell),
      points = latticePoints(ub, { gMax: 1.4 });
    const rocking = { rcWidth: 0.0015, mosaicityDeg: 0.1 };
    const spots = predictSpots(points, instrument, frame, { rocking });
    expect(spots.size).toBeGreaterThan(exposure.kind === "static" ? 30 : 50);
    const g = new Float64Array(3 * spots.size);
    for (let j = 0; j < spots.size; j++) g.set(points.g.subarray(3 * spots.point[j]!, 3 * spots.point[j]! + 3), 3 * j);
    const slow = reciprocalToPixels(g, instrument, frame);
    spots.px.forEach((x, i) => {
      expect(x).toBeCloseTo(slow[i]!, 9);
    });
    const r = petsRotation(frame.alphaDeg, frame.betaDeg, frame.omegaDeg);
    for (let j = 0; j < spots.size; j++) {
      const lab = apply(r, [g[3 * j]!, g[3 * j + 1]!, g[3 * j + 2]!]);
      expect(spots.sg[j]).toBeCloseTo(sgErrors(Float64Array.from(lab), instrument.beam)[0]!, 12);
      expect(spots.weight[j]).toBeGreaterThan(0);
    }
    // none is missed: every lattice point with a small Sg that falls on the detector is there
    const inList = new Set(spots.point);
    const all = reciprocalToPixels(points.g, instrument, frame);
    for (let i = 0; i < points.size; i++) {
      const lab = apply(r, [points.g[3 * i]!, points.g[3 * i + 1]!, points.g[3 * i + 2]!]);
      const s = Math.abs(sgErrors(Float64Array.from(lab), instrument.beam)[0]!);
      const on = all[2 * i]! > -0.5 && all[2 * i]! < 511.5 && all[2 * i + 1]! > -0.5 && all[2 * i + 1]! < 499.5;
      if (s < 0.0044 && on) expect(inList.has(i)).toBe(true);
    }
  },
);

test("predicted positions map back to the lattice within the excitation error", () => {
  const instrument = make({ kind: "static" });
  const ub = ubMatrix(randomRotation(rng(8)), cell),
    points = latticePoints(ub, { gMax: 1.4 });
  const spots = predictSpots(points, instrument, frame, { rocking: { rcWidth: 0.001, mosaicityDeg: 0.05 } });
  const back = pixelsToReciprocal(spots.px, instrument, frame);
  for (let j = 0; j < spots.size; j++) {
    const i = 3 * spots.point[j]!;
    const off = Math.hypot(back[3 * j]! - points.g[i]!, back[3 * j + 1]! - points.g[i + 1]!, back[3 * j + 2]! - points.g[i + 2]!);
    expect(off).toBeLessThan(1.01 * Math.abs(spots.sg[j]!) + 1e-12);
  }
});

const names: PredictionParameter[] = [
  "alphaDeg",
  "betaDeg",
  "omegaDeg",
  "rotationX",
  "rotationY",
  "rotationZ",
  "ub11",
  "ub12",
  "ub13",
  "ub21",
  "ub22",
  "ub23",
  "ub31",
  "ub32",
  "ub33",
  "cellA",
  "cellB",
  "cellC",
  "cellAlphaDeg",
  "cellBetaDeg",
  "cellGammaDeg",
  "frameMagnification",
  "centreX",
  "centreY",
  "invAngstromPerPixel",
  "wavelength",
  ...distortionParameters,
];

/** The same quantity with one parameter moved, built from the definition of the parameter. */
function moved(name: PredictionParameter, h: number, ub: OrientationMatrix, instrument: Instrument, f: FrameGeometry) {
  const at = (u: OrientationMatrix, ins = instrument, fr = f) => predictionJacobian([3, -2, 4, -1, 5, 2], u, ins, fr, []);
  if (name === "alphaDeg" || name === "betaDeg" || name === "omegaDeg") return at(ub, instrument, { ...f, [name]: f[name] + h });
  if (name.startsWith("rotation")) {
    const v = ["rotationX", "rotationY", "rotationZ"].map((n) => (n === name ? h : 0)) as unknown as [number, number, number];
    return at(compose(rotationFromVector<"sample", "sample">(v), ub));
  }
  if (name.startsWith("ub")) {
    const i = 3 * (Number(name[2]) - 1) + Number(name[3]) - 1;
    return at(ub.map((x, j) => (j === i ? x + h : x)) as unknown as OrientationMatrix);
  }
  if (name.startsWith("cell")) {
    const c = cellFromUB(ub);
    const i = ["cellA", "cellB", "cellC", "cellAlphaDeg", "cellBetaDeg", "cellGammaDeg"].indexOf(name);
    const p = [c.a, c.b, c.c, c.alphaDeg, c.betaDeg, c.gammaDeg].map((x, j) => (j === i ? x + h : x)) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const u = compose(ub, invert(reciprocalBasis(c)));
    return at(ubMatrix(u, unitCell(...p)));
  }
  if (name === "frameMagnification") return at(ub, instrument, { ...f, magnification: f.magnification! + h });
  if (name === "centreX") return at(ub, instrument, { ...f, centrePx: [f.centrePx![0] + h, f.centrePx![1]] });
  if (name === "centreY") return at(ub, instrument, { ...f, centrePx: [f.centrePx![0], f.centrePx![1] + h] });
  if (name === "invAngstromPerPixel")
    return at(ub, {
      ...instrument,
      detector: { ...instrument.detector, invAngstromPerPixel: instrument.detector.invAngstromPerPixel + h },
    });
  if (name === "wavelength") return at(ub, { ...instrument, beam: beamFromWavelength(instrument.beam.wavelength + h) });
  const v = distortionVector(instrument.distortion);
  v[distortionParameters.indexOf(name as "spiral")]! += h;
  return at(ub, { ...instrument, distortion: distortionFromVector(v) });
}
const invert = (m: Map3<"crystal", "hkl">): Map3<"hkl", "crystal"> => {
  // upper triangular by back substitution: another route than the cofactors of the code under test
  const [a, b, c, , e, f, , , i] = m;
  return [1 / a, -b / (a * e), (b * f - c * e) / (a * e * i), 0, 1 / e, -f / (e * i), 0, 0, 1 / i];
};

prop(
  "all analytic derivatives agree with central differences",
  [fc.constantFrom(...names), fc.boolean(), fc.integer({ min: 0, max: 1000 })],
  (name, gnomonic, seed) => {
    const instrument = make({ kind: "static" }, gnomonic),
      ub = ubMatrix(randomRotation<"sample", "crystal">(rng(seed)), cell);
    const j = predictionJacobian([3, -2, 4, -1, 5, 2], ub, instrument, frame, ["centreX", name]);
    const h = name.endsWith("Deg") ? 1e-3 : name === "wavelength" || name === "invAngstromPerPixel" ? 1e-7 : 1e-5;
    const plus = moved(name, h, ub, instrument, frame),
      minus = moved(name, -h, ub, instrument, frame);
    for (let i = 0; i < 2; i++) {
      const s = (plus.sg[i]! - minus.sg[i]!) / (2 * h);
      expect(Math.abs(j.dSg[2 * i + 1]! - s)).toBeLessThan(1e-6 * (1 + Math.abs(s)));
      for (let c = 0; c < 2; c++) {
        const x = (plus.px[2 * i + c]! - minus.px[2 * i + c]!) / (2 * h);
        expect(Math.abs(j.dPx[2 * (2 * i + 1) + c]! - x)).toBeLessThan(1e-5 * (1 + Math.abs(x)));
      }
    }
  },
  { runs: 250 },
);

test("the Jacobian's own positions are those of predictSpots; unknown parameters are named", () => {
  const instrument = make({ kind: "static" }, true),
    ub = ubMatrix(randomRotation(rng(8)), cell);
  const spots = predictSpots(latticePoints(ub, { gMax: 1.2 }), instrument, frame, { rocking: { rcWidth: 0.001, mosaicityDeg: 0.05 } });
  const j = predictionJacobian(spots.hkl, ub, instrument, frame, []);
  spots.px.forEach((x, i) => {
    expect(j.px[i]).toBeCloseTo(x, 9);
  });
  spots.sg.forEach((x, i) => {
    expect(j.sg[i]).toBeCloseTo(x, 12);
  });
  expect(() => predictionJacobian([1, 0, 0], ub, instrument, frame, ["gamma" as never])).toThrow(/unsupported/);
  expect(() => predictionJacobian([1, 0], ub, instrument, frame, [])).toThrow(/bad-shape/);
});

const u = fc.double({ min: -1.5, max: 1.5, noNaN: true });
prop("a reflection turned to its crossing angle is on the Ewald sphere", [u, u, u, u, u], (x, y, z, ax, ay) => {
  const k = incidentWaveVector(beam(200)),
    axis = [1, ax, ay * 0.1] as const;
  for (const angle of crossingAngles([x, y, z], axis, k))
    expect(Math.hypot(...diffractedVector([x, y, z], axis, angle, k)) / -k[2]).toBeCloseTo(1, 12);
  expect(crossingAngles([0.5, 0, 0], [1, 0, 0], k)).toHaveLength(0);
  expect(crossingAngles([0, 0.5, 0], [1, 0, 0], k)).toHaveLength(2);
});

test("a reflection in the plane of the axis crosses after half its Bragg angle, and on the far side", () => {
  const b = beam(200);
  const [p, q] = crossingAngles([0, 0.5, 0], tiltAxisDirection(0), incidentWaveVector(b)) as [number, number];
  // Bragg: sin θ = gλ/2; +y turns up towards the source
  expect(p).toBeCloseTo(Math.asin((0.5 * b.wavelength) / 2), 12);
  expect(q).toBeCloseTo(Math.PI - p, 12);
});
