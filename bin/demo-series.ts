import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyPts, ptsImagesOf, withPtsImages, withPtsKeyword, writePts, writeTiff } from "../src/io/index.js";
import { type DynamicalCase, simulateCase } from "../src/pipeline/index.js";
import { progressBar } from "./progress.js";

/**
 * Write the frames of a dynamically simulated series as TIFF with a `.pts` beside them, once: a folder that holds the same series already is left alone.
 * The `.pts` says what a microscope would know: nominal angles, wavelength, scale; not the tilt axis, centre or cell.
 * @returns the path of the `.pts`
 */
export async function writeDemoSeries(folder: string, demo: DynamicalCase, signal: AbortSignal): Promise<string> {
  const mark = createHash("sha256")
    .update(JSON.stringify([demo.name, demo.seed, demo.model, demo.options]))
    .digest("hex");
  const pts = join(folder, `${demo.name}.pts`),
    stamp = join(folder, "made-by.json");
  if (existsSync(pts) && existsSync(stamp) && (JSON.parse(readFileSync(stamp, "utf8")) as { mark?: string }).mark === mark) return pts;
  mkdirSync(folder, { recursive: true });
  const waves = progressBar("Bloch waves");
  const sim = await simulateCase(demo, { signal, onProgress: waves.show }),
    names: string[] = [];
  waves.end();
  const bar = progressBar("frames");
  for (let i = 0; i < sim.shape[0]; i++) {
    signal.throwIfAborted();
    const frame = sim.frame(i),
      name = `${String(i + 1).padStart(5, "0")}.tiff`;
    const data = Uint16Array.from(frame.data, (v) => Math.min(65535, Math.max(0, Math.round(v))));
    writeFileSync(join(folder, name), writeTiff({ data, shape: frame.shape }, { compression: "deflate", level: 1 }));
    names.push(name);
    if (i % 8 === 7) await new Promise<void>((resume) => setTimeout(resume)); // Ctrl-C is heard
    bar.show({ done: i + 1, total: sim.shape[0], note: `frame ${i + 1} of ${sim.shape[0]}` });
  }
  bar.end();
  const e = sim.instrument.exposure,
    phi = e.kind === "continuous" ? e.halfWidthDeg : e.kind === "precession" ? e.semiAngleDeg : 0;
  const keywords: [string, string][] = [
    ["lambda", sim.instrument.beam.wavelength.toFixed(6)],
    ["aperpixel", String(sim.instrument.detector.invAngstromPerPixel)],
    ["geometry", e.kind],
    ["phi", phi.toFixed(5)],
    ["saturationlimit", String(sim.camera.saturation)],
  ];
  const document = keywords.reduce((d, [k, v]) => withPtsKeyword(d, k, v), emptyPts());
  writeFileSync(
    pts,
    writePts(withPtsImages(document, ptsImagesOf(names.map((file, i) => ({ file, alphaDeg: sim.nominal[i]!.alphaDeg }))))),
  );
  writeFileSync(stamp, `${JSON.stringify({ mark, case: demo.name, seed: demo.seed })}\n`);
  return pts;
}
