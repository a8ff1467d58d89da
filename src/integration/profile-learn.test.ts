import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { learnProfiles, type SpotStamp } from "./profile-learn.js";
import { gaussianProfiles, profileImage } from "./profiles.js";

const radius = 12,
  edge = 2 * radius + 4,
  shells = Float64Array.of(100, 200);

/** A spot that leans to one side; its centroid is the origin. */
const shape = (u: number, v: number): number =>
  (0.8 * Math.exp(-((u + 0.25) ** 2 + v * v) / 4)) / (4 * Math.PI) + (0.2 * Math.exp(-((u - 1) ** 2 + v * v) / 6)) / (6 * Math.PI);

function spots(count: number, cell: (i: number) => number): SpotStamp[] {
  const r = rng("learn");
  return Array.from({ length: count }, (_, i) => {
    const x = 100 + r.uniform(),
      y = 200 + r.uniform(),
      corner = [100 - edge / 2, 200 - edge / 2] as const,
      intensity = 3000 + 20000 * r.uniform(),
      counts = new Float32Array(edge * edge),
      variance = new Float32Array(edge * edge);
    for (let m = 0; m < edge; m++)
      for (let k = 0; k < edge; k++) {
        const true_ = intensity * shape(corner[0] + k - x, corner[1] + m - y);
        variance[m * edge + k] = 4 + true_;
        counts[m * edge + k] = true_ + Math.sqrt(4 + true_) * r.normal();
      }
    return { cell: cell(i), size: edge, corner, counts, variance, x: x + 0.1 * r.normal(), y: y + 0.1 * r.normal(), intensity };
  });
}

test("a lopsided profile is learnt from strong spots at unknown sub-pixel places", () => {
  const start = gaussianProfiles(radius, 1.6, 3, shells),
    learnt = learnProfiles(
      spots(240, (i) => i % 4),
      start,
      1.6,
    );
  expect([...learnt.spots]).toEqual([60, 60, 60, 60, 0, 0]);
  for (let cell = 0; cell < 6; cell++) {
    const {
      data,
      shape: [m],
    } = profileImage(learnt, cell);
    for (let y = 0; y < m; y++)
      for (let x = 0; x < m; x++) {
        const [u, v] = [x - radius - 1, y - radius - 1];
        // A hundredth of the highest pixel (0.07).
        expect(Math.abs(data[y * m + x]! - shape(u, v)), `${cell}: ${u}, ${v}`).toBeLessThan(0.0007);
      }
  }
});

test("cut-outs of different sizes are refused by name", () => {
  const [a, b] = spots(2, () => 0) as [SpotStamp, SpotStamp];
  expect(() => learnProfiles([a, { ...b, size: edge + 2 }], gaussianProfiles(radius, 1.6), 1.6)).toThrow(
    expect.objectContaining({ code: "bad-shape" }),
  );
});
