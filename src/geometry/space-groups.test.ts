import { expect, test } from "vitest";
import { describeData, readDataText } from "../testing/data.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { epsilonFactor, isAbsent, isCentric, reflectionConditions } from "./extinctions.js";
import { opsFromHall } from "./hall.js";
import type { Hkl } from "./metric.js";
import {
  enantiomorph,
  spaceGroup,
  spaceGroupByHallNumber,
  spaceGroupByNumber,
  spaceGroupFromHall,
  spaceGroupFromOps,
  spaceGroupTable,
} from "./space-groups.js";
import { applyOp, applyOpToHkl, formatOp, inverseOp, multiplyOps, opKey, parseOp } from "./symop.js";

/** CRC-32 (polynomial 0xEDB88320), as zlib computes it. */
function crc32(text: string): number {
  let c = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    c ^= text.charCodeAt(i);
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return (c ^ 0xffffffff) >>> 0;
}
const reflections: Hkl[] = [];
for (let h = -3; h <= 3; h++) for (let k = -3; k <= 3; k++) for (let l = -6; l <= 6; l++) reflections.push([h, k, l]);
const all = spaceGroupTable().map((line) => spaceGroupByHallNumber(line.hallNumber));

test("all 530: operators, absences, epsilon factors and centric flags are gemmi's", () => {
  const { rows } = readGolden<readonly number[]>("space-groups-530");
  const bytes = (s: readonly string[]): string => [...s].sort((p, q) => (p < q ? -1 : 1)).join("|");
  const wrong = all.filter((g, i) => {
    const ours = [
      g.ops.length,
      crc32(bytes(g.ops.map(opKey))),
      crc32(reflections.map((h) => (isAbsent(g, h) ? "1" : "0")).join("")),
      crc32(reflections.map((h) => epsilonFactor(g, h)).join()),
      crc32(reflections.map((h) => (isCentric(g, h) ? "1" : "0")).join("")),
    ];
    return ours.some((x, k) => x !== rows[i]![k]);
  });
  expect(all.length).toBe(530);
  expect(wrong.map((g) => g.hall)).toEqual([]);
});

describeData("the table of settings", ["tables/space-groups/hall-symbols.json"], () => {
  test("all 530: centring, class, Laue group, system and flags follow from the operators as tabulated", () => {
    const { entries } = JSON.parse(readDataText("tables/space-groups/hall-symbols.json")) as { entries: Record<string, unknown>[] };
    const ours = all.map((g) => [
      g.number,
      g.ops.length,
      g.primitiveOrder,
      g.centring,
      g.pointGroup,
      g.laueGroup,
      g.system,
      g.centrosymmetric,
      g.originAtInversion,
      g.chiral,
    ]);
    const theirs = entries.map((e) => [
      e.number,
      e.nOps,
      e.nPrimitiveOps,
      e.centring,
      e.pointGroup,
      e.laueGroup,
      String(e.crystalSystem).toLowerCase(),
      e.centrosymmetric,
      e.originAtInversion,
      e.chiral,
    ]);
    expect(ours).toEqual(theirs);
  });
});

test("all 530: the printed reflection conditions are exactly the absences", () => {
  const on = (zone: string, [h, k, l]: Hkl): boolean =>
    ({
      hkl: true,
      "0kl": h === 0,
      h0l: k === 0,
      hk0: l === 0,
      hhl: h === k,
      hkk: k === l,
      hkh: h === l,
      "h-hl": h === -k,
      h00: !k && !l,
      "0k0": !h && !l,
      "00l": !h && !k,
      hh0: h === k && !l,
      hhh: h === k && k === l,
    })[zone]!;
  const few = reflections.filter(([h, k]) => Math.abs(h) < 3 && Math.abs(k) < 3);
  const wrong: string[] = [];
  for (const g of all) {
    const conditions = reflectionConditions(g);
    // Each class is printed once, with one index order; its images under the group carry the others.
    for (const h of few) {
      const stars = g.ops.slice(0, g.primitiveOrder).map((op) => applyOpToHkl(op, h));
      const breaks = stars.some((q) =>
        conditions.some(
          (c) => on(c.zone, q) && (c.coefficients[0] * q[0] + c.coefficients[1] * q[1] + c.coefficients[2] * q[2]) % c.modulus !== 0,
        ),
      );
      if (breaks !== isAbsent(g, h)) {
        wrong.push(`${g.hm} ${h.join(" ")}`);
        break;
      }
    }
  }
  expect(wrong).toEqual([]);
});

