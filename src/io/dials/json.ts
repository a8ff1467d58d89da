import { fail } from "../../core/errors.js";
import type { WarningList } from "../text.js";

/** A place in a JSON value, with checked access; every error names the path. */
export interface Json {
  readonly present: boolean;
  key(name: string): Json;
  at(index: number): Json;
  /** Elements of a list; an empty list when the place is absent. */
  items(): readonly Json[];
  text(): string | undefined;
  number(): number | undefined;
  integer(): number | undefined;
  /** A list of numbers. */
  numbers(): readonly number[];
  /** A list of exactly `n` numbers. */
  vector(n: number): readonly number[];
}

/** Parse JSON and open it for checked access. Python's NaN and Infinity are taken for null, with a warning. */
export function jsonReader(text: string, what: string, warnings: WarningList): Json {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (e) {
    const repaired = text.replace(/(?<=[[\s:,])-?(?:NaN|Infinity)(?=[\s,\]}])/g, "null");
    try {
      value = JSON.parse(repaired);
      warnings.add("NaN or Infinity, which JSON does not have, is read as null");
    } catch {
      fail(
        "bad-file",
        { error: (e as Error).message.slice(0, 100) },
        `a ${what} file is JSON; this one is cut, damaged or of another format`,
      );
    }
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    fail("bad-file", { type: typeof value }, `a ${what} file is a JSON object`);
  return place(value, "");
}

function place(value: unknown, path: string): Json {
  const wrong = (wanted: string): never =>
    fail(
      "bad-file",
      { path: path || "(root)", found: value === undefined ? "nothing" : Array.isArray(value) ? `list of ${value.length}` : typeof value },
      `${wanted} is wanted at ${path}`,
    );
  const numbers = (): readonly number[] => {
    if (!Array.isArray(value) || !value.every((v) => typeof v === "number" || v === null)) return wrong("a list of numbers");
    return value.map((v) => (v === null ? Number.NaN : (v as number)));
  };
  return {
    present: value !== undefined && value !== null,
    key: (name) =>
      place(
        typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined,
        path ? `${path}.${name}` : name,
      ),
    at: (i) => place(Array.isArray(value) ? value[i] : undefined, `${path}[${i}]`),
    items: () => {
      if (value === undefined || value === null) return [];
      return Array.isArray(value) ? value.map((v, i) => place(v, `${path}[${i}]`)) : wrong("a list");
    },
    text: () => (typeof value === "string" ? value : value === undefined || value === null ? undefined : wrong("a text")),
    number: () => (typeof value === "number" ? value : value === undefined || value === null ? undefined : wrong("a number")),
    integer: () => (Number.isInteger(value) ? (value as number) : value === undefined || value === null ? undefined : wrong("an integer")),
    numbers,
    vector: (n) => {
      const v = numbers();
      return v.length === n ? v : wrong(`a list of ${n} numbers`);
    },
  };
}
