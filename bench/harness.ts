import { execFileSync } from "node:child_process";

/** One line of the benchmark table: our time, a peer's or baseline's time in the same run, and their ratio. */
export interface Row {
  readonly name: string;
  readonly ms: number;
  /** Who the ratio is against, e.g. "pyFFTW", "fft.js", "plain TS". */
  readonly peer?: string;
  readonly peerMs?: number;
  /** Wanted ours/peer ratio (or a plain figure), as the issue states it. */
  readonly target?: string;
  readonly note?: string;
}
export type Report = (row: Row) => void;

/** Least wall-clock time of one call, ms: warms up for `warmMs`, then repeats for `forMs` (at least 3 times). */
export function time(body: () => void, { warmMs = 300, forMs = 600 } = {}): number {
  const warmEnd = performance.now() + warmMs;
  do body();
  while (performance.now() < warmEnd);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + forMs;
  for (let k = 0; k < 3 || performance.now() < end; k++) {
    const t = performance.now();
    body();
    best = Math.min(best, performance.now() - t);
  }
  return best;
}

export async function timeAsync(body: () => Promise<void>, { warmMs = 300, forMs = 600 } = {}): Promise<number> {
  const warmEnd = performance.now() + warmMs;
  do await body();
  while (performance.now() < warmEnd);
  let best = Number.POSITIVE_INFINITY;
  const end = performance.now() + forMs;
  for (let k = 0; k < 3 || performance.now() < end; k++) {
    const t = performance.now();
    await body();
    best = Math.min(best, performance.now() - t);
  }
  return best;
}

/** The Python with the peers, from EWALD_PYTHON; undefined when none is given. */
export const python: string | undefined = process.env.EWALD_PYTHON;

/**
 * Run a Python script that prints one JSON object; undefined when no Python is given or a package is missing.
 * One thread for every BLAS and FFT, as our kernels have in these tables.
 */
export function runPython<T>(script: string): T | undefined {
  if (!python) return undefined;
  try {
    const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1", MKL_NUM_THREADS: "1" };
    const out = execFileSync(python, ["-c", script], { encoding: "utf8", env, maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });
    return JSON.parse(out.trim().split("\n").at(-1)!) as T;
  } catch (e) {
    console.error(`peer not run: ${(e as Error).message.split("\n").slice(-3).join(" ")}`);
    return undefined;
  }
}
