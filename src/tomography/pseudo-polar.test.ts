import { expect, test } from "vitest";
import type { PoolCall } from "../core/pool.js";
import { rng } from "../core/rng.js";
import { fftWasm } from "../kernels/fft.js";
import { type Arena, arena } from "../kernels/memory.js";
import { slopesWasm } from "../kernels/slopes.js";
import { pseudoPolar } from "./pseudo-polar.js";

const run = (memory: Arena, calls: readonly PoolCall[]): void => {
  for (const c of calls)
    memory.family<Record<string, (...a: readonly number[]) => void>>(c.family === "fft" ? fftWasm : slopesWasm)[c.name]!(...c.args);
};
const dot = (a: Float64Array, b: Float64Array): number => a.reduce((s, v, i) => s + v * b[i]!, 0);

test.each([
  [8, 8, 16, 4, 1],
  [11, 14, 20, 8, 2],
  [13, 6, 24, 3, 6],
] as const)("pseudo-polar FFT of %i × %i slices: the direct sums to 1e-10, and an exact adjoint", (nz, nx, radial, steps, pairs) => {
  const memory = arena(),
    draw = rng(3),
    plan = pseudoPolar({ arena: memory, slice: [nz, nx], radial, steps, type: "f64" });
  const size = pairs * nz * nx,
    values = Float64Array.from({ length: 2 * size }, () => draw.normal()),
    count = plan.workBytes(pairs) / 8;
  const [vol, out, work, scratch] = [16 * size, 16 * size, 8 * count, plan.scratchBytes].map((n) => memory.alloc(n)) as [
    number,
    number,
    number,
    number,
  ];
  for (const sector of ["x", "z"] as const) {
    memory.f64(vol, 2 * size).set(values);
    run(memory, plan.forward(sector, vol, pairs, work, scratch));
    const got = memory.f64(work, count).slice();
    let worst = 0;
    for (let l = 0; l < radial; l++)
      for (let p = 0; p < pairs; p++)
        for (let j = -steps; j <= steps; j++) {
          const k = l <= radial / 2 ? l : l - radial;
          let [re, im] = [0, 0];
          for (let z = 0; z < nz; z++)
            for (let x = 0; x < nx; x++) {
              const [cx, cz] = [x - Math.floor(nx / 2), z - Math.floor(nz / 2)],
                t = (-2 * Math.PI * k * (sector === "x" ? cx + (j / steps) * cz : cz + (j / steps) * cx)) / radial;
              const [a, b] = [values[2 * ((p * nz + z) * nx + x)]!, values[2 * ((p * nz + z) * nx + x) + 1]!];
              re += a * Math.cos(t) - b * Math.sin(t);
              im += a * Math.sin(t) + b * Math.cos(t);
            }
          const at = 2 * ((l * pairs + p) * plan.width + Math.floor(plan.width / 2) + j);
          worst = Math.max(worst, Math.hypot(got[at]! - re, got[at + 1]! - im));
        }
    expect(worst).toBeLessThan(1e-10);
    const other = Float64Array.from({ length: count }, () => draw.normal());
    memory.f64(work, count).set(other);
    run(memory, plan.adjoint(sector, work, out, pairs, scratch, false));
    const back = memory.f64(out, 2 * size).slice();
    expect(Math.abs(dot(got, other) - dot(values, back)) / Math.sqrt(dot(got, got) * dot(other, other))).toBeLessThan(1e-12);
    memory.f64(work, count).set(other);
    run(memory, plan.adjoint(sector, work, out, pairs, scratch, true));
    expect(memory.f64(out, 2 * size)).toEqual(back.map((v) => 2 * v));
  }
});
