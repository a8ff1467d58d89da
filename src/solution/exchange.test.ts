import { expect, test } from "vitest";
import { structure } from "../geometry/structure.js";
import { publishedCrystals } from "../testing/published-crystals.js";
import { exchanges } from "./exchange.js";

test("calcium and titanium are told by their distances to oxygen, either way round", () => {
  const [, truth] = publishedCrystals.perovskite;
  const [ca, ti, ...oxygen] = truth.atoms;
  const swapped = structure(truth.cell, truth.spaceGroup, [{ ...ca!, xyz: ti!.xyz }, { ...ti!, xyz: ca!.xyz }, ...oxygen]);
  expect(exchanges(truth)).toEqual([]);
  expect(exchanges(swapped)).toEqual([{ i: 1, j: 0, atMost: 1.1 }]);
});
