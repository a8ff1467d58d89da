import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { File, ready } from "h5wasm/node";
import { rng } from "../src/core/rng.js";
import { hdf5Frames, openHdf5 } from "../src/io/hdf5/index.js";
import { type Report, runPython, timeAsync } from "./harness.js";

/** A 4-D scan, 64 × 64 patterns of 64 × 64 u16 counts, gzip level 4 in chunks of 1 × 8 patterns: 32 MiB of values. */
const N = 64,
  MIB = (N ** 4 * 2) / 2 ** 20;
function scan(): Uint16Array {
  const g = rng("bench hdf5"),
    // One noisy tile, shifted from frame to frame: Poisson draws for all of it would take longer than the benchmark.
    tile = Uint16Array.from({ length: 3 * N * N }, (_, i) => g.poisson(2 + 60 * Math.exp(-(((i % N) - 32) ** 2) / 80)));
  const data = new Uint16Array(N ** 4);
  for (let f = 0; f < N * N; f++) {
    const at = (f * 977) % (2 * N * N);
    data.set(tile.subarray(at, at + N * N), f * N * N);
  }
  return data;
}

export async function run(report: Report): Promise<void> {
  await ready;
  const folder = mkdtempSync(join(tmpdir(), "ewald-bench-"));
  try {
    for (const [label, chunks] of [
      ["chunks of 8 patterns", [1, 8, N, N]],
      ["chunks of 8 × 8 × 16 × 16", [8, 8, 16, 16]],
    ] as const) {
      const path = join(folder, `${chunks[0]}.h5`),
        file = new File(path, "w");
      file.create_dataset({ name: "scan", data: scan(), shape: [N, N, N, N], dtype: "<H", chunks: [...chunks], compression: 4 });
      file.close();

      const h = await openHdf5(path),
        d = await h.dataset("scan");
      const rows = await timeAsync(
        async () => {
          for (let y = 0; y < N; y++) await d.read([[y, y + 1], ...[N, N, N].map((n) => [0, n] as const)]);
        },
        { warmMs: 0, forMs: 0 },
      );
      await h.close();
      const plain = await timeAsync(
        async () => {
          const raw = new File(path, "r"),
            set = raw.get("scan") as unknown as { slice(r: number[][]): Uint16Array };
          for (let y = 0; y < N; y++) set.slice([[y, y + 1], ...[N, N, N].map((n) => [0, n])]);
          raw.close();
        },
        { warmMs: 0, forMs: 0 },
      );
      const frames = await timeAsync(
        async () => {
          const f = await hdf5Frames(path);
          for (let i = 0; i < N * N; i++) await f.read(i);
          await f.close?.();
        },
        { warmMs: 0, forMs: 0 },
      );
      const peer = runPython<{ rows: number; frames: number }>(`
import h5py, json, time
best = {"rows": 1e9, "frames": 1e9}
for _ in range(3):
    with h5py.File(${JSON.stringify(path)}) as f:
        t = time.perf_counter()
        for y in range(${N}): f["scan"][y]
        best["rows"] = min(best["rows"], 1000 * (time.perf_counter() - t))
    with h5py.File(${JSON.stringify(path)}) as f:
        d = f["scan"]; t = time.perf_counter()
        for y in range(${N}):
            for x in range(${N}): d[y, x]
        best["frames"] = min(best["frames"], 1000 * (time.perf_counter() - t))
print(json.dumps(best))`);
      const speed = (ms: number): string => `${((1000 * MIB) / ms).toFixed(0)} MiB/s`;
      report({ name: `HDF5 row by row, ${label}`, ms: rows, peer: "h5wasm alone", peerMs: plain, note: speed(rows) });
      if (peer) report({ name: `HDF5 row by row, ${label}`, ms: rows, peer: "h5py", peerMs: peer.rows, note: speed(rows) });
      report({
        name: `HDF5 frame by frame, ${label}`,
        ms: frames,
        ...(peer ? { peer: "h5py", peerMs: peer.frames } : {}),
        note: speed(frames),
      });
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
