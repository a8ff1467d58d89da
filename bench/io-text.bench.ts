import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rng } from "../src/core/rng.js";
import { cifItem, cifLoop } from "../src/io/cif.js";
import { cifIntegers, cifNumbers } from "../src/io/cif-access.js";
import { parseCif } from "../src/io/cif-parse.js";
import { writeCif } from "../src/io/cif-write.js";
import { parseRefl } from "../src/io/dials/refl.js";
import { decodeMsgpack } from "../src/io/msgpack.js";
import { type PetsPeaks, parseRpl, writeRpl } from "../src/io/pets/lists.js";
import { hasData, readData } from "../src/testing/data.js";
import { type Report, runPython, time } from "./harness.js";

/** About 10 MB: a reflection list of a dynamical refinement, seeded. */
function bigCif(rows: number): Uint8Array {
  const g = rng("bench/io-text");
  const column = (f: () => string): string[] => Array.from({ length: rows }, f);
  const index = (): string => String(g.integer(60) - 30);
  const text = writeCif({
    version: "1.1",
    comments: [],
    blocks: [
      {
        name: "bench",
        entries: [
          cifItem("_cell_length_a", "5.7691(4)"),
          cifLoop({
            _refln_index_h: column(index),
            _refln_index_k: column(index),
            _refln_index_l: column(index),
            _refln_intensity_calc: column(() => (1e4 * g.uniform() ** 4).toFixed(2)),
            _refln_intensity_meas: column(() => (1e4 * g.uniform() ** 4 - 10).toFixed(2)),
            _refln_intensity_sigma: column(() => (100 * g.uniform()).toFixed(2)),
            _refln_scale_group_code: column(() => String(1 + g.integer(60))),
            _refln_observed_status: column(() => (g.uniform() < 0.5 ? "o" : "<")),
          }),
        ],
      },
    ],
  });
  return new TextEncoder().encode(text);
}
/** The plain way: split the same bytes into words with a regular expression and hand them out to columns, without grammar, quotes or comments. */
function splitWords(bytes: Uint8Array): string[][] {
  const words = new TextDecoder().decode(bytes).match(/\S+/g)!;
  const columns: string[][] = Array.from({ length: 8 }, () => []);
  for (const [i, w] of words.entries()) columns[i % 8]!.push(w);
  return columns;
}

export async function run(report: Report): Promise<void> {
  const bytes = bigCif(240_000),
    mb = (bytes.length / 1e6).toFixed(1);
  const path = join(tmpdir(), "ewald-bench.cif");
  writeFileSync(path, bytes);
  const gemmi = runPython<{ read: number; numbers: number }>(`
import gemmi, json, time
def best(f):
    t = []
    for _ in range(5):
        a = time.perf_counter(); f(); t.append(time.perf_counter() - a)
    return 1e3 * min(t)
text = open(${JSON.stringify(path)}).read()
def numbers():
    b = gemmi.cif.read_string(text)[0]
    for k in 'hkl': [int(v) for v in b.find_loop('_refln_index_' + k)]
    for k in ('calc', 'meas', 'sigma'): [gemmi.cif.as_number(v) for v in b.find_loop('_refln_intensity_' + k)]
print(json.dumps({'read': best(lambda: gemmi.cif.read_string(text)), 'numbers': best(numbers)}))`);
  const parse = time(() => void parseCif(bytes));
  const plain = time(() => void splitWords(bytes));
  report({ name: `CIF of ${mb} MB, parse`, ms: parse, peer: "plain word split", peerMs: plain, target: "< 500 ms" });
  if (gemmi) report({ name: `CIF of ${mb} MB, parse`, ms: parse, peer: "gemmi (C++)", peerMs: gemmi.read });
  const numbers = time(() => {
    const b = parseCif(bytes).value.blocks[0]!;
    for (const k of ["h", "k", "l"]) cifIntegers(b, `_refln_index_${k}`);
    for (const k of ["calc", "meas", "sigma"]) cifNumbers(b, `_refln_intensity_${k}`);
  });
  report({
    name: "the same, and six columns as numbers",
    ms: numbers,
    ...(gemmi ? { peer: "gemmi (Python)", peerMs: gemmi.numbers } : {}),
  });
  const value = parseCif(bytes).value;
  report({ name: "the same, written", ms: time(() => void writeCif(value)) });

  const peaks = fakePeaks(100_000),
    rpl = writeRpl(peaks);
  report({
    name: `.rpl of ${peaks.size} peaks, parse`,
    ms: time(() => void parseRpl(rpl)),
    peer: "split and Number",
    peerMs: time(() => void rpl.split("\n").map((l) => l.trim().split(/\s+/).map(Number))),
  });
  if (hasData("3ded", "quartz_dials", "integrated.refl")) {
    const refl = readData("3ded", "quartz_dials", "integrated.refl");
    const msgpack = runPython<number>(`
import msgpack, json, time
b = open(${JSON.stringify(join(process.env.EWALD_DATA ?? "../shared/data", "3ded/quartz_dials/integrated.refl"))}, 'rb').read()
def best(f):
    t = []
    for _ in range(20):
        a = time.perf_counter(); f(); t.append(time.perf_counter() - a)
    return 1e3 * min(t)
print(json.dumps(best(lambda: msgpack.unpackb(b, strict_map_key=False))))`);
    report({
      name: "integrated.refl (1653 rows), MessagePack alone",
      ms: time(() => void decodeMsgpack(refl)),
      ...(msgpack ? { peer: "msgpack (C)", peerMs: msgpack } : {}),
    });
    report({ name: "integrated.refl, 33 columns as typed arrays", ms: time(() => void parseRefl(refl)) });
  }
}
function fakePeaks(size: number): PetsPeaks {
  const g = rng("bench/peaks");
  const real = (f: number): Float64Array => Float64Array.from({ length: size }, () => f * (g.uniform() - 0.5));
  const integer = (n: number): Int32Array => Int32Array.from({ length: size }, () => g.integer(n));
  return {
    size,
    x: real(4),
    y: real(4),
    z: real(4),
    intensity: real(1000),
    sigma: real(20),
    pxMax: integer(516),
    pyMax: integer(516),
    px: real(500),
    py: real(500),
    alphaDeg: real(100),
    maximum: real(10000),
    frame: integer(160),
  };
}
