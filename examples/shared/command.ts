import { parseArgs } from "node:util";
import { fail } from "../../src/core/index.js";

/** What an example program takes on its command line. */
export interface CommandSpec<N extends Readonly<Record<string, number | undefined>>, T extends string, F extends string> {
  readonly usage: string;
  /** Options that are numbers, with their defaults. */
  readonly numbers: N;
  readonly texts: readonly T[];
  readonly flags: readonly F[];
}
export interface Command<N, T extends string, F extends string> {
  readonly files: readonly string[];
  readonly numbers: { [K in keyof N]: N[K] | number };
  readonly texts: Partial<Record<T, string>>;
  readonly flags: Partial<Record<F, boolean>>;
  /** Numbers of a text option, or undefined where it is not given. @throws bad-value where one is no number, or there are not `count` */
  list(name: T, split?: string, count?: number): number[] | undefined;
}

/** The command line by its specification; undefined after `--help`, which prints the usage. @throws bad-value, TypeError for unknown options */
export function readCommand<const N extends Readonly<Record<string, number | undefined>>, const T extends string, const F extends string>(
  spec: CommandSpec<N, T, F>,
): Command<N, T, F> | undefined {
  const text = (n: string) => [n, { type: "string" }] as const,
    flag = (n: string) => [n, { type: "boolean" }] as const;
  const options = Object.fromEntries([...[...Object.keys(spec.numbers), ...spec.texts].map(text), ...["help", ...spec.flags].map(flag)]);
  const parsed = parseArgs({ options, allowPositionals: true }),
    values = parsed.values as Readonly<Record<string, string | boolean | undefined>>;
  if (values.help) return void console.log(spec.usage);
  const number = (name: string, given: string): number => {
    const v = given.trim() === "" ? Number.NaN : Number(given);
    return Number.isFinite(v) ? v : fail("bad-value", { [name]: given }, `--${name} is a number`);
  };
  const numbers = Object.fromEntries(
    Object.entries(spec.numbers).map(([n, d]) => [n, values[n] === undefined ? d : number(n, `${values[n]}`)]),
  );
  return {
    files: parsed.positionals,
    numbers: numbers as { [K in keyof N]: N[K] | number },
    texts: values as Partial<Record<T, string>>,
    flags: values as Partial<Record<F, boolean>>,
    list: (name, split = ",", count) => {
      const given = values[name];
      if (given === undefined) return undefined;
      const v = `${given}`.split(split).map((t) => number(name, t));
      return v.length === (count ?? v.length) ? v : fail("bad-value", { [name]: given }, `--${name} takes ${count} numbers\n${spec.usage}`);
    },
  };
}

/** Run a program: what it throws goes to stderr in one line, and the exit status is 1. */
export function runCommand(name: string, main: () => void | Promise<void>): void {
  Promise.resolve()
    .then(main)
    .catch((e: unknown) => {
      console.error(e instanceof Error ? `${name}: ${e.message}` : e);
      process.exitCode = 1;
    });
}
