/**
 * What stands inside a semicolon-delimited text field: the line-folding protocol (CIF 1.1) and the prefix protocol (CIF 2.0), which
 * let long lines and lines that start with a semicolon through.
 */

/** Undo line folding and, in CIF 2.0, prefixing. `raw` is the content between the opening `;` and the closing line end. */
export function decodeTextField(raw: string, version: "1.1" | "2.0"): string {
  const text = raw.includes("\r") ? raw.replace(/\r\n?/g, "\n") : raw;
  const end = text.indexOf("\n");
  const first = (end < 0 ? text : text.slice(0, end)).trimEnd();
  if (!first.endsWith("\\")) return text;
  const head = /^([^\\]*)\\(\\?)$/.exec(first);
  if (!head || (head[1] !== "" && version === "1.1")) return text;
  const prefix = head[1]!,
    folded = prefix === "" || head[2] === "\\";
  if (prefix === "" && head[2] === "\\") return text; // two backslashes alone are plain text
  let lines = end < 0 ? [] : text.slice(end + 1).split("\n");
  if (prefix !== "") {
    if (!lines.every((l) => l.startsWith(prefix))) return text;
    lines = lines.map((l) => l.slice(prefix.length));
  }
  if (!folded) return lines.join("\n");
  let out = "";
  lines.forEach((l, i) => {
    const cut = /\\[ \t]*$/.exec(l);
    if (cut) out += l.slice(0, cut.index);
    else out += i < lines.length - 1 ? `${l}\n` : l;
  });
  return out;
}

/** Write a text field, folding lines longer than `lineLength` and prefixing (2.0 only) where a line starts with `;`. */
export function encodeTextField(text: string, version: "1.1" | "2.0", lineLength = 2048): string | undefined {
  const needsPrefix = /\n;/.test(text);
  if (needsPrefix && version === "1.1") return undefined;
  const lines = text.split("\n");
  const long = lines.some((l, i) => l.length + (i === 0 ? 1 : 0) > lineLength);
  const looksFolded = decodeTextField(text, version) !== text;
  const needsFold = long || looksFolded;
  if (!needsPrefix && !needsFold) return `;${text}\n;`;
  const prefix = needsPrefix ? ">" : "";
  const room = Math.max(16, lineLength - prefix.length - 1);
  const out = [needsPrefix ? (needsFold ? ";>\\\\" : ";>\\") : ";\\"];
  lines.forEach((line) => {
    if (!needsFold) {
      out.push(prefix + line);
      return;
    }
    let rest = line;
    while (rest.length > room) {
      // A fold may leave no `;` at the start of the next line, nor split a surrogate pair.
      let at = room;
      while (at > 1 && (rest[at] === ";" || (rest.charCodeAt(at) & 0xfc00) === 0xdc00)) at--;
      if (at <= 1) at = room;
      out.push(`${prefix}${rest.slice(0, at)}\\`);
      rest = rest.slice(at);
    }
    out.push(prefix + rest);
    // A line that itself ends in a backslash would be taken for folded: fold an empty rest after it.
    if (/\\[ \t]*$/.test(rest)) out[out.length - 1] += `\\\n${prefix}`;
  });
  return `${out.join("\n")}\n;`;
}
