import { describe, expect, test } from "vitest";
import { compose, inverse, type Map3, transpose } from "../core/frames.js";
import { rng } from "../core/rng.js";
import { unitCell } from "../geometry/cell.js";
import { beam, detector, type FrameGeometry, type Instrument, noDistortion, petsRotation } from "../geometry/index.js";
import { metricTensor, reciprocalBasis, transformMetric, transformUB } from "../geometry/metric.js";
import { rotationAbout } from "../geometry/rotation.js";
import { randomRotation, rotationAngle } from "../geometry/rotation-forms.js";
import { fc, prop } from "../testing/prop.js";
import type { Orientation } from "./index-lattice.js";
import { peakTable } from "./peak-table.js";
import { peaks3d } from "./peaks3d.js";
import { latticeShares } from "./twins.js";
import { misorientation } from "./twins-law.js";
import { settingsLike } from "./twins-setting.js";
import { overlapTest, ownSpots, selectOwn } from "./twins-spots.js";

const glycine = unitCell(5.1054, 11.9688, 5.4645, 90, 111.697, 90);
const ubOf = (seed: number): Orientation =>
  compose(randomRotation<"sample", "crystal">(rng("twins").fork(seed)), reciprocalBasis(glycine)) as Orientation;

describe("misorientation", () => {
  prop(
    "a twofold axis along a row is found whatever axes the second lattice is described on",
    [fc.integer({ min: 0, max: 999 })],
    (seed) => {
      const ub = ubOf(seed),
        b = reciprocalBasis(glycine);
      // a is perpendicular to b* and c*
      const cross = [b[4] * b[8] - b[7] * b[5], b[7] * b[2] - b[1] * b[8], b[1] * b[5] - b[4] * b[2]] as const;
      const u = compose(ub, inverse(b) as Map3<"hkl", "crystal">) as Map3<"sample", "crystal">;
      const law = compose(compose(u, rotationAbout<"crystal", "crystal">(cross, Math.PI)), transpose(u) as Map3<"crystal", "sample">);
      const turned = transformUB(compose(law, ub) as Orientation, [-1, 0, 0, 0, 1, 0, 0, 0, -1]) as Orientation; // 2 along b: the same lattice
      const found = misorientation(ub, turned)!;
      expect(found.angleDeg).toBeCloseTo(180, 4);
      expect(found.row.map(Math.abs)).toEqual([1, 0, 0]);
      expect(found.rowOffDeg).toBeLessThan(1e-3);
      expect((rotationAngle(compose(found.rotation, transpose(law) as Map3<"sample", "sample">)) * 180) / Math.PI).toBeLessThan(1e-3);
    },
  );
  test("a small turn keeps its size, another cell has no misorientation", () => {
    const ub = ubOf(1),
      t = rotationAbout<"sample", "sample">([0.3, -0.5, 0.8], (7 * Math.PI) / 180);
    expect(misorientation(ub, compose(t, ub) as Orientation)!.angleDeg).toBeCloseTo(7, 6);
    const quartz = compose(randomRotation<"sample", "crystal">(rng("q")), reciprocalBasis(unitCell(4.91, 4.91, 5.4, 90, 90, 120)));
    expect(misorientation(ub, quartz as Orientation)).toBeUndefined();
  });
});

describe("settings of a cell", () => {
  test("a cubic cell has the 24 rotations of its holohedry, a triclinic one none but itself", () => {
    const cubic = metricTensor(unitCell(5, 5, 5, 90, 90, 90));
    const all = settingsLike(cubic, cubic);
    expect(all).toHaveLength(24);
    expect(all[0]!.basis).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    const albite = metricTensor(unitCell(7.13, 7.38, 7.64, 115.17, 107.2, 100.6));
    expect(settingsLike(albite, albite)).toHaveLength(1);
  });
  test("permuted axes and the other monoclinic angle are found", () => {
    const g = metricTensor(glycine);
    for (const p of [
      [0, 0, 1, 1, 0, 0, 0, 1, 0],
      [1, 0, 1, 0, 1, 0, 0, 0, 1],
    ] as const) {
      const s = settingsLike(g, transformMetric(g, p))[0]!;
      expect(s.error).toBeLessThan(1e-9);
      const back = transformMetric(g, s.basis),
        want = transformMetric(g, p);
      back.forEach((v, i) => {
        expect(v).toBeCloseTo(want[i as 0]!, 8);
      });
    }
    expect(settingsLike(g, metricTensor(unitCell(5.3, 11.9688, 5.4645, 90, 111.697, 90)))).toHaveLength(0);
  });
});

