import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { npyFrames, readNpy, writeNpy } from "./npy.js";
import { npzNames, readNpz, writeNpz } from "./npz.js";

const { rows } = readGolden<{ name: string; shape: number[]; values: number[]; base64: string }>("npy");
const bytesOf = (name: string): Uint8Array => Uint8Array.from(atob(rows.find((r) => r.name === name)!.base64), (c) => c.charCodeAt(0));
const arrays = rows.filter((r) => !r.name.startsWith("npz"));

test.each(arrays)("NumPy's $name", async ({ name, shape, values }) => {
  const a = await readNpy(bytesOf(name));
  expect(a.shape).toEqual(shape);
  expect([...a.data]).toEqual(values);
  if (shape.length < 2 || values.length === 0) return;
  const s = await npyFrames(bytesOf(name));
  const flat: number[] = [];
  for (let i = 0; i < s.shape[0]; i++) flat.push(...(await s.read(i)).data);
  if (flat.length === values.length) expect(flat).toEqual(values);
  else for (const [i, v] of flat.entries()) expect(v).toBeCloseTo(Math.hypot(values[2 * i]!, values[2 * i + 1]!), 5); // complex: moduli
});

test("what is written has NumPy's bytes", () => {
  expect(writeNpy(Float64Array.of(1, 8, 15, 22, 29, 36), [2, 3])).toEqual(bytesOf("<f8"));
  expect(writeNpy(Uint8Array.of(1, 8, 15, 22, 29, 36), [2, 3])).toEqual(bytesOf("u1"));
  expect(writeNpy(Float32Array.of(1, 0, 8, 1, 15, 2, 22, 3, 29, 4, 36, 5), [2, 3], { complex: true })).toEqual(bytesOf("<c8"));
  expect(writeNpy(Float64Array.of(0, 1, 2), [3])).toEqual(bytesOf("vector"));
  expect(() => writeNpy(new Float32Array(5), [2, 3])).toThrow(/bad-shape/);
});

test("NumPy's npz, stored and deflated", async () => {
  for (const name of ["npz deflated", "npz stored"]) {
    const { a, b } = await readNpz(bytesOf(name));
    expect([...a!.data]).toEqual([0, 1, 2, 3, 4]);
    expect(a!.dtype).toBe("f32");
    if (name === "npz deflated") expect([...b!.data]).toEqual([1, 0, 0, 1]);
  }
  expect(await npzNames(bytesOf("npz deflated"))).toEqual(["a", "b"]);
  await expect(readNpz(bytesOf("npz stored"), { only: ["z"] })).rejects.toMatchObject({ code: "not-found" });
  await expect(readNpz(bytesOf("npz deflated"), { maxBytes: 100 })).rejects.toMatchObject({ code: "too-large" });
});

prop(
  "npz comes back at every level",
  [
    fc.array(fc.double({ noNaN: true }), { maxLength: 50 }),
    fc.array(fc.integer({ min: 0, max: 65535 }), { maxLength: 50 }),
    fc.constantFrom(0, 1, 6),
  ],
  async (x, y, level) => {
    const back = await readNpz(
      writeNpz(
        { x: { data: Float64Array.from(x), shape: [x.length] }, "d/y": { data: Uint16Array.from(y), shape: [1, y.length] } },
        { level },
      ),
    );
    expect([...back.x!.data]).toEqual(x);
    expect([...back["d/y"]!.data]).toEqual(y);
    expect(back["d/y"]!.shape).toEqual([1, y.length]);
  },
  { runs: 30 },
);

test("what cannot be read says why", async () => {
  const start = writeNpy(new Float32Array(4), [2, 2]);
  const patched = (from: string, to: string): Uint8Array =>
    Uint8Array.from(new TextDecoder("latin1").decode(start).replace(from, to), (c) => c.charCodeAt(0));
  const as = (from: string, to: string): Promise<unknown> => readNpy(patched(from, to));
  await expect(as("<f4", "<U4")).rejects.toMatchObject({ code: "unsupported" });
  await expect(as("(2, 2)", "(2, 9)")).rejects.toMatchObject({ code: "bad-file" });
  await expect(as("False", "Maybe")).rejects.toMatchObject({ code: "bad-file" });
});

const small = writeNpy(
  Float32Array.from({ length: 24 }, (_, i) => i),
  [2, 3, 4],
);
fuzzReader("npy", small, async (b) => {
  await readNpy(b, { maxBytes: 1 << 22 });
  await (await npyFrames(b, { maxBytes: 1 << 22 })).read(1);
});
fuzzReader("npz", writeNpz({ a: { data: new Float32Array(20), shape: [4, 5] }, b: { data: Uint8Array.of(1, 2), shape: [2] } }), (b) =>
  readNpz(b, { maxBytes: 1 << 22 }),
);

describeData("NPY, real files", ["fourd/abtem-golden"], () => {
  test("potential sums are those of the generator", async () => {
    const golden = JSON.parse(new TextDecoder().decode(readData("fourd/abtem-golden/golden.json"))) as {
      cases: Record<string, { sum_per_slice?: number[]; max?: number }>;
    };
    for (const kind of ["lobato_infinite", "lobato_finite", "kirkland_infinite", "kirkland_finite"]) {
      const want = golden.cases[`si_unit_pot_${kind}`]!;
      const s = await npyFrames(readData(`fourd/abtem-golden/si_unit_pot_${kind}_4x64x64_f64.npy`));
      expect(s.shape).toEqual([4, 64, 64]);
      expect(s.dtype).toBe("f64");
      let max = 0;
      for (let i = 0; i < 4; i++) {
        const data = [...(await s.read(i)).data];
        expect(data.reduce((a, b) => a + b, 0) / want.sum_per_slice![i]!).toBeCloseTo(1, 13);
        max = Math.max(max, ...data);
      }
      expect(max).toBeCloseTo(want.max!, 9);
    }
  });
});
