/**
 * Lines `key<separator>value` of a text header, both trimmed; lines without the separator are left out. By searching for one character a line,
 * so the time is linear in the text whatever it holds (regular expressions with two neighbouring blanks are not).
 */
export function keyValueLines(
  text: string,
  separator: string,
  keep: (line: string) => string | undefined = (l) => l,
): [key: string, value: string][] {
  const out: [string, string][] = [];
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = keep(raw);
    if (line === undefined) continue;
    const at = line.indexOf(separator);
    if (at > 0) out.push([line.slice(0, at).trim(), line.slice(at + separator.length).trim()]);
  }
  return out;
}
