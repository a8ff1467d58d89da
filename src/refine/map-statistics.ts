import { type Histogram, histogram } from "../numerics/histogram.js";
import { leastSquares } from "../numerics/least-squares.js";
import type { PotentialMap } from "./potential-map.js";
import { voltPerElectronAngstrom } from "./potential-map.js";

/** Noise of a difference map and what stands above it. */
export interface MapStatistics {
  /** Volts. */
  readonly min: number;
  readonly max: number;
  readonly rms: number;
  /** The same in e/Å (divided by 14.3996). */
  readonly minElectronPerAngstrom: number;
  readonly maxElectronPerAngstrom: number;
  readonly rmsElectronPerAngstrom: number;
  readonly histogram: Histogram;
  /** Gaussian fitted to the histogram; its σ is that of the noise, less moved by real features than the RMS. Volts. */
  readonly gaussian: { readonly mean: number; readonly sigma: number; readonly sigmaSu: number; readonly height: number };
  /** 3σ of the Gaussian, volts. */
  readonly level: number;
  /** Part of the cell beyond ±level; 0.0027 for pure noise. */
  readonly beyond: number;
}

/** Extremes, RMS, histogram with fitted Gaussian, and the 3σ level of a map. */
export function mapStatistics(map: PotentialMap, bins = 121): MapStatistics {
  const { data } = map;
  let min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY,
    sum = 0,
    square = 0;
  for (const v of data) {
    min = Math.min(min, v);
    max = Math.max(max, v);
    sum += v;
    square += v * v;
  }
  const rms = Math.sqrt(square / data.length),
    mean = sum / data.length;
  const spread = Math.sqrt(Math.max(0, square / data.length - mean * mean)) || 1e-12;
  const h = histogram(data, { bins, range: [mean - 6 * spread, mean + 6 * spread] });
  const width = (h.high - h.low) / bins;
  const x = Float64Array.from({ length: bins }, (_, i) => h.low + (i + 0.5) * width);
  const top = h.counts.reduce((a, b) => Math.max(a, b), 0);
  // Poisson-like weights, with a floor so that empty tails count little.
  const weights = h.counts.map((c) => 1 / (c + 0.001 * top + 1));
  const fit = leastSquares({
    residuals: (p, out) => {
      for (let i = 0; i < bins; i++) out[i] = p[0]! * Math.exp(-0.5 * ((x[i]! - p[1]!) / p[2]!) ** 2) - h.counts[i]!;
    },
    count: bins,
    start: [top, mean, 0.8 * spread],
    typical: [top, spread, spread],
    weights,
  });
  const sigma = Math.abs(fit.x[2]!);
  const level = 3 * sigma;
  let beyond = 0;
  for (const v of data) if (Math.abs(v) > level) beyond++;
  const e = voltPerElectronAngstrom;
  return {
    min,
    max,
    rms,
    minElectronPerAngstrom: min / e,
    maxElectronPerAngstrom: max / e,
    rmsElectronPerAngstrom: rms / e,
    histogram: h,
    gaussian: { height: fit.x[0]!, mean: fit.x[1]!, sigma, sigmaSu: fit.sigma[2]! },
    level,
    beyond: beyond / data.length,
  };
}
