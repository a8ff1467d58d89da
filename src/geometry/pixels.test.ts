import { expect, test } from "vitest";
import { describeData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { beam, beamFromWavelength } from "./beam.js";
import { convertPixels, detector } from "./detector.js";
import { noDistortion } from "./distortion.js";
import type { FrameGeometry, Instrument } from "./experiment.js";
import { peaksToReciprocal, pixelsToReciprocal, reciprocalToPixels } from "./pixels.js";

const angle = (max: number) => fc.double({ min: -max, max, noNaN: true });

prop(
  "pixels → reciprocal → pixels is the identity, with distortions, flips, both projections",
  [angle(80), angle(40), angle(360), fc.boolean(), fc.boolean(), fc.boolean(), angle(250), angle(250)],
  (alphaDeg, betaDeg, omegaDeg, flipX, flipY, flat, dx, dy) => {
    const instrument: Instrument = {
      beam: beam(200),
      detector: detector({ nx: 516, ny: 516, invAngstromPerPixel: 0.005, flipX, flipY, projection: flat ? "gnomonic" : "linear" }),
      distortion: {
        magnification: 0.01,
        ellipticalAmplitude: 0.01,
        ellipticalPhaseDeg: 33,
        barrel: -0.01,
        spiral: 0.008,
        parabolicAmplitude: 0.004,
        parabolicPhaseDeg: -70,
      },
      exposure: { kind: "static" },
    };
    const frame: FrameGeometry = { alphaDeg, betaDeg, omegaDeg, centrePx: [250.3, 261.7], magnification: -0.003 };
    const px = Float64Array.of(250.3 + dx, 261.7 + dy);
    const g = pixelsToReciprocal(px, instrument, frame);
    const back = reciprocalToPixels(g, instrument, frame);
    expect(back[0]).toBeCloseTo(px[0]!, 9);
    expect(back[1]).toBeCloseTo(px[1]!, 9);
  },
);

prop("every mapped vector lies on the Ewald sphere", [angle(70), angle(300), angle(250), angle(250)], (alphaDeg, omegaDeg, dx, dy) => {
  const instrument: Instrument = {
    beam: beam(120),
    detector: detector({ nx: 500, ny: 500, invAngstromPerPixel: 0.008, centrePx: [250, 250] }),
    distortion: noDistortion,
    exposure: { kind: "static" },
  };
  const frame = { alphaDeg, betaDeg: 0, omegaDeg };
  const [x, y, z] = pixelsToReciprocal(Float64Array.of(250 + dx, 250 + dy), instrument, frame) as unknown as [number, number, number];
  // K in the sample frame is Rᵀ(0, 0, −k); it does not depend on ω.
  const a = (alphaDeg * Math.PI) / 180,
    k = instrument.beam.k;
  const s = [x, y - k * Math.sin(a), z - k * Math.cos(a)];
  expect(Math.hypot(s[0]!, s[1]!, s[2]!) / k).toBeCloseTo(1, 12);
});

test("shapes and frame numbers are checked", () => {
  const instrument: Instrument = {
    beam: beam(200),
    detector: detector({ nx: 10, ny: 10, invAngstromPerPixel: 0.01 }),
    distortion: noDistortion,
    exposure: { kind: "static" },
  };
  expect(() => peaksToReciprocal(Float64Array.of(1, 2), [0, 1], instrument, [])).toThrow(/bad-shape/);
  expect(() => peaksToReciprocal(Float64Array.of(1, 2), [3], instrument, [{ alphaDeg: 0, betaDeg: 0, omegaDeg: 0 }])).toThrow(
    /out-of-range/,
  );
});

test("pixel origins: DIALS counts from the corner, PETS2 and XDS from one", () => {
  expect([...convertPixels(Float64Array.of(0, 10), "ewald", "dials")]).toEqual([0.5, 10.5]);
  expect([...convertPixels(Float64Array.of(1, 11), "pets", "ewald")]).toEqual([0, 10]);
});

describeData("glycine, PETS2 project", ["3ded/glycine_pets/glycine.rpl"], () => {
  test("pixel → reciprocal mapping of all rows of the .rpl", () => {
    const rows = readDataText("3ded/glycine_pets/glycine.rpl")
      .split("\n")
      .map((l) => l.trim().split(/\s+/).map(Number))
      .filter((r) => r.length === 12);
    const centres = readDataText("3ded/glycine_pets/glycine.cenloc")
      .split("\n")
      .map((l) => l.trim().split(/\s+/).map(Number))
      .filter((r) => r.length === 3);
    const instrument: Instrument = {
      beam: beamFromWavelength(0.02508),
      detector: detector({ nx: 516, ny: 516, invAngstromPerPixel: 0.00534 }),
      distortion: noDistortion,
      exposure: { kind: "continuous", halfWidthDeg: 0.18 },
    };
    const frames: FrameGeometry[] = centres.map(([cx, cy], i) => ({
      alphaDeg: -11 + 0.3558 * i,
      betaDeg: 0,
      omegaDeg: 230,
      centrePx: [cx!, cy!],
    }));
    for (const r of rows) frames[r[11]! - 1] = { ...frames[r[11]! - 1]!, alphaDeg: r[9]! };
    const g = peaksToReciprocal(
      Float64Array.from(rows.flatMap((r) => [r[7]!, r[8]!])),
      rows.map((r) => r[11]! - 1),
      instrument,
      frames,
    );
    const rms = [0, 1, 2].map((c) => Math.sqrt(rows.reduce((sum, r, i) => sum + (g[3 * i + c]! - r[c]!) ** 2, 0) / rows.length));
    console.log(`glycine mapping rms over ${rows.length} peaks: ${rms.map((r) => r.toFixed(5)).join(" ")} Å⁻¹`);
    expect(rows.length).toBeGreaterThan(3400);
    for (const r of rms) expect(r).toBeLessThanOrEqual(0.0013);
  });
});
