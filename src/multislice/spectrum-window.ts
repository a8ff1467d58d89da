import { reciprocalVectors, type WaveGrid } from "./grid.js";

/** Part of the half spectrum of a real image: rows k = low … high − 1, columns h = 0 … width − 1. Arrays on it are [high − low, width]. */
export interface SpectrumWindow {
  readonly low: number;
  readonly high: number;
  readonly width: number;
}

/** Columns of the half spectrum of a real image, [ny, nx/2 + 1] in FFT order. */
export const halfWidth = (g: WaveGrid): number => (g.nx >> 1) + 1;

/** All of the half spectrum. */
export const wholeWindow = (g: WaveGrid): SpectrumWindow => ({
  low: -Math.floor(g.ny / 2),
  high: Math.ceil(g.ny / 2),
  width: halfWidth(g),
});

/** The bins that a circle of a radius (Å⁻¹) reaches: |h| = |q·a| <= radius·|a|, whatever the angle of the cell. */
export function circleWindow(g: WaveGrid, radius: number): SpectrumWindow {
  const whole = wholeWindow(g),
    rows = Math.floor(radius * Math.hypot(...g.b));
  return {
    low: Math.max(whole.low, -rows),
    high: Math.min(whole.high, rows + 1),
    width: Math.min(whole.width, Math.floor(radius * Math.hypot(...g.a)) + 1),
  };
}

/** Number of bins. */
export const windowBins = ({ low, high, width }: SpectrumWindow): number => (high - low) * width;

/** Call `visit(index, qx, qy, h, k)` for every bin of a window, q in Å⁻¹. */
export function overWindow(
  g: WaveGrid,
  { low, high, width }: SpectrumWindow,
  visit: (p: number, qx: number, qy: number, h: number, k: number) => void,
): void {
  const { aStar, bStar } = reciprocalVectors(g);
  for (let k = low, p = 0; k < high; k++)
    for (let h = 0; h < width; h++, p++) visit(p, h * aStar[0] + k * bStar[0], h * aStar[1] + k * bStar[1], h, k);
}
