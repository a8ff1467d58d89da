import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { asuPosition, asuReflection, asuReflections } from "./asu.js";
import { type CellParameters, unitCell } from "./cell.js";
import { equivalents } from "./extinctions.js";
import type { Fractional, Hkl } from "./metric.js";
import { adpConstraint, positionConstraint, rotateAdp, siteSymmetry, symmetriseAdp } from "./site-symmetry.js";
import { spaceGroup, spaceGroupByNumber } from "./space-groups.js";
import { applyOp } from "./symop.js";
import { sphereReflections, uniqueReflections } from "./unique.js";

interface Row {
  readonly hm: string;
  readonly cell: CellParameters;
  readonly dMin: number;
  readonly unique: number;
  readonly sphere: number;
}
test.each(readGolden<Row>("unique-reflections").rows)(
  "$hm: $unique unique reflections, $sphere in the sphere (gemmi)",
  ({ hm, cell, dMin, unique, sphere }) => {
    const group = spaceGroup(hm),
      k = unitCell(...cell);
    const set = uniqueReflections(k, group, { dMin });
    expect(set.size).toBe(unique);
    expect(set.multiplicity.reduce((s, n) => s + n, 0)).toBe(sphere);
    expect(sphereReflections(k, group, { dMin }).size).toBe(sphere);
    expect(sphereReflections(k, group, { dMin, absences: "keep" }).size).toBeGreaterThanOrEqual(sphere);
    // ε · multiplicity is the order of the Laue group: every operation either keeps or moves the reflection.
    const order = group.primitiveOrder * (group.centrosymmetric ? 1 : 2);
    for (let i = 0; i < set.size; i += 17) {
      const mates = equivalents(group, [set.hkl[3 * i]!, set.hkl[3 * i + 1]!, set.hkl[3 * i + 2]!], true).length;
      expect(set.multiplicity[i]).toBe(mates);
      expect(order % mates).toBe(0);
    }
  },
);

const groupArb = fc.integer({ min: 1, max: 230 }).map(spaceGroupByNumber);
const index = fc.integer({ min: -12, max: 12 });
prop(
  "all equivalents share one representative, which is one of them",
  [groupArb, index, index, index, fc.boolean()],
  (group, h, k, l, friedel) => {
    const hkl: Hkl = [h, k, l];
    const r = asuReflection(group, hkl, friedel);
    const mates = equivalents(group, hkl, friedel);
    expect(mates.map((m) => m.join())).toContain(r.hkl.join());
    for (const m of mates) expect(asuReflection(group, m, friedel).hkl).toEqual(r.hkl);
    const many = asuReflections(group, Int32Array.of(h, k, l), friedel);
    expect([...many.hkl, many.op[0], many.friedel[0] === 1]).toEqual([...r.hkl, r.op, r.friedel]);
  },
);

const cellFor = (system: string) =>
  ({
    triclinic: unitCell(6, 7, 8, 80, 95, 105),
    monoclinic: unitCell(6, 7, 8, 90, 105),
    orthorhombic: unitCell(6, 7, 8),
    tetragonal: unitCell(6, 6, 8),
    trigonal: unitCell(6, 6, 8, 90, 90, 120),
    hexagonal: unitCell(6, 6, 8, 90, 90, 120),
    cubic: unitCell(6, 6, 6),
  })[system]!;
const special = fc.constantFrom(0, 0.25, 0.5, 1 / 3, 2 / 3, 0.125, 0.75, 0.37, 0.11, 0.374);
prop(
  "sites: multiplicity × stabiliser = order; constraints hold and count the free parameters",
  [groupArb, special, special, special, fc.nat(9999)],
  (group, x, y, z, seed) => {
    const cell = cellFor(group.system);
    const site = siteSymmetry(group, cell, [x, y, z]);
    expect(site.multiplicity * site.stabiliser.length).toBe(group.ops.length);
    for (const op of site.stabiliser)
      applyOp(op, site.xyz).forEach((v, i) => {
        expect(v).toBeCloseTo(site.xyz[i]!, 9);
      });
    const position = positionConstraint(site);
    const p = site.xyz.map((v, i) => v - position.origin[i]!);
    for (const b of position.basis) {
      const lead = b.findIndex((v) => v !== 0),
        t = p[lead]!;
      b.forEach((v, i) => {
        p[i]! -= t * v;
      });
    }
    for (const v of p) expect(v).toBeCloseTo(0, 9);
    // Free displacement parameters = mean character of the symmetric square over the stabiliser.
    const g = rng(seed);
    const u = [0.02, 0.03, 0.025, 0.004, -0.003, 0.002].map((v) => v * (1 + g.uniform()));
    const adp = adpConstraint(site, cell);
    let characters = 0;
    for (const { rotation: w } of site.stabiliser) {
      const trace = w[0] + w[4] + w[8];
      const square = w[0] * w[0] + w[4] * w[4] + w[8] * w[8] + 2 * (w[1] * w[3] + w[2] * w[6] + w[5] * w[7]);
      characters += (trace * trace + square) / 2;
    }
    expect(adp.free).toBe(Math.round(characters / site.stabiliser.length));
    const s = symmetriseAdp(u, site, cell);
    for (const op of site.stabiliser)
      rotateAdp(s, op.rotation, cell).forEach((v, i) => {
        expect(v).toBeCloseTo(s[i]!, 12);
      });
    const rest = [...s];
    for (const b of adp.basis) {
      const t = rest[b.findIndex((v) => v !== 0)]!;
      b.forEach((v, i) => {
        rest[i]! -= t * v;
      });
    }
    for (const v of rest) expect(v).toBeCloseTo(0, 10);
    // All images have the same representative.
    const first = asuPosition(group, site.xyz).xyz;
    for (const q of site.positions)
      asuPosition(group, q).xyz.forEach((v, i) => {
        expect(v).toBeCloseTo(first[i]!, 6);
      });
  },
);

test.each([
  ["P 32 2 1", [0.4711, 0, 1 / 6], 3, "2", undefined, undefined],
  ["R -3 c:H", [0.257, 0, 0.25], 18, "2", "x,0,1/4", "U11,U22,U33,U22/2,U13,2U13"],
  ["R -3 c:H", [0, 0, 0.25], 6, "32", "0,0,1/4", "U11,U11,U33,U11/2,0,0"],
  ["P m -3 m", [0, 0.5, 0.5], 3, "4/mmm", "0,1/2,1/2", "U11,U22,U22,0,0,0"],
  ["I a -3 d", [0.125, 0, 0.25], 24, "222", "1/8,0,1/4", undefined],
  ["I a -3 d", [0, 0, 0], 16, "-3", "0,0,0", "U11,U11,U11,U12,U12,U12"],
  ["F d -3 m:2", [0.125, 0.125, 0.125], 8, "-43m", "1/8,1/8,1/8", "U11,U11,U11,0,0,0"],
  ["P 1 21/c 1", [0.5, 0, 0.5], 2, "-1", "1/2,0,1/2", "U11,U22,U33,U12,U13,U23"],
  ["P b n m", [0.5, 0.55, 0.75], 4, "m", "x,y,3/4", "U11,U22,U33,U12,0,0"],
] as const)("%s %j: %d × %s", (hm, xyz, multiplicity, name, position, adp) => {
  const group = spaceGroup(hm),
    cell = cellFor(group.system);
  const site = siteSymmetry(group, cell, xyz as Fractional);
  expect([site.multiplicity, site.pointGroup]).toEqual([multiplicity, name]);
  if (position) expect(positionConstraint(site).text).toBe(position);
  if (adp) expect(adpConstraint(site, cell).text).toBe(adp);
});
