import { expect, test } from "vitest";
import { isSdkError } from "../core/errors.js";
import { describeData, readData, readDataText } from "../testing/data.js";
import { fc, prop } from "../testing/prop.js";
import { type CifDocument, type CifValue, cifInapplicable, cifItem, cifLoop, cifUnknown } from "./cif.js";
import {
  cifBlock,
  cifColumn,
  cifFrames,
  cifIntegers,
  cifLoopOf,
  cifMeasured,
  cifNumbers,
  cifText,
  cifValue,
  withCifItem,
} from "./cif-access.js";
import { parseCif } from "./cif-parse.js";
import { writeCif } from "./cif-write.js";

const one = (body: string) => parseCif(`data_x\n${body}`).value.blocks[0]!;
const two = (body: string) => parseCif(`#\\#CIF_2.0\ndata_x\n${body}`).value.blocks[0]!;
const errorOf = (body: () => unknown): { line?: number; hint: string } => {
  try {
    body();
  } catch (e) {
    if (isSdkError(e)) return { line: e.details.line as number, hint: e.hint };
    throw e;
  }
  throw new Error("no error");
};

test("items, quotes, text fields, comments, missing values", () => {
  const b = one(`_a 'it isn't' _b "x ' y" # comment
_c
; first
second
;
_d ? _e . _f '?' _g 1.5(2) _h#1 a#b`);
  expect(cifValue(b, "_a")).toBe("it isn't");
  expect(cifValue(b, "_b")).toBe("x ' y");
  expect(cifValue(b, "_c")).toBe(" first\nsecond");
  expect(cifValue(b, "_d")).toEqual(cifUnknown);
  expect(cifValue(b, "_e")).toEqual(cifInapplicable);
  expect(cifValue(b, "_f")).toBe("?");
  expect(cifMeasured(b, "_G")).toEqual({ value: 1.5, su: 0.2 });
  expect(cifValue(b, "_h#1")).toBe("a#b");
});
test("loops are columns; look-up ignores case, dots and old names", () => {
  const b = one(
    "loop_ _symmetry_equiv_pos_as_xyz\n'x, y, z' '-x,-y,-z'\nloop_\n_atom_site.label _atom_site.fract_x C1 0.1(1) C2 .\n_cell_length_a 5",
  );
  expect(cifColumn(b, "_space_group_symop_operation_xyz")).toEqual(["x, y, z", "-x,-y,-z"]);
  expect(cifNumbers(b, "_ATOM_site_fract_x")).toEqual(Float64Array.of(0.1, Number.NaN));
  expect(cifLoopOf(b, "_atom_site_label")!.size).toBe(2);
  expect(cifText(b, "_cell.length_a")).toBe("5");
});
test("CIF 2.0: triple quotes, lists, tables, prefixed text", () => {
  const b = two(`_l [1 'a b' [2 3] {'k':v "j":[.]}]
_t """one "two"
three"""
_p
;>\\
>;semicolon
>plain
;
_q
;p\\\\
pone \\
ptwo
;`);
  expect(cifValue(b, "_l")).toEqual([
    "1",
    "a b",
    ["2", "3"],
    {
      table: [
        ["k", "v"],
        ["j", [cifInapplicable]],
      ],
    },
  ]);
  expect(cifValue(b, "_t")).toBe('one "two"\nthree');
  expect(cifValue(b, "_p")).toBe(";semicolon\nplain");
  expect(cifValue(b, "_q")).toBe("one two");
});
test("line folding", () => {
  expect(cifValue(one("_a\n;\\\nlong \\\nline\nnext\n;\n"), "_a")).toBe("long line\nnext");
});
test("save frames, CRLF, byte-order mark, Windows-1252", () => {
  const doc = parseCif("\ufeffdata_d\r\nsave_f\r\n_x\r\n;a\r\nb\r\n;\r\nsave_\r\n_y 1\r\n").value;
  expect(cifValue(cifFrames(doc.blocks[0]!)[0]!, "_x")).toBe("a\nb");
  expect(cifValue(one(""), "_y")).toBeUndefined();
  const latin = Uint8Array.from("data_x\n_a 'Luk\xe1\xb9'", (c) => c.charCodeAt(0));
  expect(cifText(parseCif(latin).value.blocks[0]!, "_a")).toBe("Luká¹");
});
test.each([
  ["data_x\n_a 'open\n_b 1", 2, "quote"],
  ["data_x\n_a\n;text\n", 3, "semicolon"],
  ["data_x\nloop_\n_a _b\n1 2 3\n", 2, "incomplete"],
  ["data_x\n_a 1 2\n", 2, "tag"],
  ["data_x\nsave_f\n_a 1\n", 4, "save_"],
  ["data_x\nsave_\n", 2, "save"],
  ["data_x\nloop_ 1\n", 2, "tags"],
  ["#\\#CIF_2.0\ndata_x\n_a [1 2\n", 3, "]"],
  ["#\\#CIF_2.0\ndata_x\n_a {1:2}\n", 3, "table"],
  ['#\\#CIF_2.0\ndata_x\n_a """open\n', 3, "triple"],
  ["", undefined, "data_"],
])("error in %j names line %s", (text, line, word) => {
  const e = errorOf(() => parseCif(text));
  expect(e.line).toBe(line);
  expect(e.hint).toContain(word);
});
test("a deeply nested list ends in an error, not in a stack overflow", () => {
  expect(errorOf(() => two(`_a ${"[".repeat(100_000)}`)).hint).toContain("deep");
});
test("survivable faults become warnings", () => {
  const r = parseCif("_before 1\ndata_x\n_a 1\n_a 2\n_b\n_c 3\nloop_\n_d\nloop_\n_e 1");
  expect(r.warnings.join("\n")).toMatch(
    /line 1: items before[\s\S]*line 4: _a is given again[\s\S]*line 5: _b has no value[\s\S]*line 7: loop of _d has no values/,
  );
  expect(cifValue(r.value.blocks[1]!, "_a")).toBe("1");
});

