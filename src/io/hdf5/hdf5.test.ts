import { describe, expect, test } from "vitest";
import { dataPath, describeData, hasData, readData, readDataText } from "../../testing/data.js";
import type { MatArray } from "../mat.js";
import { type ByteSource, bytesSource } from "../source.js";
import { hdf5Frames, hdf5Images, openHdf5, readHdf5Mat } from "./index.js";

interface Expected {
  readonly path: string;
  readonly shape: readonly number[];
  readonly chunks: readonly number[] | null;
  readonly filters: readonly number[];
  readonly sum?: number;
  readonly max?: number;
}
const expected: [string, Expected[]][] = hasData("fourd/expected.json")
  ? Object.entries((JSON.parse(readDataText("fourd/expected.json")) as { hdf5: Record<string, Expected[]> }).hdf5)
  : [];

describeData("HDF5 files decoded independently", ["fourd/expected.json"], () => {
  test.each(expected)("%s", async (file, list) => {
    const h = await openHdf5(dataPath("fourd", file)),
      paths = await h.datasets();
    for (const e of list) {
      expect(paths).toContain(e.path);
      const d = await h.dataset(e.path);
      expect([d.shape, d.chunks ?? null, d.filters.map((f) => f.id)]).toEqual([e.shape, e.chunks, e.filters]);
      let sum = 0,
        max = Number.NEGATIVE_INFINITY;
      for (const v of await d.read()) {
        if (Number.isNaN(v)) continue; // the list has NumPy's nansum
        sum += v;
        max = Math.max(max, v);
      }
      if (e.sum !== undefined) expect(Math.abs(sum - e.sum)).toBeLessThanOrEqual(1e-6 * Math.abs(e.sum));
      if (e.max !== undefined) expect(max).toBeCloseTo(e.max, 5);
    }
    await h.close();
  });
});

describeData("frames of the dialects", ["fourd/rosettasciio", "fourd/openncem"], () => {
  // Shapes and calibrations as rosettasciio and py4DSTEM show them.
  test.each([
    ["openncem/Camera_Ceta_Diffraction_Micro.emd", "velox", [1, 512, 512], { voltageKv: 300 }],
    ["openncem/Acquisition_18.emd", "emd", [1, 1024, 1024], { voltageKv: 200 }],
    ["rosettasciio/emd/Si100_4D.emd", "emd", [121, 8, 8], { scanShape: [11, 11] }],
    ["rosettasciio/emd/py4DSTEM_size2x3x4x5.h5", "py4dstem", [6, 4, 5], { scanShape: [2, 3] }],
    ["rosettasciio/emd/fei_example_tem_stack.emd", "velox", [2, 3, 3], { voltageKv: 300 }],
    ["rosettasciio/hspy/example2_v3.1.hspy", "hspy", [1, 16, 16], { voltageKv: 200, tiltDeg: 10 }],
    ["rosettasciio/arina/test_00_master.h5", "nexus", [16, 192, 192], { saturation: 8352 }],
    ["rosettasciio/topspin/topspin_test_A.app5", "topspin", [10, 14, 12], {}],
    ["rosettasciio/nexus/simple_signal.nxs", "nexus", [15, 40, 40], { scanShape: [15, 1] }],
    ["nordtemhub/SPED_Ag_labels_sum_signal.hspy", "hspy", [5, 112, 112], {}],
  ])("%s", async (file, format, shape, facts) => {
    const f = await hdf5Frames(dataPath("fourd", file));
    expect([f.format, f.shape]).toEqual([format, shape]);
    expect(f.facts).toMatchObject(facts);
    expect((await f.read(f.shape[0] - 1)).data.length).toBe(f.shape[1] * f.shape[2]);
    await f.close?.();
  });

  test("a stack with the frames on its last axis comes apart", async () => {
    const f = await hdf5Frames(dataPath("fourd/rosettasciio/emd/fei_example_tem_stack.emd"));
    const h = await openHdf5(dataPath("fourd/rosettasciio/emd/fei_example_tem_stack.emd")),
      all = await (await h.dataset((await hdf5Images(h))[0]!.paths[0]!)).read();
    for (const i of [0, 1]) expect(Array.from((await f.read(i)).data)).toEqual(Array.from({ length: 9 }, (_, p) => all[2 * p + i]));
    await h.close();
  });

  test("bytes read as a path does, in a scan of any order", async () => {
    const file = "fourd/rosettasciio/emd/py4DSTEM_size2x3x4x5.h5",
      a = await hdf5Frames(dataPath(file)),
      b = await hdf5Frames(readData(file));
    for (const i of [5, 0, 3]) expect((await b.read(i)).data).toEqual((await a.read(i)).data);
    await Promise.all([a.close?.(), b.close?.()]);
  });

  test("ARINA from bytes: the data file by name, by the source, or not at all", async () => {
    const folder = "fourd/rosettasciio/arina",
      part = bytesSource(readData(folder, "test_00_data_000001.h5"), "test_00_data_000001.h5"),
      master = bytesSource(readData(folder, "test_00_master.h5"), "test_00_master.h5");
    const byPath = await hdf5Frames(dataPath(folder, "test_00_master.h5")),
      wanted = (await byPath.read(7)).data;
    const sibling = async (name: string): Promise<ByteSource | undefined> => (name === part.name ? part : undefined);
    for (const options of [{}, { companions: ["test_00_data_000001.h5"] }]) {
      const f = await hdf5Frames({ ...master, sibling }, options);
      expect(f.shape).toEqual([16, 192, 192]);
      expect((await f.read(7)).data).toEqual(wanted);
      await f.close?.();
    }
    await expect(hdf5Frames(master)).rejects.toMatchObject({ code: "not-found", details: { pieces: ["data_000001"] } });
    await byPath.close?.();
  });
});

describe("bad input", () => {
  test("no HDF5 file", async () => {
    await expect(openHdf5(new Uint8Array(600))).rejects.toThrow("no HDF5 file");
  });
  describeData("questions without an answer", ["fourd/rosettasciio/emd/py4DSTEM_size2x3x4x5.h5"], () => {
    test("a range outside the shape and a path that is not there are named", async () => {
      const h = await openHdf5(dataPath("fourd/rosettasciio/emd/py4DSTEM_size2x3x4x5.h5"));
      await expect(h.dataset("no/such")).rejects.toThrow("not-found");
      const d = await h.dataset("datacube_root/datacube/data");
      await expect(
        d.read([
          [0, 3],
          [0, 3],
          [0, 4],
          [0, 5],
        ]),
      ).rejects.toThrow("out-of-range");
      await h.close();
    });
  });
});

describeData("MATLAB 7.3", ["tomography/format-samples"], () => {
  test("angles", async () => {
    const { value } = await readHdf5Mat(dataPath("tomography/format-samples/copdpt_refined_angles_v73_hdf5.mat"));
    const arrays = Object.values(value).filter((v): v is MatArray => v.kind === "array");
    expect(arrays.length).toBeGreaterThan(0);
    expect(arrays[0]!.shape).toHaveLength(2);
    expect(arrays[0]!.data.every(Number.isFinite)).toBe(true);
  });
});
