import { expect, test } from "vitest";
import { runSync } from "../src/core/job.js";
import { beam } from "../src/geometry/beam.js";
import { unitCell } from "../src/geometry/cell.js";
import { spaceGroup } from "../src/geometry/space-groups.js";
import { atom, structure } from "../src/geometry/structure.js";
import { atomModel } from "../src/multislice/atoms.js";
import { repeatAtoms } from "../src/multislice/atoms-build.js";
import { orientedAtoms } from "../src/multislice/atoms-orient.js";
import { diffractionSteps } from "../src/multislice/cbed.js";
import { antialiasAperture, nyquist, reciprocalGrid, signedIndex, type WaveGrid, waveGrid } from "../src/multislice/grid.js";
import { frozenPhonons } from "../src/multislice/phonons.js";
import { potentialPlan } from "../src/multislice/potential.js";
import { propagator } from "../src/multislice/propagator.js";
import { sliceOfAtoms, slices } from "../src/multislice/slicing.js";
import { fft2, ifft2 } from "../src/numerics/fft.js";
import { birdKingAbsorptive } from "../src/scattering/absorptive.js";
import type { FormFactor } from "../src/scattering/form-factor.js";
import { lobato } from "../src/scattering/lobato.js";

const silicon = structure(unitCell(5.431, 5.431, 5.431), spaceGroup("F d -3 m :1"), [atom({ element: "Si", xyz: [0, 0, 0], uIso: 0.006 })]);
const b = beam(200),
  one = orientedAtoms(silicon, { toSource: { uvw: [1, 1, 0] }, orthogonal: true }).atoms;
const model = repeatAtoms(one, [Math.round(16 / one.cell[0]!), Math.round(16 / one.cell[4]!), Math.round(200 / one.cell[8]!)]);
const gridOf = (n: number): WaveGrid => waveGrid(n, n, [model.cell[0]!, 0], [0, model.cell[4]!]);
const potential = { sliceThickness: one.cell[8]! / 2 + 1e-6 };
const sum = (a: Float64Array, t: number, n: number): number => a.subarray(t * n, (t + 1) * n).reduce((s, v) => s + v, 0);

/**
 * The coherent wave of the Einstein model without a single random number: atoms move by themselves, so the mean transmission function of a slice is the
 * product of the means of its atoms, ⟨exp(iσv(r − u))⟩ = 1 + (exp(iσv) − 1) ⊛ Gaussian, and slices are independent of each other. What the wave has lost after
 * each number of slices.
 */
function exactLosses(grid: WaveGrid, exits: readonly number[]): number[] {
  const cut = slices(model, potential),
    where = sliceOfAtoms(model, cut),
    single = atomModel({ cell: model.cell, atoms: ["Si"], positions: [0, 0, 0.5] });
  const plan = potentialPlan(single, { grid, sliceThickness: 1e4 }),
    { fine, arena } = plan,
    { nx, ny } = fine,
    n = nx * ny;
  const v = arena.f64(plan.projectedAt(0), n);
  const one = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    one[2 * i] = Math.cos(b.sigma * v[i]!) - 1;
    one[2 * i + 1] = Math.sin(b.sigma * v[i]!);
  }
  const smeared = fft2(one, [ny, nx]),
    { q2, qx, qy } = reciprocalGrid(fine);
  for (let i = 0; i < n; i++) {
    const damp = Math.exp(-2 * Math.PI ** 2 * 0.006 * q2[i]!);
    smeared[2 * i]! *= damp;
    smeared[2 * i + 1]! *= damp;
  }
  const mask = antialiasAperture(grid);
  /** Mean transmission function of the atoms of a slice, on the wave's grid, band-limited like every other. */
  const transmission = (slice: number): Float64Array => {
    const t = new Float64Array(2 * n).map((_, i) => 1 - (i % 2)),
      shifted = new Float64Array(2 * n);
    for (let atomIndex = 0; atomIndex < where.length; atomIndex++) {
      if (where[atomIndex] !== slice) continue;
      const [x, y] = model.positions.subarray(3 * atomIndex, 3 * atomIndex + 2) as unknown as [number, number];
      for (let i = 0; i < n; i++) {
        const p = -2 * Math.PI * (qx[i]! * x + qy[i]! * y),
          [re, im] = [smeared[2 * i]!, smeared[2 * i + 1]!];
        shifted[2 * i] = re * Math.cos(p) - im * Math.sin(p);
        shifted[2 * i + 1] = re * Math.sin(p) + im * Math.cos(p);
      }
      const add = ifft2(shifted, [ny, nx]);
      multiply(t, add.map((value, i) => (i % 2 ? value : 1 + value))); // biome-ignore format: short
    }
    const f = fft2(t, [ny, nx]),
      out = new Float64Array(2 * grid.nx * grid.ny);
    for (let k = 0; k < grid.ny; k++)
      for (let h = 0; h < grid.nx; h++) {
        const from = 2 * (((signedIndex(k, grid.ny) + ny) % ny) * nx + ((signedIndex(h, grid.nx) + nx) % nx)),
          to = 2 * (k * grid.nx + h),
          m = (mask[to / 2]! * grid.nx * grid.ny) / n;
        out[to] = m * f[from]!;
        out[to + 1] = m * f[from + 1]!;
      }
    return ifft2(out, [grid.ny, grid.nx]);
  };
  const perCell = Math.round(slicesOfCell()),
    distinct = Array.from({ length: perCell }, (_, i) => transmission(i));
  const step = propagator(grid, b, cut.bounds[1]!, {});
  let wave = new Float64Array(2 * grid.nx * grid.ny).map((_, i) => 1 - (i % 2));
  const losses: number[] = [];
  for (let i = 0; i < exits.at(-1)!; i++) {
    multiply(wave, distinct[i % perCell]!);
    wave = fft2(wave, [grid.ny, grid.nx]) as Float64Array<ArrayBuffer>;
    multiply(wave, step);
    if (exits.includes(i + 1)) losses.push(1 - wave.reduce((s, x) => s + x * x, 0) / (grid.nx * grid.ny) ** 2);
    wave = ifft2(wave, [grid.ny, grid.nx]) as Float64Array<ArrayBuffer>;
  }
  plan.free();
  return losses;
}
/** Slices of one cell along the beam. */
const slicesOfCell = (): number => slices(one, potential).count;
/** a := a·b, complex. */
function multiply(a: Float64Array, by: Float64Array): void {
  for (let i = 0; i < a.length; i += 2) {
    const [re, im] = [a[i]!, a[i + 1]!];
    a[i] = re * by[i]! - im * by[i + 1]!;
    a[i + 1] = re * by[i + 1]! + im * by[i]!;
  }
}

