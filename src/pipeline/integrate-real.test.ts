import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { beam, detector, noDistortion } from "../geometry/index.js";
import { integrateSeries } from "../integration/index.js";
import { parseCifPets } from "../io/index.js";
import { openPath } from "../io/node/index.js";
import { dataPath, hasData } from "../testing/data.js";
import { frameFormats } from "./inspect.js";

const folder = "3ded/glycine_pets",
  there = hasData(`${folder}/00001.tiff`);

test.skipIf(!there)(
  `glycine, frame 1 with PETS2's geometry: intensities are proportional to PETS2's${there ? "" : " [skipped: not under EWALD_DATA]"}`,
  async () => {
    const text = (name: string): string => readFileSync(dataPath(`${folder}/${name}`), "utf8"),
      numbers = (line: string): number[] => line.trim().split(/\s+/).map(Number);
    const source = await openPath(dataPath(`${folder}/00001.tiff`), { formats: frameFormats }),
      { ub, zones } = parseCifPets(text("glycine.cif_pets")).value,
      [cx, cy] = numbers(text("glycine.cenloc").split("\n")[0]!) as [number, number];
    const { intensities: t, shifts } = await integrateSeries(
      source,
      {
        ub: ub as never,
        instrument: {
          beam: beam(200),
          detector: detector({ nx: source.shape[2], ny: source.shape[1], invAngstromPerPixel: 0.00534, centrePx: [cx - 1, cy - 1] }),
          distortion: noDistortion,
          exposure: { kind: "continuous", halfWidthDeg: 0.18 },
        },
        geometry: [{ alphaDeg: zones.alphaDeg[0]!, betaDeg: zones.betaDeg[0]!, omegaDeg: zones.omegaDeg[0]! }],
        rocking: { rcWidth: 0.0012, mosaicityDeg: 0.21 },
        settings: { noise: { gain: 2.5, psi: 1 }, diameter: 8, saturation: 20000, mask: undefined, minRadius: 17, maxRadius: 1e9 },
      },
      { dMin: 0.8 },
    );
    expect(Math.hypot(shifts[0]!.dx, shifts[0]!.dy)).toBeLessThan(0.3);
    // Peaks of PETS2 on this frame that a reflection is predicted at; its lattice leaves some of the 18 unexplained.
    const ratios: number[] = [];
    for (const c of text("glycine.cor").trim().split("\n").map(numbers)) {
      if (c[11] !== 1) continue;
      for (let i = 0; i < t.size; i++) {
        if (Math.hypot(t.px[2 * i]! - c[7]! + 1, t.px[2 * i + 1]! - c[8]! + 1) < 0.3) ratios.push(t.intensity[i]! / c[3]!);
      }
    }
    ratios.sort((a, b) => a - b);
    const median = ratios[ratios.length >> 1]!;
    expect(ratios.length).toBeGreaterThanOrEqual(8);
    expect(ratios.filter((r) => Math.abs(r / median - 1) < 0.1).length).toBeGreaterThanOrEqual(6);
  },
);
