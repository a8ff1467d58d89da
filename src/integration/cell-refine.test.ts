import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { cellParameters, unitCell } from "../geometry/cell.js";
import { peaksToReciprocal, reciprocalToPixels } from "../geometry/index.js";
import { cellFromUB } from "../geometry/metric.js";
import { maxRelative } from "../testing/close.js";
import { simulatePeaks, testCells } from "../testing/peaks.js";
import { refineLattice } from "./cell-refine.js";
import { positionModel } from "./cell-refine-model.js";
import { cellConstraint, joinOrientation, splitOrientation } from "./constraints.js";
import { indexVectors } from "./index-lattice.js";
import { sampleVectors } from "./peaks3d-vectors.js";

const distortion = {
  ellipticalAmplitude: 0.006,
  ellipticalPhaseDeg: 20,
  barrel: -0.004,
  spiral: 0.003,
  parabolicAmplitude: 0.003,
  parabolicPhaseDeg: 40,
};
const series = simulatePeaks({ cell: testCells.monoclinic, rng: rng("refine"), distortion, stepDeg: 1, positionPx: 0.15 });
/** True indices as data, without their errors of indexing; rows of real spots alone. */
const data = {
  size: series.peaks.size,
  px: series.peaks.px,
  py: series.peaks.py,
  frame: series.peaks.frame,
  hkl: series.hkl,
  atCondition: new Uint8Array(series.peaks.size),
};

describe("model of spot positions", () => {
  test.each(["free", "constrained"] as const)("the Jacobian of the %s lattice is that of differences", (kind) => {
    const few = { ...data, size: 40, atCondition: new Uint8Array(40).fill(1) };
    const constraint = cellConstraint("monoclinic");
    const cell = constraint.free(unitCell(...testCells.monoclinic));
    const lattice =
      kind === "free" ? ({ kind, ub: series.ub } as const) : ({ kind, u: splitOrientation(series.ub), constraint, cell } as const);
    for (const projection of ["linear", "gnomonic"] as const) {
      const instrument = { ...series.instrument, detector: { ...series.instrument.detector, projection } };
      const m = positionModel(few, lattice, instrument, series.frames);
      const P = m.start.length,
        jac = new Float64Array(3 * few.size * P),
        up = new Float64Array(3 * few.size),
        down = new Float64Array(3 * few.size),
        numeric = new Float64Array(jac.length);
      const p = m.start.map(
        (v, i) => v + 0.001 * Math.sin(i + 1) * (m.names[i]!.startsWith("centre") ? 100 : m.names[i] === "beta" ? 50 : 1),
      );
      m.jacobian(p, jac);
      for (let j = 0; j < P; j++) {
        const h = 1e-5;
        const q = p.slice();
        q[j]! += h;
        m.residuals(q, up);
        q[j]! -= 2 * h;
        m.residuals(q, down);
        for (let i = 0; i < up.length; i++) numeric[i * P + j] = (up[i]! - down[i]!) / (2 * h);
      }
      expect(maxRelative(jac, numeric)).toBeLessThan(2e-8);
    }
  });

  test("positions agree with the geometry module's own prediction", () => {
    const m = positionModel(data, { kind: "free", ub: series.ub }, series.instrument, series.frames);
    const r = new Float64Array(3 * data.size);
    m.residuals(m.start, r);
    for (let i = 0; i < data.size; i += 17) {
      const [h, k, l] = [data.hkl[3 * i]!, data.hkl[3 * i + 1]!, data.hkl[3 * i + 2]!];
      const ub = series.ub;
      const g = Float64Array.of(ub[0] * h + ub[1] * k + ub[2] * l, ub[3] * h + ub[4] * k + ub[5] * l, ub[6] * h + ub[7] * k + ub[8] * l);
      const [px, py] = reciprocalToPixels(g, series.instrument, series.frames[data.frame[i]!]!);
      const scale = series.instrument.detector.invAngstromPerPixel;
      expect(r[3 * i]! / scale).toBeCloseTo(px! - data.px[i]!, 9);
      expect(r[3 * i + 1]! / -scale).toBeCloseTo(py! - data.py[i]!, 9);
    }
  });

  test("vectors at whole frames are those of the geometry module", () => {
    const a = sampleVectors(data, series.instrument, series.frames);
    const pixels = Float64Array.from({ length: 2 * data.size }, (_, i) => (i % 2 ? data.py[i >> 1]! : data.px[i >> 1]!));
    expect(maxRelative(a, peaksToReciprocal(pixels, data.frame, series.instrument, series.frames))).toBeLessThan(1e-14);
  });
});

