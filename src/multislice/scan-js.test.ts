import { expect, test, vi } from "vitest";
import { beam } from "../geometry/beam.js";
import { maxRelative } from "../testing/close.js";
import { atomModel } from "./atoms.js";
import { runScan } from "./scan-run.js";
import { stemSetup } from "./stem.js";

test("without WebAssembly a scan runs on the TypeScript kernels and agrees", async () => {
  const atoms = atomModel({ cell: [8, 0, 0, 0, 8, 0, 0, 0, 4], atoms: ["Si", "O"], positions: [1, 2, 1, 5, 5, 3] });
  const setup = stemSetup(atoms, { voltageKv: 200, semiangleMrad: 20, shape: [2, 2], detectors: [{ kind: "radial", outerMrad: 40, stepMrad: 10 }, { kind: "pixelated" }], precision: "f64" }); // biome-ignore format: short
  void beam;
  const wasm = await runScan(setup, { workers: 1 });
  const spy = vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  try {
    const js = await runScan(setup);
    expect(maxRelative(js.readings[0]!.data, wasm.readings[0]!.data)).toBeLessThan(1e-10);
    expect(maxRelative(js.readings[1]!.data, wasm.readings[1]!.data)).toBeLessThan(1e-6);
    const prism = await runScan({ ...setup, prism: { interpolation: 1 } });
    expect(maxRelative(prism.readings[0]!.data, wasm.readings[0]!.data)).toBeLessThan(1e-10);
  } finally {
    spy.mockRestore();
  }
});
