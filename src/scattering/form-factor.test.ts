import { describe, expect, test } from "vitest";
import { beam } from "../geometry/beam.js";
import { closeTo, tolerances } from "../testing/close.js";
import { describeData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { birdKingAbsorptive, birdKingDamped, gaussLegendre, thomasAbsorptive } from "./absorptive.js";
import { ignoreCharge, ionFactor } from "./form-factor.js";
import { kirkland } from "./kirkland.js";
import { lobato, lobatoXray } from "./lobato.js";
import { peng1996, peng1996LowAngle, peng1998 } from "./peng.js";
import { itc1992 } from "./tables/itc1992.js";
import { kirkland2010 } from "./tables/kirkland2010.js";
import { lobato2014 } from "./tables/lobato2014.js";
import { peng1996High } from "./tables/peng1996-high.js";
import { peng1998Ions } from "./tables/peng1998-ions.js";
import { thomas2024 } from "./tables/thomas2024.js";
import { waasmaierKirfel1995 } from "./tables/waasmaier-kirfel1995.js";
import { mottBetheConstant, voltPerStructureFactor } from "./units.js";
import { weickenmeierKohl } from "./weickenmeier-kohl.js";
import { electronFromXray, internationalTables, mottBethe, waasmaierKirfel } from "./xray.js";

describeData("constants", ["tables/constants/electron-optics.json"], () => {
  const { constants, voltages } = JSON.parse(readDataText("tables/constants/electron-optics.json")) as {
    constants: Record<string, number>;
    voltages: Record<string, number>[];
  };
  test("Mott-Bethe, V per F, and the beam at every tabulated voltage", () => {
    expect(mottBetheConstant).toSatisfy(closeTo(constants.mottBetheS!, tolerances.closedForm));
    expect(voltPerStructureFactor / constants.voltPerFe!).toSatisfy(closeTo(1, 1e-9));
    for (const v of voltages) {
      const b = beam(v.kV!);
      for (const [ours, theirs] of [
        [b.wavelength, v.lambdaAngstrom],
        [b.gamma, v.gamma],
        [b.beta, v.vOverC],
        [b.sigma, v.sigmaRadPerVoltAngstrom],
      ])
        expect(ours! / theirs!).toSatisfy(closeTo(1, 1e-9));
    }
    // 47.8776 · 0.0066484 · π = 1: U = γ F/(πV) and V_g = 47.88 F/V are the same statement.
    expect(voltPerStructureFactor * constants.UperVolt! * Math.PI).toSatisfy(closeTo(1, 1e-9));
  });
});

describe("tables", () => {
  test("Lobato obeys f_x(0) = Z for all 103 elements to 1e-8, and Mott-Bethe ties f_e to f_x", () => {
    Object.keys(lobato2014).forEach((e, i) => {
      const z = i + 1,
        fx = lobatoXray(e),
        fe = lobato(e);
      expect(Math.abs(fx(0) / z - 1)).toBeLessThan(1e-8);
      for (const s of [0.3, 1, 3]) expect((mottBetheConstant * (z - fx(s))) / (s * s) / fe.f(s)).toSatisfy(closeTo(1, 1e-6));
    });
    expect(Object.keys(lobato2014).length).toBe(103);
  });

  test("f_e(0) in Å as listed for 11 elements: Lobato, Kirkland, Peng", () => {
    const listed: Record<string, readonly [number, number, number]> = {
      H: [0.5292, 0.5297, 0.5288],
      C: [2.51, 2.511, 2.509],
      N: [2.249, 2.219, 2.213],
      O: [2.029, 1.99, 1.983],
      Al: [5.89, 5.892, 5.885],
      Si: [5.836, 5.814, 5.818],
      Fe: [7.164, 7.163, 7.161],
      Cs: [16.51, 16.38, 16.5],
      Lu: [13.49, 13.3, 13.47],
      Au: [10.58, 10.55, 10.56],
      Pb: [13.09, 13.04, 12.59],
    };
    for (const [e, [l, k, p]] of Object.entries(listed)) {
      expect(Math.abs(lobato(e).f(0) / l - 1)).toBeLessThan(6e-4);
      expect(Math.abs(kirkland(e).f(0) / k - 1)).toBeLessThan(6e-4);
      expect(Math.abs(peng1996(e).f(0) / p - 1)).toBeLessThan(6e-4);
    }
  });

  const median = (v: number[]): number => [...v].sort((a, b) => a - b)[Math.floor(v.length / 2)]!;
  const elements = Object.keys(peng1996High);
  test.each([
    ["Kirkland", kirkland, 0.2, 0.0023],
    ["Kirkland", kirkland, 6, 0.0046],
    ["Mott-Bethe of Waasmaier-Kirfel", mottBethe, 0.2, 0.0025],
    ["Mott-Bethe of Waasmaier-Kirfel", mottBethe, 1, 0.0035],
    ["Peng 0-2", peng1996LowAngle, 0.2, 0.002],
    ["Peng 0-6", peng1996, 1, 0.01],
    ["Weickenmeier-Kohl", weickenmeierKohl, 0.4, 0.006],
  ] as const)("%s: median deviation from Lobato over 98 elements as tabulated", (_, source, s, expected) => {
    const found = median(elements.map((e) => Math.abs(source(e).f(s) / lobato(e).f(s) - 1)));
    expect(found).toBeGreaterThan(0.2 * expected);
    expect(found).toBeLessThan(1.35 * expected);
  });

  test("every element of every table is positive, falls with s, and never jumps", () => {
    for (const source of [lobato, kirkland, weickenmeierKohl, peng1996, peng1996LowAngle, mottBethe])
      for (const e of elements) {
        const form = source(e);
        expect(form.f(0)).toBeGreaterThan(0);
        for (let s = 0; s < Math.min(form.sMax, 1.9); s += 0.1) {
          expect(form.f(s + 0.1)).toBeGreaterThan(0);
          expect(form.f(s + 0.1)).toBeLessThan(form.f(s) * 1.0005);
        }
        expect(form.f(1e-6)).toSatisfy(closeTo(form.f(0), 1e-6));
      }
    expect([Object.keys(kirkland2010).length, elements.length, Object.keys(thomas2024).length]).toEqual([103, 98, 103]);
  });

  test("X-ray: f(0) is the number of electrons, 0.05 (WK) and 0.1 (ITC), for all atoms and ions", () => {
    for (const [name, row] of Object.entries(waasmaierKirfel1995)) {
      const sum = row[2]! + row.slice(3, 8).reduce((s, a) => s + a, 0);
      expect(Math.abs(sum - (row[0]! - row[1]!)), name).toBeLessThan(0.05);
    }
    for (const [name, row] of Object.entries(itc1992)) {
      const sum = row[2]! + row.slice(3, 7).reduce((s, a) => s + a, 0);
      expect(Math.abs(sum - (row[0]! - row[1]!)), name).toBeLessThan(0.1);
    }
    expect([Object.keys(waasmaierKirfel1995).length, Object.keys(itc1992).length]).toEqual([212, 213]);
    expect(waasmaierKirfel("O", -2).f(0)).toBeCloseTo(10, 1);
    expect(internationalTables("Fe", 3).f(0)).toBeCloseTo(23, 1);
    expect(electronFromXray(internationalTables("Si")).f(0.2) / lobato("Si").f(0.2)).toBeCloseTo(1, 2);
  });

  test("ions: Peng 1998 agrees with Mott-Bethe ions, and the Coulomb tail is exactly C q/s²", () => {
    const deviations: number[] = [];
    for (const name of Object.keys(peng1998Ions)) {
      const m = /^([A-Z][a-z]?)(\d)([+-])$/.exec(name)!;
      const charge = Number(m[2]) * (m[3] === "-" ? -1 : 1);
      if (!waasmaierKirfel1995[name] || ["Ba2+", "O1-", "Ti2+", "Pd2+"].includes(name)) continue;
      const p = peng1998(m[1]!, charge),
        w = mottBethe(m[1]!, charge);
      deviations.push(Math.max(...[0.2, 0.4, 0.7, 1, 1.4].map((s) => Math.abs(p.f(s) / w.f(s) - 1))));
      expect(p.f(0)).toBe(charge > 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY);
      expect(Number.isFinite(p.regular(0))).toBe(true);
      expect((p.f(0.01) - p.regular(0.01)) * 1e-4).toBeCloseTo(mottBetheConstant * charge, 12);
    }
    expect(deviations.length).toBeGreaterThan(80);
    expect(median(deviations)).toBeLessThan(0.006);
  });

  test("wrong use is refused with a cure", () => {
    expect(() => lobato("O", -2)).toThrow(/ignoreCharge/);
    expect(ignoreCharge(lobato)("O", -2).f(0.3)).toBe(lobato("O").f(0.3));
    expect(() => kirkland("Xx")).toThrow(/not-found/);
    expect(() => peng1998("O", 5)).toThrow(/mottBethe/);
    expect(() => mottBethe("Og")).toThrow(/not-found/);
    expect(ionFactor("H", 0, "", 1, () => 2).f(0)).toBe(2);
  });
});

describe("absorptive factors", () => {
  const b200 = beam(200);
  test("Gauss-Legendre: weights sum to 2, degree 2n−1 exact", () => {
    const { x, w } = gaussLegendre(12);
    expect(w.reduce((s, v) => s + v, 0)).toBeCloseTo(2, 12);
    expect(x.reduce((s, v, i) => s + w[i]! * v ** 22, 0)).toBeCloseTo(2 / 23, 12);
  });
  test("the integral against its closed form for a Gaussian atom", () => {
    // f = exp(−a s²): ∫ exp(−2a r² − a s²/2)[1 − exp(−2B r² + B s²/2)] d²r = exp(−a s²/2) [π/2a − exp(B s²/2) π/(2a + 2B)]
    const a = 3.1,
      bIso = 0.7,
      c = 2 * b200.gamma * b200.wavelength;
    for (const s of [0, 0.2, 0.7, 1.5]) {
      const exact =
        c * Math.exp((-a * s * s) / 2 - bIso * s * s) * (Math.PI / (2 * a) - (Math.exp((bIso * s * s) / 2) * Math.PI) / (2 * a + 2 * bIso));
      expect(birdKingDamped((q) => Math.exp(-a * q * q), s, bIso, b200.beta)).toSatisfy(closeTo(exact, 1e-9));
    }
  });
  test("between its nodes too, for the sharpest of the factors", () => {
    for (const e of ["Si", "Cs", "Au"]) {
      const { damped } = birdKingAbsorptive(lobato, b200)(e, 0.8),
        f = (s: number): number => lobato(e).regular(s);
      for (const s of [0.0047, 0.0153, 0.0851, 0.3137, 1.2345])
        expect(Math.abs(damped(s) - birdKingDamped(f, s, 0.8, b200.beta)), `${e} s=${s}`).toBeLessThan(1e-10 * damped(0));
    }
  });
  test("Thomas' table is that integral over Lobato's factors: 1 % in the useful range, both routes vanish with B", () => {
    const table = thomasAbsorptive(b200),
      integral = birdKingAbsorptive(lobato, b200);
    for (const e of ["C", "O", "Si", "Fe", "Au"])
      for (const bIso of [0.1, 0.33, 0.5, 0.9, 1.5, 2.4, 4]) {
        const scale = integral(e, bIso).damped(0);
        for (const s of [0, 0.1, 0.25, 0.4])
          expect(Math.abs(table(e, bIso).damped(s) - integral(e, bIso).damped(s)) / scale, `${e} B=${bIso} s=${s}`).toBeLessThan(0.01);
      }
    expect(table("Si", 0).damped(0.3)).toBe(0);
    expect(integral("Si", 0).damped(0.3)).toBeCloseTo(0, 12);
    expect(() => table("Si", 5)).toThrow(/birdKing/);
    expect(() => table("Si", -1)).toThrow(/out-of-range/);
  });
  prop(
    "f' grows with B at s = 0, and the interpolated table follows its nodes' order",
    [fc.double({ min: 0.02, max: 3.8, noNaN: true }), fc.constantFrom("C", "Si", "Cs", "Pb")],
    (bIso, e) => {
      const table = thomasAbsorptive(b200);
      expect(table(e, bIso + 0.1).damped(0)).toBeGreaterThan(table(e, bIso).damped(0));
    },
  );
});
