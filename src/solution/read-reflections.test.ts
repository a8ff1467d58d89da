import { expect, test } from "vitest";
import { unitCell } from "../geometry/cell.js";
import { readSolutionInput } from "./read-reflections.js";

const cell = unitCell(5, 6, 7);
const rows = Array.from({ length: 40 }, (_, i) => [i % 5, (i % 7) - 3, i % 3, 100.25 * (i + 1), 3.5 + i] as const);
const index = (r: readonly number[]): string => r.slice(0, 3).map((v) => String(v).padStart(4)).join(""); // biome-ignore format: one line
const text = (row: (r: readonly number[]) => string, head = "", tail = ""): Uint8Array =>
  new TextEncoder().encode(`${head}${rows.map(row).join("\n")}\n${tail}`);
const fixed = (width: number, digits: number) => (r: readonly number[]) =>
  index(r) + r.slice(3).map((v) => v.toFixed(digits).padStart(width)).join(""); // biome-ignore format: one line

test.each([
  ["SHELX, with its end and instructions behind", text(fixed(8, 2), "", "   0   0   0    0.00    0.00\n\nTITL x\n")],
  ["SHELX, no point", text((r) => index(r) + [r[3]! * 100, r[4]! * 100].map((v) => v.toFixed(0).padStart(8)).join(""))],
  ["JANA2020's wide columns", text(fixed(15, 4))],
  ["blanks", text((r) => r.join(" "))],
  ["tabulators, CRLF", text((r) => `${r.join("\t")}\r`)],
  ["commas under a heading", text((r) => r.join(","), "h,k,l,I,sigma\n")],
  ["exponents", text((r) => `${index(r)} ${r[3]!.toExponential(6)} ${r[4]!.toExponential(3)}`)],
] as const)("h k l I σ: %s", (_, bytes) => {
  const { reflections: r } = readSolutionInput(bytes, "a.hkl", { cell });
  const scale = r.intensity[0]! / rows[0]![3];
  expect(r.size).toBe(40);
  rows.forEach(([h, k, l, intensity, sigma], i) => {
    expect([...r.hkl.subarray(3 * i, 3 * i + 3)]).toEqual([h, k, l]);
    expect(r.intensity[i]! / (scale * intensity)).toBeCloseTo(1, 4);
    expect(r.sigma[i]! / (scale * sigma)).toBeCloseTo(1, 2);
  });
  expect([1, 100]).toContain(Math.round(scale));
});
test("frame numbers in the place of σ are suspected", () => {
  const warnings = (row: (r: readonly number[]) => string) => readSolutionInput(text(row), "a.hkl", { cell }).warnings.join();
  expect(warnings((r) => `${r.slice(0, 4).join(" ")} ${(r[3]! / 100.25) % 9} 0`)).toMatch(/column of the σ missing/);
  expect(warnings((r) => r.join(" "))).not.toMatch(/σ missing/);
  expect(warnings((r) => `${r.slice(0, 3).join(" ")} ${Math.round(r[3]!)} 3`)).not.toMatch(/σ missing/);
});
