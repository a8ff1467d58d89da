import { test } from "vitest";
import { checkKnownTruth } from "../testing/indexing-truth.js";

// Two of the five crystals are in indexing.test.ts.
test.each(["cubic", "hexagonal", "monoclinic"] as const)(
  "%s: axis to 0.05°, cell to a thousandth and 0.03°, frames to 0.03°",
  checkKnownTruth,
);
