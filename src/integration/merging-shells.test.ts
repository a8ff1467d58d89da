import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { mergeReflections, reflectionList } from "../geometry/reflection-list.js";
import { spaceGroup } from "../geometry/space-groups.js";
import { atom, composition, structure } from "../geometry/structure.js";
import { sphereReflections, uniqueReflections } from "../geometry/unique.js";
import { correlation } from "../numerics/stats.js";
import { peng1996 } from "../scattering/peng.js";
import { structureFactors } from "../scattering/structure-factors.js";
import { mergingStatistics } from "./merging-shells.js";
import { lTest, normalisedStatistics, wilsonPlot } from "./wilson.js";

/** Random light-atom crystal, exact intensities. */
function crystal(symbol: string, seed: number, uIso = 0.02) {
  const g = rng(seed);
  const s = structure(
    unitCell(14, 16, 18),
    spaceGroup(symbol),
    Array.from({ length: 24 }, (_, i) => atom({ label: `C${i}`, element: "C", xyz: [g.uniform(), g.uniform(), g.uniform()], uIso })),
  );
  const intensityOf = (hkl: Int32Array): Float64Array => {
    const f = structureFactors(s, hkl, peng1996);
    return Float64Array.from({ length: f.length / 2 }, (_, i) => f[2 * i]! ** 2 + f[2 * i + 1]! ** 2);
  };
  return { s, intensityOf };
}

describe("merging", () => {
  const { s, intensityOf } = crystal("P 21 21 21", 3);
  const { hkl } = sphereReflections(s.cell, s.spaceGroup, { dMin: 1.1 });
  const exact = intensityOf(hkl),
    g = rng(7);
  const mean = exact.reduce((a, b) => a + b, 0) / exact.length;
  const sigma = exact.map((v) => 0.1 * v + 0.5 * mean);
  const measured = exact.map((v, i) => v + sigma[i]! * g.normal());
  const list = reflectionList(s.cell, { hkl, intensity: measured, sigma });

  test("agrees with the plain merging of geometry where both weight alike", () => {
    const m = mergeReflections(s.cell, s.spaceGroup, list, { weights: "none" });
    const { overall, shells, excluded } = mergingStatistics(s.cell, s.spaceGroup, list);
    expect(overall.rInt).toBeCloseTo(m.rInt, 12);
    expect(overall.rMeas).toBeCloseTo(m.rMeas, 12);
    expect(overall.rPim).toBeCloseTo(m.rPim, 12);
    expect([overall.unique, overall.observations, excluded]).toEqual([m.list.size, list.size, 0]);
    expect(overall.completeness).toBe(1);
    expect(shells.reduce((n, x) => n + x.observations, 0)).toBe(list.size);
    expect(shells.reduce((n, x) => n + x.possible, 0)).toBe(overall.possible);
    expect(shells.at(-1)!.cumulativeCompleteness).toBe(1);
    expect(overall.rPim).toBeLessThan(overall.rInt);
    expect(overall.rMeas).toBeGreaterThan(overall.rInt);
  });
  test("CC1/2 by σ–τ equals the correlation of random half sets, and CC* that with the truth", () => {
    const { overall } = mergingStatistics(s.cell, s.spaceGroup, list);
    const merged = mergeReflections(s.cell, s.spaceGroup, list, { weights: "none" });
    const truth = intensityOf(merged.list.hkl);
    expect(overall.ccStar).toBeCloseTo(correlation(merged.list.intensity, truth), 1);
    const sets = new Map<string, number[]>();
    for (let i = 0; i < list.size; i++) {
      const one = mergeKey(list.hkl.subarray(3 * i, 3 * i + 3));
      sets.set(one, [...(sets.get(one) ?? []), list.intensity[i]!]);
    }
    let cc = 0;
    for (let trial = 0; trial < 10; trial++) {
      const a: number[] = [],
        b: number[] = [];
      for (const values of sets.values()) {
        if (values.length < 2) continue;
        const shuffled = values.map((v) => [g.uniform(), v] as const).sort((p, q) => p[0] - q[0]);
        const half = Math.floor(values.length / 2);
        a.push(shuffled.slice(0, half).reduce((q, v) => q + v[1], 0) / half);
        b.push(shuffled.slice(half).reduce((q, v) => q + v[1], 0) / (values.length - half));
      }
      cc += correlation(a, b) / 10;
    }
    expect(sets.size).toBe(merged.list.size);
    expect(Math.abs(overall.ccHalf - cc)).toBeLessThan(0.02);
  });
  test("a zero σ is not counted; a hole shows in the completeness", () => {
    const bad = list.sigma.slice();
    for (let i = 0; i < 100; i++) bad[i] = 0;
    expect(mergingStatistics(s.cell, s.spaceGroup, { ...list, sigma: bad }).excluded).toBe(100);
    const low = reflectionList(s.cell, { hkl: hkl.slice(3000), intensity: measured.slice(1000), sigma: sigma.slice(1000) });
    const { shells } = mergingStatistics(s.cell, s.spaceGroup, low, { dMin: 1.1 });
    expect(shells[0]!.completeness).toBeLessThan(0.5);
    expect(shells.at(-1)!.completeness).toBe(1);
    expect(() => mergingStatistics(s.cell, s.spaceGroup, { ...list, sigma: new Float64Array(list.size) })).toThrow(/bad-value/);
  });
});
/** mmm: the absolute values of the indices. */
const mergeKey = (h: Int32Array): string => [...h].map(Math.abs).join();

