import { expect } from "vitest";
import { rng } from "../core/rng.js";
import { denseKernels } from "../kernels/dense.js";
import { arena } from "../kernels/memory.js";
import { fc, prop } from "../testing/prop.js";
import { triangulateRows } from "./qr-blocked.js";

const memory = arena();

prop(
  "RᵀR = AᵀA and Rᵀz = Aᵀb, for any count of rows and columns, in both backends and the small path",
  [fc.integer({ min: 0, max: 600 }), fc.integer({ min: 1, max: 60 }), fc.constantFrom("wasm", "js", "small"), fc.boolean()],
  (count, n, how, sparse) => {
    const g = rng(count * 100 + n);
    const a = Float64Array.from({ length: count * (n + 1) }, () => (sparse && g.uniform() < 0.8 ? 0 : g.normal()));
    const kernels = how === "small" ? undefined : denseKernels(memory, how);
    const fill = (out: Float64Array, from: number, rows: number): void => out.set(a.subarray(from * (n + 1), (from + rows) * (n + 1)));
    const { triangle, rhs } = triangulateRows(count, n, fill, kernels);
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= n; j++) {
        if (j < i) expect(triangle[i * n + j]).toBe(0);
        let want = 0,
          got = 0;
        for (let k = 0; k < count; k++) want += a[k * (n + 1) + i]! * a[k * (n + 1) + j]!;
        for (let k = 0; k < n; k++) got += triangle[k * n + i]! * (j < n ? triangle[k * n + j]! : rhs[k]!);
        if (Math.abs(got - want) > 1e-12 * Math.max(10, count)) expect(got).toBeCloseTo(want, 10);
      }
  },
  { runs: 40 },
);
