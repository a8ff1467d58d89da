import { expect, test } from "vitest";
import { runSync } from "../core/job.js";
import { beam } from "../geometry/beam.js";
import { readNpy } from "../io/npy.js";
import { kirkland } from "../scattering/kirkland.js";
import { lobato } from "../scattering/lobato.js";
import { kirklandPotential, lobatoPotential } from "../scattering/real-space.js";
import { maxRelative } from "../testing/close.js";
import { describeData, readData } from "../testing/data.js";
import { atomModel } from "./atoms.js";
import { repeatAtoms } from "./atoms-build.js";
import { waveGrid } from "./grid.js";
import { potentialPlan } from "./potential.js";
import { sampledPotential } from "./potential-sampled.js";
import { type ProbeOptions, planeWave, probeAmplitude, probePlan } from "./probe.js";
import { multislicePlan } from "./propagate.js";

// Arrays of abTEM 1.0.9, float64, eager, numpy FFT: shared data folder fourd/abtem-golden. Their first axis is x, ours is the last.
const folder = "fourd/abtem-golden";
const golden = async (name: string): Promise<{ data: ArrayLike<number>; shape: readonly number[] }> => {
  const { data, shape } = await readNpy(readData(folder, `${name}.npy`));
  return { data: data as ArrayLike<number> as Float64Array, shape };
};
/** […, x, y, c] to […, y, x, c]. */
function transposed(data: ArrayLike<number>, n: number, m: number, components: 1 | 2): Float64Array {
  const out = new Float64Array(data.length),
    image = n * m * components;
  for (let b = 0; b < data.length; b += image)
    for (let x = 0; x < n; x++)
      for (let y = 0; y < m; y++)
        for (let c = 0; c < components; c++) out[b + components * (y * n + x) + c] = data[b + components * (x * m + y) + c]!;
  return out;
}
/** The middle of an intensity in FFT order: [n, n] around q = 0, rows −n/2 … */
function central(wave: ArrayLike<number>, size: number, n: number): Float64Array {
  const out = new Float64Array(n * n),
    half = Math.floor(n / 2);
  for (let y = 0; y < n; y++)
    for (let x = 0; x < n; x++) {
      const i = 2 * (((y - half + size) % size) * size + ((x - half + size) % size));
      out[y * n + x] = wave[i]! ** 2 + wave[i + 1]! ** 2;
    }
  return out;
}
const a = 5.431;
const diamond = [0, 0, 0, 0, 0.5, 0.5, 0.5, 0, 0.5, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.25, 0.75, 0.75, 0.75, 0.25];
const silicon = atomModel({
  cell: [a, 0, 0, 0, a, 0, 0, 0, a],
  atoms: Array.from({ length: 8 }, () => "Si"),
  positions: diamond.map((x) => x * a),
});

