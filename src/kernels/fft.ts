import { chirp, convolutionLength, digitReversed, passLevels, radices, rootInto } from "./fft-tables.js";
import { fftWasm } from "./generated/fft.js";
import { chirpSpectrum } from "./js/fft.js";
import type { Arena } from "./memory.js";

/** Exports of assembly/fft.ts; all arguments are addresses, byte strides, counts and flags. */
export interface FftExports {
  rows_f32: RowsKernel;
  rows_f64: RowsKernel;
  cols_f32: ColsKernel;
  cols_f64: ColsKernel;
  r2c_f32: RealKernel;
  r2c_f64: RealKernel;
  c2r_f32: RealKernel;
  c2r_f64: RealKernel;
}
type N = number;
type RowsKernel = (d: N, src: N, srcStride: N, dst: N, dstStride: N, lo: N, hi: N, scratch: N, inverse: N, scale: N) => void;
type ColsKernel = (d: N, data: N, inner: N, lo: N, hi: N, scratch: N, inverse: N, scale: N) => void;
type RealKernel = (d: N, src: N, srcStride: N, dst: N, dstStride: N, lo: N, hi: N, scratch: N, scale: N) => void;

/** Name of the family for `Arena.family` and the worker pool. */
export { fftWasm };

/** Tables of one length in an arena. */
export interface FftTables {
  /** Address of the descriptor that every export takes first. */
  readonly d: number;
  /** Complex length. */
  readonly n: number;
  /** Bytes of neighbouring columns that one unit of `cols` transforms. */
  readonly batchBytes: number;
  /** Private scratch that a caller of the exports needs, bytes. */
  readonly scratchBytes: number;
  free(): void;
}

const HEADER = 64,
  LEVEL = 16,
  TEMP = 2048;
/** Columns of one batch stay in the L2 cache up to this many bytes. */
const BATCH_LIMIT = 1 << 20;
/** Rows transformed side by side stay in the L1 cache up to this many bytes. */
const ROW_LIMIT = 1 << 15;

/**
 * Write the tables for transforms of `length` into the arena. The layout is described in assembly/lib/fft-plan.ts.
 * @param real - `length` counts real samples: tables for r2c and c2r (the complex length is length/2 when even)
 */
export function fftTables(arena: Arena, length: number, type: "f32" | "f64", real = false): FftTables {
  return held(arena, (alloc) => build(arena, alloc, length, type, real));
}

/**
 * Tables for the fractional transform X_k = Σ_j x_j exp(−2πi·ratio·j·k), j and k counted from the centre ⌊n/2⌋, by the same exports (`rows`; inverse is
 * the adjoint): Bluestein's algorithm takes any ratio, and a centred chirp beside an uncentred filter moves both origins.
 * @see Bailey & Swarztrauber, SIAM Rev. 33, 389 (1991)
 */
export function fractionalTables(arena: Arena, n: number, ratio: number, type: "f32" | "f64"): FftTables {
  return held(arena, (alloc) => build(arena, alloc, n, type, false, ratio));
}

function held(arena: Arena, make: (alloc: (bytes: number) => number) => Omit<FftTables, "free">): FftTables {
  const blocks: number[] = [];
  const free = (): void => {
    for (const b of blocks.splice(0)) arena.free(b);
  };
  const alloc = (bytes: number): number => {
    const ptr = arena.alloc(bytes);
    blocks.push(ptr);
    return ptr;
  };
  try {
    return { ...make(alloc), free };
  } catch (e) {
    free();
    throw e;
  }
}

