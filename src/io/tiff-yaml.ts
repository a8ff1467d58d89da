import { decodeNumbers, type NumberType } from "./bytes-numbers.js";

/** One value, or a nested structure, of the YAML subset. */
export type YamlValue = string | number | boolean | null | readonly YamlValue[] | { readonly [key: string]: YamlValue };

const numpyTypes: Readonly<Record<string, NumberType>> = {
  f8: "f64",
  f4: "f32",
  i8: "i64",
  i4: "i32",
  u4: "u32",
  i2: "i16",
  u2: "u16",
  u1: "u8",
  i1: "i8",
  b1: "bool",
};

/** Longer headers are cut. */
const MAX_TEXT = 1 << 17;

/** Numbers of a pickled NumPy array or scalar, from its type and its last base64 block. */
function numpyValue(block: string): YamlValue | undefined {
  const type = /args:\s*\[\s*'?([fiub]\d)'?|^\s*-\s*'?([fiub][1248])'?\s*$/m.exec(block);
  const base64 = [...block.matchAll(/!!binary[ ]*\|[ ]*\n((?:[ ]+[A-Za-z0-9+/=]+[ ]*(?:\n|$))+)/g)].at(-1)?.[1]?.replace(/\s+/g, "");
  const dtype = numpyTypes[type?.[1] ?? type?.[2] ?? ""];
  if (!dtype || !base64) return undefined;
  try {
    const values = [
      ...decodeNumbers(
        Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)),
        dtype,
        !/\[\s*3,\s*'?>/.test(block),
      ),
    ];
    return /multiarray\.scalar/.test(block) ? (values[0] ?? null) : values;
  } catch {
    return undefined;
  }
}

/** A scalar or an inline list or map, tags dropped. */
function inline(text: string, depth = 0): YamlValue {
  const t = text.replace(/^(!!?[^\s[{'"]+\s*)+/, "").trim();
  if (/^\[.*\]$/s.test(t) && depth < 8) return splitInline(t.slice(1, -1)).map((s) => inline(s, depth + 1));
  if (/^\{.*\}$/s.test(t) && depth < 8)
    return Object.fromEntries(
      splitInline(t.slice(1, -1)).map((s) => {
        const at = s.indexOf(":");
        return [
          s
            .slice(0, Math.max(0, at))
            .trim()
            .replace(/^['"]|['"]$/g, ""),
          inline(s.slice(at + 1), depth + 1),
        ] as const;
      }),
    );
  const quoted = /^(['"])([\s\S]*)\1$/.exec(t);
  if (quoted) return quoted[1] === "'" ? quoted[2]!.replaceAll("''", "'") : quoted[2]!.replace(/\\(["\\/])/g, "$1").replaceAll("\\n", "\n");
  if (/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(t)) return Number(t);
  if (/^(true|True|yes)$/.test(t)) return true;
  if (/^(false|False|no)$/.test(t)) return false;
  if (/^(null|~|)$/.test(t)) return null;
  return t;
}

/** Parts of an inline list at its commas, brackets and quotes respected. */
function splitInline(text: string): string[] {
  const out: string[] = [];
  let depth = 0,
    quote = "",
    from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (quote) {
      if (c === quote) quote = "";
    } else if (c === "'" || c === '"') quote = c;
    else if (c === "[" || c === "{") depth++;
    else if (c === "]" || c === "}") depth--;
    else if (c === "," && depth === 0) {
      out.push(text.slice(from, i));
      from = i + 1;
    }
  }
  if (text.slice(from).trim() !== "") out.push(text.slice(from));
  return out;
}

/**
 * Read the YAML that acquisition programs put into image headers: `key: value` lines, nested by indentation, with lists. Tags of Python
 * objects are passed over, except pickled NumPy arrays and scalars, which become numbers. What is not understood stays text; nothing throws.
 */
export function parseHeaderYaml(text: string, depth = 0): Record<string, YamlValue> {
  const out: Record<string, YamlValue> = {};
  const lines = text
    .slice(0, MAX_TEXT)
    .split(/\r\n|\n|\r/)
    .filter((l) => l.trim() !== "" && !/^\s*(#|---|\.\.\.\s*$)/.test(l));
  const indent = (l: string): number => l.length - l.trimStart().length;
  const base = lines.length > 0 ? indent(lines[0]!) : 0;
  for (let i = 0; i < lines.length; ) {
    // A key is short: without this bound a long line without a colon would be searched again and again.
    const colon = lines[i]!.indexOf(":");
    const m = colon < 0 || colon > 200 ? null : /^\s*(?:'([^']*)'|"([^"]*)"|([^\s:#'"[{][^:]*?))\s*:(?:\s+(.*))?$/.exec(lines[i]!);
    const from = i++;
    if (!m || indent(lines[from]!) > base) continue;
    // The block of this key: deeper lines, and list items that may stand at its own depth.
    while (i < lines.length && (indent(lines[i]!) > base || (indent(lines[i]!) === base && /^\s*-(\s|$)/.test(lines[i]!)))) i++;
    const key = (m[1] ?? m[2] ?? m[3])!.trim(),
      head = (m[4] ?? "").trim(),
      body = lines.slice(from + 1, i);
    if (body.length === 0) out[key] = inline(head);
    else out[key] = numpyValue([head, ...body].join("\n")) ?? blockValue(head, body, depth);
  }
  return out;
}

function blockValue(head: string, body: readonly string[], depth: number): YamlValue {
  if (/^[|>]/.test(head)) return body.map((l) => l.trim()).join("\n");
  if (depth > 8) return body.join("\n");
  if (/^\s*-(\s|$)/.test(body[0]!)) {
    const items = body.filter((l) => /^\s*-(\s|$)/.test(l));
    return items.length === body.length ? items.map((l) => inline(l.replace(/^\s*-\s*/, ""))) : body.join("\n");
  }
  return /:(\s|$)/.test(body[0]!) ? parseHeaderYaml(body.join("\n"), depth + 1) : inline([head, ...body.map((l) => l.trim())].join(" "));
}
