import { expect } from "vitest";
import { isSdkError } from "../core/errors.js";
import { fc, prop } from "../testing/prop.js";
import { parseAtomType } from "./elements.js";
import { opsFromHall } from "./hall.js";
import { spaceGroup, spaceGroupFromOps, spaceGroupTable } from "./space-groups.js";
import { identifySpaceGroup } from "./space-groups-identify.js";
import { parseOp } from "./symop.js";

/** The call returns, or throws an SdkError with a hint. */
function sound(body: () => unknown): void {
  try {
    body();
  } catch (e) {
    expect(isSdkError(e) && e.hint.length > 10, String(e)).toBe(true);
  }
}
const operator = fc
  .array(fc.constantFrom("x", "y", "z", "-", "+", ",", "1", "2", "/", ".", " ", "*", "3", "e", "'"), { maxLength: 24 })
  .map((a) => a.join(""));
const hall = fc
  .array(
    fc.constantFrom(
      "-",
      "P",
      "I",
      "F",
      "R",
      "2",
      "3",
      "4",
      "6",
      "1",
      "5",
      "x",
      "y",
      "z",
      "'",
      '"',
      "*",
      "a",
      "d",
      "w",
      " ",
      "(",
      ")",
      "0",
      ";",
    ),
    { maxLength: 18 },
  )
  .map((a) => a.join(""));
const lines = spaceGroupTable();
const damaged = fc
  .tuple(fc.nat(529), fc.nat(30), fc.constantFrom("", "-", "4", "(", "z", "\u0000"))
  .map(([i, at, by]) => lines[i]!.hall.slice(0, at) + by + lines[i]!.hall.slice(at + 1));

prop("text of operators", [operator], (t) => sound(() => parseOp(t)), { runs: 2000 });
prop(
  "Hall symbols, invented and damaged",
  [hall, damaged],
  (a, b) => {
    sound(() => opsFromHall(a));
    sound(() => opsFromHall(b));
  },
  { runs: 600 },
);
prop(
  "symbols of any kind",
  [fc.string({ maxLength: 30 }), damaged],
  (a, b) => {
    sound(() => spaceGroup(a));
    sound(() => spaceGroup(b));
    sound(() => parseAtomType(a));
  },
  { runs: 300 },
);
prop(
  "incomplete lists of operators",
  [fc.nat(529), fc.integer({ min: 1, max: 12 })],
  (i, n) => {
    const ops = opsFromHall(lines[i]!.hall).slice(0, n);
    sound(() => spaceGroupFromOps(ops));
    sound(() => identifySpaceGroup(ops));
  },
  { runs: 60 },
);
