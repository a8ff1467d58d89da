import { expect, test } from "vitest";
import { unitCell } from "../geometry/cell.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, structure } from "../geometry/structure.js";
import { parseAtomsXyz, writeAtomsXyz } from "../io/atoms-xyz.js";
import { rfft2 } from "../numerics/fft.js";
import type { FormFactor } from "../scattering/form-factor.js";
import { peng1998 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { voltPerStructureFactor } from "../scattering/units.js";
import { electronFromXray, mottBethe, waasmaierKirfel } from "../scattering/xray.js";
import { atomModel } from "./atoms.js";
import { atomsFromStructure, repeatAtoms } from "./atoms-build.js";
import { joinAtoms } from "./atoms-cut.js";
import { atomsFromXyz, atomsToXyz } from "./atoms-files.js";
import { waveGrid } from "./grid.js";
import { frozenPhonons } from "./phonons.js";
import { potentialPlan } from "./potential.js";
import { ionNames } from "./potential-factors.js";
import { planScan } from "./scan-plan.js";
import { stemSetup } from "./stem.js";

const a = 3.905;
const strontiumTitanate = structure(unitCell(a, a, a), spaceGroup("P m -3 m"), [
  atom({ element: "Sr", charge: 2, xyz: [0, 0, 0], uIso: 0.006 }),
  atom({ element: "Ti", charge: 4, xyz: [0.5, 0.5, 0.5], uIso: 0.006 }),
  atom({ element: "O", charge: -2, xyz: [0.5, 0.5, 0], uIso: 0.009 }),
]);
const cell = atomsFromStructure(strontiumTitanate);
const grid = waveGrid(48, 48, [a, 0], [0, a]);

test("the potential of ions is the sum of their structure factors, of the zero Laue zone", () => {
  const plan = potentialPlan(cell, { grid, sliceThickness: 10, ions: "model", factors: mottBethe, debyeWaller: true });
  const spectrum = rfft2(plan.projected(0), [48, 48]);
  plan.free();
  const hkl = Int32Array.from([1, 0, 0, 2, 0, 0, 1, 1, 0, 3, -2, 0, 0, 0, 0]);
  const f = structureFactors(strontiumTitanate, hkl, mottBethe);
  for (let i = 0; i < hkl.length / 3; i++) {
    const [h, k] = [hkl[3 * i]!, hkl[3 * i + 1]!],
      ours = spectrum[2 * (((k + 48) % 48) * 25 + h)]! / 48 ** 2;
    expect(ours / ((voltPerStructureFactor / a ** 2) * f[2 * i]!)).toBeCloseTo(1, 9);
  }
});

test("atoms are neutral unless told, and told of", () => {
  const of = (options: Partial<Parameters<typeof potentialPlan>[1]>, m = cell): Float64Array => {
    const plan = potentialPlan(m, { grid, sliceThickness: 10, ...options });
    const v = plan.projected(0);
    plan.free();
    return v;
  };
  const { charge: _, ...bare } = cell;
  expect(of({})).toEqual(of({}, bare));
  expect(of({ factors: mottBethe })).not.toEqual(of({ factors: mottBethe, ions: "model" }));
  expect(ionNames(cell)).toBe("Sr2+, Ti4+, O2−");
  const options = {
    voltageKv: 200,
    semiangleMrad: 20,
    shape: [1, 1],
    detectors: [{ kind: "annular", innerMrad: 0, outerMrad: 30 }],
  } as const;
  const big = repeatAtoms(cell, [4, 4, 1]);
  expect(planScan(stemSetup(big, options)).warnings.join()).toMatch(/Sr2\+, Ti4\+, O2−.*left out/);
  expect(planScan(stemSetup(big, { ...options, ions: "model" })).warnings.join()).not.toMatch(/left out/);
});

test("any form factor is a value: an atom whose electrons are drawn in by kappa", () => {
  const kappa = (e: string) => {
    const x = waasmaierKirfel(e);
    return electronFromXray({ ...x, b: x.b.map((v) => v / 1.05 ** 2) }, e);
  };
  const bin = (factors: (e: string) => FormFactor): number => {
    const plan = potentialPlan(atomModel({ cell: cell.cell, atoms: ["O"], positions: [0, 0, 1] }), { grid, sliceThickness: 10, factors });
    const v = rfft2(plan.projected(0), [48, 48])[2 * 3]!;
    plan.free();
    return v;
  };
  const s = 3 / a / 2;
  expect(bin(kappa) / bin((e) => mottBethe(e))).toBeCloseTo(kappa("O").f(s) / mottBethe("O").f(s), 12);
  expect(kappa("O").f(s) / mottBethe("O").f(s)).toBeLessThan(0.99);
});

test("what a table does not hold is named", () => {
  const of = (options: Partial<Parameters<typeof potentialPlan>[1]>) => () => potentialPlan(cell, { grid, ions: "model", ...options });
  expect(of({})).toThrow(/neutral atoms.*mottBethe/);
  expect(of({ factors: mottBethe, projection: "finite" })).toThrow(/Coulomb tail/);
  expect(of({ factors: peng1998 })).toThrow(/beyond the angles.*mottBethe/);
  of({ factors: peng1998, grid: waveGrid(24, 24, [a, 0], [0, a]) })().free();
  expect(() => atomModel({ cell: cell.cell, atoms: ["O"], positions: [0, 0, 0], charge: [0.5] })).toThrow(/whole numbers/);
});

test("charges come along through repetitions, joins, vibrations and files", () => {
  const twice = joinAtoms(repeatAtoms(cell, [2, 1, 1]), { atoms: atomModel({ cell: cell.cell, atoms: ["C"], positions: [1, 1, 1] }) });
  expect([...twice.charge!]).toEqual([...cell.charge!, ...cell.charge!, 0]);
  expect(frozenPhonons(cell, { configurations: 1, seed: 1 }).snapshot(0).charge).toEqual(cell.charge);
  const text = writeAtomsXyz([atomsToXyz(cell)]);
  expect(atomsFromXyz(parseAtomsXyz(text).value[0]!).charge).toEqual(cell.charge);
});
