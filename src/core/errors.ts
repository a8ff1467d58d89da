/** What went wrong, as a word a program can test. */
export type ErrorCode =
  | "bad-shape"
  | "bad-cell"
  | "bad-value"
  | "out-of-range"
  | "bad-file"
  | "unsupported"
  | "too-large"
  | "not-found"
  | "no-convergence"
  | "aborted"
  | "device-refused";
export type Details = Readonly<Record<string, unknown>>;

/** JSON that neither throws (bigint, cycles) nor floods a terminal with a long array. */
function brief(details: Details): string {
  const short = (value: unknown): unknown => {
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    if (typeof value === "string" && value.length > 120) return `${value.slice(0, 117)}...`;
    if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
    if (Array.isArray(value)) return value.length > 12 ? [...value.slice(0, 12).map(short), `… ${value.length} in all`] : value.map(short);
    return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : value;
  };
  return JSON.stringify(Object.fromEntries(Object.entries(details).map(([k, v]) => [k, short(v)])));
}

/** The one error class of the package: `code` for programs, `details` with field and value, `hint` with the cure. */
export class SdkError extends Error {
  override readonly name = "SdkError";
  constructor(
    readonly code: ErrorCode,
    readonly details: Details,
    readonly hint: string,
    options?: ErrorOptions,
  ) {
    super(`${code}: ${hint} (got ${brief(details)})`, options);
  }
}

/** Throw an {@link SdkError}. */
export function fail(code: ErrorCode, details: Details, hint: string, cause?: unknown): never {
  throw new SdkError(code, details, hint, cause === undefined ? undefined : { cause });
}

/** By name and code, not `instanceof`, so that two copies of the package agree. */
export function isSdkError(e: unknown, code?: ErrorCode): e is SdkError {
  return e instanceof Error && e.name === "SdkError" && (code === undefined || (e as SdkError).code === code);
}
