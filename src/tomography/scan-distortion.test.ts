import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { distortionAt, scanDistortion, undistortImage, undistortSeries } from "./scan-distortion.js";
import { tiltSeries } from "./tilt-series.js";

const [ny, nx] = [180, 200];
const g1 = [0.11, 0.013] as const,
  g2 = [-0.017, 0.121] as const;
/** A lattice of columns, without distortion. */
const lattice = (x: number, y: number): number => {
  const p = 2 * Math.PI * (g1[0] * x + g1[1] * y),
    q = 2 * Math.PI * (g2[0] * x + g2[1] * y);
  return 10 + 3 * Math.cos(p) + 2.5 * Math.cos(q) + Math.cos(p + q + 0.4);
};
/** Up to 3 pixels, quadratic and cubic, no linear part at the centre. */
const truth = (x: number, y: number): readonly [number, number] => {
  const X = (2 * x) / (nx - 1) - 1,
    Y = (2 * y) / (ny - 1) - 1;
  return [1.6 * X * X - 0.7 * X * Y * Y + 0.5 * Y ** 3, -1.2 * X * Y + 0.9 * Y ** 3];
};
const scan = (u: typeof truth, noise: number, of = lattice) => {
  const random = rng(4),
    data = new Float32Array(nx * ny);
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const [a, b] = u(x, y);
      data[y * nx + x] = of(x - a, y - b) + noise * random.normal();
    }
  return { data, shape: [ny, nx] as const };
};
/** Largest and rms distance of a found displacement from the true one inside; a displacement of the whole image is nothing that a lattice tells. */
function miss(d: ReturnType<typeof scanDistortion>, u: typeof truth) {
  const off: [number, number][] = [];
  for (let y = 10; y < ny - 10; y += 5)
    for (let x = 10; x < nx - 10; x += 5) {
      const [a, b] = distortionAt(d, x, y),
        [p, q] = u(x, y);
      off.push([a - p, b - q]);
    }
  const mean = [0, 1].map((c) => off.reduce((s, v) => s + v[c as 0], 0) / off.length);
  const lengths = off.map(([a, b]) => Math.hypot(a - mean[0]!, b - mean[1]!));
  return { largest: Math.max(...lengths), rms: Math.sqrt(lengths.reduce((s, v) => s + v * v, 0) / lengths.length) };
}

test.each([
  [0, 0.02, 0.08],
  // Pixels as noisy as the waves are high: some hundredths of a pixel are what the number of pixels allows.
  [2, 0.07, 0.2],
])("a distortion of three pixels comes back, noise %d of waves of 3: rms below %d, largest below %d pixel", (noise, rms, largest) => {
  const d = scanDistortion(scan(truth, noise)),
    m = miss(d, truth);
  expect(m.rms).toBeLessThan(rms);
  expect(m.largest).toBeLessThan(largest);
});
test("with the lattice given, magnification and shear are corrected too", () => {
  const sheared = (x: number, y: number): readonly [number, number] => {
    const [a, b] = truth(x, y);
    return [a + 0.01 * (x - 100) - 0.006 * (y - 90), b + 0.008 * (y - 90)];
  };
  const image = scan(sheared, 1);
  expect(miss(scanDistortion(image, { lattice: [g1, g2] }), sheared).rms).toBeLessThan(0.05);
  expect(miss(scanDistortion(image), sheared).rms).toBeGreaterThan(0.3);
});
test("images and series are straightened; what was not recorded is masked", () => {
  const image = scan(truth, 0),
    d = scanDistortion(image),
    off = (data: Float32Array): number => {
      let sum = 0;
      for (let y = 20; y < ny - 20; y++) for (let x = 20; x < nx - 20; x++) sum += Math.abs(data[y * nx + x]! - lattice(x, y));
      return sum / ((ny - 40) * (nx - 40));
    };
  expect(off(undistortImage(image, d).data)).toBeLessThan(0.05 * off(image.data));
  const s = undistortSeries(tiltSeries(image.data, [1, ny, nx], Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1)), d);
  expect(off(s.projections)).toBeLessThan(0.05 * off(image.data));
  expect(s.mask!.reduce((n, v) => n + v, 0)).toBeGreaterThan(100);
});
test("no lattice, one set of lines, other sizes are named", () => {
  const random = rng(1);
  expect(() => scanDistortion({ data: Float32Array.from({ length: ny * nx }, () => random.normal()), shape: [ny, nx] })).toThrow(
    /zone axis/,
  );
  const lines = scan(
    () => [0, 0],
    0.1,
    (x, y) => Math.cos(2 * Math.PI * (g1[0] * x + g1[1] * y)),
  );
  expect(() => scanDistortion(lines)).toThrow(/zone axis/);
  expect(() => scanDistortion(lines, { lattice: [g1, [0.22, 0.026]] })).toThrow(/different directions/);
  const d = scanDistortion(scan(truth, 0));
  expect(() => undistortImage({ data: new Float32Array(64), shape: [8, 8] }, d)).toThrow(/another size/);
  expect(() => scanDistortion(lines, { order: 9 })).toThrow(/from 2 to 6/);
});
