import { expect, test } from "vitest";
import { describeData, readData } from "../testing/data.js";
import { fuzzReader } from "../testing/fuzz.js";
import { fc, prop } from "../testing/prop.js";
import { fromLatin1 } from "./bytes.js";
import { parseSmvHeader, smvFrames, writeSmv } from "./smv.js";

const small = { data: Uint16Array.from({ length: 35 }, (_, i) => i * 1001), shape: [5, 7] as const };
const facts = {
  wavelength: 0.0251,
  pixelMm: [0.055, 0.055] as const,
  distanceMm: 531.85,
  tiltDeg: -65.4,
  tiltStepDeg: 0.23,
  exposureS: 0.0925,
  beamCentre: [3.5, 2.25] as const,
};

test("what is written is read, header and pixels", async () => {
  const s = await smvFrames(writeSmv(small, { facts, header: { BEAMLINE: "TIMEPIX_SU" } }));
  expect(s.shape).toEqual([1, 5, 7]);
  expect(s.dtype).toBe("u16");
  expect((await s.read(0)).data).toEqual(small.data);
  expect(s.facts).toMatchObject(facts);
  expect(s.metadata.BEAMLINE).toBe("TIMEPIX_SU");
});

prop(
  "every type survives; a pedestal is undone",
  [fc.array(fc.integer({ min: -90, max: 30000 }), { minLength: 6, maxLength: 6 })],
  async (values) => {
    for (const T of [Int16Array, Int32Array, Float32Array]) {
      const image = { data: T.from(values), shape: [2, 3] as const };
      expect([...(await (await smvFrames(writeSmv(image))).read(0)).data]).toEqual(values);
      const lifted = await smvFrames(writeSmv(image, { pedestal: 100 }));
      expect(lifted.dtype).toBe("u16");
      expect([...(await lifted.read(0)).data]).toEqual(values);
    }
  },
);

test("counts that would wrap are refused", () => {
  expect(() => writeSmv({ data: Int32Array.of(-5), shape: [1, 1] }, { pedestal: 0 })).toThrow(/bad-value/);
  expect(() => writeSmv(small, { header: { X: "a;b" } })).toThrow(/bad-value/);
});

test("writers' bugs: unformatted PHI, distance in metres, centre in mm, pixel in µm, big-endian", async () => {
  const data = new Uint8Array(512 + 2 * 1024 * 1024).fill(0x20, 0, 512);
  data.set(
    fromLatin1(
      "{\nHEADER_BYTES=  512;\nDIM=2;\nBYTE_ORDER=big_endian;\nTYPE=unsigned_short;\nSIZE1=1024;\nSIZE2=1024;\nPIXEL_SIZE=55;\nDISTANCE=1.59;\nPHI={phi:.4f};\nOSC_START=12.5;\nWAVELENGTH=2.508e-12;\nBEAM_CENTER_X=28.16;\nBEAM_CENTER_Y=28.16;\n}\n",
    ),
  );
  data.set([1, 2], 512);
  const s = await smvFrames(data);
  expect((await s.read(0)).data[0]).toBe(0x0102);
  expect(s.facts.pixelMm).toEqual([0.055, 0.055]);
  expect(s.facts.distanceMm).toBeCloseTo(1590, 9);
  expect(s.facts.wavelength).toBeCloseTo(0.02508, 12);
  expect(s.facts.tiltDeg).toBe(12.5);
  expect(s.facts.beamCentre?.[0]).toBeCloseTo(512, 9);
  const said = s.warnings.join("\n");
  for (const part of ['PHI is no number: "{phi:.4f}"', "micrometres", "metres", "read as mm"]) expect(said).toContain(part);
});

fuzzReader("smv", writeSmv(small, { facts }), async (b) => (await smvFrames(b, { maxBytes: 1 << 22 })).read(0));

describeData("SMV, real frames", ["3ded/frames"], () => {
  // Sums and the place of the direct beam were computed with NumPy from the bytes after the header.
  test.each([
    ["TIMEPIX_SU_512-stdgoni_0001.img", 512, 3357809, 65.4, [246, 240]],
    ["TIMEPIX_SU_516-stdgoni_0001.img", 516, 3613798, -65.4, [246.14, 240.35]],
  ] as const)("%s", async (name, n, sum, tilt, centre) => {
    const s = await smvFrames(readData("3ded/frames", name));
    expect(s.shape).toEqual([1, n, n]);
    const { data } = await s.read(0);
    expect([...data].reduce((a, b) => a + b, 0)).toBe(sum);
    expect(Math.max(...data)).toBe(11810);
    expect(s.facts).toMatchObject({
      tiltDeg: tilt,
      tiltStepDeg: 0.23,
      wavelength: 0.0251,
      distanceMm: 531.85,
      pixelMm: [0.055, 0.055],
      beamCentre: centre,
    });
    // The stated centre is x, y: the brightest 9×9 square lies there.
    let best = 0,
      at = [0, 0];
    for (let y = 4; y < n - 4; y++)
      for (let x = 4; x < n - 4; x++) {
        let box = 0;
        for (let v = -4; v <= 4; v++) for (let u = -4; u <= 4; u++) box += data[(y + v) * n + x + u]!;
        if (box > best) {
          best = box;
          at = [x, y];
        }
      }
    expect(Math.hypot(at[0]! - centre[0], at[1]! - centre[1])).toBeLessThan(1.5);
  });

  test.each([
    ["TIMEPIX_SU_512-stdgoni_0001.header.txt", { SIZE1: "512", BEAMLINE: "TimePix_SU", DENZO_X_BEAM: "13.53" }],
    ["TIMEPIX_SU_516-stdgoni_0001.header.txt", { SIZE1: "516", PHI: "-65.40" }],
    ["simtbx_FormatSMVJHSim_001.header.txt", { HEADER_BYTES: "1024", DIALS_ORIGIN: "-28.16,28.16,-1590" }],
  ])("header %s", (name, want) => {
    expect(parseSmvHeader(new TextDecoder("latin1").decode(readData("hardware/smv", name)))).toMatchObject(want);
  });
});