test.each([
  ["P 21 21 21", 19],
  ["P212121", 19],
  ["P-1", 2],
  ["P 21/n", 14],
  ["P2(1)/c", 14],
  ["P 1 21/c 1", 14],
  ["R -3 c:H", 167],
  ["R-3c", 167],
  ["R 3 c H", 161],
  ["Fm3m", 225],
  ["F d d 2", 43],
  ["P b n m", 62],
  ["P3221", 154],
  ["C2/c", 15],
  ["Cmce", 64],
  ["Fd-3m:1", 227],
  ["P -4 21 m", 113],
  ["-P 2yn", 14],
  ["P 63/m m c", 194],
  ["I a -3 d", 230],
  ["62", 62],
])("%s is number %d", (symbol, number) => {
  expect(spaceGroup(symbol).number).toBe(number);
});
test("setting details: cell choice, origin and axes", () => {
  expect(spaceGroup("P21/n").hall).toBe("-P 2yn");
  expect(spaceGroup("R3c").ops.length).toBe(18);
  expect(spaceGroup("R3c:R").ops.length).toBe(6);
  expect(spaceGroup("Fd-3m").originAtInversion).toBe(true);
  expect(spaceGroup("Fd-3m:1").originAtInversion).toBe(false);
  expect(() => spaceGroup("P 5 2 2")).toThrow(/not-found/);
  expect(() => spaceGroup("")).toThrow(/not-found/);
});
test("JANA writes Hall symbols of its own", () => {
  expect(spaceGroupFromHall("-P -2xab;-2yabc;-2zc").hm).toBe("P b n m");
  expect(spaceGroupFromHall("F -2xuvw;-2yuvw;2z").hm).toBe("F d d 2");
  expect(spaceGroupFromHall("-I 4bd;2ab;3").hm).toBe("I a -3 d");
  expect(() => opsFromHall("P 2y (0 0")).toThrow(/bad-file/);
  expect(() => opsFromHall("Q 2")).toThrow(/bad-file/);
});
test("every tabulated setting is found again from its shuffled operators", () => {
  for (const g of all.filter((_, i) => i % 7 === 0)) {
    const found = spaceGroupFromOps([...g.ops].reverse());
    expect([found.number, found.centring, found.ops.length]).toEqual([g.number, g.centring, g.ops.length]);
  }
});
test("a list with one wrong operator is refused", () => {
  expect(() => spaceGroupFromOps(["x,y,z", "-x,-y,z+1/2", "x,-y,z"].map(parseOp))).toThrow(/bad-file/);
});
test("65 Sohncke types, 92 centrosymmetric, 68 polar, 11 enantiomorph pairs", () => {
  const numbers = Array.from({ length: 230 }, (_, i) => spaceGroupByNumber(i + 1));
  expect(numbers.filter((g) => g.chiral).length).toBe(65);
  expect(numbers.filter((g) => g.centrosymmetric).length).toBe(92);
  expect(numbers.filter((g) => g.polar).length).toBe(68);
  expect(numbers.filter((g) => enantiomorph(g.number) !== g.number).length).toBe(22);
  for (const g of numbers) expect(enantiomorph(enantiomorph(g.number))).toBe(g.number);
  // The inverted operators of one are the other.
  const p31 = spaceGroup("P 31 2 1");
  const inverted = spaceGroupFromOps(
    p31.ops.map((op) => ({ rotation: op.rotation, shift: op.shift.map((x) => -x) as unknown as typeof op.shift })),
  );
  expect(inverted.number).toBe(enantiomorph(p31.number));
});

test("operators as files write them", () => {
  expect(formatOp(parseOp("-X+1/2, Y , 1/2-z"))).toBe("-x+1/2,y,-z+1/2");
  expect(formatOp(parseOp("'x-y,x,z+0.166667'"))).toBe("x-y,x,z+1/6");
  expect(formatOp(parseOp("1/4+y,-1/4+x,-3/4-z"))).toBe("y+1/4,x-1/4,-z-3/4");
  for (const bad of ["x,y", "x,y,q", "x,y,x", "", "x,,z", "x,y,z+1/7", "x,y,z,+1"])
    expect(() => parseOp(bad)).toThrow(/bad-file|unsupported/);
});
const opArb = fc.tuple(fc.integer({ min: 0, max: 529 }), fc.nat(191)).map(([g, i]) => all[g]!.ops[i % all[g]!.ops.length]!);
prop("operators: text round trip, inverse, and h·(Wx + w) = (hW)·x + h·w", [opArb, opArb], (a, b) => {
  expect(opKey(parseOp(formatOp(a)))).toBe(opKey(a));
  expect(opKey(multiplyOps(a, inverseOp(a)))).toBe("1,0,0,0,1,0,0,0,1;0,0,0");
  const x = [0.13, -0.4, 0.71] as const;
  const h: Hkl = [b.shift[0] - 7, 3, b.shift[1] - 2];
  const y = applyOp(a, x),
    q = applyOpToHkl(a, h);
  const left = h[0] * y[0] + h[1] * y[1] + h[2] * y[2];
  const right = q[0] * x[0] + q[1] * x[1] + q[2] * x[2] + (h[0] * a.shift[0] + h[1] * a.shift[1] + h[2] * a.shift[2]) / 24;
  expect(left).toBeCloseTo(right, 10);
});
test("a list whose translations do not close is refused, though its rotations do", () => {
  expect(() => spaceGroupFromOps(["x,y,z", "-x,-y,-z", "-x,y+1/3,-z", "x,-y,z"].map(parseOp))).toThrow(/missing or wrong/);
});
