import { expect, test } from "vitest";
import { describeData, readDataText } from "../testing/data.js";
import { itc1992 } from "./tables/itc1992.js";
import { kirkland2010 } from "./tables/kirkland2010.js";
import { lobato2014 } from "./tables/lobato2014.js";
import { peng1996High } from "./tables/peng1996-high.js";
import { peng1996Low } from "./tables/peng1996-low.js";
import { peng1998Ions } from "./tables/peng1998-ions.js";
import { thomas2024, thomas2024B } from "./tables/thomas2024.js";
import { waasmaierKirfel1995 } from "./tables/waasmaier-kirfel1995.js";
import { weickenmeierKohl1991 } from "./tables/weickenmeier-kohl1991.js";

interface Entry {
  readonly Z: number;
  readonly charge: number;
  readonly c: number;
  readonly a: readonly number[];
  readonly b: readonly number[];
  readonly A: readonly number[];
  readonly B: readonly number[];
  readonly d: readonly number[];
  readonly params: readonly (readonly number[])[];
}
const load = (file: string) =>
  JSON.parse(readDataText(`tables/${file}.json`)) as { B: readonly number[]; entries: Record<string, Entry & { c: never }> };

describeData("generated modules hold the numbers of the JSON tables", ["tables/electron-scattering-factors"], () => {
  const e = "electron-scattering-factors/",
    x = "xray-scattering-factors/";
  const row = {
    ab: (v: Entry) => [...v.a, ...v.b],
    kirkland: (v: Entry) => [...v.a, ...v.b, ...(v.c as unknown as readonly number[]), ...v.d],
    ion: (v: Entry) => [v.charge, ...v.a, ...v.b],
    wk: (v: Entry) => [...v.A, ...v.B],
    xray: (v: Entry) => [v.Z, v.charge, v.c, ...v.a, ...v.b],
    thomas: (v: Entry) => v.params.flat(),
  };
  test.each([
    [`${e}lobato2014`, lobato2014, row.ab, 5e-12],
    [`${e}kirkland2010`, kirkland2010, row.kirkland, 0],
    [`${e}peng1996-s0-2`, peng1996Low, row.ab, 0],
    [`${e}peng1996-s0-6`, peng1996High, row.ab, 0],
    [`${e}peng1998-ions`, peng1998Ions, row.ion, 0],
    [`${e}weickenmeier-kohl1991`, weickenmeierKohl1991, row.wk, 0],
    [`${e}thomas2024-absorptive`, thomas2024, row.thomas, 5e-9],
    [`${x}waasmaier-kirfel1995`, waasmaierKirfel1995, row.xray, 0],
    [`${x}itc1992-4gauss`, itc1992, row.xray, 0],
  ] as const)("%s", (file, table, make, tolerance) => {
    const { entries } = load(file);
    expect(Object.keys(table)).toEqual(Object.keys(entries));
    for (const [name, entry] of Object.entries(entries)) {
      const wanted = make(entry),
        found = table[name]!;
      expect(found.length).toBe(wanted.length);
      wanted.forEach((v, i) => {
        if (Math.abs(found[i]! - v) > tolerance * Math.abs(v)) throw new Error(`${name} number ${i}: ${found[i]} instead of ${v}`);
      });
    }
  });
  test("the grid of B", () => {
    expect(thomas2024B).toEqual(load(`${e}thomas2024-absorptive`).B);
  });
});
