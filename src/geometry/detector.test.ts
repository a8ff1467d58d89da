import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { cameraDistanceMm, detector, invAngstromPerPixel } from "./detector.js";
import { type Panel, panelDistanceMm, panelPixel, panelPoint } from "./detector-panel.js";

test("sizes in the wrong unit are named with the cure", () => {
  expect(() => detector({ nx: 512, ny: 512, invAngstromPerPixel: 0.5 })).toThrow(/nm⁻¹ \(divide by 10\)/);
  expect(() => detector({ nx: 512, ny: 512, invAngstromPerPixel: 2.8e-6 })).toThrow(/invAngstromPerPixel\(distance/);
  expect(() => detector({ nx: 512, ny: 512, invAngstromPerPixel: Number.NaN })).toThrow(/out-of-range/);
  expect(() => detector({ nx: 512.5, ny: 512, invAngstromPerPixel: 0.005 })).toThrow(/bad-shape/);
  expect(() => invAngstromPerPixel(0, 0.055, 0.025)).toThrow(/out-of-range/);
});

test("the middle of the image is the default centre; the camera length of a real project", () => {
  expect(detector({ nx: 5, ny: 8, invAngstromPerPixel: 0.01 }).centrePx).toEqual([2, 3.5]);
  // quartz of the DIALS data: 280 mm, 0.026 mm, 0.02508 Å
  expect(invAngstromPerPixel(280, 0.026, 0.02508)).toBeCloseTo(0.0037024, 7);
  expect(cameraDistanceMm(invAngstromPerPixel(280, 0.026, 0.02508), 0.026, 0.02508)).toBeCloseTo(280, 10);
  expect(String(detector({ nx: 5, ny: 8, invAngstromPerPixel: 0.01 }))).toBe("Detector(5×8, 0.01 Å⁻¹/px, centre 2 3.5, linear)");
});

const unit = fc.double({ min: -0.2, max: 0.2, noNaN: true });
prop(
  "a ray to a point of a tilted panel meets it there",
  [unit, unit, fc.double({ min: 0, max: 1000, noNaN: true }), fc.double({ min: 0, max: 1000, noNaN: true })],
  (a, b, x, y) => {
    const norm = (v: readonly [number, number, number]) =>
      v.map((c) => c / Math.hypot(...v)) as unknown as readonly [number, number, number];
    const panel: Panel = {
      origin: [-13, 14, -280],
      fast: norm([1, a * 0.1, a]),
      slow: norm([b * 0.1, -1, b]),
      pixelMm: [0.026, 0.027],
      size: [1024, 1024],
    };
    const [px, py] = panelPixel(panel, panelPoint(panel, [x, y]));
    expect(px).toBeCloseTo(x, 7);
    expect(py).toBeCloseTo(y, 7);
    expect(panelDistanceMm(panel)).toBeGreaterThan(200);
  },
);

test("a ray away from the panel gives NaN, a degenerate panel an error", () => {
  const panel: Panel = { origin: [-1, 1, -100], fast: [1, 0, 0], slow: [0, -1, 0], pixelMm: [0.1, 0.1], size: [20, 20] };
  expect(panelPixel(panel, [0, 0, 1])[0]).toBeNaN();
  const [x, y] = panelPixel(panel, [0, 0, -3]);
  expect([x, y]).toEqual([10, 10]);
  expect(() => panelDistanceMm({ ...panel, slow: [1, 0, 0] })).toThrow(/bad-value/);
});
