import type { Hkl } from "./metric.js";
import type { SpaceGroup } from "./space-groups.js";
import { applyOpToHkl, fraction } from "./symop.js";

/** h·w modulo 1, in 24ths. */
const phase24 = (h: Hkl, w: readonly [number, number, number]): number => (((h[0] * w[0] + h[1] * w[1] + h[2] * w[2]) % 24) + 24) % 24;

/**
 * Is the reflection systematically absent: some operation keeps h but shifts its phase (hW = h, h·w not an integer)?
 * Kinematically exact; dynamical scattering puts intensity into glide and screw absences, never into centring absences.
 */
export function isAbsent(group: SpaceGroup, hkl: Hkl): boolean {
  const [h, k, l] = hkl;
  for (const { rotation: w, shift: t } of group.ops) {
    if (h * w[0] + k * w[3] + l * w[6] !== h || h * w[1] + k * w[4] + l * w[7] !== k || h * w[2] + k * w[5] + l * w[8] !== l) continue;
    if ((h * t[0] + k * t[1] + l * t[2]) % 24 !== 0) return true;
  }
  return false;
}
/** Absent because of the lattice centring alone. */
export function isCentringAbsent(group: SpaceGroup, hkl: Hkl): boolean {
  for (let i = group.primitiveOrder; i < group.ops.length; i += group.primitiveOrder)
    if (phase24(hkl, group.ops[i]!.shift) !== 0) return true;
  return false;
}
/** How many operations (centring not counted) keep h: the ε of intensity statistics. */
export function epsilonFactor(group: SpaceGroup, hkl: Hkl): number {
  let n = 0;
  for (let i = 0; i < group.primitiveOrder; i++) {
    const k = applyOpToHkl(group.ops[i]!, hkl);
    if (k[0] === hkl[0] && k[1] === hkl[1] && k[2] === hkl[2]) n++;
  }
  return n;
}
/** Does some operation take h to −h: the phase is then one of two values. */
export function isCentric(group: SpaceGroup, hkl: Hkl): boolean {
  for (let i = 0; i < group.primitiveOrder; i++) {
    const k = applyOpToHkl(group.ops[i]!, hkl);
    if (k[0] === -hkl[0] && k[1] === -hkl[1] && k[2] === -hkl[2]) return true;
  }
  return false;
}

/** Reflections equivalent to h under the group's rotations, with −h when `friedel`: distinct, h first. */
export function equivalents(group: SpaceGroup, hkl: Hkl, friedel = false): Hkl[] {
  const out = new Map<string, Hkl>();
  for (let i = 0; i < group.primitiveOrder; i++) {
    const k = applyOpToHkl(group.ops[i]!, hkl);
    const list: Hkl[] = friedel ? [k, [-k[0] + 0, -k[1] + 0, -k[2] + 0]] : [k];
    for (const q of list) out.set(q.join(), q);
  }
  return [...out.values()];
}

/** One reflection condition: on reflections of the class, the sum must be 0 modulo n. */
export interface ReflectionCondition {
  /** "hkl", "0kl", "h0l", "hk0", "hhl", "h-hl", "h00", "0k0", "00l", "hh0", … */
  readonly zone: string;
  /** Coefficients of h k l and modulus: "h+l=2n" is [1, 0, 1] and 2. */
  readonly coefficients: readonly [number, number, number];
  readonly modulus: number;
  readonly text: string;
}
/** Classes as directions: each reflection of the class is an integer combination of these rows. */
const zones: readonly (readonly [string, readonly (readonly [number, number, number])[]])[] = [
  [
    "hkl",
    [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ],
  ],
  [
    "0kl",
    [
      [0, 1, 0],
      [0, 0, 1],
    ],
  ],
  [
    "h0l",
    [
      [1, 0, 0],
      [0, 0, 1],
    ],
  ],
  [
    "hk0",
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  ],
  [
    "hhl",
    [
      [1, 1, 0],
      [0, 0, 1],
    ],
  ],
  [
    "hkk",
    [
      [1, 0, 0],
      [0, 1, 1],
    ],
  ],
  [
    "hkh",
    [
      [1, 0, 1],
      [0, 1, 0],
    ],
  ],
  [
    "h-hl",
    [
      [1, -1, 0],
      [0, 0, 1],
    ],
  ],
  ["h00", [[1, 0, 0]]],
  ["0k0", [[0, 1, 0]]],
  ["00l", [[0, 0, 1]]],
  ["hh0", [[1, 1, 0]]],
  ["hhh", [[1, 1, 1]]],
];

/**
 * Reflection conditions of the group in the style of International Tables, derived from the operations: for every class, each operation
 * that keeps all of its reflections gives the linear form h·w. Conditions that follow from those of a larger class are left out.
 */
