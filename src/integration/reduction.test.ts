import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { type Rng, rng } from "../core/rng.js";
import { asuReflection } from "../geometry/asu.js";
import { isAbsent } from "../geometry/extinctions.js";
import {
  beam,
  detector,
  type Exposure,
  type Instrument,
  latticePoints,
  noDistortion,
  predictSpots,
  ubMatrix,
  unitCell,
} from "../geometry/index.js";
import { randomRotation } from "../geometry/rotation-forms.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { parseCml, writeCml } from "../io/pets/rocking.js";
import { plotSvg } from "../render/plot.js";
import { absenceScores } from "./absences.js";
import { type FrameIntensities, intensityFlags } from "./frame-intensities.js";
import { frameScales } from "./frame-scales.js";
import type { IntegratedSeries } from "./integrate-series.js";
import { laueByIntensity } from "./laue-choice.js";
import { curveObservations, mergeObservations } from "./merge.js";
import { gaussianProfiles } from "./profiles.js";
import { fitRockingCurves } from "./rocking-curves.js";
import { meanRockingCurves, rockingCurve, rockingPlot } from "./rocking-figures.js";
import { virtualFrames } from "./virtual-frames.js";

const group = spaceGroup("P 21 21 21"),
  cell = unitCell(5.7, 7.1, 9.3);
/** True intensity: exponential with the mean of the resolution, the same for equivalents; extinct reflections have 3 % of it by multiple scattering. */
function trueIntensity(h: readonly [number, number, number], g: number): number {
  const r = rng(asuReflection(group, h).hkl.join()),
    mean = 2000 * Math.exp(-3 * g * g);
  return mean * (isAbsent(group, h) ? 0.03 : 1) * -Math.log(1 - r.uniform());
}

/** A table of frame intensities made from the model itself: I = scale·J·P + noise, without images. */
function series(exposure: Exposure, frames: number, step: number, r: Rng, scaleOf: (f: number) => number): IntegratedSeries {
  const instrument: Instrument = {
    beam: beam(200),
    detector: detector({ nx: 512, ny: 512, invAngstromPerPixel: 0.005 }),
    distortion: noDistortion,
    exposure,
  };
  const rocking = { rcWidth: 0.0012, mosaicityDeg: 0.1 },
    ub = ubMatrix(randomRotation<"sample", "crystal">(rng("turn")), cell),
    points = latticePoints(ub, { gMax: 1.1 }),
    geometry = Array.from({ length: frames }, (_, f) => ({ alphaDeg: -50 + f * step, betaDeg: 0, omegaDeg: 30 }));
  const rows: number[][] = [];
  geometry.forEach((g, f) => {
    const s = predictSpots(points, instrument, g, { rocking, cut: 3.5 });
    for (let i = 0; i < s.size; i++) {
      const h = [s.hkl[3 * i]!, s.hkl[3 * i + 1]!, s.hkl[3 * i + 2]!] as const,
        q = Math.sqrt(points.g2[s.point[i]!]!),
        expected = scaleOf(f) * trueIntensity(h, q) * s.weight[i]!,
        sigma = Math.sqrt(400 + 2 * expected);
      rows.push([f, ...h, s.px[2 * i]!, s.px[2 * i + 1]!, q, s.sg[i]!, s.halfRange[i]!, expected + sigma * r.normal(), sigma]);
    }
  });
  const column = (c: number): Float64Array => Float64Array.from(rows, (row) => row[c]!);
  const intensities: FrameIntensities = {
    size: rows.length,
    frame: Int32Array.from(rows, (row) => row[0]!),
    hkl: Int32Array.from(rows.flatMap((row) => row.slice(1, 4))),
    px: Float64Array.from(rows.flatMap((row) => row.slice(4, 6))),
    g: column(6),
    sg: column(7),
    halfRange: column(8),
    intensity: column(9),
    sigma: column(10),
    sum: column(9),
    sumSigma: column(10),
    background: new Float64Array(rows.length),
    coverage: new Float64Array(rows.length).fill(1),
    correlation: new Float64Array(rows.length).fill(1),
    flags: new Uint16Array(rows.length),
  };
  return {
    intensities,
    experiment: {
      ub,
      instrument,
      geometry,
      rocking,
      settings: { noise: { gain: 2, psi: 1 }, diameter: 8, saturation: 1e5, mask: undefined, minRadius: 10, maxRadius: 1e9 },
    },
    profiles: gaussianProfiles(11, 1.6),
    shifts: [],
    dMin: 1 / 1.1,
    warnings: [],
  };
}
const wave = (f: number): number => 1 + 0.3 * Math.sin(f / 9) + 0.1 * Math.cos(f / 4);
const kinds = [
  ["rotation", { kind: "continuous", halfWidthDeg: 0.25 }, 200, 0.5],
  ["precession", { kind: "precession", semiAngleDeg: 0.9 }, 100, 1],
  ["static", { kind: "static" }, 320, 0.2],
] as const;

