/** Longest text and list that a summary repeats. */
const TEXT = 200,
  LIST = 12;

const isNumbers = (v: unknown): v is ArrayLike<number> & { readonly length: number } =>
  ArrayBuffer.isView(v) && !(v instanceof DataView) && !(v instanceof BigInt64Array) && !(v instanceof BigUint64Array);

const short = (x: number): string => String(Number(x.toPrecision(6)));

/** A typed array in one line: short ones by value, long ones by length and range. */
function numbers(v: ArrayLike<number>): string {
  if (v.length <= LIST) return Array.from(v, short).join(" ");
  let min = Number.POSITIVE_INFINITY,
    max = Number.NEGATIVE_INFINITY,
    missing = 0;
  for (let i = 0; i < v.length; i++) {
    const x = v[i]!;
    if (Number.isNaN(x)) missing++;
    else {
      if (x < min) min = x;
      if (x > max) max = x;
    }
  }
  return `${v.length} values, ${min <= max ? `${short(min)} to ${short(max)}` : "none measured"}${missing > 0 ? `, ${missing} not measured` : ""}`;
}

/**
 * A parsed value made short enough to print or to write as JSON: typed arrays become length and range, long lists their first entries,
 * deep structures stop at a depth. The values themselves are for the readers.
 */
export function summary(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return value.length > TEXT ? `${value.slice(0, TEXT)}… (${value.length} characters)` : value;
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value !== "object" || value === null) return typeof value === "function" ? undefined : value;
  if (isNumbers(value)) return `${value.constructor.name}: ${numbers(value)}`;
  if (value instanceof Map) return summary(Object.fromEntries(value), depth);
  if (Array.isArray(value)) {
    if (value.length > LIST && value.every((x) => typeof x === "number")) return numbers(value);
    if (depth > 5) return `${value.length} entries`;
    const first = value.slice(0, LIST).map((x) => summary(x, depth + 1));
    return value.length > LIST ? [...first, `… ${value.length} in all`] : first;
  }
  if (depth > 5) return `{${Object.keys(value).slice(0, LIST).join(", ")}}`;
  const entries = Object.entries(value).filter(([, v]) => typeof v !== "function" && v !== undefined);
  const kept = entries.slice(0, 60).map(([k, v]) => [k, summary(v, depth + 1)] as const);
  return Object.fromEntries(entries.length > kept.length ? [...kept, ["…", `${entries.length} fields in all`]] : kept);
}
