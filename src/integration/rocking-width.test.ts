import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { camel, rockingWidth } from "../geometry/rocking.js";
import { parseCml } from "../io/index.js";
import { leastSquares } from "../numerics/index.js";
import { describeData, readData } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { fitRockingWidth } from "./rocking-width.js";
import { rockingProfile, rockingProfileGradient } from "./rocking-width-profile.js";

const s = fc.double({ min: -0.02, max: 0.02, noNaN: true }),
  sigma = fc.double({ min: 5e-4, max: 0.01, noNaN: true }),
  sweep = fc.double({ min: 0, max: 0.02, noNaN: true });

prop("the profile is the mean of the Gaussian over the sweep", [s, sigma, sweep], (x, w, d) => {
  const gauss = (u: number): number => Math.exp(-0.5 * (u / w) ** 2) / (w * Math.sqrt(2 * Math.PI));
  const n = 400;
  let sum = 0;
  for (let k = 0; k <= n; k++) sum += gauss(x - d + (2 * d * k) / n) * (k === 0 || k === n ? 1 : k % 2 ? 4 : 2); // Simpson
  const mean = d === 0 ? gauss(x) : sum / (3 * n);
  expect(Math.abs(rockingProfile(x, w, d) - mean)).toBeLessThan(2e-5 * (1 / w));
});

prop("its gradient is that of differences", [s, sigma, sweep], (x, w, d) => {
  const h = 1e-6 * w;
  const [ds, dw] = rockingProfileGradient(x, w, d);
  expect(Math.abs(ds - (rockingProfile(x + h, w, d) - rockingProfile(x - h, w, d)) / (2 * h))).toBeLessThan(1e-4 / (w * w));
  expect(Math.abs(dw - (rockingProfile(x, w + h, d) - rockingProfile(x, w - h, d)) / (2 * h))).toBeLessThan(1e-4 / (w * w));
});

prop("the profile of precession is the camel, and its gradient that of differences", [s, sigma, sweep], (x, w, d) => {
  expect(Math.abs(rockingProfile(x, w, d, "precession") - camel(x, d, w))).toBeLessThan(d < 1e-3 * w ? 1e-6 / w : 1e-10 / w);
  const h = 1e-4 * w;
  const [ds, dw] = rockingProfileGradient(x, w, d, "precession");
  const by = (u: number, v: number): number => rockingProfile(u, v, d < 2e-3 * w ? 0 : d, "precession");
  expect(Math.abs(ds - (by(x + h, w) - by(x - h, w)) / (2 * h))).toBeLessThan(1e-5 / (w * w));
  expect(Math.abs(dw - (by(x, w + h) - by(x, w - h)) / (2 * h))).toBeLessThan(1e-5 / (w * w));
});

test("width and mosaicity come back from noisy curves, with honest uncertainties", () => {
  const truth = { rcWidth: 0.0014, mosaicityDeg: 0.21 };
  const z: number[] = [];
  for (let trial = 0; trial < 6; trial++) {
    const r = rng("rocking").fork(trial);
    const rows: number[][] = [];
    for (let group = 0; group < 150; group++) {
      const g = 0.2 + 1.2 * r.uniform(),
        d = g * 0.003 * r.uniform(),
        width = rockingWidth(truth, g),
        full = 3 * (0.1 - Math.log(1 - r.uniform())),
        offset = r.uniform() - 0.5;
      for (let k = -4; k <= 4; k++) {
        const x = (k + offset) * 0.9 * width,
          mean = full * rockingProfile(x, width, d),
          sd = 8 + 0.03 * mean;
        rows.push([x, d, g, mean + sd * r.normal(), sd, group]);
      }
    }
    const c = (j: number): Float64Array => Float64Array.from(rows, (v) => v[j]!);
    const fit = fitRockingWidth(
      {
        size: rows.length,
        s: c(0),
        sweep: c(1),
        g: c(2),
        intensity: c(3),
        sigma: c(4),
        group: Int32Array.from(rows, (v) => v[5]!),
        groups: 150,
      },
      { modelError: 0 },
    );
    expect(fit.status).toBe("converged");
    expect(Math.abs(fit.rcWidth / truth.rcWidth - 1)).toBeLessThan(0.06);
    expect(Math.abs(fit.mosaicityDeg / truth.mosaicityDeg - 1)).toBeLessThan(0.05);
    z.push((fit.rcWidth - truth.rcWidth) / fit.rcWidthSigma, (fit.mosaicityDeg - truth.mosaicityDeg) / fit.mosaicitySigmaDeg);
  }
  const spread = Math.sqrt(z.reduce((a, b) => a + b * b, 0) / z.length);
  expect(spread).toBeGreaterThan(0.4);
  expect(spread).toBeLessThan(2);
});

describeData("glycine rocking curves of PETS2", ["3ded/glycine_pets/glycine.cml"], () => {
  test("the fitted curves have σ(g) = RC width + g·mosaicity, the law used here", () => {
    const c = parseCml(readData("3ded/glycine_pets/glycine.cml")).value;
    const widths: number[][] = [];
    for (const g of new Set(c.g)) {
      const rows = Array.from(c.g.keys()).filter((i) => c.g[i] === g && c.fitted[i]! > 0);
      const top = Math.max(...rows.map((i) => c.fitted[i]!));
      const fit = leastSquares({
        count: rows.length,
        start: [top, -0.0007, 0.001 + 0.004 * g],
        residuals: (p, out) => {
          rows.forEach((i, k) => {
            out[k] = p[0]! * Math.exp(-0.5 * ((c.sg[i]! - p[1]!) / p[2]!) ** 2) - c.fitted[i]!;
          });
        },
      });
      widths.push([g, Math.abs(fit.x[2]!)]);
    }
    expect(widths.length).toBeGreaterThanOrEqual(15);
    const line = leastSquares({
      count: widths.length,
      start: [0.001, 0.004],
      residuals: (p, out) => {
        widths.forEach(([g, w], k) => {
          out[k] = p[0]! + p[1]! * g! - w!;
        });
      },
    });
    expect(line.x[0]).toBeCloseTo(0.0013675, 5);
    expect(line.x[1]).toBeCloseTo(0.0037633, 5);
    expect(Math.max(...line.residuals.map(Math.abs))).toBeLessThan(5e-6);
  });
});