describe.each(kinds)("%s", (_, exposure, frames, step) => {
  const s = series(exposure, frames, step, rng(`noise ${exposure.kind}`), wave),
    exact = Array.from({ length: frames }, (_, f) => wave(f)),
    curves = fitRockingCurves(s, { scales: exact });

  test("integrated intensities are the true ones within their s.u.", () => {
    const z: number[] = [];
    for (let k = 0; k < curves.size; k++) {
      if (curves.flags[k] !== 0) continue;
      const h = [curves.hkl[3 * k]!, curves.hkl[3 * k + 1]!, curves.hkl[3 * k + 2]!] as const;
      z.push((curves.intensity[k]! - trueIntensity(h, curves.g[k]!)) / curves.sigma[k]!);
    }
    const mean = z.reduce((a, v) => a + v, 0) / z.length,
      spread = Math.sqrt(z.reduce((a, v) => a + (v - mean) ** 2, 0) / z.length);
    expect(z.length).toBeGreaterThan(300);
    expect(Math.abs(mean)).toBeLessThan(0.2);
    expect(spread).toBeGreaterThan(0.75);
    expect(spread).toBeLessThan(1.25);
    expect(Math.abs(curves.rocking.rcWidth / 0.0012 - 1)).toBeLessThan(0.1);
  });

  test("sums over the frames agree with the fits", () => {
    const summed = fitRockingCurves(s, { scales: exact, method: "sum" });
    let a = 0,
      b = 0;
    for (let k = 0; k < curves.size; k++) {
      if (curves.flags[k] !== 0 || curves.coverage[k]! < 0.9 || !(curves.intensity[k]! > 10 * curves.sigma[k]!)) continue;
      a += curves.intensity[k]!;
      b += summed.intensity[k]!;
    }
    expect(Math.abs(b / a - 1)).toBeLessThan(0.03);
  });

  test("scales of the frames are found without being told", () => {
    const found = frameScales(s, fitRockingCurves(s), group),
      ln = exact.map(Math.log),
      mean = ln.reduce((a, v) => a + v, 0) / frames;
    const z = [...found.scale].map((v, f) => Math.log(v) - ln[f]! + mean),
      rms = Math.sqrt(z.reduce((a, v) => a + v * v, 0) / frames);
    expect(rms).toBeLessThan(exposure.kind === "static" ? 0.06 : 0.04);
    expect(found.wrAfter).toBeLessThan(found.wrBefore);
    expect(Math.max(...found.sigmaLn)).toBeLessThan(0.3);
  });

  test("Laue group and screw axes by intensities, umweg reflections notwithstanding", () => {
    const obs = curveObservations(cell, curves),
      laue = laueByIntensity(cell, "oP", obs);
    expect(laue[0]!.laue).toBe("mmm");
    const { merged } = mergeObservations(cell, laue[0]!.group, obs);
    const scores = absenceScores(laue[0]!.group, "P", merged);
    expect(scores[0]!.groups.map((g) => g.number)).toContain(19);
    expect(scores[0]!.meanRatio).toBeLessThan(0.15);
    expect(scores[0]!.logLikelihood).toBeGreaterThan(3); // odds of 20 to 1 from a handful of axial reflections
  });

  test("virtual frames hold the sums of their frames", () => {
    const merge = exposure.kind === "precession" ? 1 : 6,
      v = virtualFrames(s, { merge, step: Math.max(1, merge - 2), scales: exact });
    expect(v.size).toBeGreaterThan(100);
    const f = v.frames[2]!,
      i = v.frame.indexOf(2),
      h = [...v.hkl.slice(3 * i, 3 * i + 3)],
      t = s.intensities;
    let sum = 0;
    for (let r = 0; r < t.size; r++)
      if (f.frames.includes(t.frame[r]!) && h.every((x, c) => x === t.hkl[3 * r + c])) sum += t.intensity[r]! / exact[t.frame[r]!]!;
    expect(v.intensity[i]!).toBeCloseTo(sum / merge, 6);
    for (const q of v.rsg) expect(q).toBeLessThanOrEqual(1);
    if (exposure.kind === "continuous") expect(f.exposure).toEqual({ kind: "continuous", halfWidthDeg: 1.5 });
    if (exposure.kind === "precession") expect(f.exposure).toEqual(exposure);
  });

  test("curves can be drawn, written as .cml and read again", () => {
    const k = curves.intensity.reduce((b, v, i) => (curves.flags[i] === 0 && v > curves.intensity[b]! ? i : b), 0),
      c = rockingCurve(s, curves, k);
    expect(c.frame.length).toBeGreaterThan(2);
    expect(plotSvg(rockingPlot(c))).toContain("<svg");
    const mean = meanRockingCurves(s, curves, 8, 40),
      again = parseCml(writeCml(mean)).value;
    expect(again.bins).toBe(8);
    // PETS2's figure of the fit: observed and fitted curves have nearly the same area.
    const area = (v: Float64Array): number => v.reduce((a, x) => a + x, 0);
    expect(Math.abs(area(mean.observed) / area(mean.fitted) - 1)).toBeLessThan(0.05);
  });
});