function build(
  arena: Arena,
  alloc: (bytes: number) => number,
  length: number,
  type: "f32" | "f64",
  real: boolean,
  ratio?: number,
): Omit<FftTables, "free"> {
  const bytes = type === "f32" ? 4 : 8,
    lanes = 16 / bytes;
  const n = real && length % 2 === 0 ? length / 2 : length;
  const direct = ratio === undefined ? radices(n) : undefined;
  const m = direct ? n : convolutionLength(n);
  const order = direct ?? radices(m)!;
  const levels = passLevels(m, order);
  const put = (values: ArrayLike<number>): number => {
    const ptr = alloc(values.length * bytes);
    if (type === "f32") arena.f32(ptr, values.length).set(values);
    else arena.f64(ptr, values.length).set(values);
    return ptr;
  };
  const first = order[0] ?? 1,
    last = order.at(-1) ?? 1;
  const fusable = Boolean(direct) && order.length > 1 && first >= 4 && first !== 5 && first <= 8 && first !== 7 && last <= 8 && last !== 7;
  let batchBytes = 256;
  while (batchBytes > 64 && m * batchBytes > BATCH_LIMIT) batchBytes /= 2;
  const fastRow = fusable && n / first >= lanes;
  const tables = levels.map((l) => ({
    ...l,
    tw: l.twiddles.length ? put(l.twiddles) : 0,
    roots: l.radix > 5 && l.radix !== 8 ? put(circle(l.radix)) : 0,
  }));
  const d = alloc(HEADER + LEVEL * levels.length);
  const reversed = digitReversed(m, order);
  const perm = alloc(4 * reversed.length);
  new Uint32Array(arena.memory.buffer, perm, reversed.length).set(reversed);
  const wave = ratio === undefined ? (direct ? undefined : chirp(n)) : fractionalChirp(n, ratio, 0);
  const phase = ratio === undefined ? wave : fractionalChirp(n, ratio, Math.floor(n / 2));
  let rowBytes = 32;
  while (rowBytes < 256 && 2 * rowBytes * m <= ROW_LIMIT) rowBytes *= 2;
  const core = Math.max(m * Math.max(batchBytes, rowBytes) * (direct ? 1 : 2), 2 * n * 2 * bytes);
  const line = TEMP + core;
  const together = fastRow ? 1 : (rowBytes / 32) * lanes;
  const header = [n, levels.length, m, direct ? 0 : 1, perm, last, phase ? put(phase) : 0, wave ? put(chirpSpectrum(wave, m)) : 0];
  header.push(fastRow ? put(rowTwiddles(levels[0]!.twiddles, first, lanes)) : 0, batchBytes);
  header.push(real && length % 2 === 0 ? put(splitTwiddles(length)) : 0, real ? length : 0, fusable ? 1 : 0, line, rowBytes, together);
  for (const { radix, length: l, tw, roots } of tables) {
    while (header.length < HEADER / 4) header.push(0);
    header.push(radix, l, tw, roots);
  }
  arena.i32(d, header.length).set(header);
  return {
    d,
    n,
    batchBytes,
    scratchBytes: line + (real ? together * n * 2 * bytes : 0),
  };
}

/** exp(−iπ·ratio·(j − centre)²), interleaved. */
function fractionalChirp(n: number, ratio: number, centre: number): Float64Array {
  const out = new Float64Array(2 * n);
  for (let j = 0; j < n; j++) {
    const turns = (ratio * (j - centre) ** 2) % 2;
    out[2 * j] = Math.cos(Math.PI * turns);
    out[2 * j + 1] = -Math.sin(Math.PI * turns);
  }
  return out;
}
/** cos and sin of 2πk/r, k = 0 … r − 1. */
function circle(r: number): Float64Array {
  const out = new Float64Array(2 * r);
  for (let k = 0; k < r; k++) rootInto(out, 2 * k, k, r);
  return out;
}
/**
 * Twiddles of the first pass regrouped for butterflies p … p + lanes − 1 at once: [re × lanes][im × lanes] per output. The last group
 * ends at the last butterfly, whatever it repeats.
 */
function rowTwiddles(tw: Float64Array, radix: number, lanes: number): Float64Array {
  const m = tw.length / (2 * (radix - 1)),
    out: number[] = [];
  for (let group = 0; group < m; group += lanes) {
    const p = Math.min(group, m - lanes);
    for (let k = 0; k < radix - 1; k++)
      for (let part = 0; part < 2; part++) for (let l = 0; l < lanes; l++) out.push(tw[2 * ((p + l) * (radix - 1) + k) + part]!);
  }
  return Float64Array.from(out);
}
/** exp(−2πik/length), k = 0 … length/4. */
function splitTwiddles(length: number): Float64Array {
  const count = Math.floor(length / 4) + 1,
    out = new Float64Array(2 * count);
  for (let k = 0; k < count; k++) {
    rootInto(out, 2 * k, k, length);
    out[2 * k + 1] = -out[2 * k + 1]!;
  }
  return out;
}