describe("spots of one lattice alone", () => {
  const instrument: Instrument = {
    beam: beam(200),
    detector: detector({ nx: 512, ny: 512, invAngstromPerPixel: 0.0053, centrePx: [255.5, 255.5] }),
    distortion: noDistortion,
    exposure: { kind: "continuous", halfWidthDeg: 0.25 },
  };
  const frames: FrameGeometry[] = Array.from({ length: 80 }, (_, i) => ({ alphaDeg: i / 2 - 20, betaDeg: 0, omegaDeg: 35 }));
  const first = ubOf(3),
    second = compose(rotationAbout<"sample", "sample">([0.2, 0.9, 0.4], 0.5), first) as Orientation;
  // Every lattice point of both individuals on each frame, where it is excited; the owner of a spot is known.
  const rows: number[][] = [];
  for (const [owner, ub] of [first, second].entries())
    frames.forEach((f, frame) => {
      const r = petsRotation(f.alphaDeg, f.betaDeg, f.omegaDeg);
      for (let h = -5; h <= 5; h++)
        for (let k = -12; k <= 12; k++)
          for (let l = -5; l <= 5; l++) {
            const g = compose(r, ub);
            const x = g[0] * h + g[1] * k + g[2] * l,
              y = g[3] * h + g[4] * k + g[5] * l,
              z = g[6] * h + g[7] * k + g[8] * l,
              q = Math.hypot(x, y, z);
            const s = z - (x * x + y * y) / (2 * instrument.beam.k);
            if (q > 1 || q === 0 || Math.abs(s) > 0.002 + 0.004 * q) continue;
            rows.push([frame, 255.5 + x / 0.0053, 255.5 - y / 0.0053, 100 * Math.exp(-((s / 0.003) ** 2)) + 1, f.alphaDeg, owner]);
          }
    });
  const peaks = peakTable({
    frame: rows.map((r) => r[0]!),
    px: rows.map((r) => r[1]!),
    py: rows.map((r) => r[2]!),
    intensity: rows.map((r) => r[3]!),
    alphaDeg: rows.map((r) => r[4]!),
  });
  test("no spot goes to the wrong individual, none that another reflection lies beside is kept, most of the rest is", () => {
    for (const k of [0, 1]) {
      const own = ownSpots(peaks, [first, second][k]!, [[first, second][1 - k]!], instrument, frames);
      let kept = 0,
        foreign = 0,
        all = 0,
        beside = 0;
      rows.forEach((r, i) => {
        if (r[5] === k) all++;
        if (!own[i]) return;
        kept++;
        if (r[5] !== k) foreign++;
        if (rows.some((o) => o[5] !== k && o[0] === r[0] && Math.hypot(o[1]! - r[1]!, o[2]! - r[2]!) < 5)) beside++;
      });
      expect(foreign).toBe(0);
      expect(beside).toBe(0);
      expect(kept).toBeGreaterThan(0.6 * all);
    }
  });
  test("the selection keeps maxima whole, with the numbers of their spots", () => {
    const own = ownSpots(peaks, first, [second], instrument, frames),
      maxima = peaks3d(peaks),
      part = selectOwn(peaks, maxima, own);
    expect(part.maxima.size).toBeGreaterThan(30);
    part.maxima.member.forEach((m, i) => {
      if (m < 0) return;
      expect(Math.hypot(part.maxima.px[m]! - part.peaks.px[i]!, part.maxima.py[m]! - part.peaks.py[i]!)).toBeLessThan(15);
      expect(Math.abs(part.maxima.frame[m]! - part.peaks.frame[i]!)).toBeLessThan(30);
    });
  });
  test("coinciding lattices do not disturb each other", () => {
    const test = overlapTest([first], instrument, frames);
    expect(test(10, first[0] + first[1], first[3] + first[4], first[6] + first[7])).toBe(false);
  });
  test("shares: vectors of one lattice are its own", () => {
    const r = Float64Array.from([1, 2, 3, 4, 5, 6].flatMap((k) => [0, 3, 6].map((i) => first[i as 0] * k + first[(i + 1) as 1])));
    const [a, b] = latticeShares(r, [first, second], 0.005);
    expect(a).toMatchObject({ explained: 6, own: 6 });
    expect(b!.explained).toBe(0);
  });
});
