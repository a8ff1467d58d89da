import type { Progress } from "../src/core/index.js";

/** A progress bar on stderr: redrawn in a terminal, one line per tenth elsewhere. */
export function progressBar(what: string): { show(p: Progress): void; end(): void } {
  const start = performance.now(),
    tty = process.stderr.isTTY === true;
  let tenth = -1,
    last = 0;
  return {
    show: ({ done, total, note }) => {
      const share = total > 0 ? Math.min(1, done / total) : 0,
        percent = `${Math.round(100 * share)}`.padStart(3);
      if (tty) {
        if (performance.now() - last < 50 && share < 1) return;
        last = performance.now();
        const filled = Math.round(28 * share);
        process.stderr.write(
          `\r${what} ${"█".repeat(filled)}${"░".repeat(28 - filled)} ${percent} % ${note}`
            .slice(0, (process.stderr.columns ?? 100) - 1)
            .padEnd((process.stderr.columns ?? 100) - 1),
        );
      } else if (Math.floor(10 * share) > tenth) {
        tenth = Math.floor(10 * share);
        process.stderr.write(`${what} ${percent} % ${note}\n`);
      }
    },
    end: () => {
      process.stderr.write(
        `${tty ? "\r" : ""}${what} done in ${((performance.now() - start) / 1000).toFixed(1)} s${tty ? " ".repeat(60) : ""}\n`,
      );
    },
  };
}