test("Laue groups carry the centring, so that completeness counts no reflections that cannot be", () => {
  const s = series(kinds[0][1], 60, 0.5, rng("centred"), () => 1),
    list = curveObservations(cell, fitRockingCurves(s));
  for (const [bravais, letter] of [
    ["oC", "C"],
    ["oI", "I"],
    ["hR", "R"],
    ["cF", "F"],
    ["aP", "P"],
  ] as const) {
    const ranked = laueByIntensity(cell, bravais, list);
    expect(ranked.length).toBeGreaterThan(0);
    for (const l of ranked) expect(l.group.centring).toBe(letter);
  }
});

test("outliers are rejected, the error model is that of the noise, partial and unusable frames are flagged", () => {
  const [, exposure, frames, step] = kinds[0];
  const s = series(exposure, frames, step, rng("errors"), () => 1),
    t = s.intensities;
  const clean = fitRockingCurves(s),
    list = curveObservations(cell, clean),
    honest = mergeObservations(cell, group, list);
  expect(honest.errorModel.a).toBeGreaterThan(0.8);
  expect(honest.errorModel.a).toBeLessThan(1.25);
  expect(honest.errorModel.b).toBeLessThan(0.04);
  expect(honest.rejected.length).toBeLessThan(5);
  const wrong = list.intensity.map((v, i) => (i % 50 === 7 ? v + 40 * list.sigma[i]! + 0.5 * v : v)),
    merged = mergeObservations(cell, group, { ...list, intensity: wrong });
  const injected = wrong.reduce((n, v, i) => n + (v === list.intensity[i] ? 0 : 1), 0),
    hits = merged.rejected.filter((r) => r.row % 50 === 7).length;
  expect(hits / injected).toBeGreaterThan(0.4); // the others have too few equivalents to say which is wrong
  expect(merged.rejected.length - hits).toBeLessThan(8);
  expect(merged.statistics.overall.rInt).toBeLessThan(merged.before.overall.rInt);
  for (let i = 0; i < t.size; i++) if (t.frame[i]! % 4 < 2) t.flags[i]! |= intensityFlags.saturated;
  const half = fitRockingCurves(s);
  expect(half.flags.some((f) => (f & intensityFlags.partial) !== 0)).toBe(true);
  expect(half.flags.some((f) => (f & intensityFlags.saturated) !== 0)).toBe(true);
});

test("bad input is named", () => {
  const s = series({ kind: "static" }, 12, 0.2, rng("few"), () => 1),
    curves = fitRockingCurves(s, { rocking: { rcWidth: 0.001, mosaicityDeg: 0.1 } });
  const error = (f: () => unknown): unknown => {
    try {
      return f();
    } catch (e) {
      return e;
    }
  };
  expect(
    isSdkError(
      error(() => fitRockingCurves(s, { scales: [1] })),
      "bad-shape",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => fitRockingCurves(s, { scales: new Float64Array(12) })),
      "bad-value",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => virtualFrames(s, { merge: 0 })),
      "bad-value",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => virtualFrames(s, { merge: 40 })),
      "bad-value",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => frameScales(s, curves, group, { rangeDeg: 0 })),
      "out-of-range",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => rockingCurve(s, curves, 1e9)),
      "out-of-range",
    ),
  ).toBe(true);
  const one = curveObservations(cell, { ...curves, size: 1 });
  expect(
    isSdkError(
      error(() => laueByIntensity(cell, "oP", one)),
      "bad-value",
    ),
  ).toBe(true);
  expect(
    isSdkError(
      error(() => absenceScores(group, "P", one)),
      "bad-value",
    ),
  ).toBe(true);
});
