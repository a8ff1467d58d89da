import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { tsxUrl } from "../../tests/paths.js";
import { rng } from "../core/rng.js";
import type { FrameSource } from "../io/frames.js";
import { findSeriesSpots, seriesPeaks, suggestSpotSettings } from "./spot-series.js";

const shape = [256, 256] as const;
/** A few different frames with ten spots each, so that a series of any length costs nothing to make. */
const templates = Array.from({ length: 4 }, (_, k) => {
  const random = rng("templates").fork(k),
    data = new Float32Array(shape[0] * shape[1]);
  for (let i = 0; i < data.length; i++)
    data[i] = random.poisson(3 + 2000 * Math.exp(-(((i % 256) - 128) ** 2 + (Math.floor(i / 256) - 120) ** 2) / 20));
  for (let s = 0; s < 10; s++) {
    const x = 20 + Math.floor(210 * random.uniform()),
      y = 20 + Math.floor(80 * random.uniform());
    for (let j = -4; j <= 4; j++) for (let i = -4; i <= 4; i++) data[(y + j) * 256 + x + i]! += 120 * Math.exp(-(i * i + j * j) / 4);
  }
  return data;
});

describe("a long series", () => {
  const source = (n: number): FrameSource => ({
    format: "made up",
    shape: [n, ...shape],
    dtype: "f32",
    metadata: {},
    facts: {},
    warnings: [],
    read: async (i) => ({ data: templates[i % templates.length]!.slice(), shape }),
  });

  // In a process of its own, whose collector can be called and whose memory is nobody else's.
  test("no more than a few frames are held, however long it is", () => {
    const module = JSON.stringify(new URL("./spot-series.ts", import.meta.url).href);
    const program = `
      import { findSeriesSpots, suggestSpotSettings } from ${module};
      const data = Float32Array.from({ length: 65536 }, (_, i) =>
        3 + (i * 7919) % 4 + 2000 * Math.exp(-(((i % 256) - 128) ** 2 + (Math.floor(i / 256) - 120) ** 2) / 20) +
        (Math.abs(i % 64 - 5) < 2 && Math.abs((i >> 8) % 64 - 5) < 2 ? 100 : 0));
      const used = () => { gc(); gc(); return process.memoryUsage().arrayBuffers; };
      const peak = async (n) => {
        const source = { shape: [n, 256, 256], facts: {}, warnings: [], read: async () => ({ data: data.slice(), shape: [256, 256] }) };
        const settings = await suggestSpotSettings(source, { minSnr: 15 });
        const before = used();
        let most = 0, found = 0;
        await findSeriesSpots(source, settings, {
          onProgress: (p) => { if (p.done % 20 === 0) most = Math.max(most, used() - before); },
          onFrame: (_, __, { spots }) => { found += spots.size; },
        });
        return { frames: most / data.byteLength, spots: found / n };
      };
      console.log(JSON.stringify([await peak(40), await peak(40), await peak(400)]));`;
    const r = spawnSync(process.execPath, ["--expose-gc", "--import", tsxUrl, "--input-type=module", "-e", program], { encoding: "utf8" });
    expect(r.status, r.stderr).toBe(0);
    const [, short, long] = JSON.parse(r.stdout) as { frames: number; spots: number }[];
    console.log(
      `most memory held, in frames: ${short!.frames.toFixed(1)} of 40, ${long!.frames.toFixed(1)} of 400 with ${long!.spots} spots each`,
    );
    expect(long!.spots).toBeGreaterThan(5);
    expect(short!.frames).toBeLessThan(6);
    // The tables of the spots found stay, 100 bytes a spot; frames do not.
    expect(long!.frames - (400 * long!.spots * 100) / (4 * 256 * 256)).toBeLessThan(6);
  });

  test("the same frames give the same spots, wherever they stand in the series", async () => {
    const settings = await suggestSpotSettings(source(40));
    const frames = await findSeriesSpots(source(40), settings);
    for (const [i, f] of frames.entries()) expect(f.spots.x).toEqual(frames[i % templates.length]!.spots.x);
    const peaks = seriesPeaks(
      frames,
      Float64Array.from({ length: 40 }, (_, i) => i / 2),
    );
    expect(peaks.size).toBe(frames.reduce((s, f) => s + f.spots.flagged.filter((v) => v === 0).length, 0));
    expect(peaks.alphaDeg[peaks.size - 1]).toBe(19.5);
    expect(() => seriesPeaks(frames, [1, 2])).toThrow(/bad-shape/);
  });

  test("frames in memory do not keep the event loop from others, nor the signal from being heard", async () => {
    const settings = await suggestSpotSettings(source(300)),
      control = new AbortController();
    let done = 0;
    setTimeout(() => control.abort(new Error("enough")), 60);
    const running = findSeriesSpots(source(300), settings, {
      signal: control.signal,
      onProgress: (p) => {
        done = p.done;
      },
    });
    await expect(running).rejects.toThrow("enough");
    expect(done).toBeLessThan(300);
  });
});
