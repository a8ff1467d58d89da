// Spots of a frame: position, counts above background and their uncertainty; with --png a picture.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, isSdkError } from "../src/core/index.js";
import { findSeriesSpots, suggestSpotSettings } from "../src/integration/index.js";
import { openPath } from "../src/io/node/index.js";
import { frameFormats, spotPicture } from "../src/pipeline/index.js";

const usage = `usage: find-spots <image | folder | "glob"> [--frame n] [--snr 6] [--diameter px] [--noise gain,psi] [--png out.png] [--json]
  --frame n   the frame of a stack or series, from 0
  --snr       least I/σ; diameter and noise (variance = gain · counts + psi) are found from the frames when not given`;

async function main(): Promise<void> {
  const text = { type: "string" } as const,
    flag = { type: "boolean" } as const,
    options = { frame: text, snr: text, diameter: text, noise: text, png: text, json: flag, help: flag };
  const { values: o, positionals } = parseArgs({ options, allowPositionals: true });
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name an image, a folder or a glob\n${usage}`);
  const numbers = (name: "frame" | "snr" | "diameter" | "noise"): number[] =>
    (o[name]?.split(",") ?? []).map((t) => (t.trim() && Number.isFinite(Number(t)) ? Number(t) : fail("bad-value", { [name]: t }, usage)));

  const series = await openPath(path, { formats: frameFormats });
  for (const w of series.warnings) console.error(`note: ${w}`);
  const [gain, psi = 0] = numbers("noise"),
    [diameter] = numbers("diameter"),
    [minSnr] = numbers("snr"),
    [frame = 0] = numbers("frame");
  const noise = gain === undefined ? undefined : { gain, psi };
  const settings = await suggestSpotSettings(series, { noise, diameter, minSnr });
  const image = await series.read(frame); // as a series of one
  const alone = { ...series, shape: [1, series.shape[1], series.shape[2]] as const, read: async () => image };
  const found = (await findSeriesSpots(alone, settings))[0]!,
    { spots, centre } = found;
  const rows = Array.from(spots.x, (px, i) => {
    const [py, intensity, sigma] = [spots.y[i]!, spots.intensity[i]!, spots.sigma[i]!];
    return { px, py, intensity, sigma, snr: intensity / sigma, flagged: spots.flagged[i] === 1 };
  });
  if (o.png) writeFileSync(o.png, spotPicture(image, found, settings.diameter));

  const { mask, ...rest } = settings,
    masked = mask?.reduce((n, v) => n + (v ? 1 : 0), 0) ?? 0;
  if (o.json) return console.log(JSON.stringify({ file: path, frame, settings: { ...rest, masked }, centre, spots: rows }));
  const columns = (...c: string[]): string => c.map((t) => t.padStart(9)).join(" ");
  const line = (r: (typeof rows)[number]): string =>
    columns(r.px.toFixed(2), r.py.toFixed(2), r.intensity.toFixed(0), r.sigma.toFixed(1), r.snr.toFixed(1)) + (r.flagged ? " *" : "");
  console.log([columns("px", "py", "I", "sigma", "I/sigma"), ...rows.map(line)].join("\n"));
  console.error(
    `${rows.length} spots (* on masked or saturated pixels), centre ${centre.x.toFixed(1)} ${centre.y.toFixed(1)} (${centre.method})`,
  );
  console.error(
    `box ${rest.diameter} px, noise ${rest.noise.gain.toFixed(2)} · counts + ${rest.noise.psi.toFixed(2)}, ${masked} px masked`,
  );
}
main().catch((e: unknown) => {
  console.error(isSdkError(e) || e instanceof TypeError ? `find-spots: ${(e as Error).message}` : e);
  process.exitCode = 1;
});
