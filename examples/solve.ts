// Structure from intensities:  solve <data.hkl|.cif|.cif_pets> --composition "Na2 Al2 Si3 O12 H4" [options]
import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { readInput } from "../bin/input.js";
import { fail, runSync } from "../src/core/index.js";
import { structureToCif, unitCell } from "../src/geometry/index.js";
import { writeCif } from "../src/io/index.js";
import { parseComposition, readSolutionInput, solutionRecord, solutionSummary, solveStructureSteps } from "../src/solution/index.js";
import { runCommand } from "./shared/command.js";

const usage = `solve <data.hkl|.cif|.cif_pets> --composition "Na2 Al2 Si3 O12 H4" [--cell "a b c alpha beta gamma"] [--block name] [--seed n]
  [--trials n] [--z n] [--laue mmm] [--group number] [--power 0.5…1] [--out solved.cif] [--json]
The result goes to stdout, progress and notes to stderr. A CIF's own cell and formula are taken where none are given.`;
const names = ["composition", "cell", "block", "seed", "trials", "z", "laue", "group", "power", "out"] as const;
const text = Object.fromEntries(names.map((n) => [n, { type: "string" }])) as Record<(typeof names)[number], { type: "string" }>;

function main(): void {
  const { values: o, positionals } = parseArgs({
    options: { ...text, json: { type: "boolean" }, help: { type: "boolean" } },
    allowPositionals: true,
  });
  if (o.help) return console.log(usage);
  const path = positionals[0] ?? fail("bad-value", {}, `name a reflection file\n${usage}`);
  const number = (name: (typeof names)[number]): number | undefined => {
    const value = o[name] === undefined ? undefined : Number(o[name]);
    return value === undefined || (o[name]!.trim() && value > 0)
      ? value
      : fail("bad-value", { [name]: o[name] }, `--${name} takes a positive number`);
  };
  // biome-ignore format: one idea
  const six = o.cell?.trim().split(/[\s,]+/).map(Number);
  if (six && (six.length !== 6 || !six.every(Number.isFinite)))
    fail("bad-cell", { cell: o.cell }, '--cell takes "a b c alpha beta gamma", Å and degrees');
  const cell = six && unitCell(...(six as [number, number, number, number, number, number]));
  const input = readSolutionInput(readInput(path), basename(path), { cell, block: o.block });
  const composition =
    o.composition ?? input.composition ?? fail("bad-value", { composition: "" }, 'a composition is needed: --composition "Na Al Si3 O8"');
  process.stderr.write(
    `${input.source}: ${input.reflections.size} reflections, ${input.cell}, ${[...parseComposition(composition)].map(([e, n]) => `${e}${n}`).join(" ")}\n`,
  );
  // biome-ignore format: one idea
  const options = { seed: number("seed"), trials: number("trials"), z: number("z"), laue: o.laue, spaceGroup: number("group"), power: number("power") };
  const steps = solveStructureSteps(input.reflections, input.cell, composition, options);
  const found = runSync(steps, (p) =>
    process.stderr.write(`\r${((100 * p.done) / p.total).toFixed(0).padStart(3)} % ${p.note.padEnd(60)}`),
  );
  const r = { ...found, warnings: [...input.warnings, ...found.warnings] };
  process.stderr.write(`\n${r.warnings.map((w) => `note: ${w}\n`).join("")}`);
  if (o.out) writeFileSync(o.out, writeCif({ version: "1.1", comments: [], blocks: [structureToCif(r.structure, "solution")] }));
  console.log(o.json ? JSON.stringify(solutionRecord(r)) : solutionSummary(r).join("\n"));
  if (r.status === "failed") process.exitCode = 2;
}
runCommand("solve", main);
