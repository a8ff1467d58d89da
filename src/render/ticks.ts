/** Places and texts of the marks along an axis. */
export interface Ticks {
  readonly values: readonly number[];
  readonly texts: readonly string[];
  /** Places of the small marks between. */
  readonly minor: readonly number[];
}

/** Whole multiples of 1, 2 or 5 times a power of ten inside [low, high], about `count` of them. */
export function niceTicks(low: number, high: number, count = 5): Ticks {
  if (!(high > low) || !Number.isFinite(high - low)) return { values: [], texts: [], minor: [] };
  const raw = (high - low) / Math.max(1, count),
    power = 10 ** Math.floor(Math.log10(raw)),
    m = raw / power,
    step = (m < 1.5 ? 1 : m < 3.5 ? 2 : m < 7.5 ? 5 : 10) * power;
  const from = Math.ceil(low / step - 1e-9),
    to = Math.floor(high / step + 1e-9);
  const values = Array.from({ length: Math.max(0, to - from + 1) }, (_, k) => (from + k) * step);
  const parts = Math.round(step / 10 ** Math.floor(Math.log10(step * 1.001))) === 2 ? 4 : 5,
    minor: number[] = [];
  for (let k = Math.ceil((low / step) * parts - 1e-9); k <= Math.floor((high / step) * parts + 1e-9); k++)
    if (k % parts !== 0) minor.push((k * step) / parts);
  return { values, texts: tickTexts(values, step), minor };
}

/** Decades inside [low, high], 2 and 5 times them when there are few. */
export function logTicks(low: number, high: number): Ticks {
  if (!(low > 0 && high > low)) return { values: [], texts: [], minor: [] };
  const a = Math.floor(Math.log10(low)),
    b = Math.ceil(Math.log10(high)),
    inside = (v: number): boolean => v >= low * (1 - 1e-9) && v <= high * (1 + 1e-9);
  const every = Math.ceil((b - a) / 7),
    values: number[] = [],
    minor: number[] = [];
  for (let e = a; e <= b; e++) {
    for (let m = 1; m < 10; m++) {
      const v = m * 10 ** e;
      if (!inside(v)) continue;
      if ((m === 1 && e % every === 0) || (b - a <= 2 && (m === 2 || m === 5))) values.push(v);
      else if (every === 1) minor.push(v);
    }
  }
  return { values, texts: values.map(shortNumber), minor };
}

/** Texts with one number of decimals for all; very large and small ones as 3×10⁵. */
export function tickTexts(values: readonly number[], step: number): readonly string[] {
  const largest = Math.max(...values.map(Math.abs), 0);
  if (largest >= 1e6 || (largest > 0 && largest < 1e-3)) return values.map(shortNumber);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return values.map((v) => (Math.abs(v) < step * 1e-6 ? 0 : v).toFixed(places).replace("-", "−"));
}

const UP = "⁰¹²³⁴⁵⁶⁷⁸⁹";
/** At most four digits, with a power of ten written out where it is shorter. */
export function shortNumber(v: number): string {
  if (v === 0) return "0";
  const e = Math.floor(Math.log10(Math.abs(v)) + 1e-12);
  if (e > -4 && e < 5) return String(Number(v.toPrecision(4))).replace("-", "−");
  const m = Number((v / 10 ** e).toPrecision(3)),
    power = `10${e < 0 ? "⁻" : ""}${[...String(Math.abs(e))].map((d) => UP[Number(d)]).join("")}`;
  return (m === 1 ? power : m === -1 ? `−${power}` : `${m}×${power}`).replace("-", "−");
}