const text = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 20 }).map((s) => s.replaceAll("\r", "")) },
  fc.constantFrom(
    "?",
    ".",
    "",
    "data_x",
    "loop_",
    "_tag",
    'a\'b "c" d',
    ";x",
    "a\nb",
    "tail\\",
    "\\",
    "x\\\ny",
    "5.4(2)",
    "[a]",
    "#no",
    "  ",
    "'",
    "\"'",
  ),
  fc.string({ minLength: 2040, maxLength: 5000, unit: fc.constantFrom("a", " ", ";", "\\", "\n", "'") }),
);
const clean = (s: string): string => s.replaceAll("\n;", "\n");
const leaf: fc.Arbitrary<CifValue> = fc.oneof(text, fc.constant(cifUnknown), fc.constant(cifInapplicable));
const value2: fc.Arbitrary<CifValue> = fc.letrec<{ v: CifValue }>((tie) => ({
  v: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("v"), { maxLength: 3 }),
    fc
      .array(
        fc.tuple(
          fc.string({ maxLength: 5 }).map((s) => s.replaceAll("\r", "")),
          tie("v"),
        ),
        { maxLength: 3 },
      )
      .map((table) => ({ table })),
  ),
})).v;
const tag = fc.stringMatching(/^_[a-z][a-z0-9_.]{0,10}$/);
const documentOf = (version: "1.1" | "2.0", value: fc.Arbitrary<CifValue>): fc.Arbitrary<CifDocument> =>
  fc
    .record({
      items: fc.array(fc.tuple(tag, value)),
      tags: fc.uniqueArray(tag, { minLength: 1, maxLength: 4 }),
      rows: fc.array(fc.array(value, { minLength: 4, maxLength: 4 }), { minLength: 1 }),
    })
    .map(({ items, tags, rows }) => ({
      version,
      comments: [],
      blocks: [
        {
          name: "x",
          entries: [...items.map(([t, v]) => cifItem(t, v)), cifLoop(Object.fromEntries(tags.map((t, j) => [t, rows.map((r) => r[j]!)])))],
        },
      ],
    }));
