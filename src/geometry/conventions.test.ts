import { expect, test } from "vitest";
import { apply, type Map3 } from "../core/frames.js";
import { parseCifPets } from "../io/pets/cif-pets.js";
import { parsePts } from "../io/pets/pts.js";
import { describeData, readDataText } from "../testing/data.js";
import { beam } from "./beam.js";
import { unitCell } from "./cell.js";
import { fromDials, toDials } from "./conventions-dials.js";
import { fromPets } from "./conventions-pets.js";
import { fromXds, toXds } from "./conventions-xds.js";
import { detector } from "./detector.js";
import { noDistortion } from "./distortion.js";
import { petsRotation } from "./goniometer.js";
import { ubMatrix } from "./orientation.js";
import { peaksToReciprocal, pixelsToReciprocal } from "./pixels.js";
import { rotationFromVector } from "./rotation-forms.js";
import { zoneAxis } from "./zone.js";

const instrument = {
  beam: beam(200),
  detector: detector({ nx: 516, ny: 516, invAngstromPerPixel: 0.005, centrePx: [257.3, 261.9], projection: "gnomonic" }),
  distortion: noDistortion,
  exposure: { kind: "continuous", halfWidthDeg: 0.15 },
} as const;
const ub = ubMatrix(rotationFromVector([0.4, 1.1, -0.3]), unitCell(5.1, 12, 5.5, 90, 112, 90));

test.each([0.3, -0.3])("XDS and back: the same diffraction vectors and indices, step %d°", (step) => {
  const frames = Array.from({ length: 31 }, (_, i) => ({ alphaDeg: 12 + step * i, betaDeg: 0, omegaDeg: 230.39 }));
  const xds = toXds(instrument, frames, 0.055, ub);
  expect(xds.orgX).toBeCloseTo(258.3, 12);
  expect(xds.oscillationRangeDeg).toBeCloseTo(0.3, 12);
  const back = fromXds(xds);
  const px = Float64Array.of(100, 400);
  // a negative step comes back as a positive one about the opposite axis: another sample frame, the same indices
  const h1 = indices(ub, pixelsToReciprocal(px, instrument, frames[7]!)),
    h2 = indices(back.ub!, pixelsToReciprocal(px, back.instrument, back.frames[7]!));
  h1.forEach((x, i) => {
    expect(h2[i as 0]).toBeCloseTo(x, 9);
  });
  // XDS's own equations: S = S0 + Rot(axis, φ)·p with p on the axes of XPARM, seen at x = QX (X − ORGX)
  const [a, b, c] = xds.axes!;
  expect(Math.hypot(...a)).toBeCloseTo(5.1, 9);
  expect((a[0] * c[0] + a[1] * c[1] + a[2] * c[2]) / (5.1 * 5.5)).toBeCloseTo(Math.cos((112 * Math.PI) / 180), 9);
  expect(Math.hypot(...b)).toBeCloseTo(12, 9);
});

test("XDS frame: a half turn about x of ours", () => {
  const frames = [
    { alphaDeg: 0, betaDeg: 0, omegaDeg: 30 },
    { alphaDeg: 1, betaDeg: 0, omegaDeg: 30 },
  ];
  const xds = toXds(instrument, frames, 0.055);
  expect(xds.rotationAxis[0]).toBeCloseTo(Math.cos(Math.PI / 6), 12);
  expect(xds.rotationAxis[1]).toBeCloseTo(-0.5, 12);
  expect(() =>
    toXds({ ...instrument, detector: detector({ nx: 5, ny: 5, invAngstromPerPixel: 0.01, flipX: true }) }, frames, 0.05),
  ).toThrow(/unsupported/);
  expect(() => toXds(instrument, [], 0.05)).toThrow(/unsupported/);
  expect(() => fromXds({ ...xds, rotationAxis: [0, 0, 1] })).toThrow(/unsupported/);
});

