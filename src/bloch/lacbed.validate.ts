import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { imagePng } from "../render/image.js";
import { describeData } from "../testing/data.js";
import { lithiumNiobate, measuredNiobate, niobatePatterns } from "../testing/lacbed.js";
import { fitPatterns, lacbedPatterns } from "./lacbed.js";

describeData("LiNbO3, measured digital LACBED at 42 pixels", ["3ded/lacbed_dm3/LiNbO3/LiNbO3_+0+0+0.dm3"], () => {
  test("thickness and correlation of each pattern; the picture, where EWALD_PICTURE names a file", { timeout: 600000 }, async () => {
    const pixels = 42,
      thickness = Float64Array.from({ length: 41 }, (_, i) => 1000 + 10 * i);
    const disks = lacbedPatterns(lithiumNiobate(1.9), Int32Array.from(niobatePatterns.flat()), {
      zone: [1, -1, 0],
      right: [1, 1, 0],
      down: [0, 0, 1],
      halfRange: 0.725,
      pixels,
      thickness,
      selection: { strength: 0.02, sMax: 0.006 },
    });
    const measured = await measuredNiobate(pixels),
      fit = fitPatterns(disks, measured);
    console.log(`thickness ${fit.thickness} Å, mean correlation ${fit.mean[fit.index]!.toFixed(3)}`);
    niobatePatterns.forEach((h, i) => {
      console.log(`${h.join(" ").padStart(8)}  ${fit.each[i]!.toFixed(3)}`);
    });
    expect(fit.mean[fit.index]!).toBeGreaterThan(0.89);
    expect(Math.min(...fit.each)).toBeGreaterThan(0.85);
    if (!process.env.EWALD_PICTURE) return;
    // measured above, simulated below, each pattern on its own scale
    const n = niobatePatterns.length,
      step = pixels + 2,
      width = n * step - 2,
      data = new Float64Array(width * (2 * step - 2)).fill(1);
    for (let row = 0; row < 2; row++)
      for (let i = 0; i < n; i++) {
        const area = pixels * pixels,
          from = row === 0 ? i * area : (fit.index * n + i) * area,
          picture = (row === 0 ? measured : disks.intensity).subarray(from, from + area);
        const sorted = picture.slice().sort(),
          low = sorted[Math.floor(0.01 * area)]!,
          high = sorted[Math.floor(0.99 * area)]!;
        for (let y = 0; y < pixels; y++)
          for (let x = 0; x < pixels; x++)
            data[(row * step + y) * width + i * step + x] = Math.min(1, Math.max(0, (picture[y * pixels + x]! - low) / (high - low)));
      }
    writeFileSync(process.env.EWALD_PICTURE, imagePng({ data, shape: [2 * step - 2, width] }, { scale: { range: [0, 1] }, zoom: 2 }));
  });
});
