import { expect, test } from "vitest";
import type { Map3 } from "../core/frames.js";
import { degrees } from "../geometry/rotation.js";
import { rotationVector } from "../geometry/rotation-forms.js";
import { readNpy } from "../io/npy.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { publishedAngles, publishedArray, rotationsLeft } from "../testing/tomography.js";
import { alignSeries } from "./align.js";
import { genfire } from "./genfire.js";
import { reverseAxes } from "./layout.js";
import { posesFromEuler, posesFromTilts } from "./poses.js";
import { removeBackground } from "./prepare.js";
import { registerVolumes } from "./register-volumes.js";
import { tiltSeries } from "./tilt-series.js";

/** Rms of what is left of known displacements along the axis y and across it, without what no data can tell: a constant, and x₀ cos θ − z₀ sin θ. */
function left(tilts: readonly number[], applied: Float64Array, given: readonly (readonly number[])[]) {
  const views = tilts.length,
    rest = (c: 0 | 1): number[] => tilts.map((_, p) => applied[2 * p + c]! + given[p]![c]!),
    dot = (u: readonly number[], v: readonly number[]): number => u.reduce((q, x, i) => q + x * v[i]!, 0);
  const y = rest(1),
    mean = y.reduce((q, v) => q + v / views, 0),
    x = rest(0),
    c = tilts.map((t) => Math.cos((t * Math.PI) / 180)),
    s = tilts.map((t) => Math.sin((t * Math.PI) / 180));
  const det = dot(c, c) * dot(s, s) - dot(c, s) ** 2,
    x0 = (dot(x, c) * dot(s, s) - dot(x, s) * dot(c, s)) / det,
    z0 = (dot(x, s) * dot(c, c) - dot(x, c) * dot(c, s)) / det,
    free = x.map((v, p) => v - x0 * c[p]! - z0 * s[p]!);
  return { across: Math.sqrt(dot(free, free) / views), along: Math.sqrt(y.reduce((q, v) => q + (v - mean) ** 2, 0) / views) };
}

const show = (v: readonly number[], digits = 2): string => v.map((x) => x.toFixed(digits)).join(", ");

describeData("displaced views of FePt", ["tomography/sim-fept-dev"], () => {
  test("1.6 px: 0.08 and 0.03 px without a volume, below 0.05 and 0.026 px after projection matching", async () => {
    const meta = JSON.parse(readDataText("tomography", "sim-fept-dev", "fept_dev_meta.json")) as Record<string, number[]>,
      given = meta.shift_px as unknown as number[][];
    const { data, shape } = await readNpy(readData("tomography", "sim-fept-dev", "fept_dev_misaligned_u16.npy"));
    const stack = reverseAxes(Float32Array.from(data as Uint16Array), shape as unknown as [number, number, number]);
    const tilts = Array.from(publishedAngles("sim-fept-dev/fept_dev_angles.txt").filter((_, i, all) => all.length === 41 || i % 3 === 1));
    const series = removeBackground(tiltSeries(stack.data, stack.shape, posesFromTilts(tilts)));
    const first = left(tilts, (await alignSeries(series, { matching: 0, workers: 1 })).shifts, given),
      second = left(tilts, (await alignSeries(series, { workers: 1 })).shifts, given);
    console.log(
      `displaced FePt, across and along: ${[first.across, first.along, second.across, second.along].map((v) => v.toFixed(4)).join(", ")} px`,
    );
    expect(first.across).toBeLessThan(0.08);
    expect(first.along).toBeLessThan(0.03);
    expect(second.across).toBeLessThan(0.05);
    expect(second.along).toBeLessThan(0.026);
    // Angles of noisy views: without atoms the errors of 0.20 to 0.30° are halved, no more.
    const cpu = process.cpuUsage(),
      turned = await alignSeries(series, { angleStepDeg: 0.5, workers: 1 }),
      { user, system } = process.cpuUsage(cpu),
      right = posesFromEuler(
        tilts.flatMap((t, p) => [meta.dphi![p]!, t + meta.dtheta![p]!, meta.dpsi![p]!]),
        "ZYX",
      ),
      [before, after] = [rotationsLeft(series.poses, right).rmsDeg, rotationsLeft(turned.series.poses, right).rmsDeg],
      third = left(tilts, turned.shifts, given);
    console.log(
      `angles of noisy FePt about x, y, z: ${show(before, 3)}° to ${show(after, 3)}° rms; across and along ${show([third.across, third.along], 4)} px; ${((user + system) / 1e6).toFixed(0)} CPU-s`,
    );
    after.forEach((v, k) => {
      expect(v).toBeLessThan(0.7 * before[k]!);
    });
  });
});

describeData("angle refinement set", ["tomography/angle-refinement"], () => {
  test("from nominal angles, 1.7° off: R_K, and the truth once the rotation that no view tells is taken out; both hands", async () => {
    const stack = await publishedArray("angle-refinement/projections.npy"),
      truth = await publishedArray("angle-refinement/truth_volume.npy"),
      poses = posesFromEuler(publishedAngles("angle-refinement/angles_nominal_ZYX.txt"), "ZYX"),
      right = posesFromEuler(publishedAngles("angle-refinement/angles_true_ZYX.txt"), "ZYX");
    const a = await alignSeries(tiltSeries(stack.data, stack.shape, poses), { angleStepDeg: 1.5, workers: 1 }),
      r = await genfire(a.series, { schedule: "all", iterations: 100, workers: 1 }),
      found = registerVolumes(r.volume, truth.data, r.shape, { mirror: true });
    // The rotation of the volume, seen from the poses: an object turned by Q has poses Q·R.
    const { common, rmsDeg } = rotationsLeft(a.series.poses, right),
      fromVolume = rotationVector(Array.from(found.rotation) as unknown as Map3).map((v) => -degrees(v)),
      fromPoses = rotationVector(common).map(degrees);
    console.log(
      `angle refinement, aligned: R_K ${r.figures.rkMagnitude!.toFixed(4)}; moved by ${show(a.displacement)} px; correlation ${found.before.toFixed(4)}, ` +
        `registered ${found.correlation.toFixed(4)} (turned by ${show(fromVolume)}°, by the poses ${show(fromPoses)}°; shift ${show(Array.from(found.shift))} px); ` +
        `rotations of the views about x, y, z: ${show(rmsDeg)}° rms`,
    );
    expect(r.figures.rkMagnitude!).toBeLessThan(0.07); // issue: 0.11; with the true angles 0.063
    expect(Math.max(...rmsDeg)).toBeLessThan(0.5);
    expect(Math.hypot(...a.displacement)).toBeLessThan(0.1);
    expect(found.mirrored).toBe(false);
    expect(found.before).toBeGreaterThan(0.95);
    expect(found.correlation).toBeGreaterThan(0.96);
    expect(Math.max(...Array.from(found.shift).map(Math.abs))).toBeLessThan(0.1);
    // Two ways to the same rotation: volume against volume, poses against poses.
    fromVolume.forEach((v, k) => {
      expect(Math.abs(v - fromPoses[k]!)).toBeLessThan(0.1);
    });
  });
});
