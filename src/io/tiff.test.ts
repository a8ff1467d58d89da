import { expect, test } from "vitest";
import type { Image, TypedArray } from "../core/image.js";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { readGolden } from "../testing/golden.js";
import { fc, prop } from "../testing/prop.js";
import { tiffFrames } from "./tiff.js";
import { lzwDecode, packBitsDecode } from "./tiff-codecs.js";
import { writeTiff } from "./tiff-write.js";
import { parseHeaderYaml } from "./tiff-yaml.js";

const golden = readGolden<{ name: string; shape: number[]; values: number[]; base64: string }>("tiff");
const unbase = (text: string): Uint8Array => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
const row = (name: string): Uint8Array => unbase(golden.rows.find((r) => r.name === name)!.base64);
const allOf = async (bytes: Uint8Array): Promise<{ shape: readonly number[]; values: number[] }> => {
  const s = await tiffFrames(bytes, { maxBytes: 1 << 24 });
  const values: number[] = [];
  for (let i = 0; i < Math.min(s.shape[0], 50); i++) values.push(...(await s.read(i)).data);
  return { shape: s.shape, values };
};

test.each(golden.rows)("tifffile's $name", async ({ shape, values, base64 }) => {
  const got = await allOf(unbase(base64));
  expect(got.shape).toEqual(shape.length === 2 ? [1, ...shape] : shape);
  const want = got.values.length > 800 ? [got.values.reduce((sum, v, i) => sum + (i + 1) * v, 0)] : got.values;
  expect(want.length).toBe(values.length);
  for (const [i, v] of want.entries()) expect(Math.abs(v - values[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(values[i]!)));
});

const types = [Uint8Array, Int8Array, Uint16Array, Int16Array, Uint32Array, Int32Array, Float32Array, Float64Array] as const;
prop(
  "what is written is read: every type, stacks, deflate, BigTIFF, texts",
  [
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom(...types),
    fc.boolean(),
    fc.constantFrom("none" as const, "deflate" as const),
    fc.string(),
  ],
  async (n, ny, nx, T, big, compression, note) => {
    const images = Array.from(
      { length: n },
      (_, k): Image<TypedArray> => ({ data: new T(Array.from({ length: ny * nx }, (_, i) => (i * 7 + k) % 120)), shape: [ny, nx] }),
    );
    const clean = note.replaceAll("\0", "");
    const s = await tiffFrames(writeTiff(images, { big, compression, description: clean, software: "s", dateTime: "2026:11:20 19:00:00" }));
    expect(s.shape).toEqual([n, ny, nx]);
    for (let i = 0; i < n; i++) expect((await s.read(i)).data).toEqual(images[i]!.data);
    expect((await s.frame!(n - 1)).metadata).toMatchObject({ description: clean, software: "s", dateTime: "2026:11:20 19:00:00" });
  },
);

test("pages of another shape are left out and told", async () => {
  const a = { data: Uint16Array.of(1, 2, 3, 4), shape: [2, 2] as const };
  const s = await tiffFrames(writeTiff([a, { data: Uint16Array.of(1), shape: [1, 1] }, a]));
  expect(s.shape).toEqual([2, 2, 2]);
  expect(s.warnings.join()).toContain("1 of 3 pages");
});

test("LZW and PackBits examples of the TIFF 6.0 specification", () => {
  // PackBits: the Apple technical note quoted there.
  const packed = Uint8Array.of(0xfe, 0xaa, 0x02, 0x80, 0x00, 0x2a, 0xfd, 0xaa, 0x03, 0x80, 0x00, 0x2a, 0x22, 0xf7, 0xaa);
  const plain = [0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0xaa, 0xaa, 0xaa, 0xaa, 0x80, 0, 0x2a, 0x22, ...Array<number>(10).fill(0xaa)];
  expect([...packBitsDecode(packed, 24)]).toEqual(plain);
  // LZW: 7 7 7 8 8 7 7 6 6 codes to 256 7 258 8 8 258 6 6 257 in 9 bits each.
  const codes = [256, 7, 258, 8, 8, 258, 6, 6, 257];
  const bits = codes.map((c) => c.toString(2).padStart(9, "0")).join("");
  const bytes = Uint8Array.from(bits.padEnd(88, "0").match(/.{8}/g)!, (b) => Number.parseInt(b, 2));
  expect([...lzwDecode(bytes, 9)]).toEqual([7, 7, 7, 8, 8, 7, 7, 6, 6]);
});

test("YAML of image headers", () => {
  expect(
    parseHeaderYaml(
      "ImageBinSize: 1\nImageComment: ''\nt: 1556272302.6375694\nok: true\nnone:\nlist: [1, 2.5, a]\nStage:\n  x: -1.5e3\n  y: '2'\ndash:\n- 1\n- b\nraw: !!python/tuple [3, 4]\nmap: {a: 1, 'b': [x]}\n",
    ),
  ).toEqual({
    ImageBinSize: 1,
    ImageComment: "",
    t: 1556272302.6375694,
    ok: true,
    none: null,
    list: [1, 2.5, "a"],
    Stage: { x: -1500, y: "2" },
    dash: [1, "b"],
    raw: [3, 4],
    map: { a: 1, b: ["x"] },
  });
});
prop("YAML reading never throws", [fc.string({ maxLength: 300, unit: fc.constantFrom(..."ab1:-[]{}'\"!|\n ,.#") })], (text) => {
  parseHeaderYaml(text);
});

const read = (b: Uint8Array): Promise<unknown> => allOf(b);
fuzzReader("tiff stack", () => row("stack u2"), read);
fuzzReader("tiff big", () => row("BigTIFF u2"), read);
fuzzReader("tiff tiles", () => row("tiles deflate f4 predictor 3"), read);
fuzzReader("tiff lzw", () => row("lzw predictor 2 u2 big-endian"), read);
fuzzReader("tiff zstd (geotiff)", () => row("zstd u2"), read, { maxCuts: 300, flips: 100, maxFields: 300 });

describeData("TIFF, real files", ["3ded/glycine_pets", "fourd/pyxem-demos"], () => {
  test("instamatic frame with its YAML header", async () => {
    const s = await tiffFrames(readData("3ded/glycine_pets/00001.tiff"));
    expect(s.shape).toEqual([1, 516, 516]);
    expect(s.dtype).toBe("u16");
    expect(s.metadata).toMatchObject({
      ImageCameraName: "timepix",
      ImageExposureTime: 0.3,
      ImageResolution: [516, 516],
      ImageBinSize: 1,
      software: "instamatic",
    });
    const centre = s.metadata.beam_center as number[];
    expect(centre[0]).toBeCloseTo(232.68, 10);
    expect(centre[1]).toBeCloseTo(234.27, 10);
    // (row, column): PETS2 has x = 234.80, y = 233.04 for this frame
    expect(s.facts.beamCentre![0]).toBeCloseTo(234.27, 10);
    const { data } = await s.read(0);
    expect([...data].reduce((a, b) => a + b, 0)).toBe(1871499); // NumPy on the strip
    expect(Math.max(...data)).toBe(13296);
    // Written and read again, header included
    const back = await tiffFrames(
      writeTiff({ data, shape: [516, 516] }, { description: s.metadata.description as string, compression: "deflate" }),
    );
    expect((await back.read(0)).data).toEqual(data);
    expect(back.facts.beamCentre).toEqual(s.facts.beamCentre);
  });

  // Shape, type, sum and maximum by tifffile 2026.3.3: tifffile.TiffFile(p).pages[0].asarray(), of olympus_SIS pages[1]: its first is a JPEG preview
  test.each([
    ["fourd/pyxem-demos/03/au_xgrating_20cm.tif", { shape: [1, 256, 256], dtype: "f32", sum: 5919.574356572382, max: 62.31999969482422 }],
    ["fourd/pyxem-demos/03/moo3_100kX.tif", { shape: [1, 254, 254], dtype: "f32", sum: 1459887424.6201172, max: 42714.16796875 }],
    ["fourd/pyxem-demos/03/moo3_20cm.tif", { shape: [1, 256, 256], dtype: "f32", sum: 22628.300339942834, max: 62.91138458251953 }],
    ["fourd/rosettasciio/tiff/olympus_SIS.tif", { shape: [1, 101, 112], dtype: "u16", sum: 90485618, max: 11339 }],
    [
      "fourd/rosettasciio/tiff/test_loading_image_saved_with_DM_stack.tif",
      { shape: [2, 68, 68], dtype: "f32", sum: 15422830.0, max: 3774.0 },
    ],
  ] as const)("%s", async (path, want) => {
    const s = await tiffFrames(readData(path));
    const { data } = await s.read(0);
    let sum = 0,
      max = -Infinity;
    data.forEach((v) => {
      sum += v;
      max = Math.max(max, v);
    });
    expect({ shape: s.shape, dtype: s.dtype, sum, max }).toEqual({ ...want, sum: expect.closeTo(want.sum, 6) });
  });
});
