import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { type MatArray, readMat } from "./mat.js";

/** scipy.io.savemat(…, dict(a=arange(15).reshape(3,5), z=[[1+2j, 3-1j]], s='hello', c=cell of [0 1 2] and 'x', st={p: 1.5, q: 'two'}, l=[[True, False]], i=int16 [[1, -2]]), do_compression=True) */
const bytes = Uint8Array.from(
  atob(
    "TUFUTEFCIDUuMCBNQVQtZmlsZSBQbGF0Zm9ybTogcG9zaXgsIENyZWF0ZWQgb246IEZyaSBOb3YgMjAgMTk6NDM6MDAgMjAyNgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABSU0PAAAATAAAAHic42NgYFgBxGxAzAGlQYAVymeGshmBMBFIcwJxBQM6EHGA0CpQ+oM9hJaA8tWgNAOUloHSGlCaA0orQGktKC0ApZWgtI4DAFbfB50PAAAANgAAAHic42NgYIgAYjYg5gDRIAIIWKF8RiBmAtOMDFVAmhOIBRhg4IM9hOZwQBVncIDK7wcAhjQEpw8AAAArAAAAeJzjY2BgsABiNiDmAGIWBghghfIZoWxGICwG0gJQfkZqTk4+kAYALe0DCg8AAABJAAAAeJzjY2Bg2ADEbEDMAcSMDBDAisRnAtOMDMlAmg+IPZDU82FRz4xkDg8QSzAgAEycCUqD9BsgmceCxTxGJH0CQFYFkAYANB8C1w8AAABPAAAAeJzjY2Bg2ADEbEDMAcRMDBDACuUzwjETQ3EJSJwFrIYRSBcwFDLwAdkWSPrZcOqHAE6oOAT8sAfpN0DSz4JFPzOSfgEgr6Q8nwEAHfwGOg8AAAAnAAAAeJzjY2BgMABiNiDmAGJOJgYwYIXyGYGYCUwzMuSA2UxgMQAYTADbDwAAACoAAAB4nONjYGAwAGI2IOYAYi4GCGCF8hmBmAlMMzJkAmlmBhYg699/ABsRAtc=",
  ),
  (ch) => ch.charCodeAt(0),
);

test("every class of scipy's file", async () => {
  const { value: v, warnings } = await readMat(bytes);
  expect(warnings).toEqual([]);
  const a = v.a as MatArray,
    z = v.z as MatArray,
    l = v.l as MatArray;
  expect(a.shape).toEqual([5, 3]);
  // Columns of the MATLAB matrix are our rows.
  expect(Array.from(a.data.subarray(0, 4))).toEqual([0, 5, 10, 1]);
  expect([Array.from(z.data), Array.from(z.imaginary!)]).toEqual([
    [1, 3],
    [2, -1],
  ]);
  expect(v.s).toEqual({ kind: "text", text: "hello" });
  expect(v.st).toMatchObject({ kind: "struct", records: [{ p: { data: Float64Array.of(1.5) }, q: { text: "two" } }] });
  expect(v.c).toMatchObject({ kind: "cell", cells: [{ kind: "array" }, { text: "x" }] });
  expect([l.logical, Array.from(l.data)]).toEqual([true, [1, 0]]);
  expect((v.i as MatArray).data).toEqual(Int16Array.of(1, -2));
});

interface Row {
  readonly file: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly sum: number;
  readonly first: readonly number[];
}
describeData("MATLAB files of tomography", ["tomography/format-samples"], () => {
  test.each(readGolden<Row>("mat-files").rows)("$file $name", async ({ file, name, shape, sum, first }) => {
    const v = (await readMat(readData(file))).value[name] as MatArray;
    expect(v.shape).toEqual(shape);
    expect(Array.from(v.data.subarray(0, first.length))).toEqual(first);
    expect((v.data as Float64Array).reduce((s, x) => s + x, 0)).toBeCloseTo(sum, 3);
  });
  test("version 7.3 is named", async () => {
    await expect(readMat(readData("tomography/format-samples/copdpt_refined_angles_v73_hdf5.mat"))).rejects.toThrow("readHdf5Mat");
  });
});

fuzzReader("mat", bytes, (b) => readMat(b, { maxBytes: 1 << 24 }));
