import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrayBuffer } from "geotiff";
import { rng } from "../src/core/rng.js";
import {
  cbfFrames,
  decodeNumbers,
  mibFrames,
  mrcFrames,
  npyFrames,
  smvFrames,
  tiffFrames,
  writeCbf,
  writeMrc,
  writeNpy,
  writeSmv,
  writeTiff,
} from "../src/io/index.js";
import { unpackRawInto } from "../src/io/mib-raw.js";
import { type Report, runPython, timeAsync } from "./harness.js";

const N = 2048;
const g = rng("bench io");
const pixels = Uint16Array.from({ length: N * N }, (_, i) => g.poisson(i % 97 === 0 ? 3000 : 20));
const image = { data: pixels, shape: [N, N] as const };
const signed = { data: Int32Array.from(pixels), shape: image.shape };

/** A Merlin file of `n` frames of 512² big-endian u16 (or 1-bit raw of 256²). */
function mib(n: number, kind: "U16" | "R64"): Uint8Array {
  const side = kind === "U16" ? 512 : 256,
    size = kind === "U16" ? side * side * 2 : (side * side) / 8;
  const out = new Uint8Array(n * (384 + size));
  for (let i = 0; i < n; i++) {
    const text = `MQ1,${String(i + 1).padStart(6, "0")},00384,01,0${side},0${side},${kind},   1x1,01,2021-04-15 14:00:21.679912,0.001000,0,0,0,1.0E+1,MQ1A,2021-04-15T14:00:21.679912481Z,1000000ns,${kind === "U16" ? 12 : 1}`;
    out.set(new TextEncoder().encode(text), i * (384 + size));
    for (let k = 0; k < size; k++) out[i * (384 + size) + 384 + k] = (k * 31 + i) & (k % 2 || kind === "R64" ? 255 : 15);
  }
  return out;
}

/** Plain loops that a user would write: the baselines. */
function plainCbf(bytes: Uint8Array, n: number): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset),
    out = new Int32Array(n);
  let at = 0,
    v = 0;
  for (let i = 0; i < n; i++) {
    let d = view.getInt8(at++);
    if (d === -128) {
      d = view.getInt16(at, true);
      at += 2;
      if (d === -32768) {
        d = view.getInt32(at, true);
        at += 4;
      }
    }
    v += d;
    out[i] = v;
  }
  return out;
}
function plainBig(bytes: Uint8Array): Uint16Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    out = new Uint16Array(bytes.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = view.getUint16(2 * i, false);
  return out;
}

async function readAllFrames(
  open: Promise<{ readonly shape: readonly [number, number, number]; read(i: number): Promise<unknown> }>,
): Promise<void> {
  const s = await open;
  for (let i = 0; i < s.shape[0]; i++) await s.read(i);
}

