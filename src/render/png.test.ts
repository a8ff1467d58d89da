import { unzlibSync } from "fflate";
import { describe, expect, test } from "vitest";
import { rng } from "../core/rng.js";
import { fc, prop } from "../testing/prop.js";
import { dataUri, encodeBase64 } from "./base64.js";
import { crc32, encodePng } from "./png.js";
import { raster, rasterPng } from "./raster.js";

/** An independent reader: chunks with their CRC, inflate, undo the five filters. */
function decode(png: Uint8Array): {
  width: number;
  height: number;
  depth: number;
  type: number;
  data: Uint8Array;
  text: Record<string, string>;
  palette: Uint8Array;
} {
  expect([...png.subarray(0, 8)]).toEqual([137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(png.buffer, png.byteOffset);
  const parts: Uint8Array[] = [],
    text: Record<string, string> = {};
  let palette = new Uint8Array(0);
  let header = new Uint8Array(0),
    last = "";
  for (let at = 8; at < png.length; ) {
    const size = view.getUint32(at),
      type = String.fromCharCode(...png.subarray(at + 4, at + 8)),
      body = png.subarray(at + 8, at + 8 + size);
    expect(view.getUint32(at + 8 + size)).toBe(crc32(png.subarray(at + 4, at + 8 + size)));
    if (type === "IHDR") header = body.slice();
    if (type === "PLTE") palette = body.slice();
    if (type === "IDAT") parts.push(body);
    if (type === "iTXt") {
      const zero = body.indexOf(0);
      text[String.fromCharCode(...body.subarray(0, zero))] = new TextDecoder().decode(body.subarray(zero + 5));
    }
    last = type;
    at += 12 + size;
  }
  expect(last).toBe("IEND");
  const h = new DataView(header.buffer),
    width = h.getUint32(0),
    height = h.getUint32(4),
    depth = header[8]!,
    type = header[9]!;
  const channels = { 0: 1, 3: 1, 4: 2, 2: 3, 6: 4 }[type as 0 | 2 | 3 | 4 | 6],
    step = (channels * depth) / 8,
    row = width * step;
  const packed = Uint8Array.from(parts.flatMap((p) => [...p])),
    raw = unzlibSync(packed),
    data = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const kind = raw[y * (row + 1)]!;
    for (let i = 0; i < row; i++) {
      const a = i >= step ? data[y * row + i - step]! : 0,
        b = y ? data[(y - 1) * row + i]! : 0,
        c = i >= step && y ? data[(y - 1) * row + i - step]! : 0;
      const p = a + b - c,
        nearest = [a, b, c].reduce((best, v) => (Math.abs(p - v) < Math.abs(p - best) ? v : best), a);
      data[y * row + i] = raw[y * (row + 1) + 1 + i]! + [0, a, b, (a + b) >> 1, nearest][kind]!;
    }
  }
  return { width, height, depth, type, data, text, palette };
}

const g = rng("png");
describe("PNG", () => {
  test("CRC of the standard check string", () => expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926));
  test.each([1, 2, 3, 4] as const)("%i channels read back", (channels) => {
    const data = Uint8Array.from({ length: 37 * 23 * channels }, (_, i) => (i % 5 === 0 ? g.integer(256) : (i * 3) & 255));
    const r = decode(encodePng({ data, width: 37, height: 23, channels }));
    expect([r.width, r.height, r.depth, r.data]).toEqual([37, 23, 8, data]);
  });
  test("16-bit gray, texts", () => {
    const data = Uint16Array.from({ length: 50 }, () => g.integer(65536));
    const r = decode(encodePng({ data, width: 10, height: 5, channels: 1 }, { text: { Title: "1.0 Å⁻¹" } }));
    expect(r.depth).toBe(16);
    expect([...data].flatMap((v) => [v >> 8, v & 255])).toEqual([...r.data]);
    expect(r.text).toEqual({ Title: "1.0 Å⁻¹" });
  });
  test.each([
    [200, 3],
    [1000, 2],
  ])("%i colours read back, colour type %i", (colors, type) => {
    const r = raster(40, 30);
    for (let k = 0; k < 1200; k++) r.data.set([(k % colors) & 255, (k % colors) >> 8, 7], 4 * k);
    const d = decode(rasterPng(r));
    expect(d.type).toBe(type);
    for (let k = 0; k < 1200; k++) {
      const pixel = type === 3 ? d.palette.subarray(3 * d.data[k]!, 3 * d.data[k]! + 3) : d.data.subarray(3 * k, 3 * k + 3);
      expect([...pixel]).toEqual([...r.data.subarray(4 * k, 4 * k + 3)]);
    }
  });
  test("wrong sizes are refused", () => {
    expect(() => encodePng({ data: new Uint8Array(5), width: 2, height: 3, channels: 1 })).toThrow(/bad-shape/);
    expect(() => encodePng({ data: new Uint16Array(18), width: 2, height: 3, channels: 3 })).toThrow(/16-bit/);
  });
});

prop("base64 agrees with the platform", [fc.uint8Array({ maxLength: 100 })], (bytes) => {
  expect(encodeBase64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
});
test("data URI", () => expect(dataUri(Uint8Array.of(1, 2), "image/x")).toBe("data:image/x;base64,AQI="));
