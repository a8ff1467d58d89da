import { fail } from "../core/errors.js";
import type { TypedArray } from "../core/image.js";
import { readNpz, writeNpz } from "../io/npz.js";
import type { ScanPlan } from "./scan-plan.js";

/** Where a long scan leaves what is done, so that it can go on after an interruption: a file (`fileCheckpoint` of ewald/io/node), a database. */
export interface CheckpointStore {
  /** What was saved last; undefined when there is nothing. */
  load(): Promise<Uint8Array | undefined>;
  /** Replace it, as a whole or not at all. */
  save(bytes: Uint8Array): Promise<void>;
}

/**
 * State of a scan after its first `done` probes. The file is an NPZ archive (`numpy.load` reads it): `format` (UTF-8 bytes of a JSON object with
 * format "ewald-scan", version 1, and the scan's key), `done` f64 [1], `sums` f64 [depths, done, sums] in fractions of the beam, and for patterns
 * that are kept in memory `patterns0` … f32 [depths, done, my, mx].
 */
export interface ScanState {
  readonly done: number;
  readonly sums: Float64Array;
  readonly patterns: readonly Float32Array[];
}

/** Two 32-bit FNV-1a hashes over numbers and texts: names a scan, so that a checkpoint is not taken for another one. */
export function scanKey(plan: ScanPlan): string {
  let h1 = 0x811c9dc5,
    h2 = 0x1b873593;
  const byte = (b: number): void => {
    h1 = Math.imul(h1 ^ b, 0x01000193);
    h2 = Math.imul(h2 ^ b, 0x01000193) ^ (h1 >>> 13);
  };
  const bytes = (a: TypedArray): void => {
    const view = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
    for (let i = 0; i < view.length; i++) byte(view[i]!);
  };
  const { setup } = plan,
    { grid, beam, detectors, potential, multislice } = setup;
  // Functions (form factors, an MTF) count by name alone; typed arrays by their values.
  const text = JSON.stringify(
    {
      grid,
      wavelength: beam.wavelength,
      detectors,
      potential,
      multislice,
      prism: plan.prism?.factors,
      exits: plan.exits,
      configurations: plan.configurations.count,
    },
    (_k, v: unknown) => (typeof v === "function" ? `function ${v.name}` : ArrayBuffer.isView(v) ? Array.from(v as unknown as number[]) : v),
  );
  for (let i = 0; i < text.length; i++) {
    byte(text.charCodeAt(i) & 255);
    byte(text.charCodeAt(i) >> 8);
  }
  bytes(plan.positions.positions);
  for (const w of plan.waves) {
    bytes(w.wave);
    bytes(Float64Array.of(w.weight));
  }
  // Vibrations about atoms at rest are functions of their index: the first stands for all. Snapshots of someone's own count one by one.
  const { rest, count, snapshot } = plan.configurations;
  for (let i = 0; i < (rest ? 1 : count); i++) {
    const m = snapshot(i);
    for (const a of [m.cell, m.atomicNumbers, m.positions, m.occupancy, m.displacement, m.charge]) if (a) bytes(a);
  }
  const hex = (h: number): string => (h >>> 0).toString(16).padStart(8, "0");
  return hex(h1) + hex(h2);
}

export function encodeState(
  key: string,
  s: ScanState,
  depths: number,
  patterns: readonly { readonly my: number; readonly mx: number }[],
): Uint8Array {
  const format = new TextEncoder().encode(JSON.stringify({ format: "ewald-scan", version: 1, key }));
  return writeNpz(
    {
      format: { data: format, shape: [format.length] },
      done: { data: Float64Array.of(s.done), shape: [1] },
      sums: { data: s.sums, shape: [depths, s.done, s.sums.length / (depths * s.done)] },
      ...Object.fromEntries(
        s.patterns.map((p, i) => [`patterns${i}`, { data: p, shape: [depths, s.done, patterns[i]!.my, patterns[i]!.mx] }]),
      ),
    },
    { level: 0 },
  );
}

/** @throws bad-file for another kind of file; bad-value when the checkpoint belongs to another scan */
export async function decodeState(
  bytes: Uint8Array,
  key: string,
  plan: ScanPlan,
  kept: readonly { readonly my: number; readonly mx: number }[],
): Promise<ScanState> {
  const a = await readNpz(bytes);
  let head: { format?: unknown; version?: unknown; key?: unknown } = {};
  try {
    head = JSON.parse(new TextDecoder().decode(Uint8Array.from(a.format?.data ?? []))) as typeof head;
  } catch {
    /* told below */
  }
  if (head.format !== "ewald-scan" || head.version !== 1)
    fail("bad-file", { format: head.format, version: head.version }, "this file is no checkpoint of a scan (version 1)");
  if (head.key !== key)
    fail(
      "bad-value",
      { checkpoint: head.key, scan: key },
      "the checkpoint belongs to another scan: same structure, grid, probe, detectors and positions are needed; delete the file to start anew",
    );
  const done = a.done?.data[0] ?? Number.NaN,
    depths = plan.exits.length,
    sums = a.sums?.data;
  if (
    !(
      Number.isInteger(done) &&
      done >= 1 &&
      done <= plan.probes &&
      sums instanceof Float64Array &&
      sums.length === depths * done * plan.detectors.sums
    )
  )
    fail("bad-file", { done, sums: sums?.length }, "the checkpoint is damaged: delete it to start anew");
  const patterns = kept.map((p, i) => {
    const d = a[`patterns${i}`]?.data;
    return d instanceof Float32Array && d.length === depths * done * p.my * p.mx
      ? d
      : fail(
          "bad-file",
          { pattern: i, length: d?.length },
          "the checkpoint holds other patterns than this scan keeps: delete it to start anew",
        );
  });
  return { done, sums: sums as Float64Array, patterns };
}
