import { expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { findBeamStop, joinMasks } from "../integration/beam-stop.js";
import { simulateSeries } from "./simulate.js";
import { triclinicCase, twinCase } from "./simulate-cases.js";
import { simulationSource } from "./simulate-source.js";

test("the bar of the triclinic series is found to a pixel or two; a series without one has none", async () => {
  const c = triclinicCase();
  const s = simulateSeries({ ...c.options, frames: 12 }, rng(c.seed));
  const centre = s.instrument.detector.centrePx;
  const stop = await findBeamStop(simulationSource(s), centre, { frames: 12 });
  const [, ny, nx] = s.shape;
  const u = [Math.cos((200 * Math.PI) / 180), -Math.sin((200 * Math.PI) / 180)] as const;
  let covered = 0,
    shadow = 0,
    spare = 0;
  for (let y = 0; y < ny; y++)
    for (let x = 0; x < nx; x++) {
      const dx = x - centre[0],
        dy = y - centre[1];
      if (Math.hypot(dx, dy) < 25) continue; // nothing is measured there
      const along = dx * u[0] + dy * u[1],
        off = along < 0 ? Number.POSITIVE_INFINITY : Math.abs(dx * u[1] - dy * u[0]);
      const masked = stop!.mask[y * nx + x]! > 0;
      if (off < 8) {
        shadow++;
        if (masked) covered++;
      } else if (off > 15 && masked) spare++;
    }
  expect(covered / shadow).toBeGreaterThan(0.98);
  expect(spare).toBeLessThan(0.02 * stop!.pixels);
  const open = twinCase();
  expect(
    await findBeamStop(simulationSource(simulateSeries({ ...open.options, frames: 8 }, rng(1))), centre, { frames: 8 }),
  ).toBeUndefined();
});

test("masks join", () => {
  expect(joinMasks(Uint8Array.of(1, 0), Uint8Array.of(4, 4))).toEqual(Uint8Array.of(5, 4));
  expect(joinMasks(undefined, Uint8Array.of(4))).toEqual(Uint8Array.of(4));
  expect(joinMasks(undefined, undefined)).toBeUndefined();
});
