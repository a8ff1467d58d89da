import { fail } from "../core/errors.js";
import type { WaveGrid } from "./grid.js";

/** What a simulation needs, bytes, told before anything is made. */
export interface MemoryEstimate {
  /** Tables of form factors, phases and the fine grid's arrays while slices are made. */
  readonly potential: number;
  /** Transmission functions of all slices; fewer where slices repeat or the limit says so. */
  readonly transmission: number;
  readonly waves: number;
  readonly total: number;
}

export interface MemoryQuestion {
  readonly grid: WaveGrid;
  readonly slices: number;
  readonly elements?: number | undefined;
  readonly waves?: number | undefined;
  readonly precision?: "f32" | "f64" | undefined;
  readonly oversample?: number | undefined;
  readonly projection?: "infinite" | "finite" | undefined;
}

/** Estimate from the numbers alone. */
export function multisliceMemory({
  grid,
  slices,
  elements = 3,
  waves = 1,
  precision = "f32",
  oversample = 1.5,
  projection = "infinite",
}: MemoryQuestion): MemoryEstimate {
  const n = grid.nx * grid.ny,
    fine = n * oversample * oversample,
    complex = precision === "f32" ? 8 : 16;
  // Half spectra f64: a factor for each element, S, the sum; real f64; in the wave's precision V and t on the fine grid; two rows of phases. Finite
  // projection: some seventeen factors on the circle of the potential for each element, and what crosses two faces.
  const finite = projection === "finite" ? 30 * elements + 16 : 0;
  const potential = fine * (4 * elements + 8 + 8 + 8 + 1.5 * complex + finite) + 256 * 16 * (1.5 * grid.nx + grid.ny) * oversample;
  const transmission = slices * n * complex,
    wave = (waves + 2) * n * complex;
  return { potential, transmission, waves: wave, total: potential + transmission + wave };
}

/** Refuse an array of a result that would not fit, before it is made. @throws too-large */
export function checkArray(bytes: number, maxMemoryMB: number, details: Readonly<Record<string, unknown>>, cure: string): void {
  if (!(maxMemoryMB > 0)) fail("bad-value", { maxMemoryMB }, "maxMemoryMB is a number of megabytes, for example 2048");
  if (bytes > maxMemoryMB * 1048576)
    fail(
      "too-large",
      { needMB: Math.ceil(bytes / 1048576), maxMemoryMB, ...details },
      `this array does not fit the memory: ${cure}, or raise maxMemoryMB`,
    );
}

/** WebAssembly addresses 4 GiB. */
const ADDRESSABLE = 4 * 1024 ** 3;

/**
 * Refuse what cannot fit, before it is begun: potential and waves must fit the limit; transmission functions may be made again batch by batch.
 * @throws too-large with the numbers to change
 */
export function checkMemory(question: MemoryQuestion, maxMemoryMB = 2048): MemoryEstimate {
  const estimate = multisliceMemory(question),
    must = estimate.potential + estimate.waves + (2 * estimate.transmission) / Math.max(1, question.slices);
  const limit = Math.min(ADDRESSABLE, maxMemoryMB * 1048576);
  if (must > limit) {
    const shrink = Math.sqrt(limit / must);
    fail(
      "too-large",
      { needMB: Math.round(must / 1048576), maxMemoryMB, grid: [question.grid.nx, question.grid.ny] },
      `this grid does not fit the memory: at most ${Math.floor(question.grid.nx * shrink)} × ${Math.floor(question.grid.ny * shrink)} pixels (a smaller box, or coarser sampling for a smaller angle), or a higher maxMemoryMB up to 4096`,
    );
  }
  return estimate;
}
