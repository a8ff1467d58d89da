import fc from "fast-check";
import { test } from "vitest";

export { fc };

/** A property test with a fixed seed; a failure prints the seed and path that replay it. */
export function prop<T extends [unknown, ...unknown[]]>(
  title: string,
  arbitraries: { [K in keyof T]: fc.Arbitrary<T[K]> },
  check: (...args: T) => void | boolean | Promise<void>,
  options: { runs?: number; seed?: number } = {},
): void {
  test(title, async () => {
    await fc.assert(
      fc.asyncProperty(...(arbitraries as unknown as [fc.Arbitrary<unknown>]), async (...args) => check(...(args as unknown as T))),
      { seed: options.seed ?? 20261120, numRuns: options.runs ?? 100 },
    );
  });
}
