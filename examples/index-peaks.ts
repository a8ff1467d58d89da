// Tilt axis, sense of rotation, cell and orientation from a list of spots:  index-peaks <.rpl|.refl|folder> [--wavelength 0.02508] [--json] …
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { fail, isSdkError, runSync } from "../src/core/index.js";
import { cellParameters } from "../src/geometry/cell.js";
import { indexingOptionsFromPts, indexingSteps, maximaFromRefl, peaksFromRpl } from "../src/integration/index.js";
import { parseExpt, parsePts, parseRefl, parseRpl } from "../src/io/index.js";

const text = { type: "string" } as const;
const flags = {
  wavelength: text,
  aperpixel: text,
  angles: text,
  centre: text,
  omega: text,
  bravais: text,
  pts: text,
  expt: text,
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const; // prettier-ignore
const usage = `index-peaks <file.rpl | file.refl | folder> [--wavelength Å] [--aperpixel Å⁻¹] [--angles "from,step" | "a,b,c,…" degrees]
  [--centre x,y] [--omega degrees] [--bravais mP] [--pts file] [--expt file] [--json]
A .pts beside the .rpl, or an .expt beside the .refl, gives what is not on the command line.`;

/** The file itself, or the first one of the wanted kinds in its folder, in the order of `kinds`. */
function nearby(path: string, ...kinds: string[]): string | undefined {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const names = readdirSync(folder).sort();
  return kinds.flatMap((k) => names.filter((n) => n.endsWith(k))).map((n) => join(folder, n))[0];
}
function main(): void {
  const { values: o, positionals } = parseArgs({ options: flags, allowPositionals: true });
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name a file or a folder\n${usage}`);
  if (!existsSync(path)) fail("not-found", { path }, "there is no such file or folder");
  const file = statSync(path).isDirectory() ? nearby(path, ".rpl", "strong.refl", ".refl") : path;
  if (!file || ![".rpl", ".cor", ".refl"].includes(extname(file)))
    fail("unsupported", { path }, "give a .rpl, .cor or .refl file, or a folder with one");
  const number = (s: string, name: string): number =>
    s.trim() !== "" && Number.isFinite(Number(s)) ? Number(s) : fail("bad-value", { [name]: s }, `--${name} takes numbers`);
  const numbers = (s: string | undefined, name: string): number[] | undefined => s?.split(",").map((v) => number(v, name));
  const one = (s: string | undefined, name: string): number | undefined => (s === undefined ? undefined : number(s, name));
  const isRefl = extname(file) === ".refl";
  const companion = isRefl ? (o.expt ?? nearby(file, "imported.expt", ".expt")) : (o.pts ?? nearby(file, ".pts"));
  if (isRefl && !companion) fail("not-found", { file }, "a .refl needs the .expt of the same data beside it, or --expt");
  const known = isRefl
    ? maximaFromRefl(parseRefl(readFileSync(file)).value, parseExpt(readFileSync(companion!)).value[0]!)
    : {
        peaks: peaksFromRpl(parseRpl(readFileSync(file)).value),
        options: companion ? indexingOptionsFromPts(parsePts(readFileSync(companion)).value) : {},
      };
  const centre = numbers(o.centre, "centre"),
    list = numbers(o.angles, "angles"); // prettier-ignore
  const count = "peaks" in known ? Math.max(...known.peaks.frame) + 1 : known.options.alphaDeg!.length;
  const given = {
    wavelength: one(o.wavelength, "wavelength"),
    aperpixel: one(o.aperpixel, "aperpixel"),
    omegaDeg: one(o.omega, "omega"),
    bravais: o.bravais as "aP" | undefined,
    centrePx: centre && ([centre[0]!, centre[1]!] as const),
    alphaDeg: list?.length === 2 ? Array.from({ length: count }, (_, f) => list[0]! + f * list[1]!) : list,
  }; // prettier-ignore
  const options = {
    wavelength: Number.NaN,
    aperpixel: Number.NaN,
    ...known.options,
    ...Object.fromEntries(Object.entries(given).filter(([, v]) => v !== undefined)),
  };
  const r = runSync(indexingSteps("peaks" in known ? known.peaks : known, options), (p) =>
    process.stderr.write(`\r${p.done.toFixed(0).padStart(3)} % ${p.note.padEnd(40)}`),
  );
  process.stderr.write(`\n${file}${companion ? `, ${companion}` : ""}\n${r.warnings.map((w) => `note: ${w}\n`).join("")}`);
  const best = r.constrained;
  const su = cellParameters(best.cell).map((v, i) => `${v.toFixed(i < 3 ? 4 : 3)}(${best.cellSigma[i]!.toFixed(i < 3 ? 4 : 3)})`);
  if (o.json)
    return console.log(
      JSON.stringify({
        file,
        omegaDeg: r.omegaDeg,
        omegaSigmaDeg: r.omegaSigmaDeg,
        senseDecisive: r.sense?.decisive,
        bravais: r.suggested.bravais,
        cell: cellParameters(best.cell),
        cellSigma: best.cellSigma.slice(0, 6),
        ub: best.ub,
        fractionIndexed: r.indexed.fraction,
        indexed: r.indexed.count,
        maxima: r.maxima.size,
        rmsPx: best.rmsPx,
        candidates: r.candidates.map((c) => ({
          bravais: c.bravais,
          cell: cellParameters(c.cell),
          obliquityDeg: c.obliquityDeg,
          strain: c.strain,
        })),
        lattices: r.lattices,
        warnings: r.warnings,
      }),
    ); // prettier-ignore
  console.log(
    `tilt axis   ${r.omegaDeg.toFixed(3)}(${r.omegaSigmaDeg.toFixed(3)})°; the opposite sense indexes ${(100 * (r.sense?.other.fraction ?? 0)).toFixed(0)} % (${r.sense?.decisive ? "decisive" : "not decisive"})`,
  );
  console.log(`cell (${r.suggested.bravais})   ${su.slice(0, 3).join(" ")} Å  ${su.slice(3).join(" ")}°`);
  console.log(
    `indexed     ${r.indexed.count} of ${r.maxima.size} reflections (${(100 * r.indexed.fraction).toFixed(1)} %), rms ${best.rmsPx.toFixed(2)} px`,
  );
  for (const c of r.candidates)
    console.log(
      `candidate   ${c.bravais}  ${cellParameters(c.cell)
        .map((v) => v.toFixed(3))
        .join(" ")}  off by ${c.obliquityDeg.toFixed(2)}°, ${(100 * c.strain).toFixed(2)} %`,
    ); // prettier-ignore
  for (const [i, l] of r.lattices.entries()) console.log(`lattice ${i + 1}   explains ${l.explained} reflections, ${l.own} alone`); // prettier-ignore
}
try {
  main();
} catch (e) {
  console.error(isSdkError(e) ? `index-peaks: ${e.message}` : e);
  process.exitCode = 1;
}
