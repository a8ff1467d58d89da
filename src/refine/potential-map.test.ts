import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { structureFromCif } from "../geometry/from-cif.js";
import { spaceGroup, spaceGroupByNumber } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { sphereReflections, uniqueReflections } from "../geometry/unique.js";
import { cifBlock, cifNumber } from "../io/cif-access.js";
import { parseCif } from "../io/cif-parse.js";
import { cifReflections } from "../io/cif-reflections.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { describeData, readData } from "../testing/data.js";
import { mapPeaks } from "./map-peaks.js";
import { mapSection, sectionSvg } from "./map-section.js";
import { mapStatistics } from "./map-statistics.js";
import { differenceCoefficients, mapValue, potentialMap, voltPerElectronAngstrom } from "./potential-map.js";
import { indicesOf } from "./residuals-cif.js";

test("units: 14.3996 V for one e/Å, 47.878 V Å² for F/V", () => {
  expect(voltPerElectronAngstrom).toBeCloseTo(14.399645, 5);
});

test.each([1, 2, 19, 43, 62, 146, 194, 227])("group %d: FFT of the unique reflections equals the plain sum over the sphere", (number) => {
  const cell =
    number < 3
      ? unitCell(5.1, 6.2, 7.3, 81, 97, 106)
      : number < 100
        ? unitCell(5.1, 6.2, 7.3)
        : number < 195
          ? unitCell(5.1, 5.1, 7.3, 90, 90, 120)
          : unitCell(6, 6, 6);
  const group = spaceGroupByNumber(number),
    g = rng(number);
  const s = structure(cell, group, [
    atom({ element: "Si", xyz: [g.uniform(), g.uniform(), g.uniform()], uIso: 0.01 }),
    atom({ element: "O", xyz: [g.uniform(), g.uniform(), g.uniform()], uIso: 0.02 }),
  ]);
  const { hkl } = uniqueReflections(cell, group, { dMin: 1.2 });
  const map = potentialMap(cell, group, hkl, structureFactors(s, hkl, peng1996));
  const all = sphereReflections(cell, group, { dMin: 1.2 });
  expect(map.coefficients).toBe(all.size);
  const f = structureFactors(s, all.hkl, peng1996);
  const [nz, ny, nx] = map.shape;
  for (let k = 0; k < 6; k++) {
    const i = [g.integer(nx), g.integer(ny), g.integer(nz)] as const;
    let sum = 0;
    for (let j = 0; j < all.size; j++) {
      const p = 2 * Math.PI * ((all.hkl[3 * j]! * i[0]) / nx + (all.hkl[3 * j + 1]! * i[1]) / ny + (all.hkl[3 * j + 2]! * i[2]) / nz);
      sum += f[2 * j]! * Math.cos(p) - f[2 * j + 1]! * Math.sin(p);
    }
    const at = mapValue(map, [i[0] / nx, i[1] / ny, i[2] / nz]);
    expect(at).toBeCloseTo((47.87801 * sum) / cell.volume, 2);
  }
});

test("an atom left out of the model stands where it is, far above the noise; the rest of the map is noise", () => {
  const cell = unitCell(9, 10, 11, 90, 105),
    group = spaceGroup("P 21/c"),
    g = rng(5);
  const full = structure(cell, group, [
    ...[0, 1, 2, 3].map((i) => atom({ label: `Si${i}`, element: "Si", xyz: [0.1 + 0.2 * i, 0.1 + 0.11 * i, 0.3 + 0.07 * i], uIso: 0.01 })),
    atom({ label: "Na1", element: "Na", xyz: [0.31, 0.62, 0.73], uIso: 0.02, occupancy: 0.2 }),
  ]);
  const model = { ...full, atoms: full.atoms.slice(0, 4) };
  const { hkl, size } = uniqueReflections(cell, group, { dMin: 0.8 });
  const truth = structureFactors(full, hkl, peng1996),
    f = structureFactors(model, hkl, peng1996);
  const sigma = new Float64Array(size),
    measured = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const I = 4 * (truth[2 * i]! ** 2 + truth[2 * i + 1]! ** 2);
    sigma[i] = 0.03 * I + 0.05;
    measured[i] = I + sigma[i]! * g.normal();
  }
  const map = potentialMap(cell, group, hkl, differenceCoefficients(f, measured, sigma, new Float64Array(size).fill(2)));
  const stats = mapStatistics(map);
  expect(stats.gaussian.sigma).toBeLessThan(stats.rms);
  expect(stats.level).toBeCloseTo(3 * stats.gaussian.sigma, 12);
  expect(stats.max / stats.maxElectronPerAngstrom).toBeCloseTo(14.3996, 3);
  const peaks = mapPeaks(map, { sigma: stats.gaussian.sigma, structure: full });
  expect(peaks[0]!.nearest).toBe("Na1");
  expect(peaks[0]!.distance).toBeLessThan(0.05);
  expect(peaks[0]!.overSigma).toBeGreaterThan(8);
  expect(peaks[0]!.height).toBeGreaterThan(0);
  // One of each set of equivalents.
  expect(peaks.filter((p) => p.nearest === "Na1" && p.height > 0 && p.distance < 0.3).length).toBe(1);
  const section = mapSection(map, {
    points: [
      [0.31, 0.62, 0.73],
      [0.5, 0.62, 0.73],
      [0.31, 0.9, 0.73],
    ],
    size: 4,
  });
  const mid = section.image.shape[0] >> 1;
  expect(section.image.data[mid * section.image.shape[1] + mid]! / peaks[0]!.height).toBeGreaterThan(0.9);
  expect(section.project([0.31, 0.62, 0.73])).toEqual({ u: 0, v: 0, off: 0 });
  const svg = sectionSvg(section, { title: "difference", structure: full });
  expect(svg).toMatch(/^<svg[\s\S]*Na1/);
});

describeData("natrolite and albite, kinematical", ["3ded/jana_dyn"], () => {
  test.each(["natrolite", "albite"])("%s: extremes of the difference map within a quarter of those that the file states", (name) => {
    const block = cifBlock(parseCif(readData("3ded", "jana_dyn", `${name}_jana2006_dyn+kin.cif`)).value, `${name}_kinematical`)!;
    const r = cifReflections(block),
      s = structureFromCif(block).value,
      hkl = indicesOf(r);
    const f = structureFactors(s, hkl, peng1996);
    // With the observed reflections alone, as JANA does by default.
    const sigma = r.sigma.map((v, i) => (r.observed[i] ? v : 0));
    const map = potentialMap(s.cell, s.spaceGroup, hkl, differenceCoefficients(f, r.measured, sigma, new Float64Array(r.size).fill(1)));
    const stats = mapStatistics(map);
    // JANA prints F/V, Å⁻²: volts over 47.878.
    const stated = [cifNumber(block, "_refine_diff_density_min"), cifNumber(block, "_refine_diff_density_max")];
    // Not the same numbers: the file does not say how its map was made. Within a quarter.
    expect(stats.max / 47.878 / stated[1]!).toBeGreaterThan(0.8);
    expect(stats.max / 47.878 / stated[1]!).toBeLessThan(1.25);
    expect(stats.min / 47.878 / stated[0]!).toBeGreaterThan(0.8);
    expect(stats.min / 47.878 / stated[0]!).toBeLessThan(1.25);
  });
});
