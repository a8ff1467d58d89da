import { describe, expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { rng } from "../core/rng.js";
import { bravaisCandidates } from "../geometry/bravais.js";
import { cellParameters } from "../geometry/cell.js";
import { cellFromUB } from "../geometry/metric.js";
import { rockingWidth } from "../geometry/rocking.js";
import { parseCelllist, parseCenloc, parseCifPets, parseExpt, parsePts, parseRefl, parseRpl, parseXyz } from "../io/index.js";
import { matrix } from "../numerics/matrix.js";
import { linearLeastSquares } from "../numerics/qr.js";
import { describeData, readData } from "../testing/data.js";
import { checkKnownTruth } from "../testing/indexing-truth.js";
import { frameOrientationError } from "../testing/orientation.js";
import { simulatePeaks, testCells } from "../testing/peaks.js";
import { seriesFramesSteps } from "./frame-orientation-series.js";
import { indexVectors } from "./index-lattice.js";
import { indexingSteps } from "./indexing.js";
import { indexingOptionsFromPts, maximaFromRefl, peaksFromRpl } from "./peak-table-io.js";
import { peaks3d } from "./peaks3d.js";
import { nominalFrames, sampleVectors } from "./peaks3d-vectors.js";

const wavelength = 0.02508,
  aperpixel = 0.0065;

describe("known truth", () => {
  // The other three of the five crystals are in indexing.validate.ts.
  test.each(["orthorhombic", "triclinic"] as const)("%s: axis to 0.05°, cell to a thousandth and 0.03°, frames to 0.03°", checkKnownTruth);

  test("a twin: two lattices in their order, both oriented to 0.1°", () => {
    const truth = simulatePeaks({
      cell: testCells.monoclinic,
      rng: rng("twin"),
      aperpixel,
      omegaDeg: 100,
      twin: { turnDeg: [5, 20, -12], share: 0.6 },
      gMax: 1.1,
    });
    const found = runSync(indexingSteps(truth.peaks, { wavelength, aperpixel, alphaDeg: truth.nominalDeg, axis: { nearDeg: 102 } }));
    expect(found.lattices.length).toBe(2);
    expect(found.lattices[0]!.explained).toBeGreaterThan(found.lattices[1]!.explained);
    const error = (ub: typeof truth.ub, true_: typeof truth.ub): number =>
      frameOrientationError({ ub, frames: found.frames }, { ub: true_, frames: truth.frames });
    expect(error(found.lattices[0]!.ub, truth.ub)).toBeLessThan(0.1);
    expect(error(found.lattices[1]!.ub, truth.twinUb!)).toBeLessThan(0.1);
    const own = found.lattices.reduce((s, l) => s + l.own, 0);
    expect(own / found.maxima.size).toBeGreaterThan(0.7);
  });

  test("angles of the wrong sign turn the axis by 180° and nothing else", () => {
    const truth = simulatePeaks({ cell: testCells.orthorhombic, rng: rng("sense"), aperpixel, omegaDeg: 40, gMax: 1 });
    const options = { wavelength, aperpixel, axis: { nearDeg: 40 } };
    const a = runSync(indexingSteps(truth.peaks, { ...options, alphaDeg: truth.nominalDeg })),
      b = runSync(indexingSteps(truth.peaks, { ...options, alphaDeg: truth.nominalDeg.map((v) => -v) }));
    expect(Math.abs(a.omegaDeg - 40)).toBeLessThan(0.05);
    expect(Math.abs(b.omegaDeg - 220)).toBeLessThan(0.05);
    expect(b.constrained.cell.a).toBeCloseTo(a.constrained.cell.a, 3);
  });

  test("noise alone is not indexed, and too little is refused", () => {
    const r = rng("noise");
    const n = 1500,
      col = (f: (i: number) => number): Float64Array => Float64Array.from({ length: n }, (_, i) => f(i));
    const frame = Int32Array.from({ length: n }, () => r.integer(60));
    const noise = {
      size: n,
      frame,
      px: col(() => 500 * r.uniform()),
      py: col(() => 500 * r.uniform()),
      intensity: col(() => 100 * r.uniform()),
      sigma: col(() => 5),
      alphaDeg: Float64Array.from(frame, (f) => f - 30),
    };
    const alphaDeg = Array.from({ length: 60 }, (_, f) => f - 30);
    expect(() => runSync(indexingSteps(noise, { wavelength, aperpixel: 0.005, alphaDeg }))).toThrow("no lattice explains");
    const few = {
      ...noise,
      size: 5,
      frame: frame.slice(0, 5),
      px: noise.px.slice(0, 5),
      py: noise.py.slice(0, 5),
      intensity: noise.intensity.slice(0, 5),
      sigma: noise.sigma.slice(0, 5),
      alphaDeg: noise.alphaDeg.slice(0, 5),
    };
    expect(() => runSync(indexingSteps(few, { wavelength, aperpixel: 0.02, alphaDeg }))).toThrow("bad-value");
  });
});

function correlation(x: readonly number[], y: readonly number[]): number {
  const mean = (v: readonly number[]): number => v.reduce((a, b) => a + b, 0) / v.length;
  const mx = mean(x),
    my = mean(y);
  const s = (a: readonly number[], ma: number, b: readonly number[], mb: number): number => mean(a.map((v, i) => (v - ma) * (b[i]! - mb)));
  return s(x, mx, y, my) / Math.sqrt(s(x, mx, x, mx) * s(y, my, y, my));
}

describeData("glycine from the PETS2 peak list alone", ["3ded/glycine_pets/glycine.rpl"], () => {
  const rpl = parseRpl(readData("3ded/glycine_pets/glycine.rpl")).value;
  const peaks = peaksFromRpl(rpl);
  const pts = indexingOptionsFromPts(parsePts(readData("3ded/glycine_pets/glycine.pts")).value);
  const found = runSync(indexingSteps(peaks, { wavelength: 0.02508, aperpixel: 0.00534, alphaDeg: pts.alphaDeg! }));
  const xyz = parseXyz(readData("3ded/glycine_pets/glycine.xyz")).value;
  const theirs = Float64Array.from({ length: 3 * xyz.size }, (_, i) => [xyz.x, xyz.y, xyz.z][i % 3]![Math.floor(i / 3)]!);

  test("tilt axis at 230.39 ± 0.3° with its sense, never told", () => {
    expect(Math.abs(found.axis!.omegaDeg - 230.39)).toBeLessThan(0.3);
    expect(Math.abs(found.omegaDeg - 230.391)).toBeLessThan(0.05);
    expect(found.sense!.decisive).toBe(true);
    expect(found.sense!.best.fraction).toBeGreaterThan(1.5 * found.sense!.other.fraction);
    expect(found.axis!.sharpness).toBeGreaterThan(2 * found.axis!.oppositeSharpness);
  });
  test("the cell agrees with PETS2 within three joint standard uncertainties", () => {
    const pets = parseCelllist(readData("3ded/glycine_pets/glycine.celllist")).value[0]!;
    const mp = bravaisCandidates(cellFromUB(found.reduced.ub)).find((c) => c.bravais === "mP")!;
    // Reduced axes are a c b here, so the uncertainties of the conventional parameters are those in that order.
    const order = [0, 2, 1, 3, 5, 4];
    const s = order.map((k) => found.reduced.cellSigma[k]!);
    const wanted = pets.cell!;
    const own = cellParameters(mp.measured);
    // The direction of b is free: b → −b turns α and γ into their supplements.
    const flip = Math.abs(own[3] - wanted[3]) > Math.abs(180 - own[3] - wanted[3]);
    const cell = [own[0], own[1], own[2], flip ? 180 - own[3] : own[3], own[4], flip ? 180 - own[5] : own[5]];
    cell.forEach((v, i) => {
      expect(Math.abs(v - wanted[i]!) / Math.hypot(s[i]!, pets.su![i]!)).toBeLessThan(3);
    });
  });
  test("the listed cell is not the least squares of PETS2's own maxima: c is off by more than four of its s.u., γ by more than two", () => {
    // Why the agreement above is judged by joint uncertainties: those of the list do not cover PETS2's own positions.
    const pets = parseCelllist(readData("3ded/glycine_pets/glycine.celllist")).value[0]!;
    let ub = pets.ub!;
    for (let cycle = 0; cycle < 10; cycle++) {
      const { hkl, indexed } = indexVectors(theirs, ub, { tolerance: 0.2 });
      const rows = Array.from({ length: xyz.size }, (_, i) => i).filter((i) => indexed[i]);
      const h = matrix(rows.length, 3, Float64Array.from(rows.flatMap((i) => [...hkl.subarray(3 * i, 3 * i + 3)])));
      const row = (k: number): Float64Array =>
        linearLeastSquares(
          h,
          rows.map((i) => theirs[3 * i + k]!),
        );
      ub = [...row(0), ...row(1), ...row(2)] as unknown as typeof ub;
    }
    const [, , c, , , gamma] = cellParameters(cellFromUB(ub));
    expect(Math.abs(c - pets.cell![2]) / pets.su![2]).toBeGreaterThan(4);
    expect(Math.abs(gamma - pets.cell![5]) / pets.su![5]).toBeGreaterThan(2);
  });
  test("at least 98 % of the 705 maxima of PETS2 index within 0.2", () => {
    expect(xyz.size).toBe(705);
    expect(indexVectors(theirs, found.reduced.ub, { tolerance: 0.2 }).fraction).toBeGreaterThanOrEqual(0.98);
  });
  test("our own maxima hold 95 % of those of PETS2 within 0.02 Å⁻¹", () => {
    const ours = found.vectors;
    let hit = 0;
    for (let i = 0; i < xyz.size; i++) {
      let best = Number.POSITIVE_INFINITY;
      for (let k = 0; k < ours.length; k += 3)
        best = Math.min(best, Math.hypot(ours[k]! - theirs[3 * i]!, ours[k + 1]! - theirs[3 * i + 1]!, ours[k + 2]! - theirs[3 * i + 2]!));
      if (best < 0.02) hit++;
    }
    expect(hit / xyz.size).toBeGreaterThan(0.95);
    expect(Math.abs(found.maxima.size / 705 - 1)).toBeLessThan(0.15);
  });
  test("pixels map to reciprocal space as in PETS2, rms 0.0013 Å⁻¹", () => {
    const centre = parseCenloc(readData("3ded/glycine_pets/glycine.cenloc")).value;
    const frames = nominalFrames(pts.alphaDeg!, 230).map((f, i) => ({ ...f, centrePx: [centre.px[i]! - 1, centre.py[i]! - 1] as const }));
    const v = sampleVectors(peaks, found.instrument, frames);
    const rms = [rpl.x, rpl.y, rpl.z].map((c, k) => Math.sqrt(c.reduce((sum, x, i) => sum + (v[3 * i + k]! - x) ** 2, 0) / rpl.size));
    for (const r of rms) expect(r).toBeLessThanOrEqual(0.0013);
  });
  test("frame by frame: the slip of a degree in the file is found, and the second tilt is that of PETS2", () => {
    // The image list says 44.2164 after 44.8606 where the step is +0.3558; PETS2 moved that frame to 45.396.
    const instrument = { ...found.instrument, exposure: { kind: "continuous", halfWidthDeg: 0.18 } as const };
    const r = runSync(
      seriesFramesSteps(peaks, found.reduced.ub, instrument, found.frames, {
        modelError: 0.1,
        rounds: 2,
        scanDeg: 1.5,
        prior: { alpha: 0.6 },
      }),
    );
    const { deltaAlphaDeg, deltaBetaDeg } = r.corrections;
    expect(deltaAlphaDeg[158]!).toBeGreaterThan(0.5);
    const rest = Array.from(deltaAlphaDeg.subarray(5, 153), Math.abs).sort((a, b) => a - b);
    expect(rest[rest.length >> 1]!).toBeLessThan(0.15);
    const zones = parseCifPets(readData("3ded/glycine_pets/glycine.cif_pets")).value.zones;
    const rows = Array.from({ length: 145 }, (_, i) => i + 6);
    expect(
      correlation(
        rows.map((i) => zones.betaDeg[i]!),
        rows.map((i) => deltaBetaDeg[i]!),
      ),
    ).toBeGreaterThan(0.4); // prettier-ignore
    const atG = rockingWidth(r.rocking, 0.7); // .cml: 0.00137 + 0.7·0.00376 = 0.0040 Å⁻¹
    expect(atG).toBeGreaterThan(0.0025);
    expect(atG).toBeLessThan(0.0055);
  });
  test("merging in pixels needs no geometry", () => {
    const m = peaks3d(peaks);
    expect(m.size).toBe(found.maxima.size);
    expect(m.member.every((k) => k >= 0 && k < m.size)).toBe(true);
  });
});

describeData("quartz from DIALS strong spots", ["3ded/quartz_dials/strong.refl"], () => {
  const known = maximaFromRefl(
    parseRefl(readData("3ded/quartz_dials/strong.refl")).value,
    parseExpt(readData("3ded/quartz_dials/imported.expt")).value[0]!,
  );
  const found = runSync(indexingSteps(known, known.options));
  test("hexagonal cell within 0.5 % and 0.3°, free and constrained", () => {
    expect(found.suggested.bravais).toBe("hP");
    const free = cellParameters(found.conventional.cell),
      truth = [4.925, 4.925, 5.4014, 90, 90, 120]; // refined by DIALS from the same data
    for (let i = 0; i < 3; i++) expect(Math.abs(free[i]! / truth[i]! - 1)).toBeLessThan(0.005);
    for (let i = 3; i < 6; i++) expect(Math.abs(free[i]! - truth[i]!)).toBeLessThan(0.3);
    expect(found.constrained.cell.gammaDeg).toBe(120);
  });
  test("at least 90 % of the strong spots are indexed; single-pixel boxes over many frames are no spots", () => {
    expect(known.maxima.size + known.badPixels).toBe(505);
    expect(known.badPixels).toBeLessThan(70);
    expect(found.indexed.fraction).toBeGreaterThan(0.95);
    expect(found.indexed.count).toBeGreaterThanOrEqual(440); // DIALS indexes 444
  });
  test("the centre refines to where DIALS has it, the axis to its nominal place", () => {
    expect(found.instrument.detector.centrePx[0]).toBeCloseTo(506.9, 0);
    expect(found.instrument.detector.centrePx[1]).toBeCloseTo(505.5, 0);
    expect(Math.abs(found.omegaDeg - 0.531)).toBeLessThan(0.3);
  });
});