const one11 = leaf.map((v) => (typeof v === "string" ? clean(clean(v)) : v)).filter((v) => typeof v !== "string" || !v.includes("\n;"));
prop("what is written in 1.1 reads back equal", [documentOf("1.1", one11)], (doc) => {
  expect(parseCif(writeCif(doc)).value).toEqual(doc);
});
prop("what is written in 2.0 reads back equal", [documentOf("2.0", value2)], (doc) => {
  expect(parseCif(writeCif(doc)).value).toEqual(doc);
});
test("no written line of a 1.1 file is longer than 2048", () => {
  const doc: CifDocument = { version: "1.1", comments: [], blocks: [{ name: "x", entries: [cifItem("_a", "word ".repeat(2000))] }] };
  const lines = writeCif(doc).split("\n");
  expect(Math.max(...lines.map((l) => l.length))).toBeLessThanOrEqual(2048);
  expect(parseCif(lines.join("\n")).value).toEqual(doc);
});
test("one item changes, everything else stays in its order", () => {
  const b = one("_a 1\n# keep\n_b 2");
  expect(writeCif({ version: "1.1", comments: [], blocks: [withCifItem(b, cifItem("_A", 3))] })).toMatch(
    /^data_x\n_A +3\n# keep\n_b +2\n$/,
  );
});

const jana = ["3ded", "jana_dyn"] as const;
describeData("real CIFs", ["3ded/jana_dyn", "3ded/cif_ed", "3ded/diffbloch"], () => {
  test.each([
    ["alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif", 10640],
    ["LuAG_jana2020_dyn_IAM.cif", 21544],
    ["natrolite_jana2006_dyn+kin.cif", 5175],
    ["albite_jana2006_dyn+kin.cif", 7210],
  ])("%s lists %d reflections, as expected_values.json counts them, and survives writing", (file, count) => {
    const r = parseCif(readData(...jana, file));
    expect(r.warnings).toEqual([]);
    const block = r.value.blocks.find((b) => cifLoopOf(b, "_refln_index_h"))!;
    expect(cifIntegers(block, "_refln_index_h")).toHaveLength(count);
    expect(JSON.stringify(parseCif(writeCif(r.value)).value) === JSON.stringify(r.value)).toBe(true);
  });
  test("the alanine CIF: cell, s.u., embedded files", () => {
    const b = cifBlock(parseCif(readData(...jana, "alanine_jana2020_dyn_IAM_with_m40_m42_m50_m90.cif")).value)!;
    expect(cifMeasured(b, "_cell_length_a")).toEqual({ value: 5.7691, su: 0.0004 });
    expect(cifText(b, "_space_group_name_H-M_alt")).toBe("P 21 21 21");
    expect(cifText(b, "_Jana_m90_file")!.length).toBeGreaterThan(3.3e6);
  });
  test("the electron diffraction dictionary is CIF 2.0 with save frames and lists of tables", () => {
    const r = parseCif(readData("3ded", "cif_ed", "cif_ed.dic"));
    expect(r.value.version).toBe("2.0");
    const head = cifFrames(r.value.blocks[0]!).find((f) => f.name === "CIF_ED_HEAD")!;
    expect(cifValue(head, "_import.get")).toEqual([
      {
        table: [
          ["dupl", "Ignore"],
          ["file", "cif_core.dic"],
          ["mode", "Full"],
          ["save", "CIF_CORE_HEAD"],
        ],
      },
    ]);
  });
  test("the draft of frames is refused: one row reads 'axis v' for axis_v, so its loop has a value too many", () => {
    expect(errorOf(() => parseCif(readDataText("3ded", "cif_ed", "frames_example.cif"))).line).toBe(127);
  });
});