describeData("abTEM's golden arrays", [folder], () => {
  test.each([
    ["lobato", lobato],
    ["kirkland", kirkland],
  ] as const)("infinite projection, %s: 1e-5 of the maximum", async (name, factors) => {
    const wanted = await golden(`si_unit_pot_${name}_infinite_4x64x64_f64`);
    const plan = potentialPlan(silicon, { grid: waveGrid(64, 64, [a, 0], [0, a]), sliceThickness: a / 4, factors, pixelFactor: "abtem" });
    const ours = Float64Array.from([0, 1, 2, 3].flatMap((i) => [...plan.projected(i)]));
    plan.free();
    expect(maxRelative(ours, transposed(wanted.data, 64, 64, 1))).toBeLessThan(1e-6);
  });

  test.each([
    ["lobato", lobatoPotential],
    ["kirkland", kirklandPotential],
  ] as const)("finite projection sampled in real space, %s: 1e-5 of the maximum", async (name, potential) => {
    const wanted = await golden(`si_unit_pot_${name}_finite_4x64x64_f64`);
    const ours = sampledPotential(silicon, { grid: waveGrid(64, 64, [a, 0], [0, a]), sliceThickness: a / 4, potential, periodicZ: true });
    expect(maxRelative(ours, transposed(wanted.data, 64, 64, 1))).toBeLessThan(1e-5);
  });

  test.each([
    ["f64", 1e-6],
    ["f32", 1e-5],
  ] as const)("exit wave of a plane wave through 54 Å of silicon, %s", async (precision, tolerance) => {
    const wanted = await golden("si_2x2x10_planewave_200kV_exitwave_128_c64");
    const potential = potentialPlan(repeatAtoms(silicon, [2, 2, 10]), {
      grid: waveGrid(128, 128, [2 * a, 0], [0, 2 * a]),
      sliceThickness: a / 4,
      pixelFactor: "abtem",
    });
    const plan = multislicePlan(potential, beam(200), { precision });
    const wave = new Float64Array(2 * 128 * 128).map((_, i) => 1 - (i % 2));
    const own = precision === "f64" ? wave : Float32Array.from(wave);
    plan.runInto(own);
    plan.free();
    potential.free();
    expect(maxRelative(own, transposed(wanted.data, 128, 128, 2))).toBeLessThan(tolerance);
  });

  test.each<[string, ProbeOptions]>([
    ["probe_200kV_20mrad_soft_128_c64", { aperture: 0.02 }],
    [
      "probe_200kV_20mrad_df100_Cs1e4_C12_50_phi12_0.3_C21_500_phi21_m0.7_C23_300_phi23_1.1_128_c64",
      {
        aperture: 0.02,
        aberrations: { defocus: 100, Cs: 1e4, astigmatism: 50, phi12: 0.3, C21: 500, comaAngle: -0.7, trefoil: 300, phi23: 1.1 },
      },
    ],
  ])("%s", async (name, options) => {
    const wanted = await golden(name),
      grid = waveGrid(128, 128, [2 * a, 0], [0, 2 * a]);
    const potential = potentialPlan(repeatAtoms(silicon, [2, 2, 1]), { grid }),
      plan = multislicePlan(potential, beam(200), { precision: "f64" });
    const probe = probePlan(plan, probeAmplitude(grid, beam(200), options)),
      wave = plan.allocWaves(1);
    probe.place(wave, a, a); // abTEM puts its probe in the middle of the cell
    plan.kernels.toReal_f64(plan.tables, wave, plan.allocWaves(1));
    expect(maxRelative(plan.view(wave), transposed(wanted.data, 128, 128, 2))).toBeLessThan(2e-6);
  });

  test.each(["f64", "f32"] as const)("CBED at three places, %s", async (precision) => {
    const wanted = await golden("si_2x2x10_cbed_200kV_20mrad_3pos_f32"),
      grid = waveGrid(128, 128, [2 * a, 0], [0, 2 * a]);
    const potential = potentialPlan(repeatAtoms(silicon, [2, 2, 10]), { grid, sliceThickness: a / 4, pixelFactor: "abtem" });
    const plan = multislicePlan(potential, beam(200), { precision }),
      probe = probePlan(plan, probeAmplitude(grid, beam(200), { aperture: 0.02 })),
      wave = plan.allocWaves(1);
    const ours = [
      [0, 0],
      [0.678875, 0.678875],
      [1, 2],
    ].flatMap(([x, y]) => {
      probe.place(wave, x!, y!);
      for (const window of plan.windows) {
        runSync(plan.load(window));
        plan.advance(wave, 1, ...window);
      }
      return [...central(plan.view(wave), 128, 60)];
    });
    expect(maxRelative(ours, transposed(wanted.data, 60, 60, 1))).toBeLessThan(precision === "f64" ? 1e-6 : 1e-5);
  });

  test("diffraction pattern of a plane wave", async () => {
    const wanted = await golden("si_2x2x10_planewave_200kV_dp_f32"),
      grid = waveGrid(128, 128, [2 * a, 0], [0, 2 * a]);
    const potential = potentialPlan(repeatAtoms(silicon, [2, 2, 10]), { grid, sliceThickness: a / 4, pixelFactor: "abtem" });
    const plan = multislicePlan(potential, beam(200), { precision: "f64" }),
      wave = planeWave(grid);
    plan.runInto(wave, { space: "reciprocal" });
    expect(maxRelative(central(wave, 128, 61), transposed(wanted.data, 61, 61, 1))).toBeLessThan(1e-6);
  });
});
