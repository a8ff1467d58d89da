import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cursor, declaredSizeCheck } from "./bytes.js";
import { bytesPer, decodeNumbers, littleEndianBytes, type NumberType, numberTypeOf } from "./bytes-numbers.js";
import { naturalCompare } from "./frames.js";
import { fileSource, folderFiles, listFiles, readFile } from "./node/files.js";
import { blobSource, bytesSource, readAll, readUpTo, sliceSource } from "./source.js";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
const dir = mkdtempSync(join(tmpdir(), "ewald-io-"));
writeFileSync(join(dir, "a.bin"), bytes);

test("bytes, Blob, file and slice give the same ranges and refuse the same ones", async () => {
  const file = await fileSource(join(dir, "a.bin"));
  for (const s of [
    bytesSource(bytes),
    blobSource(new Blob([bytes])),
    file,
    sliceSource(bytesSource(Uint8Array.of(9, ...bytes, 9)), 1, 100),
  ]) {
    expect(s.size).toBe(100);
    expect([...(await s.read(97, 3))]).toEqual([97, 98, 99]);
    expect([...(await readUpTo(s, 98, 50))]).toEqual([98, 99]);
    for (const [o, n] of [
      [98, 3],
      [-1, 2],
      [0, 1.5],
      [Number.NaN, 1],
      [2 ** 60, 1],
    ] as const)
      await expect(s.read(o, n)).rejects.toMatchObject({ code: "bad-file" });
    await expect(readAll(s, { maxBytes: 99 })).rejects.toMatchObject({ code: "too-large" });
  }
  await file.close?.();
  expect((await file.read(0, 1))[0]).toBe(0); // reopens
  await file.close?.();
  await expect(fileSource(join(dir, "none"))).rejects.toMatchObject({ code: "not-found" });
  await expect(readFile(dir)).rejects.toMatchObject({ code: "not-found" });
  await expect(bytesSource(bytes).read(0, 1, AbortSignal.abort())).rejects.toThrow();
});

test("cursor reads both orders and throws at the end", () => {
  const c = cursor(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 0x41, 0x42, 0, 0x43));
  expect(c.u16()).toBe(0x0201);
  c.littleEndian = false;
  expect(c.u16()).toBe(0x0304);
  c.seek(8);
  expect(c.text(4)).toBe("AB");
  expect(() => c.u8()).toThrow(/bad-file/);
  expect(() => c.seek(13)).toThrow(/bad-file/);
  expect(() => c.take(-1)).toThrow(/bad-file/);
  c.seek(0);
  expect(() => c.u64()).toThrow(/2\^53/);
});

test("declared sizes", () => {
  expect(declaredSizeCheck("x", [2, 3, 4], { available: 24 })).toBe(24);
  expect(() => declaredSizeCheck("x", [2, 3, 4], { available: 23 })).toThrow(/bad-file/);
  expect(() => declaredSizeCheck("x", [2 ** 31, 2 ** 31, 2 ** 31])).toThrow(/too-large/);
  expect(() => declaredSizeCheck("x", [-1, 2])).toThrow(/bad-file/);
});

test("numbers decode in both orders", () => {
  const samples: Partial<Record<NumberType, number[]>> = {
    u8: [0, 255],
    i8: [-128, 127],
    u16: [1, 65535],
    i16: [-32768, 5],
    u32: [4294967295, 7],
    i32: [-2147483648, 3],
    f32: [1.5, -0.25],
    f64: [Math.PI, -1e300],
  };
  const make = {
    u8: Uint8Array,
    i8: Int8Array,
    u16: Uint16Array,
    i16: Int16Array,
    u32: Uint32Array,
    i32: Int32Array,
    f32: Float32Array,
    f64: Float64Array,
  };
  for (const [type, values] of Object.entries(samples) as [keyof typeof make, number[]][]) {
    const data = make[type].from(values);
    const le = littleEndianBytes(data);
    expect(numberTypeOf(data)).toBe(type);
    expect([...decodeNumbers(le, type)]).toEqual(values);
    const step = bytesPer(type);
    const be = le.slice();
    for (let i = 0; i < be.length; i += step) be.subarray(i, i + step).reverse();
    expect([...decodeNumbers(be, type, false)]).toEqual(values);
  }
  expect([...decodeNumbers(new Uint8Array(BigInt64Array.of(-5n, 2n ** 40n).buffer), "i64")]).toEqual([-5, 2 ** 40]);
  // IEEE 754 half: 1, −2, largest, smallest subnormal, infinity
  expect([...decodeNumbers(new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1, 0x7c00).buffer), "f16")]).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    Infinity,
  ]);
});

test("natural order", () => {
  const names = ["f10.tif", "f9.tif", "f09.tif", "a", "f1.tif", "f1b.tif", "f.tif"];
  expect([...names].sort(naturalCompare)).toEqual(["a", "f.tif", "f1.tif", "f1b.tif", "f9.tif", "f09.tif", "f10.tif"].sort(naturalCompare));
  expect(["x10", "x2", "x1"].sort(naturalCompare)).toEqual(["x1", "x2", "x10"]);
});

test("listFiles: file, folder, globs, hidden files", async () => {
  const d = join(dir, "list");
  mkdirSync(join(d, "r1"), { recursive: true });
  mkdirSync(join(d, "r2"));
  for (const f of ["1.tif", "2.tif", "10.tif", "x.img", "._1.tif", "r1/7.tif", "r2/8.tif"]) writeFileSync(join(d, f), "");
  const names = async (p: string): Promise<string[]> => (await listFiles(join(d, p))).map((f) => f.slice(d.length + 1));
  expect(await names("")).toEqual(["1.tif", "2.tif", "10.tif", "x.img"]);
  expect(await names("*.tif")).toEqual(["1.tif", "2.tif", "10.tif"]);
  expect(await names("?.{tif,img}")).toEqual(["1.tif", "2.tif", "x.img"]);
  expect(await names("r[12]/*.tif")).toEqual(["r1/7.tif", "r2/8.tif"]);
  expect(await names("**/*.tif")).toEqual(["1.tif", "2.tif", "10.tif", "r1/7.tif", "r2/8.tif"]);
  expect(await names("1.tif")).toEqual(["1.tif"]);
  expect([...(await folderFiles(d)).keys()].sort()).toEqual(["._1.tif", "1.tif", "10.tif", "2.tif", "r1/7.tif", "r2/8.tif", "x.img"]);
  expect((await (await folderFiles(d)).get("r1/7.tif")!()).size).toBe(0);
  await expect(folderFiles(join(d, "none"))).rejects.toMatchObject({ code: "not-found" });
  await expect(names("*.png")).rejects.toMatchObject({ code: "not-found" });
});
