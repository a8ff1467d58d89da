import { describe, expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import type { Image } from "../core/image.js";
import { rng } from "../core/rng.js";
import { jsSpotKernels } from "../kernels/js/spots.js";
import { arena } from "../kernels/memory.js";
import { wasmSpotKernels } from "../kernels/spots.js";
import { fc, prop } from "../testing/prop.js";
import { localBackground, radialMedian } from "./background.js";
import { centreDrift, centreFromDirectBeam, centreFromFriedelPairs } from "./centre.js";
import { findRings, iceSpacings } from "./ice.js";
import { binFrame, detectorMask, findBadPixels, insidePolygon, maskBits, withSaturation } from "./mask.js";
import { countVariance, estimateNoise, noiseModel } from "./noise.js";
import { findSpots } from "./spots.js";

/** A frame of Gaussian spots on a sloping halo, with the noise of the model: var = gain · mean + psi. */
function simulate(
  seed: number,
  spots: readonly { x: number; y: number; counts: number }[],
  shape: readonly [number, number],
  gain = 2,
  psi = 4,
): Image {
  const [ny, nx] = shape,
    mean = new Float64Array(ny * nx),
    random = rng(seed),
    s2 = 1.6 ** 2;
  for (let y = 0; y < ny; y++) for (let x = 0; x < nx; x++) mean[y * nx + x] = 5 + 4000 / (40 + Math.hypot(x - nx / 2, y - ny / 2));
  for (const p of spots)
    for (let y = Math.max(0, Math.floor(p.y) - 9); y <= Math.min(ny - 1, p.y + 10); y++)
      for (let x = Math.max(0, Math.floor(p.x) - 9); x <= Math.min(nx - 1, p.x + 10); x++)
        mean[y * nx + x]! += (p.counts / (2 * Math.PI * s2)) * Math.exp(-((x - p.x) ** 2 + (y - p.y) ** 2) / (2 * s2));
  return { data: Float32Array.from(mean, (m) => gain * random.poisson(m / gain) + Math.sqrt(psi) * random.normal()), shape };
}

describe("spots with known truth", () => {
  const random = rng("truth"),
    shape = [300, 320] as const;
  const truth = Array.from({ length: 80 }, (_, i) => ({
    x: 20 + 35 * (i % 9) + 6 * random.uniform(),
    y: 20 + 32 * Math.floor(i / 9) + 6 * random.uniform(),
    counts: 400 * 1.06 ** i,
  }));
  const frame = simulate(1, truth, shape),
    noise = noiseModel(2, 4);
  const table = findSpots(frame, { noise, diameter: 10 });

  test("all spots above the threshold, none besides", () => {
    let matched = 0;
    for (const t of truth) {
      let best = 9;
      for (let i = 0; i < table.size; i++) best = Math.min(best, Math.hypot(table.x[i]! - t.x, table.y[i]! - t.y));
      if (best < 1) matched++;
      else
        expect(t.counts / Math.sqrt(2 * t.counts + 78 * 4 + 78 * 2 * (5 + 4000 / (40 + Math.hypot(t.x - 160, t.y - 150))))).toBeLessThan(
          10,
        ); // the threshold of 7 and three standard deviations
    }
    expect(matched).toBeGreaterThan(70);
    expect(table.size - matched).toBeLessThanOrEqual(1);
  });

  test("positions and intensities agree within their errors", () => {
    const pulls: number[] = [];
    for (const t of truth)
      for (let i = 0; i < table.size; i++)
        if (Math.hypot(table.x[i]! - t.x, table.y[i]! - t.y) < 1) {
          pulls.push((table.intensity[i]! - t.counts) / table.sigma[i]!);
          expect(Math.hypot(table.x[i]! - t.x, table.y[i]! - t.y)).toBeLessThan(0.1 + 12 * (table.sigma[i]! / t.counts));
        }
    const mean = pulls.reduce((a, b) => a + b, 0) / pulls.length;
    const sd = Math.sqrt(pulls.reduce((a, b) => a + (b - mean) ** 2, 0) / pulls.length);
    expect(Math.abs(mean)).toBeLessThan(0.8);
    expect(sd).toBeGreaterThan(0.6);
    expect(sd).toBeLessThan(1.6);
  });

  test("both backends give the same bits", () => {
    const js = findSpots(frame, { noise, kernels: jsSpotKernels }),
      wasm = findSpots(frame, { noise, kernels: wasmSpotKernels(arena()) });
    expect(wasm).toEqual(js);
    expect(js.size).toBeGreaterThan(60);
  });

  test("a saturated spot is found and flagged", () => {
    const limit = 600,
      clipped = { ...frame, data: frame.data.map((v) => Math.min(v, limit)) };
    const t = findSpots(clipped, { noise, saturation: limit });
    const strongest = truth.at(-1)!;
    const k = Array.from(t.x).findIndex((x, i) => Math.hypot(x - strongest.x, t.y[i]! - strongest.y) < 1);
    expect(k).toBeGreaterThanOrEqual(0);
    expect(t.flagged[k]).toBe(1);
  });

  test("wrong calls are named", () => {
    const code = (f: () => unknown): unknown => {
      try {
        f();
        return undefined;
      } catch (e) {
        return isSdkError(e) ? e.code : e;
      }
    };
    expect(code(() => findSpots({ data: new Float32Array(5), shape: [2, 3] }, { noise }))).toBe("bad-shape");
    expect(code(() => findSpots(frame, { noise, diameter: 1 }))).toBe("out-of-range");
    expect(code(() => findSpots(frame, { noise, minRadius: 10 }))).toBe("bad-value");
    expect(code(() => noiseModel(0, 1))).toBe("out-of-range");
    expect(code(() => noiseModel(1, Number.NaN))).toBe("out-of-range");
  });
});

prop(
  "kernels agree on any size, mask and window",
  [fc.integer({ min: 5, max: 70 }), fc.integer({ min: 5, max: 70 }), fc.integer({ min: 1, max: 12 }), fc.integer()],
  (ny, nx, h, seed) => {
    const random = rng(seed),
      n = ny * nx;
    const data = Float32Array.from({ length: n }, () => random.poisson(random.uniform() < 0.03 ? 900 : 12));
    const mask = random.uniform() < 0.5 ? undefined : Uint8Array.from({ length: n }, () => (random.uniform() < 0.1 ? 4 : 0));
    const wasm = wasmSpotKernels(arena());
    const a = jsSpotKernels.background(data, mask, ny, nx, h, 3, 24.5, 12.25),
      b = wasm.background(data, mask, ny, nx, h, 3, 24.5, 12.25);
    expect(b).toEqual(a);
    expect(wasm.candidates(data, a.level, a.excluded, mask, ny, nx, 9, 2, 1)).toEqual(
      jsSpotKernels.candidates(data, a.level, a.excluded, mask, ny, nx, 9, 2, 1),
    );
  },
);

test("background of a flat frame is its mean, spots excluded", () => {
  const frame = simulate(3, [{ x: 25, y: 70, counts: 20_000 }], [100, 100]);
  const { level, excluded } = localBackground(frame, noiseModel(2, 4));
  const expected = 5 + 4000 / (40 + Math.hypot(25 - 50, 70 - 50));
  expect(excluded[70 * 100 + 25]).toBe(1);
  expect(Math.abs(level[70 * 100 + 25]! / expected - 1)).toBeLessThan(0.12);
});

test("noise: gain and psi come back from flat frames", () => {
  const est = estimateNoise([simulate(5, [], [400, 400], 3, 40), simulate(6, [], [400, 400], 3, 40)]);
  expect(est.status).toBe("fitted");
  expect(est.model.gain).toBeCloseTo(3, 0);
  expect(Math.abs(est.model.psi - 40)).toBeLessThan(15);
  expect(countVariance({ gain: 3, psi: 5 }, 100, 4)).toBe(320);
});

describe("masks", () => {
  test("saturation is tested before binning", () => {
    const frame: Image = { data: Float32Array.of(900, 1, 1, 1, 1, 1, 1, 1), shape: [2, 4] };
    const { frame: b, mask } = binFrame(frame, undefined, 2, 800);
    expect(Array.from(b.data)).toEqual([903, 4]);
    expect(Array.from(mask)).toEqual([maskBits.saturated, 0]);
  });
  test("polygon, bad pixels, seams", () => {
    const mask = detectorMask([10, 10], {
      polygons: [
        [
          [2, 2],
          [6, 2],
          [6, 6],
          [2, 6],
        ],
      ],
      badPixels: [[9, 0]],
      rows: [8],
    });
    expect(mask[4 * 10 + 4]).toBe(maskBits.beamStop);
    expect(mask[9]).toBe(maskBits.bad);
    expect(mask[83]).toBe(maskBits.bad);
    expect(
      insidePolygon(
        [
          [0, 0],
          [4, 0],
          [0, 4],
        ],
        3,
        3,
      ),
    ).toBe(false);
    expect(withSaturation({ data: Float32Array.of(1, 5), shape: [1, 2] }, 5)).toEqual(Uint8Array.of(0, maskBits.saturated));
  });
  test("hot and dead pixels of a summed series", () => {
    const random = rng(8),
      data = Float32Array.from({ length: 900 }, () => random.poisson(2000));
    data[15 * 30 + 15] = 90_000;
    data[4 * 30 + 7] = 0;
    expect(findBadPixels({ data, shape: [30, 30] })).toEqual([
      [7, 4],
      [15, 15],
    ]);
  });
});

describe("centre", () => {
  test("direct beam with a saturated top", () => {
    const frame = simulate(9, [{ x: 61.3, y: 57.8, counts: 400_000 }], [120, 120]);
    const c = centreFromDirectBeam({ ...frame, data: frame.data.map((v) => Math.min(v, 9000)) });
    expect(Math.hypot(c.x - 61.3, c.y - 57.8)).toBeLessThan(0.1);
  });
  test("Friedel pairs among as many strangers", () => {
    const random = rng(10),
      x: number[] = [],
      y: number[] = [],
      centre = [252.4, 260.7] as const;
    for (let i = 0; i < 30; i++) {
      const dx = 200 * (random.uniform() - 0.5),
        dy = 400 * (random.uniform() - 0.5),
        e = () => 0.2 * random.normal();
      x.push(centre[0] + dx + e(), centre[0] - dx + e(), 500 * random.uniform());
      y.push(centre[1] + dy + e(), centre[1] - dy + e(), 500 * random.uniform());
    }
    const c = centreFromFriedelPairs(
      { size: x.length, x: Float64Array.from(x), y: Float64Array.from(y), intensity: new Float64Array(x.length) },
      [256, 256],
    );
    expect(Math.hypot(c.x - centre[0], c.y - centre[1])).toBeLessThan(0.15);
    expect(c.count).toBeGreaterThanOrEqual(28);
  });
  test("nothing there gives method none, not a number", () => {
    const none = new Float64Array(0);
    expect(centreFromFriedelPairs({ size: 0, x: none, y: none, intensity: none }, [5, 5]).method).toBe("none");
  });
  test("drift bridges gaps and outliers", () => {
    const good = (x: number) => ({ x, y: 10, sigma: 0.1, count: 9, method: "friedel-pairs" as const });
    const estimates = Array.from({ length: 20 }, (_, i) => good(i === 7 ? 90 : i === 0 ? Number.NaN : 100 + 0.1 * i));
    const { x, interpolated } = centreDrift(estimates);
    expect(x[0]).toBeCloseTo(100.1, 10);
    expect(x[7]).toBeCloseTo(100.7, 1);
    expect(interpolated[0]).toBe(1);
  });
});

test("an ice ring is found at its spacing", () => {
  const shape = [400, 400] as const,
    perPixel = 0.003,
    d = iceSpacings[1]!,
    frame = simulate(12, [], shape);
  for (let y = 0; y < 400; y++)
    for (let x = 0; x < 400; x++) if (Math.abs(Math.hypot(x - 200, y - 200) - 1 / d / perPixel) < 1.2) frame.data[y * 400 + x]! += 30;
  const rings = findRings(radialMedian(frame, [200, 200]), perPixel);
  expect(rings.map((r) => r.iceSpacing)).toContain(d);
});
