import { expect, test } from "vitest";
import { apply, compose, type Map3, type Vec3 } from "../core/frames.js";
import { parseExpt } from "../io/dials/expt.js";
import { dialsFlags, parseRefl, reflHasFlag, reflNumbers } from "../io/dials/refl.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { beam } from "./beam.js";
import { unitCell } from "./cell.js";
import { fromDials, predictDials, toDials } from "./conventions-dials.js";
import { detector } from "./detector.js";
import { noDistortion } from "./distortion.js";
import { excitationErrors } from "./ewald.js";
import { petsRotation } from "./goniometer.js";
import { cellFromUB } from "./metric.js";
import { misorientation, orientationOf, ubMatrix } from "./orientation.js";
import { peaksToReciprocal, reciprocalToPixels } from "./pixels.js";
import { rotationFromVector } from "./rotation-forms.js";
import { zoneAxis } from "./zone.js";

const quartz = "3ded/quartz_dials";
const ubAt = (points: Float64Array, z: number): Map3<"lab", "hkl"> => {
  const i = Math.max(0, Math.min(points.length / 9 - 2, Math.floor(z))),
    t = z - i;
  return Array.from({ length: 9 }, (_, j) => points[9 * i + j]! * (1 - t) + points[9 * i + 9 + j]! * t) as unknown as Map3<"lab", "hkl">;
};

describeData("quartz, DIALS", [`${quartz}/refined.expt`, `${quartz}/refined.refl`, `${quartz}/dials_dyn.cif_pets`], () => {
  const experiment = parseExpt(readData(quartz, "refined.expt")).value[0]!;
  const table = parseRefl(readData(quartz, "refined.refl")).value;
  const hkl = reflNumbers(table, "miller_index", 3),
    px = reflNumbers(table, "xyzcal.px", 3),
    observed = reflNumbers(table, "xyzobs.px.value", 3),
    used = reflHasFlag(table, dialsFlags.usedInRefinement);
  const rows = Array.from(used.keys()).filter((i) => used[i] === 1);
  const [start, width] = experiment.scan!.oscillation;
  const indices = (i: number): Vec3<"hkl"> => [hkl[3 * i]!, hkl[3 * i + 1]!, hkl[3 * i + 2]!];

  test("DIALS' own models give DIALS' own predictions (xyzcal.px): crossing angle and panel", () => {
    let worst = 0,
      worstZ = 0,
      n = 0;
    for (const i of rows) {
      const z = px[3 * i + 2]!;
      const p = predictDials(experiment, ubAt(experiment.crystal!.ubAtScanPoints, z), indices(i), start + z * width)!;
      worst = Math.max(worst, Math.hypot(p.px[0] - px[3 * i]!, p.px[1] - px[3 * i + 1]!));
      worstZ = Math.max(worstZ, Math.abs((p.angleDeg - start) / width - z));
      n++;
    }
    console.log(`quartz: ${n} predictions, largest difference ${worst.toExponential(1)} px, ${worstZ.toExponential(1)} frames`);
    expect(n).toBeGreaterThan(350);
    expect(worst).toBeLessThan(0.01);
    expect(worstZ).toBeLessThan(0.01);
  });

  test("our flat detector and sample frame give the same positions, and observed peaks index on our UB", () => {
    const ours = fromDials(experiment);
    expect(ours.frames).toHaveLength(100);
    expect(ours.frames[0]!.alphaDeg).toBeCloseTo(-49.5, 4);
    expect(Math.abs(ours.frames[0]!.betaDeg)).toBeLessThan(0.05);
    let worst = 0,
      worstS = 0;
    for (const i of rows) {
      const z = px[3 * i + 2]!;
      // the geometry at the moment of crossing, from the scan angle
      const frame = Math.max(0, Math.min(99, Math.floor(z))),
        middle = ours.frames[frame]!;
      const f = { ...middle, alphaDeg: middle.alphaDeg + (z - frame - 0.5) * width };
      const ub = compose(ours.sampleFromDials, ubAt(experiment.crystal!.ubAtScanPoints, z));
      const g = apply(ub, indices(i));
      const [x, y] = reciprocalToPixels(Float64Array.from(g), ours.instrument, f);
      worst = Math.max(worst, Math.hypot(x! + 0.5 - px[3 * i]!, y! + 0.5 - px[3 * i + 1]!));
      const labG = apply(petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg), g);
      worstS = Math.max(worstS, Math.abs(excitationErrors(Float64Array.from(labG), [0, 0, -ours.instrument.beam.k], [0, 0, -1])[0]!));
    }
    console.log(`quartz through our detector: largest difference ${worst.toFixed(4)} px, |Sg| at crossing ${worstS.toExponential(1)} Å⁻¹`);
    expect(worst).toBeLessThan(0.03);
    expect(worstS).toBeLessThan(1e-4);
    // observed centroids → reciprocal space → indices
    let indexed = 0;
    for (const i of rows) {
      const z = observed[3 * i + 2]!,
        frame = { ...ours.frames[Math.max(0, Math.min(99, Math.floor(z)))]!, alphaDeg: start + z * width };
      const g = peaksToReciprocal(Float64Array.of(observed[3 * i]! - 0.5, observed[3 * i + 1]! - 0.5), [0], ours.instrument, [frame]);
      const m = ours.ub!;
      const h = apply(invert(m), [g[0]!, g[1]!, g[2]!]);
      if (h.every((v, k) => Math.abs(v - indices(i)[k as 0]) < 0.15)) indexed++;
    }
    console.log(`quartz: ${indexed} of ${rows.length} observed reflections index within 0.15 on the converted UB`);
    expect(indexed / rows.length).toBeGreaterThan(0.97);
  });

  test("UB, angles and zone axes are those of DIALS' own export to PETS2", () => {
    const pets = parseCifPets(readDataText(quartz, "dials_dyn.cif_pets")).value;
    const scaled = fromDials(parseExpt(readData(quartz, "integrated.expt")).value[0]!);
    const cell = cellFromUB(pets.ub as Map3<"sample", "hkl">);
    const apart = misorientation(orientationOf(pets.ub as Map3<"sample", "hkl">, cell), orientationOf(scaled.ub!, cellFromUB(scaled.ub!)));
    console.log(`quartz: UB of the export and ours differ by ${((apart * 180) / Math.PI).toFixed(4)}°`);
    expect((apart * 180) / Math.PI).toBeLessThan(0.05);
    let worst = 0;
    for (let i = 0; i < pets.zones.size; i++) {
      // merged pairs: the middle of two frames
      const alpha = pets.zones.alphaDeg[i]!;
      const f = { ...scaled.frames[0]!, alphaDeg: alpha };
      const uvw = zoneAxis(petsRotation(f.alphaDeg, f.betaDeg, 0), scaled.ub!);
      worst = Math.max(
        worst,
        Math.abs(uvw[0] - pets.zones.u[i]!),
        Math.abs(uvw[1] - pets.zones.v[i]!),
        Math.abs(uvw[2] - pets.zones.w[i]!),
      );
    }
    expect(worst).toBeLessThan(0.003);
  });
});

