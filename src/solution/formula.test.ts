import { expect, test } from "vitest";
import { parseComposition } from "./formula.js";

const read = (text: string): string => [...parseComposition(text)].map(([e, n]) => `${e}${n}`).join(" ");

test.each([
  ["SiO2", "Si1 O2"], ["Si O2", "Si1 O2"], ["Si 1 O 2", "Si1 O2"], ["'Si O2'\n", "Si1 O2"], ["Na0.6Mn O2", "Na0.6 Mn1 O2"], ["SiO2SiO2", "Si2 O4"], ["2 SiO2", "Si2 O4"], ["Na₂O", "Na2 O1"],
  ["Si4+ O2-", "Si1 O1"], ["Si4+O2-2", "Si1 O2"], ["Ca2+ Ti4+ O2-3", "Ca1 Ti1 O3"], ["Na+ Cl-", "Na1 Cl1"], ["Ca(OH)2", "Ca1 O2 H2"], ["Al2(SO4)3", "Al2 S3 O12"], ["[Co(NH3)6]Cl3", "Co1 N6 H18 Cl3"],
  ["CuSO4·5H2O", "Cu1 S1 O9 H10"], ["CuSO4 . 5H2O", "Cu1 S1 O9 H10"], ["Na2CO3.H2O", "Na2 C1 O4 H2"], ["Mg1.8 Fe0.2 Si O4", "Mg1.8 Fe0.2 Si1 O4"], ["CO", "C1 O1"], ["Co", "Co1"],
] as const)("%s is %s", (text, counts) => expect(read(text)).toBe(counts)); // biome-ignore format: a table

test.each([
  ["", /notRead|bad-value/], ["sio2", /"notRead":"sio2"/], ["Xx2", /"symbol":"Xx"/], ["Si O0", /above zero/], ["Si O2 3", /"notRead":"3"/], ["Ca(OH", /not closed/], ["Ca)2", /"notRead":"\)2"/],
  ["CuSO4.5H2O", /decimal or not/], ["(Mg,Fe)2SiO4", /mixed site/],
] as const)("%s is refused by name", (text, message) => expect(() => parseComposition(text)).toThrow(message)); // biome-ignore format: a table