test("XDS and DIALS agree with each other through us", () => {
  const frames = Array.from({ length: 5 }, (_, i) => ({ alphaDeg: 3 + i, betaDeg: 0, omegaDeg: -71 }));
  const viaXds = fromXds(toXds(instrument, frames, 0.1, ub)),
    viaDials = fromDials(toDials(instrument, frames, ub, "P 1", 0.055));
  viaXds.ub!.forEach((x, i) => {
    expect(viaDials.ub![i as 0]).toBeCloseTo(x, 10);
  });
  expect(viaXds.instrument.detector.centrePx[1]).toBeCloseTo(viaDials.instrument.detector.centrePx[1], 9);
});

const indices = (m: Map3<"sample", "hkl">, g: Float64Array): readonly number[] => {
  const [a, b, c, d, e, f, p, q, r] = m;
  const det = a * (e * r - f * q) - b * (d * r - f * p) + c * (d * q - e * p);
  return [
    e * r - f * q,
    c * q - b * r,
    b * f - c * e,
    f * p - d * r,
    a * r - c * p,
    c * d - a * f,
    d * q - e * p,
    b * p - a * q,
    a * e - b * d,
  ]
    .map((x) => x / det)
    .reduce<number[]>(
      (h, x, i) => {
        h[Math.floor(i / 3)]! += x * g[i % 3]!;
        return h;
      },
      [0, 0, 0],
    );
};

describeData("PETS2 projects", ["3ded/glycine_pets/glycine.pts"], () => {
  test("glycine: .pts and .cenloc give the mapping of the .rpl to 0.0013 Å⁻¹", () => {
    const pts = parsePts(readDataText("3ded/glycine_pets/glycine.pts")).value;
    const numbers = (name: string, columns: number) =>
      readDataText(`3ded/glycine_pets/${name}`)
        .split("\n")
        .map((l) => l.trim().split(/\s+/).map(Number))
        .filter((r) => r.length === columns);
    const centres = Float64Array.from(numbers("glycine.cenloc", 3).flatMap((r) => r.slice(0, 2)));
    const ours = fromPets(pts, { nx: 516, ny: 516, centres });
    const rows = numbers("glycine.rpl", 12);
    expect(ours.instrument.exposure).toEqual({ kind: "continuous", halfWidthDeg: 0.18 });
    const g = peaksToReciprocal(
      Float64Array.from(rows.flatMap((r) => [r[7]! - 1, r[8]! - 1])),
      rows.map((r) => r[11]! - 1),
      ours.instrument,
      ours.frames,
    );
    for (let c = 0; c < 3; c++)
      expect(Math.sqrt(rows.reduce((s, r, i) => s + (g[3 * i + c]! - r[c]!) ** 2, 0) / rows.length)).toBeLessThan(0.0013);
    expect(() => fromPets({ ...pts, omegaDeg: Number.NaN }, { nx: 1, ny: 1 })).toThrow(/bad-file/);
  });

  test.each([
    "glycine_pets/glycine.cif_pets",
    "glycine_pets/glycine_dyn.cif_pets",
    "jana_dyn/albite_block5.cif_pets",
    "jana_dyn/urea_pets2_dyn.cif_pets",
  ])("%s: u v w of every frame follow from UB, α and β", (name) => {
    const pets = parseCifPets(readDataText("3ded", name)).value;
    let worst = 0;
    for (let i = 0; i < pets.zones.size; i++) {
      const uvw = zoneAxis(
        petsRotation(pets.zones.alphaDeg[i]!, pets.zones.betaDeg[i]!, pets.zones.omegaDeg[i]!),
        pets.ub as Map3<"sample", "hkl">,
      );
      worst = Math.max(
        worst,
        Math.abs(uvw[0] - pets.zones.u[i]!),
        Math.abs(uvw[1] - pets.zones.v[i]!),
        Math.abs(uvw[2] - pets.zones.w[i]!),
      );
    }
    // UB has 5 decimals, α and β 3
    expect(worst).toBeLessThan(8e-4);
    expect(apply(pets.ub as Map3<"sample", "hkl">, [1, 0, 0])).toHaveLength(3);
  });
});