const invert = (m: Map3<"sample", "hkl">): Map3<"hkl", "sample"> => {
  const [a, b, c, d, e, f, g, h, i] = m;
  const det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((x) => x / det) as unknown as Map3<"hkl", "sample">;
};

test("ours → DIALS → ours is the same geometry", () => {
  const instrument = {
    beam: beam(200),
    detector: detector({ nx: 512, ny: 500, invAngstromPerPixel: 0.004, centrePx: [250, 261], projection: "gnomonic" }),
    distortion: noDistortion,
    exposure: { kind: "continuous", halfWidthDeg: 0.25 },
  } as const;
  const frames = Array.from({ length: 11 }, (_, i) => ({ alphaDeg: -3 + 0.5 * i, betaDeg: 0, omegaDeg: 133 }));
  const ub = ubMatrix(rotationFromVector([0.3, -0.7, 1.1]), unitCell(5, 6, 7, 80, 95, 100));
  const dials = toDials(instrument, frames, ub, "P 1", 0.055);
  const back = fromDials(dials);
  expect(back.instrument.detector.invAngstromPerPixel).toBeCloseTo(0.004, 12);
  expect(back.instrument.detector.centrePx[0]).toBeCloseTo(250, 9);
  expect(back.instrument.detector.slow[1]).toBeCloseTo(-1, 12);
  back.frames.forEach((f, i) => {
    expect(f.alphaDeg).toBeCloseTo(frames[i]!.alphaDeg, 9);
    expect(f.omegaDeg).toBeCloseTo(133, 9);
  });
  back.ub!.forEach((x, i) => {
    expect(x).toBeCloseTo(ub[i as 0], 12);
  });
  expect(dials.crystal!.a.reduce((s, v) => s + v * v, 0)).toBeCloseTo(25, 9);
  // and its predictions are ours
  const p = predictDials(
    dials,
    compose(dials.goniometer!.fixedRotation as Map3<"lab", "lab">, dials.crystal!.ub as Map3<"lab", "hkl">),
    [2, -1, 1],
    0,
  )!;
  const g = apply(ub, [2, -1, 1]);
  const [x, y] = reciprocalToPixels(Float64Array.from(g), instrument, { alphaDeg: p.angleDeg, betaDeg: 0, omegaDeg: 133 });
  expect(x! + 0.5).toBeCloseTo(p.px[0], 8);
  expect(y! + 0.5).toBeCloseTo(p.px[1], 8);
  expect(() => toDials(instrument, [{ alphaDeg: 0, betaDeg: 1, omegaDeg: 0 }], ub, "P 1", 0.055)).toThrow(/unsupported/);
  expect(() => fromDials({ ...dials, detector: [] })).toThrow(/unsupported/);
});
