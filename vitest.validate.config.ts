import { defineConfig } from "vitest/config";

/** Slow validation against real data and peers: `npm run validate`. */
export default defineConfig({
  test: { include: ["src/**/*.validate.ts", "tests/**/*.validate.ts"], testTimeout: 1_800_000, maxWorkers: 1 },
});
