import { fail } from "../core/errors.js";
import type { Axis, CompiledDetectors } from "./detectors.js";
import type { Wave } from "./grid.js";

/** What one detector says of one wave, or of many. */
export interface Reading {
  readonly name: string;
  readonly shape: readonly number[];
  readonly axes: readonly Axis[];
  readonly data: Float64Array | Float32Array;
}

/**
 * Detectors on one wave in reciprocal space (FFT order): intensities as fractions of the whole of `total`.
 * @param wave - interleaved [ny, nx, 2]
 * @param total - Σ|ψ(q)|² of the incident beam; default 1
 * @throws bad-shape
 */
export function readDetectors(detectors: CompiledDetectors, wave: Wave, total = 1): readonly Reading[] {
  const { nx, ny } = detectors.grid,
    n = nx * ny;
  if (wave.length !== 2 * n) fail("bad-shape", { length: wave.length, nx, ny }, "the wave has another grid than the detectors");
  if (!(total > 0)) fail("bad-value", { total }, "total is Σ|ψ(q)|² of the incident beam");
  const intensity = Float64Array.from({ length: n }, (_, i) => (wave[2 * i]! ** 2 + wave[2 * i + 1]! ** 2) / total);
  const sums = new Float64Array(detectors.sums);
  for (let m = 0; m < detectors.maskCount; m++) for (let i = 0; i < n; i++) sums[m]! += detectors.masks[m * n + i]! * intensity[i]!;
  let at = detectors.maskCount;
  for (const { labels, bins } of detectors.labels) {
    for (let i = 0; i < n; i++) if (labels[i] !== 65535) sums[at + labels[i]!]! += intensity[i]!;
    at += bins;
  }
  return detectors.list.map((d) => {
    if (d.sums > 0) return { name: d.name, shape: d.shape, axes: d.axes, data: d.finish(sums.slice(d.at, d.at + d.sums)) };
    const { my, mx } = detectors.patterns[d.at]!;
    const raw = Float32Array.from({ length: my * mx }, (_, k) => {
      const iy = (Math.floor(k / mx) - (my >> 1) + ny) % ny,
        ix = ((k % mx) - (mx >> 1) + nx) % nx;
      return intensity[iy * nx + ix]!;
    });
    return { name: d.name, shape: d.shape, axes: d.axes, data: d.finish(raw) };
  });
}