/**
 * Silicon along [1 1 0], 200 kV: what the coherent wave loses to moving atoms, against the absorptive potential of the same Einstein model (Bird & King
 * 1990). Its form factors end where the simulation's do, at the circle to which the potential is limited: what lies beyond is a tenth of all diffuse scattering.
 */
test("Si [110]: frozen phonons lose what the absorptive model says, within the standard error", () => {
  const grid = gridOf(216),
    n = grid.nx * grid.ny,
    depths = [50, 100, 150, 199];
  const edge = (2 / 3) * 1.5 * nyquist(grid),
    width = 0.2 * edge;
  const limit = (q: number): number => (q > edge ? 0 : q > edge - width ? 0.5 * (1 + Math.cos((Math.PI * (q - edge + width)) / width)) : 1);
  const limited = (e: string): FormFactor => {
    const f = lobato(e),
      part = (s: number): number => f.f(s) * limit(2 * s);
    return { ...f, f: part, regular: part };
  };
  const absorbed = runSync(
    diffractionSteps(model, { beam: b, grid, depths, potential: { ...potential, absorption: birdKingAbsorptive(limited, b, 6) } }),
  );
  const blocks = Array.from({ length: 5 }, (_, seed) =>
    runSync(diffractionSteps(frozenPhonons(model, { configurations: 4, seed }), { beam: b, grid, depths, potential })),
  );
  const exact = exactLosses(
    grid,
    Array.from(absorbed.depths, (d) => Math.round(d / (one.cell[8]! / slicesOfCell()))),
  );
  absorbed.depths.forEach((depth, t) => {
    const losses = blocks.map((r) => 1 - sum(r.elastic, t, n)),
      mean = losses.reduce((s, v) => s + v, 0) / losses.length,
      error = Math.sqrt(losses.reduce((s, v) => s + (v - mean) ** 2, 0) / (losses.length - 1) / losses.length);
    const wanted = 1 - sum(absorbed.intensity, t, n);
    console.log(
      `${depth.toFixed(0)} Å | frozen phonons lose ${(100 * mean).toFixed(3)} ± ${(100 * error).toFixed(3)} % | mean transmission functions ${(100 * exact[t]!).toFixed(3)} % | absorptive model ${(100 * wanted).toFixed(3)} %`,
    );
    // Student's t with 4 degrees of freedom: 2.8 standard errors hold 95 %.
    expect(Math.abs(mean - exact[t]!)).toBeLessThan(2.8 * error);
    expect(Math.abs(mean - wanted)).toBeLessThan(2.8 * error);
    expect(Math.abs(exact[t]! / wanted - 1)).toBeLessThan(0.015);
    expect(Math.abs(mean / wanted - 1)).toBeLessThan(0.02);
  });
});

/** Kikuchi bands: between the lines ±g/2 of 2 2 0 there is more diffuse intensity than just outside, away from the disks. */
test("Si [110]: the diffuse background of a convergent beam shows the 220 band", () => {
  const grid = gridOf(160),
    n = grid.nx * grid.ny;
  const r = runSync(
    diffractionSteps(frozenPhonons(model, { configurations: 8, seed: 11 }), { beam: b, grid, probe: { aperture: 0.006 }, potential }),
  );
  const { qx, qy, q2 } = reciprocalGrid(grid);
  const across = Math.abs(one.cell[0]! - 5.431) < 0.01 ? qy : qx, // the other axis is 0 0 1
    half = Math.SQRT2 / 5.431;
  const [inside, outside] = [
    [0.65, 1],
    [1, 1.35],
  ].map(([from, to]) => {
    let total = 0,
      count = 0;
    for (let i = 0; i < n; i++) {
      const q = Math.sqrt(q2[i]!),
        d = Math.abs(across[i]!) / half;
      if (q < 0.9 || q > 2.4 || d < from! || d >= to!) continue;
      total += (r.intensity[i]! - r.elastic[i]!) * q2[i]!; // × q²: the fall of the background with angle must not count
      count++;
    }
    return total / count;
  });
  console.log(
    `diffuse ${(100 * r.diffuse[0]!).toFixed(2)} % of the beam; inside the 220 band over outside ${(inside! / outside!).toFixed(3)}`,
  );
  expect(r.diffuse[0]).toBeGreaterThan(0.02);
  expect(inside! / outside!).toBeGreaterThan(1.05);
});
