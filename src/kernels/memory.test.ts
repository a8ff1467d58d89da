import { expect, test } from "vitest";
import { fc, prop } from "../testing/prop.js";
import { fftWasm } from "./fft.js";
import { arena, compileFamily, defaultArena, kernelImports, wasmAvailable } from "./memory.js";

prop(
  "blocks are aligned, never overlap, keep their contents, and all of them can be given back",
  [fc.array(fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.nat()), { minLength: 1, maxLength: 60 })],
  (steps) => {
    const a = arena({ maxBytes: 1 << 22 });
    const start = a.alloc(0);
    a.free(start);
    const live: { ptr: number; bytes: number; fill: number }[] = [];
    steps.forEach(([bytes, choice], k) => {
      if (live.length && choice % 3 === 0) a.free(live.splice(choice % live.length, 1)[0]!.ptr);
      else {
        const ptr = a.alloc(bytes);
        expect(ptr % 64).toBe(0);
        expect(ptr).toBeGreaterThan(0);
        for (const b of live) expect(ptr + bytes <= b.ptr || b.ptr + b.bytes <= ptr || bytes * b.bytes === 0).toBe(true);
        a.u8(ptr, bytes).fill(k);
        live.push({ ptr, bytes, fill: k });
      }
    });
    for (const b of live) expect(a.u8(b.ptr, b.bytes).every((v) => v === b.fill)).toBe(true);
    for (const b of live) a.free(b.ptr);
    expect(a.alloc(1)).toBe(start); // merged back into one free space
  },
);

test("a freed block is used again; a double free and a foreign address are refused", () => {
  const a = arena();
  const [p, q] = [a.alloc(1000), a.alloc(1000)];
  a.free(p);
  expect(a.alloc(900)).toBe(p);
  a.free(q);
  expect(() => a.free(q)).toThrow(/once/);
  expect(() => a.free(12345)).toThrow(/bad-value/);
});

test("memory grows when needed and stops at the limit with a hint", () => {
  const a = arena({ maxBytes: 3 << 20 });
  const p = a.alloc(2 << 20);
  a.f64(p, 4).set([1, 2, 3, 4]);
  expect(() => a.alloc(2 << 20)).toThrow(/too-large/);
  expect(() => a.alloc(Number.NaN)).toThrow(/too-large/);
  expect(() => a.alloc(2 ** 40)).toThrow(/too-large/);
  expect([...a.f64(p, 4)]).toEqual([1, 2, 3, 4]);
  a.alloc(1 << 19); // smaller still fits
});

test("shared and unshared memory, one binary", () => {
  for (const shared of [false, true]) {
    const a = arena({ shared });
    expect(a.memory.buffer instanceof SharedArrayBuffer).toBe(shared);
    const e = a.family<Record<string, unknown>>(fftWasm);
    expect(typeof e.rows_f64).toBe("function");
    expect(a.family(fftWasm)).toBe(e);
    const other = new WebAssembly.Memory({ initial: 1, maximum: 65536, shared: !shared });
    expect(() => new WebAssembly.Instance(compileFamily(fftWasm, shared), kernelImports(other))).toThrow(WebAssembly.LinkError);
  }
});

test("views, and the one arena that is made on demand", () => {
  const a = arena(),
    p = a.alloc(64);
  a.f32(p, 2).set([1, -1]);
  expect([...a.i32(p, 1)]).toEqual([0x3f800000]);
  expect([...a.u16(p, 2)]).toEqual([0, 0x3f80]);
  expect(defaultArena()).toBe(defaultArena());
  expect(wasmAvailable()).toBe(true);
});

test("no kernel family carries static data, so that families can share one memory", async () => {
  const { readdirSync, readFileSync } = await import("node:fs");
  const folder = new URL("./generated/", import.meta.url);
  for (const file of readdirSync(folder)) {
    const bytes = Buffer.from(/"([A-Za-z0-9+/=]+)"/.exec(readFileSync(new URL(file, folder), "utf8"))![1]!, "base64");
    const module = new WebAssembly.Module(bytes);
    expect(WebAssembly.Module.imports(module).every((i) => i.module === "env" && ["memory", "abort"].includes(i.name))).toBe(true);
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
    new WebAssembly.Instance(module, kernelImports(memory));
    expect(
      new Uint8Array(memory.buffer).every((v) => v === 0),
      file,
    ).toBe(true);
  }
});