export function reflectionConditions(group: SpaceGroup): readonly ReflectionCondition[] {
  const out: ReflectionCondition[] = [];
  for (const [zone, rows] of zones) {
    const inherited = out.filter((c) => rows.every((r) => contains(c.zone, r)));
    const forms = new Map<string, number[]>();
    for (const op of group.ops) {
      if (!rows.every((r) => applyOpToHkl(op, r).every((x, i) => x === r[i]))) continue;
      const form = rows.map((r) => phase24(r, op.shift));
      if (form.some((x) => x !== 0)) forms.set(form.join(), form);
    }
    const known = span([rows.map(() => 0), ...inherited.map((c) => rows.map((r) => dotMod(c, r)))]);
    const all = [...span([...[...known].map(parse), ...forms.values()])].map(parse).sort(simpler);
    while (known.size < Math.max(1, all.length)) {
      // The simplest form that completes the set, else the one that adds most.
      let best: number[] | undefined,
        size = known.size;
      for (const form of all) {
        const n = span([...[...known].map(parse), form]).size;
        if (n > size) [best, size] = [form, n];
      }
      if (!best) break;
      out.push(condition(zone, rows, best));
      for (const k of span([...[...known].map(parse), best])) known.add(k);
    }
  }
  return out;
}

const parse = (key: string): number[] => key.split(",").map(Number);
const modulusOf = (form: readonly number[]): number => Math.max(...form.map((x) => Number(fraction(x, 24).split("/")[1] ?? 1)));
/** Fewest indices, then the smaller modulus, then the smaller coefficients. */
const simpler = (p: readonly number[], q: readonly number[]): number => {
  const cost = (f: readonly number[]): number =>
    f.filter((x) => x !== 0).length * 1e4 +
    modulusOf(f) * 100 +
    f.reduce((s, x) => s + (Math.min(x, 24 - x) * modulusOf(f)) / 24 + (x > 12 ? 0.1 : 0), 0);
  return cost(p) - cost(q);
};
const dotMod = (c: ReflectionCondition, r: readonly [number, number, number]): number => {
  const s = (24 / c.modulus) * (c.coefficients[0] * r[0] + c.coefficients[1] * r[1] + c.coefficients[2] * r[2]);
  return ((s % 24) + 24) % 24;
};
/** All sums of the forms modulo 1. */
function span(forms: readonly (readonly number[])[]): Set<string> {
  const first = forms[0];
  if (!first) return new Set();
  const all = new Map([[first.map(() => 0).join(), first.map(() => 0)]]);
  const queue = [...all.values()];
  for (let v = queue.pop(); v; v = queue.pop())
    for (const f of forms) {
      const s = v.map((x, i) => (x + f[i]!) % 24);
      if (!all.has(s.join())) {
        all.set(s.join(), s);
        queue.push(s);
      }
    }
  return new Set(all.keys());
}
function contains(zone: string, row: readonly [number, number, number]): boolean {
  const [h, k, l] = row;
  switch (zone) {
    case "hkl":
      return true;
    case "0kl":
      return h === 0;
    case "h0l":
      return k === 0;
    case "hk0":
      return l === 0;
    case "hhl":
      return h === k;
    case "hkk":
      return k === l;
    case "hkh":
      return h === l;
    case "h-hl":
      return h === -k;
    default:
      return false;
  }
}
/** A form on the rows of a class as "h+l=2n". */
function condition(zone: string, rows: readonly (readonly [number, number, number])[], form: readonly number[]): ReflectionCondition {
  const modulus = modulusOf(form);
  const names = rows.map((r) => (r[0] ? "h" : r[1] ? "k" : "l"));
  const signed = (sign: number): number[] =>
    form.map((x) => {
      const n = (((Math.round((x * modulus) / 24) * sign) % modulus) + modulus) % modulus;
      return n > modulus / 2 ? n - modulus : n;
    });
  // A form and its negative say the same: write the one with fewer minus signs.
  const minus = (v: readonly number[]): number => v.filter((n) => n < 0).length;
  const numbers = minus(signed(1)) <= minus(signed(-1)) ? signed(1) : signed(-1);
  const text = numbers
    .map((n, i) => (n === 0 ? "" : `${n < 0 ? "-" : "+"}${Math.abs(n) === 1 ? "" : Math.abs(n)}${names[i]}`))
    .join("")
    .replace(/^\+/, "");
  const coefficients: [number, number, number] = [0, 0, 0];
  rows.forEach((r, i) => {
    coefficients[r.findIndex((x) => x !== 0)] = numbers[i]!;
  });
  return { zone, coefficients, modulus, text: `${text}=${modulus}n` };
}
