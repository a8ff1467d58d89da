import {
  cifNumber,
  latin1,
  type Parsed,
  parseAtomsXyz,
  parseCelllist,
  parseCenloc,
  parseCif,
  parseCifPets,
  parseClust,
  parseCml,
  parseCor,
  parseEmi,
  parseExpt,
  parseFramestats,
  parseHklf,
  parseM40,
  parseM42,
  parseM50,
  parseM90,
  parseMtz,
  parsePetsHkl,
  parsePts,
  parseRefl,
  parseResolution,
  parseRpl,
  parseShelx,
  parseXdsHkl,
  parseXdsInp,
  parseXyz,
} from "../io/index.js";

/** A file format that holds records or tables instead of frames. */
export interface RecordFormat {
  readonly name: string;
  matches(head: Uint8Array, name: string): boolean;
  read(bytes: Uint8Array): Parsed<unknown>;
}

const ends =
  (...extensions: string[]) =>
  (_: Uint8Array, name: string): boolean =>
    extensions.some((e) => name.toLowerCase().endsWith(e));
const named = (name: string, extension: string, read: (bytes: Uint8Array) => Parsed<unknown>): RecordFormat => ({
  name,
  matches: ends(extension),
  read,
});

/** A CIF in a few lines a block: the tags of its single items by category, and its loops. The whole tree is for `parseCif`. */
function cifSummary(bytes: Uint8Array): Parsed<unknown> {
  const { value, warnings } = parseCif(bytes);
  const blocks = value.blocks.map((b) => ({
    name: b.name,
    items: b.entries.filter((e) => e.kind === "item").length,
    frames: b.entries.filter((e) => e.kind === "frame").length,
    loops: b.entries.flatMap((e) =>
      e.kind === "loop" ? [`${e.size} rows of ${e.tags.length}: ${e.tags.slice(0, 4).join(" ")}${e.tags.length > 4 ? " …" : ""}`] : [],
    ),
    cell: ["a", "b", "c", "alpha", "beta", "gamma"].map((k) => cifNumber(b, `_cell_${/^.$/.test(k) ? "length" : "angle"}_${k}`)),
  }));
  return { value: { version: value.version, blocks }, warnings };
}

/** The common fields of a PETS2 project; the lines that `parsePts` keeps for writing back are left out. */
function ptsSummary(bytes: Uint8Array): Parsed<unknown> {
  const { value, warnings } = parsePts(bytes);
  const { document, ...fields } = value;
  return { value: { ...fields, statements: document.entries.length }, warnings };
}

/** A `.hkl` is PETS2's, in columns apart from each other with two decimals and a frame, or SHELX's, in fixed columns; the first line tells. */
function anyHkl(bytes: Uint8Array): Parsed<unknown> {
  const first = latin1(bytes.subarray(0, 200)).split(/\r\n|\n|\r/, 1)[0]!;
  return first.trim().split(/\s+/).length >= 7 ? parsePetsHkl(bytes) : parseHklf(bytes);
}

/** An `.xyz` holds atoms, and then its first line is their number alone, or the peaks of PETS2, eleven numbers a line. */
const countAlone = (head: Uint8Array): boolean => /^\s*\d+\s*$/.test(latin1(head.subarray(0, 200)).split(/\r\n|\n|\r/, 1)[0]!);

/** Record formats that {@link inspect} knows, first match first. */
export const recordFormats: readonly RecordFormat[] = /* @__PURE__ */ makeRecordFormats();
function makeRecordFormats(): RecordFormat[] {
  return [
    { name: "mtz", matches: (h) => latin1(h.subarray(0, 4)) === "MTZ ", read: parseMtz },
    { name: "dials refl", matches: ends(".refl"), read: (b) => parseRefl(b) },
    { name: "dials expt", matches: ends(".expt"), read: (b) => parseExpt(b) },
    named("cif_pets", ".cif_pets", (b) => parseCifPets(b)),
    named("pts", ".pts", ptsSummary),
    named("pts", ".pts2", ptsSummary),
    named("pets rpl", ".rpl", (b) => parseRpl(b)),
    named("pets cor", ".cor", (b) => parseCor(b)),
    { name: "atoms xyz", matches: (h, name) => ends(".xyz", ".extxyz")(h, name) && countAlone(h), read: (b) => parseAtomsXyz(b) },
    named("pets xyz", ".xyz", (b) => parseXyz(b)),
    named("pets clust", ".clust", (b) => parseClust(b)),
    named("pets cenloc", ".cenloc", (b) => parseCenloc(b)),
    named("pets celllist", ".celllist", (b) => parseCelllist(b)),
    named("pets cml", ".cml", (b) => parseCml(b)),
    named("pets framestats", ".framestats", (b) => parseFramestats(b)),
    named("pets resolution", ".resolution", (b) => parseResolution(b)),
    named("jana m40", ".m40", (b) => parseM40(b)),
    named("jana m42", ".m42", (b) => parseM42(b)),
    named("jana m50", ".m50", (b) => parseM50(b)),
    named("jana m90", ".m90", (b) => parseM90(b)),
    { name: "shelx", matches: ends(".ins", ".res"), read: (b) => parseShelx(b) },
    {
      name: "xds hkl",
      matches: (h, name) => latin1(h).startsWith("!FORMAT=XDS") || ends("xds_ascii.hkl", "integrate.hkl")(h, name),
      read: (b) => parseXdsHkl(b),
    },
    named("tia emi", ".emi", parseEmi),
    named("xds inp", "xds.inp", (b) => parseXdsInp(b)),
    named("hkl", ".hkl", anyHkl),
    { name: "cif", matches: ends(".cif", ".dic", ".fcf", ".mmcif"), read: cifSummary },
  ];
}
