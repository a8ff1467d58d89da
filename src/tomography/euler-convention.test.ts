import { expect, test } from "vitest";
import { writeNpy } from "../io/npy.js";
import { describeData, readData } from "../testing/data.js";
import { blobViews } from "../testing/tomography.js";
import { readSeriesAnyConvention } from "./euler-convention.js";
import { type PoseConvention, posesFromEuler } from "./poses.js";

const list = [
  [0, 0, 0, 5, 2],
  [4, -4, 6, 4, 1.8],
  [-6, 3, 2, 3, 1.5],
] as const;
const angles = (third: number) => Array.from({ length: 21 }, (_, i) => [3 - (i % 4), -70 + 7 * i, third * (i % 3)]).flat();
const text = (a: readonly number[]) => new TextEncoder().encode(a.map((v, i) => `${v}${i % 3 === 2 ? "\n" : " "}`).join(""));
const stack = (a: readonly number[], c: PoseConvention, shape: readonly [number, number] = [25, 28]) =>
  writeNpy(blobViews(posesFromEuler(a, c), shape, list), [21, ...shape]);

test("views made with either convention are told from the other", async () => {
  for (const convention of ["ZYX", "ZYZ"] as const) {
    const a = angles(6),
      found = await readSeriesAnyConvention(stack(a, convention), text(a), { workers: 1 });
    expect(found.convention).toBe(convention);
    expect(found.series.poses).toEqual(posesFromEuler(a, convention));
    expect(found.warnings.join()).toContain(`taken as ${convention}`);
  }
});

test("binned views keep their centre, a stated convention is not questioned, angles that are the same in both say nothing", async () => {
  const a = angles(6),
    wide = stack(a, "ZYZ", [40, 170]);
  expect((await readSeriesAnyConvention(wide, text(a), { workers: 1 })).convention).toBe("ZYZ");
  expect((await readSeriesAnyConvention(wide, text(a), { convention: "ZYX" })).warnings).toEqual([]);
  const same = angles(0);
  expect((await readSeriesAnyConvention(stack(same, "ZYZ"), text(same))).warnings).toEqual([]);
});

test("angles that hardly differ are taken as ZYX with a warning", async () => {
  const a = angles(0.01);
  const found = await readSeriesAnyConvention(stack(a, "ZYZ"), text(a), { workers: 1 });
  expect(found.convention).toBe("ZYX");
  expect(found.warnings.join()).toContain("state the convention");
});

describeData("published ZYX angles", ["tomography/angle-refinement"], () => {
  test("are found to be ZYX", async () => {
    const folder = "tomography/angle-refinement";
    const found = await readSeriesAnyConvention(readData(folder, "projections.npy"), readData(folder, "angles_true_ZYX.txt"), {
      workers: 1,
    });
    expect(found.convention).toBe("ZYX");
    expect(found.warnings.join()).toContain("taken as ZYX");
  }, 60_000);
});
