// What a file holds: shape, type, header, least, greatest and mean value, and a picture.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { fail, isSdkError } from "../src/core/index.js";
import { bytesSource } from "../src/io/index.js";
import { fileSource, listFiles, zarrFolder } from "../src/io/node/index.js";
import { inspect } from "../src/pipeline/inspect.js";
import { summary } from "../src/pipeline/inspect-summary.js";
import { imagePng } from "../src/render/image.js";

const usage = `usage: inspect <file | folder | "glob"> [--frame n] [--png out.png] [--log] [--json]
  --frame n   the frame of a stack or series that --png draws, from 0
  --png file  write a picture (brightness by square root, --log by logarithm)
  --json      print JSON`;

/** A nested value as indented lines. */
function lines(value: unknown, indent = "  "): string[] {
  if (typeof value !== "object" || value === null) return [`${indent}${String(value)}`];
  return Object.entries(value).flatMap(([k, v]) => {
    if (typeof v === "object" && v !== null && Object.values(v).some((x) => typeof x === "object" && x !== null))
      return [`${indent}${k}:`, ...lines(v, `${indent}  `)];
    if (Array.isArray(v)) return [`${indent}${k}: ${v.join(typeof v[0] === "string" ? "; " : " ")}`];
    return typeof v === "object" && v !== null ? [`${indent}${k}:`, ...lines(v, `${indent}  `)] : [`${indent}${k}: ${v}`];
  });
}

async function main(): Promise<void> {
  const text = { type: "string" } as const,
    flag = { type: "boolean" } as const;
  const { values: o, positionals } = parseArgs({
    options: { png: text, frame: text, json: flag, log: flag, help: flag },
    allowPositionals: true,
  });
  if (o.help) return console.log(usage);
  if (positionals.length === 0) fail("bad-value", {}, `name a file, a folder or a glob\n${usage}`);
  const frame = Number(o.frame ?? 0);
  const zarr = positionals.length === 1 ? await zarrFolder(positionals[0]!) : undefined;
  const paths = zarr ? [] : (await Promise.all(positionals.map(listFiles))).flat();
  const r = zarr
    ? await inspect(bytesSource(new Uint8Array(0), positionals[0]), { frame, formats: [zarr], records: [] })
    : await inspect(await Promise.all(paths.map(fileSource)), { frame });
  const { image, content, ...rest } = r;
  for (const w of r.warnings) console.error(`note: ${w}`);
  if (o.png && !image) fail("unsupported", { format: r.format }, "this format holds no picture: leave --png out");
  const short = { ...rest, content: summary(content) };
  if (o.png && image) {
    writeFileSync(o.png, imagePng(image, { scale: { kind: o.log ? "log" : "sqrt" } }));
    console.error(`picture of frame ${frame}: ${o.png}`);
  }
  if (o.json) return console.log(JSON.stringify({ ...short, ...(o.png ? { png: o.png } : {}) }, null, 1));
  console.log(`${r.name}: ${r.format}${r.shape ? `, ${r.shape.join(" × ")} ${r.dtype}` : ""}, ${r.bytes} bytes`);
  const s = r.statistics;
  if (s) console.log(`min ${s.min}  max ${s.max}  mean ${s.mean.toPrecision(6)}  over ${s.frames} frame${s.frames > 1 ? "s" : ""}`);
  if (r.facts && Object.values(r.facts).some((v) => v !== undefined)) console.log(["facts", ...lines(summary(r.facts))].join("\n"));
  console.log([r.kind === "frames" ? "header" : "content", ...lines(short.content)].join("\n"));
}
main().catch((e: unknown) => {
  console.error(isSdkError(e) || e instanceof TypeError ? `inspect: ${(e as Error).message}` : e);
  process.exitCode = 1;
});