describe("statistics of intensities", () => {
  const listOf = (symbol: string, seed: number) => {
    const c = crystal(symbol, seed);
    const { hkl } = uniqueReflections(c.s.cell, c.s.spaceGroup, { dMin: 1 });
    return { ...c, list: reflectionList(c.s.cell, { hkl, intensity: c.intensityOf(hkl) }) };
  };
  test("|E² − 1| is 0.968 for a centric and 0.736 for an acentric crystal", () => {
    const centric = listOf("P -1", 1),
      acentric = listOf("P 21", 2);
    const c = normalisedStatistics(centric.s.spaceGroup, centric.list),
      a = normalisedStatistics(acentric.s.spaceGroup, acentric.list);
    expect(c.meanE2Minus1).toBeCloseTo(0.968, 1);
    expect(c.suggests).toBe("centric");
    expect(Math.abs(a.acentric - 0.736)).toBeLessThan(0.03);
    expect(a.suggests).toBe("acentric");
    expect(a.centric).toBeGreaterThan(a.acentric + 0.1);
    expect(Math.abs(a.meanE4 - 2)).toBeLessThan(0.25);
  });
  test("the L-test tells a perfect twin from a single crystal", () => {
    // Wilson's acentric distribution, exp(−I), drawn: a crystal of few atoms is not yet at this limit.
    const { s, list } = listOf("P 1", 3);
    const g = rng(4);
    const draw = (): Float64Array => list.intensity.map(() => -Math.log(1 - g.uniform()));
    const first = draw(),
      second = draw();
    const single = lTest(s.spaceGroup, { ...list, intensity: first });
    expect(single.pairs).toBeGreaterThan(10000);
    expect(Math.abs(single.meanAbsL - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(single.meanL2 - 1 / 3)).toBeLessThan(0.01);
    const twin = lTest(s.spaceGroup, { ...list, intensity: first.map((v, i) => v + second[i]!) });
    expect(Math.abs(twin.meanAbsL - 0.375)).toBeLessThan(0.01);
    expect(Math.abs(twin.meanL2 - 0.2)).toBeLessThan(0.01);
    expect(Math.abs(lTest(s.spaceGroup, list).meanAbsL - 0.5)).toBeLessThan(0.05);
  });
  test.each(["P 21", "P -1", "C 2"])("the Wilson plot of %s returns B and the scale", (symbol) => {
    const { s, list } = listOf(symbol, 5);
    const w = wilsonPlot(s.spaceGroup, { ...list, intensity: list.intensity.map((v) => 7 * v) }, composition(s), peng1996);
    expect(Math.abs(w.b - 8 * Math.PI ** 2 * 0.02)).toBeLessThan(0.35);
    // A centred cell scatters its copies in phase: twice the intensity on the half of the reflections that are there.
    const copies = s.spaceGroup.ops.length / s.spaceGroup.primitiveOrder;
    expect(Math.abs(Math.log(w.scale / (7 * copies)))).toBeLessThan(0.25);
  });
});
