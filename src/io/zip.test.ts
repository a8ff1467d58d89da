import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { fc, prop } from "../testing/prop.js";
import { deflate, inflate } from "./inflate.js";
import { crc32, readZipEntry, writeZip, zipEntries, zipSources } from "./zip.js";

prop(
  "inflate undoes deflate, by Node's zlib and by fflate",
  [fc.uint8Array({ maxLength: 5000 }), fc.constantFrom("raw" as const, "zlib" as const)],
  (bytes, wrapping) => {
    const packed = deflate(bytes, { wrapping });
    for (const portable of [false, true]) {
      expect(inflate(packed, { wrapping, portable })).toEqual(bytes);
      expect(inflate(packed, { wrapping, portable, expected: bytes.length })).toEqual(bytes);
    }
  },
);

test("a bomb stops at the limit, on both routes", () => {
  const packed = deflate(new Uint8Array(20_000_000));
  expect(packed.length).toBeLessThan(30_000);
  for (const portable of [false, true]) {
    expect(() => inflate(packed, { portable, maxBytes: 1_000_000 })).toThrow(/too-large/);
    expect(() => inflate(packed, { portable, expected: 1000 })).toThrow(/bad-file|too-large/);
    expect(() => inflate(packed.subarray(0, 500), { portable })).toThrow(/bad-file/);
  }
});

test("CRC-32 check value", () => {
  expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926); // the catalogue's check value of CRC-32/ISO-HDLC
});

test("archives come back; junk entries are left out of sources", async () => {
  const files = [
    { name: "a/1.mib", bytes: Uint8Array.of(1, 2, 3) },
    { name: "a/._1.mib", bytes: Uint8Array.of(9) },
    { name: "__MACOSX/a/x", bytes: Uint8Array.of(9) },
    { name: "a/1.hdr", bytes: new Uint8Array(1000) },
  ];
  for (const level of [0, 6]) {
    const zip = writeZip(files, { level });
    const entries = await zipEntries(zip);
    expect(entries.map((e) => e.name)).toEqual(files.map((f) => f.name));
    for (const [i, e] of entries.entries()) expect(await readZipEntry(zip, e)).toEqual(files[i]!.bytes);
    const sources = await zipSources(zip);
    expect(sources.map((s) => s.name)).toEqual(["1.mib", "1.hdr"]);
    expect((await sources[0]!.sibling!("1.hdr"))!.size).toBe(1000);
    expect([...(await sources[0]!.read(1, 2))]).toEqual([2, 3]);
  }
});

fuzzReader("zip", writeZip([{ name: "x", bytes: new Uint8Array(300).map((_, i) => (i * i) & 255) }]), async (b) => {
  for (const e of await zipEntries(b, { maxBytes: 1 << 20 })) await readZipEntry(b, e, { maxBytes: 1 << 20 });
});

describeData("ZIP, real archives", ["fourd/read_mib"], () => {
  test("entries of a Merlin archive", async () => {
    const names = (await zipEntries(readData("fourd/read_mib/mib_examples/ROI.zip"))).map((e) => e.name);
    expect(names.filter((n) => n.endsWith(".mib") && !n.includes("/._")).length).toBeGreaterThan(40);
  });
});