describe("refinement of the lattice", () => {
  test("cell, axis, centre and distortions come back within their uncertainties", () => {
    const start = joinOrientation(splitOrientation(series.ub), unitCell(5.12, 11.95, 5.45, 90.2, 111.8, 89.9));
    const plain = {
      ...series.instrument,
      distortion: { ...series.instrument.distortion, barrel: 0, spiral: 0, parabolicAmplitude: 0, ellipticalAmplitude: 0 },
    };
    const frames = series.frames.map((f) => ({ ...f, omegaDeg: f.omegaDeg + 0.2 }));
    const r = refineLattice(data, start, plain, frames, {
      system: "monoclinic",
      refine: ["omega", "centreX", "centreY", "ellipticalCos", "ellipticalSin", "barrel", "spiral", "parabolicX", "parabolicY"],
    });
    expect(r.status).toBe("converged");
    const truth = testCells.monoclinic;
    const z = cellParameters(r.cell).map((v, i) => (r.cellSigma[i]! > 0 ? (v - truth[i]!) / r.cellSigma[i]! : 0));
    expect(Math.max(...z.map(Math.abs))).toBeLessThan(4);
    expect(r.cell.alphaDeg).toBe(90);
    expect(r.cellSigma[3]).toBe(0);
    expect(r.frames[0]!.omegaDeg).toBeCloseTo(38, 1);
    expect(r.instrument.distortion.barrel / -0.004).toBeCloseTo(1, 1);
    expect(r.rmsPx).toBeLessThan(0.2);
    expect(r.correlation.length).toBe(r.names.length ** 2);
  });

  test("standard uncertainties match the spread over repeated noise", () => {
    const z: number[] = [];
    for (let trial = 0; trial < 12; trial++) {
      const s = simulatePeaks({ cell: testCells.cubic, rng: rng("su").fork(trial), stepDeg: 1.5, gMax: 1 });
      const r = refineLattice(
        {
          ...data,
          size: s.peaks.size,
          px: s.peaks.px,
          py: s.peaks.py,
          frame: s.peaks.frame,
          hkl: s.hkl,
          atCondition: new Uint8Array(s.peaks.size),
        },
        s.ub,
        s.instrument,
        s.frames,
      );
      cellParameters(r.cell).forEach((v, i) => {
        z.push((v - testCells.cubic[i]!) / r.cellSigma[i]!);
      });
    }
    const rms = Math.sqrt(z.reduce((a, b) => a + b * b, 0) / z.length);
    expect(rms).toBeGreaterThan(0.6);
    expect(rms).toBeLessThan(1.5);
  });

  test("the magnification needs a known cell, and other impossible wishes are refused", () => {
    expect(() => refineLattice(data, series.ub, series.instrument, series.frames, { refine: ["magnification"] })).toThrow("give the cell");
    expect(() => refineLattice({ ...data, size: 3 }, series.ub, series.instrument, series.frames)).toThrow("too few");
    expect(() => refineLattice(data, [1, 2, 3, 2, 4, 6, 0, 0, 1], series.instrument, series.frames)).toThrow("one plane");
  });

  test("the rotation nearest to a strained orientation is a rotation, and the split is exact without strain", () => {
    const u = splitOrientation(series.ub);
    expect(maxRelative(joinOrientation(u, cellFromUB(series.ub)), series.ub)).toBeLessThan(1e-12);
    const strained = splitOrientation(series.ub, unitCell(5.2, 11.9, 5.4, 90, 112, 90));
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) {
        const dot =
          strained[(3 * i) as 0] * strained[(3 * j) as 0] +
          strained[(3 * i + 1) as 1] * strained[(3 * j + 1) as 1] +
          strained[(3 * i + 2) as 2] * strained[(3 * j + 2) as 2];
        expect(dot).toBeCloseTo(i === j ? 1 : 0, 12);
      }
  });

  test("indexing returns the true indices", () => {
    const f = indexVectors(sampleVectors(data, series.instrument, series.frames), series.ub);
    let same = 0;
    for (let i = 0; i < data.size; i++) if ([0, 1, 2].every((j) => f.hkl[3 * i + j] === data.hkl[3 * i + j])) same++;
    expect(same / data.size).toBeGreaterThan(0.97);
  });
});
