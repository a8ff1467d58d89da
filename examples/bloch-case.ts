// Dynamical intensities of a case file:  bloch-case <case.json> [base-case.json]
// Prints { name, outputs } as JSON, with the keys of the file's own outputs. A file of thickness averages needs the case that it averages:
// the file of that name beside it, or the second argument.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { averageOutputs, type BlochCase, caseOutputs, twoBeamOutputs, unknownInputs } from "../src/bloch/case.js";
import { fail, isSdkError } from "../src/core/errors.js";

function read(path: string): BlochCase {
  if (!existsSync(path)) fail("not-found", { path }, "there is no such case file");
  try {
    const c = JSON.parse(readFileSync(path, "utf8"));
    if (typeof c === "object" && c !== null) return c as BlochCase;
  } catch (cause) {
    return fail("bad-file", { path }, "a case file is JSON", cause);
  }
  return fail("bad-file", { path }, "a case file is a JSON object");
}

function outputs(path: string, base?: string): unknown {
  const c = read(path);
  const unknown = c.inputs ? unknownInputs(c.inputs) : [];
  if (unknown.length > 0) console.error(`note: not understood and not used: inputs.${unknown.join(", inputs.")}`);
  const own = c.inputs && c.averages ? averageOutputs(c.inputs, Object.keys(c.averages)) : undefined;
  if (c.inputs) return { ...caseOutputs(c.inputs), ...(own ? { averages: own } : {}) };
  if (c.noAbsorption || c.withAbsorption)
    return { noAbsorption: twoBeamOutputs(c.noAbsorption ?? []), withAbsorption: twoBeamOutputs(c.withAbsorption ?? []) };
  if (!c.averages) return fail("bad-file", { path, keys: Object.keys(c) }, "a case has inputs, two-beam rows, or averages");
  const named = c.description?.match(/for the case ([\w.-]+)/)?.[1];
  const from = base ?? (named ? join(dirname(path), `${named}.json`) : fail("bad-file", { path }, "the averages do not say of which case"));
  const inputs = read(from).inputs ?? fail("bad-file", { from }, "the base case has no inputs");
  return { averages: averageOutputs(inputs, Object.keys(c.averages)) };
}

const usage = "bloch-case <case.json> [base-case.json] [--json]";
try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: "boolean" }, help: { type: "boolean" } } });
  const [path = "", base] = positionals;
  if (values.help) console.log(usage);
  else if (!path) fail("bad-value", {}, `name a case file: ${usage}`);
  else console.log(JSON.stringify({ name: read(path).name, outputs: outputs(path, base) }, undefined, values.json ? 0 : 1));
} catch (e) {
  console.error(isSdkError(e) || e instanceof TypeError ? `bloch-case: ${(e as Error).message}` : e);
  process.exitCode = 1;
}
