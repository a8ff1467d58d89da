import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { rng } from "../core/rng.js";
import type { DynamicalCase } from "../pipeline/simulate-cases-dynamical.js";
import { simulateDynamical, type WaveIntensities } from "../pipeline/simulate-dynamical.js";

/** Waves of a case; EWALD_WAVES names a folder that keeps them by the name of the case. */
export async function keptWaves(c: DynamicalCase): Promise<WaveIntensities> {
  const folder = process.env.EWALD_WAVES,
    file = folder && join(folder, `waves-${c.name}.bin`);
  if (file && existsSync(file)) return deserialize(readFileSync(file)) as WaveIntensities;
  const found = await simulateDynamical(c.options, c.model, rng(c.seed), { workers: 1 });
  if (file) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, serialize(found));
  }
  return found;
}
