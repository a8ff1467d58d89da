import { type LatticePoints, latticePoints, predictSpots } from "../geometry/predict.js";
import { centringRule } from "../integration/centring.js";
import type { IntegratedSeries } from "../integration/integrate-series.js";
import { gaussianProfiles } from "../integration/profiles.js";
import type { Simulation } from "./simulate.js";
import type { DynamicalCase } from "./simulate-cases-dynamical.js";

/**
 * A series as a faultless measurement would give it: true counts at true angles, without images. What R_int is left says what the collection and the
 * crystal do, apart from noise and integration. Every `keep`-th frame; σ is that of the counts and the read-out of a spot, for the weights alone.
 */
export function trueSeries(c: DynamicalCase, simulation: Simulation, dMin: number, keep = 1): IntegratedSeries {
  const { instrument, camera } = simulation,
    ub = c.options.crystals[0]!.ub,
    rocking = { rcWidth: 0.0012, mosaicityDeg: 0.03 },
    diameter = 9;
  const geometry = simulation.truth.filter((_, f) => f % keep === 0).map((f) => ({ ...f, scale: 1 }));
  const points: LatticePoints = latticePoints(ub, { gMax: 1 / dMin, allowed: centringRule("R") });
  const rows: { frame: number; hkl: number[]; px: number[]; g: number; sg: number; half: number; I: number; s: number }[] = [];
  geometry.forEach((frame, i) => {
    const drawn = simulation.spots(i * keep),
      name = (hkl: Int32Array, q: number): string => `${hkl[3 * q]},${hkl[3 * q + 1]},${hkl[3 * q + 2]}`,
      counts = new Map(Array.from(drawn.electrons, (v, q) => [name(drawn.hkl, q), camera.gain * v])),
      seen = predictSpots(points, instrument, frame, { rocking, cut: 3.5 });
    for (let q = 0; q < seen.size; q++) {
      const I = counts.get(name(seen.hkl, q)) ?? 0;
      rows.push({
        frame: i,
        hkl: [...seen.hkl.subarray(3 * q, 3 * q + 3)],
        px: [...seen.px.subarray(2 * q, 2 * q + 2)],
        g: Math.sqrt(points.g2[seen.point[q]!]!),
        sg: seen.sg[q]!,
        half: seen.halfRange[q]!,
        I,
        s: Math.sqrt(camera.gain * camera.cascade * I + diameter ** 2 * camera.psi),
      });
    }
  });
  const size = rows.length,
    column = (of: (r: (typeof rows)[number]) => number): Float64Array => Float64Array.from(rows, of),
    intensity = column((r) => r.I),
    sigma = column((r) => r.s);
  return {
    intensities: {
      size,
      frame: Int32Array.from(rows, (r) => r.frame),
      hkl: Int32Array.from(rows.flatMap((r) => r.hkl)),
      px: Float64Array.from(rows.flatMap((r) => r.px)),
      g: column((r) => r.g),
      sg: column((r) => r.sg),
      halfRange: column((r) => r.half),
      intensity,
      sigma,
      sum: intensity,
      sumSigma: sigma,
      background: new Float64Array(size),
      coverage: new Float64Array(size).fill(1),
      correlation: new Float64Array(size).fill(1),
      flags: new Uint16Array(size),
    },
    experiment: {
      ub,
      instrument,
      geometry,
      rocking,
      centring: "R",
      settings: {
        noise: { gain: camera.gain * camera.cascade, psi: camera.psi },
        diameter,
        saturation: camera.saturation,
        mask: undefined,
        minRadius: 0,
        maxRadius: Number.POSITIVE_INFINITY,
      },
    },
    profiles: gaussianProfiles(2 * diameter, diameter / 5, 1, new Float64Array(1)),
    shifts: [],
    dMin,
    warnings: [],
  };
}