/** Decoding of detector formats from memory, 2048² u16 unless the name says otherwise, against plain loops, geotiff and the Python readers. */
export async function run(report: Report): Promise<void> {
  const smv = writeSmv(image),
    cbf = writeCbf(signed),
    tiff = writeTiff(image),
    deflated = writeTiff(image, { compression: "deflate", level: 6 }),
    mrc = writeMrc(pixels, [1, N, N]),
    npy = writeNpy(pixels, [N, N]);
  const merlin = mib(100, "U16"),
    raw = mib(400, "R64");
  const dir = mkdtempSync(join(tmpdir(), "ewald-bench-"));
  for (const [name, bytes] of Object.entries({ "a.img": smv, "a.cbf": cbf, "a.tif": tiff, "d.tif": deflated, "a.mrc": mrc, "a.npy": npy }))
    writeFileSync(join(dir, name), bytes);
  const peers = runPython<Record<string, number>>(`
import io, json, time, gzip, numpy as np
def best(f):
    f(); t = []
    for _ in range(7):
        s = time.perf_counter(); f(); t.append(1e3 * (time.perf_counter() - s))
    return min(t)
d = ${JSON.stringify(dir)}
b = lambda n: open(d + "/" + n, "rb").read()
out = {}
def row(key, f):
    try: out[key] = best(f)
    except Exception as e: pass
x = b("a.npy"); row("npy", lambda: np.load(io.BytesIO(x)))
try:
    import tifffile
    t = b("a.tif"); row("tiff", lambda: tifffile.imread(io.BytesIO(t)))
    z = b("d.tif"); row("deflate", lambda: tifffile.imread(io.BytesIO(z), maxworkers=1))
except ImportError: pass
try:
    import mrcfile
    row("mrc", lambda: np.array(mrcfile.open(d + "/a.mrc").data))
except ImportError: pass
try:
    import fabio
    row("smv", lambda: fabio.open(d + "/a.img").data)
    row("cbf", lambda: fabio.open(d + "/a.cbf").data)
except ImportError: pass
print(json.dumps(out))
`);
  rmSync(dir, { recursive: true });
  const mb = (bytes: number, ms: number): string => `${(bytes / 1e3 / ms).toFixed(0)} MB/s of pixels`;
  const row = async (
    name: string,
    bytes: number,
    ours: () => Promise<unknown>,
    baseline?: [string, () => unknown],
    python?: [string, string],
  ): Promise<void> => {
    const ms = await timeAsync(async () => void (await ours()), { warmMs: 150, forMs: 400 });
    if (baseline) {
      const peerMs = await timeAsync(async () => void (await baseline[1]()), { warmMs: 150, forMs: 400 });
      report({ name, ms, peer: baseline[0], peerMs, note: mb(bytes, ms) });
    }
    const theirs = python && peers?.[python[1]];
    if (theirs) report({ name, ms, peer: python[0], peerMs: theirs, note: mb(bytes, ms) });
    if (!baseline && !theirs) report({ name, ms, note: mb(bytes, ms) });
  };
  const one = 2 * N * N;
  const geo = (bytes: Uint8Array<ArrayBuffer>) => async () => (await (await fromArrayBuffer(bytes.buffer)).getImage()).readRasters();
  await row(
    "SMV",
    one,
    () => readAllFrames(smvFrames(smv)),
    ["plain copy", () => new Uint16Array(smv.buffer.slice(512))],
    ["fabio", "smv"],
  );
  await row(
    "MRC",
    one,
    () => readAllFrames(mrcFrames(mrc)),
    ["plain copy", () => new Uint16Array(mrc.buffer.slice(1024))],
    ["mrcfile", "mrc"],
  );
  await row(
    "NPY",
    one,
    () => readAllFrames(npyFrames(npy)),
    ["plain copy", () => new Uint16Array(npy.buffer.slice(128))],
    ["NumPy", "npy"],
  );
  await row("TIFF", one, () => readAllFrames(tiffFrames(tiff)), ["geotiff", geo(tiff)], ["tifffile", "tiff"]);
  await row("TIFF, deflate", one, () => readAllFrames(tiffFrames(deflated)), ["geotiff", geo(deflated)], ["tifffile", "deflate"]);
  const body = cbf.subarray(cbf.findIndex((v, i) => v === 0x0c && cbf[i + 1] === 0x1a && cbf[i + 2] === 0x04) + 4);
  await row(
    "CBF byte offsets",
    2 * one,
    () => readAllFrames(cbfFrames(cbf)),
    ["DataView loop", () => plainCbf(body, N * N)],
    ["fabio", "cbf"],
  );
  await row("MIB, 100 frames 512²", 100 * 2 * 512 * 512, () => readAllFrames(mibFrames(merlin)), ["DataView loop", () => plainBig(merlin)]);
  const bits = new Uint8Array(256 * 256);
  await row("MIB raw 1 bit, 400 frames 256²", 400 * 65536, () => readAllFrames(mibFrames(raw)), [
    "kernel alone",
    () => {
      for (let i = 0; i < 400; i++) unpackRawInto(bits, raw.subarray(i * (384 + 8192) + 384), 1);
    },
  ]);
  await row("write SMV", one, async () => writeSmv(image));
  await row("write TIFF", one, async () => writeTiff(image));
  await row("write TIFF, deflate level 1", one, async () => writeTiff(image, { compression: "deflate", level: 1 }));
  await row("write CBF", 2 * one, async () => writeCbf(signed));
  await row("swap bytes of u16 (decodeNumbers)", one, async () => decodeNumbers(new Uint8Array(pixels.buffer), "u16", false));
}
