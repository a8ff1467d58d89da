import { expect, test } from "vitest";
import { SdkError } from "../core/errors.js";
import { bravaisCandidates } from "../geometry/bravais.js";
import { cellParameters, unitCell } from "../geometry/cell.js";
import { type Mat3, transformCell } from "../geometry/metric.js";
import { fc, prop } from "../testing/prop.js";
import { candidateOfCell } from "./match-cell.js";

const fHalf: Mat3 = [0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0],
  iHalf: Mat3 = [-0.5, 0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5];
const near = (a: readonly number[], b: readonly number[], scale: number): void => {
  a.forEach((v, i) => {
    expect(Math.abs(v - b[i]! * (i < 3 ? scale : 1))).toBeLessThan(i < 3 ? 0.06 : 0.6);
  });
};

prop(
  "the known cell chooses type and axes whatever the magnification and a small strain",
  [fc.double({ min: 0.96, max: 1.04, noNaN: true }), fc.double({ min: -0.003, max: 0.003, noNaN: true })],
  (scale, strain) => {
    const found = (a: number, b: number, c: number): ReturnType<typeof unitCell> =>
      unitCell(a * scale * (1 + strain), b * scale, c * scale * (1 - strain), 90, 90 + 50 * strain, 90);
    const natrolite = unitCell(18.2682, 18.6357, 6.6142, 90, 90, 90); // the search would list the short axis first
    const oF = candidateOfCell(bravaisCandidates(transformCell(found(18.2682, 18.6357, 6.6142), fHalf)), natrolite);
    expect(oF.bravais).toBe("oF");
    near(cellParameters(oF.measured), cellParameters(natrolite), scale);
    const luag = unitCell(11.9104, 11.9104, 11.9104, 90, 90, 90);
    const cI = candidateOfCell(bravaisCandidates(transformCell(found(11.9104, 11.9104, 11.9104), iHalf)), luag);
    expect(cI.bravais).toBe("cI");
    near(cellParameters(cI.measured), cellParameters(luag), scale);
  },
);

test("the other choice of monoclinic axes is followed, with its basis", () => {
  const primitive = unitCell(5.1054, 11.9688, 5.4645, 90, 111.697, 90);
  const other = transformCell(primitive, [1, 0, 1, 0, 1, 0, 0, 0, 1]); // c' = a + c
  const c = candidateOfCell(bravaisCandidates(primitive), other);
  expect(c.bravais).toBe("mP");
  near(cellParameters(c.measured), cellParameters(other), 1);
});

test("a cell that is not that of the spots is refused and both are named", () => {
  const quartz = bravaisCandidates(unitCell(4.9137, 4.9137, 5.4047, 90, 90, 120));
  for (const wrong of [unitCell(5.1, 11.97, 5.46, 90, 111.7, 90), unitCell(4.9137, 4.9137, 6.1, 90, 90, 120)]) {
    try {
      candidateOfCell(quartz, wrong);
      expect.unreachable();
    } catch (e) {
      expect(e).toBeInstanceOf(SdkError);
      expect((e as SdkError).code).toBe("bad-cell");
      expect(String((e as SdkError).message)).toContain("known cell");
    }
  }
});
