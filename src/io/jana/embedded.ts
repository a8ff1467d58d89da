import type { CifBlock } from "../cif.js";
import { cifText } from "../cif-access.js";
import type { Parsed } from "../text.js";
import { type M40, parseM40 } from "./m40.js";
import { type M42, parseM42 } from "./m42.js";
import { type M50, parseM50 } from "./m50.js";
import { type M90, parseM90 } from "./m90.js";

/** The JANA project that JANA2020 embeds in a CIF, as far as it is there. */
export interface JanaProject {
  readonly m40: M40 | undefined;
  readonly m42: M42 | undefined;
  readonly m50: M50 | undefined;
  readonly m90: M90 | undefined;
}
/** Read `_Jana_m40_file` … `_Jana_m90_file` of a block. */
export function janaProject(block: CifBlock): Parsed<JanaProject> {
  const warnings: string[] = [];
  const read = <T>(name: string, parse: (text: string) => Parsed<T>): T | undefined => {
    const text = cifText(block, `_Jana_${name}_file`);
    if (text === undefined) return undefined;
    const r = parse(text);
    warnings.push(...r.warnings.map((w) => `${name}: ${w}`));
    return r.value;
  };
  return {
    value: { m40: read("m40", parseM40), m42: read("m42", parseM42), m50: read("m50", parseM50), m90: read("m90", parseM90) },
    warnings,
  };
}
